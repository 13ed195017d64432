//! Pinned contributions: what the network wants everybody to see first.

use serde::{Deserialize, Serialize};

use super::contribution::ContributionId;
use crate::{document, ids::Id};

/// More than this many at once, and nobody looks at any of them.
pub const MAX: usize = 3;

/// The one board on which they are pinned. One document, so that there are never more than [`MAX`]
/// however many pin at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Board {
    #[serde(rename = "_id")]
    pub id: Id<Board>,
    pub version: i64,
    /// Latest pinned first.
    pub pinned: Vec<ContributionId>,
}

document!(Board, "brd", "boards", []);

impl Board {
    #[must_use]
    pub fn id_of_all() -> Id<Self> {
        Id::of("network")
    }

    /// The board before anything was pinned.
    #[must_use]
    pub fn empty() -> Self {
        Self { id: Self::id_of_all(), version: 0, pinned: Vec::new() }
    }
}
