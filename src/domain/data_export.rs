//! Exports: everything that the exchange holds of a member, as one file for them to take along.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
    scalar_enum,
};

/// Once in so long: an export reads everything that somebody ever wrote.
const APART: TimeDelta = TimeDelta::days(1);
/// Whoever makes one has given it up by then, see [`Job::pause_after`](super::job::Job::pause_after).
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::hours(50);

/// An export that was asked for. Its bytes are kept as a blob of the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataExport {
    #[serde(rename = "_id")]
    pub id: Id<DataExport>,
    pub version: i64,
    pub member: Id<Member>,
    /// Of the member and how many they have asked for, so that of two requests at once one is taken.
    pub turn: String,
    /// The same as a number.
    pub number: i64,
    pub state: ExportState,
    pub requested_at: Timestamp,
    pub made_at: Option<Timestamp>,
    /// Bytes, once it is made.
    pub size: Option<i64>,
    /// When it is forgotten, with its bytes.
    pub expires_at: Timestamp,
}

document!(
    DataExport,
    "exp",
    "dataExports",
    [
        Index::named("member").asc(DataExport::MEMBER).desc(DataExport::REQUESTED_AT),
        Index::named("turn").asc(DataExport::TURN).unique(),
        Index::named("expires").asc(DataExport::EXPIRES_AT),
    ]
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "DataExportState")]
pub enum ExportState {
    /// It is being made.
    Waiting,
    /// It can be got.
    Ready,
    /// It could not be made. Ask for another.
    Failed,
}
scalar_enum!(ExportState);

impl DataExport {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const TURN: Field<Self, String> = Field::new("turn");
    pub const REQUESTED_AT: Field<Self, Timestamp> = Field::new("requestedAt");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    /// The next one of a member, asked for at `now` and kept for so many days.
    #[must_use]
    pub fn next(id: Id<Self>, member: &Id<Member>, before: Option<&Self>, days: i64, now: Timestamp) -> Self {
        let number = before.map_or(1, |before| before.number + 1);
        Self {
            id,
            version: 1,
            member: member.clone(),
            turn: format!("{member}-{number}"),
            number,
            state: ExportState::Waiting,
            requested_at: now,
            made_at: None,
            size: None,
            expires_at: now.plus(TimeDelta::days(days)),
        }
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ExportState {
        match self.state {
            ExportState::Waiting if now.since(self.requested_at) > GIVEN_UP_AFTER => ExportState::Failed,
            state => state,
        }
    }

    /// Why there can't be another after this one, if so.
    #[must_use]
    pub fn is_enough(&self, now: Timestamp) -> Option<&'static str> {
        match self.state(now) {
            ExportState::Waiting => {
                Some("Your data is being put together already. You are told by e-mail when it is ready.")
            }
            ExportState::Ready if now.since(self.requested_at) < APART => {
                Some("You have asked for your data today. Get what is there, or ask again tomorrow.")
            }
            ExportState::Ready | ExportState::Failed => None,
        }
    }

    /// Whether its bytes can be got at `now`.
    #[must_use]
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.state == ExportState::Ready && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_at_a_time_and_one_a_day() {
        let at = |hours| Timestamp::from_millis(0).plus(TimeDelta::hours(hours));
        let mut export = DataExport::next(Id::of("1"), &Id::of("m"), None, 7, at(0));
        assert!(export.is_enough(at(49)).is_some());
        assert_eq!((export.is_enough(at(51)), export.state(at(51))), (None, ExportState::Failed));
        export.state = ExportState::Failed;
        assert_eq!(export.is_enough(at(1)), None);
        export.state = ExportState::Ready;
        assert!(export.is_enough(at(23)).is_some() && export.is_enough(at(24)).is_none());
        assert!(export.is_there(at(167)) && !export.is_there(at(168)));
        assert_eq!(DataExport::next(Id::of("2"), &Id::of("m"), Some(&export), 7, at(0)).turn, "mbr_m-2");
    }
}
