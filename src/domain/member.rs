//! Members: who takes part.

use chrono::{Timelike, Weekday};
use serde::{Deserialize, Serialize};

use super::{
    email::EmailAddress, follow::FollowCounts, moderation::Suspension, notification::NotificationPreferences,
    organisation::Organisation,
};
use crate::{
    clock::Timestamp,
    config, document,
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

/// A person who takes part in the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    #[serde(rename = "_id")]
    pub id: Id<Member>,
    pub version: i64,
    /// As given at the first sign-in, a plus-tag included.
    pub email: EmailAddress,
    /// What makes the address unique: lower case, without the plus-tag.
    pub email_key: String,
    pub name: String,
    pub job_title: Option<String>,
    pub organisation: Option<Id<Organisation>>,
    pub role: Role,
    pub digest: DigestPreferences,
    /// When the next digest is planned; null when none is wanted.
    pub digest_due_at: Option<Timestamp>,
    /// Up to when digests have told this member what is new.
    pub digest_covered_until: Timestamp,
    #[serde(default)]
    pub notifications: NotificationPreferences,
    #[serde(default)]
    pub follows: FollowCounts,
    pub created_at: Timestamp,
    /// Why they may not use the service; it may have run out.
    #[serde(default)]
    pub suspension: Option<Suspension>,
}

document!(
    Member,
    "mbr",
    "members",
    [
        Index::named("email").asc(Member::EMAIL_KEY).unique(),
        Index::named("digest_due").asc(Member::DIGEST_DUE_AT),
    ]
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A member of the network, by their NHS address.
    Member,
    /// A lived experience partner.
    Partner,
    /// Looks after the house rules.
    Moderator,
    /// Runs the service.
    Administrator,
}
scalar_enum!(Role);

/// When the digest arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestPreferences {
    pub frequency: DigestFrequency,
    pub weekday: Weekday,
    /// Minutes after midnight in London.
    pub minute: u32,
}

impl From<&config::Digest> for DigestPreferences {
    /// Weekly, when the installation sends it.
    fn from(digest: &config::Digest) -> Self {
        let minute = digest.time.hour() * 60 + digest.time.minute();
        Self { frequency: DigestFrequency::Weekly, weekday: digest.weekday, minute }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum DigestFrequency {
    Weekly,
    Off,
}

impl Member {
    pub const EMAIL_KEY: Field<Self, String> = Field::new("emailKey");
    pub const DIGEST_DUE_AT: Field<Self, Option<Timestamp>> = Field::new("digestDueAt");

    pub const DIGEST_COVERED_UNTIL: Field<Self, Timestamp> = Field::new("digestCoveredUntil");

    /// Somebody who joins at `now`. Where they work and when their digest comes is for the caller to
    /// add.
    #[must_use]
    pub fn new(id: Id<Self>, email: EmailAddress, digest: DigestPreferences, now: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            email_key: email.key(),
            name: Self::name_from(&email),
            email,
            job_title: None,
            organisation: None,
            role: Role::Member,
            digest,
            digest_due_at: None,
            digest_covered_until: now,
            notifications: NotificationPreferences::default(),
            follows: FollowCounts::default(),
            created_at: now,
            suspension: None,
        }
    }

    /// Members whose digest is due at `now`.
    #[must_use]
    pub fn digest_due(now: Timestamp) -> Filter<Self> {
        Self::DIGEST_DUE_AT.lte(now)
    }

    /// Why they may not use the service at `now`.
    #[must_use]
    pub fn suspended(&self, now: Timestamp) -> Option<&Suspension> {
        self.suspension.as_ref().filter(|suspension| suspension.holds(now))
    }

    /// Whether they look after the house rules.
    #[must_use]
    pub fn moderates(&self) -> bool {
        self.role >= Role::Moderator
    }

    /// A first display name from the address: `jo.bloggs3@trust.nhs.uk` is Jo Bloggs.
    #[must_use]
    pub fn name_from(email: &EmailAddress) -> String {
        let local = email.as_str().split(['@', '+']).next().unwrap_or_default();
        let words = local.split(['.', '_', '-']).map(|word| word.trim_matches(|c: char| c.is_ascii_digit()));
        let name = words.filter(|word| !word.is_empty()).map(capitalised).collect::<Vec<_>>().join(" ");
        if name.is_empty() { "New member".to_owned() } else { name }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
