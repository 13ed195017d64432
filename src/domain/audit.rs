//! The audit log: what moderators did, to what and why. Written in the commit that does it; never
//! changed and never deleted.
//!
//! It outlives what it tells of, so it has facts and places, and no words of what was written.

use serde::{Deserialize, Serialize};

use super::{
    comment::Comment,
    contribution::State,
    guard::{self, PersonalData, Severity},
    member::Member,
    report::ReportState,
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
    pub actor: Id<Member>,
    pub action: AuditAction,
    /// The id of what it was done to.
    pub subject: String,
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
    WarnMember,
    SuspendMember,
    ReinstateMember,
    /// Text was taken that the guard would have kept out.
    OverridePersonalData,
    /// A moderator changed what somebody else wrote.
    EditContent,
    PublishContent,
    ArchiveContent,
    DeleteContent,
    AcceptAnswer,
    UnacceptAnswer,
}
scalar_enum!(AuditAction);

impl AuditEntry {
    /// What happened to the member whom it concerns, in one sentence without a full stop. `title` is of
    /// what was acted on, or what that was said about.
    #[must_use]
    pub fn sentence(&self, title: Option<&str>) -> String {
        let title = title.filter(|title| !title.is_empty()).map(|title| format!("“{title}”"));
        let thing = match (self.subject.starts_with(Comment::PREFIX), title) {
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
            AuditAction::WarnMember => "A moderator has warned you".to_owned(),
            AuditAction::SuspendMember => "Your membership is suspended".to_owned(),
            AuditAction::ReinstateMember => "Your membership is no longer suspended".to_owned(),
            AuditAction::EditContent => format!("A moderator changed {thing}"),
            AuditAction::PublishContent => format!("A moderator published {thing}"),
            AuditAction::ArchiveContent => format!("A moderator archived {thing}"),
            AuditAction::DeleteContent => format!("A moderator deleted {thing}"),
            AuditAction::AcceptAnswer => format!("A moderator accepted an answer to {thing}"),
            AuditAction::UnacceptAnswer => format!("A moderator took back the accepted answer to {thing}"),
            AuditAction::UpholdReport | AuditAction::DismissReport | AuditAction::OverridePersonalData => {
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
