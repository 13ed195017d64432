//! Adoptions: what became of a case study in other organisations. The record of spread.

use serde::{Deserialize, Serialize};

use super::{
    calendar::YearMonth,
    case_study::{CaseStudy, parts::Contact},
    contribution::ContributionId,
    member::Member,
    organisation::Organisation,
    text::RichText,
};
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Filter, Index},
};

/// What was changed, and the result: as long as what a case study says of its lessons.
pub const TEXT_MAX: usize = 1_500;

/// Where an organisation stands with a case study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum AdoptionStatus {
    Interested,
    Testing,
    /// Does it as it is described.
    Adopted,
    /// Does it with changes.
    Adapted,
    /// Tried it, and does not do it any more.
    Stopped,
}

/// The current record of one organisation on one case study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adoption {
    /// Made of both: there can be only one.
    #[serde(rename = "_id")]
    pub id: Id<Adoption>,
    pub version: i64,
    pub case_study: Id<CaseStudy>,
    pub organisation: Id<Organisation>,
    pub record: Record,
    pub contact: Contact,
    pub recorded_by: Id<Member>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

document!(
    Adoption,
    "adp",
    "adoptions",
    [
        Index::named("case_study").asc(Adoption::CASE_STUDY).desc(Adoption::UPDATED_AT),
        Index::named("organisation").asc(Adoption::ORGANISATION).desc(Adoption::UPDATED_AT),
        Index::named("recorded_by").asc(Adoption::RECORDED_BY).desc(Adoption::UPDATED_AT),
    ]
);

/// What an organisation says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub status: AdoptionStatus,
    pub since: YearMonth,
    /// What it did differently.
    pub what_changed: Option<RichText>,
    pub result: Option<RichText>,
}

/// A record as it was once made: the history of an adoption, and the timeline of a case study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoptionStep {
    #[serde(rename = "_id")]
    pub id: Id<AdoptionStep>,
    pub version: i64,
    pub adoption: Id<Adoption>,
    pub case_study: Id<CaseStudy>,
    pub organisation: Id<Organisation>,
    pub record: Record,
    pub by: Id<Member>,
    pub at: Timestamp,
}

document!(
    AdoptionStep,
    "ads",
    "adoptionSteps",
    [
        Index::named("adoption").asc(AdoptionStep::ADOPTION).desc(AdoptionStep::AT),
        Index::named("case_study").asc(AdoptionStep::CASE_STUDY).desc(AdoptionStep::AT),
        Index::named("by").asc(AdoptionStep::BY).desc(AdoptionStep::AT),
        Index::named("at").asc(AdoptionStep::AT),
    ]
);

impl Adoption {
    pub const CASE_STUDY: Field<Self, Id<CaseStudy>> = Field::new("caseStudy");
    pub const ORGANISATION: Field<Self, Id<Organisation>> = Field::new("organisation");
    pub const RECORDED_BY: Field<Self, Id<Member>> = Field::new("recordedBy");
    pub const UPDATED_AT: Field<Self, Timestamp> = Field::new("updatedAt");

    #[must_use]
    pub fn id_of(case_study: &Id<CaseStudy>, organisation: &Id<Organisation>) -> Id<Self> {
        let own = organisation.as_str().trim_start_matches(Organisation::PREFIX).trim_start_matches('_');
        Id::of(&format!("{}-{own}", ContributionId::from(case_study).key()))
    }

    /// Whether `viewer` speaks for the organisation: whoever works there, and moderators.
    #[must_use]
    pub fn can_edit(&self, viewer: &Member) -> bool {
        viewer.organisation.as_ref() == Some(&self.organisation) || viewer.moderates()
    }
}

impl AdoptionStep {
    pub const ADOPTION: Field<Self, Id<Adoption>> = Field::new("adoption");
    pub const CASE_STUDY: Field<Self, Id<CaseStudy>> = Field::new("caseStudy");
    pub const BY: Field<Self, Id<Member>> = Field::new("by");
    pub const AT: Field<Self, Timestamp> = Field::new("at");

    /// What was recorded after `moment`.
    #[must_use]
    pub fn since(moment: Timestamp) -> Filter<Self> {
        Self::AT.gt(moment)
    }

    /// What `adoption` says now, said by `by`.
    #[must_use]
    pub fn of(id: Id<Self>, adoption: &Adoption, by: &Id<Member>) -> Self {
        Self {
            id,
            version: 1,
            adoption: adoption.id.clone(),
            case_study: adoption.case_study.clone(),
            organisation: adoption.organisation.clone(),
            record: adoption.record.clone(),
            by: by.clone(),
            at: adoption.updated_at,
        }
    }
}
