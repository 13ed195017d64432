//! Read marks: what a member has seen of a thread.

use serde::{Deserialize, Serialize};

use super::{member::Member, thread::Thread};
use crate::{clock::Timestamp, document, ids::Id};

/// One a member and thread; its id is made of theirs, so it is found without being searched for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadMark {
    #[serde(rename = "_id")]
    pub id: Id<ReadMark>,
    pub version: i64,
    pub member: Id<Member>,
    pub thread: Id<Thread>,
    /// When they said that they had read it, and what it discusses; none when they only said something in
    /// it or began to follow it. The digest leaves out what was read.
    pub read_at: Option<Timestamp>,
    /// How many comments had been added to the thread by then.
    #[serde(alias = "commentCount")]
    pub seen: i64,
}

document!(ReadMark, "rdm", "readMarks", []);

impl ReadMark {
    #[must_use]
    pub fn id_of(member: &Id<Member>, thread: &Id<Thread>) -> Id<Self> {
        Id::of(&format!("{}-{}", member.as_str(), thread.as_str()))
    }
}
