//! Signing in: a request for a code, and how often an address was tried.

use serde::{Deserialize, Serialize};

use super::email::EmailAddress;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// A code is guessed at most this often.
pub const TRIES: i64 = 5;

/// Somebody asked to sign in with an address. The code and the link are not stored, not even
/// hashed: they are derived from this id with the installation's secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignIn {
    #[serde(rename = "_id")]
    pub id: Id<SignIn>,
    pub version: i64,
    pub email: EmailAddress,
    pub email_key: String,
    pub tries: i64,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

document!(
    SignIn,
    "sgn",
    "signIns",
    [
        Index::named("email").asc(SignIn::EMAIL_KEY).desc(SignIn::CREATED_AT),
        Index::named("expires").asc(SignIn::EXPIRES_AT),
    ]
);

impl SignIn {
    pub const EMAIL_KEY: Field<Self, String> = Field::new("emailKey");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");
    pub const TRIES: Field<Self, i64> = Field::new("tries");
}

/// Consecutive wrong codes for an address, whatever request they were for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempts {
    #[serde(rename = "_id")]
    pub id: Id<Attempts>,
    pub version: i64,
    pub wrong: i64,
    pub paused_until: Option<Timestamp>,
    pub expires_at: Timestamp,
}

document!(Attempts, "att", "attempts", [Index::named("expires").asc(Attempts::EXPIRES_AT)]);

impl Attempts {
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");
}
