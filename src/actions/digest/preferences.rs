//! When digests come.

use async_graphql::MaybeUndefined;
use chrono::{NaiveTime, TimeDelta, Timelike, Weekday};

use crate::{
    actions::{
        access::Viewer,
        once::{Decision, Request, once},
    },
    app::App,
    domain::{
        calendar::Date,
        case_study::problems::Problems,
        digest::window::PAUSE_DAYS_MAX,
        member::{DigestFrequency, DigestPreferences, Member},
    },
    error::{Code, Error, Result, not_found},
    store::Batch,
};

/// What a member changes; what is not given stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub frequency: Option<DigestFrequency>,
    pub weekday: Option<Weekday>,
    /// In London: `07:30`.
    pub time: Option<String>,
    /// No digest comes before this day; null ends a pause.
    pub paused_until: MaybeUndefined<Date>,
}

/// Changes when the viewer's digests come.
///
/// # Errors
/// Every problem at once, each with its field.
pub async fn update(app: &App, viewer: &Viewer, changes: &Changes, request: &Request) -> Result<Member> {
    once(app, viewer, request, || async {
        let mut member = app.store.one(&viewer.id).await?.ok_or_else(|| not_found("member"))?;
        let now = app.clock.now();
        let preferences = read(&member.digest, changes, Date::of(now))?;
        if preferences == member.digest && member.digest_due_at.is_some() {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        member.choose_digest(preferences, now);
        let batch = Batch::new().replace(&member);
        member.version += 1;
        Ok(Decision { result: member, batch })
    })
    .await
}

fn read(before: &DigestPreferences, changes: &Changes, today: Date) -> Result<DigestPreferences> {
    let mut problems = Problems::default();
    let minute = changes.time.as_deref().and_then(|time| {
        let read = NaiveTime::parse_from_str(time.trim(), "%H:%M").ok();
        if read.is_none() {
            problems.add("time", Code::Invalid, "Enter a time from 00:00 to 23:59, like 07:30.");
        }
        read.map(|time| time.hour() * 60 + time.minute())
    });
    let paused_until = match &changes.paused_until {
        MaybeUndefined::Undefined => before.paused_until.filter(|day| *day > today),
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(day) if *day <= today => {
            problems.add("pausedUntil", Code::Invalid, "Choose a day that is still to come.");
            None
        }
        MaybeUndefined::Value(day) if day.0 - today.0 > TimeDelta::days(PAUSE_DAYS_MAX) => {
            let message = "A pause lasts a year at most. To hear nothing for longer, turn digests off.";
            problems.add("pausedUntil", Code::Invalid, message);
            None
        }
        MaybeUndefined::Value(day) => Some(*day),
    };
    let preferences = DigestPreferences {
        frequency: changes.frequency.unwrap_or(before.frequency),
        weekday: changes.weekday.unwrap_or(before.weekday),
        minute: minute.unwrap_or(before.minute),
        paused_until,
    };
    let problems = problems.into_vec();
    if problems.is_empty() { Ok(preferences) } else { Err(Error::Refused(problems)) }
}
