//! Second factors: what members show beside the code from their e-mail, so that whoever reads their mail
//! alone can't sign in as them.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Index},
};

/// Factors of one member: a few devices and somewhere safe.
pub const FACTORS_MAX: usize = 10;
/// A name says which device it is on, on one line.
pub const NAME_MAX: usize = 50;
/// Recovery codes that a member is given at once.
pub const RECOVERY_CODES: usize = 10;
/// So many wrong codes in a row pause a member's codes…
pub const WRONG_BEFORE_PAUSE: i64 = 5;
/// …for so many minutes: of a million codes three are right at a time, so guessing one takes longer than a
/// year on average. Passkeys work meanwhile, as nobody can guess them.
pub const PAUSE_MINUTES: i64 = 15;
/// Factors are changed by a session that showed one within so many minutes.
pub const FRESH_MINUTES: i64 = 10;

/// All that a member can show, in one document: so whatever is used is used once, however many try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactors {
    #[serde(rename = "_id")]
    pub id: Id<SecondFactors>,
    pub version: i64,
    pub member: Id<Member>,
    /// Never empty in the store: a member without any has no such document.
    pub factors: Vec<Factor>,
    /// The ids of the passkeys among them, by which one that somebody else has registered is found.
    pub credentials: Vec<String>,
    /// Of those that are not used yet, with the installation's keys.
    pub recovery_codes: Vec<String>,
    /// Consecutive wrong codes.
    pub wrong: i64,
    pub paused_until: Option<Timestamp>,
}

document!(
    SecondFactors,
    "mfa",
    "secondFactors",
    [Index::named("credential").each(SecondFactors::CREDENTIALS)]
);

/// One thing that a member can show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Factor {
    pub id: Id<Factor>,
    pub name: String,
    pub proof: Proof,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

impl Identified for Factor {
    const PREFIX: &'static str = "fac";
}

/// What it is recognised by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Proof {
    /// The secret is not stored: it is derived from the factor's id.
    Totp {
        /// The latest step whose code was used. No code of it or before works any more (RFC 6238, 5.2).
        last_step: i64,
    },
    Passkey {
        credential_id: String,
        /// The public key and what else there is to know, as webauthn-rs writes it.
        credential: String,
        /// How often its device said that it was used; 0 for those that don't count.
        counter: i64,
    },
}

/// What a second factor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "SecondFactorKind")]
#[serde(rename_all = "kebab-case")]
pub enum FactorKind {
    /// An authenticator app, whose codes change every 30 seconds (RFC 6238).
    Totp,
    /// A passkey or security key (WebAuthn).
    Passkey,
}

impl FactorKind {
    /// What people call it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Totp => "Authenticator app",
            Self::Passkey => "Passkey",
        }
    }

    /// The same within a sentence.
    #[must_use]
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Totp => "an authenticator app",
            Self::Passkey => "a passkey",
        }
    }
}

/// What a member is told of their factors by e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorNews {
    Added(FactorKind),
    Removed(FactorKind),
    CodesRenewed,
    /// With how many are left.
    CodeUsed(usize),
    /// A passkey did not count on: there may be a copy of it.
    Copied,
    /// By an administrator, or an operator of the installation.
    Reset,
}

impl Proof {
    #[must_use]
    pub fn kind(&self) -> FactorKind {
        match self {
            Self::Totp { .. } => FactorKind::Totp,
            Self::Passkey { .. } => FactorKind::Passkey,
        }
    }
}

impl Factor {
    #[must_use]
    pub fn kind(&self) -> FactorKind {
        self.proof.kind()
    }
}

impl SecondFactors {
    pub const CREDENTIALS: Field<Self, Vec<String>> = Field::new("credentials");

    #[must_use]
    pub fn id_of(member: &Id<Member>) -> Id<Self> {
        Id::of(member.as_str())
    }

    /// Those of a member who has none yet.
    #[must_use]
    pub fn none(member: &Id<Member>) -> Self {
        Self {
            id: Self::id_of(member),
            version: 1,
            member: member.clone(),
            factors: Vec::new(),
            credentials: Vec::new(),
            recovery_codes: Vec::new(),
            wrong: 0,
            paused_until: None,
        }
    }

    pub fn add(&mut self, factor: Factor) {
        self.factors.push(factor);
        self.list_credentials();
    }

    pub fn remove(&mut self, id: &Id<Factor>) -> Option<Factor> {
        let at = self.factors.iter().position(|factor| factor.id == *id)?;
        let factor = self.factors.remove(at);
        self.list_credentials();
        Some(factor)
    }

    fn list_credentials(&mut self) {
        let ids = self.factors.iter().filter_map(|factor| match &factor.proof {
            Proof::Passkey { credential_id, .. } => Some(credential_id.clone()),
            Proof::Totp { .. } => None,
        });
        self.credentials = ids.collect();
    }

    #[must_use]
    pub fn has(&self, kind: FactorKind) -> bool {
        self.factors.iter().any(|factor| factor.kind() == kind)
    }

    /// What is stored of the passkeys.
    pub fn passkeys(&self) -> impl Iterator<Item = &str> {
        self.factors.iter().filter_map(|factor| match &factor.proof {
            Proof::Passkey { credential, .. } => Some(credential.as_str()),
            Proof::Totp { .. } => None,
        })
    }

    /// Seconds until codes work again; `None` when they do.
    #[must_use]
    pub fn pause_left(&self, now: Timestamp) -> Option<u64> {
        let left = self.paused_until?.since(now).num_milliseconds();
        u64::try_from(left).ok().filter(|left| *left > 0).map(|left| left.div_ceil(1000))
    }

    /// Counts a wrong code. The pause that the last one brings starts the count anew.
    pub fn count_wrong(&mut self, now: Timestamp) {
        self.wrong += 1;
        if self.wrong >= WRONG_BEFORE_PAUSE {
            self.wrong = 0;
            self.paused_until = Some(now.plus(TimeDelta::minutes(PAUSE_MINUTES)));
        }
    }

    /// Uses up a code of an authenticator app: `step_of` says which step of an app it is of. Whether it
    /// is one that was not used before.
    pub fn use_totp(&mut self, now: Timestamp, step_of: impl Fn(&Id<Factor>) -> Option<i64>) -> bool {
        for factor in &mut self.factors {
            if let Proof::Totp { last_step } = &mut factor.proof
                && let Some(step) = step_of(&factor.id)
                && step > *last_step
            {
                *last_step = step;
                factor.last_used_at = Some(now);
                self.wrong = 0;
                return true;
            }
        }
        false
    }

    /// Uses up the recovery code that is known by this hash.
    pub fn use_recovery_code(&mut self, hash: &str) -> bool {
        let before = self.recovery_codes.len();
        self.recovery_codes.retain(|known| known != hash);
        let used = self.recovery_codes.len() < before;
        if used {
            self.wrong = 0;
        }
        used
    }

    /// Notes that a passkey was shown, and what its device counted. Not one that counts and did not
    /// count on: then there is a copy of it (WebAuthn, 7.2, step 22).
    pub fn use_passkey(&mut self, shown: &ShownPasskey, now: Timestamp) -> bool {
        for factor in &mut self.factors {
            if let Proof::Passkey { credential_id, credential, counter } = &mut factor.proof
                && *credential_id == shown.credential_id
            {
                if (shown.counter > 0 || *counter > 0) && shown.counter <= *counter {
                    return false;
                }
                *counter = shown.counter;
                credential.clone_from(&shown.credential);
                factor.last_used_at = Some(now);
                self.wrong = 0;
                return true;
            }
        }
        false
    }
}

/// A passkey whose signature was good.
#[derive(Clone, Debug)]
pub struct ShownPasskey {
    pub credential_id: String,
    /// As it is to be stored now.
    pub credential: String,
    pub counter: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn with(proof: Proof) -> SecondFactors {
        let mut factors = SecondFactors::none(&Id::of("1"));
        let factor = Factor {
            id: Id::of("1"),
            name: "Phone".to_owned(),
            proof,
            created_at: at(0),
            last_used_at: None,
        };
        factors.add(factor);
        factors
    }

    #[test]
    fn a_code_works_once_and_none_before_it_any_more() {
        let mut factors = with(Proof::Totp { last_step: 0 });
        for (step, used) in [(7, true), (7, false), (6, false), (8, true)] {
            assert_eq!(factors.use_totp(at(1), |_| Some(step)), used, "{step}");
        }
        assert!(!factors.use_totp(at(1), |_| None));
        assert_eq!(factors.factors[0].last_used_at, Some(at(1)));
    }

    #[test]
    fn five_wrong_codes_in_a_row_pause_for_a_quarter_of_an_hour() {
        let mut factors = with(Proof::Totp { last_step: 0 });
        (0..4).for_each(|_| factors.count_wrong(at(0)));
        assert!(factors.use_totp(at(0), |_| Some(1)));
        (0..4).for_each(|_| factors.count_wrong(at(0)));
        assert_eq!(factors.pause_left(at(0)), None, "they were not in a row");
        factors.count_wrong(at(0));
        assert_eq!(factors.pause_left(at(0)), Some(900));
        assert_eq!(factors.pause_left(at(900)), None);
        factors.count_wrong(at(900));
        assert_eq!(factors.pause_left(at(900)), None, "the count starts anew");
    }

    #[test]
    fn a_recovery_code_works_once() {
        let mut factors = with(Proof::Totp { last_step: 0 });
        factors.recovery_codes = vec!["a".to_owned(), "b".to_owned()];
        let used = ["a", "a", "c", "b"].map(|hash| factors.use_recovery_code(hash));
        assert_eq!(used, [true, false, false, true]);
    }

    #[test]
    fn a_copy_of_a_passkey_is_noticed_by_its_count() {
        let passkey =
            |counter| Proof::Passkey { credential_id: "k".to_owned(), credential: "c".to_owned(), counter };
        let shown =
            |counter| ShownPasskey { credential_id: "k".to_owned(), credential: "d".to_owned(), counter };
        for (before, now, good) in
            [(0, 0, true), (0, 1, true), (5, 6, true), (5, 5, false), (5, 4, false), (5, 0, false)]
        {
            assert_eq!(with(passkey(before)).use_passkey(&shown(now), at(0)), good, "{before} {now}");
        }
        let other = ShownPasskey { credential_id: "x".to_owned(), ..shown(1) };
        assert!(!with(passkey(0)).use_passkey(&other, at(0)));
    }

    #[test]
    fn passkeys_are_found_by_their_ids() {
        let mut factors =
            with(Proof::Passkey { credential_id: "k".to_owned(), credential: "c".to_owned(), counter: 0 });
        assert_eq!(factors.credentials, ["k"]);
        factors.remove(&Id::of("1"));
        assert!(factors.credentials.is_empty() && factors.factors.is_empty());
    }
}
