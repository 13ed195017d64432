//! Digests: the letter to a member about what is worth their time.
//!
//! [`window`] says when one is due and what it covers, [`choice`] what is in it and why, by the points
//! of [`score`].

pub mod candidate;
pub mod choice;
pub mod note;
pub mod reader;
pub mod score;
pub mod window;

use chrono::Weekday;
use serde::{Deserialize, Serialize};

pub use self::window::{Window, next_due};
use self::{
    choice::{Item, Section, What},
    score::Reason,
};
use super::member::{DigestFrequency, DigestPreferences, Member};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

/// After so many digests in a row that the mail server refused for good, no more are planned: a
/// relay that keeps sending to dead mailboxes loses its reputation.
pub const BOUNCES_MAX: usize = 3;

/// One planned or sent digest. Its id is made of the member and the day it was due, so there is
/// never a second one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    #[serde(rename = "_id")]
    pub id: Id<Digest>,
    pub version: i64,
    pub member: Id<Member>,
    /// What was published or said after this moment…
    pub from: Timestamp,
    /// …and up to this one.
    pub until: Timestamp,
    pub state: DigestState,
    pub sent_at: Option<Timestamp>,
    /// What was in it; nothing before it was sent.
    #[serde(default)]
    pub told: Vec<Told>,
}

/// One item of a digest that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    pub section: Section,
    pub what: What,
    /// Why that one: see [`score`].
    pub score: f64,
    /// The strongest of its reasons.
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl From<&Item> for Told {
    fn from(item: &Item) -> Self {
        let (what, reason) = (item.what.clone(), item.reasons.first().cloned());
        Self { section: item.section, what, score: item.score, reason }
    }
}

document!(
    Digest,
    "dig",
    "digests",
    [
        Index::named("member").asc(Digest::MEMBER).desc(Digest::UNTIL),
        Index::named("until").asc(Digest::UNTIL),
        Index::named("state").asc(Digest::STATE).desc(Digest::UNTIL),
    ]
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum DigestState {
    Planned,
    Sent,
    /// There was nothing to say.
    Empty,
    /// The member turned digests off before it went out.
    Dropped,
    /// The mail server will never take mail for this address (5xx).
    Bounced,
}
scalar_enum!(DigestState);

impl Digest {
    pub const MEMBER: Field<Self, Id<Member>> = Field::new("member");
    pub const UNTIL: Field<Self, Timestamp> = Field::new("until");
    pub const STATE: Field<Self, DigestState> = Field::new("state");
    pub const SENT_AT: Field<Self, Option<Timestamp>> = Field::new("sentAt");

    /// The digest of a member for a window.
    #[must_use]
    pub fn planned(member: &Id<Member>, window: &Window) -> Self {
        let day = window.until.london().format("%Y%m%d");
        Self {
            id: Id::of(&format!("{member}-{day}")),
            version: 1,
            member: member.clone(),
            from: window.from,
            until: window.until,
            state: DigestState::Planned,
            sent_at: None,
            told: Vec::new(),
        }
    }

    #[must_use]
    pub fn of_member(member: &Id<Member>) -> Filter<Self> {
        Self::MEMBER.eq(member.clone())
    }

    /// Whether a bounce after these digests (newest first) is one too many.
    #[must_use]
    pub fn bounces_too_often(earlier: &[Self]) -> bool {
        let tried = earlier.iter().map(|digest| digest.state);
        let mut tried = tried.filter(|state| matches!(state, DigestState::Sent | DigestState::Bounced));
        tried.by_ref().take(BOUNCES_MAX - 1).filter(|state| *state == DigestState::Bounced).count()
            == BOUNCES_MAX - 1
    }
}

impl DigestPreferences {
    /// "every Tuesday", for a sentence.
    #[must_use]
    pub fn how_often(&self) -> String {
        let weekday = weekday_name(self.weekday);
        match self.frequency {
            DigestFrequency::Weekly => format!("every {weekday}"),
            DigestFrequency::Fortnightly => format!("every other {weekday}"),
            DigestFrequency::Monthly => format!("on the first {weekday} of the month"),
            DigestFrequency::Off => "never".to_owned(),
        }
    }
}

/// "Tuesday", for a sentence.
#[must_use]
pub const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

#[cfg(test)]
mod tests;
