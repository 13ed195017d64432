//! The blocks of a case study.

use async_graphql::{Context, Object, Result, SimpleObject};

use crate::{
    domain::{
        calendar::YearMonth,
        case_study::{
            measure::{self, Direction, MeasureKind, Shown},
            parts::{self, AlwaysEventCriterion, AlwaysEventPhase, InvolvementLevel, InvolvementStage},
        },
        taxonomy::{List, Taxonomy, Term},
    },
    graphql::{contribution::RichText, member::Member, organisation},
};

/// The terms of slugs, as they are called now.
pub fn terms(list: List, slugs: &[String]) -> Vec<Term> {
    slugs.iter().map(|slug| term(list, slug)).collect()
}

pub fn term(list: List, slug: &str) -> Term {
    match Taxonomy::read() {
        Ok(taxonomy) => taxonomy.term(list, slug),
        Err(_) => Term { slug: slug.to_owned(), name: slug.to_owned() },
    }
}

/// An organisation, from the directory or, where it is not there, by name.
pub struct NamedOrganisation(pub parts::NamedOrganisation);

/// An organisation, from the directory or, where it is not there, by name.
#[Object]
impl NamedOrganisation {
    async fn name(&self, ctx: &Context<'_>) -> Result<String> {
        match &self.0 {
            parts::NamedOrganisation::Named(name) => Ok(name.clone()),
            parts::NamedOrganisation::Known(id) => {
                let found = organisation::Organisation::load(ctx, Some(id)).await?;
                Ok(found.map_or_else(|| "A former organisation".to_owned(), |found| found.0.name.clone()))
            }
        }
    }

    /// None where the directory does not have it.
    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<organisation::Organisation>> {
        organisation::Organisation::load(ctx, self.0.id()).await
    }
}

/// How the people who use the service took part.
#[derive(SimpleObject)]
pub struct Involvement {
    pub level: Option<InvolvementLevel>,
    pub stages: Vec<InvolvementStage>,
    pub how: Option<RichText>,
    /// How they were paid or thanked.
    pub recognition: Option<RichText>,
}

impl From<&parts::Involvement> for Involvement {
    fn from(part: &parts::Involvement) -> Self {
        Self {
            level: part.level,
            stages: part.stages.clone(),
            how: part.how.as_ref().map(Into::into),
            recognition: part.recognition.as_ref().map(Into::into),
        }
    }
}

/// What the improvement means for carers.
#[derive(SimpleObject)]
pub struct CarersLens {
    /// False: not considered, which is an answer. Null: not answered yet.
    pub considered: Option<bool>,
    pub how: Option<RichText>,
}

impl From<&parts::CarersLens> for CarersLens {
    fn from(part: &parts::CarersLens) -> Self {
        Self { considered: part.considered, how: part.how.as_ref().map(Into::into) }
    }
}

/// What the improvement means for those who are worst off.
#[derive(SimpleObject)]
pub struct HealthInequalityLens {
    /// False: not considered, which is an answer. Null: not answered yet.
    pub considered: Option<bool>,
    pub how: Option<RichText>,
    /// The most deprived fifth of the population: the Core20 of Core20PLUS5.
    pub core20: bool,
    /// Clinical areas of Core20PLUS5.
    pub clinical_areas: Vec<Term>,
    /// PLUS groups of Core20PLUS5.
    pub plus_groups: Vec<Term>,
    /// Whether reasonable adjustments were made for disabled people.
    pub reasonable_adjustments: bool,
    /// Whether the Accessible Information Standard was followed.
    pub accessible_information_standard: bool,
}

impl From<&parts::HealthInequalityLens> for HealthInequalityLens {
    fn from(part: &parts::HealthInequalityLens) -> Self {
        Self {
            considered: part.considered,
            how: part.how.as_ref().map(Into::into),
            core20: part.core20,
            clinical_areas: terms(List::ClinicalAreas, &part.clinical_areas),
            plus_groups: terms(List::PlusGroups, &part.plus_groups),
            reasonable_adjustments: part.reasonable_adjustments,
            accessible_information_standard: part.accessible_information_standard,
        }
    }
}

/// The block of an Always Event®.
#[derive(SimpleObject)]
pub struct AlwaysEvent {
    /// "I will always …"
    pub vision_statement: Option<String>,
    /// What, how much, by when, for whom.
    pub aim_statement: Option<String>,
    pub phase: Option<AlwaysEventPhase>,
    /// Those that are met.
    pub criteria: Vec<AlwaysEventCriterion>,
}

impl From<parts::AlwaysEvent> for AlwaysEvent {
    fn from(part: parts::AlwaysEvent) -> Self {
        let parts::AlwaysEvent { vision_statement, aim_statement, phase, criteria } = part;
        Self { vision_statement, aim_statement, phase, criteria }
    }
}

/// Something that was measured.
#[derive(SimpleObject)]
pub struct Measure {
    pub name: String,
    pub kind: Option<MeasureKind>,
    pub source: Option<Term>,
    pub unit: Option<String>,
    pub direction: Option<Direction>,
    pub before: Option<MeasurePoint>,
    pub after: Option<MeasurePoint>,
    /// Whether it is of the Friends and Family Test: the values are then the percentage of all
    /// responses, "don't know" included, that were very good or good.
    pub friends_and_family_test: bool,
}

/// A value at a time.
#[derive(SimpleObject)]
pub struct MeasurePoint {
    /// None when it is suppressed.
    pub value: Option<f64>,
    pub date: Option<YearMonth>,
    /// How many answered, where that is known; none when it is suppressed.
    pub n: Option<u32>,
    /// Whether only 1 to 4 answered: pages show `*` then.
    pub suppressed: bool,
}

impl From<&measure::Measure> for Measure {
    fn from(measure: &measure::Measure) -> Self {
        Self {
            name: measure.name.clone(),
            kind: measure.kind,
            source: measure.source.as_deref().map(|slug| term(List::FeedbackSources, slug)),
            unit: measure.unit.clone(),
            direction: measure.direction,
            before: measure.before.as_ref().map(Into::into),
            after: measure.after.as_ref().map(Into::into),
            friends_and_family_test: measure.is_fft(),
        }
    }
}

impl From<&measure::Point> for MeasurePoint {
    fn from(point: &measure::Point) -> Self {
        let date = point.date();
        match point.shown() {
            Shown::Value { value, n } => Self { value: Some(value), date, n, suppressed: false },
            Shown::Suppressed => Self { value: None, date, n: None, suppressed: true },
        }
    }
}

/// What somebody said.
#[derive(SimpleObject)]
pub struct Quote {
    pub text: String,
    /// Who said it, without a name.
    pub attribution: Option<String>,
    /// Whether they agreed in writing that it is published.
    pub consent: bool,
}

impl From<parts::Quote> for Quote {
    fn from(part: parts::Quote) -> Self {
        let parts::Quote { text, attribution, consent } = part;
        Self { text, attribution, consent }
    }
}

/// Who keeps it going.
#[derive(SimpleObject)]
pub struct Sustainability {
    pub owner: Option<String>,
    pub funding: Option<String>,
}

impl From<parts::Sustainability> for Sustainability {
    fn from(part: parts::Sustainability) -> Self {
        let parts::Sustainability { owner, funding } = part;
        Self { owner, funding }
    }
}

/// Whom to ask: a member, a shared mailbox, or both.
pub struct Contact(pub parts::Contact);

/// Whom to ask: a member, a shared mailbox, or both.
#[Object]
impl Contact {
    async fn member(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match &self.0.member {
            None => Ok(None),
            Some(id) => Member::load(ctx, id).await.map(Some),
        }
    }

    async fn mailbox(&self) -> Option<&str> {
        self.0.mailbox.as_ref().map(crate::domain::email::EmailAddress::as_str)
    }
}

/// What the authors confirm before others may read it.
#[derive(SimpleObject)]
#[graphql(name = "CaseStudyPermissions")]
pub struct Permissions {
    pub organisation_approves: Option<bool>,
    /// There is written consent for every story and image of a person.
    pub written_consent: Option<bool>,
    pub no_identifiable_people: Option<bool>,
    pub reuse_by_nhs_england: Option<bool>,
}

impl From<parts::Permissions> for Permissions {
    fn from(part: parts::Permissions) -> Self {
        let parts::Permissions {
            organisation_approves,
            written_consent,
            no_identifiable_people,
            reuse_by_nhs_england,
        } = part;
        Self { organisation_approves, written_consent, no_identifiable_people, reuse_by_nhs_england }
    }
}
