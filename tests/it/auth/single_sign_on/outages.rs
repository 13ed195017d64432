//! A provider that is away or misbehaves: people are told, and sign in with a code.

use std::time::{Duration, Instant};

use hope_exchange::config::Switch;

use super::*;

const AWAY: &str = "Signing in with NHSmail does not work just now. Sign in with a code by e-mail.";

fn is_away(page: &(u16, String)) {
    assert!(page.0 == 503 && page.1.contains(AWAY) && page.1.contains("href=\"/sign-in\""), "{page:?}");
}

on_both_stores! {
    with crate::auth::single_sign_on::configured;

    async fn a_provider_that_is_not_there_keeps_nothing_else_from_working(app: &TestApp) {
        let browser = Browser::new(app);
        assert_eq!(app.http.get(format!("{}/health/ready", app.url)).send().await.unwrap().status(), 200);
        is_away(&browser.get(BEGIN).await);
        signed_in(app, "jo@nhs.net").await;
        let answer = app.http.get(format!("{}/api/v1/auth/single-sign-on/nhsmail", app.url)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.json::<Json>().await.unwrap()["code"].clone()), (503, json!("PROVIDER_UNAVAILABLE")));

        let provider = Provider::start(app).await;
        assert_eq!(browser.signs_in(&provider, &person("jo", "jo@nhs.net")).await.0, 303, "it came back");
        let back = browser.goes(&provider, &person("jo", "jo@nhs.net")).await;
        drop(provider);
        is_away(&browser.get(&back).await);
        mails(app).await;
        signed_in(app, "jo@nhs.net").await;
    }

    async fn answers_are_short_and_from_where_they_are_asked_for(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        for lie in ["long", "elsewhere", "broken"] {
            let back = browser.goes(&provider, &person("jo", "jo@nhs.net")).await;
            provider.lies(lie).await;
            is_away(&browser.get(&back).await);
            provider.lies("").await;
        }
        assert_eq!(provider.asked("/token-elsewhere").await, 0, "no redirect is followed");
        assert_eq!(counts(app).await, (0, 0));
        // An hour later all of it is asked for again.
        for lie in ["another-issuer", "keys-elsewhere"] {
            app.advance(TimeDelta::hours(1));
            provider.lies(lie).await;
            is_away(&browser.get(BEGIN).await);
        }
        app.advance(TimeDelta::hours(1));
        provider.lies("post-only").await;
        assert_eq!(browser.signs_in(&provider, &person("jo", "jo@nhs.net")).await.0, 303, "the secret in the body");
    }

    async fn programs_are_told_where_people_sign_in(app: &TestApp) {
        let get = async |path: &str| app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
        let listed: Json = get("/api/v1/auth/single-sign-on").await.json().await.unwrap();
        let url = app.app.config.link(BEGIN);
        assert_eq!(listed, json!({ "providers": [{ "id": "nhsmail", "name": "NHSmail", "url": url }] }));
        for path in ["/sign-in/with/other", "/sign-in/with/other/callback?state=a", "/api/v1/auth/single-sign-on/other"] {
            assert_eq!(get(path).await.status(), 404, "{path}");
        }
        let provider = Provider::start(app).await;
        let sent = get("/api/v1/auth/single-sign-on/nhsmail?next=/sessions").await;
        assert!(sent.status() == 303 && location(&sent).starts_with(&provider.issuer), "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_stalls_is_given_up() {
    TestApp::run_with(crate::app::On::Sqlite, configured, async |app| {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let back = browser.goes(&provider, &person("jo", "jo@nhs.net")).await;
        provider.lies("stall").await;
        let start = Instant::now();
        is_away(&browser.get(&back).await);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_network_is_sent_sixty_times_a_minute() {
    let limited = |config: &mut hope_exchange::config::Config| {
        configured(config);
        config.limits.rate = Switch::On;
        config.limits.sign_ins_per_second = 1000;
    };
    TestApp::run_with(crate::app::On::Sqlite, limited, async |app| {
        let _provider = Provider::start(app).await;
        let browser = Browser::new(app);
        let mut statuses = Vec::new();
        for _ in 0..70 {
            statuses.push(browser.at(BEGIN).await.status().as_u16());
        }
        assert!(
            statuses[..60].iter().all(|status| *status == 303) && statuses.contains(&429),
            "{statuses:?}"
        );
        let mut backs = Vec::new();
        for _ in 0..70 {
            backs.push(browser.at(&format!("{BEGIN}/callback?state=a&code=b")).await.status().as_u16());
        }
        assert!(backs[..60].iter().all(|status| *status == 401) && backs.contains(&429), "{backs:?}");
    })
    .await;
}
