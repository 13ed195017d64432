//! Access tokens: what programs show to act in a member's name, or as a service account.

use chrono::{Months, TimeDelta};
use serde::{Deserialize, Serialize};

use super::{
    member::{Member, Role},
    permission::Scope,
};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
};

/// A name says which program it is for, on one line.
pub const NAME_MAX: usize = 100;
/// Tokens of one member, those included that ended a short while ago: enough for a program each, few enough
/// to look through.
pub const EACH_MAX: u64 = 50;
/// Its owner is told that nobody has used a token for so long.
pub const WARNED_AFTER: TimeDelta = TimeDelta::days(90);
/// It is revoked when nobody has used it for so long.
pub const REVOKED_AFTER: TimeDelta = TimeDelta::days(180);
/// How long a token is shown after its end.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How exactly its last use is known: a write for every request would cost more than the request.
const USE_KNOWN_TO: TimeDelta = TimeDelta::hours(1);

/// A token as it is kept: without the secret, which only its holder has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    #[serde(rename = "_id")]
    pub id: Id<AccessToken>,
    pub version: i64,
    /// Of the secret, with the installation's keys.
    pub hash: String,
    /// As whom it acts: its owner, or a service account of theirs.
    pub member: Id<Member>,
    /// The person who made it. It can do no more than they can.
    pub owner: Id<Member>,
    pub name: String,
    /// Without doubles, in the order of [`Scope::ALL`].
    pub scopes: Vec<Scope>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// To the hour.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// When to look whether it is used at all; none when it ends before.
    pub look_at: Option<Timestamp>,
    pub forget_at: Timestamp,
}

document!(
    AccessToken,
    "pat",
    "accessTokens",
    [
        Index::named("hash").asc(AccessToken::HASH).unique(),
        Index::named("member").asc(AccessToken::MEMBER).desc(AccessToken::CREATED_AT),
        Index::named("look").asc(AccessToken::LOOK_AT),
        Index::named("forget").asc(AccessToken::FORGET_AT),
    ]
);

/// What somebody wants a token for.
#[derive(Clone, Debug)]
pub struct NewAccessToken {
    pub member: Id<Member>,
    pub owner: Id<Member>,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub expires_at: Timestamp,
}

impl AccessToken {
    pub const HASH: Field<Self, String> = Field::new("hash");
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const OWNER: Field<Self, Id<Member>> = Field::new("owner");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");
    pub const LAST_USED_AT: Field<Self, Option<Timestamp>> = Field::new("lastUsedAt");
    pub const LOOK_AT: Field<Self, Option<Timestamp>> = Field::new("lookAt");
    pub const FORGET_AT: Field<Self, Timestamp> = Field::new("forgetAt");

    /// A token that is made at `now`.
    #[must_use]
    pub fn new(id: Id<Self>, hash: String, new: NewAccessToken, now: Timestamp) -> Self {
        let NewAccessToken { member, owner, name, scopes, expires_at } = new;
        Self {
            id,
            version: 1,
            hash,
            member,
            owner,
            name,
            scopes: Scope::ALL.into_iter().filter(|scope| scopes.contains(scope)).collect(),
            created_at: now,
            expires_at,
            last_used_at: None,
            revoked_at: None,
            look_at: before(now.plus(WARNED_AFTER), expires_at),
            forget_at: expires_at.plus(KEPT),
        }
    }

    /// The latest end that a token made at `now` may have: a year later, to the same date.
    #[must_use]
    pub fn latest_end(now: Timestamp) -> Timestamp {
        now.utc().checked_add_months(Months::new(12)).map_or(now, Timestamp::from)
    }

    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Whether it acts as a service account.
    #[must_use]
    pub fn is_of_service_account(&self) -> bool {
        self.member != self.owner
    }

    /// Whether its use at `now` is to be written down.
    #[must_use]
    pub fn is_news(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|last| now.since(last) >= USE_KNOWN_TO)
    }

    /// When to look whether it is still used, after it was at `now`.
    #[must_use]
    pub fn look_after_use(&self, now: Timestamp) -> Option<Timestamp> {
        before(now.plus(WARNED_AFTER), self.expires_at)
    }

    /// The same after its owner was warned.
    #[must_use]
    pub fn look_after_warning(&self) -> Option<Timestamp> {
        before(self.unused_since().plus(REVOKED_AFTER), self.expires_at)
    }

    /// Since when nobody has used it.
    #[must_use]
    pub fn unused_since(&self) -> Timestamp {
        self.last_used_at.unwrap_or(self.created_at)
    }

    pub fn revoke(&mut self, now: Timestamp) {
        self.revoked_at = Some(now);
        self.look_at = None;
        self.forget_at = now.plus(KEPT);
    }

    /// Those that may have to be warned of or revoked at `now`.
    #[must_use]
    pub fn to_look_at(now: Timestamp) -> Filter<Self> {
        Self::LOOK_AT.lte(now)
    }
}

fn before(time: Timestamp, end: Timestamp) -> Option<Timestamp> {
    (time < end).then_some(time)
}

/// The role that somebody has to act in to give a scope; none where every member may.
#[must_use]
pub const fn role_for(scope: Scope) -> Option<Role> {
    match scope {
        Scope::Moderation => Some(Role::Moderator),
        Scope::Administration => Some(Role::Administrator),
        _ => None,
    }
}

/// What a token's owner is told by e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenNews {
    Made,
    Unused,
    /// Because it was not used.
    Revoked,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(days: i64) -> AccessToken {
        let now = Timestamp::from_millis(0);
        let new = NewAccessToken {
            member: Id::of("1"),
            owner: Id::of("1"),
            name: "A dashboard".to_owned(),
            scopes: vec![Scope::ThreadsRead, Scope::PostsRead, Scope::ThreadsRead],
            expires_at: now.plus(TimeDelta::days(days)),
        };
        AccessToken::new(Id::of("1"), "hash".to_owned(), new, now)
    }

    fn day(days: i64) -> Timestamp {
        Timestamp::from_millis(0).plus(TimeDelta::days(days))
    }

    #[test]
    fn a_token_lives_until_it_expires_or_is_revoked() {
        let mut token = token(10);
        assert_eq!(token.scopes, [Scope::PostsRead, Scope::ThreadsRead]);
        assert!(token.is_live(day(9)) && !token.is_live(day(10)));
        token.revoke(day(2));
        assert!(!token.is_live(day(2)));
        assert_eq!((token.look_at, token.forget_at), (None, day(32)));
    }

    #[test]
    fn it_is_looked_at_only_while_it_lives() {
        assert_eq!(token(90).look_at, None);
        let mut token = token(200);
        assert_eq!((token.look_at, token.look_after_warning()), (Some(day(90)), Some(day(180))));
        token.last_used_at = Some(day(30));
        assert_eq!((token.look_after_use(day(30)), token.look_after_warning()), (Some(day(120)), None));
    }

    #[test]
    fn use_is_known_to_the_hour() {
        let mut token = token(10);
        assert!(token.is_news(day(0)));
        token.last_used_at = Some(day(1));
        assert!(!token.is_news(day(1).plus(TimeDelta::minutes(59))));
        assert!(token.is_news(day(1).plus(TimeDelta::minutes(60))));
    }

    #[test]
    fn a_year_ends_on_the_same_date() {
        for (now, end) in [
            ("2026-03-02T09:00:00.000Z", "2027-03-02T09:00:00.000Z"),
            ("2027-03-02T09:00:00.000Z", "2028-03-02T09:00:00.000Z"),
            ("2028-02-29T09:00:00.000Z", "2029-02-28T09:00:00.000Z"),
        ] {
            assert_eq!(AccessToken::latest_end(now.parse().unwrap()).to_string(), end);
        }
    }
}
