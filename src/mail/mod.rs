//! Mail: messages rendered from templates, and the transports that carry them.
//!
//! A message is the same whatever carries it: [`Mailer::send`] takes a [`Message`] and says whether
//! it went, may go later, or never will. Addresses appear in no log and no error.

pub mod access_token;
pub mod applicant;
mod compose;
pub mod data_export;
pub mod decision;
pub mod digest;
pub mod directory;
pub mod erasure;
pub mod identity;
pub mod incoming;
pub mod invitation;
mod memory;
pub mod new_device;
pub mod notification;
pub mod review_reminder;
pub mod samples;
pub mod second_factor;
pub mod sign_in;
mod smtp;
pub mod status;
pub mod suppression;
pub mod template;
pub mod verify_reminder;

use std::sync::Arc;

pub use self::{directory::Directory, memory::Memory};
use crate::{
    clock::Clock,
    config::{MailFrom, Secret},
    domain::{
        email::{EmailAddress, NO_MAILBOX},
        erasure::NO_MAILBOX as NO_MORE,
    },
};

/// A message ready to be sent, the same whatever carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub to: EmailAddress,
    pub to_name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Without angle brackets. The same for every attempt at the same message.
    pub message_id: String,
    /// Present on mail that one can unsubscribe from.
    pub list: Option<List>,
}

/// The list that a message belongs to (RFC 2369, RFC 2919, RFC 8058).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// `digest.hope.example`
    pub id: String,
    pub unsubscribe_url: String,
    pub unsubscribe_mailto: String,
}

/// Why a message did not go out. The text is for an operator and holds no personal data: not what
/// the server said, which often repeats the address, but its code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Try again later, with the same Message-ID: the server is away, busy, or said 4xx; or the
    /// connection broke after the message was handed over, so that nobody knows.
    #[error("{0}")]
    Later(String),
    /// There is no such mailbox, or none that takes mail; with the status or reply code that says so, see
    /// [`status`].
    #[error("the mail server says that there is no such mailbox ({0})")]
    NoMailbox(String),
    /// The message can't be sent as it is.
    #[error("{0}")]
    Never(String),
}

/// Where messages go. Cheap to clone.
#[derive(Clone)]
pub enum Mailer {
    /// To an SMTP server.
    Smtp(Arc<smtp::Smtp>),
    /// To files in a folder, for development.
    Directory(Directory),
    /// Kept in memory, for tests.
    Memory(Memory),
}

impl Mailer {
    /// Reads the setting `mail`: `smtp://…` or `dir://PATH`. Connects to nothing yet.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the setting.
    pub fn open(uri: &Secret, from: &MailFrom, clock: &Clock) -> Result<Self, String> {
        let composer = compose::Composer::new(from, clock)?;
        match uri.expose().split_once("://") {
            Some(("smtp", _)) => Ok(Self::Smtp(Arc::new(smtp::Smtp::open(uri, from, composer)?))),
            Some(("dir", path)) => Ok(Self::Directory(Directory::open(path.as_ref(), composer)?)),
            _ => Err(format!("mail is {uri}, but must be dir://PATH or smtp://USER:PASSWORD@HOST:PORT.")),
        }
    }

    /// Sends one message; returns when the server (or the disk) has it.
    ///
    /// # Errors
    /// See [`MailError`].
    pub async fn send(&self, message: &Message) -> Result<(), MailError> {
        if [NO_MAILBOX, NO_MORE].contains(&message.to.domain()) {
            return Ok(());
        }
        match self {
            Self::Smtp(smtp) => smtp.send(message).await,
            Self::Directory(directory) => directory.send(message).await,
            Self::Memory(memory) => memory.send(message),
        }
    }

    /// Tries the connection, as `hope check` does.
    ///
    /// # Errors
    /// A sentence that says what failed.
    pub async fn check(&self) -> Result<(), String> {
        match self {
            Self::Smtp(smtp) => smtp.check().await.map_err(|error| error.to_string()),
            Self::Directory(_) | Self::Memory(_) => Ok(()),
        }
    }
}
