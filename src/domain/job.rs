//! Jobs: the outbox. Whatever is slow or may fail is written here in the same commit as the change
//! that causes it, and done afterwards.

use serde::{Deserialize, Serialize};

use super::{digest::Digest, sign_in::SignIn};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

/// Something to be done. A worker leases it, does it, and deletes it in the commit that records
/// what was done. A worker that dies leaves a lease that runs out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    #[serde(rename = "_id")]
    pub id: Id<Job>,
    pub version: i64,
    pub state: JobState,
    pub task: Task,
    /// When it may be taken up: at once, after a failed attempt's pause, or when a lease runs out.
    pub due_at: Timestamp,
    pub attempts: i64,
    /// Why the last attempt failed, in words for an operator; never personal data.
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

document!(Job, "job", "jobs", [Index::named("due").asc(Job::STATE).asc(Job::DUE_AT)]);

/// What is to be done. Ids only: state is loaded again when it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Task {
    SendSignInCode { sign_in: Id<SignIn> },
    SendDigest { digest: Id<Digest> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    Waiting,
    /// Given up; an operator has to look.
    Failed,
}
scalar_enum!(JobState);

impl Job {
    pub const STATE: Field<Self, JobState> = Field::new("state");
    pub const DUE_AT: Field<Self, Timestamp> = Field::new("dueAt");

    #[must_use]
    pub fn new(id: Id<Self>, task: Task, now: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            state: JobState::Waiting,
            task,
            due_at: now,
            attempts: 0,
            last_error: None,
            created_at: now,
        }
    }

    /// What a worker may take up at `now`.
    #[must_use]
    pub fn due(now: Timestamp) -> Filter<Self> {
        Self::STATE.eq(JobState::Waiting).and(Self::DUE_AT.lte(now))
    }
}
