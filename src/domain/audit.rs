//! The audit log: what moderators did, to what and why. Written in the commit that does it; never
//! changed and never deleted.
//!
//! It outlives what it tells of, so it has facts and places, and no words of what was written. Where a
//! reason names somebody who is erased, the name is taken out of it, and nothing else.

use serde::{Deserialize, Serialize};

use super::{
    comment::Comment,
    contribution::State,
    guard::{self, PersonalData, Severity},
    member::{Member, Role},
    organisation::Organisation,
    report::ReportState,
    standing::MemberState,
};
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Index},
    scalar_enum,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    #[serde(rename = "_id")]
    pub id: Id<AuditEntry>,
    pub version: i64,
    /// Nobody ([`Activity::nobody`](super::activity::Activity::nobody)) where an operator of the
    /// installation did it, by a command, or the service noticed it.
    pub actor: Id<Member>,
    pub action: AuditAction,
    /// The id of what it was done to.
    pub subject: String,
    /// The id of what gave rise to it: of what a member is warned about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// None where none is asked for: edits, accepted answers.
    pub reason: Option<String>,
    pub before: Facts,
    pub after: Facts,
    /// What the guard would have kept out.
    #[serde(default)]
    pub findings: Vec<Place>,
    pub at: Timestamp,
}

document!(
    AuditEntry,
    "aud",
    "auditEntries",
    [
        Index::named("newest").desc(AuditEntry::AT),
        Index::named("actor").asc(AuditEntry::ACTOR).desc(AuditEntry::AT),
        Index::named("subject").asc(AuditEntry::SUBJECT).desc(AuditEntry::AT),
        Index::named("action").asc(AuditEntry::ACTION).desc(AuditEntry::AT),
    ]
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum AuditAction {
    HideContent,
    /// A privacy concern was reported: hidden until a moderator has looked at it. The actor reported it.
    HideUntilReviewed,
    RestoreContent,
    UpholdReport,
    DismissReport,
    LockThread,
    UnlockThread,
    PinContribution,
    UnpinContribution,
    /// A moderator said something at the top of a week's digests, or put something there.
    SetEditorsNote,
    WarnMember,
    SuspendMember,
    ReinstateMember,
    /// By an administrator, or by an operator of the installation.
    SetRole,
    /// Text was taken that the guard would have kept out.
    OverridePersonalData,
    /// A moderator changed what somebody else wrote.
    EditContent,
    PublishContent,
    ArchiveContent,
    DeleteContent,
    AcceptAnswer,
    UnacceptAnswer,
    /// Somebody who asked to join may.
    ApproveMember,
    RefuseMember,
    /// A partner was invited.
    CreateInvitation,
    RevokeInvitation,
    /// An administrator changed what the directory says of an organisation.
    UpdateOrganisation,
    /// An administrator had an organisation's people, or what they wrote, follow to a successor.
    MoveToSuccessor,
    CreateServiceAccount,
    /// Somebody else answers for it from now on. By its owner, or by an administrator.
    HandOverServiceAccount,
    /// An administrator revoked somebody else's.
    RevokeAccessToken,
    /// An administrator put right what the exchange says of a member.
    CorrectMember,
    /// A moderator took a member's photo away; what it was is `about`.
    RemovePhoto,
    /// A member had themself erased, or an administrator did.
    EraseMember,
    /// An administrator had everything of a member's kept.
    SetLegalHold,
    LiftLegalHold,
    /// A moderator or administrator registered one of their own.
    AddSecondFactor,
    RemoveSecondFactor,
    RenewRecoveryCodes,
    /// The service noticed it: somebody showed what may be a copy of a member's passkey.
    SuspectPasskey,
    /// By an administrator, or by an operator of the installation: a member lost theirs.
    ResetSecondFactor,
    /// A moderator or administrator signed in with a provider of single sign-on for the first time.
    LinkIdentity,
    UnlinkIdentity,
    /// An administrator has a member sent nothing more of what is sent to many…
    SuppressMailbox,
    /// …or sends them mail again.
    LiftSuppression,
}
scalar_enum!(AuditAction);

impl AuditEntry {
    /// What happened to the member whom it concerns, in one sentence without a full stop. `title` is of
    /// what was acted on, or what that was said about.
    #[must_use]
    pub fn sentence(&self, title: Option<&str>) -> String {
        let title = title.filter(|title| !title.is_empty()).map(|title| format!("“{title}”"));
        let thing = self.about.as_ref().unwrap_or(&self.subject);
        let thing = match (thing.starts_with(Comment::PREFIX), title) {
            (true, Some(title)) => format!("your comment on {title}"),
            (true, None) => "a comment of yours".to_owned(),
            (false, Some(title)) => title,
            (false, None) => "something of yours".to_owned(),
        };
        match self.action {
            AuditAction::HideContent => format!("A moderator hid {thing}"),
            AuditAction::HideUntilReviewed => format!("{thing} is hidden until a moderator has looked at it"),
            AuditAction::RestoreContent => format!("A moderator restored {thing}"),
            AuditAction::LockThread => format!("A moderator locked the discussion of {thing}"),
            AuditAction::UnlockThread => format!("A moderator unlocked the discussion of {thing}"),
            AuditAction::PinContribution => format!("A moderator pinned {thing}"),
            AuditAction::UnpinContribution => format!("A moderator took the pin off {thing}"),
            AuditAction::WarnMember if self.about.is_some() => {
                format!("A moderator has warned you about {thing}")
            }
            AuditAction::WarnMember => "A moderator has warned you".to_owned(),
            AuditAction::SuspendMember => "Your membership is suspended".to_owned(),
            AuditAction::ReinstateMember => "Your membership is no longer suspended".to_owned(),
            AuditAction::SetRole => match self.after.role {
                Some(Role::Administrator) => "You are an administrator now".to_owned(),
                Some(Role::Moderator) => "You are a moderator now".to_owned(),
                Some(Role::Partner) => "You are a lived experience partner now".to_owned(),
                Some(Role::Member) | None => "You are a member now, without another role".to_owned(),
            },
            AuditAction::CreateServiceAccount => {
                "A moderator made a service account that you answer for".to_owned()
            }
            AuditAction::HandOverServiceAccount => {
                "Somebody else answers for a service account from now on".to_owned()
            }
            AuditAction::RevokeAccessToken => "An administrator revoked an access token of yours".to_owned(),
            AuditAction::CorrectMember => "An administrator corrected your profile".to_owned(),
            AuditAction::RemovePhoto => "A moderator removed your photo".to_owned(),
            AuditAction::EraseMember => "Your account is to be erased".to_owned(),
            AuditAction::EditContent => format!("A moderator changed {thing}"),
            AuditAction::PublishContent => format!("A moderator published {thing}"),
            AuditAction::ArchiveContent => format!("A moderator archived {thing}"),
            AuditAction::DeleteContent => format!("A moderator deleted {thing}"),
            AuditAction::AcceptAnswer => format!("A moderator accepted an answer to {thing}"),
            AuditAction::UnacceptAnswer => format!("A moderator took back the accepted answer to {thing}"),
            AuditAction::ApproveMember => "You are a member now".to_owned(),
            AuditAction::RefuseMember => "Your request to join was not accepted".to_owned(),
            AuditAction::CreateInvitation => "You are invited".to_owned(),
            AuditAction::RevokeInvitation => "The access that you were invited to has ended".to_owned(),
            AuditAction::ResetSecondFactor => {
                "Your second factors are reset: sign in again, and register new ones".to_owned()
            }
            AuditAction::SuppressMailbox => "You are sent no more digests and news by mail".to_owned(),
            AuditAction::LiftSuppression => "You are sent digests and news by mail again".to_owned(),
            AuditAction::SuspectPasskey => "There may be a copy of your passkey".to_owned(),
            AuditAction::AddSecondFactor
            | AuditAction::RemoveSecondFactor
            | AuditAction::RenewRecoveryCodes
            | AuditAction::LinkIdentity
            | AuditAction::UnlinkIdentity
            | AuditAction::UpholdReport
            | AuditAction::DismissReport
            | AuditAction::OverridePersonalData
            | AuditAction::UpdateOrganisation
            | AuditAction::SetEditorsNote
            | AuditAction::SetLegalHold
            | AuditAction::LiftLegalHold
            | AuditAction::MoveToSuccessor => {
                format!("A moderator looked at {thing}")
            }
        }
    }
}

/// How something stood: only what the action is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership: Option<MemberState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub organisation: Option<OrganisationFacts>,
    /// The id of the organisation to which something follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// How many somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factors: Option<i64>,
}

/// What administrators say of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "AuditOrganisationFacts")]
#[serde(rename_all = "camelCase")]
pub struct OrganisationFacts {
    /// The slug of its type.
    #[serde(rename = "type")]
    #[graphql(name = "type")]
    pub kind: Option<String>,
    pub aliases: Vec<String>,
    pub domains: Vec<String>,
    pub successor_ids: Vec<String>,
}

impl From<&Organisation> for OrganisationFacts {
    fn from(organisation: &Organisation) -> Self {
        Self {
            kind: organisation.kind.clone(),
            aliases: organisation.aliases.clone(),
            domains: organisation.domains.clone(),
            successor_ids: organisation.successors.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Facts {
    #[must_use]
    pub fn state(state: State) -> Self {
        Self { state: Some(state), ..Self::default() }
    }

    #[must_use]
    pub fn version(version: i64) -> Self {
        Self { version: Some(version), ..Self::default() }
    }

    #[must_use]
    pub fn locked(locked: bool) -> Self {
        Self { locked: Some(locked), ..Self::default() }
    }

    #[must_use]
    pub fn pinned(pinned: bool) -> Self {
        Self { pinned: Some(pinned), ..Self::default() }
    }

    #[must_use]
    pub fn accepted(accepted: bool) -> Self {
        Self { accepted: Some(accepted), ..Self::default() }
    }

    #[must_use]
    pub fn membership(state: MemberState) -> Self {
        Self { membership: Some(state), ..Self::default() }
    }

    #[must_use]
    pub fn role(role: Role) -> Self {
        Self { role: Some(role), ..Self::default() }
    }

    #[must_use]
    pub fn second_factors(count: usize) -> Self {
        Self { second_factors: i64::try_from(count).ok(), ..Self::default() }
    }

    #[must_use]
    pub fn report(state: ReportState) -> Self {
        Self { report: Some(state), ..Self::default() }
    }
}

/// A place that seemed to identify a person, as the guard counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub field: String,
    pub kind: PersonalData,
    pub start: i64,
    pub end: i64,
}

impl Place {
    /// The places in a text that its author can't acknowledge.
    #[must_use]
    pub fn blocked(field: &str, text: &str) -> Vec<Self> {
        let blocks = guard::check(text).into_iter().filter(|found| found.severity == Severity::Block);
        let place = |found: guard::Finding| Self {
            field: field.to_owned(),
            kind: found.kind,
            start: i64::try_from(found.start).unwrap_or(i64::MAX),
            end: i64::try_from(found.end).unwrap_or(i64::MAX),
        };
        blocks.map(place).collect()
    }
}

impl AuditEntry {
    pub const ACTOR: Field<Self, Id<Member>> = Field::new("actor");
    pub const SUBJECT: Field<Self, String> = Field::new("subject");
    pub const ACTION: Field<Self, AuditAction> = Field::new("action");
    pub const AT: Field<Self, Timestamp> = Field::new("at");
}
