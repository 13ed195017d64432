//! What mutations of case studies take and answer, and what lists filter by.

use async_graphql::{ID, InputObject, SimpleObject};

use super::CaseStudy;
use crate::{
    actions::case_study::{CaseStudyFilter, Changes},
    domain::{
        adoption::AdoptionStatus,
        case_study::{
            parts::{CostBand, InvolvementLevel, Status},
            typed::TypedContent,
        },
    },
    graphql::{
        audit::OverridePersonalDataInput,
        payload::{UserError, payload},
        query::parse,
    },
};

/// Which case studies; every part narrows.
#[derive(Clone, Default, InputObject)]
pub struct CaseStudyFilterInput {
    /// The author or a co-author.
    pub author_id: Option<ID>,
    /// The lead organisation or a partner.
    pub organisation_id: Option<ID>,
    pub topic_id: Option<ID>,
    /// The id of a tag.
    pub tag: Option<ID>,
    /// The main method or another: a slug of `taxonomy.methods`.
    pub method: Option<String>,
    /// A slug of `taxonomy.settings`.
    pub setting: Option<String>,
    /// A slug of `taxonomy.feedbackSources`.
    pub feedback_source: Option<String>,
    /// The code of the lead organisation's NHS region, for example Y62.
    pub region: Option<String>,
    pub involvement: Option<InvolvementLevel>,
    pub status: Option<Status>,
    pub cost: Option<CostBand>,
    /// Somebody's record of adoption has this status; with `adoptedByOrganisationId`, that
    /// organisation's has.
    pub adoption_status: Option<AdoptionStatus>,
    /// An organisation that has a record of adoption, whatever its status.
    pub adopted_by_organisation_id: Option<ID>,
    pub may_be_out_of_date: Option<bool>,
}

impl From<CaseStudyFilterInput> for CaseStudyFilter {
    fn from(input: CaseStudyFilterInput) -> Self {
        Self {
            author: parse(input.author_id),
            organisation: parse(input.organisation_id),
            topic: parse(input.topic_id),
            tag: parse(input.tag),
            method: input.method,
            setting: input.setting,
            feedback_source: input.feedback_source,
            region: input.region,
            involvement: input.involvement,
            status: input.status,
            cost: input.cost,
            adoption: input.adoption_status,
            adopted_by: parse(input.adopted_by_organisation_id),
            may_be_out_of_date: input.may_be_out_of_date,
        }
    }
}

#[derive(Clone, InputObject)]
pub struct CreateCaseStudyInput {
    /// At most 100 characters.
    pub title: String,
    #[graphql(flatten)]
    pub content: TypedContent,
    /// Members who may edit it too, from whatever organisation; at most 10.
    pub co_author_ids: Option<Vec<ID>>,
    /// At most 10 files that the viewer uploaded and nothing uses yet.
    pub attachment_ids: Option<Vec<ID>>,
    /// Says that the authors have looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant. What is `BLOCK`ed stays
    /// refused.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    /// For moderators: takes it whatever is found.
    pub override_personal_data: Option<OverridePersonalDataInput>,
    pub client_mutation_id: Option<String>,
}

impl From<CreateCaseStudyInput> for Changes {
    fn from(input: CreateCaseStudyInput) -> Self {
        Self {
            title: Some(input.title),
            content: input.content,
            co_authors: input.co_author_ids.map(strings),
            attachments: input.attachment_ids.map(strings),
            acknowledged: input.acknowledge_personal_data.into(),
            overridden: input.override_personal_data.map(Into::into),
        }
    }
}

#[derive(Clone, InputObject)]
pub struct UpdateCaseStudyInput {
    pub id: ID,
    /// The version that was read; a later one is not overwritten.
    pub expected_version: i64,
    pub title: Option<String>,
    #[graphql(flatten)]
    pub content: TypedContent,
    pub co_author_ids: Option<Vec<ID>>,
    /// All that it is to have: any of those that it has, and others that the viewer uploaded and nothing
    /// uses yet. What is left out is forgotten after a day, unless its uploader attaches it again.
    pub attachment_ids: Option<Vec<ID>>,
    /// Says that the authors have looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant. What is `BLOCK`ed stays
    /// refused.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    /// For moderators: takes it whatever is found.
    pub override_personal_data: Option<OverridePersonalDataInput>,
    pub client_mutation_id: Option<String>,
}

impl From<UpdateCaseStudyInput> for Changes {
    fn from(input: UpdateCaseStudyInput) -> Self {
        Self {
            title: input.title,
            content: input.content,
            co_authors: input.co_author_ids.map(strings),
            attachments: input.attachment_ids.map(strings),
            acknowledged: input.acknowledge_personal_data.into(),
            overridden: input.override_personal_data.map(Into::into),
        }
    }
}

fn strings(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

#[derive(Clone, InputObject)]
pub struct PublishCaseStudyInput {
    pub id: ID,
    pub expected_version: Option<i64>,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct ArchiveCaseStudyInput {
    pub id: ID,
    pub expected_version: Option<i64>,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct DeleteCaseStudyInput {
    pub id: ID,
    pub expected_version: Option<i64>,
    pub client_mutation_id: Option<String>,
}

payload!(CreateCaseStudyPayload { case_study: CaseStudy });
payload!(PublishCaseStudyPayload { case_study: CaseStudy });
payload!(ArchiveCaseStudyPayload { case_study: CaseStudy });

#[derive(SimpleObject)]
pub struct UpdateCaseStudyPayload {
    /// The case study as it is now.
    pub case_study: Option<CaseStudy>,
    /// After `STALE`: what was sent, applied to the version that it was based on. It is stored nowhere:
    /// show both, and send what is to stay with the version of `caseStudy`.
    pub yours: Option<CaseStudy>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(SimpleObject)]
pub struct DeleteCaseStudyPayload {
    pub deleted_case_study_id: Option<ID>,
    /// The case study as it is when it could not be deleted because it had changed.
    pub case_study: Option<CaseStudy>,
    pub user_errors: Vec<UserError>,
    pub client_mutation_id: Option<String>,
}
