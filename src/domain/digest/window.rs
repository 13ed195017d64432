//! When digests are due, and the windows of time that they cover.
//!
//! A member's windows tile time: each begins where the one before it ended (`from` excluded, `until`
//! included), so nothing is told twice and nothing is left out. `until` is the moment at which the
//! digest was due, not the one at which a worker got round to it; a service that was away for three
//! weeks therefore sends one letter about all three. So does a member who paused digests for three.
//!
//! Due moments follow London's wall clock, and weeks its calendar: a fortnightly digest comes in every
//! other week counted from a fixed Monday, which a year of 53 weeks does not upset, and a monthly one on
//! the first chosen weekday of the month. On the last Sunday of March the hour from 01:00 does not
//! exist: what is due in it is due an hour later by the clock, at the same distance from midnight. On
//! the last Sunday of October it comes twice: the first one counts.

use chrono::{Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Europe::London;

use crate::{
    clock::Timestamp,
    domain::{
        calendar::Date,
        member::{DigestFrequency, DigestPreferences, Member},
    },
};

/// How far back a digest looks at most for somebody who turns digests on again. Who unsubscribed by
/// mistake misses nothing; who was away for a year is not told about all of it.
const CATCH_UP_DAYS: i64 = 7;

/// The longest pause. Whoever wants to hear nothing for longer turns digests off.
pub const PAUSE_DAYS_MAX: i64 = 366;

/// Weeks between two monthly digests, at most.
const WEEKS_MAX: u64 = 5;

/// A Monday. Weeks are counted from it.
const WEEK_ZERO: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();

/// What a digest that is due covers: after `from`, up to and including `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Window {
    /// The window that is due for a member at `now`, all that were missed included.
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
    // A pause ends with the first digest on the day it names.
    let before_it = |day: Date| day.starts().minus(TimeDelta::milliseconds(1));
    let after = preferences.paused_until.map_or(after, |day| after.max(before_it(day)));
    let today = after.london().date_naive();
    let days = u64::from(preferences.weekday.days_since(today.weekday()));
    let coming = (0..=WEEKS_MAX).filter_map(|week| today.checked_add_days(Days::new(days + 7 * week)));
    let coming = coming.filter(|day| comes_on(preferences.frequency, *day));
    coming.map(|day| moment(day, preferences.minute)).find(|due| *due > after)
}

/// The last moment up to `at` at which a digest was due; `None` when none is wanted.
fn latest_due(preferences: &DigestPreferences, at: Timestamp) -> Option<Timestamp> {
    let today = at.london().date_naive();
    let days = u64::from(today.weekday().days_since(preferences.weekday));
    let past = (0..=WEEKS_MAX).filter_map(|week| today.checked_sub_days(Days::new(days + 7 * week)));
    let past = past.filter(|day| comes_on(preferences.frequency, *day));
    past.map(|day| moment(day, preferences.minute)).find(|due| *due <= at)
}

/// Whether a digest comes on a day of the chosen weekday.
fn comes_on(frequency: DigestFrequency, day: NaiveDate) -> bool {
    match frequency {
        DigestFrequency::Weekly => true,
        DigestFrequency::Fortnightly => (day - WEEK_ZERO).num_days().div_euclid(7) % 2 == 0,
        DigestFrequency::Monthly => day.day() <= 7,
        DigestFrequency::Off => false,
    }
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
