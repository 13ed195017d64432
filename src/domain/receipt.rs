//! Receipts: the memory of a mutation, so that sending it twice does it once.

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// How long a `clientMutationId` is remembered.
pub const KEPT_HOURS: i64 = 24;

/// Committed together with what the mutation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Made of the member and a digest of their `clientMutationId`.
    #[serde(rename = "_id")]
    pub id: Id<Receipt>,
    pub version: i64,
    pub member: Id<Member>,
    /// A digest of the mutation's name and its whole input.
    pub content: String,
    /// The id of the object that the mutation made or changed.
    pub result: String,
    pub expires_at: Timestamp,
}

document!(Receipt, "rcp", "receipts", [Index::named("expires").asc(Receipt::EXPIRES_AT)]);

impl Receipt {
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");
}
