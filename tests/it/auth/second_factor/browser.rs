//! Passkeys with a real browser, whose authenticator is virtual: `tests/e2e/passkeys.mjs` does what a person
//! would.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use super::*;

/// A browser that takes longer is stuck.
const WITHIN: Duration = Duration::from_secs(120);

/// Node with the script, in a folder that is gone with the test. `make setup` fetches the browser.
fn start(app: &TestApp, email: &str) -> Child {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(home.join("node_modules/playwright-core").exists(), "`make setup` fetches what this test needs");
    let url = app.app.config.public_url.as_str().trim_end_matches('/');
    Command::new("node")
        .args([home.join("tests/e2e/passkeys.mjs").to_str().unwrap(), url, email])
        .env("TMPDIR", app.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("Node 20 is there")
}

/// Reads the codes from the e-mail for the browser, and returns what it says in the end.
async fn served(app: &TestApp, mut browser: Child) -> String {
    let mut input = browser.stdin.take().unwrap();
    let mut lines = BufReader::new(browser.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line == "code" {
            let sent = mails(app).await;
            let mail = sent.iter().find(|mail| mail.subject.starts_with("Your code")).unwrap();
            input.write_all(format!("{}\n", code_in(mail)).as_bytes()).await.unwrap();
        } else {
            said = line;
        }
    }
    assert!(browser.wait().await.unwrap().success(), "{said}");
    said
}

on_both_stores! {
    with crate::app::at_localhost;

    async fn a_person_registers_a_passkey_and_signs_in_with_it(app: &TestApp) {
        let said = tokio::time::timeout(WITHIN, served(app, start(app, "jo@nhs.net"))).await.expect("it ends");
        let said: Json = serde_json::from_str(&said).unwrap();
        assert_eq!((&said["codes"], &said["problems"]), (&json!(10), &json!([])), "{said}");

        let stored = stored(app).await;
        let [factor] = &stored[0].factors[..] else { panic!("{stored:?}") };
        assert_eq!((factor.name.as_str(), factor.last_used_at), ("Work laptop", Some(app.now())));
        let Proof::Passkey { counter, .. } = factor.proof else { panic!("{factor:?}") };
        assert_eq!(json!(counter), said["signCount"]);
        let [session] = &all::<Session>(app).await[..] else { panic!("the first one was ended") };
        assert_eq!(session.factor_at, Some(app.now()));
    }
}
