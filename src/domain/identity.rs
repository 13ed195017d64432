//! Identities: by what a provider of single sign-on knows a member.
//!
//! The first time, a member is found by the address that the provider verified; from then on by the subject,
//! which the provider gives to nobody else. An address may be given to somebody else after a person has left: so
//! a member has one identity at a provider, and another person with the same address is not taken for them.

use serde::{Deserialize, Serialize};

use super::{email::EmailAddress, member::Member};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    #[serde(rename = "_id")]
    pub id: Id<Identity>,
    pub version: i64,
    pub member: Id<Member>,
    /// The provider's id in the settings when it was linked.
    pub provider: String,
    pub issuer: String,
    /// What the issuer always knows them by.
    pub subject: String,
    /// The address there by which it was linked.
    pub email: EmailAddress,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
}

document!(
    Identity,
    "idn",
    "identities",
    [
        Index::named("subject").asc(Identity::ISSUER).asc(Identity::SUBJECT).unique(),
        Index::named("member").asc(Identity::MEMBER).asc(Identity::ISSUER).unique(),
    ]
);

impl Identity {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const ISSUER: Field<Self, String> = Field::new("issuer");
    pub const SUBJECT: Field<Self, String> = Field::new("subject");
    pub const LAST_USED_AT: Field<Self, Timestamp> = Field::new("lastUsedAt");

    /// By what an issuer knows somebody.
    #[must_use]
    pub fn known_as(issuer: &str, subject: &str) -> Filter<Self> {
        Self::ISSUER.eq(issuer).and(Self::SUBJECT.eq(subject))
    }

    /// A member's, with this issuer.
    #[must_use]
    pub fn of_member_at(member: &Id<Member>, issuer: &str) -> Filter<Self> {
        Self::MEMBER.eq(member.clone()).and(Self::ISSUER.eq(issuer))
    }
}

/// What happened to an identity of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityNews {
    Linked,
    Unlinked,
}
