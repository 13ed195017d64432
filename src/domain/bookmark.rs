//! Bookmarks: what a member wants to find again. Nobody else knows of them.

use serde::{Deserialize, Serialize};

use super::{comment::Comment, contribution::ContributionId, member::Member};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
};

/// What can be bookmarked; stored as the id's text, told apart by its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Bookmarkable {
    Contribution(ContributionId),
    Comment(Id<Comment>),
}

impl Bookmarkable {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let contribution = ContributionId::parse(text).map(Self::Contribution);
        contribution.or_else(|| Id::parse(text).map(Self::Comment))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Contribution(id) => id.as_str(),
            Self::Comment(id) => id.as_str(),
        }
    }
}

impl TryFrom<String> for Bookmarkable {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("{text} is no id of something to bookmark"))
    }
}

impl From<Bookmarkable> for String {
    fn from(target: Bookmarkable) -> Self {
        target.as_str().to_owned()
    }
}

/// One a member and thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bookmark {
    /// Made of both, so it is found without being searched for.
    #[serde(rename = "_id")]
    pub id: Id<Bookmark>,
    pub version: i64,
    pub member: Id<Member>,
    pub subject: Bookmarkable,
    pub created_at: Timestamp,
}

document!(
    Bookmark,
    "bkm",
    "bookmarks",
    [Index::named("member").asc(Bookmark::MEMBER).desc(Bookmark::CREATED_AT)]
);

impl Bookmark {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");

    #[must_use]
    pub fn id_of(member: &Id<Member>, subject: &Bookmarkable) -> Id<Self> {
        Id::of(&format!("{}-{}", member.as_str(), subject.as_str()))
    }

    #[must_use]
    pub fn new(member: &Id<Member>, subject: Bookmarkable, created_at: Timestamp) -> Self {
        Self { id: Self::id_of(member, &subject), version: 1, member: member.clone(), subject, created_at }
    }

    #[must_use]
    pub fn of_member(member: &Id<Member>) -> Filter<Self> {
        Self::MEMBER.eq(member.clone())
    }
}
