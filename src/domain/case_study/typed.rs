//! The template as its authors type it. Every part may be left out: what is absent stays as it is;
//! what is null or empty is cleared. A block (involvement, a lens, the contact) is taken as a whole.

use async_graphql::{ID, InputObject, MaybeUndefined};
use serde::Deserialize;

use super::{
    measure::TypedMeasure,
    parts::{AlwaysEventCriterion, AlwaysEventPhase, CostBand, InvolvementLevel, InvolvementStage, Status},
};
use crate::domain::calendar::{Date, YearMonth};

/// Texts are Markdown unless they are a line. Slugs are those of the query `taxonomy`.
#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "CaseStudyContentInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedContent {
    /// Problem, action, result; at most 500 characters. Digests show it.
    pub summary: MaybeUndefined<String>,
    pub lead_organisation: MaybeUndefined<TypedOrganisation>,
    pub partner_organisations: MaybeUndefined<Vec<TypedOrganisation>>,
    /// Slugs of `taxonomy.settings`.
    pub settings: MaybeUndefined<Vec<String>>,
    /// 1 to 5 topics.
    pub topic_ids: MaybeUndefined<Vec<ID>>,
    /// At most 5 tags, each a word or two of 1 to 30 characters, as people would type them.
    pub tags: MaybeUndefined<Vec<String>>,
    /// Slugs of `taxonomy.themes`.
    pub themes: MaybeUndefined<Vec<String>>,
    pub status: MaybeUndefined<Status>,
    pub start: MaybeUndefined<YearMonth>,
    pub end: MaybeUndefined<YearMonth>,
    /// At most 2,000 characters.
    pub problem: MaybeUndefined<String>,
    /// What matters to people; at most 1,000 characters.
    pub what_matters: MaybeUndefined<String>,
    /// Slugs of `taxonomy.feedbackSources`.
    pub feedback_sources: MaybeUndefined<Vec<String>>,
    /// At most 500 characters.
    pub aim: MaybeUndefined<String>,
    /// The main method, a slug of `taxonomy.methods`.
    pub method: MaybeUndefined<String>,
    pub other_methods: MaybeUndefined<Vec<String>>,
    /// The block that the method `always-event` asks for.
    pub always_event: MaybeUndefined<TypedAlwaysEvent>,
    /// At most 4,000 characters.
    pub what_we_did: MaybeUndefined<String>,
    pub involvement: MaybeUndefined<TypedInvolvement>,
    pub carers_lens: MaybeUndefined<TypedCarersLens>,
    pub health_inequality_lens: MaybeUndefined<TypedHealthInequalityLens>,
    /// At most 10. They are taken as a whole, so send those that stay as `typedMeasures` has them.
    pub measures: MaybeUndefined<Vec<TypedMeasure>>,
    /// Why there are no measures; at most 1,000 characters.
    pub no_measures_because: MaybeUndefined<String>,
    pub quotes: MaybeUndefined<Vec<TypedQuote>>,
    /// At most 1,000 characters.
    pub staff_impact: MaybeUndefined<String>,
    /// At most 1,000 characters.
    pub unintended_effects: MaybeUndefined<String>,
    pub cost: MaybeUndefined<CostBand>,
    /// One line.
    pub staff_time: MaybeUndefined<String>,
    /// At most 1,500 characters.
    pub what_worked: MaybeUndefined<String>,
    /// At most 1,500 characters.
    pub what_did_not: MaybeUndefined<String>,
    /// Advice to others; at most 1,500 characters.
    pub advice: MaybeUndefined<String>,
    pub sustainability: MaybeUndefined<TypedSustainability>,
    /// A slug of `taxonomy.frameworkSections`.
    pub framework_section: MaybeUndefined<String>,
    /// One line each.
    pub references: MaybeUndefined<Vec<String>>,
    /// Whether a company or another sponsor paid for any of it.
    pub sponsored: MaybeUndefined<bool>,
    pub contact: MaybeUndefined<TypedContact>,
    pub permissions: MaybeUndefined<TypedPermissions>,
    /// When it should be looked at again; 24 months after publishing by default.
    pub review_date: MaybeUndefined<Date>,
}

/// One of the two: from the directory, or by name where it is not there.
#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "NamedOrganisationInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedOrganisation {
    pub organisation_id: Option<ID>,
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "InvolvementInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedInvolvement {
    pub level: Option<InvolvementLevel>,
    #[graphql(default)]
    pub stages: Vec<InvolvementStage>,
    /// At most 1,000 characters.
    pub how: Option<String>,
    /// How people were paid or thanked; at most 500 characters.
    pub recognition: Option<String>,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "CarersLensInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedCarersLens {
    pub considered: Option<bool>,
    /// At most 1,000 characters.
    pub how: Option<String>,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "HealthInequalityLensInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedHealthInequalityLens {
    pub considered: Option<bool>,
    /// At most 1,000 characters.
    pub how: Option<String>,
    #[graphql(default)]
    pub core20: bool,
    /// Slugs of `taxonomy.clinicalAreas`.
    #[graphql(default)]
    pub clinical_areas: Vec<String>,
    /// Slugs of `taxonomy.plusGroups`.
    #[graphql(default)]
    pub plus_groups: Vec<String>,
    #[graphql(default)]
    pub reasonable_adjustments: bool,
    #[graphql(default)]
    pub accessible_information_standard: bool,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "AlwaysEventInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedAlwaysEvent {
    /// "I will always …"; at most 500 characters.
    pub vision_statement: Option<String>,
    /// What, how much, by when, for whom; at most 500 characters.
    pub aim_statement: Option<String>,
    pub phase: Option<AlwaysEventPhase>,
    #[graphql(default)]
    pub criteria: Vec<AlwaysEventCriterion>,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "QuoteInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedQuote {
    /// At most 500 characters.
    pub text: String,
    /// Who said it, without a name.
    pub attribution: Option<String>,
    /// Whether they agreed in writing that it is published.
    #[graphql(default)]
    pub consent: bool,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "SustainabilityInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedSustainability {
    pub owner: Option<String>,
    pub funding: Option<String>,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "ContactInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedContact {
    pub member_id: Option<ID>,
    /// The address of a shared mailbox.
    pub mailbox: Option<String>,
}

#[derive(Clone, Debug, Default, InputObject, Deserialize)]
#[graphql(name = "CaseStudyPermissionsInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedPermissions {
    pub organisation_approves: Option<bool>,
    pub written_consent: Option<bool>,
    pub no_identifiable_people: Option<bool>,
    pub reuse_by_nhs_england: Option<bool>,
}
