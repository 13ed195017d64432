//! Activities: what happened, for whoever is to be told after the commit. The same row tells those
//! whom it concerns (a job makes their notifications) and those who look on (live subscriptions).

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    adoption::AdoptionStep, audit::AuditEntry, comment::Comment, contribution::ContributionId,
    member::Member, notification::Notification, thread::Thread,
};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// How long it is kept: whoever was cut off looks at the lists again, and a worker that was away for
/// longer would bring stale news.
const KEPT_DAYS: i64 = 7;

/// Committed together with what it tells of. Ids only: whoever tells of it loads the rest again, and
/// looks at who may see it then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Sorts by time, to within what clocks of several machines differ.
    #[serde(rename = "_id")]
    pub id: Id<Activity>,
    pub version: i64,
    /// Who did it: the one member who needs not be told.
    pub actor: Id<Member>,
    pub what: What,
    /// Where it happened: the thread of what it is about.
    pub thread: Id<Thread>,
    /// Members whom the text mentions and did not mention before.
    #[serde(default)]
    pub mentioned: Vec<Id<Member>>,
    /// The last follower who was told of it: none as long as those are not who are told in any case.
    #[serde(default)]
    pub told_up_to: Option<String>,
    /// Whether everybody was told.
    #[serde(default)]
    pub told: bool,
    pub at: Timestamp,
    pub expires_at: Timestamp,
}

document!(Activity, "act", "activities", [Index::named("expires").asc(Activity::EXPIRES_AT)]);

/// What happened, and to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A contribution can be seen by every member from now on.
    Published {
        contribution: ContributionId,
    },
    /// Its text changed, or it went.
    Changed {
        contribution: ContributionId,
    },
    CommentAdded {
        comment: Id<Comment>,
    },
    /// Its text changed, or it went.
    CommentChanged {
        comment: Id<Comment>,
    },
    /// A comment was said to answer the question that its thread is about.
    AnswerAccepted {
        comment: Id<Comment>,
    },
    /// An organisation recorded where it stands with a case study.
    AdoptionRecorded {
        step: Id<AdoptionStep>,
    },
    /// A moderator acted on a member or on what they wrote: the member is told what happened and why.
    /// What a member alone is told of happens in no thread, [`Activity::nowhere`].
    Moderated {
        entry: Id<AuditEntry>,
        member: Id<Member>,
    },
    /// Members were notified of something.
    Notified {
        told: Vec<Told>,
    },
}

/// A member and what they were told, perhaps in addition to what was there to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub member: Id<Member>,
    pub notification: Id<Notification>,
}

impl Activity {
    pub const TOLD_UP_TO: Field<Self, Option<String>> = Field::new("toldUpTo");
    pub const TOLD: Field<Self, bool> = Field::new("told");
    pub const EXPIRES_AT: Field<Self, Timestamp> = Field::new("expiresAt");

    /// The thread of what happens in none.
    #[must_use]
    pub fn nowhere() -> Id<Thread> {
        Id::of("none")
    }

    /// Whoever must not be named as the one who did it: a member who reported something.
    #[must_use]
    pub fn nobody() -> Id<Member> {
        Id::of("none")
    }

    #[must_use]
    pub fn new(
        id: Id<Self>,
        actor: &Id<Member>,
        what: What,
        thread: &Id<Thread>,
        mentioned: Vec<Id<Member>>,
        at: Timestamp,
    ) -> Self {
        let expires_at = at.plus(TimeDelta::days(KEPT_DAYS));
        let (actor, thread) = (actor.clone(), thread.clone());
        Self { id, version: 1, actor, what, thread, mentioned, told_up_to: None, told: false, at, expires_at }
    }

    /// Whether members may have to be notified of it.
    #[must_use]
    pub fn concerns(&self) -> bool {
        match self.what {
            What::Changed { .. } | What::CommentChanged { .. } => !self.mentioned.is_empty(),
            What::Notified { .. } => false,
            _ => true,
        }
    }
}
