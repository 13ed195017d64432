//! Devices and places: the mail about new ones, and the page that it leads to.

use chrono::TimeDelta;
use hope_exchange::{config::Config, domain::device::Device};
use reqwest::{Client, StatusCode};

use super::*;
use crate::app::On;

const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1";

/// Signs a browser in by code, from this address; and its mails after that.
async fn browser(app: &TestApp, email: &str, user_agent: &str, from: &str) -> (Client, Vec<Message>) {
    let headers = [("x-forwarded-for", from)]
        .into_iter()
        .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
    let http = Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none());
    let http = http.user_agent(user_agent).default_headers(headers.collect()).build().unwrap();
    let code = code_in(&asked(app, email).await);
    let body = format!("email={email}&code={code}");
    let response = post(app, &http, "/sign-in/code", &body).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    (http, mails(app).await)
}

async fn post(app: &TestApp, http: &Client, path: &str, body: &str) -> reqwest::Response {
    let request = http.post(format!("{}{path}", app.url)).header("origin", &app.url).body(body.to_owned());
    request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap()
}

async fn page(app: &TestApp, http: &Client) -> String {
    http.get(format!("{}/sessions", app.url)).send().await.unwrap().text().await.unwrap()
}

fn behind_a_proxy(config: &mut Config) {
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.places = vec![hope_exchange::config::Place {
        name: "NHS network (HSCN)".to_owned(),
        networks: vec!["10.0.0.0/8".parse().unwrap()],
    }];
}

async fn a_new_device_is_told_of_once(app: &TestApp) {
    let (_, sent) = browser(app, "jo.bloggs@nhs.net", EDGE, "10.1.2.3").await;
    assert!(sent.is_empty(), "whoever joins is not told");
    for (user_agent, from, news) in [
        (EDGE, "10.9.9.9", None),
        (
            EDGE,
            "192.0.2.44",
            Some("    Edge on Windows\n    Internet address 192.0.2.x\n    2 March 2026 at 09:00\n"),
        ),
        (EDGE, "192.0.2.45", None),
        (PHONE, "10.1.2.3", Some("    Safari on iPhone\n    NHS network (HSCN)\n")),
        (PHONE, "10.1.2.3", None),
    ] {
        let (_, sent) = browser(app, "jo.bloggs@nhs.net", user_agent, from).await;
        let Some(news) = news else {
            assert!(sent.is_empty(), "{user_agent} {from}");
            continue;
        };
        let [mail] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(
            (mail.to.as_str(), &*mail.subject),
            ("jo.bloggs@nhs.net", "A new sign-in to HOPE Network")
        );
        assert!(mail.text.contains(news), "{}", mail.text);
        // Its links are to pages that change nothing.
        let links: Vec<&str> = mail.text.lines().filter(|line| line.starts_with("http")).collect();
        assert_eq!(links, [format!("{}/sessions", app.url), format!("{}/", app.url)]);
    }
    // Others' devices are not theirs; neither is one after half a year.
    assert!(browser(app, "b@nhs.net", EDGE, "198.51.100.1").await.1.is_empty());
    assert_eq!(browser(app, "jo.bloggs@nhs.net", EDGE, "198.51.100.1").await.1.len(), 1);
    app.advance(TimeDelta::days(181));
    jobs::purge(&app.app).await.unwrap();
    assert!(all::<Device>(app).await.is_empty());
    assert_eq!(browser(app, "jo.bloggs@nhs.net", EDGE, "10.1.2.3").await.1.len(), 1);
    let stored = serde_json::to_string(&(all::<Session>(app).await, all::<Device>(app).await)).unwrap();
    assert!(
        !stored.contains("10.1.2") && !stored.contains("Mozilla"),
        "no more is kept than words: {stored}"
    );
}

async fn the_page_lists_and_ends_sessions(app: &TestApp) {
    let (laptop, _) = browser(app, "a@nhs.net", EDGE, "10.1.2.3").await;
    app.advance(TimeDelta::seconds(1));
    let (phone, _) = browser(app, "a@nhs.net", PHONE, "192.0.2.44").await;
    let html = page(app, &laptop).await;
    assert!(
        html.contains("Edge on Windows (you are here)") && html.contains("Safari on iPhone</h2>"),
        "{html}"
    );
    assert!(html.contains("Internet address 192.0.2.x") && html.contains("NHS network (HSCN)"), "{html}");
    let actions: Vec<&str> =
        html.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(actions.len(), 3, "{html}");

    // Neither a stranger, nor a scanner, nor another site's page ends any.
    let stranger = crate::app::client();
    assert!(page(app, &stranger).await.contains("Sign in first."));
    let (other, _) = browser(app, "b@nhs.net", EDGE, "10.1.2.3").await;
    for action in &actions {
        stranger.get(format!("{}{action}", app.url)).send().await.unwrap();
        assert_eq!(post(app, &stranger, action, "").await.status(), StatusCode::UNAUTHORIZED);
        let evil = laptop.post(format!("{}{action}", app.url)).header("origin", "https://evil.example");
        assert_eq!(evil.send().await.unwrap().status(), StatusCode::FORBIDDEN);
        post(app, &other, action, "").await;
    }
    assert_eq!(counts(app).await, (2, 3));

    for _ in 0..2 {
        assert_eq!(post(app, &laptop, actions[0], "").await.status(), StatusCode::SEE_OTHER, "twice is once");
    }
    assert!(page(app, &phone).await.contains("Sign in first."), "the latest is listed first");
    let (phone, _) = browser(app, "a@nhs.net", PHONE, "192.0.2.44").await;
    assert_eq!(post(app, &laptop, "/sessions/end", "").await.headers()["location"], "/sessions");
    assert!(page(app, &phone).await.contains("Sign in first."));
    let html = page(app, &laptop).await;
    assert!(html.contains("you are here") && !html.contains("Sign out everywhere"), "{html}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    TestApp::run_with(On::Sqlite, behind_a_proxy, async |app| a_new_device_is_told_of_once(app).await).await;
    TestApp::run_with(On::Sqlite, behind_a_proxy, async |app| the_page_lists_and_ends_sessions(app).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mongodb() {
    TestApp::run_with(On::Mongo, behind_a_proxy, async |app| a_new_device_is_told_of_once(app).await).await;
    TestApp::run_with(On::Mongo, behind_a_proxy, async |app| the_page_lists_and_ends_sessions(app).await)
        .await;
}
