//! Threads: the discussion under a contribution.

use serde::{Deserialize, Serialize};

use super::post::Post;
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::Field,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    #[serde(rename = "_id")]
    pub id: Id<Thread>,
    pub version: i64,
    /// What is discussed.
    pub subject: Id<Post>,
    /// Comments ever added and not deleted. Counted here so that no list has to count.
    pub comment_count: i64,
    pub last_activity_at: Timestamp,
    /// Nobody can add to a locked thread.
    pub locked: bool,
}

document!(Thread, "thr", "threads", []);

impl Thread {
    pub const COMMENT_COUNT: Field<Self, i64> = Field::new("commentCount");
    pub const LAST_ACTIVITY_AT: Field<Self, Timestamp> = Field::new("lastActivityAt");
    pub const LOCKED: Field<Self, bool> = Field::new("locked");

    /// The thread of something that is new; its id follows from what it is about.
    #[must_use]
    pub fn opened(subject: &Id<Post>, now: Timestamp) -> Self {
        let own = subject.as_str().trim_start_matches(Post::PREFIX).trim_start_matches('_');
        Self {
            id: Id::of(own),
            version: 1,
            subject: subject.clone(),
            comment_count: 0,
            last_activity_at: now,
            locked: false,
        }
    }
}
