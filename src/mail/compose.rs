//! From a [`Message`] to what goes over the wire (RFC 5322): headers, and a text and an HTML part
//! of which the reader's program shows the one that it prefers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::{
    Address,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{MailError, Message};
use crate::{
    clock::{Clock, Timestamp},
    config::MailFrom,
};

/// Names longer than this are cut: a header is not the place for more.
const NAME_MAX: usize = 80;

/// Mailbox providers count complaints by the lists of a sender: the kind of mail, and who sends it (5 to 15
/// characters). Nothing in it tells of a recipient.
const SENDER: &str = "hope-exchange";

/// What all messages have in common.
#[derive(Clone, Debug)]
pub(super) struct Composer {
    from: Mailbox,
    reply_to: Mailbox,
    clock: Clock,
}

impl Composer {
    /// # Errors
    /// A sentence that names the setting that is no address.
    pub fn new(from: &MailFrom, clock: &Clock) -> Result<Self, String> {
        let address = |key: &str, text: &str| {
            text.parse::<Address>().map_err(|_| format!("mail_from.{key} is not an e-mail address."))
        };
        let reply_to = address("reply_to", &from.reply_to)?;
        let sender = address("address", &from.address)?;
        Ok(Self {
            from: Mailbox::new(name(&from.name), sender),
            reply_to: Mailbox::new(None, reply_to),
            clock: clock.clone(),
        })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// # Errors
    /// `Never` when the message can't be sent as it is, whoever carries it.
    pub fn compose(&self, message: &Message) -> Result<lettre::Message, MailError> {
        let address: Address =
            message.to.as_str().parse().map_err(|_| never("the recipient's address can't be sent to"))?;
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .reply_to(self.reply_to.clone())
            .to(Mailbox::new(name(&message.to_name), address))
            .subject(one_line(&message.subject))
            .date(system_time(self.now()))
            .message_id(Some(format!("<{}>", one_line(&message.message_id))))
            // RFC 3834: out-of-office replies don't answer this.
            .raw_header(header("Auto-Submitted", "auto-generated"));
        if let Some(list) = &message.list {
            let ways = format!("<{}>, <{}>", list.unsubscribe_url, list.unsubscribe_mailto);
            let kind = list.id.split('.').next().unwrap_or_default();
            builder = builder
                .raw_header(header("Feedback-ID", &format!("{kind}:{SENDER}")))
                .raw_header(header("List-Id", &format!("<{}>", list.id)))
                .raw_header(header("List-Unsubscribe", &ways))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        builder
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
            .map_err(|error| never(&format!("the message can't be written: {error}")))
    }
}

fn never(why: &str) -> MailError {
    MailError::Never(why.to_owned())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), one_line(value))
}

/// A display name that can stand in a header; `None` when nothing is left of it. The library panics
/// at line ends and NUL in names, which would also be a way to smuggle headers in.
fn name(text: &str) -> Option<String> {
    let name: String = one_line(text).chars().take(NAME_MAX).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Without control characters, line ends included.
fn one_line(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn system_time(time: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(time.millis()).unwrap_or_default())
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::List, *};
    use crate::{config::Config, domain::email::EmailAddress};

    pub fn composer() -> Composer {
        let clock = Clock::manual("2026-03-03T07:30:00Z".parse().unwrap());
        Composer::new(&Config::defaults().mail_from, &clock).unwrap()
    }

    pub fn message(to_name: &str) -> Message {
        Message {
            to: EmailAddress::try_from("jo@trust.nhs.uk".to_owned()).unwrap(),
            to_name: to_name.to_owned(),
            subject: "2 new ideas: HOPE Network, 3 March 2026".to_owned(),
            text: "Always Events® – what’s new".to_owned(),
            html: "<p>Always Events® – what’s new</p>".to_owned(),
            message_id: "dig_1-20260303@hope.example".to_owned(),
            list: Some(List {
                id: "digest.hope.example".to_owned(),
                unsubscribe_url: format!("https://hope.example/unsubscribe/{}", "a".repeat(71)),
                unsubscribe_mailto: "mailto:hope@example.nhs.uk?subject=unsubscribe".to_owned(),
            }),
        }
    }

    #[test]
    fn headers_say_who_when_why_and_how_to_leave() {
        let bytes = composer().compose(&message("Jo Bloggs")).unwrap().formatted();
        let head = String::from_utf8(bytes).unwrap();
        let (head, _) = head.split_once("\r\n\r\n").unwrap();
        let stable: Vec<&str> = head.lines().filter(|line| !line.contains("boundary")).collect();
        insta::assert_snapshot!(stable.join("\n"), @r#"
        From: "HOPE Network" <hope-network@example.nhs.uk>
        Reply-To: hope-network@example.nhs.uk
        To: "Jo Bloggs" <jo@trust.nhs.uk>
        Subject: 2 new ideas: HOPE Network, 3 March 2026
        Date: Tue, 03 Mar 2026 07:30:00 +0000
        Message-ID: <dig_1-20260303@hope.example>
        Auto-Submitted: auto-generated
        Feedback-ID: digest:hope-exchange
        List-Id: <digest.hope.example>
        List-Unsubscribe: <https://hope.example/unsubscribe/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>,
         <mailto:hope@example.nhs.uk?subject=unsubscribe>
        List-Unsubscribe-Post: List-Unsubscribe=One-Click
        MIME-Version: 1.0
        Content-Type: multipart/alternative;
        "#);
    }

    #[test]
    fn no_name_and_no_subject_smuggles_a_header_or_ends_the_process() {
        for evil in [
            "Jo\r\nBcc: all@nhs.net",
            "Jo\nX: y",
            "Jo\r",
            "\0",
            "\u{85}",
            "\u{2028}",
            "\"",
            "\\",
            "a\"@b <c>,",
            "é\r\nX: y",
        ] {
            let message = Message { subject: evil.to_owned(), message_id: evil.to_owned(), ..message(evil) };
            let bytes = composer().compose(&message).unwrap().formatted();
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("\nBcc:") && !text.contains("\nX:"), "{evil:?} gave {text}");
        }
        let long = message(&"ä".repeat(10_000));
        assert!(composer().compose(&long).is_ok());
    }
}
