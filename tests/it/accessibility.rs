//! Pages as WCAG 2.2 AA asks, in a real browser: `tests/e2e/pages.mjs` looks at each, wide and narrow. The store
//! makes no difference to a page, so one is enough.

use std::{path::Path, process::Stdio, time::Duration};

use chrono::TimeDelta;
use hope_exchange::{
    actions,
    domain::{
        digest::{
            Digest, DigestState, Told, Window,
            choice::{Section, What},
            score::Reason,
        },
        member::Role,
    },
    ids::Id,
    jobs,
};
use serde_json::{Value as Json, json};
use tokio::process::Command;

use crate::{
    app::{On, Person, TestApp, at_localhost},
    community::insert,
};

/// A browser that takes longer is stuck.
const WITHIN: Duration = Duration::from_secs(240);

async fn looked_at(app: &TestApp, token: &str, pages: &[Json]) -> Json {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(root.join("node_modules/axe-core").exists(), "`make setup` fetches what this test needs");
    let home = app.app.config.public_url.as_str().trim_end_matches('/');
    let cookie = json!({ "name": "hope_access", "value": token });
    let browser = Command::new("node")
        .arg(root.join("tests/e2e/pages.mjs"))
        .arg(json!({ "home": home, "cookie": cookie, "pages": pages }).to_string())
        .env("TMPDIR", app.folder.path())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let done = tokio::time::timeout(WITHIN, browser).await.expect("it ends").expect("Node 20 is there");
    assert!(done.status.success(), "{done:?}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Where a link in a mail leads to.
fn path_in(text: &str, part: &str) -> String {
    let line = text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} in {text}"));
    line[line.find(part).unwrap()..].trim().to_owned()
}

/// A digest of a member that tells of what another one wrote.
async fn sent_digest(app: &TestApp, to: &Person, by: &Person) -> Id<Digest> {
    let input = json!({ "kind": "IDEA", "title": "Quiet nights", "body": "Felt pads.", "topicIds": ["top_volunteering"], "publish": true });
    let what = What::try_from(app.create_post(by, input).await).unwrap();
    let window = Window { from: app.now().minus(TimeDelta::days(7)), until: app.now() };
    let told = vec![Told { section: Section::New, what, score: 1.0, reason: Some(Reason::SameRegion) }];
    let planned = Digest::planned(&Id::parse(&to.id).unwrap(), &window);
    let digest = Digest { state: DigestState::Sent, sent_at: Some(app.now()), told, ..planned };
    insert(&app.app.store, [&digest]).await;
    digest.id
}

async fn every_page(app: &TestApp) {
    let (ada, mary) = (app.person("Ada Moore").await, app.person("Mary Ward").await);
    app.grant(&mary, Role::Moderator).await;
    app.mutate(&ada, "requestDataExport", &json!({}), "").await;
    let guest = json!({ "email": "pat.green@example.org", "name": "Pat Green", "accessEndsAt": "2026-06-01T00:00:00Z" });
    let invited = app.mutate(&mary, "createInvitation", &guest, "").await;
    assert_eq!(invited["userErrors"], json!([]), "{invited}");
    app.post("/api/v1/auth/sign-in", &json!({ "email": app.email(&mary) })).await;
    for _ in 0..2 {
        jobs::run_due(&app.app).await.unwrap();
    }
    let mails = app.take_mail();
    let path = |part: &str| path_in(&mails.iter().find(|mail| mail.text.contains(part)).unwrap().text, part);
    let digest = format!("/digests/{}", sent_digest(app, &ada, &mary).await);
    let unsubscribe = actions::digest::unsubscribe::token(&app.app, &Id::parse(&ada.id).unwrap());
    let stopped = actions::digest::unsubscribe::token(&app.app, &Id::parse(&mary.id).unwrap());
    actions::digest::unsubscribe::unsubscribe(&app.app, &stopped).await.unwrap();
    let anybody = |path: &str| json!({ "path": path });
    let member = |path: &str| json!({ "path": path, "signedIn": true });
    let pages = [
        anybody("/"),
        anybody("/sign-in"),
        json!({ "path": "/sign-in", "press": "Send me a code", "fill": { "E-mail address": "jo" } }),
        json!({ "path": "/sign-in", "press": "Send me a code", "fill": { "E-mail address": "jo@nhs.net" } }),
        anybody("/sign-in/code"),
        json!({ "path": "/sign-in/code", "press": "Sign in" }),
        anybody("/sign-in/second-factor"),
        anybody(&path("/sign-in/")),
        anybody(&path("/invitations/")),
        anybody(&format!("/unsubscribe/{unsubscribe}")),
        anybody(&format!("/unsubscribe/{stopped}")),
        anybody("/nowhere"),
        anybody("/erasure"),
        member("/"),
        member("/rules"),
        member("/sessions"),
        member("/erasure"),
        anybody(&digest),
        member(&digest),
        member(&path("/data-exports/")),
        member("/second-factor"),
        json!({ "path": "/second-factor", "press": "Add an authenticator app", "signedIn": true }),
        json!({ "path": "/second-factor", "press": "Add a passkey", "signedIn": true }),
    ];
    let said = looked_at(app, &ada.token, &pages).await;
    assert_eq!(said, json!({ "looked": 2 * pages.len(), "wrong": [] }), "{said:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_as_wcag_asks() {
    TestApp::run_with(On::Sqlite, at_localhost, async |app| every_page(app).await).await;
}
