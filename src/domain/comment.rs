//! Comments: what members say in a thread.

use serde::{Deserialize, Serialize};

use super::{
    attachment::Attachment,
    contribution::State,
    member::Member,
    organisation::Organisation,
    reaction::{Reactable, ReactionCounts},
    sight::{Removal, Seen, Sight},
    text::RichText,
    thread::Thread,
};
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Filter, Index},
};

/// The deepest level that a reply can stand on (the first level is 0). Deeper ones can't be read on
/// a phone; an answer to a comment on the last level joins it there.
pub const MAX_DEPTH: i64 = 4;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    #[serde(rename = "_id")]
    pub id: Id<Comment>,
    pub version: i64,
    /// Counts edits, from 1. The version counts also what others do to it: an edit is not out of
    /// date because somebody has reacted meanwhile.
    pub edition: i64,
    pub thread: Id<Thread>,
    /// How many comments had been added to the thread with this one; of two that came at once, both may
    /// have the same.
    #[serde(default)]
    pub number: i64,
    /// The comment that it answers; none on the first level.
    pub parent: Option<Id<Comment>>,
    pub depth: i64,
    /// Sorts the comments of a thread in reading order: each one after its parent and its parent's
    /// earlier replies. The ids' ULIDs from the first level down, parted by `/`.
    pub path: String,
    pub author: Id<Member>,
    /// Whom it answers: the author of its parent, or of the contribution. Kept here so that one question
    /// finds what was said to a member, in however many threads.
    pub answers: Option<Id<Member>>,
    pub organisation: Option<Id<Organisation>>,
    /// None once it is deleted: the place stays, so that answers to it still make sense.
    pub body: Option<RichText>,
    /// Words of another comment of the thread that this one takes up.
    #[serde(default)]
    pub quote: Option<Quote>,
    /// Members whose attention the text calls for.
    #[serde(default)]
    pub mentions: Vec<Id<Member>>,
    #[serde(default)]
    pub attachments: Vec<Id<Attachment>>,
    /// Whether it is the answer that the question's author, or a moderator, accepted.
    #[serde(default)]
    pub accepted: bool,
    #[serde(default)]
    pub reactions: ReactionCounts,
    /// How far up it stands among the best: its reactions, and [`ACCEPTED_SCORE`] when accepted.
    #[serde(default)]
    pub score: i64,
    /// How many revisions are kept; none before the first edit.
    #[serde(default)]
    pub revisions: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When and why it was hidden or deleted.
    #[serde(default)]
    pub removed: Option<Removal>,
}

/// An accepted answer stands above any number of reactions that a thread will see.
pub const ACCEPTED_SCORE: i64 = 1_000_000;
/// A quote is a sentence or two; whoever wants more can follow it.
pub const QUOTE_MAX: usize = 500;

/// Words of a comment, as they stood in it when they were quoted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub comment: Id<Comment>,
    pub text: String,
}

document!(
    Comment,
    "cmt",
    "comments",
    [
        Index::named("thread").asc(Comment::THREAD).asc(Comment::PATH),
        Index::named("time").asc(Comment::THREAD).asc(Comment::CREATED_AT),
        Index::named("best").asc(Comment::THREAD).desc(Comment::SCORE),
        Index::named("replies").asc(Comment::PARENT).asc(Comment::PATH),
        Index::named("author").asc(Comment::AUTHOR).desc(Comment::CREATED_AT),
        Index::named("answers").asc(Comment::ANSWERS).desc(Comment::CREATED_AT),
        Index::named("mentions").each(Comment::MENTIONS).desc(Comment::CREATED_AT),
    ]
);

/// Where a new comment stands in its thread.
pub struct Place {
    pub parent: Option<Id<Comment>>,
    pub depth: i64,
    pub path: String,
}

impl Place {
    /// The place of the comment `id` that answers `parent`, or the thread itself.
    #[must_use]
    pub fn of(id: &Id<Comment>, parent: Option<&Comment>) -> Self {
        let own = id.as_str().trim_start_matches(Comment::PREFIX).trim_start_matches('_');
        match parent {
            None => Self { parent: None, depth: 0, path: own.to_owned() },
            Some(parent) if parent.depth < MAX_DEPTH => Self {
                parent: Some(parent.id.clone()),
                depth: parent.depth + 1,
                path: format!("{}/{own}", parent.path),
            },
            // On the last level: beside the comment that it answers.
            Some(sibling) => {
                let above = sibling.path.rsplit_once('/').map_or("", |(above, _)| above);
                Self { parent: sibling.parent.clone(), depth: sibling.depth, path: format!("{above}/{own}") }
            }
        }
    }
}

impl Reactable for Comment {}

impl Comment {
    pub const THREAD: Field<Self, Id<Thread>> = Field::new("thread");
    pub const PARENT: Field<Self, Option<Id<Comment>>> = Field::new("parent");
    pub const PATH: Field<Self, String> = Field::new("path");
    pub const AUTHOR: Field<Self, Id<Member>> = Field::new("author");
    pub const ANSWERS: Field<Self, Option<Id<Member>>> = Field::new("answers");
    pub const MENTIONS: Field<Self, Vec<Id<Member>>> = Field::new("mentions");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");
    pub const SCORE: Field<Self, i64> = Field::new("score");
    pub const ACCEPTED: Field<Self, bool> = Field::new("accepted");

    #[must_use]
    pub fn in_thread(thread: &Id<Thread>) -> Filter<Self> {
        Self::THREAD.eq(thread.clone())
    }

    /// What others said in answer to a member.
    #[must_use]
    pub fn answering(member: &Id<Member>) -> Filter<Self> {
        Self::ANSWERS.eq(Some(member.clone())).and(Self::AUTHOR.ne(member.clone()))
    }

    /// Comments of others that mention a member.
    #[must_use]
    pub fn mentioning(member: &Id<Member>) -> Filter<Self> {
        Self::MENTIONS.contains(member.clone()).and(Self::AUTHOR.ne(member.clone()))
    }

    /// Words of this comment that another one wants to quote; `None` when it does not say so.
    #[must_use]
    pub fn quoted(&self, words: &str) -> Option<Quote> {
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = folded(words);
        let said = folded(&self.body.as_ref()?.text());
        (!text.is_empty() && said.contains(&text)).then(|| Quote { comment: self.id.clone(), text })
    }

    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.body.is_none() && !self.is_hidden()
    }

    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.removed.as_ref().is_some_and(Removal::is_hidden)
    }

    /// Whether every member who sees the thread reads it: then it is counted, and can be answered,
    /// quoted, reacted to and accepted.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.body.is_some() && !self.is_hidden()
    }

    /// As contributions have it.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.is_hidden(), self.is_deleted()) {
            (true, _) => State::Hidden,
            (false, true) => State::Deleted,
            (false, false) => State::Published,
        }
    }

    /// Whether `viewer` may change it: its author, and moderators. While it is hidden its author may
    /// not, so that what moderators decide on is what was reported.
    #[must_use]
    pub fn can_edit(&self, viewer: &Member) -> bool {
        let own = self.author == viewer.id && !self.is_hidden();
        !self.is_deleted() && (own || viewer.moderates())
    }

    /// Takes its words away.
    pub fn delete(&mut self, removal: Removal) {
        self.empty();
        self.removed = Some(removal);
    }

    fn empty(&mut self) {
        self.body = None;
        self.quote = None;
        self.attachments = Vec::new();
        self.mentions = Vec::new();
        self.accepted = false;
        self.revisions = 0;
        self.reactions = ReactionCounts::default();
        self.score = 0;
    }
}

impl Seen for Comment {
    /// For those who see what is discussed. It keeps its place in the thread.
    fn sight(&self, viewer: &Member) -> Sight {
        match self.state() {
            State::Hidden if self.author == viewer.id || viewer.moderates() => Sight::Whole,
            State::Hidden | State::Deleted => Sight::Tombstone,
            State::Draft | State::Published | State::Archived => Sight::Whole,
        }
    }

    fn tombstone(&self) -> Self {
        let mut left = self.clone();
        left.empty();
        left.removed = self.removed.as_ref().map(Removal::told_to_all);
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(id: &str, parent: Option<&Comment>) -> Comment {
        let id = Id::of(id);
        let Place { parent, depth, path } = Place::of(&id, parent);
        let now = Timestamp::from_millis(0);
        Comment {
            version: 1,
            edition: 1,
            thread: Id::of("t"),
            number: 1,
            parent,
            depth,
            path,
            author: Id::of("a"),
            answers: None,
            organisation: None,
            body: None,
            quote: None,
            mentions: Vec::new(),
            attachments: Vec::new(),
            accepted: false,
            reactions: ReactionCounts::default(),
            score: 0,
            revisions: 0,
            created_at: now,
            updated_at: now,
            removed: None,
            id,
        }
    }

    #[test]
    fn replies_follow_their_parent_and_deep_ones_join_the_last_level() {
        let first = comment("01", None);
        let second = comment("02", None);
        let mut chain = vec![comment("03", Some(&first))];
        for id in ["04", "05", "06", "07", "08"] {
            chain.push(comment(id, chain.last()));
        }
        assert_eq!(chain.iter().map(|comment| comment.depth).collect::<Vec<_>>(), [1, 2, 3, 4, 4, 4]);
        assert_eq!(chain[5].parent, chain[3].parent);
        let mut all = [vec![second.clone(), first], chain].concat();
        all.sort_by(|left, right| left.path.cmp(&right.path));
        assert_eq!(all.last(), Some(&second));
        assert!(all.iter().map(|comment| comment.id.as_str()).is_sorted_by(|a, b| *b == "cmt_02" || a < b));
    }
}
