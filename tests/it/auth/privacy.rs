//! What nobody learns: who is a member, and any secret from the logs.

use std::time::{Duration, Instant};

use hope_exchange::{
    config::{Config, Switch},
    tokens,
};

use super::*;
use crate::{app::On, log::Log};

on_both_stores! {
    async fn everybody_gets_the_same_answer(app: &TestApp) {
        signed_in(app, "member@nhs.net").await;
        let ask = async |email: &str| {
            let response = app.http.post(format!("{}/api/v1/auth/sign-in", app.url));
            let response = response.json(&json!({ "email": email })).send().await.unwrap();
            let mut names: Vec<String> = response.headers().keys().map(ToString::to_string).collect();
            names.sort();
            (response.status(), names, response.text().await.unwrap())
        };
        let known = ask("member@nhs.net").await;
        assert_eq!(known, ask("new@nhs.net").await);
        assert_eq!(known, ask("stranger@example.com").await);
        let mut sent: Vec<String> = mails(app).await.iter().map(|mail| mail.to.as_str().to_owned()).collect();
        sent.sort();
        assert_eq!(sent, ["member@nhs.net", "new@nhs.net"], "and nothing to the stranger");

        let mut wrong = Vec::new();
        for email in ["member@nhs.net", "new@nhs.net", "stranger@example.com", "never-asked@nhs.net"] {
            let (status, mut problem) = verify(app, email, WRONG).await;
            problem["requestId"].take();
            wrong.push((status, problem));
        }
        assert!(wrong.iter().all(|answer| *answer == wrong[0]), "{wrong:?}");
    }

    /// They get no mail, so they can't know it; but a list of domains can become shorter.
    async fn a_code_of_somebody_who_may_not_join_does_not_work(app: &TestApp) {
        let (_, _) = app.post("/api/v1/auth/sign-in", &json!({ "email": "a@evilnhs.net" })).await;
        let sign_in = all::<hope_exchange::domain::sign_in::SignIn>(app).await.pop().unwrap();
        let code = tokens::sign_in::code(&app.app, &sign_in.id);
        assert_eq!(verify(app, "a@evilnhs.net", &code).await.0, 401);
        assert_eq!(counts(app).await, (0, 0));
    }

    async fn secrets_are_not_logged(app: &TestApp) {
        let log = Log::start();
        let mail = asked(app, "secretive.person@nhs.net").await;
        let code = code_in(&mail);
        verify(app, "secretive.person@nhs.net", WRONG).await;
        let (_, first) = verify(app, "secretive.person@nhs.net", &code).await;
        verify(app, "secretive.person@nhs.net", &code).await;
        let (_, second) = refresh(app, &first["refreshToken"]).await;
        let (_, third) = refresh(app, &second["refreshToken"]).await;
        holder(app, &third["accessToken"]).await.unwrap();
        refresh(app, &first["refreshToken"]).await;
        assert!(holder(app, &third["accessToken"]).await.is_err(), "the session is ended");
        app.http.get(link_in(&mail)).send().await.unwrap();
        app.post("/api/v1/auth/verify", &json!({ "email": [code], "code": { "x": code } })).await;

        let logged = log.text();
        assert!(logged.contains("signed in") && logged.contains("the session is ended"), "{logged}");
        let link = link_in(&mail).rsplit('/').next().unwrap().to_owned();
        let tokens = [&first, &second, &third].into_iter().flat_map(|tokens| {
            ["accessToken", "refreshToken"].map(|name| tokens[name].as_str().unwrap().to_owned())
        });
        for secret in tokens.chain([code, link, "secretive.person".to_owned()]) {
            assert!(!logged.contains(&secret), "{secret} is in the log");
        }
    }
}

/// With the limits on, as an attacker meets the service; only the network address has no limit here.
fn limited(config: &mut Config) {
    config.limits.rate = Switch::On;
    config.limits.sign_ins_per_minute = 1_000_000;
    config.limits.sign_ins_per_second = 1_000_000;
}

/// Those of 1,000 requests each, by turns: for one member's address, for one stranger's, and for addresses
/// that nobody has asked for before.
async fn known_and_unknown_addresses_take_the_same_time(app: &TestApp) {
    signed_in(app, "member@nhs.net").await;
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..1_000 {
        let fresh = format!("unknown{round}@example.com");
        for (times, email) in times.iter_mut().zip(["member@nhs.net", "stranger@example.com", &fresh]) {
            let start = Instant::now();
            let (status, _) = app.post("/api/v1/auth/sign-in", &json!({ "email": email })).await;
            times.push(start.elapsed());
            assert_eq!(status, 202);
        }
    }
    let medians = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        assert!(medians[one].abs_diff(medians[other]) < Duration::from_millis(5), "{medians:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_on_sqlite() {
    TestApp::run_with(On::Sqlite, limited, async |app| {
        known_and_unknown_addresses_take_the_same_time(app).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_on_mongodb() {
    TestApp::run_with(On::Mongo, limited, async |app| {
        known_and_unknown_addresses_take_the_same_time(app).await;
    })
    .await;
}
