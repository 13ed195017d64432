//! Legal holds: what a court, an inquiry or a request for information may ask for is not erased.

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Index},
};

/// Nothing of this member's is erased or forgotten while there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegalHold {
    /// Made of the member's: there is one at most.
    #[serde(rename = "_id")]
    pub id: Id<LegalHold>,
    pub version: i64,
    pub member: Id<Member>,
    /// Administrators and moderators read it.
    pub reason: String,
    pub by: Id<Member>,
    pub at: Timestamp,
}

document!(LegalHold, "hld", "legalHolds", [Index::named("newest").desc(LegalHold::AT)]);

impl LegalHold {
    pub const AT: Field<Self, Timestamp> = Field::new("at");

    #[must_use]
    pub fn id_of(member: &Id<Member>) -> Id<Self> {
        Id::of(member.as_str().trim_start_matches(Member::PREFIX).trim_start_matches('_'))
    }
}
