//! Reports: send one, look through them, decide on them.

use chrono::TimeDelta;

use super::{
    access::{Moderator, Viewer},
    audit::{Act, Concerned, Reason, acted, acted_on_report},
    once::{Decision, Request, next_version, once},
    page::Listing,
    removal::{Content, hidden_by_moderator, restored},
};
use crate::{
    app::App,
    domain::{
        activity::Activity,
        audit::{AuditAction, Facts},
        contribution::State,
        guard::Acknowledged,
        moderation::{ContentId, SubjectId},
        report::{NOTE_MAX, OPEN_A_DAY, Report, ReportReason, ReportState, Tally},
        sight::{Removal, RemovedBy, Seen},
        text::{Written, line},
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    query::{Order, Page},
    store::Batch,
};

/// What the author of something reads while a privacy concern about it is looked at.
const PRIVACY_CONCERN: &str =
    "Somebody is concerned that a person can be recognised. A moderator looks at it.";
/// Reports on one subject that are decided together. There is one a member.
const TOGETHER_MAX: usize = 1_000;

/// What a member reports.
pub struct NewReport {
    pub subject: SubjectId,
    pub reason: ReportReason,
    pub note: Option<String>,
    /// What the reporter said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// Reports something that breaks the rules of the house. What may identify a patient is hidden at once,
/// in the same commit. A member's open report on the same subject is returned as it is.
///
/// # Errors
/// Problems of the note; `RATE_LIMITED` after many that nobody has looked at yet; not found.
pub async fn report(app: &App, viewer: &Viewer, new: &NewReport, request: &Request) -> Result<Report> {
    once(app, viewer, request, || async {
        let key = Report::key(&viewer.id, &new.subject);
        let earlier = Report::OPEN.eq(Some(key.clone()));
        if let Some(open) = app.store.find(earlier, Order::by_id(), Page::first(1)).await?.pop() {
            return Ok(Decision { result: open, batch: Batch::new() });
        }
        let hidden = reported(app, viewer, new).await?;
        let note = note(new)?;
        let now = app.clock.now();
        let counted = next_version(app, Tally::of(&viewer.id)).await?;
        let today = Report::open_by(&viewer.id, now.minus(TimeDelta::days(1)));
        if app.store.count(today, OPEN_A_DAY).await? >= OPEN_A_DAY {
            let message = format!(
                "You have sent {OPEN_A_DAY} reports that nobody has looked at yet. Try again tomorrow."
            );
            return Err(Error::Coded(Code::RateLimited, message));
        }
        let report = Report {
            id: app.ids.fresh(),
            version: 1,
            subject: new.subject.clone(),
            reporter: viewer.id.clone(),
            reason: new.reason,
            note,
            state: ReportState::Open,
            open: Some(key),
            created_at: now,
            resolved_at: None,
            resolved_by: None,
            resolution: None,
        };
        let batch = Batch::new().insert(&report).and(hidden).and(counted);
        Ok(Decision { result: report, batch })
    })
    .await
}

fn note(new: &NewReport) -> Result<Option<String>> {
    let note = new.note.as_deref().unwrap_or_default();
    if note.trim().is_empty() && new.reason != ReportReason::Other {
        return Ok(None);
    }
    line("note", Written::new(note, new.acknowledged), NOTE_MAX)
        .map(Some)
        .map_err(|problem| Error::Refused(vec![problem]))
}

/// What a report does to its subject, when the viewer may see that.
async fn reported(app: &App, viewer: &Viewer, new: &NewReport) -> Result<Batch> {
    let id = match &new.subject {
        SubjectId::Member(id) => {
            let found = app.store.one(id).await?;
            let found = found.filter(|member| member.can_see(viewer));
            return found.map(|_| Batch::new()).ok_or_else(|| not_found("member"));
        }
        SubjectId::Content(id) => id,
    };
    let content = Content::find(app, viewer, id).await?;
    if !content.can_see(viewer) {
        return Err(not_found("content"));
    }
    if !new.reason.hides() || content.hidden().is_some() {
        return Ok(Batch::new());
    }
    let before = content.state();
    let removal = Removal::hidden(RemovedBy::Report, app.clock.now(), before, PRIVACY_CONCERN);
    let act = Act::new(AuditAction::HideUntilReviewed, id.as_str())
        .changed(Facts::state(before), Facts::state(State::Hidden));
    let told = acted_on_report(app, viewer, act, &content.concerned());
    Ok(content
        .with_removal(app, Some(&removal))
        .await?
        .and(content.changed(app, &Activity::nobody()))
        .and(told))
}

/// What a moderator decides on a report.
pub struct Ruling {
    /// Whether the report was right.
    pub uphold: bool,
    pub reason: Reason,
    /// Whether what is reported is hidden from now on.
    pub hide: bool,
}

impl Ruling {
    const fn state(&self) -> ReportState {
        if self.uphold { ReportState::Upheld } else { ReportState::Dismissed }
    }
}

/// Decides on a report, and with it on all others that are open on the same subject. What a privacy
/// concern had hidden stays hidden when it is upheld, and comes back when it is dismissed.
///
/// # Errors
/// Not found; `WRONG_STATE` when it was decided otherwise; `INVALID` for what can't be hidden.
pub async fn resolve(
    app: &App,
    moderator: &Moderator,
    id: &Id<Report>,
    ruling: &Ruling,
    request: &Request,
) -> Result<Report> {
    once(app, moderator, request, || async {
        let report = app.store.one(id).await?.ok_or_else(|| not_found("report"))?;
        if report.state == ruling.state() {
            return Ok(Decision { result: report, batch: Batch::new() });
        }
        if report.state != ReportState::Open {
            return Err(Error::refused("id", Code::WrongState, "Somebody has decided otherwise on it."));
        }
        let batch = consequence(app, moderator, &report.subject, ruling).await?;
        let open = Report::open_on(&report.subject);
        let open = app.store.find(open, Report::CREATED_AT.asc(), Page::first(TOGETHER_MAX)).await?;
        let batch = open.into_iter().fold(batch, |batch, one| {
            let action = if ruling.uphold { AuditAction::UpholdReport } else { AuditAction::DismissReport };
            let act = Act::new(action, one.id.as_str()).because(&ruling.reason);
            let act = act.changed(Facts::report(ReportState::Open), Facts::report(ruling.state()));
            let audited = acted(app, moderator, act, &Concerned::nobody());
            batch.replace(&resolved(app, moderator, one, ruling)).and(audited)
        });
        let mut result = resolved(app, moderator, report, ruling);
        result.version += 1;
        Ok(Decision { result, batch })
    })
    .await
}

fn resolved(app: &App, moderator: &Moderator, report: Report, ruling: &Ruling) -> Report {
    Report {
        state: ruling.state(),
        open: None,
        resolved_at: Some(app.clock.now()),
        resolved_by: Some(moderator.id.clone()),
        resolution: Some(ruling.reason.as_str().to_owned()),
        ..report
    }
}

/// What a ruling does to the subject.
async fn consequence(
    app: &App,
    moderator: &Moderator,
    subject: &SubjectId,
    ruling: &Ruling,
) -> Result<Batch> {
    let nothing_to_hide = |message| Error::refused("hide", Code::Invalid, message);
    if ruling.hide && !ruling.uphold {
        return Err(nothing_to_hide("A report that is dismissed hides nothing."));
    }
    let id = match subject {
        SubjectId::Member(_) if ruling.hide => return Err(nothing_to_hide("A member can't be hidden.")),
        SubjectId::Member(_) => return Ok(Batch::new()),
        SubjectId::Content(id) => id,
    };
    let Some(content) = still_there(app, moderator, id).await? else { return Ok(Batch::new()) };
    let awaits = content.hidden().is_some_and(Removal::awaits_review);
    Ok(match (ruling.uphold, awaits || ruling.hide) {
        (true, true) => hidden_by_moderator(app, moderator, id, &content, &ruling.reason).await?,
        (false, _) if awaits => restored(app, moderator, id, &content, &ruling.reason).await?,
        _ => Batch::new(),
    })
}

/// What was reported, unless it was deleted meanwhile.
async fn still_there(app: &App, moderator: &Moderator, id: &ContentId) -> Result<Option<Content>> {
    match Content::find(app, moderator, id).await {
        Ok(content) => Ok(Some(content)),
        Err(Error::Coded(Code::NotFound, _)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reports of a state, oldest first.
#[must_use]
pub fn queue(_moderator: &Moderator, state: ReportState) -> Listing<Report> {
    Listing { name: "moderationQueue", filter: Report::queue(state), order: Report::CREATED_AT.asc() }
}
