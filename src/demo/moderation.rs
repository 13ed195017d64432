//! What is reported in the demonstration, what its moderator decided, and what is pinned.

use chrono::TimeDelta;
use serde::Deserialize;

use super::life::Life;
use crate::{
    clock::Timestamp,
    domain::{
        audit::{AuditAction, AuditEntry, Facts},
        comment::Comment,
        contribution::{Contribution, State},
        digest::note::TEXT_MAX,
        member::Member,
        moderation::{ContentId, REASON_MAX, SubjectId},
        report::{NOTE_MAX, Report, ReportReason, ReportState},
        sight::{Removal, RemovedBy},
        text::{RichText, line},
        thread::Thread,
    },
    error::{Error, Result},
    ids::Id,
};

const FILE: &str = include_str!("content/moderation.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    report: Vec<WrittenReport>,
    /// Oldest first.
    pin: Vec<WrittenPin>,
    editors_note: WrittenNote,
}

/// What the moderator says in this week's digests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNote {
    text: String,
    pinned: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenReport {
    /// The title.
    contribution: String,
    /// The number of the comment, where it is about one.
    comment: Option<i64>,
    reason: ReportReason,
    note: String,
    days_ago: i64,
    ruling: Option<WrittenRuling>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRuling {
    /// Then the comment that it is about is hidden.
    uphold: bool,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPin {
    contribution: String,
    days_ago: i64,
    reason: String,
}

/// # Errors
/// When the file is not of the form above.
pub(super) fn read() -> Result<Written, String> {
    toml::from_str(FILE).map_err(|error| format!("the demonstration's reports can't be read: {error}"))
}

impl Life<'_> {
    /// Reports and pins what was written to be, and decides on it.
    ///
    /// # Errors
    /// When the written words are refused, or there is no such comment.
    pub(super) fn moderate(
        &mut self,
        of: &Contribution,
        thread: &mut Thread,
        comments: &mut [Comment],
    ) -> Result<()> {
        let written = self.moderation;
        for pin in written.pin.iter().filter(|pin| pin.contribution == of.title()) {
            self.pin(of, pin)?;
        }
        if written.editors_note.pinned == of.title() {
            let text = RichText::parse("text", &written.editors_note.text, TEXT_MAX);
            self.editors_note.text = Some(text.map_err(|problem| Error::Refused(vec![problem]))?);
            self.editors_note.pinned = Some(of.id());
        }
        for report in written.report.iter().filter(|report| report.contribution == of.title()) {
            let Some(number) = report.comment else {
                self.report(report, &ContentId::Contribution(of.id()), of.author(), of.began_at())?;
                continue;
            };
            let comment = comments.iter_mut().find(|comment| comment.number == number).ok_or_else(|| {
                Error::Fault(format!("no comment {number} to report under {:?}", of.title()))
            })?;
            let id = ContentId::from(&comment.id);
            comment.removed = self.report(report, &id, &comment.author, comment.created_at)?;
            if comment.is_hidden() {
                thread.remove(number);
            }
        }
        Ok(())
    }

    /// Adds a report and what was decided on it. How what was reported is hidden, if it is.
    fn report(
        &mut self,
        written: &WrittenReport,
        subject: &ContentId,
        author: &Id<Member>,
        since: Timestamp,
    ) -> Result<Option<Removal>> {
        let builder = self.builder;
        let at = self.moment(written.days_ago, since);
        builder.clock.set(at);
        let start = builder.below(self.members.len());
        let somebody = self.members.iter().cycle().skip(start);
        let reporter = somebody
            .take(self.members.len())
            .find(|member| member.id != *author && !member.moderates())
            .ok_or_else(|| Error::Fault("nobody to report something".to_owned()))?;
        let subject_id = SubjectId::Content(subject.clone());
        let mut report = Report {
            id: builder.ids.fresh(),
            version: 1,
            reporter: reporter.id.clone(),
            reason: written.reason,
            note: Some(said("note", &written.note, NOTE_MAX)?),
            state: ReportState::Open,
            open: Some(Report::key(&reporter.id, &subject_id)),
            subject: subject_id,
            created_at: at,
            resolved_at: None,
            resolved_by: None,
            resolution: None,
        };
        if written.reason.hides() {
            let action = AuditAction::HideUntilReviewed;
            let facts = (Facts::state(State::Published), Facts::state(State::Hidden));
            self.audit(&reporter.id, action, subject.as_str(), None, facts);
        }
        let removal = match &written.ruling {
            Some(ruling) => self.decide(&mut report, subject, ruling)?,
            None => None,
        };
        self.reports.push(report);
        Ok(removal)
    }

    fn decide(
        &mut self,
        report: &mut Report,
        subject: &ContentId,
        ruling: &WrittenRuling,
    ) -> Result<Option<Removal>> {
        // The same day, in working hours.
        let at = report.created_at.plus(TimeDelta::minutes(30 + self.builder.below(360) as i64));
        self.builder.clock.set(at);
        let reason = said("reason", &ruling.reason, REASON_MAX)?;
        let moderator = &self.moderator.id;
        let removal =
            ruling.uphold.then(|| Removal::hidden(RemovedBy::Moderator, at, State::Published, &reason));
        if removal.is_some() {
            let before = if report.reason.hides() { State::Hidden } else { State::Published };
            let facts = (Facts::state(before), Facts::state(State::Hidden));
            self.audit(moderator, AuditAction::HideContent, subject.as_str(), Some(&reason), facts);
        }
        let (state, action) = if ruling.uphold {
            (ReportState::Upheld, AuditAction::UpholdReport)
        } else {
            (ReportState::Dismissed, AuditAction::DismissReport)
        };
        let facts = (Facts::report(ReportState::Open), Facts::report(state));
        self.audit(moderator, action, report.id.as_str(), Some(&reason), facts);
        report.state = state;
        report.open = None;
        report.resolved_at = Some(at);
        report.resolved_by = Some(moderator.clone());
        report.resolution = Some(reason);
        Ok(removal)
    }

    fn pin(&mut self, what: &Contribution, written: &WrittenPin) -> Result<()> {
        let at = self.moment(written.days_ago, what.began_at());
        self.builder.clock.set(at);
        let reason = said("reason", &written.reason, REASON_MAX)?;
        self.board.pinned.insert(0, what.id());
        let facts = (Facts::pinned(false), Facts::pinned(true));
        let action = AuditAction::PinContribution;
        self.audit(&self.moderator.id, action, what.id().as_str(), Some(&reason), facts);
        Ok(())
    }

    /// So many days ago, or as soon as there was something to act on.
    fn moment(&self, days_ago: i64, since: Timestamp) -> Timestamp {
        let now = self.builder.now;
        let at = now.minus(TimeDelta::days(days_ago)).plus(TimeDelta::minutes(600));
        at.max(since.plus(TimeDelta::minutes(40))).min(now.minus(TimeDelta::minutes(1)))
    }

    /// Notes an act, as of the clock.
    fn audit(
        &mut self,
        actor: &Id<Member>,
        action: AuditAction,
        subject: &str,
        reason: Option<&str>,
        (before, after): (Facts, Facts),
    ) {
        self.audited.push(AuditEntry {
            id: self.builder.ids.fresh(),
            version: 1,
            actor: actor.clone(),
            action,
            subject: subject.to_owned(),
            about: None,
            reason: reason.map(str::to_owned),
            before,
            after,
            findings: Vec::new(),
            at: self.builder.clock.now(),
        });
    }
}

/// What a person could not write is refused here, too.
fn said(field: &str, text: &str, max: usize) -> Result<String> {
    line(field, text, max).map_err(|problem| Error::Fault(format!("{text:?}: {}", problem.message)))
}
