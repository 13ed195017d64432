//! Limits of signing in, by address, network and in all; whom a request counts for; and what is told of it.

use chrono::TimeDelta;
use hope_exchange::{
    config::{Config, ProxyHeader, Switch},
    domain::sign_in::Mails,
};
use reqwest::Response;

use super::*;
use crate::app::On;

fn limited(config: &mut Config) {
    config.limits.rate = Switch::On;
}

async fn ask(app: &TestApp, email: &str, headers: &[(&str, &str)]) -> Response {
    let request = app.http.post(format!("{}/api/v1/auth/sign-in", app.url)).json(&json!({ "email": email }));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name}: {response:?}")).to_str().unwrap()
}

async fn an_address_gets_three_mails_at_once_then_six_an_hour(app: &TestApp) {
    let mut bodies = Vec::new();
    for email in ["a@nhs.net", "A@nhs.net", "a+1@nhs.net", "a+2@nhs.net", "a@nhs.net"] {
        bodies.push(ask(app, email, &[]).await.text().await.unwrap());
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "nobody is told: {bodies:?}");
    let sent = mails(app).await;
    assert_eq!(sent.len(), 3);
    assert_eq!(verify(app, "a@nhs.net", &code_in(&sent[0])).await.0, 200);
    ask(app, "b@nhs.net", &[]).await;
    assert_eq!(mails(app).await.len(), 1, "another address");

    let mut sent = 0;
    for _ in 0..12 {
        app.advance(TimeDelta::minutes(5));
        ask(app, "a@nhs.net", &[]).await;
        sent += mails(app).await.len();
    }
    assert_eq!(sent, 6);
    let kept = all::<Mails>(app).await;
    assert!(
        kept.len() == 2 && !serde_json::to_string(&kept).unwrap().contains("nhs"),
        "no address: {kept:?}"
    );
    app.advance(TimeDelta::minutes(31));
    jobs::purge(&app.app).await.unwrap();
    assert!(all::<Mails>(app).await.is_empty(), "what counts nothing is forgotten");
}

async fn twenty_at_once_get_three_mails(app: &TestApp) {
    let asked = futures_util::future::join_all((0..18).map(|_| ask(app, "a@nhs.net", &[]))).await;
    assert!(asked.iter().all(|response| response.status() == 202), "{asked:?}");
    assert_eq!(mails(app).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_on_sqlite() {
    TestApp::run_with(On::Sqlite, limited, async |app| {
        an_address_gets_three_mails_at_once_then_six_an_hour(app).await;
    })
    .await;
    TestApp::run_with(On::Sqlite, limited, async |app| twenty_at_once_get_three_mails(app).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_on_mongodb() {
    TestApp::run_with(On::Mongo, limited, async |app| {
        an_address_gets_three_mails_at_once_then_six_an_hour(app).await;
    })
    .await;
    TestApp::run_with(On::Mongo, limited, async |app| twenty_at_once_get_three_mails(app).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_remains_is_told_and_a_network_address_that_asks_too_often_has_to_wait() {
    let few = |config: &mut Config| {
        limited(config);
        config.limits.sign_ins_per_minute = 2;
    };
    TestApp::run_with(On::Sqlite, few, async |app| {
        for (path, body) in [
            ("sign-in", json!({ "email": "a@nhs.net" })),
            ("verify", json!({ "email": "a@nhs.net", "code": WRONG })),
        ] {
            let ask = || app.http.post(format!("{}/api/v1/auth/{path}", app.url)).json(&body).send();
            for remaining in ["1", "0"] {
                let answer = ask().await.unwrap();
                assert_ne!(answer.status(), 429);
                let told = ["limit", "cost", "remaining"]
                    .map(|name| header(&answer, &format!("x-ratelimit-{name}")));
                assert_eq!(told, ["2", "1", remaining]);
                let reset: i64 = header(&answer, "x-ratelimit-reset").parse().unwrap();
                assert!((30..=60).contains(&(reset - app.now().millis() / 1_000)), "{reset}");
            }
            let refused = ask().await.unwrap();
            assert_eq!((refused.status().as_u16(), header(&refused, "x-ratelimit-remaining")), (429, "0"));
            let wait: u64 = header(&refused, "retry-after").parse().unwrap();
            assert!((1..=31).contains(&wait), "{wait}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_together_has_twenty_requests_a_second() {
    let proxied = |config: &mut Config| {
        limited(config);
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    };
    TestApp::run_with(On::Sqlite, proxied, async |app| {
        let addresses: Vec<String> = (0..60).map(|last| format!("192.0.2.{last}")).collect();
        let asked = addresses.iter().map(async |from| {
            let email = format!("a{}@nhs.net", from.replace('.', ""));
            ask(app, &email, &[("x-forwarded-for", from)]).await.status().as_u16()
        });
        let statuses = futures_util::future::join_all(asked).await;
        let taken = statuses.iter().filter(|status| **status == 202).count();
        assert!(statuses.iter().all(|status| [202, 429].contains(status)) && taken >= 20, "{statuses:?}");
        assert!(taken < 60, "in less than two seconds: {statuses:?}");
    })
    .await;
}

/// The last column: what is left of two requests, the first of which came straight.
async fn whom_a_request_counts_for(config: impl FnOnce(&mut Config), cases: &[(&[(&str, &str)], &str)]) {
    let few = |settings: &mut Config| {
        limited(settings);
        settings.limits.sign_ins_per_minute = 2;
        settings.limits.sign_ins_per_second = 1_000;
        config(settings);
    };
    TestApp::run_with(On::Sqlite, few, async |app| {
        assert_eq!(header(&ask(app, "a@nhs.net", &[]).await, "x-ratelimit-remaining"), "1");
        for (headers, remaining) in cases {
            let answer = ask(app, "a@nhs.net", headers).await;
            let told = (header(&answer, "x-ratelimit-remaining"), answer.status().as_u16());
            let expected = if *remaining == "none" { ("0", 429) } else { (*remaining, 202) };
            assert_eq!(told, expected, "{headers:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_proxy_no_header_is_believed() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("x-forwarded-for", "192.0.2.1")], "0"),
        (&[("x-forwarded-for", "192.0.2.2"), ("forwarded", "for=192.0.2.2")], "none"),
        (&[("x-real-ip", "192.0.2.3")], "none"),
    ];
    whom_a_request_counts_for(|_| {}, cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_our_proxy_the_last_address_that_is_not_ours_counts() {
    let ours = |config: &mut Config| {
        config.trusted_proxies = ["127.0.0.0/8", "10.0.0.0/8"].map(|text| text.parse().unwrap()).into();
    };
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("x-forwarded-for", "192.0.2.1")], "1"),
        (&[("x-forwarded-for", "198.51.100.99, 192.0.2.1")], "0"),
        (&[("x-forwarded-for", "198.51.100.98, 192.0.2.1, 10.0.0.7")], "none"),
        (&[("x-forwarded-for", "198.51.100.97"), ("x-forwarded-for", "192.0.2.1")], "none"),
        (&[("x-forwarded-for", "192.0.2.2"), ("forwarded", "for=203.0.113.1")], "1"),
        (&[("x-forwarded-for", "2001:db8:1:2::5")], "1"),
        (&[("x-forwarded-for", "[2001:db8:1:2:ffff::6]:443")], "0"),
        (&[("x-forwarded-for", "2001:db8:1:3::5")], "1"),
        // Not the other header, nor what is no address: then it is the proxy's own.
        (&[("forwarded", "for=203.0.113.1")], "0"),
        (&[("x-forwarded-for", "192.0.2.9, garbage")], "none"),
    ];
    whom_a_request_counts_for(ours, cases).await;
    let forwarded = |config: &mut Config| {
        ours(config);
        config.proxy_header = ProxyHeader::Forwarded;
    };
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("forwarded", "for=198.51.100.1, for=192.0.2.1;proto=https")], "1"),
        (&[("forwarded", "For=\"[2001:db8:1:2::1]:4711\"")], "1"),
        (&[("x-forwarded-for", "192.0.2.8")], "0"),
    ];
    whom_a_request_counts_for(forwarded, cases).await;
}

on_both_stores! {
    async fn what_a_member_has_left_is_told_with_every_answer(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        let get = app.http.get(format!("{}/api/v1/auth/sessions", app.url));
        let answer = get.bearer_auth(text(&tokens, "accessToken")).send().await.unwrap();
        assert_eq!((header(&answer, "x-ratelimit-limit"), header(&answer, "x-ratelimit-cost")), ("2000", "1"));
        let query = app.http.post(format!("{}/graphql", app.url)).json(&json!({ "query": "{ viewer { id } }" }));
        let answer = query.bearer_auth(text(&tokens, "accessToken")).send().await.unwrap();
        assert_eq!(header(&answer, "x-ratelimit-limit"), "2000");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_and_graphql_share_a_member_s_points() {
    let few = |config: &mut Config| {
        limited(config);
        config.limits.points_per_minute = 3;
    };
    TestApp::run_with(On::Sqlite, few, async |app| {
        let tokens = signed_in(app, "a@nhs.net").await;
        let get = async || {
            let get = app.http.get(format!("{}/api/v1/auth/sessions", app.url));
            get.bearer_auth(text(&tokens, "accessToken")).send().await.unwrap()
        };
        for remaining in ["2", "1"] {
            assert_eq!(header(&get().await, "x-ratelimit-remaining"), remaining);
        }
        let query = app.http.post(format!("{}/graphql", app.url)).json(&json!({ "query": "{ __typename }" }));
        let answer = query.bearer_auth(text(&tokens, "accessToken")).send().await.unwrap();
        assert_eq!(header(&answer, "x-ratelimit-remaining"), "0");
        let refused = get().await;
        assert_eq!((refused.status().as_u16(), header(&refused, "x-ratelimit-remaining")), (429, "0"));
        let wait: u64 = header(&refused, "retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        assert_eq!(refused.json::<Json>().await.unwrap()["code"], "RATE_LIMITED");
    })
    .await;
}
