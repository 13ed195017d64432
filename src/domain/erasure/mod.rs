//! Erasures: a member is forgotten, and what they wrote stays readable.
//!
//! First there is time to think again. Then the member becomes "A former member" in one commit, with which
//! nobody can sign in as them; what is theirs alone is deleted, and what tells who they were is taken out
//! of what they and others wrote, page by page.

mod traces;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

pub use traces::Traces;

use super::{
    activity::Activity,
    email::EmailAddress,
    member::{DigestPreferences, Member, Role},
    moderation::Suspension,
    notification::{Delivery, Kind, NotificationPreferences},
};
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Index},
};

/// What stands in texts in the place of whoever was erased.
pub const FORMER: &str = "a former member";
/// What stands where their name did.
const NAME: &str = "A former member";
/// Where no mailbox is (RFC 2606, 2): the domain of members who were erased. Nothing is sent there.
pub const NO_MAILBOX: &str = "former-member.invalid";
/// How much later is looked again at an erasure that has to wait.
pub const LOOK_AGAIN: TimeDelta = TimeDelta::days(1);

/// An erasure that was asked for, and how far it is. One a member; it stays as the proof that it was done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    /// Made of the member's.
    #[serde(rename = "_id")]
    pub id: Id<Erasure>,
    pub version: i64,
    pub member: Id<Member>,
    /// Who asked for it: the member, or an administrator.
    pub by: Id<Member>,
    pub requested_at: Timestamp,
    /// Until then it can be called off.
    pub due_at: Timestamp,
    pub stage: Stage,
    /// The id up to which the documents of this stage are done.
    pub after: Option<String>,
    /// What is still to be found; none before it begins, and none when it is done.
    pub traces: Option<Traces>,
    pub finished_at: Option<Timestamp>,
}

document!(
    Erasure,
    "ers",
    "erasures",
    [Index::named("newest").desc(Erasure::REQUESTED_AT), Index::named("finished").asc(Erasure::FINISHED_AT),]
);

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It can be called off.
    Waiting,
    // What is theirs alone goes.
    Sessions,
    Devices,
    SecondFactors,
    Identities,
    SignIns,
    Invitations,
    AccessTokens,
    ServiceAccounts,
    Follows,
    Bookmarks,
    ReadMarks,
    Notifications,
    Digests,
    DataExports,
    Attachments,
    Drafts,
    CaseStudyDrafts,
    // What tells who they were goes from all that anybody wrote.
    Posts,
    Comments,
    CaseStudies,
    Editions,
    Revisions,
    Adoptions,
    AdoptionSteps,
    Reports,
    AuditEntries,
    FileNames,
    Suspensions,
    Done,
}

impl Stage {
    const ALL: [Self; 30] = [
        Self::Waiting,
        Self::Sessions,
        Self::Devices,
        Self::SecondFactors,
        Self::Identities,
        Self::SignIns,
        Self::Invitations,
        Self::AccessTokens,
        Self::ServiceAccounts,
        Self::Follows,
        Self::Bookmarks,
        Self::ReadMarks,
        Self::Notifications,
        Self::Digests,
        Self::DataExports,
        Self::Attachments,
        Self::Drafts,
        Self::CaseStudyDrafts,
        Self::Posts,
        Self::Comments,
        Self::CaseStudies,
        Self::Editions,
        Self::Revisions,
        Self::Adoptions,
        Self::AdoptionSteps,
        Self::Reports,
        Self::AuditEntries,
        Self::FileNames,
        Self::Suspensions,
        Self::Done,
    ];

    #[must_use]
    pub fn next(self) -> Self {
        let after = Self::ALL.iter().skip_while(|stage| **stage != self).nth(1);
        after.copied().unwrap_or(Self::Done)
    }
}

impl Erasure {
    pub const REQUESTED_AT: Field<Self, Timestamp> = Field::new("requestedAt");
    pub const FINISHED_AT: Field<Self, Option<Timestamp>> = Field::new("finishedAt");

    #[must_use]
    pub fn id_of(member: &Id<Member>) -> Id<Self> {
        Id::of(member.as_str().trim_start_matches(Member::PREFIX).trim_start_matches('_'))
    }

    /// Asked for at `now` by `by`, who has so many days to think again.
    #[must_use]
    pub fn requested(member: &Id<Member>, by: &Id<Member>, days: i64, now: Timestamp) -> Self {
        Self {
            id: Self::id_of(member),
            version: 1,
            member: member.clone(),
            by: by.clone(),
            requested_at: now,
            due_at: now.plus(TimeDelta::days(days)),
            stage: Stage::Waiting,
            after: None,
            traces: None,
            finished_at: None,
        }
    }

    /// An administrator, who has not asked for it, wants it in so many days at the latest.
    pub fn taken_over(&mut self, by: &Id<Member>, days: i64, now: Timestamp) {
        self.by = by.clone();
        self.due_at = self.due_at.min(now.plus(TimeDelta::days(days)));
    }

    #[must_use]
    pub fn waits(&self) -> bool {
        self.stage == Stage::Waiting
    }

    /// Goes on to the next stage.
    pub fn advance(&mut self, now: Timestamp) {
        (self.stage, self.after) = (self.stage.next(), None);
        if self.stage == Stage::Done {
            (self.traces, self.finished_at) = (None, Some(now));
        }
    }
}

impl Member {
    /// Whether there is nobody behind it any more.
    #[must_use]
    pub fn is_former(&self) -> bool {
        self.email.domain() == NO_MAILBOX
    }

    /// What is left of a member who is erased at `now`: an id by which what they wrote belongs together, on
    /// no list and of no use to anybody.
    ///
    /// # Errors
    /// None but a mistake in how its address is made.
    pub fn former(&self, now: Timestamp) -> Result<Self, String> {
        let email = EmailAddress::parse(&format!("{}@{NO_MAILBOX}", self.id))?;
        let digest = DigestPreferences::off();
        let mut notifications = NotificationPreferences::default();
        Kind::ALL.into_iter().for_each(|kind| *notifications.of_mut(kind) = Delivery::None);
        let reason = "The account was erased.".to_owned();
        let mut former = Self {
            version: self.version,
            role: Role::Member,
            notifications,
            created_at: self.created_at,
            suspension: Some(Suspension { until: None, reason, by: Activity::nobody(), at: now }),
            ..Self::new(self.id.clone(), email, digest, now)
        };
        former.rename(NAME.to_owned());
        Ok(former)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_come_to() {
        let mut stage = Stage::Waiting;
        let mut seen = vec![stage];
        while stage != Stage::Done {
            stage = stage.next();
            assert!(!seen.contains(&stage), "{stage:?}");
            seen.push(stage);
        }
        assert_eq!((seen.len(), Stage::Done.next()), (Stage::ALL.len(), Stage::Done));
    }
}
