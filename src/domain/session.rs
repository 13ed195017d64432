//! Sessions: a signed-in browser or program, kept by refresh tokens.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// A lost response may be asked for again: so many seconds after a rotation, the token before it
/// still brings the one after it.
pub const RETRY_SECONDS: i64 = 10;

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
    pub rotated_at: Timestamp,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
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

    /// A session that starts at `now` and ends after so many days without use.
    #[must_use]
    pub fn new(id: Id<Self>, member: Id<Member>, days: i64, now: Timestamp) -> Self {
        let expires_at = now.plus(TimeDelta::days(days));
        Self { id, version: 1, member, generation: 1, rotated_at: now, created_at: now, expires_at }
    }

    /// What a refresh token of `generation` asks for at `now`.
    #[must_use]
    pub fn presented(&self, generation: i64, now: Timestamp) -> Presented {
        let retry = now.since(self.rotated_at) <= TimeDelta::seconds(RETRY_SECONDS);
        match self.generation - generation {
            _ if now >= self.expires_at => Presented::Expired,
            0 => Presented::Latest,
            1 if retry => Presented::Retry,
            _ => Presented::Reused,
        }
    }

    /// The next generation, of which only the tokens' holder learns.
    pub fn rotate(&mut self, days: i64, now: Timestamp) {
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
        let mut session = Session::new(Id::of("1"), Id::of("1"), 30, start);
        assert_eq!(session.presented(1, start), Presented::Latest);
        session.rotate(30, start);
        session.rotate(30, start);
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
