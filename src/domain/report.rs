//! Reports: a member says that something breaks the rules of the house.

use serde::{Deserialize, Serialize};

use super::{member::Member, moderation::SubjectId};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

/// The longest note.
pub const NOTE_MAX: usize = 1_000;
/// Reports of one member in a day that nobody has looked at yet: more are a campaign, and each can
/// hide something.
pub const OPEN_A_DAY: u64 = 20;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    #[serde(rename = "_id")]
    pub id: Id<Report>,
    pub version: i64,
    pub subject: SubjectId,
    /// Moderators alone learn who it was.
    pub reporter: Id<Member>,
    pub reason: ReportReason,
    pub note: Option<String>,
    pub state: ReportState,
    /// Of the reporter and the subject while it is open: there is one open report of both. Null
    /// afterwards.
    pub open: Option<String>,
    pub created_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub resolved_by: Option<Id<Member>>,
    /// Why it was decided so.
    pub resolution: Option<String>,
}

document!(
    Report,
    "rpt",
    "reports",
    [
        Index::named("open").asc(Report::OPEN).unique(),
        Index::named("queue").asc(Report::STATE).asc(Report::CREATED_AT),
        Index::named("subject").asc(Report::SUBJECT).asc(Report::STATE).asc(Report::CREATED_AT),
        Index::named("reporter").asc(Report::REPORTER).asc(Report::STATE).asc(Report::CREATED_AT),
    ]
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum ReportReason {
    /// A privacy concern: a patient may be recognised. It is hidden until a moderator has looked at it.
    PatientIdentifiable,
    /// Somebody may be at risk of harm. The exchange is not a reporting route: the payload says where to
    /// turn.
    Safeguarding,
    /// It names a member of staff.
    NamesStaff,
    Abuse,
    /// It advertises something.
    Commercial,
    OutOfDate,
    /// The note says what.
    Other,
}

impl ReportReason {
    /// Whether what is reported is hidden until a moderator has looked at it.
    #[must_use]
    pub fn hides(self) -> bool {
        self == Self::PatientIdentifiable
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum ReportState {
    /// No moderator has decided on it.
    #[default]
    Open,
    /// It was right.
    Upheld,
    /// It was not.
    Dismissed,
}
scalar_enum!(ReportState);

/// A member's reports as one thing to guard: it has a new version with each, so that of several at once
/// each is counted by the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Made of the member's.
    #[serde(rename = "_id")]
    pub id: Id<Tally>,
    pub version: i64,
}

document!(Tally, "rtl", "reportTallies", []);

impl Tally {
    #[must_use]
    pub fn of(member: &Id<Member>) -> Self {
        Self { id: Id::of(member.as_str()), version: 1 }
    }
}

impl Report {
    pub const OPEN: Field<Self, Option<String>> = Field::new("open");
    pub const SUBJECT: Field<Self, SubjectId> = Field::new("subject");
    pub const REPORTER: Field<Self, Id<Member>> = Field::new("reporter");
    pub const STATE: Field<Self, ReportState> = Field::new("state");
    pub const CREATED_AT: Field<Self, Timestamp> = Field::new("createdAt");

    /// What an open report of a member on a subject is found by.
    #[must_use]
    pub fn key(reporter: &Id<Member>, subject: &SubjectId) -> String {
        format!("{reporter}-{}", subject.as_str())
    }

    /// Those of one state.
    #[must_use]
    pub fn queue(state: ReportState) -> Filter<Self> {
        Self::STATE.eq(state)
    }

    /// Those on a subject that nobody has decided on.
    #[must_use]
    pub fn open_on(subject: &SubjectId) -> Filter<Self> {
        Self::SUBJECT.eq(subject.clone()).and(Self::STATE.eq(ReportState::Open))
    }

    /// Those of a member since then that nobody has decided on.
    #[must_use]
    pub fn open_by(reporter: &Id<Member>, since: Timestamp) -> Filter<Self> {
        Self::REPORTER
            .eq(reporter.clone())
            .and(Self::STATE.eq(ReportState::Open))
            .and(Self::CREATED_AT.gt(since))
    }

    /// Whether `viewer` may know of it: who sent it, and moderators.
    #[must_use]
    pub fn can_see(&self, viewer: &Member) -> bool {
        self.reporter == viewer.id || viewer.moderates()
    }
}
