//! Reactions: a nod that needs no words, and the least that a busy reader can give back.

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Document, Field},
};

/// The fixed set. Each tells the author something that a plain "like" does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
pub enum ReactionKind {
    Thanks,
    /// We have done this ourselves.
    TriedThis,
    GoodIdea,
    /// We have the same question, or the same problem.
    SameHere,
}

impl ReactionKind {
    pub const ALL: [Self; 4] = [Self::Thanks, Self::TriedThis, Self::GoodIdea, Self::SameHere];
}

/// How often something was reacted to; kept on the thing itself, so that no list has to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReactionCounts {
    pub thanks: i64,
    pub tried_this: i64,
    pub good_idea: i64,
    pub same_here: i64,
}

impl ReactionCounts {
    #[must_use]
    pub const fn of(&self, kind: ReactionKind) -> i64 {
        match kind {
            ReactionKind::Thanks => self.thanks,
            ReactionKind::TriedThis => self.tried_this,
            ReactionKind::GoodIdea => self.good_idea,
            ReactionKind::SameHere => self.same_here,
        }
    }

    pub const fn of_mut(&mut self, kind: ReactionKind) -> &mut i64 {
        match kind {
            ReactionKind::Thanks => &mut self.thanks,
            ReactionKind::TriedThis => &mut self.tried_this,
            ReactionKind::GoodIdea => &mut self.good_idea,
            ReactionKind::SameHere => &mut self.same_here,
        }
    }

    #[must_use]
    pub const fn total(&self) -> i64 {
        self.thanks + self.tried_this + self.good_idea + self.same_here
    }
}

/// Documents that hold [`ReactionCounts`] as `reactions`.
pub trait Reactable: Document {
    /// The counter of one kind.
    #[must_use]
    fn reactions_of(kind: ReactionKind) -> Field<Self, i64> {
        Field::new(match kind {
            ReactionKind::Thanks => "reactions.thanks",
            ReactionKind::TriedThis => "reactions.triedThis",
            ReactionKind::GoodIdea => "reactions.goodIdea",
            ReactionKind::SameHere => "reactions.sameHere",
        })
    }
}

/// What one member thinks of one thing. Its id is made of theirs, so it is found without being
/// searched for, and there is only one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reactions {
    #[serde(rename = "_id")]
    pub id: Id<Reactions>,
    pub version: i64,
    pub member: Id<Member>,
    /// The id of the thing.
    pub target: String,
    /// Each at most once; none when all were taken back.
    pub kinds: Vec<ReactionKind>,
    pub updated_at: Timestamp,
}

document!(Reactions, "rct", "reactions", []);

impl Reactions {
    #[must_use]
    pub fn id_of<T: Identified>(member: &Id<Member>, target: &Id<T>) -> Id<Self> {
        Id::of(&format!("{}-{}", member.as_str(), target.as_str()))
    }

    /// Those of a member who has not reacted yet.
    #[must_use]
    pub fn none<T: Identified>(member: &Id<Member>, target: &Id<T>, now: Timestamp) -> Self {
        Self {
            id: Self::id_of(member, target),
            version: 0,
            member: member.clone(),
            target: target.as_str().to_owned(),
            kinds: Vec::new(),
            updated_at: now,
        }
    }

    /// Adds a kind or takes it back. Whether that changed anything.
    pub fn set(&mut self, kind: ReactionKind, on: bool) -> bool {
        let had = self.kinds.contains(&kind);
        match (had, on) {
            (false, true) => self.kinds.push(kind),
            (true, false) => self.kinds.retain(|other| *other != kind),
            _ => {}
        }
        had != on
    }
}
