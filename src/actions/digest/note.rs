//! What moderators say at the top of a week's digests, and what they put there.

use async_graphql::MaybeUndefined;
use chrono::Days;

use crate::{
    actions::{
        access::Moderator,
        audit::{Act, Concerned, acted},
        contribution::find,
        once::{Decision, Request, once},
    },
    app::App,
    domain::{
        audit::AuditAction,
        calendar::Date,
        contribution::{ContributionId, State},
        digest::note::{Note, TEXT_MAX, monday},
        guard::Acknowledged,
        text::{RichText, Written},
    },
    error::{Code, Error, Result},
    store::Batch,
};

/// So many weeks ahead a note can be written, and so many back it is shown.
const WEEKS: u64 = 8;

/// What a moderator changes. What is not given stays; null takes it away.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub text: MaybeUndefined<String>,
    pub pinned: MaybeUndefined<String>,
    pub acknowledged: Acknowledged,
}

/// The notes of the weeks around today, the latest week first.
///
/// # Errors
/// When the store fails.
pub async fn around_now(app: &App, _moderator: &Moderator) -> Result<Vec<Note>> {
    let this = monday(Date::of(app.clock.now())).0;
    let ahead = (1..=WEEKS).rev().filter_map(|weeks| this.checked_add_days(Days::new(7 * weeks)));
    let back = (0..=WEEKS).filter_map(|weeks| this.checked_sub_days(Days::new(7 * weeks)));
    let ids: Vec<_> = ahead.chain(back).map(|week| Note::id_of(Date(week))).collect();
    Ok(app.store.get(&ids).await?.into_iter().flatten().collect())
}

/// Says something in the digests of the week of `day`.
///
/// # Errors
/// `Stale` when it is not at `expected_version` (0: there is none yet); every problem, each with its field.
pub async fn set(
    app: &App,
    moderator: &Moderator,
    day: Date,
    expected_version: i64,
    changes: &Changes,
    request: &Request,
) -> Result<Note> {
    once(app, moderator, request, || async {
        let now = app.clock.now();
        let (this, week) = (monday(Date::of(now)), monday(day));
        let weeks_ahead = (week.0 - this.0).num_weeks();
        if !(0..=WEEKS as i64).contains(&weeks_ahead) {
            let message = format!("Choose this week or one of the next {WEEKS}.");
            return Err(Error::refused("week", Code::Invalid, message));
        }
        let stored = app.store.one(&Note::id_of(week)).await?;
        if stored.as_ref().map_or(0, |note| note.version) != expected_version {
            return Err(Error::Stale);
        }
        let is_new = stored.is_none();
        let before = stored.unwrap_or_else(|| Note::of_week(day, now));
        let mut note = before.clone();
        match &changes.text {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => note.text = None,
            MaybeUndefined::Value(text) => {
                let text = RichText::parse("text", Written::new(text, changes.acknowledged), TEXT_MAX);
                note.text = Some(text.map_err(|problem| Error::Refused(vec![problem]))?);
            }
        }
        match &changes.pinned {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => note.pinned = None,
            MaybeUndefined::Value(id) => note.pinned = Some(published(app, id).await?),
        }
        if note == before && !is_new {
            return Ok(Decision { result: note, batch: Batch::new() });
        }
        note.updated_at = now;
        let batch = if is_new { Batch::new().insert(&note) } else { Batch::new().replace(&note) };
        note.version += i64::from(!is_new);
        let act = Act::new(AuditAction::SetEditorsNote, note.id.as_str());
        let told = acted(app, moderator, act, &Concerned::nobody());
        Ok(Decision { result: note, batch: batch.and(told) })
    })
    .await
}

async fn published(app: &App, id: &str) -> Result<ContributionId> {
    let missing = || {
        let message = "Choose a post or a case study that is published.";
        Error::refused("pinnedId", Code::Unknown, message)
    };
    let id = ContributionId::parse(id).ok_or_else(missing)?;
    let found = find(app, &id).await?.filter(|found| found.state() == State::Published);
    found.map(|_| id).ok_or_else(missing)
}
