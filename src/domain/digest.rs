//! Digests: the weekly letter to a member, and the windows of time that letters cover.
//!
//! A member's windows tile time: each begins where the one before it ended (`from` excluded, `until`
//! included), so nothing is told twice and nothing is left out. `until` is the moment at which the
//! digest was due, not the one at which a worker got round to it; a service that was away for three
//! weeks therefore sends one letter about all three.
//!
//! Due moments follow London's wall clock, and weeks its calendar. On the last Sunday of March the
//! hour from 01:00 does not exist: what is due in it is due an hour later by the clock, at the same
//! distance from midnight. On the last Sunday of October it comes twice: the first one counts.

use chrono::{Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::Europe::London;
use serde::{Deserialize, Serialize};

use super::member::{DigestFrequency, DigestPreferences, Member};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

/// How far back a digest looks at most for somebody who turns digests on again. Who unsubscribed by
/// mistake misses nothing; who was away for a year is not told about all of it.
const CATCH_UP_DAYS: i64 = 7;

/// After so many digests in a row that the mail server refused for good, no more are planned: a
/// relay that keeps sending to dead mailboxes loses its reputation.
pub const BOUNCES_MAX: usize = 3;

/// One planned or sent digest. Its id is made of the member and the day it was due, so there is
/// never a second one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    #[serde(rename = "_id")]
    pub id: Id<Digest>,
    pub version: i64,
    pub member: Id<Member>,
    /// What was published or said after this moment…
    pub from: Timestamp,
    /// …and up to this one.
    pub until: Timestamp,
    pub state: DigestState,
    pub sent_at: Option<Timestamp>,
}

document!(Digest, "dig", "digests", [Index::named("member").asc(Digest::MEMBER).desc(Digest::UNTIL)]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigestState {
    Planned,
    Sent,
    /// There was nothing to say.
    Empty,
    /// The member turned digests off before it went out.
    Dropped,
    /// The mail server will never take mail for this address (5xx).
    Bounced,
}
scalar_enum!(DigestState);

impl Digest {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const UNTIL: Field<Self, Timestamp> = Field::new("until");
    pub const STATE: Field<Self, DigestState> = Field::new("state");
    pub const SENT_AT: Field<Self, Option<Timestamp>> = Field::new("sentAt");

    /// The digest of a member for a window.
    #[must_use]
    pub fn planned(member: &Id<Member>, window: &Window) -> Self {
        let day = window.until.london().format("%Y%m%d");
        Self {
            id: Id::of(&format!("{member}-{day}")),
            version: 1,
            member: member.clone(),
            from: window.from,
            until: window.until,
            state: DigestState::Planned,
            sent_at: None,
        }
    }

    #[must_use]
    pub fn of_member(member: &Id<Member>) -> Filter<Self> {
        Self::MEMBER.eq(member.clone())
    }

    /// Whether a bounce after these digests (newest first) is one too many.
    #[must_use]
    pub fn bounces_too_often(earlier: &[Self]) -> bool {
        let tried = earlier.iter().map(|digest| digest.state);
        let mut tried = tried.filter(|state| matches!(state, DigestState::Sent | DigestState::Bounced));
        tried.by_ref().take(BOUNCES_MAX - 1).filter(|state| *state == DigestState::Bounced).count()
            == BOUNCES_MAX - 1
    }
}

/// What a digest that is due covers: after `from`, up to and including `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    /// The window that is due for a member at `now`, all weeks that were missed included.
    #[must_use]
    pub fn due(member: &Member, now: Timestamp) -> Option<Self> {
        let due = member.digest_due_at.filter(|due| *due <= now)?;
        let latest = latest_due(&member.digest, now)?;
        let window = Self { from: member.digest_covered_until, until: due.max(latest) };
        (window.from < window.until).then_some(window)
    }

    #[must_use]
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.from < moment && moment <= self.until
    }
}

/// The first moment after `after` at which a digest is due; `None` when none is wanted.
#[must_use]
pub fn next_due(preferences: &DigestPreferences, after: Timestamp) -> Option<Timestamp> {
    if preferences.frequency == DigestFrequency::Off {
        return None;
    }
    let today = after.london().date_naive();
    let days = u64::from(preferences.weekday.days_since(today.weekday()));
    let coming = |days| Some(moment(today.checked_add_days(Days::new(days))?, preferences.minute));
    coming(days).filter(|due| *due > after).or_else(|| coming(days + 7))
}

/// The last moment up to `at` at which a digest was due; `None` when none is wanted.
fn latest_due(preferences: &DigestPreferences, at: Timestamp) -> Option<Timestamp> {
    if preferences.frequency == DigestFrequency::Off {
        return None;
    }
    let today = at.london().date_naive();
    let days = u64::from(today.weekday().days_since(preferences.weekday));
    let past = |days| Some(moment(today.checked_sub_days(Days::new(days))?, preferences.minute));
    past(days).filter(|due| *due <= at).or_else(|| past(days + 7))
}

/// So many minutes after midnight on a day in London.
fn moment(day: NaiveDate, minute: u32) -> Timestamp {
    let last = 24 * 60 - 1;
    let minutes = TimeDelta::minutes(i64::from(minute.min(last)));
    let wall = day.and_time(NaiveTime::MIN) + minutes;
    let time = match London.from_local_datetime(&wall) {
        MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => time,
        // The clocks went forward over it, by an hour.
        MappedLocalTime::None => London
            .from_local_datetime(&(wall + TimeDelta::hours(1)))
            .earliest()
            .unwrap_or_else(|| London.from_utc_datetime(&wall)),
    };
    Timestamp::from(time.to_utc())
}

impl Member {
    /// Changes when digests come. Turned on again, they go back [`CATCH_UP_DAYS`] days at most.
    pub fn choose_digest(&mut self, preferences: DigestPreferences, now: Timestamp) {
        if self.digest_due_at.is_none() && preferences.frequency != DigestFrequency::Off {
            let earliest = now.minus(TimeDelta::days(CATCH_UP_DAYS));
            self.digest_covered_until = self.digest_covered_until.max(earliest);
        }
        self.digest_due_at = next_due(&preferences, now);
        self.digest = preferences;
    }
}

/// "Tuesday", for a sentence.
#[must_use]
pub const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
