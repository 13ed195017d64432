//! Threads: the discussion under a contribution.

use serde::{Deserialize, Serialize};

use super::contribution::ContributionId;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter},
};

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
            last_activity_at: now,
            locked: false,
            closed: false,
        }
    }
}
