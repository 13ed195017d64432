//! Background jobs: one a file, and the runner that leases them.
//!
//! A job is a row of the outbox. Each job function loads what it needs by id, does the slow or
//! fallible thing, and returns the [`Batch`] that records it; the runner commits that together with
//! the job's deletion, so a thing that was done and recorded is never done again. A worker that dies
//! in between leaves a lease that runs out, and the thing is done once more: for mail that is one
//! message with the same Message-ID.

pub mod access_token;
mod applicant_mail;
mod attachment;
mod data_export;
mod decision_mail;
pub mod digest;
mod erasure;
mod found;
mod identity;
mod invitation_mail;
mod new_device;
mod notification_mail;
mod notify;
mod purge;
pub mod refresh;
pub mod review_reminder;
mod runner;
mod second_factor;
pub mod sign_in_mail;
mod succession;
pub mod suppression;
pub mod verify_reminder;

pub use self::{
    purge::purge,
    runner::{run_due, worker},
};
use crate::{
    app::App,
    domain::job::{Job, Task},
    error::{Error, StoreError},
    ids::Id,
    mail::MailError,
    store::Batch,
};

/// Why a job was not done. The texts are for operators and hold no personal data.
#[derive(Debug)]
pub enum Failure {
    /// Trying again may help.
    Later(String),
    /// Trying again won't.
    Never(String),
    /// The service itself failed.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl From<MailError> for Failure {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Later(why) => Self::Later(why),
            error @ (MailError::NoMailbox(_) | MailError::Never(_)) => Self::Never(error.to_string()),
        }
    }
}

/// Does what a job is for. The batch is committed together with the job's deletion; empty when
/// there was nothing to do (any more).
async fn perform(app: &App, job: &Id<Job>, task: &Task) -> Result<Batch, Failure> {
    match task {
        Task::SendSignInCode { sign_in } => sign_in_mail::run(app, sign_in).await,
        Task::SendNewDeviceMail { session } => new_device::send(app, session).await,
        Task::SendDigest { digest } => digest::send(app, digest).await,
        Task::Notify { activity } => notify::run(app, activity).await,
        Task::SendNotificationMail { member, thread } => notification_mail::send(app, member, thread).await,
        Task::SendReviewReminder { case_study, member } => {
            review_reminder::send(app, case_study, member.as_ref()).await
        }
        Task::SendInvitation { invitation } => invitation_mail::send(app, invitation).await,
        Task::SendApplicant { member } => applicant_mail::send(app, member).await,
        Task::SendDecision { member } => decision_mail::send(app, member).await,
        Task::SendSuppressions { members } => suppression::send(app, job, members).await,
        Task::SendVerifyReminder { member } => verify_reminder::send(app, member).await,
        Task::SendAccessTokenMail { token, news } => access_token::send(app, token, *news).await,
        Task::SendSecondFactorMail { member, news, at } => second_factor::send(app, member, *news, *at).await,
        Task::SendIdentityMail { member, provider, news, at } => {
            identity::send(app, member, provider, *news, *at).await
        }
        Task::DeleteBlob { attachment } => attachment::delete_blob(app, attachment).await,
        Task::MakeDataExport { export } => data_export::make(app, export).await,
        Task::SendDataExportMail { export } => data_export::tell(app, export).await,
        Task::DeleteDataExport { export } => data_export::delete_blob(app, export).await,
        Task::Erase { erasure } => erasure::run(app, erasure).await,
        Task::SendErasureMail { erasure } => erasure::tell(app, erasure).await,
        Task::RefreshMember { member } => refresh::member(app, member).await,
        Task::RefreshAuthors { contribution } => refresh::authors(app, contribution).await,
        Task::RefreshOrganisation { organisation, after } => {
            refresh::organisation(app, organisation, after.as_ref()).await
        }
        Task::Succeed { succession } => succession::run(app, succession).await,
    }
}
