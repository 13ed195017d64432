//! Sessions: a signed-in browser or program, kept by refresh tokens.

use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// A family of refresh tokens. The token of a generation is derived from the session's id, the
/// generation and the installation's secret, so nothing stored here can be used to sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    #[serde(rename = "_id")]
    pub id: Id<Session>,
    pub version: i64,
    pub member: Id<Member>,
    /// Counts the rotations; only the latest generation's token works.
    pub generation: i64,
    pub rotated_at: Timestamp,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

document!(
    Session,
    "ses",
    "sessions",
    [
        Index::named("member").asc(Session::MEMBER).desc(Session::CREATED_AT),
        Index::named("expires").asc(Session::EXPIRES_AT),
    ]
);

impl Session {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");
}
