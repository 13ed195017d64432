//! Signing in: a request for a code, and how often an address was tried.

use std::fmt::Write;

use aws_lc_rs::digest;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::email::EmailAddress;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// A code is tried at most this often: with 27^8 codes, five guesses are no risk and forgive typing.
pub const TRIES: i64 = 5;

/// So many wrong codes in a row pause an address…
pub const WRONG_BEFORE_PAUSE: i64 = 10;

/// …for so many minutes, in which its codes don't work. Links do, in the browser that asked, so
/// that nobody can be locked out by somebody else's guesses.
pub const PAUSE_MINUTES: i64 = 15;

/// Wrong codes are in a row when no more than so many hours lie between them.
pub const WRONG_KEPT_HOURS: i64 = 24;

/// A code is compared with at most so many of an address's latest requests, so that somebody who
/// asked twice can use either mail. The limits on mails keep the live ones below this.
pub const LATEST: usize = 10;

/// Somebody asked to sign in with an address. The code and the link are not stored, not even
/// hashed: they are derived from this id with the installation's secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    #[serde(rename = "_id")]
    pub id: Id<SignIn>,
    pub version: i64,
    pub email: EmailAddress,
    pub email_key: String,
    /// How often a code was tried on it, the right one included.
    pub tries: i64,
    /// When its code or link was used. It is kept until it expires, so that a used code that comes
    /// again (a second click) is told from a guess.
    pub used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

document!(
    SignIn,
    "sgn",
    "signIns",
    [
        Index::named("email").asc(SignIn::EMAIL_KEY).desc(SignIn::CREATED_AT),
        Index::named("expires").asc(SignIn::EXPIRES_AT),
    ]
);

impl SignIn {
    pub const EMAIL_KEY: Field<Self, String> = Field::new("emailKey");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");
    pub const TRIES: Field<Self, i64> = Field::new("tries");
    pub const USED_AT: Field<Self, Option<Timestamp>> = Field::new("usedAt");

    /// A request made at `now`, whose code and link work for so many minutes.
    #[must_use]
    pub fn new(id: Id<Self>, email: EmailAddress, minutes: i64, now: Timestamp) -> Self {
        let email_key = email.key();
        let expires_at = now.plus(TimeDelta::minutes(minutes));
        Self { id, version: 1, email, email_key, tries: 0, used_at: None, created_at: now, expires_at }
    }

    /// Neither used nor too old.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }

    /// Whether a code can still be tried on it. Its link may work when this doesn't hold.
    #[must_use]
    pub fn takes_codes(&self, now: Timestamp) -> bool {
        self.is_live(now) && self.tries < TRIES
    }
}

/// Consecutive wrong codes for an address, whatever request they were for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempts {
    #[serde(rename = "_id")]
    pub id: Id<Attempts>,
    pub version: i64,
    pub wrong: i64,
    pub paused_until: Option<Timestamp>,
    pub expires_at: Timestamp,
}

document!(Attempts, "att", "attempts", [Index::named("expires").asc(Attempts::EXPIRES_AT)]);

impl Attempts {
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    /// One an address: a digest of its key, which may hold what ids don't.
    #[must_use]
    pub fn id_of(email_key: &str) -> Id<Self> {
        let digest = digest::digest(&digest::SHA256, email_key.as_bytes());
        let hex = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Id::of(&hex)
    }

    #[must_use]
    pub fn none(id: Id<Self>, now: Timestamp) -> Self {
        Self { id, version: 1, wrong: 0, paused_until: None, expires_at: now }
    }

    /// Counts a wrong code. The pause that the last one brings starts the count anew, so that each
    /// pause ends and has to be earned again.
    pub fn count_wrong(&mut self, now: Timestamp) {
        self.wrong = if now < self.expires_at { self.wrong + 1 } else { 1 };
        self.expires_at = now.plus(TimeDelta::hours(WRONG_KEPT_HOURS));
        if self.wrong >= WRONG_BEFORE_PAUSE {
            self.wrong = 0;
            self.paused_until = Some(now.plus(TimeDelta::minutes(PAUSE_MINUTES)));
        }
    }

    /// Seconds until codes work again; `None` when they do.
    #[must_use]
    pub fn pause_left(&self, now: Timestamp) -> Option<u64> {
        let left = self.paused_until?.since(now).num_milliseconds();
        u64::try_from(left).ok().filter(|left| *left > 0).map(|left| left.div_ceil(1000))
    }
}

/// How many mails with codes an address may be sent.
#[derive(Clone, Copy, Debug)]
pub struct MailQuota {
    pub at_once: u32,
    pub per_hour: u32,
}

/// The mails with codes that an address was sent lately, whichever process sent them.
///
/// Kept as one moment, the one from which the address may be sent as many at once as at first: each mail
/// moves it on (the generic cell rate algorithm, ITU-T I.371). After that moment it says nothing, and is
/// forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mails {
    /// Made of a secret digest of the address's key.
    #[serde(rename = "_id")]
    pub id: Id<Mails>,
    pub version: i64,
    pub expires_at: Timestamp,
}

document!(Mails, "mls", "mails", [Index::named("expires").asc(Mails::EXPIRES_AT)]);

impl Mails {
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    #[must_use]
    pub fn none(id: Id<Self>, now: Timestamp) -> Self {
        Self { id, version: 1, expires_at: now }
    }

    /// Whether one more may be sent at `now`, which is counted then.
    pub fn take(&mut self, quota: MailQuota, now: Timestamp) -> bool {
        let apart = TimeDelta::hours(1) / i32::try_from(quota.per_hour.max(1)).unwrap_or(i32::MAX);
        let at_once = i32::try_from(quota.at_once.max(1)).unwrap_or(i32::MAX);
        let next = self.expires_at.max(now).plus(apart);
        let fits = next.since(now) <= apart.checked_mul(at_once).unwrap_or(TimeDelta::MAX);
        if fits {
            self.expires_at = next;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_mails_at_once_then_six_an_hour() {
        let quota = MailQuota { at_once: 3, per_hour: 6 };
        let mut now = Timestamp::from_millis(0);
        let mut mails = Mails::none(Id::of("a"), now);
        assert_eq!([(); 4].map(|()| mails.take(quota, now)), [true, true, true, false]);
        let mut sent = 0;
        for _ in 0..60 {
            now = now.plus(TimeDelta::minutes(1));
            sent += u32::from(mails.take(quota, now));
        }
        assert_eq!(sent, 6);
        now = now.plus(TimeDelta::minutes(30));
        assert_eq!([(); 4].map(|()| mails.take(quota, now)), [true, true, true, false], "all three are back");
    }

    #[test]
    fn ten_wrong_codes_in_a_row_pause_for_a_quarter_of_an_hour() {
        let mut now = Timestamp::from_millis(0);
        let mut attempts = Attempts::none(Attempts::id_of("a@nhs.net"), now);
        for _ in 1..WRONG_BEFORE_PAUSE {
            attempts.count_wrong(now);
            assert_eq!(attempts.pause_left(now), None);
        }
        attempts.count_wrong(now);
        assert_eq!(attempts.pause_left(now), Some(900));
        now = now.plus(TimeDelta::milliseconds(899_001));
        assert_eq!(attempts.pause_left(now), Some(1));
        now = now.plus(TimeDelta::seconds(1));
        assert_eq!(attempts.pause_left(now), None);
        attempts.count_wrong(now);
        assert_eq!((attempts.pause_left(now), attempts.wrong), (None, 1));
    }

    #[test]
    fn old_mistakes_are_forgotten() {
        let now = Timestamp::from_millis(0);
        let mut attempts = Attempts::none(Attempts::id_of("a@nhs.net"), now);
        (0..9).for_each(|_| attempts.count_wrong(now));
        attempts.count_wrong(now.plus(TimeDelta::hours(WRONG_KEPT_HOURS)));
        assert_eq!(attempts.wrong, 1);
    }
}
