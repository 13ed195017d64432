//! What a case study refers to: whether it is there.

use futures_util::future::try_join3;

use super::Changes;
use crate::{
    app::App,
    domain::{
        case_study::{
            CaseStudy,
            content::{Content, UNKNOWN_MEMBER, UNKNOWN_ORGANISATION, UNKNOWN_TOPIC},
            limits::CO_AUTHORS_MAX,
            problems::Problems,
        },
        member::Member,
        organisation::Organisation,
        standing::MemberState,
    },
    error::{Code, Result},
    ids::Id,
};

/// What was found out about them.
pub struct References {
    /// The code of the lead organisation's region.
    pub region: Option<String>,
}

impl References {
    /// Looks up what is new since `before`; what was there then is not asked about again, as it may
    /// have gone since.
    pub async fn load(
        app: &App,
        case_study: &CaseStudy,
        before: &Content,
        changes: &Changes,
        problems: &mut Problems,
    ) -> Result<Self> {
        let content = &case_study.content;
        let lead = content.lead_organisation.iter().map(|named| (LEAD.to_owned(), named));
        let partners = content.partner_organisations.iter().enumerate();
        let partners =
            partners.map(|(at, named)| (format!("partnerOrganisations.{at}.organisationId"), named));
        let organisations: Vec<(String, Id<Organisation>)> =
            lead.chain(partners).filter_map(|(field, named)| Some((field, named.id()?.clone()))).collect();
        let mut members: Vec<(String, Id<Member>)> = Vec::new();
        if content.contact != before.contact {
            members
                .extend(content.contact.member.iter().map(|id| ("contact.memberId".to_owned(), id.clone())));
        }
        if changes.co_authors.is_some() {
            let ids = case_study.co_authors.iter().enumerate();
            members.extend(ids.map(|(at, id)| (format!("coAuthorIds.{at}"), id.clone())));
        }
        let (organisation_ids, member_ids) = (ids(&organisations), ids(&members));
        let store = &app.store;
        let (topics, found, people) =
            try_join3(store.get(&content.topics), store.get(&organisation_ids), store.get(&member_ids))
                .await?;

        for (at, (id, topic)) in content.topics.iter().zip(&topics).enumerate() {
            if topic.is_none() && !before.topics.contains(id) {
                problems.add(&format!("topicIds.{at}"), Code::Unknown, UNKNOWN_TOPIC);
            }
        }
        for ((field, id), organisation) in organisations.iter().zip(&found) {
            if organisation.is_none() && !names(before, id) {
                problems.add(field, Code::Unknown, UNKNOWN_ORGANISATION);
            }
        }
        for ((field, _), member) in members.iter().zip(&people) {
            if member.as_ref().is_none_or(|member| member.standing.state != MemberState::Active) {
                problems.add(field, Code::Unknown, UNKNOWN_MEMBER);
            }
        }
        let lead = organisations.iter().position(|(field, _)| field == LEAD);
        let region = lead.and_then(|at| found[at].as_ref()).and_then(|lead| lead.region.clone());
        Ok(Self { region })
    }
}

const LEAD: &str = "leadOrganisation.organisationId";

fn ids<T>(named: &[(String, Id<T>)]) -> Vec<Id<T>> {
    named.iter().map(|(_, id)| id.clone()).collect()
}

fn names(content: &Content, organisation: &Id<Organisation>) -> bool {
    let named = content.lead_organisation.iter().chain(&content.partner_organisations);
    named.filter_map(|named| named.id()).any(|id| id == organisation)
}

/// The code of the lead organisation's region.
pub async fn region(app: &App, content: &Content) -> Result<Option<String>> {
    let Some(id) = content.lead_organisation.as_ref().and_then(|lead| lead.id()) else { return Ok(None) };
    Ok(app.store.one(id).await?.and_then(|organisation| organisation.region))
}

/// Reads who is to edit besides the author, each once.
pub fn co_authors(author: &Id<Member>, wanted: &[String], problems: &mut Problems) -> Vec<Id<Member>> {
    problems.at_most("coAuthorIds", wanted.len(), CO_AUTHORS_MAX);
    let mut known: Vec<Id<Member>> = Vec::new();
    for (index, text) in wanted.iter().take(CO_AUTHORS_MAX).enumerate() {
        match Id::parse(text) {
            Some(id) if id == *author || known.contains(&id) => {}
            Some(id) => known.push(id),
            None => problems.add(&format!("coAuthorIds.{index}"), Code::Unknown, UNKNOWN_MEMBER),
        }
    }
    known
}
