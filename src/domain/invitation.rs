//! Invitations: what brings lived experience partners in, who often have no address of the NHS.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{email::EmailAddress, member::Member, standing::PartnerScope};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

/// The longest name of somebody who is invited, in characters.
pub const NAME_MAX: usize = 100;
/// More than this is as good as everything.
pub const TOPICS_MAX: usize = 20;
pub const CASE_STUDIES_MAX: usize = 20;
/// An invitation that nobody took up for so many days was not wanted.
pub const OPEN_DAYS_MAX: i64 = 90;
/// Whoever works with the team for longer is invited again.
pub const ACCESS_DAYS_MAX: i64 = 3 * 366;

/// What nobody accepted is kept for so many days more, and then forgotten with the name and address in it.
pub const KEPT_DAYS: i64 = 90;

/// Somebody of the team invites a named person, at whatever address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    #[serde(rename = "_id")]
    pub id: Id<Invitation>,
    pub version: i64,
    pub email: EmailAddress,
    pub email_key: String,
    pub name: String,
    /// Who invites.
    pub sponsor: Id<Member>,
    /// To what; none: to everything.
    pub scope: Option<PartnerScope>,
    pub state: InvitationState,
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// Until when who accepts takes part.
    pub access_ends_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub accepted_by: Option<Id<Member>>,
    pub revoked_at: Option<Timestamp>,
}

document!(
    Invitation,
    "inv",
    "invitations",
    [
        Index::named("newest").desc(Invitation::CREATED_AT),
        Index::named("email").asc(Invitation::EMAIL_KEY).asc(Invitation::STATE),
        Index::named("expires").asc(Invitation::STATE).asc(Invitation::EXPIRES_AT),
    ]
);

/// Where an invitation stands, as it is stored: that it has run out follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvitationState {
    Open,
    Accepted,
    Revoked,
}
scalar_enum!(InvitationState);

/// Where an invitation stands, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "InvitationState")]
pub enum ShownState {
    /// It can be accepted.
    Open,
    /// Once: its link does nothing more.
    Accepted,
    /// Nobody accepted it in time.
    Expired,
    /// It was taken back, and with it the access of whoever had accepted it.
    Revoked,
}

impl Invitation {
    pub const EMAIL_KEY: Field<Self, String> = Field::new("emailKey");
    pub const STATE: Field<Self, InvitationState> = Field::new("state");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    /// Those that whoever reads this address's mail can accept at `now`.
    #[must_use]
    pub fn open_for(email_key: &str, now: Timestamp) -> Filter<Self> {
        Self::EMAIL_KEY.eq(email_key).and(Self::STATE.eq(InvitationState::Open)).and(Self::EXPIRES_AT.gt(now))
    }

    /// Those that ran out so long before `now` that they are to be forgotten.
    #[must_use]
    pub fn forgotten(now: Timestamp) -> Filter<Self> {
        let long_ago = now.minus(TimeDelta::days(KEPT_DAYS));
        Self::STATE.eq(InvitationState::Open).and(Self::EXPIRES_AT.lt(long_ago))
    }

    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == InvitationState::Open && now < self.expires_at
    }

    #[must_use]
    pub fn shown_state(&self, now: Timestamp) -> ShownState {
        match self.state {
            InvitationState::Open if self.is_open(now) => ShownState::Open,
            InvitationState::Open => ShownState::Expired,
            InvitationState::Accepted => ShownState::Accepted,
            InvitationState::Revoked => ShownState::Revoked,
        }
    }

    pub fn accept(&mut self, by: &Id<Member>, now: Timestamp) {
        self.state = InvitationState::Accepted;
        self.accepted_at = Some(now);
        self.accepted_by = Some(by.clone());
    }
}
