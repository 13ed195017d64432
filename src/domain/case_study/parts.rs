//! The smaller parts of a case study: what the template asks for in one block each.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{email::EmailAddress, member::Member, organisation::Organisation, text::RichText},
    ids::Id,
};

/// How far the improvement has come. Those that stopped are worth sharing, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "ImprovementStatus")]
pub enum Status {
    Idea,
    Testing,
    Implemented,
    Sustained,
    Spread,
    Stopped,
}

/// How much the people who use the service had to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum InvolvementLevel {
    /// They were not involved. Allowed, and shown.
    None,
    /// They were told.
    Inform,
    /// They were asked.
    Consult,
    /// They took part in discussions.
    Engage,
    /// They designed it together with staff.
    CoDesign,
    /// They decided and did it together with staff, from start to end.
    CoProduce,
}

/// When people were involved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum InvolvementStage {
    FromStart,
    DuringProcess,
    InEvaluation,
}

/// What it cost, staff time apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum CostBand {
    None,
    /// Under £1,000.
    #[serde(rename = "under-1000")]
    #[graphql(name = "UNDER_1000")]
    Under1000,
    /// £1,000 to £10,000.
    #[serde(rename = "from-1000-to-10000")]
    #[graphql(name = "FROM_1000_TO_10000")]
    From1000To10000,
    /// £10,000 to £50,000.
    #[serde(rename = "from-10000-to-50000")]
    #[graphql(name = "FROM_10000_TO_50000")]
    From10000To50000,
    /// Over £50,000.
    #[serde(rename = "over-50000")]
    #[graphql(name = "OVER_50000")]
    Over50000,
    NotKnown,
}

/// An organisation, from the directory or, where it is not there, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NamedOrganisation {
    Known(Id<Organisation>),
    Named(String),
}

impl NamedOrganisation {
    #[must_use]
    pub const fn id(&self) -> Option<&Id<Organisation>> {
        match self {
            Self::Known(id) => Some(id),
            Self::Named(_) => None,
        }
    }
}

/// How the people who use the service took part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Involvement {
    pub level: Option<InvolvementLevel>,
    pub stages: Vec<InvolvementStage>,
    pub how: Option<RichText>,
    /// How they were paid or thanked.
    pub recognition: Option<RichText>,
}

/// What the improvement means for carers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CarersLens {
    /// Whether it was considered; "not considered" is an answer.
    pub considered: Option<bool>,
    pub how: Option<RichText>,
}

/// What the improvement means for those who are worst off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthInequalityLens {
    /// Whether it was considered; "not considered" is an answer.
    pub considered: Option<bool>,
    pub how: Option<RichText>,
    /// The most deprived fifth of the population: the Core20 of Core20PLUS5.
    pub core20: bool,
    /// Slugs of Core20PLUS5's clinical areas.
    pub clinical_areas: Vec<String>,
    /// Slugs of PLUS groups.
    pub plus_groups: Vec<String>,
    /// Whether reasonable adjustments were made for disabled people.
    pub reasonable_adjustments: bool,
    /// Whether the Accessible Information Standard was followed.
    pub accessible_information_standard: bool,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    pub text: String,
    /// Who said it, without a name: "a carer".
    pub attribution: Option<String>,
    /// Whether they agreed in writing that it is published.
    pub consent: bool,
}

/// Who keeps it going.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sustainability {
    pub owner: Option<String>,
    pub funding: Option<String>,
}

/// Whom to ask: a member, a shared mailbox, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Contact {
    pub member: Option<Id<Member>>,
    pub mailbox: Option<EmailAddress>,
}

impl Contact {
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        self.member.is_none() && self.mailbox.is_none()
    }
}

/// What the authors confirm before others may read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Permissions {
    /// The lead organisation approves that it is published.
    pub organisation_approves: Option<bool>,
    /// There is written consent for every story and image of a person.
    pub written_consent: Option<bool>,
    /// Nobody can be identified who has not agreed to it.
    pub no_identifiable_people: Option<bool>,
    /// Whether NHS England may reuse it. Both answers are fine.
    pub reuse_by_nhs_england: Option<bool>,
}

/// The phases of an Always Event® (IHI).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum AlwaysEventPhase {
    SetUpAndOversight,
    CoDesignAndTest,
    ReliablyImplement,
    SustainAndSpread,
}

/// What makes something an Always Event® (IHI): it is all of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum AlwaysEventCriterion {
    /// To the people who use the service.
    Important,
    EvidenceBased,
    Measurable,
    AffordableAndSustainable,
}

impl AlwaysEventCriterion {
    pub const ALL: [Self; 4] =
        [Self::Important, Self::EvidenceBased, Self::Measurable, Self::AffordableAndSustainable];
}

/// The block of an Always Event®.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AlwaysEvent {
    /// "I will always …"
    pub vision_statement: Option<String>,
    /// What, how much, by when, for whom.
    pub aim_statement: Option<String>,
    pub phase: Option<AlwaysEventPhase>,
    /// Those that are met.
    pub criteria: Vec<AlwaysEventCriterion>,
}
