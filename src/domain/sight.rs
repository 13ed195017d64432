//! Who sees what. Each noun has one rule, [`Seen::sight`], and whatever shows it to somebody goes
//! through [`Seen::as_seen_by`]: what is left out is left out in one place.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{contribution::State, member::Member};
use crate::clock::Timestamp;

/// How much of something a member sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    Whole,
    /// That there was something, and why it is not there: links to it and its thread still make sense.
    Tombstone,
    /// As if it did not exist.
    Nothing,
}

/// What members see more or less of.
pub trait Seen: Clone {
    /// The rule.
    fn sight(&self, viewer: &Member) -> Sight;

    /// What is left of it for those who see no more: no words and nobody's reactions.
    #[must_use]
    fn tombstone(&self) -> Self;

    /// The part of it that `viewer` sees.
    #[expect(clippy::wrong_self_convention, reason = "what is read is mostly shown whole: no copy is made")]
    fn as_seen_by(self, viewer: &Member) -> Option<Self>
    where
        Self: Sized,
    {
        match self.sight(viewer) {
            Sight::Whole => Some(self),
            Sight::Tombstone => Some(self.tombstone()),
            Sight::Nothing => None,
        }
    }

    /// What somebody gets of it who did something to it: a repeated request may come when they don't see
    /// it any more.
    #[must_use]
    fn left_for(self, viewer: &Member) -> Self
    where
        Self: Sized,
    {
        if self.can_see(viewer) { self } else { self.tombstone() }
    }

    /// The same of what others hold, too.
    fn shared_as_seen_by(self: Arc<Self>, viewer: &Member) -> Option<Arc<Self>> {
        match self.sight(viewer) {
            Sight::Whole => Some(self),
            Sight::Tombstone => Some(Arc::new(self.tombstone())),
            Sight::Nothing => None,
        }
    }

    /// Whether `viewer` may read it.
    fn can_see(&self, viewer: &Member) -> bool {
        self.sight(viewer) == Sight::Whole
    }
}

/// What took something from members' sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    pub kind: RemovalKind,
    pub by: RemovedBy,
    pub at: Timestamp,
    /// What it was before; what is restored is that again.
    pub before: State,
    /// For its author and for moderators.
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalKind {
    /// It can be restored as it was.
    Hidden,
    /// Its words are gone.
    Deleted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemovedBy {
    Author,
    Moderator,
    /// Somebody reported a privacy concern; a moderator has yet to look at it.
    Report,
}

impl Removal {
    /// By its author or, when that is not `own`, by a moderator.
    #[must_use]
    pub const fn deleted(own: bool, at: Timestamp, before: State) -> Self {
        let by = if own { RemovedBy::Author } else { RemovedBy::Moderator };
        Self { kind: RemovalKind::Deleted, by, at, before, reason: None }
    }

    #[must_use]
    pub fn hidden(by: RemovedBy, at: Timestamp, before: State, reason: &str) -> Self {
        Self { kind: RemovalKind::Hidden, by, at, before, reason: Some(reason.to_owned()) }
    }

    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.kind == RemovalKind::Hidden
    }

    /// Hidden until a moderator has looked at a report.
    #[must_use]
    pub fn awaits_review(&self) -> bool {
        self.is_hidden() && self.by == RemovedBy::Report
    }

    /// What stands in its place, whoever looks. Neither reasons nor names.
    #[must_use]
    pub fn sentence(&self) -> String {
        let date = self.at.date_in_words();
        match (self.kind, self.by) {
            (RemovalKind::Hidden, RemovedBy::Report) => {
                format!("Hidden on {date} until a moderator has looked at it.")
            }
            (RemovalKind::Hidden, _) => format!("Hidden by a moderator on {date}."),
            (RemovalKind::Deleted, RemovedBy::Author) => format!("Deleted by its author on {date}."),
            (RemovalKind::Deleted, _) => format!("Deleted by a moderator on {date}."),
        }
    }

    /// The same without what only its author and moderators read.
    #[must_use]
    pub fn told_to_all(&self) -> Self {
        Self { reason: None, ..self.clone() }
    }
}
