//! What a mail server's answer means for the mailbox.
//!
//! | answer | meaning |
//! |---|---|
//! | 4xx | later: the server is busy, or does not know us yet (RFC 5321, 4.2.1) |
//! | 5.1.1, 5.1.2, 5.1.3, 5.1.6, 5.1.10 | the mailbox: there is none, or its domain takes no mail (RFC 3463, 3.2; RFC 7505) |
//! | 5.1.0, 5.4.1, 5.5.0 | the mailbox: what Exchange Online and outlook.com say of recipients that they don't know |
//! | 5.2.1 | the mailbox: it is disabled (RFC 3463, 3.3) |
//! | any other 5.x.x | us, or the message: policy (5.7.x), our address (5.1.7, 5.1.8), a full mailbox (5.2.2) … |
//! | 550, 551, 553, 556 without a status | the mailbox (RFC 5321, 4.2.3; RFC 7504) |
//! | 530, 534, 535, 538 | us: it refuses our sign-in (RFC 4954) |
//! | any other 5xx without a status | us, or the message |
//!
//! A relay that is set up wrong refuses everybody's mail. That must not suppress everybody, so only what is said
//! of a mailbox counts against it; all else is tried again for two days, in which an operator can mend it.

/// Statuses that say something of the mailbox.
const MAILBOX: [&str; 9] = ["5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.1", "5.5.0"];
/// Reply codes that do, where no status says more.
const MAILBOX_REPLIES: [&str; 4] = ["550", "551", "553", "556"];

/// Whether a permanent failure with this status, or without one this reply code, is the mailbox's.
#[must_use]
pub fn is_about_the_mailbox(code: &str) -> bool {
    MAILBOX.contains(&code) || MAILBOX_REPLIES.contains(&code)
}

/// The status at the beginning of what a server says: `5.1.1`.
#[must_use]
pub fn enhanced(said: &str) -> Option<&str> {
    let status = said.trim_start().split([' ', '\t', '\r', '\n']).next()?;
    is_status(status).then_some(status)
}

/// Whether it is a class, a subject of up to three digits and a detail of up to three (RFC 3463, 2).
#[must_use]
pub fn is_status(text: &str) -> bool {
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('.').collect();
    matches!(parts.as_slice(), [class, subject, detail]
        if matches!(*class, "2" | "4" | "5") && number(subject) && number(detail))
}

/// Whether it is a reply code of SMTP (RFC 5321, 4.2).
#[must_use]
pub fn is_reply(text: &str) -> bool {
    text.len() == 3 && text.starts_with(['2', '4', '5']) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_of_a_mailbox_counts_against_it() {
        for code in ["5.1.1", "5.1.10", "5.2.1", "5.4.1", "550", "553"] {
            assert!(is_about_the_mailbox(code), "{code}");
        }
        for code in
            ["5.7.1", "5.7.26", "5.1.8", "5.1.7", "5.2.2", "5.3.4", "554", "552", "535", "4.2.1", "450", ""]
        {
            assert!(!is_about_the_mailbox(code), "{code}");
        }
    }

    #[test]
    fn a_status_stands_at_the_beginning() {
        assert_eq!(enhanced("5.1.1 <gone@trust.nhs.uk>: no such user"), Some("5.1.1"));
        assert_eq!(enhanced(" 5.1.10\tnull MX"), Some("5.1.10"));
        for none in [
            "",
            "no such user 5.1.1",
            "5.1",
            "5.1.1.1 x",
            "6.1.1 x",
            "5.1234.1 x",
            "10.0.0.1 refused",
            "5..1 x",
        ] {
            assert_eq!(enhanced(none), None, "{none}");
        }
    }
}
