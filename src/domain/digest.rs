//! Digests: the weekly letter to a member.

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{clock::Timestamp, document, ids::Id};

/// One planned or sent digest. Its id is made of the member and the window, so there is never a
/// second one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    #[serde(rename = "_id")]
    pub id: Id<Digest>,
    pub version: i64,
    pub member: Id<Member>,
    /// What was published or said after this moment…
    pub from: Timestamp,
    /// …and up to this one.
    pub until: Timestamp,
    pub state: DigestState,
    pub sent_at: Option<Timestamp>,
}

document!(Digest, "dig", "digests", []);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigestState {
    Planned,
    Sent,
    /// There was nothing to say.
    Empty,
    /// The member turned digests off, or could not be reached.
    Dropped,
}
