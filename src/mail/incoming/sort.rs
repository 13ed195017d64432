//! What a message is: something that a person wrote, or something that a machine sent by itself. Machines
//! get no answer, or two of them would write to each other for ever (RFC 3834).

use mail_parser::{Message, MimeHeaders};

use crate::domain::email::EmailAddress;

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody wrote it.
    Letter,
    /// Says that mail could not be delivered.
    DeliveryReport,
    /// Sent by a machine, by a list, or by ourselves: dropped without an answer. The reason is for the log.
    Automatic(&'static str),
}

/// How the subjects of out-of-office notes begin where their headers say nothing.
const VACATION: [&str; 5] = ["automatic reply:", "auto reply:", "autoreply:", "out of office", "auto:"];

/// Sorts a message. `own` are the addresses from which we write, and to which people answer.
#[must_use]
pub fn kind(message: &Message<'_>, own: &[&EmailAddress]) -> Kind {
    let report = report_type(message);
    let null_path = header(message, "Return-Path").is_some_and(|path| path == "<>");
    if report.as_deref() == Some("delivery-status") || (null_path && is_from_daemon(message)) {
        return Kind::DeliveryReport;
    }
    let reason = [
        (report.is_some(), "a report"),
        (says_automatic(message), "Auto-Submitted"),
        (is_bulk(message), "Precedence"),
        (header(message, "X-Autoreply").is_some_and(|value| value != "no"), "X-Autoreply"),
        (header(message, "X-Autorespond").is_some(), "X-Autorespond"),
        (header(message, "List-Id").is_some(), "List-Id"),
        (null_path, "no return path"),
        (is_vacation(message), "a vacation note"),
        (is_from(message, own), "from ourselves"),
    ];
    let reason = reason.into_iter().find(|(is, _)| *is);
    reason.map_or(Kind::Letter, |(_, why)| Kind::Automatic(why))
}

/// The only sender that a message names, when it is one address.
#[must_use]
pub fn sender(message: &Message<'_>) -> Option<EmailAddress> {
    let mut senders = message.from()?.iter();
    let sender = senders.next()?.address()?;
    if senders.next().is_some() {
        return None;
    }
    EmailAddress::parse(sender).ok()
}

/// A header as it stands, in lower case and without a comment after `;`.
fn header(message: &Message<'_>, name: &str) -> Option<String> {
    let (_, value) = message.headers_raw().find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn report_type(message: &Message<'_>) -> Option<String> {
    let content = message.content_type()?;
    let is_report = content.ctype().eq_ignore_ascii_case("multipart")
        && content.subtype().is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"));
    is_report.then(|| content.attribute("report-type").unwrap_or("delivery-status").to_ascii_lowercase())
}

fn is_from_daemon(message: &Message<'_>) -> bool {
    let from = message.from().and_then(|from| from.first()).and_then(|from| from.address());
    let local = from.and_then(|from| from.split('@').next()).unwrap_or_default().to_ascii_lowercase();
    from.is_none() || ["mailer-daemon", "postmaster"].contains(&local.as_str())
}

fn says_automatic(message: &Message<'_>) -> bool {
    header(message, "Auto-Submitted").is_some_and(|value| value != "no")
}

fn is_bulk(message: &Message<'_>) -> bool {
    let bulk = ["bulk", "junk", "list", "auto_reply"];
    header(message, "Precedence").is_some_and(|value| bulk.contains(&value.as_str()))
}

fn is_vacation(message: &Message<'_>) -> bool {
    let subject = message.subject().unwrap_or_default().trim_start().to_lowercase();
    VACATION.iter().any(|beginning| subject.starts_with(beginning))
}

fn is_from(message: &Message<'_>, own: &[&EmailAddress]) -> bool {
    sender(message).is_some_and(|sender| own.iter().any(|own| own.key() == sender.key()))
}
