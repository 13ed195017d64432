//! Replies as the programs that NHS staff use write them.

use mail_parser::MessageParser;
use proptest::{collection::vec, prelude::*};

use super::{
    cut::{SEPARATOR, own_words},
    html::to_text,
    sort::{Kind, kind},
    written,
};
use crate::domain::email::EmailAddress;

const MINE: &str = "We did this on two wards.\n\nHappy to share the order form.";

/// `MINE` above what a program adds.
fn assert_cut(name: &str, added: &str) {
    assert_eq!(own_words(&format!("{MINE}\n{added}")), MINE, "{name}");
    assert_eq!(own_words(added), "", "{name}, with nothing written");
    assert_eq!(own_words(&format!("{MINE}\n{added}").replace('\n', "\r\n")), MINE, "{name}, CRLF");
}

#[test]
fn what_programs_quote_and_add_is_cut() {
    let outlook = "From: HOPE Network <hope-network@example.nhs.uk>\nSent: Tuesday, March 3, 2026 7:30 AM\nTo: Jo Bloggs <jo@trust.nhs.uk>\nSubject: Grace Hill mentioned you\n\nGrace Hill mentioned you in Quiet nights";
    let quoted = "> Grace Hill mentioned you\n>\n> > deeper\n>no space";
    for (name, added) in [
        ("Outlook desktop", format!("\n{outlook}")),
        ("Outlook web", format!("\n________________________________\n{outlook}")),
        ("Outlook, bold", format!("\n{}", outlook.replace("From:", "*From:*").replace("Sent:", "*Sent:*"))),
        ("Outlook, old", format!("\n-----Original Message-----\n{outlook}")),
        (
            "Outlook for iOS",
            format!("\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n{outlook}"),
        ),
        (
            "Outlook for Android",
            format!("\nGet Outlook for Android\n________________________________\n{outlook}"),
        ),
        (
            "Apple Mail",
            format!("\nOn 3 Mar 2026, at 07:30, HOPE Network <hope@example.nhs.uk> wrote:\n\n{quoted}"),
        ),
        (
            "iPhone",
            format!("\nSent from my iPhone\n\nOn 3 Mar 2026, at 07:30, HOPE Network <h@example.nhs.uk> wrote:\n\n\u{feff}{quoted}").replace('\u{feff}', ""),
        ),
        (
            "Gmail",
            format!("\nOn Tue, 3 Mar 2026 at 07:30, HOPE Network <hope-network@example.nhs.uk>\nwrote:\n\n{quoted}"),
        ),
        (
            "Thunderbird",
            format!("\nOn 03/03/2026 07:30, HOPE Network wrote:\n{quoted}\n-- \nJo Bloggs\nHead of patient experience"),
        ),
        (
            "not marked as quoted",
            "\nOn 3 Mar 2026, at 07:30, HOPE Network wrote:\n\nGrace Hill mentioned you".to_owned(),
        ),
        ("the separator", format!("\n--- {SEPARATOR} to answer ---\nGrace Hill mentioned you")),
        ("a signature", "\n-- \nJo Bloggs\nHead of patient experience".to_owned()),
        (
            "NHSmail",
            format!("\n{}\n\nThis message may contain confidential information. If you are not the intended recipient\nplease inform the sender", "*".repeat(100)),
        ),
    ] {
        assert_cut(name, &added);
    }
}

#[test]
fn a_warning_above_the_text_is_cut() {
    let text = format!(
        "This message originated from outside of NHSmail. Please do not click links or open attachments\nunless you recognise the sender and know the content is safe.\n\n{MINE}"
    );
    assert_eq!(own_words(&text), MINE);
}

#[test]
fn answers_between_quoted_lines_are_kept() {
    let text = "Thanks, see below.\n\nOn Tue, 3 Mar 2026 at 07:30, HOPE <h@example.nhs.uk> wrote:\n> Which bins?\n\nSoft-close ones.\n\n> How many?\nNine wards.\n>\n> -- \n> HOPE\n";
    assert_eq!(own_words(text), "Thanks, see below.\n\nSoft-close ones.\n\nNine wards.");
    let separated = format!("On 3 Mar 2026, at 07:30, HOPE wrote:\n> {SEPARATOR}\n> Which bins?\n\nThese.");
    assert_eq!(own_words(&separated), "These.");
}

#[test]
fn what_only_looks_like_a_quotation_is_kept() {
    for text in [
        "On Monday the matron wrote:\nwe sleep better",
        "From: experience I can say that it works.\nDate: to be agreed.",
        "Sent from my heart\nand more",
        "First\n\n----\n\nSecond",
        "😀 naïve café",
    ] {
        assert_eq!(own_words(text), text);
    }
    let long = format!("--\n{}", "a line\n".repeat(30));
    assert_eq!(own_words(&long).lines().count(), 31);
}

#[test]
fn html_becomes_the_text_that_it_shows() {
    let gmail = "<div dir=\"ltr\">We did &amp; liked it &#128512;<div>Twice&nbsp;over.</div></div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">On Tue, 3 Mar 2026 at 07:30, HOPE &lt;<a href=\"mailto:h@example.nhs.uk\">h@example.nhs.uk</a>&gt; wrote:<br></div><blockquote class=\"gmail_quote\" style=\"margin:0\"><p>Which bins?</p></blockquote></div>";
    assert_eq!(own_words(&to_text(gmail)), "We did & liked it 😀\nTwice over.");
    let outlook = "<html><head><style>p > a { color: red }</style></head><body><p class=MsoNormal>Yes, <b>we</b> did.</p><hr><div id=\"divRplyFwdMsg\"><b>From:</b> HOPE &lt;h@example.nhs.uk&gt;<br><b>Sent:</b> 03 March 2026 07:30<br><b>To:</b> Jo<br><b>Subject:</b> Bins</div><p>Which?</p></body></html>";
    assert_eq!(own_words(&to_text(outlook)), "Yes, we did.");
    assert_eq!(to_text("<img src=\"http://evil.example/a>b.png\">a < b<script>alert(1)</script>"), "a < b");
}

#[test]
fn any_charset_and_encoding_is_read() {
    let read = |raw: &[u8]| written(&MessageParser::default().parse(raw).unwrap());
    let head = "From: jo@trust.nhs.uk\r\nMIME-Version: 1.0\r\n";
    for (headers, body) in [
        (
            "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n",
            "Caf=E9 =A35",
        ),
        ("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", "Q2Fmw6kgwqM1"),
        ("Content-Type: text/plain\r\n", "Café £5"),
        ("", "Café £5"),
        ("Content-Type: text/html; charset=utf-8\r\n", "<p>Caf&eacute; &pound;5</p>"),
    ] {
        assert_eq!(read(format!("{head}{headers}\r\n{body}\r\n").as_bytes()), "Café £5", "{headers}");
    }
    let latin = [head.as_bytes(), b"Content-Type: text/plain; charset=windows-1252\r\n\r\nCaf\xe9 \xa35\r\n"];
    assert_eq!(read(&latin.concat()), "Café £5");
    let both = format!(
        "{head}Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nPlain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Rich</p>\r\n"
    );
    assert_eq!(read(both.as_bytes()), "Plain");
}

#[test]
fn what_machines_send_is_told_from_letters() {
    let own = EmailAddress::parse("hope@example.nhs.uk").unwrap();
    let sorted = |headers: &str| {
        let raw = format!("Subject: Re: Bins\r\n{headers}\r\n\r\nText\r\n");
        kind(&MessageParser::default().parse(raw.as_bytes()).unwrap(), &[&own])
    };
    let jo = "From: Jo <jo@trust.nhs.uk>";
    for letter in
        ["", "\r\nAuto-Submitted: no", "\r\nReturn-Path: <jo@trust.nhs.uk>", "\r\nPrecedence: normal"]
    {
        assert_eq!(sorted(&format!("{jo}{letter}")), Kind::Letter, "{letter}");
    }
    for automatic in [
        "Auto-Submitted: auto-replied (vacation)",
        "auto-submitted: AUTO-GENERATED; x=y",
        "Precedence: Bulk",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "List-Id: <ward.trust.nhs.uk>",
        "Return-Path: <>",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ] {
        let is = sorted(&format!("{jo}\r\n{automatic}"));
        assert!(matches!(is, Kind::Automatic(_)), "{automatic}: {is:?}");
    }
    assert_eq!(sorted("From: HOPE@example.nhs.uk"), Kind::Automatic("from ourselves"));
    for report in [
        "From: postmaster@trust.nhs.uk\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
        "From: MAILER-DAEMON@trust.nhs.uk\r\nReturn-Path: <>",
    ] {
        assert_eq!(sorted(report), Kind::DeliveryReport, "{report}");
    }
    let vacation = b"From: jo@trust.nhs.uk\r\nSubject: Automatic reply: Bins\r\n\r\nAway\r\n";
    let vacation = kind(&MessageParser::default().parse(vacation).unwrap(), &[&own]);
    assert_eq!(vacation, Kind::Automatic("a vacation note"));
}

/// Lines of which replies are made, and any others.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        prop::sample::select(vec![
            "",
            "--",
            "-- ",
            "> quoted",
            "________________",
            "From: a",
            "Sent: b",
            "To: c",
            "Subject: d",
            "On 3 Mar 2026, at 07:30, HOPE",
            "wrote:",
            "Sent from my iPhone",
            "Write above this line",
            "This message may contain confidential information",
            "********",
            "a",
            "b",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn what_is_kept_is_lines_of_the_message_in_order(lines in vec(line(), 0..30)) {
        let text = lines.join("\n");
        let kept = own_words(&text);
        let mut rest = text.lines().map(str::trim_end);
        for line in kept.lines().filter(|line| !line.is_empty()) {
            prop_assert!(rest.any(|found| found == line), "{:?} is not there, or not in order", line);
        }
        prop_assert_eq!(kept.trim(), kept.trim_matches('\n').trim());
    }

    #[test]
    fn no_bytes_end_the_process(bytes: Vec<u8>, markup in "(<|>|&|;|#|\"|/|!--|blockquote|p|é| |\\PC){0,60}") {
        let _ = to_text(&markup);
        let head = b"From: jo@trust.nhs.uk\r\nContent-Type: text/html\r\n\r\n";
        for raw in [bytes.clone(), [&head[..], &bytes].concat(), [&head[..], markup.as_bytes()].concat()] {
            if let Some(message) = MessageParser::default().parse(&raw) {
                let _ = (written(&message), kind(&message, &[]));
            }
        }
    }
}
