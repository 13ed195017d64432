//! Adoptions: record what became of a case study in an organisation, change it, list.

use super::{
    access::Viewer,
    activity::happened,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        activity::What,
        adoption::{Adoption, AdoptionStatus, AdoptionStep, Record, TEXT_MAX},
        calendar::{Date, YearMonth},
        case_study::{
            CaseStudy,
            content::{UNKNOWN_MEMBER, contact},
            parts::Contact,
            problems::Problems,
            typed::TypedContact,
        },
        contribution::{ContributionId, State},
        entry::Entry,
        guard::Acknowledged,
        organisation::Organisation,
        sight::Seen,
        thread::Thread,
    },
    error::{Code, Error, Result, forbidden, not_found},
    ids::Id,
    store::Batch,
};

/// What a member records for an organisation. `None` leaves a part as it is.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub status: Option<AdoptionStatus>,
    pub since: Option<YearMonth>,
    pub what_changed: Option<String>,
    pub result: Option<String>,
    pub contact: Option<TypedContact>,
    /// What the writer said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// Records where an organisation stands with a case study: the viewer's own, or for moderators any.
///
/// # Errors
/// Problems of what was sent; `WRONG_STATE` when the organisation has a record already, or leads the
/// case study; not found, forbidden.
pub async fn record(
    app: &App,
    viewer: &Viewer,
    case_study: &Id<CaseStudy>,
    organisation: Option<&Id<Organisation>>,
    new: &Changes,
    request: &Request,
) -> Result<Adoption> {
    once(app, viewer, request, || async {
        let (case_study, entry) = published(app, viewer, case_study).await?;
        let organisation = adopter(app, viewer, &case_study, organisation).await?;
        let id = Adoption::id_of(&case_study.id, &organisation);
        if app.store.one(&id).await?.is_some() {
            return Err(recorded_already());
        }
        let now = app.clock.now();
        let (record, contact) = read(app, None, new).await?;
        let adoption = Adoption {
            id,
            version: 1,
            case_study: case_study.id.clone(),
            organisation,
            record,
            contact,
            recorded_by: viewer.id.clone(),
            created_at: now,
            updated_at: now,
        };
        let batch = counted(app, viewer, &case_study.thread, entry, &adoption, None).insert(&adoption);
        Ok(Decision { result: adoption, batch })
    })
    .await
}

/// Changes a record that has not changed since `expected_version`. What it said is kept as history.
///
/// # Errors
/// `Stale`, problems of what was sent, not found, forbidden.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: &Id<Adoption>,
    expected_version: i64,
    changes: &Changes,
    request: &Request,
) -> Result<Adoption> {
    once(app, viewer, request, || async {
        let missing = || not_found("record of adoption");
        let mut adoption = app.store.one(id).await?.ok_or_else(missing)?;
        let (case_study, entry) =
            published(app, viewer, &adoption.case_study).await.map_err(|error| match error {
                Error::Coded(Code::NotFound, _) => missing(),
                error => error,
            })?;
        if !adoption.can_edit(viewer) {
            return Err(forbidden("Only members of its organisation and moderators can change this record."));
        }
        if adoption.version != expected_version {
            return Err(Error::Stale);
        }
        let was = adoption.record.status;
        (adoption.record, adoption.contact) = read(app, Some(&adoption), changes).await?;
        adoption.updated_at = app.clock.now();
        let batch = counted(app, viewer, &case_study.thread, entry, &adoption, Some(was)).replace(&adoption);
        adoption.version += 1;
        Ok(Decision { result: adoption, batch })
    })
    .await
}

fn recorded_already() -> Error {
    let message = "Your organisation has a record for this case study. Change that one.";
    Error::refused("caseStudyId", Code::WrongState, message)
}

/// The step in the history and what is told of it, and the counters, which have to change in the same commit.
fn counted(
    app: &App,
    viewer: &Viewer,
    thread: &Id<Thread>,
    mut entry: Entry,
    adoption: &Adoption,
    was: Option<AdoptionStatus>,
) -> Batch {
    entry.count_adoption(&adoption.organisation, was, adoption.record.status);
    let step = AdoptionStep::of(app.ids.fresh(), adoption, &viewer.id);
    let told = What::AdoptionRecorded { step: step.id.clone() };
    Batch::new().replace(&entry).insert(&step).and(happened(app, viewer, told, thread, Vec::new()))
}

/// A case study that others can adopt, with its entry.
async fn published(app: &App, viewer: &Viewer, id: &Id<CaseStudy>) -> Result<(CaseStudy, Entry)> {
    let missing = || not_found("case study");
    let found = app.store.one(id).await?.filter(|found| found.can_see(viewer)).ok_or_else(missing)?;
    if found.state != State::Published {
        let message = "Only a published case study can be adopted. Publish it first.";
        return Err(Error::refused("caseStudyId", Code::WrongState, message));
    }
    let entry = app.store.one(&Entry::id_of(&ContributionId::from(id))).await?.ok_or_else(missing)?;
    Ok((found, entry))
}

/// The organisation that a record is for.
async fn adopter(
    app: &App,
    viewer: &Viewer,
    case_study: &CaseStudy,
    wanted: Option<&Id<Organisation>>,
) -> Result<Id<Organisation>> {
    let own = viewer.organisation.as_ref();
    let Some(organisation) = wanted.or(own) else {
        let message = "Your profile names no organisation. Ask the network's team to add it.";
        return Err(Error::refused("organisationId", Code::Required, message));
    };
    if Some(organisation) != own && !viewer.moderates() {
        return Err(forbidden("You can record adoptions for your own organisation only."));
    }
    let lead = case_study.content.lead_organisation.as_ref().and_then(|lead| lead.id());
    if lead == Some(organisation) {
        let message = "This organisation leads the case study. Others can adopt it.";
        return Err(Error::refused("organisationId", Code::WrongState, message));
    }
    if Some(organisation) != own && app.store.one(organisation).await?.is_none() {
        let message = "There is no such organisation. The directory lists them.";
        return Err(Error::refused("organisationId", Code::Unknown, message));
    }
    Ok(organisation.clone())
}

/// Reads what was sent, over what was recorded before.
async fn read(app: &App, before: Option<&Adoption>, sent: &Changes) -> Result<(Record, Contact)> {
    let mut problems = Problems::with(sent.acknowledged);
    let mut text = |field: &str, label: &str, sent: &Option<String>, before| match sent {
        Some(text) => problems.rich(field, label, text, TEXT_MAX),
        None => before,
    };
    let earlier = before.map(|before| before.record.clone());
    let what_changed = earlier.as_ref().and_then(|record| record.what_changed.clone());
    let what_changed = text("whatChanged", "account of what you changed", &sent.what_changed, what_changed);
    let result = earlier.as_ref().and_then(|record| record.result.clone());
    let result = text("result", "result", &sent.result, result);
    let since = sent.since.or(earlier.as_ref().map(|record| record.since));
    let since = since.unwrap_or_else(|| Date::of(app.clock.now()).month());
    if since > Date::of(app.clock.now()).month() {
        problems.add("since", Code::Invalid, "Enter a month that has begun.");
    }
    let mut contact_now = before.map(|before| before.contact.clone()).unwrap_or_default();
    if let Some(sent) = &sent.contact {
        contact_now = contact("contact", sent, &mut problems);
        if let Some(member) = &contact_now.member
            && app.store.one(member).await?.is_none()
        {
            problems.add("contact.memberId", Code::Unknown, UNKNOWN_MEMBER);
        }
    }
    let status = sent.status.or(earlier.map(|record| record.status));
    if status.is_none() {
        problems.add("status", Code::Required, "Choose where your organisation stands.");
    }
    match (status, problems.into_vec()) {
        (Some(status), problems) if problems.is_empty() => {
            Ok((Record { status, since, what_changed, result }, contact_now))
        }
        (_, problems) => Err(Error::Refused(problems)),
    }
}

/// The current records on a case study, last changed first: none on what the viewer may not read.
#[must_use]
pub fn of_case_study(viewer: &Viewer, case_study: &CaseStudy) -> Listing<Adoption> {
    let filter = Adoption::CASE_STUDY.is_in(readable(viewer, case_study));
    Listing { name: "adoptions", filter, order: Adoption::UPDATED_AT.desc() }
}

fn readable(viewer: &Viewer, case_study: &CaseStudy) -> Option<Id<CaseStudy>> {
    case_study.can_see(viewer).then(|| case_study.id.clone())
}

/// Everything that was ever recorded on a case study, latest first: nothing on what the viewer may not
/// read.
#[must_use]
pub fn timeline(viewer: &Viewer, case_study: &CaseStudy) -> Listing<AdoptionStep> {
    let filter = AdoptionStep::CASE_STUDY.is_in(readable(viewer, case_study));
    Listing { name: "adoptionTimeline", filter, order: AdoptionStep::AT.desc() }
}

/// What an organisation recorded, latest first.
#[must_use]
pub fn history(adoption: &Id<Adoption>) -> Listing<AdoptionStep> {
    let filter = AdoptionStep::ADOPTION.eq(adoption.clone());
    Listing { name: "adoptionHistory", filter, order: AdoptionStep::AT.desc() }
}

/// The current records of an organisation, last changed first.
#[must_use]
pub fn of_organisation(_viewer: &Viewer, organisation: &Id<Organisation>) -> Listing<Adoption> {
    let filter = Adoption::ORGANISATION.eq(organisation.clone());
    Listing { name: "adoptions:organisation", filter, order: Adoption::UPDATED_AT.desc() }
}
