//! Jobs: the outbox. Whatever is slow or may fail is written here in the same commit as the change
//! that causes it, and done afterwards.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    access_token::{AccessToken, TokenNews},
    activity::Activity,
    attachment::Attachment,
    case_study::CaseStudy,
    contribution::ContributionId,
    data_export::DataExport,
    digest::Digest,
    erasure::Erasure,
    identity::IdentityNews,
    invitation::Invitation,
    member::Member,
    organisation::Organisation,
    second_factor::FactorNews,
    session::Session,
    sign_in::SignIn,
    succession::Succession,
    thread::Thread,
};
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
    pub lane: Lane,
    pub task: Task,
    /// When it may be taken up: at once, after a failed attempt's pause, or when a lease runs out.
    pub due_at: Timestamp,
    pub attempts: i64,
    /// Why the last attempt failed, in words for an operator; never personal data.
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

document!(Job, "job", "jobs", [Index::named("due").asc(Job::STATE).asc(Job::LANE).asc(Job::DUE_AT)]);

/// What is to be done. Ids only: state is loaded again when it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Task {
    SendSignInCode {
        sign_in: Id<SignIn>,
    },
    /// To a member, who may not have been the one that signed in.
    SendNewDeviceMail {
        session: Id<Session>,
    },
    SendDigest {
        digest: Id<Digest>,
    },
    /// Tell those whom something concerns.
    Notify {
        activity: Id<Activity>,
    },
    /// What a member has not read of a thread and wants to be told by e-mail.
    SendNotificationMail {
        member: Id<Member>,
        thread: Id<Thread>,
    },
    /// To a member, or with none to the case study's shared mailbox.
    SendReviewReminder {
        case_study: Id<CaseStudy>,
        member: Option<Id<Member>>,
    },
    SendInvitation {
        invitation: Id<Invitation>,
    },
    /// Somebody asked to join, and a moderator is to look at it.
    SendApplicant {
        member: Id<Member>,
    },
    /// What became of a request to join.
    SendDecision {
        member: Id<Member>,
    },
    /// To the team: from whose mailboxes mail comes back.
    SendSuppressions {
        members: Vec<Id<Member>>,
    },
    /// To show again that they read their address's mail.
    SendVerifyReminder {
        member: Id<Member>,
    },
    /// To the token's owner.
    SendAccessTokenMail {
        token: Id<AccessToken>,
        news: TokenNews,
    },
    /// What happened to a member's second factors, and when.
    SendSecondFactorMail {
        member: Id<Member>,
        news: FactorNews,
        at: Timestamp,
    },
    /// What happened to an identity of a member, and when. The provider's name is as people know it.
    SendIdentityMail {
        member: Id<Member>,
        provider: String,
        news: IdentityNews,
        at: Timestamp,
    },
    /// The attachment itself is gone already.
    DeleteBlob {
        attachment: Id<Attachment>,
    },
    /// Put together everything that is a member's.
    MakeDataExport {
        export: Id<DataExport>,
    },
    /// To the member whose it is.
    SendDataExportMail {
        export: Id<DataExport>,
    },
    /// The export itself is gone already.
    DeleteDataExport {
        export: Id<DataExport>,
    },
    /// Forget a member, once their erasure is due.
    Erase {
        erasure: Id<Erasure>,
    },
    /// To the member who asked for it, while it can be called off.
    SendErasureMail {
        erasure: Id<Erasure>,
    },
    /// Bring what finds a member up to date.
    RefreshMember {
        member: Id<Member>,
    },
    /// The same for those who wrote something.
    RefreshAuthors {
        contribution: ContributionId,
    },
    /// Bring what finds the members and case studies of an organisation up to date, after it was moved or
    /// became another type; the members behind one.
    RefreshOrganisation {
        organisation: Id<Organisation>,
        after: Option<Id<Member>>,
    },
    /// What follows to a successor.
    Succeed {
        succession: Id<Succession>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    Waiting,
    /// Given up; an operator has to look.
    Failed,
}
scalar_enum!(JobState);

/// Jobs of one lane are done one after the other, but for one that takes long; the lanes don't wait for each
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Somebody is looking at the screen and waits for it.
    Prompt,
    /// Somebody is told of it while it is news.
    Soon,
    /// The same by e-mail: a mail server that is slow holds up no news on the site.
    SoonByMail,
    /// It may take its time.
    Bulk,
    /// One of them may take many minutes, in which the others go on.
    Slow,
}
scalar_enum!(Lane);

impl Lane {
    pub const ALL: [Self; 5] = [Self::Prompt, Self::Soon, Self::SoonByMail, Self::Bulk, Self::Slow];

    /// How many leases a job of it may take.
    #[must_use]
    pub const fn leases(self) -> i64 {
        match self {
            Self::Slow => 10,
            Self::Prompt | Self::Soon | Self::SoonByMail | Self::Bulk => 1,
        }
    }
}

impl Task {
    /// Sign-in codes and news don't wait behind a thousand digests.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::SendSignInCode { .. } => Lane::Prompt,
            Self::Notify { .. } | Self::RefreshMember { .. } | Self::RefreshAuthors { .. } => Lane::Soon,
            Self::SendNotificationMail { .. }
            | Self::SendNewDeviceMail { .. }
            | Self::SendAccessTokenMail { .. }
            | Self::SendSecondFactorMail { .. }
            | Self::SendIdentityMail { .. }
            | Self::SendInvitation { .. }
            | Self::SendApplicant { .. }
            | Self::SendDecision { .. }
            | Self::SendDataExportMail { .. }
            | Self::SendErasureMail { .. } => Lane::SoonByMail,
            Self::SendDigest { .. }
            | Self::SendReviewReminder { .. }
            | Self::SendSuppressions { .. }
            | Self::SendVerifyReminder { .. }
            | Self::DeleteBlob { .. }
            | Self::DeleteDataExport { .. }
            | Self::Erase { .. }
            | Self::RefreshOrganisation { .. }
            | Self::Succeed { .. } => Lane::Bulk,
            Self::MakeDataExport { .. } => Lane::Slow,
        }
    }
}

impl Job {
    pub const STATE: Field<Self, JobState> = Field::new("state");
    pub const LANE: Field<Self, Lane> = Field::new("lane");
    pub const DUE_AT: Field<Self, Timestamp> = Field::new("dueAt");
    pub const ATTEMPTS: Field<Self, i64> = Field::new("attempts");
    pub const LAST_ERROR: Field<Self, Option<String>> = Field::new("lastError");

    #[must_use]
    pub fn new(id: Id<Self>, task: Task, now: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            state: JobState::Waiting,
            lane: task.lane(),
            task,
            due_at: now,
            attempts: 0,
            last_error: None,
            created_at: now,
        }
    }

    /// The same, to be done at `at` and not before.
    #[must_use]
    pub fn at(self, at: Timestamp) -> Self {
        Self { due_at: at, ..self }
    }

    /// What waits in a lane, whether it is due or not.
    #[must_use]
    pub fn waiting(lane: Lane) -> Filter<Self> {
        Self::STATE.eq(JobState::Waiting).and(Self::LANE.eq(lane))
    }

    /// What was given up in a lane.
    #[must_use]
    pub fn failed(lane: Lane) -> Filter<Self> {
        Self::STATE.eq(JobState::Failed).and(Self::LANE.eq(lane))
    }

    /// What a worker may take up at `now`.
    #[must_use]
    pub fn due(lane: Lane, now: Timestamp) -> Filter<Self> {
        Self::waiting(lane).and(Self::DUE_AT.lte(now))
    }

    /// How long to pause after the attempt with this number (the first is 1): a minute, doubled each
    /// time up to 4 hours. `None` when the pauses would go beyond 48 hours: whoever can't be reached
    /// for two days won't be by trying again.
    #[must_use]
    pub fn pause_after(attempt: i64) -> Option<TimeDelta> {
        let pause = |attempt: i64| match attempt {
            ..=1 => 1,
            2..=8 => 1_i64 << (attempt - 1),
            _ => PAUSE_MAX_MINUTES,
        };
        let in_all: i64 = (1..=attempt.min(GIVE_UP_MINUTES)).map(pause).sum();
        (in_all <= GIVE_UP_MINUTES).then(|| TimeDelta::minutes(pause(attempt)))
    }
}

const PAUSE_MAX_MINUTES: i64 = 4 * 60;
const GIVE_UP_MINUTES: i64 = 48 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_minute_to_four_hours_for_two_days() {
        let minutes: Vec<i64> = (1..).map_while(Job::pause_after).map(|pause| pause.num_minutes()).collect();
        assert_eq!(minutes[..10], [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
        let in_all: i64 = minutes.iter().sum();
        assert!((44 * 60..=48 * 60).contains(&in_all), "{in_all}");
        assert_eq!(Job::pause_after(i64::MAX), None);
    }
}
