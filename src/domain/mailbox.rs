//! A member's mailbox, as far as it is known from here: whether mail comes back from it.
//!
//! What a mail server refuses for good, a relay that keeps sending to it pays for with its reputation, and then
//! nobody gets mail. So a mailbox that is gone, or whose reader calls our mail junk, is suppressed: it gets
//! nothing of what is sent to many. Codes to sign in are still tried, and whoever signs in with one has shown
//! that mail arrives.

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, scalar_enum};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mailbox {
    /// Since when it is suppressed.
    pub suppressed_at: Option<Timestamp>,
    pub reason: Option<SuppressionReason>,
    /// What the mail server answered: a status (RFC 3463) such as `5.1.1`, or its reply code (RFC 5321).
    pub code: Option<String>,
    /// When the administrators are told of it; none once they were.
    pub tell_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionReason {
    /// The mail server says that there is no such mailbox, or none that takes mail.
    HardBounce,
    /// Its reader called our mail junk.
    Complaint,
    /// An administrator wanted it so.
    Administrator,
}
scalar_enum!(SuppressionReason);

impl SuppressionReason {
    /// In the middle of a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::HardBounce => "there is no such mailbox, or none that takes mail",
            Self::Complaint => "its reader called our mail junk",
            Self::Administrator => "an administrator wanted it so",
        }
    }
}

impl Mailbox {
    #[must_use]
    pub const fn is_suppressed(&self) -> bool {
        self.suppressed_at.is_some()
    }

    /// Its reader signed in with what was mailed there. Who called our mail junk still thinks so.
    pub fn answers(&mut self) {
        if self.reason == Some(SuppressionReason::HardBounce) {
            *self = Self::default();
        }
    }
}
