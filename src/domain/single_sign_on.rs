//! Single sign-on: somebody was sent to a provider, and is to come back once.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::local_path::LocalPath;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// How long somebody may take to sign in there.
pub const SIGN_ON_MINUTES: i64 = 10;

/// Somebody was sent to a provider. What the provider and the browser have to bring back is not stored, not even
/// hashed: it is derived from this id with the installation's secret. Deleted when they come back, before the
/// provider is asked anything: so an answer is looked at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignOn {
    #[serde(rename = "_id")]
    pub id: Id<SignOn>,
    pub version: i64,
    /// The provider's id in the settings.
    pub provider: String,
    /// Where they wanted to go.
    pub next: Option<LocalPath>,
    pub expires_at: Timestamp,
}

document!(SignOn, "sso", "signOns", [Index::named("expires").asc(SignOn::EXPIRES_AT)]);

impl SignOn {
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    #[must_use]
    pub fn new(id: Id<Self>, provider: &str, next: Option<LocalPath>, now: Timestamp) -> Self {
        let expires_at = now.plus(TimeDelta::minutes(SIGN_ON_MINUTES));
        Self { id, version: 1, provider: provider.to_owned(), next, expires_at }
    }

    /// Whether an answer of this provider is in time.
    #[must_use]
    pub fn is_open(&self, provider: &str, now: Timestamp) -> bool {
        self.provider == provider && now < self.expires_at
    }
}
