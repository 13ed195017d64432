//! Mail: messages rendered from templates, and the transports that carry them.

pub mod sign_in;
pub mod template;

use std::sync::{Arc, Mutex};

use crate::{
    config::{MailFrom, Secret},
    domain::email::EmailAddress,
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

/// Why a message did not go out.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// Try again later, with the same Message-ID: the server is away, busy, or said 4xx; or the
    /// connection broke after the message was handed over, so that nobody knows.
    #[error("{0}")]
    Later(String),
    /// The server will never take it (5xx).
    #[error("{0}")]
    Never(String),
}

/// Where messages go.
#[derive(Clone)]
pub enum Mailer {
    /// Kept in memory, for tests.
    Memory(Arc<Mutex<Vec<Message>>>),
}

impl Mailer {
    /// # Errors
    /// A sentence that says what is wrong with the setting.
    pub fn open(_uri: &Secret, _from: &MailFrom) -> Result<Self, String> {
        Ok(Self::Memory(Arc::default()))
    }

    /// # Errors
    /// See [`MailError`].
    pub async fn send(&self, message: &Message) -> Result<(), MailError> {
        match self {
            Self::Memory(messages) => {
                messages.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(message.clone());
                Ok(())
            }
        }
    }
}
