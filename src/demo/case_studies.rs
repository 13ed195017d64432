//! The written case studies, and what other organisations made of them.

use chrono::TimeDelta;
use serde::Deserialize;

use super::{Builder, life::Life};
use crate::{
    domain::{
        adoption::{Adoption, AdoptionStatus, AdoptionStep, Record},
        calendar::{Date, YearMonth},
        case_study::{
            CaseStudy, Edition,
            content::Content,
            default_review_date,
            parts::{Contact, NamedOrganisation},
            problems::Problems,
            publishing::lacks,
            typed::{TypedContent, TypedPermissions},
        },
        contribution::State,
        entry::Entry,
        member::Member,
        organisation::Organisation,
        text::RichText,
        thread::Thread,
    },
    error::{Error, Result},
    ids::Id,
    store::Batch,
};

const FILES: [&str; 12] = [
    include_str!("content/case_studies1.toml"),
    include_str!("content/case_studies2.toml"),
    include_str!("content/case_studies3.toml"),
    include_str!("content/case_studies4.toml"),
    include_str!("content/case_studies5.toml"),
    include_str!("content/case_studies6.toml"),
    include_str!("content/case_studies7.toml"),
    include_str!("content/case_studies8.toml"),
    include_str!("content/case_studies9.toml"),
    include_str!("content/case_studies10.toml"),
    include_str!("content/case_studies11.toml"),
    include_str!("content/case_studies12.toml"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenCaseStudy {
    title: String,
    /// When it was published.
    days_ago: i64,
    /// The ODS code of the organisation that led it, where the story is not of just any.
    lead: Option<String>,
    /// ODS codes of partners in the directory. The content names those that are not there.
    #[serde(default)]
    partners: Vec<String>,
    content: TypedContent,
    /// Each by another organisation, in the order in which they were recorded.
    adoptions: Vec<WrittenAdoption>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAdoption {
    /// The organisation's ODS code, where not just any would do it.
    by: Option<String>,
    status: AdoptionStatus,
    months_ago: i64,
    what_changed: Option<String>,
    result: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case_study: Vec<WrittenCaseStudy>,
}

/// # Errors
/// When a file is not of the form above.
pub(super) fn read() -> Result<Vec<WrittenCaseStudy>, String> {
    let mut all = Vec::new();
    for file in FILES {
        let file: File = toml::from_str(file)
            .map_err(|error| format!("the demonstration case studies can't be read: {error}"))?;
        all.extend(file.case_study);
    }
    Ok(all)
}

/// The content, with what it has of its author. What a person could not publish is refused here, too.
fn content(written: &WrittenCaseStudy, author: &Member, published: Date) -> Result<Content> {
    let mut typed = written.content.clone();
    typed.permissions = async_graphql::MaybeUndefined::Value(TypedPermissions {
        organisation_approves: Some(true),
        written_consent: Some(true),
        no_identifiable_people: Some(true),
        reuse_by_nhs_england: Some(true),
    });
    let (mut content, mut problems) = (Content::default(), Problems::default());
    content.take(Some(&written.title), &typed, &mut problems);
    content.lead_organisation = author.organisation.clone().map(NamedOrganisation::Known);
    content.contact = Contact { member: Some(author.id.clone()), mailbox: None };
    content.review_date = Some(default_review_date(published));
    let problems = [problems.into_vec(), lacks(&content)].concat();
    if problems.is_empty() {
        return Ok(content);
    }
    Err(Error::Fault(format!("the demonstration case study {:?}: {problems:?}", written.title)))
}

/// Who there is to lead, to help and to adopt.
struct Network<'a> {
    members: &'a [Member],
    organisations: &'a [Organisation],
}

impl<'a> Network<'a> {
    fn organisation(&self, code: &str) -> Result<&'a Organisation> {
        let found = self.organisations.iter().find(|one| one.code.as_str() == code);
        found.ok_or_else(|| Error::Fault(format!("no organisation of the demonstration has the code {code}")))
    }

    fn partners(&self, codes: &[String]) -> Result<Vec<NamedOrganisation>> {
        let known = |code: &String| Ok(NamedOrganisation::Known(self.organisation(code)?.id.clone()));
        codes.iter().map(known).collect()
    }

    /// Somebody who works there, in turn.
    fn member(&self, code: &str, turn: usize) -> Result<&'a Member> {
        let organisation = &self.organisation(code)?.id;
        let works_there = |member: &&Member| member.organisation.as_ref() == Some(organisation);
        let count = self.members.iter().filter(works_there).count();
        let member = self.members.iter().filter(works_there).nth(turn % count.max(1));
        member.ok_or_else(|| Error::Fault(format!("nobody of the demonstration works at {code}")))
    }
}

impl Builder {
    /// The case study at `index`, its thread and its adoptions.
    pub(super) fn case_study(
        &self,
        index: usize,
        written: &WrittenCaseStudy,
        organisations: &[Organisation],
        life: &mut Life<'_>,
    ) -> Result<Batch> {
        let members = life.members;
        let network = Network { members, organisations };
        let author = match &written.lead {
            Some(code) => network.member(code, index)?,
            // Neighbours in the list of members work in different organisations.
            None => &members[(index * 7) % members.len()],
        };
        let published = self.now.minus(TimeDelta::days(written.days_ago)).plus(TimeDelta::hours(10));
        self.clock.set(published);
        let id: Id<CaseStudy> = self.ids.fresh();
        let mut thread = Thread::opened(&id, published);
        let mut content = content(written, author, Date::of(published))?;
        content.partner_organisations.extend(network.partners(&written.partners)?);
        let case_study = CaseStudy {
            id,
            version: 1,
            state: State::Published,
            author: author.id.clone(),
            organisation: author.organisation.clone(),
            co_authors: Vec::new(),
            content,
            attachments: Vec::new(),
            thread: thread.id.clone(),
            created_at: published,
            published_at: Some(published),
            updated_at: published,
            updated_by: author.id.clone(),
            revisions: 0,
            removed: None,
        };
        let lead = organisations.iter().find(|one| Some(&one.id) == author.organisation.as_ref());
        let mut entry = Entry::of_case_study(&case_study, lead.and_then(|lead| lead.region.as_deref()));
        life.on_case_study(&case_study, &mut entry, &mut thread)?;
        let mut batch = Batch::new().insert(&case_study).insert(&thread).insert(&Edition::of(&case_study));
        let others = members.iter().filter(|member| member.organisation != author.organisation);
        for (anybody, adoption) in others.skip(index * 3 + 1).zip(&written.adoptions) {
            let adopter = match &adoption.by {
                Some(code) => network.member(code, index)?,
                None => anybody,
            };
            let (adoption, step) = self.adoption(&case_study, adopter, adoption)?;
            entry.count_adoption(&adoption.organisation, None, adoption.record.status);
            batch = batch.insert(&adoption).insert(&step);
        }
        Ok(batch.insert(&entry))
    }

    fn adoption(
        &self,
        case_study: &CaseStudy,
        by: &Member,
        written: &WrittenAdoption,
    ) -> Result<(Adoption, AdoptionStep)> {
        let at = self.now.minus(TimeDelta::days(30 * written.months_ago + 3)).max(case_study.updated_at);
        self.clock.set(at);
        let text = |text: &Option<String>| text.as_deref().map(super::rich).transpose();
        let (what_changed, result): (Option<RichText>, Option<RichText>) =
            (text(&written.what_changed)?, text(&written.result)?);
        let since: YearMonth = Date::of(at).month();
        let organisation = by
            .organisation
            .clone()
            .ok_or_else(|| Error::Fault("a member without an organisation".to_owned()))?;
        let adoption = Adoption {
            id: Adoption::id_of(&case_study.id, &organisation),
            version: 1,
            case_study: case_study.id.clone(),
            organisation,
            record: Record { status: written.status, since, what_changed, result },
            contact: Contact { member: Some(by.id.clone()), mailbox: None },
            recorded_by: by.id.clone(),
            created_at: at,
            updated_at: at,
        };
        let step = AdoptionStep::of(self.ids.fresh(), &adoption, &by.id);
        Ok((adoption, step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        case_study::measure::Shown,
        taxonomy::{ALWAYS_EVENT, Taxonomy},
    };

    #[test]
    fn the_organisations_they_name_are_in_the_directory_and_adopt_once() {
        let organisations = crate::demo::content::read().unwrap().organisations;
        let is_known = |code: &String| organisations.iter().any(|known| known.code == *code);
        for one in read().unwrap() {
            let adopters: Vec<&String> =
                one.adoptions.iter().filter_map(|adoption| adoption.by.as_ref()).collect();
            let named: Vec<&String> = one.lead.iter().chain(&one.partners).chain(adopters).collect();
            assert!(named.iter().all(|code| is_known(code)), "{}: {named:?}", one.title);
            let distinct: std::collections::HashSet<_> = named.iter().collect();
            assert_eq!(distinct.len(), named.len(), "{}: {named:?}", one.title);
        }
    }

    #[test]
    fn the_case_studies_could_be_published() {
        let topics = &Taxonomy::read().unwrap().topics;
        let mut author = Member::new(
            Id::of("a"),
            crate::domain::email::EmailAddress::parse("a@trust.nhs.uk").unwrap(),
            (&crate::config::Config::defaults().digest).into(),
            crate::clock::Timestamp::from_millis(0),
        );
        author.organisation = Some(Id::of("a"));
        let all = read().unwrap();
        let today = Date("2026-03-02".parse().unwrap());
        let contents: Vec<Content> = all.iter().map(|one| content(one, &author, today).unwrap()).collect();
        assert!(contents.len() >= 12);
        for content in &contents {
            for topic in &content.topics {
                assert!(topics.iter().any(|known| Id::of(&known.slug) == *topic), "{topic}");
            }
        }
        assert!(contents.iter().any(|content| content.methods().any(|method| method == ALWAYS_EVENT)));
        let points = contents.iter().flat_map(|content| &content.measures);
        let points = points.flat_map(|measure| measure.before.iter().chain(&measure.after));
        assert!(
            points
                .map(crate::domain::case_study::measure::Point::shown)
                .any(|shown| shown == Shown::Suppressed)
        );
    }
}
