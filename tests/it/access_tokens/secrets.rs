//! What a secret looks like, who gets to see it, and what is said of a wrong one.

use hope_exchange::{
    app::App,
    config::Switch,
    domain::{audit::AuditEntry, job::Job, receipt::Receipt},
    jobs, tokens,
};

use super::*;
use crate::{
    app::On,
    community::all,
    log::Log,
    moderation::{House, house},
    on_both_stores,
};

/// A secret of the right form that nobody was given.
fn unknown(app: &App) -> String {
    secret::fresh(app, secret::Of::Member)
}

on_both_stores! {
    async fn a_secret_is_shown_once_and_kept_nowhere(app: &TestApp) {
        let log = Log::start();
        let House { ada, mary, .. } = house(app).await;
        let made = make(app, &ada, &["THREADS_READ", "POSTS_READ"], &json!({})).await;
        let secret = made["secret"].as_str().unwrap().to_owned();
        let rest = secret.strip_prefix("hope_pat_").unwrap();
        assert!(rest.len() == 36 && rest.chars().all(|c| c.is_ascii_alphanumeric()), "{rest}");
        let token = &made["accessToken"];
        assert_eq!(*token, json!({
            "id": token["id"], "name": "Ward dashboard", "scopes": ["POSTS_READ", "THREADS_READ"], "createdAt": "2026-03-02T09:00:00.000Z", "expiresAt": "2026-04-01T09:00:00.000Z",
            "lastUsedAt": null, "revokedAt": null, "works": true, "member": { "id": ada.id }, "owner": { "id": ada.id },
        }));

        assert_eq!(name(app, &holding(&ada, &secret)).await, "Ada Moore");
        let mistyped = secret.replace(rest, &rest.chars().rev().collect::<String>());
        assert_eq!(name(app, &holding(&ada, &mistyped)).await, 401);
        app.mutate(&mary, "revokeAccessToken", &json!({ "id": token["id"] }), "").await;
        app.mutate(&ada, "revokeAccessToken", &json!({ "id": token["id"] }), "").await;
        let listed = app.graphql(&ada.token, "{ viewer { accessTokens(first: 5) { totalCount nodes { id works revokedAt } } } }", json!({})).await;
        assert_eq!(listed["data"]["viewer"]["accessTokens"], json!({ "totalCount": 1, "nodes": [{ "id": token["id"], "works": false, "revokedAt": "2026-03-02T09:00:00.000Z" }] }));

        jobs::run_due(&app.app).await.unwrap();
        let mail = app.take_mail().remove(0);
        assert_eq!((mail.to.as_str(), &*mail.subject), ("ada-moore@ada-moore.nhs.uk", "A new access token for HOPE Network"));
        for part in ["Ward dashboard", "posts:read, threads:read", "1 April 2026", token["id"].as_str().unwrap()] {
            assert!(mail.text.contains(part) && mail.html.contains(part), "{part} in {}", mail.text);
        }
        let kept = format!("{:?} {:?} {:?} {:?} {mail:?}", all::<AccessToken>(&app.app.store).await, all::<Job>(&app.app.store).await, all::<Receipt>(&app.app.store).await, all::<AuditEntry>(&app.app.store).await);
        let logged = log.text();
        assert!(logged.contains(token["id"].as_str().unwrap()), "that it was made is logged");
        for secret in [&secret, rest, &mistyped] {
            assert!(!kept.contains(secret) && !logged.contains(secret));
        }
    }

    async fn a_repeat_gets_the_token_without_the_secret(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let named = json!({ "clientMutationId": "once", "expiresAt": days(app, 3) });
        let at_once = (0..20).map(|_| make(app, &ada, &["POSTS_READ"], &named));
        let answers = futures_util::future::join_all(at_once).await;
        let secrets: Vec<&str> = answers.iter().filter_map(|answer| answer["secret"].as_str()).collect();
        assert!(answers.iter().all(|answer| answer["accessToken"]["id"] == answers[0]["accessToken"]["id"]), "{answers:?}");
        assert_eq!(secrets.len(), 1);
        assert_eq!(name(app, &holding(&ada, secrets[0])).await, "Ada Moore");
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!((all::<AccessToken>(&app.app.store).await.len(), app.take_mail().len()), (1, 1));
        let other = make(app, &ada, &["POSTS_WRITE"], &named).await;
        assert_eq!((&other["userErrors"][0]["code"], &other["secret"]), (&json!("MUTATION_ID_REUSED"), &Json::Null));
    }

    async fn what_is_asked_for_is_checked(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for (changes, field, code) in [
            (json!({ "name": " " }), "name", "REQUIRED"),
            (json!({ "name": "x".repeat(101) }), "name", "TOO_LONG"),
            (json!({ "name": "For 943 476 5919" }), "name", "PERSONAL_DATA"),
            (json!({ "scopes": [] }), "scopes", "REQUIRED"),
            (json!({ "expiresAt": days(app, 0) }), "expiresAt", "INVALID"),
            (json!({ "expiresAt": days(app, 366) }), "expiresAt", "INVALID"),
        ] {
            let answer = make(app, &ada, &["POSTS_READ"], &changes).await;
            assert_eq!((&answer["userErrors"][0]["field"][0], &answer["userErrors"][0]["code"]), (&json!(field), &json!(code)), "{changes}");
            assert_eq!((&answer["secret"], &answer["accessToken"]), (&Json::Null, &Json::Null));
        }
        let both = make(app, &ada, &[], &json!({ "name": "" })).await;
        assert_eq!(both["userErrors"].as_array().unwrap().len(), 2, "{both}");
        assert!(all::<AccessToken>(&app.app.store).await.is_empty());
        assert_eq!(make(app, &ada, &["POSTS_READ"], &json!({ "expiresAt": days(app, 365) })).await["userErrors"], json!([]));
        for _ in 1..50 {
            app.token(&ada, &[Scope::PostsRead]).await;
        }
        assert_eq!(make(app, &ada, &["POSTS_READ"], &json!({})).await["userErrors"][0]["code"], "TOO_MANY");

        // Twenty at once where there is room for three.
        let grace = app.person("Grace Hill").await;
        for _ in 0..47 {
            app.token(&grace, &[Scope::PostsRead]).await;
        }
        let answers = futures_util::future::join_all((0..20).map(async |_| make(app, &grace, &["POSTS_READ"], &json!({})).await)).await;
        let made = answers.iter().filter(|answer| answer["secret"].is_string()).count();
        let grace_s = all::<AccessToken>(&app.app.store).await.iter().filter(|token| token.owner.as_str() == grace.id).count();
        assert_eq!((made, grace_s), (3, 50), "{answers:?}");
    }

    async fn whatever_is_wrong_with_a_secret_the_answer_is_the_same(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (id, revoked) = made(app, &ada, &["POSTS_READ"]).await;
        app.mutate(&ada, "revokeAccessToken", &json!({ "id": id }), "").await;
        let (_, good) = made(app, &ada, &["POSTS_READ", "ATTACHMENTS_READ"]).await;
        let expired = make(app, &ada, &["POSTS_READ"], &json!({ "expiresAt": days(app, 1) })).await["secret"].as_str().unwrap().to_owned();
        assert_eq!(name(app, &holding(&ada, &expired)).await, "Ada Moore");
        app.advance(TimeDelta::days(1));
        let mistyped = { let mut secret = good.token.clone(); let last = if secret.pop() == Some('x') { 'y' } else { 'x' }; secret.push(last); secret };
        let swapped = good.token.replace("_pat_", "_svc_");
        let cases = [revoked.token, expired, unknown(&app.app), secret::fresh(&app.app, secret::Of::ServiceAccount), swapped, mistyped.clone(), "hope_pat_".to_owned(), "hope_pat_é".to_owned(), good.token.to_uppercase(), "x".repeat(1_000)];
        let plain = app.asked("eyJhbGciOiJub25lIn0.e30.", "{ viewer { name } }").await;
        assert_eq!(plain.0, 401);
        let rest = async |token: &str| {
            let response = app.http.get(format!("{}/api/v1/attachments/att_none", app.url)).bearer_auth(token).send().await.unwrap();
            let (status, mut body): (u16, Json) = (response.status().as_u16(), response.json().await.unwrap());
            body["requestId"].take();
            (status, body)
        };
        let plain_rest = rest("eyJhbGciOiJub25lIn0.e30.").await;
        for case in &cases {
            assert_eq!(app.asked(case, "{ viewer { name } }").await, plain, "{case}");
            assert_eq!(rest(case).await, plain_rest, "{case}");
        }
        assert_eq!(name(app, &good).await, "Ada Moore");
        used(app, 1).await;
        let before = app.app.store.calls();
        app.asked(&mistyped, "{ viewer { name } }").await;
        assert_eq!(app.app.store.calls(), before, "a typing mistake is told without a call");
        app.asked(&unknown(&app.app), "{ viewer { name } }").await;
        assert_eq!(app.app.store.calls(), before + 1);
    }

    /// Pages are for people: a program's token in a browser's cookie signs nobody in.
    async fn a_token_in_a_cookie_is_none(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for (token, status) in [(&ada.token, 200), (&app.token(&ada, &Scope::ALL).await.token, 401)] {
            let request = app.http.post(format!("{}/graphql", app.url)).header("cookie", format!("hope_access={token}"));
            let request = request.header("x-requested-with", "test").json(&json!({ "query": "{ viewer { name } }" }));
            assert_eq!(request.send().await.unwrap().status(), status);
        }
    }

    async fn a_token_costs_one_call_more_than_a_session(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let token = app.token(&ada, &[Scope::PostsRead]).await;
        let calls = async |by: &Person| {
            let before = app.app.store.calls();
            assert_eq!(name(app, by).await, "Ada Moore");
            app.app.store.calls() - before
        };
        calls(&token).await;
        used(app, 1).await;
        assert_eq!(calls(&token).await, 2);
        assert!(calls(&ada).await >= 1);
    }
}

/// Waits until the last use of so many tokens is written down.
pub(super) async fn used(app: &TestApp, tokens: usize) {
    crate::process::until("the use of the tokens is written down", async || {
        all::<AccessToken>(&app.app.store)
            .await
            .iter()
            .filter(|token| token.last_used_at == Some(app.now()))
            .count()
            == tokens
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_spends_its_owners_points() {
    let configure = |config: &mut hope_exchange::config::Config| {
        config.limits.rate = Switch::On;
        config.limits.points_per_minute = 2;
    };
    TestApp::run_with(On::Sqlite, configure, async |app| {
        let ada = app.person("Ada Moore").await;
        let token = app.token(&ada, &[Scope::PostsRead]).await;
        let other = app.token(&app.person("Grace Hill").await, &[Scope::PostsRead]).await;
        for by in [&ada, &token, &other] {
            assert_eq!(app.asked(&by.token, "{ viewer { name } }").await.0, 200);
        }
        assert_eq!(app.asked(&token.token, "{ viewer { name } }").await.0, 429);
        assert_eq!(app.asked(&ada.token, "{ viewer { name } }").await.0, 429);
        assert_eq!(app.asked(&other.token, "{ viewer { name } }").await.0, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_differ_and_are_of_one_installation() {
    TestApp::run(On::Sqlite, async |app| {
        let made: std::collections::HashSet<String> = (0..1_000).map(|_| unknown(&app.app)).collect();
        assert_eq!(made.len(), 1_000);
        assert!(made.iter().all(|secret| secret.len() == 45 && secret::hash(&app.app, secret).is_some()));
        let seen: std::collections::HashSet<char> =
            made.iter().flat_map(|secret| secret[9..39].chars()).collect();
        assert_eq!(seen.len(), 62);
        let secret = unknown(&app.app);
        TestApp::run(On::Sqlite, async |elsewhere| {
            assert_ne!(tokens::access_token::hash(&elsewhere.app, &secret), secret::hash(&app.app, &secret));
        })
        .await;
    })
    .await;
}
