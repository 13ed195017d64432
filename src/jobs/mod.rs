//! Background jobs: one a file, and the runner that leases them.

pub mod sign_in_mail;

use crate::{
    error::{Error, StoreError},
    mail::MailError,
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
            MailError::Never(why) => Self::Never(why),
        }
    }
}
