//! The template's fields, and how what authors type becomes them.

use async_graphql::MaybeUndefined;
use serde::{Deserialize, Serialize};

use super::{
    limits::*,
    measure::{self, Measure},
    parts::{
        AlwaysEvent, CarersLens, Contact, CostBand, HealthInequalityLens, Involvement, NamedOrganisation,
        Permissions, Quote, Status, Sustainability,
    },
    problems::Problems,
    typed::{
        TypedAlwaysEvent, TypedCarersLens, TypedContact, TypedContent, TypedHealthInequalityLens,
        TypedInvolvement, TypedOrganisation, TypedPermissions, TypedQuote, TypedSustainability,
    },
};
use crate::{
    domain::{
        calendar::{Date, YearMonth},
        email::EmailAddress,
        tag::TagName,
        taxonomy::{ALWAYS_EVENT, List},
        text::RichText,
        topic::Topic,
    },
    error::Code,
    ids::Id,
};

/// What the template asks. A draft has a title and whatever its authors have got to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Content {
    pub title: String,
    pub summary: Option<RichText>,
    pub lead_organisation: Option<NamedOrganisation>,
    pub partner_organisations: Vec<NamedOrganisation>,
    /// Slugs, as in every list of the taxonomy.
    pub settings: Vec<String>,
    pub topics: Vec<Id<Topic>>,
    /// With their names, so that what was typed and not stored can be shown.
    pub tags: Vec<TagName>,
    pub themes: Vec<String>,
    pub status: Option<Status>,
    pub start: Option<YearMonth>,
    pub end: Option<YearMonth>,
    pub problem: Option<RichText>,
    pub what_matters: Option<RichText>,
    pub feedback_sources: Vec<String>,
    pub aim: Option<RichText>,
    pub method: Option<String>,
    pub other_methods: Vec<String>,
    pub always_event: Option<AlwaysEvent>,
    pub what_we_did: Option<RichText>,
    pub involvement: Involvement,
    pub carers_lens: CarersLens,
    pub health_inequality_lens: HealthInequalityLens,
    pub measures: Vec<Measure>,
    pub no_measures_because: Option<RichText>,
    pub quotes: Vec<Quote>,
    pub staff_impact: Option<RichText>,
    pub unintended_effects: Option<RichText>,
    pub cost: Option<CostBand>,
    pub staff_time: Option<String>,
    pub what_worked: Option<RichText>,
    pub what_did_not: Option<RichText>,
    pub advice: Option<RichText>,
    pub sustainability: Sustainability,
    pub framework_section: Option<String>,
    pub references: Vec<String>,
    pub sponsored: Option<bool>,
    pub contact: Contact,
    pub permissions: Permissions,
    pub review_date: Option<Date>,
}

impl Content {
    /// Whether the main method, or another, is Always Event®.
    #[must_use]
    pub fn is_always_event(&self) -> bool {
        self.methods().any(|method| method == ALWAYS_EVENT)
    }

    /// The main method and the others.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.method.iter().chain(&self.other_methods).map(String::as_str)
    }

    /// Takes over what was typed. What can't be taken leaves a problem, and its field as it was.
    pub fn take(&mut self, title: Option<&str>, typed: &TypedContent, problems: &mut Problems) {
        if let Some(title) = title {
            match problems.line("title", "title", title, TITLE_MAX) {
                Some(title) => self.title = title,
                None if title.trim().is_empty() => {
                    problems.add("title", Code::Required, "Enter a title. A draft needs nothing else.");
                }
                None => {}
            }
        }
        self.take_what_it_is_about(typed, problems);
        self.take_texts(typed, problems);
        self.take_blocks(typed, problems);
    }

    fn take_what_it_is_about(&mut self, typed: &TypedContent, problems: &mut Problems) {
        set(&mut self.lead_organisation, &typed.lead_organisation, |given| {
            organisation("leadOrganisation", given, problems)
        });
        set_list(&mut self.partner_organisations, &typed.partner_organisations, |given| {
            problems.at_most("partnerOrganisations", given.len(), PARTNERS_MAX);
            let given = given.iter().take(PARTNERS_MAX).enumerate();
            given
                .filter_map(|(at, one)| organisation(&format!("partnerOrganisations.{at}"), one, problems))
                .collect()
        });
        set_list(&mut self.topics, &typed.topic_ids, |given| {
            let given: Vec<&str> = given.iter().map(|id| id.as_str()).collect();
            topics(&given, problems)
        });
        let carried: Vec<_> = self.tags.iter().map(|tag| tag.id.clone()).collect();
        set_list(&mut self.tags, &typed.tags, |given| TagName::read(given, &carried, problems));
        let mut slugs = |slot: &mut Vec<String>, given, field, list, max| {
            set_list(slot, given, |given: &Vec<String>| problems.slugs(field, list, given, max));
        };
        slugs(&mut self.settings, &typed.settings, "settings", List::Settings, CHOICES_MAX);
        slugs(&mut self.themes, &typed.themes, "themes", List::Themes, CHOICES_MAX);
        slugs(
            &mut self.feedback_sources,
            &typed.feedback_sources,
            "feedbackSources",
            List::FeedbackSources,
            CHOICES_MAX,
        );
        slugs(&mut self.other_methods, &typed.other_methods, "otherMethods", List::Methods, CHOICES_MAX);
        let mut slug = |slot: &mut Option<String>, given, field, list| {
            set(slot, given, |given: &String| problems.slug(field, list, given));
        };
        slug(&mut self.method, &typed.method, "method", List::Methods);
        slug(
            &mut self.framework_section,
            &typed.framework_section,
            "frameworkSection",
            List::FrameworkSections,
        );
        copy(&mut self.status, &typed.status);
        copy(&mut self.start, &typed.start);
        copy(&mut self.end, &typed.end);
        copy(&mut self.cost, &typed.cost);
        copy(&mut self.sponsored, &typed.sponsored);
        copy(&mut self.review_date, &typed.review_date);
        if self.start.zip(self.end).is_some_and(|(start, end)| end < start) {
            problems.add("end", Code::Invalid, "The end is before the start. Enter a later month.");
        }
    }

    fn take_texts(&mut self, typed: &TypedContent, problems: &mut Problems) {
        let mut rich = |slot: &mut Option<RichText>, given, field, label, max| {
            set(slot, given, |given: &String| problems.rich(field, label, given, max));
        };
        rich(&mut self.summary, &typed.summary, "summary", "summary", SUMMARY_MAX);
        rich(&mut self.problem, &typed.problem, "problem", "problem", PROBLEM_MAX);
        rich(
            &mut self.what_matters,
            &typed.what_matters,
            "whatMatters",
            "answer to what matters to people",
            WHAT_MATTERS_MAX,
        );
        rich(&mut self.aim, &typed.aim, "aim", "aim", AIM_MAX);
        rich(
            &mut self.what_we_did,
            &typed.what_we_did,
            "whatWeDid",
            "account of what you did",
            WHAT_WE_DID_MAX,
        );
        rich(
            &mut self.no_measures_because,
            &typed.no_measures_because,
            "noMeasuresBecause",
            "reason",
            PARAGRAPH_MAX,
        );
        rich(&mut self.staff_impact, &typed.staff_impact, "staffImpact", "impact on staff", EFFECT_MAX);
        let unintended = "unintended effects";
        rich(
            &mut self.unintended_effects,
            &typed.unintended_effects,
            "unintendedEffects",
            unintended,
            EFFECT_MAX,
        );
        rich(&mut self.what_worked, &typed.what_worked, "whatWorked", "account of what worked", LESSON_MAX);
        let did_not = "account of what did not work";
        rich(&mut self.what_did_not, &typed.what_did_not, "whatDidNot", did_not, LESSON_MAX);
        rich(&mut self.advice, &typed.advice, "advice", "advice", LESSON_MAX);
        set(&mut self.staff_time, &typed.staff_time, |given| {
            problems.line("staffTime", "staff time", given, LINE_MAX)
        });
        set_list(&mut self.references, &typed.references, |given| {
            problems.at_most("references", given.len(), REFERENCES_MAX);
            let given = given.iter().take(REFERENCES_MAX).enumerate();
            given
                .filter_map(|(at, text)| {
                    problems.line(&format!("references.{at}"), "reference", text, REFERENCE_MAX)
                })
                .collect()
        });
    }

    fn take_blocks(&mut self, typed: &TypedContent, problems: &mut Problems) {
        set(&mut self.always_event, &typed.always_event, |given| Some(always_event(given, problems)));
        set_block(&mut self.involvement, &typed.involvement, |given| involvement(given, problems));
        set_block(&mut self.carers_lens, &typed.carers_lens, |given| carers_lens(given, problems));
        set_block(&mut self.health_inequality_lens, &typed.health_inequality_lens, |given| {
            health_inequality_lens(given, problems)
        });
        set_list(&mut self.measures, &typed.measures, |given| measure::measures(given, problems));
        set_list(&mut self.quotes, &typed.quotes, |given| quotes(given, problems));
        set_block(&mut self.sustainability, &typed.sustainability, |given| sustainability(given, problems));
        set_block(&mut self.contact, &typed.contact, |given| contact("contact", given, problems));
        set_block(&mut self.permissions, &typed.permissions, permissions);
    }
}

fn set<T, V>(slot: &mut Option<V>, given: &MaybeUndefined<T>, read: impl FnOnce(&T) -> Option<V>) {
    match given {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *slot = None,
        MaybeUndefined::Value(given) => *slot = read(given),
    }
}

fn copy<T: Copy>(slot: &mut Option<T>, given: &MaybeUndefined<T>) {
    set(slot, given, |given| Some(*given));
}

fn set_list<T, V>(slot: &mut Vec<V>, given: &MaybeUndefined<Vec<T>>, read: impl FnOnce(&Vec<T>) -> Vec<V>) {
    set_block(slot, given, read);
}

fn set_block<T, V: Default>(slot: &mut V, given: &MaybeUndefined<T>, read: impl FnOnce(&T) -> V) {
    match given {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *slot = V::default(),
        MaybeUndefined::Value(given) => *slot = read(given),
    }
}

fn organisation(
    field: &str,
    typed: &TypedOrganisation,
    problems: &mut Problems,
) -> Option<NamedOrganisation> {
    let name = typed.name.as_deref().unwrap_or_default();
    match &typed.organisation_id {
        Some(_) if !name.trim().is_empty() => {
            let message = "Choose the organisation from the directory, or enter its name, not both.";
            problems.add(&format!("{field}.name"), Code::Invalid, message);
            None
        }
        Some(id) => {
            let known = Id::parse(id).map(NamedOrganisation::Known);
            if known.is_none() {
                problems.add(&format!("{field}.organisationId"), Code::Unknown, UNKNOWN_ORGANISATION);
            }
            known
        }
        None => problems
            .line(&format!("{field}.name"), "name of the organisation", name, ORGANISATION_NAME_MAX)
            .map(NamedOrganisation::Named),
    }
}

/// What to say of an organisation that is not in the directory.
pub const UNKNOWN_ORGANISATION: &str =
    "There is no such organisation in the directory. Enter its name instead.";

fn topics(typed: &[&str], problems: &mut Problems) -> Vec<Id<Topic>> {
    problems.at_most("topicIds", typed.len(), TOPICS_MAX);
    let mut known: Vec<Id<Topic>> = Vec::new();
    for (index, name) in typed.iter().take(TOPICS_MAX).enumerate() {
        match Id::parse(name) {
            Some(id) if known.contains(&id) => {}
            Some(id) => known.push(id),
            None => problems.add(&format!("topicIds.{index}"), Code::Unknown, UNKNOWN_TOPIC),
        }
    }
    known
}

/// What to say of a topic that is not in the store.
pub const UNKNOWN_TOPIC: &str = "There is no such topic. The query `topics` lists them.";

fn always_event(typed: &TypedAlwaysEvent, problems: &mut Problems) -> AlwaysEvent {
    let mut statement = |field, label, text: &Option<String>| {
        problems.line(field, label, text.as_deref().unwrap_or_default(), STATEMENT_MAX)
    };
    let vision = "alwaysEvent.visionStatement";
    AlwaysEvent {
        vision_statement: statement(vision, "vision statement", &typed.vision_statement),
        aim_statement: statement("alwaysEvent.aimStatement", "aim statement", &typed.aim_statement),
        phase: typed.phase,
        criteria: distinct(&typed.criteria),
    }
}

fn involvement(typed: &TypedInvolvement, problems: &mut Problems) -> Involvement {
    let mut rich = |field, label, text: &Option<String>, max| {
        problems.rich(field, label, text.as_deref().unwrap_or_default(), max)
    };
    Involvement {
        level: typed.level,
        stages: distinct(&typed.stages),
        how: rich("involvement.how", "account of how people were involved", &typed.how, PARAGRAPH_MAX),
        recognition: rich(
            "involvement.recognition",
            "account of payment and recognition",
            &typed.recognition,
            RECOGNITION_MAX,
        ),
    }
}

fn carers_lens(typed: &TypedCarersLens, problems: &mut Problems) -> CarersLens {
    let how = typed.how.as_deref().unwrap_or_default();
    CarersLens {
        considered: typed.considered,
        how: problems.rich("carersLens.how", "answer about carers", how, PARAGRAPH_MAX),
    }
}

fn health_inequality_lens(
    typed: &TypedHealthInequalityLens,
    problems: &mut Problems,
) -> HealthInequalityLens {
    let (how, lens) = (typed.how.as_deref().unwrap_or_default(), "healthInequalityLens");
    let mut slugs = |field, list, slugs| problems.slugs(&format!("{lens}.{field}"), list, slugs, CHOICES_MAX);
    HealthInequalityLens {
        considered: typed.considered,
        core20: typed.core20,
        clinical_areas: slugs("clinicalAreas", List::ClinicalAreas, &typed.clinical_areas),
        plus_groups: slugs("plusGroups", List::PlusGroups, &typed.plus_groups),
        reasonable_adjustments: typed.reasonable_adjustments,
        accessible_information_standard: typed.accessible_information_standard,
        how: problems.rich(&format!("{lens}.how"), "answer about health inequalities", how, PARAGRAPH_MAX),
    }
}

fn quotes(typed: &[TypedQuote], problems: &mut Problems) -> Vec<Quote> {
    problems.at_most("quotes", typed.len(), QUOTES_MAX);
    let mut quotes = Vec::new();
    for (index, typed) in typed.iter().take(QUOTES_MAX).enumerate() {
        let who = typed.attribution.as_deref().unwrap_or_default();
        let attribution =
            problems.line(&format!("quotes.{index}.attribution"), "attribution", who, ATTRIBUTION_MAX);
        let text = problems.line(&format!("quotes.{index}.text"), "quote", &typed.text, QUOTE_MAX);
        quotes.extend(text.map(|text| Quote { text, attribution, consent: typed.consent }));
    }
    quotes
}

fn sustainability(typed: &TypedSustainability, problems: &mut Problems) -> Sustainability {
    let mut line = |field, label, text: &Option<String>| {
        problems.line(field, label, text.as_deref().unwrap_or_default(), LINE_MAX)
    };
    Sustainability {
        owner: line("sustainability.owner", "owner", &typed.owner),
        funding: line("sustainability.funding", "funding", &typed.funding),
    }
}

/// Reads whom to ask; adoptions have a contact as well.
pub fn contact(field: &str, typed: &TypedContact, problems: &mut Problems) -> Contact {
    let mut contact = Contact::default();
    if let Some(id) = typed.member_id.as_ref().filter(|id| !id.is_empty()) {
        contact.member = Id::parse(id);
        if contact.member.is_none() {
            problems.add(&format!("{field}.memberId"), Code::Unknown, UNKNOWN_MEMBER);
        }
    }
    if let Some(address) = typed.mailbox.as_deref().filter(|address| !address.trim().is_empty()) {
        match EmailAddress::parse(address.trim()) {
            Ok(mailbox) if address.len() <= MAILBOX_MAX => contact.mailbox = Some(mailbox),
            _ => problems.add(&format!("{field}.mailbox"), Code::Invalid, "Enter an e-mail address."),
        }
    }
    contact
}

/// What to say of a member who is not there.
pub const UNKNOWN_MEMBER: &str = "There is no such member. Choose somebody who is in the network.";

const fn permissions(typed: &TypedPermissions) -> Permissions {
    Permissions {
        organisation_approves: typed.organisation_approves,
        written_consent: typed.written_consent,
        no_identifiable_people: typed.no_identifiable_people,
        reuse_by_nhs_england: typed.reuse_by_nhs_england,
    }
}

fn distinct<T: Copy + PartialEq>(given: &[T]) -> Vec<T> {
    given.iter().enumerate().filter(|(at, one)| !given[..*at].contains(one)).map(|(_, one)| *one).collect()
}
