//! Threads: the discussion under a contribution.

use serde::{Deserialize, Serialize};

use super::{contribution::ContributionId, member::Member, read_mark::ReadMark};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter},
};

/// Counting unread comments stops here: 100 means more than 99.
pub const UNREAD_MAX: i64 = 100;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    #[serde(rename = "_id")]
    pub id: Id<Thread>,
    pub version: i64,
    /// What is discussed.
    pub subject: ContributionId,
    /// Comments ever added and not deleted. Counted here so that no list has to count.
    pub comment_count: i64,
    /// Comments ever added: what read marks are compared with.
    #[serde(default)]
    pub added: i64,
    /// The [numbers](super::comment::Comment::number) of comments that were taken away last, as many as
    /// can make a difference: who has not read them has that much less to read.
    #[serde(default)]
    pub removed: Vec<i64>,
    /// None in threads of before this was recorded.
    #[serde(default)]
    pub opened_at: Option<Timestamp>,
    pub last_activity_at: Timestamp,
    /// Nobody can add to a locked thread.
    pub locked: bool,
    /// What is discussed was hidden or deleted: its thread can be read, and nobody can add to it.
    #[serde(default)]
    pub closed: bool,
}

document!(Thread, "thr", "threads", []);

impl Thread {
    pub const COMMENT_COUNT: Field<Self, i64> = Field::new("commentCount");
    pub const ADDED: Field<Self, i64> = Field::new("added");
    pub const LAST_ACTIVITY_AT: Field<Self, Timestamp> = Field::new("lastActivityAt");
    pub const LOCKED: Field<Self, bool> = Field::new("locked");
    pub const CLOSED: Field<Self, bool> = Field::new("closed");

    /// Threads that members can add to. A thread from before there were closed ones is not closed.
    #[must_use]
    pub fn open() -> Filter<Self> {
        Self::LOCKED.eq(false).and(Self::CLOSED.ne(true))
    }

    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.locked && !self.closed
    }

    /// The thread of something that is new; its id follows from what it is about.
    #[must_use]
    pub fn opened(subject: impl Into<ContributionId>, now: Timestamp) -> Self {
        let subject = subject.into();
        Self {
            id: Id::of(subject.key()),
            version: 1,
            subject,
            comment_count: 0,
            added: 0,
            removed: Vec::new(),
            opened_at: Some(now),
            last_activity_at: now,
            locked: false,
            closed: false,
        }
    }

    /// Takes a comment out of the count of those that are there to be read.
    pub fn remove(&mut self, number: i64) {
        self.comment_count -= 1;
        self.removed.push(number);
        let more = self.removed.len().saturating_sub(usize::try_from(UNREAD_MAX).unwrap_or_default());
        self.removed.drain(..more);
    }

    /// The opposite.
    pub fn bring_back(&mut self, number: i64) {
        self.comment_count += 1;
        self.removed.retain(|removed| *removed != number);
    }

    /// How many comments were added by others since `member` read it last, up to [`UNREAD_MAX`]. A thread
    /// that they never read counts from its first comment when it was opened after they joined, and not
    /// at all when it is older: until they look at it, follow it or say something there.
    #[must_use]
    pub fn unread(&self, mark: Option<&ReadMark>, member: &Member) -> i64 {
        let seen = match mark {
            Some(mark) => mark.seen,
            None if self.opened_at.is_some_and(|opened| opened >= member.created_at) => 0,
            None => return 0,
        };
        let removed = self.removed.iter().filter(|number| **number > seen).count();
        (self.added - seen - i64::try_from(removed).unwrap_or(UNREAD_MAX)).clamp(0, UNREAD_MAX)
    }
}
