//! What a case study still lacks before others may read it: the fields that the template marks as
//! required, all at once.

use super::{
    content::Content,
    measure::Measure,
    parts::{AlwaysEvent, AlwaysEventCriterion, InvolvementLevel},
    problems::Problems,
};
use crate::{
    domain::calendar::Date,
    error::{Code, Problem},
};

/// Everything that is missing, each with its field.
#[must_use]
pub fn lacks(content: &Content) -> Vec<Problem> {
    let mut problems = Problems::default();
    required_answers(content, &mut problems);
    involvement_and_lenses(content, &mut problems);
    always_event(content, &mut problems);
    measures(content, &mut problems);
    responsibility(content, &mut problems);
    problems.into_vec()
}

/// A review date has to be still to come when it is chosen. `today` is the day in London.
#[must_use]
pub fn review_date_problem(date: Option<Date>, today: Date) -> Option<Problem> {
    let past = date.is_some_and(|date| date <= today);
    past.then(|| Problem::new("reviewDate", Code::Invalid, "Enter a review date that is still to come."))
}

/// `ask(is it missing, field, sentence)`
fn ask(problems: &mut Problems, missing: bool, field: &str, sentence: &str) {
    if missing {
        problems.add(field, Code::Required, sentence);
    }
}

fn required_answers(content: &Content, problems: &mut Problems) {
    let answers = [
        (content.title.is_empty(), "title", "Enter a title."),
        (content.summary.is_none(), "summary", "Summarise the problem, what you did and the result."),
        (content.lead_organisation.is_none(), "leadOrganisation", "Say which organisation led it."),
        (content.settings.is_empty(), "settings", "Choose at least one setting."),
        (content.topics.is_empty(), "topicIds", "Choose at least one topic."),
        (content.status.is_none(), "status", "Say how far it has come. Stopped is worth sharing, too."),
        (content.start.is_none(), "start", "Enter the month in which it started."),
        (content.problem.is_none(), "problem", "Describe the problem."),
        (content.what_matters.is_none(), "whatMatters", "Say what matters to people."),
        (content.feedback_sources.is_empty(), "feedbackSources", "Choose at least one source of feedback."),
        (content.aim.is_none(), "aim", "Enter the aim."),
        (content.method.is_none(), "method", "Choose the main improvement method."),
        (content.what_we_did.is_none(), "whatWeDid", "Describe what you did."),
        (content.cost.is_none(), "cost", "Choose what it cost. Not known is an answer."),
        (
            content.what_did_not.is_none(),
            "whatDidNot",
            "Say what did not work, for those who come after you.",
        ),
        (content.advice.is_none(), "advice", "Give some advice to others who want to try it."),
        (content.sponsored.is_none(), "sponsored", "Say whether it was sponsored."),
    ];
    for (missing, field, sentence) in answers {
        ask(problems, missing, field, sentence);
    }
}

fn involvement_and_lenses(content: &Content, problems: &mut Problems) {
    let involvement = &content.involvement;
    let sentence = "Say how people were involved. None is an answer, and is shown.";
    ask(problems, involvement.level.is_none(), "involvement.level", sentence);
    let involved = involvement.level.is_some_and(|level| level != InvolvementLevel::None);
    let how = "Describe how people were involved.";
    ask(problems, involved && involvement.how.is_none(), "involvement.how", how);

    let carers = &content.carers_lens;
    let sentence = "Say whether carers were considered. Not considered is an answer.";
    ask(problems, carers.considered.is_none(), "carersLens.considered", sentence);
    let unsaid = carers.considered == Some(true) && carers.how.is_none();
    ask(problems, unsaid, "carersLens.how", "Say what you considered for carers.");

    let lens = &content.health_inequality_lens;
    let sentence = "Say whether health inequalities were considered. Not considered is an answer.";
    ask(problems, lens.considered.is_none(), "healthInequalityLens.considered", sentence);
    let said = lens.how.is_some()
        || lens.core20
        || lens.reasonable_adjustments
        || lens.accessible_information_standard
        || !lens.clinical_areas.is_empty()
        || !lens.plus_groups.is_empty();
    let sentence = "Say what you considered, or choose at least one group, area or adjustment.";
    ask(problems, lens.considered == Some(true) && !said, "healthInequalityLens.how", sentence);
}

/// The block is kept in drafts whatever the method, so that choosing another for a moment loses
/// nothing. It is published only with the method that it belongs to.
fn always_event(content: &Content, problems: &mut Problems) {
    match (&content.always_event, content.is_always_event()) {
        (Some(_), false) => problems.add(
            "alwaysEvent",
            Code::Invalid,
            "This is the block of an Always Event®. Choose that method, or remove the block.",
        ),
        (block, true) => complete(block.as_ref().unwrap_or(&AlwaysEvent::default()), problems),
        (None, false) => {}
    }
}

fn complete(block: &AlwaysEvent, problems: &mut Problems) {
    let vision = "Enter the vision statement: \"I will always …\".";
    ask(problems, block.vision_statement.is_none(), "alwaysEvent.visionStatement", vision);
    let aim = "Enter the aim statement: what, how much, by when, for whom.";
    ask(problems, block.aim_statement.is_none(), "alwaysEvent.aimStatement", aim);
    ask(problems, block.phase.is_none(), "alwaysEvent.phase", "Choose the phase that you are in.");
    let unmet = AlwaysEventCriterion::ALL.iter().any(|criterion| !block.criteria.contains(criterion));
    let criteria = "An Always Event® is important, evidence based, measurable, and affordable and sustainable. \
                    Choose all four, or another method.";
    ask(problems, unmet, "alwaysEvent.criteria", criteria);
}

fn measures(content: &Content, problems: &mut Problems) {
    let silent = content.measures.is_empty() && content.no_measures_because.is_none();
    ask(problems, silent, "noMeasuresBecause", "Give at least one measure, or say why there is none.");
    for (index, measure) in content.measures.iter().enumerate() {
        complete_measure(&format!("measures.{index}"), measure, problems);
    }
}

fn complete_measure(field: &str, measure: &Measure, problems: &mut Problems) {
    let path = |name: &str| format!("{field}.{name}");
    ask(problems, measure.name.is_empty(), &path("name"), "Enter the name of the measure.");
    let kind = "Choose whether it measures the process, the outcome, or a balance.";
    ask(problems, measure.kind.is_none(), &path("kind"), kind);
    let source = "Choose where the numbers come from.";
    ask(problems, measure.source.is_none(), &path("source"), source);
    let unit = "Enter the unit, for example minutes.";
    ask(problems, measure.unit.is_none() && !measure.is_fft(), &path("unit"), unit);
    ask(problems, measure.direction.is_none(), &path("direction"), "Choose which way is better.");
    for (name, point) in [("before", &measure.before), ("after", &measure.after)] {
        let Some(point) = point else {
            problems.add(&path(name), Code::Required, format!("Enter the value {name}."));
            continue;
        };
        let date = "Enter the month of this value.";
        ask(problems, point.date().is_none(), &path(&format!("{name}.date")), date);
        let uncounted = measure.is_fft() && point.n().is_none();
        let n = "Enter how many answered the Friends and Family Test.";
        ask(problems, uncounted, &path(&format!("{name}.n")), n);
    }
}

fn responsibility(content: &Content, problems: &mut Problems) {
    for (index, quote) in content.quotes.iter().enumerate() {
        let sentence = "Confirm that they agreed in writing, or remove the quote.";
        ask(problems, !quote.consent, &format!("quotes.{index}.consent"), sentence);
    }
    let contact = "Name a member or a shared mailbox to ask.";
    ask(problems, content.contact.is_missing(), "contact", contact);
    let permissions = &content.permissions;
    let answers = [
        (
            permissions.organisation_approves != Some(true),
            "organisationApproves",
            "Confirm that your organisation approves.",
        ),
        (
            permissions.written_consent != Some(true),
            "writtenConsent",
            "Confirm that there is written consent for every person's story or image.",
        ),
        (
            permissions.no_identifiable_people != Some(true),
            "noIdentifiablePeople",
            "Confirm that nobody can be identified.",
        ),
        (
            permissions.reuse_by_nhs_england.is_none(),
            "reuseByNhsEngland",
            "Say whether NHS England may reuse it. No is an answer.",
        ),
    ];
    for (missing, field, sentence) in answers {
        ask(problems, missing, &format!("permissions.{field}"), sentence);
    }
}
