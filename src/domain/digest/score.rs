//! How much a contribution is worth a member's time, in points, and why.
//!
//! ```text
//! score = (1 + reasons + quality) × 0.5 ^ (age ÷ half-life)
//! ```
//!
//! Each reason counts once, however often it holds: five topics in common are no better than the one
//! that matters. Age is counted from the publication to the moment at which the digest is due.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{candidate::Candidate, reader::Reader};
use crate::{clock::Timestamp, domain::follow::Target};

/// After this long, something is worth half as much.
pub const HALF_LIFE: TimeDelta = TimeDelta::days(14);

/// Why something is for a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// They say that they have experience of the topic or tag.
    Experience(Target),
    /// They follow the topic, tag, author or organisation, or say that the topic interests them.
    Follows(Target),
    /// It is from an organisation of the same type…
    SameType,
    /// …under the same integrated care board…
    SameIcb,
    /// …or in the same region.
    SameRegion,
}

impl Reason {
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Experience(_) => "EXPERIENCE",
            Self::Follows(_) => "FOLLOWS",
            Self::SameType => "SAME_TYPE",
            Self::SameIcb => "SAME_ICB",
            Self::SameRegion => "SAME_REGION",
        }
    }

    /// What somebody can help with comes first, then what they chose themselves; that organisations are
    /// alike is a guess.
    #[must_use]
    pub const fn points(&self) -> f64 {
        match self {
            Self::Experience(_) => 4.0,
            Self::Follows(Target::Topic(_)) => 3.0,
            Self::Follows(Target::Tag(_) | Target::Member(_) | Target::Thread(_)) => 2.0,
            Self::Follows(Target::Organisation(_)) => 1.5,
            Self::SameType => 1.0,
            Self::SameIcb => 0.75,
            Self::SameRegion => 0.5,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    pub points: f64,
    /// The strongest first.
    pub reasons: Vec<Reason>,
}

impl Score {
    /// Of a contribution, for a member, in the digest of `due`.
    #[must_use]
    pub fn of(reader: &Reader<'_>, candidate: &Candidate, due: Timestamp) -> Self {
        let reasons = reasons(reader, candidate);
        let worth: f64 = 1.0 + reasons.iter().map(Reason::points).sum::<f64>() + candidate.quality;
        Self { points: worth * freshness(candidate.published_at, due), reasons }
    }

    /// The same however old: what comes from the library has stood the test of time.
    #[must_use]
    pub fn ageless(reader: &Reader<'_>, candidate: &Candidate) -> Self {
        Self::of(reader, candidate, candidate.published_at)
    }

    /// Whether it is about something that they know of, or chose to hear of.
    #[must_use]
    pub fn is_about_theirs(&self) -> bool {
        let of_theirs = |reason: &Reason| {
            matches!(reason, Reason::Experience(_) | Reason::Follows(Target::Topic(_) | Target::Tag(_)))
        };
        self.reasons.iter().any(of_theirs)
    }
}

fn reasons(reader: &Reader<'_>, candidate: &Candidate) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let targets = || candidate.targets.iter();
    if let Some(known) = targets().find(|target| reader.expertise.contains(*target)) {
        reasons.push(Reason::Experience(known.clone()));
    }
    let kinds: [fn(&Target) -> bool; 4] = [
        |target| matches!(target, Target::Topic(_)),
        |target| matches!(target, Target::Tag(_)),
        |target| matches!(target, Target::Member(_)),
        |target| matches!(target, Target::Organisation(_)),
    ];
    for is_kind in kinds {
        let followed = targets().find(|target| is_kind(target) && reader.interests.contains(*target));
        reasons.extend(followed.cloned().map(Reason::Follows));
    }
    let (theirs, its) = (&reader.place, &candidate.place);
    let same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
    if same(&theirs.kind, &its.kind) {
        reasons.push(Reason::SameType);
    }
    if same(&theirs.icb, &its.icb) {
        reasons.push(Reason::SameIcb);
    } else if same(&theirs.region, &its.region) {
        reasons.push(Reason::SameRegion);
    }
    reasons
}

/// From 1 for what is new down to nothing.
fn freshness(published: Timestamp, due: Timestamp) -> f64 {
    let age = due.since(published).max(TimeDelta::zero());
    0.5_f64.powf(age.as_seconds_f64() / HALF_LIFE.as_seconds_f64())
}
