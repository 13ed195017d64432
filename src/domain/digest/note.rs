//! Editor's notes: what moderators say at the top of a week's digests, and what they put there.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::{
    clock::Timestamp,
    document,
    domain::{calendar::Date, contribution::ContributionId, text::RichText},
    ids::Id,
};

/// A few sentences: the digest is read in two minutes.
pub const TEXT_MAX: usize = 600;

/// One a week; its id is made of the week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    #[serde(rename = "_id")]
    pub id: Id<Note>,
    pub version: i64,
    /// The Monday with which it begins.
    pub week: Date,
    pub text: Option<RichText>,
    /// What stands at the top for those who have not been told of it.
    pub pinned: Option<ContributionId>,
    pub updated_at: Timestamp,
}

document!(Note, "edn", "editorsNotes", []);

impl Note {
    #[must_use]
    pub fn id_of(week: Date) -> Id<Self> {
        Id::of(&week.0.to_string())
    }

    /// Nothing yet, in the week of a day.
    #[must_use]
    pub fn of_week(day: Date, now: Timestamp) -> Self {
        let week = monday(day);
        Self { id: Self::id_of(week), version: 1, week, text: None, pinned: None, updated_at: now }
    }

    /// Whether a digest says it: one of that week, and for those who get it less often one that covers
    /// that week.
    #[must_use]
    pub fn is_for(&self, window: Window) -> bool {
        let (first, last) = (monday(Date::of(window.from)), monday(Date::of(window.until)));
        self.week == last || (first < self.week && self.week < last)
    }
}

/// The Monday of the week of a day.
#[must_use]
pub fn monday(day: Date) -> Date {
    let days = u64::from(day.0.weekday().num_days_from_monday());
    Date(day.0.checked_sub_days(chrono::Days::new(days)).unwrap_or(day.0))
}
