//! Sessions: a signed-in browser or program, kept by refresh tokens.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{device::Origin, member::Member};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// A lost response may be asked for again: so many seconds after a rotation, the token before it
/// still brings the one after it.
pub const RETRY_SECONDS: i64 = 10;

/// Of one member: more browsers than anybody uses within a month. A program that signs in anew each time, instead
/// of refreshing, would fill the list in which its member looks for what they don't know.
pub const EACH_MAX: usize = 50;

/// For so many seconds after a session's end, an access token of it may be about: those last ten minutes,
/// and some more for clocks that differ and for answers that were lost.
pub const TOKENS_LAST_SECONDS: i64 = 15 * 60;

/// A family of refresh tokens. The token of a generation is derived from the session's id, the
/// generation and the installation's secret, so nothing stored here can be used to sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    #[serde(rename = "_id")]
    pub id: Id<Session>,
    pub version: i64,
    pub member: Id<Member>,
    /// Counts the rotations; only the latest generation's token works.
    pub generation: i64,
    /// When it was last used, give or take the ten minutes of an access token: nothing is written for a
    /// request.
    pub rotated_at: Timestamp,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// As it was when it was last used.
    #[serde(default)]
    pub origin: Origin,
    /// When it last showed a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor_at: Option<Timestamp>,
}

/// A session that was ended, while an access token of it may be about. Kept with the member, who is
/// loaded for every request: so it ends at once, everywhere, without another look at the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    pub session: Id<Session>,
    pub at: Timestamp,
}

impl Ended {
    /// Whether there may be tokens of it at `now`.
    #[must_use]
    pub fn matters(&self, now: Timestamp) -> bool {
        now.since(self.at) < TimeDelta::seconds(TOKENS_LAST_SECONDS)
    }
}

document!(
    Session,
    "ses",
    "sessions",
    [
        Index::named("member").asc(Session::MEMBER).desc(Session::CREATED_AT),
        Index::named("expires").asc(Session::EXPIRES_AT),
    ]
);

impl Session {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");
    pub const FACTOR_AT: Field<Self, Option<Timestamp>> = Field::new("factorAt");

    /// A session that starts at `now` and ends after so many days without use.
    #[must_use]
    pub fn new(id: Id<Self>, member: Id<Member>, origin: Origin, days: i64, now: Timestamp) -> Self {
        let expires_at = now.plus(TimeDelta::days(days));
        Self {
            id,
            version: 1,
            member,
            generation: 1,
            rotated_at: now,
            created_at: now,
            expires_at,
            origin,
            factor_at: None,
        }
    }

    /// Whether it can still be gone on with at `now`.
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// What a refresh token of `generation` asks for at `now`.
    #[must_use]
    pub fn presented(&self, generation: i64, now: Timestamp) -> Presented {
        let retry = now.since(self.rotated_at) <= TimeDelta::seconds(RETRY_SECONDS);
        match self.generation - generation {
            _ if !self.lasts(now) => Presented::Expired,
            0 => Presented::Latest,
            1 if retry => Presented::Retry,
            _ => Presented::Reused,
        }
    }

    /// The next generation, of which only the tokens' holder learns.
    pub fn rotate(&mut self, origin: Origin, days: i64, now: Timestamp) {
        self.origin = origin;
        self.generation += 1;
        self.rotated_at = now;
        self.expires_at = now.plus(TimeDelta::days(days));
    }
}

/// What a refresh token turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The latest of its family.
    Latest,
    /// The one before, so soon after the rotation that the answer may have been lost.
    Retry,
    /// An older one: either its holder or somebody else has a stolen copy, and nobody knows who.
    Reused,
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_token_and_a_prompt_retry_are_good() {
        let start = Timestamp::from_millis(0);
        let mut session = Session::new(Id::of("1"), Id::of("1"), Origin::default(), 30, start);
        assert_eq!(session.presented(1, start), Presented::Latest);
        session.rotate(Origin::default(), 30, start);
        session.rotate(Origin::default(), 30, start);
        let at = |seconds| start.plus(TimeDelta::seconds(seconds));
        for (generation, seconds, presented) in [
            (3, 0, Presented::Latest),
            (3, 86_400 * 30 - 1, Presented::Latest),
            (3, 86_400 * 30, Presented::Expired),
            (2, 10, Presented::Retry),
            (2, 11, Presented::Reused),
            (1, 0, Presented::Reused),
            (4, 0, Presented::Reused),
            (0, 0, Presented::Reused),
            (-1, 0, Presented::Reused),
        ] {
            assert_eq!(session.presented(generation, at(seconds)), presented, "{generation} {seconds}");
        }
    }
}
