//! That somebody runs the service, always.

use serde::{Deserialize, Serialize};

use crate::{document, ids::Id};

/// Written whenever an administrator stops being one, or is kept out, in the same commit: of two who do
/// that to each other at once, one finds that it changed, and looks again at who is left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Administrators {
    #[serde(rename = "_id")]
    pub id: Id<Administrators>,
    pub version: i64,
}

document!(Administrators, "adm", "administrators", []);

impl Administrators {
    /// There is one of these.
    #[must_use]
    pub fn all() -> Id<Self> {
        Id::of("all")
    }

    #[must_use]
    pub fn first() -> Self {
        Self { id: Self::all(), version: 1 }
    }
}
