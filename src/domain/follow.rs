//! Follows: what a member wants to hear of, and what they don't want to hear of any more.

use serde::{Deserialize, Serialize};

use super::{member::Member, organisation::Organisation, tag::Tag, thread::Thread, topic::Topic};
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Filter, Index, Scalar, Value},
    scalar_enum,
};

/// Topics, tags, members and organisations that one member follows, and again that one mutes: each is a
/// place in an index that a page of the feed is merged from.
pub const INTERESTS_MAX: i64 = 100;
/// Threads that one member follows, and again that one mutes. Taking part in more is no problem: the
/// member is then told of answers to what they said, but not of the rest.
pub const THREADS_MAX: i64 = 1_000;

/// Where a member stands to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stance {
    Following,
    Muted,
    /// Said that they don't follow it: taking part later does not undo that.
    Neither,
}
scalar_enum!(Stance);

/// What can be followed and muted; stored as the id's text, told apart by its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    Topic(Id<Topic>),
    Tag(Id<Tag>),
    Member(Id<Member>),
    Organisation(Id<Organisation>),
    Thread(Id<Thread>),
}

impl Target {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split('_').next()? {
            Topic::PREFIX => Id::parse(text).map(Self::Topic),
            Tag::PREFIX => Id::parse(text).map(Self::Tag),
            Member::PREFIX => Id::parse(text).map(Self::Member),
            Organisation::PREFIX => Id::parse(text).map(Self::Organisation),
            Thread::PREFIX => Id::parse(text).map(Self::Thread),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Topic(id) => id.as_str(),
            Self::Tag(id) => id.as_str(),
            Self::Member(id) => id.as_str(),
            Self::Organisation(id) => id.as_str(),
            Self::Thread(id) => id.as_str(),
        }
    }

    /// Whether contributions are found by it: everything but a thread.
    #[must_use]
    pub const fn is_interest(&self) -> bool {
        !matches!(self, Self::Thread(_))
    }

    /// How many of its sort a member may follow, and again mute.
    #[must_use]
    pub const fn most(&self) -> i64 {
        if self.is_interest() { INTERESTS_MAX } else { THREADS_MAX }
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("{text} is no id of something to follow"))
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.as_str().to_owned()
    }
}

impl Scalar for Target {
    fn value(&self) -> Value {
        Value::Text(self.as_str().to_owned())
    }
}

/// One a member and target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Follow {
    /// Made of both, the member first: those of one member stand together, whatever they follow.
    #[serde(rename = "_id")]
    pub id: Id<Follow>,
    pub version: i64,
    pub member: Id<Member>,
    pub target: Target,
    /// See [`Target::is_interest`].
    pub interest: bool,
    pub stance: Stance,
    /// Since when they stand there.
    pub since: Timestamp,
}

document!(
    Follow,
    "fol",
    "follows",
    [
        Index::named("member").asc(Follow::MEMBER).asc(Follow::STANCE).desc(Follow::SINCE),
        Index::named("interests").asc(Follow::MEMBER).asc(Follow::INTEREST).asc(Follow::STANCE),
        // Who is to be told of what happens there.
        Index::named("target").asc(Follow::TARGET).asc(Follow::STANCE),
    ]
);

impl Follow {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const TARGET: Field<Self, Target> = Field::new("target");
    pub const INTEREST: Field<Self, bool> = Field::new("interest");
    pub const STANCE: Field<Self, Stance> = Field::new("stance");
    pub const SINCE: Field<Self, Timestamp> = Field::new("since");

    #[must_use]
    pub fn id_of(member: &Id<Member>, target: &Target) -> Id<Self> {
        Id::of(&format!("{}-{}", key(member), target.as_str()))
    }

    /// Whether `id` is of a follow of this member.
    #[must_use]
    pub fn is_of(id: &str, member: &Id<Member>) -> bool {
        id.starts_with(&Self::first_of(member))
    }

    /// What the ids of a member's follows begin with.
    #[must_use]
    pub fn first_of(member: &Id<Member>) -> String {
        format!("{}_{}-", Self::PREFIX, key(member))
    }

    #[must_use]
    pub fn new(member: &Id<Member>, target: Target, stance: Stance, since: Timestamp) -> Self {
        Self {
            id: Self::id_of(member, &target),
            version: 1,
            member: member.clone(),
            interest: target.is_interest(),
            target,
            stance,
            since,
        }
    }

    #[must_use]
    pub fn of_member(member: &Id<Member>, stance: Stance) -> Filter<Self> {
        Self::MEMBER.eq(member.clone()).and(Self::STANCE.eq(stance))
    }

    /// The topics, tags, members and organisations that a member follows or mutes.
    #[must_use]
    pub fn interests_of(member: &Id<Member>) -> Filter<Self> {
        Self::MEMBER
            .eq(member.clone())
            .and(Self::INTEREST.eq(true))
            .and(Self::STANCE.is_in([Stance::Following, Stance::Muted]))
    }

    /// Those who follow one of `targets`.
    #[must_use]
    pub fn followers_of(targets: impl IntoIterator<Item = Target>) -> Filter<Self> {
        Self::TARGET.is_in(targets).and(Self::STANCE.eq(Stance::Following))
    }
}

fn key(member: &Id<Member>) -> &str {
    member.as_str().trim_start_matches(Member::PREFIX).trim_start_matches('_')
}

/// How much a member follows and mutes; kept on the member, so that the limits hold whatever happens at
/// once, and so that nobody looks for mutes of somebody who has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FollowCounts {
    pub interests: i64,
    pub threads: i64,
    pub muted_interests: i64,
    pub muted_threads: i64,
}

impl FollowCounts {
    #[must_use]
    pub const fn of(&self, target: &Target, stance: Stance) -> i64 {
        match (stance, target.is_interest()) {
            (Stance::Following, true) => self.interests,
            (Stance::Following, false) => self.threads,
            (Stance::Muted, true) => self.muted_interests,
            (Stance::Muted, false) => self.muted_threads,
            (Stance::Neither, _) => 0,
        }
    }

    /// The counter of a stance; none for the one that is not counted.
    #[must_use]
    pub const fn counter(target: &Target, stance: Stance) -> Option<Field<Member, i64>> {
        match (stance, target.is_interest()) {
            (Stance::Following, true) => Some(Field::new("follows.interests")),
            (Stance::Following, false) => Some(Field::new("follows.threads")),
            (Stance::Muted, true) => Some(Field::new("follows.mutedInterests")),
            (Stance::Muted, false) => Some(Field::new("follows.mutedThreads")),
            (Stance::Neither, _) => None,
        }
    }

    #[must_use]
    pub const fn mutes_something(&self) -> bool {
        self.muted_interests > 0 || self.muted_threads > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_by_its_prefix() {
        for id in ["top_access", "tag_quiet-nights", "mbr_01J0", "org_01J0", "thr_01J0"] {
            let target = Target::parse(id).unwrap();
            assert_eq!((target.as_str(), target.is_interest()), (id, id != "thr_01J0"));
        }
        for wrong in ["", "top", "top_", "pst_01J0", "tag_$where", "cmt_01J0"] {
            assert_eq!(Target::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_follows_of_a_member_stand_together() {
        let (one, two) = (Id::of("01A"), Id::of("01AB"));
        let id = Follow::id_of(&one, &Target::parse("top_access").unwrap());
        assert!(Follow::is_of(id.as_str(), &one) && !Follow::is_of(id.as_str(), &two));
    }
}
