//! What mails look like, in a browser and to a parser that is not ours: each of them, and the largest digest.

use std::{path::Path, process::Stdio, time::Duration};

use hope_exchange::{
    clock::Clock,
    config::{Config, MailFrom, Secret},
    mail::{
        Mailer, Message,
        digest::{DigestMail, Item, Section},
        samples::samples,
    },
};
use serde_json::{Value as Json, json};
use tokio::process::Command;

use crate::{
    community::time,
    process::{SmtpServer, python},
};

/// A browser that takes longer is stuck.
const WITHIN: Duration = Duration::from_secs(240);
/// Gmail cuts longer ones, with the link to unsubscribe.
const SIZE_MAX: usize = 100_000;

async fn answer(command: &mut Command) -> Json {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true).output();
    let done = tokio::time::timeout(WITHIN, output).await.expect("it ends").unwrap();
    assert!(done.status.success(), "{done:?}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// As long as what members may write, in letters that take the most octets.
fn largest() -> Message {
    let long = |words: usize| "Ŵythnos dŵr ".repeat(words);
    let cut = |text: String, most: usize| text.chars().take(most).collect::<String>();
    let sample = DigestMail::sample();
    let item = |_| Item {
        title: cut(long(20), 150),
        by: cut(long(20), 200),
        summary: cut(long(60), 500),
        why: cut(long(20), 150),
        ..sample.sections[0].items[0].clone()
    };
    let sections = sample
        .sections
        .iter()
        .map(|section| Section { title: section.title, items: (0..2).map(item).collect() });
    let mail =
        DigestMail { note: Some(cut(long(60), 600)), sections: sections.take(6).collect(), ..sample.clone() };
    assert_eq!(mail.sections.iter().map(|section| section.items.len()).sum::<usize>(), 12);
    let (text, html) = mail.render_both().unwrap();
    let (_, message) = samples().unwrap().into_iter().find(|(name, _)| *name == "digest").unwrap();
    Message { text, html, ..message }
}

/// `HOPE_TEST_PICTURES` names a folder in which the pictures stay, to be looked at.
#[tokio::test]
async fn every_mail_can_be_read_wide_and_narrow_light_and_dark() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(root.join("node_modules/axe-core").exists(), "`make setup` fetches what this test needs");
    let scratch = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "where somebody wants to look at the pictures")]
    let wanted = std::env::var("HOPE_TEST_PICTURES").ok();
    let folder = wanted.unwrap_or_else(|| scratch.path().to_str().unwrap().to_owned());
    let mut all = samples().unwrap();
    all.push(("digest-largest", largest()));
    for (name, message) in &all {
        std::fs::write(Path::new(&folder).join(format!("{name}.html")), &message.html).unwrap();
    }
    let script = root.join("tests/e2e/mails.mjs");
    let said = answer(Command::new("node").arg(script).arg(&folder).env("TMPDIR", scratch.path())).await;
    assert_eq!(said, json!({ "pictures": 4 * all.len(), "wrong": [] }), "{said:#}");
}

/// As the server that it was sent to has it.
#[tokio::test]
async fn every_mail_is_valid_to_a_strict_parser_and_small() {
    let server = SmtpServer::start(&["--tls", "none"]).await;
    let from = MailFrom { per_second: 1_000, ..Config::defaults().mail_from };
    let uri = Secret::new(format!("smtp://127.0.0.1:{}?tls=none", server.port));
    let mailer = Mailer::open(&uri, &from, &Clock::manual(time("2026-03-03T07:30:00Z"))).unwrap();
    let mut all: Vec<Message> = samples().unwrap().into_iter().map(|(_, message)| message).collect();
    all.push(largest());
    // What members write gets into names and subjects.
    let awkward = all[0].clone();
    all.push(Message { subject: "“Ŵ” ".repeat(60), to_name: "Ŵ, \"Jo\" <x>".to_owned(), ..awkward });
    for message in &all {
        mailer.send(message).await.unwrap();
    }
    let taken = server.taken();
    assert_eq!(taken.len(), all.len());
    for eml in &taken {
        assert!(eml.len() < SIZE_MAX, "{} octets", eml.len());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail_check.py");
    let said = answer(Command::new(python()).arg(script).args(server.files())).await;
    assert_eq!(said, json!([]), "{said:#}");
}
