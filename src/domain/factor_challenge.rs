//! Challenges: what a second factor is shown or registered in answer to. Each is answered once, and soon.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{identity::Identity, member::Member, second_factor::Factor, session::Session};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// How long a challenge waits: time enough to find a phone, or to install an app.
pub const CHALLENGE_MINUTES: i64 = 10;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactorChallenge {
    #[serde(rename = "_id")]
    pub id: Id<FactorChallenge>,
    pub version: i64,
    pub member: Id<Member>,
    pub purpose: Purpose,
    /// None where there is no passkey.
    pub ceremony: Option<Ceremony>,
    /// What is linked with the member when it is answered: they came from a provider of single sign-on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    pub expires_at: Timestamp,
}

document!(
    FactorChallenge,
    "fch",
    "factorChallenges",
    [Index::named("expires").asc(FactorChallenge::EXPIRES_AT)]
);

/// What happens when it is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Purpose {
    /// A session begins: the code from the e-mail was right, or a provider of single sign-on said who it is.
    SignIn,
    /// This session has shown a factor.
    Show { session: Id<Session> },
    /// An authenticator app is registered.
    AddTotp,
    /// A passkey is registered.
    AddPasskey,
}

/// What a browser is asked, and what has to be remembered to check its answer; both as webauthn-rs writes
/// them. The second never leaves the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceremony {
    pub options: String,
    pub state: String,
}

impl FactorChallenge {
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    #[must_use]
    pub fn new(
        id: Id<Self>,
        member: &Id<Member>,
        purpose: Purpose,
        ceremony: Option<Ceremony>,
        now: Timestamp,
    ) -> Self {
        let expires_at = now.plus(TimeDelta::minutes(CHALLENGE_MINUTES));
        Self { id, version: 1, member: member.clone(), purpose, ceremony, identity: None, expires_at }
    }

    /// Whether this may answer it at `now`.
    #[must_use]
    pub fn is_open(&self, purpose: &Purpose, now: Timestamp) -> bool {
        self.purpose == *purpose && now < self.expires_at
    }

    /// The id of the factor that it registers.
    #[must_use]
    pub fn factor(&self) -> Id<Factor> {
        Id::of(self.id.as_str().rsplit('_').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_open_for_its_purpose_for_ten_minutes() {
        let start = Timestamp::from_millis(0);
        let challenge = FactorChallenge::new(Id::of("01A"), &Id::of("1"), Purpose::AddTotp, None, start);
        let late = start.plus(TimeDelta::minutes(CHALLENGE_MINUTES));
        assert!(challenge.is_open(&Purpose::AddTotp, late.minus(TimeDelta::milliseconds(1))));
        assert!(!challenge.is_open(&Purpose::AddTotp, late));
        assert!(!challenge.is_open(&Purpose::SignIn, start));
        assert_eq!(challenge.factor(), Id::of("01A"));
    }
}
