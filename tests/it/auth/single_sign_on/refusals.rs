//! What a browser brings that is not its own, and what a provider says that can't be believed: nobody is signed
//! in by it.

use super::{provider::SECRET, *};
use crate::log::Log;

/// Nobody became anything.
async fn nothing_happened(app: &TestApp) {
    assert_eq!((counts(app).await, identities(app).await.len()), ((0, 0), 0));
}

/// `back` with another value of a parameter, or without it.
fn altered(back: &str, name: &str, value: Option<&str>) -> String {
    let mut url = url::Url::parse(back).unwrap();
    let others: Vec<_> = url.query_pairs().into_owned().filter(|(found, _)| found != name).collect();
    url.query_pairs_mut().clear().extend_pairs(others).extend_pairs(value.map(|value| (name, value)));
    url.into()
}

fn parameter(back: &str, name: &str) -> String {
    let url = url::Url::parse(back).unwrap();
    url.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned()
}

const OVER: (u16, &str) = (401, "This sign-in is over");
const UNPROVEN: (u16, &str) = (403, "could not be checked");

fn is(page: &(u16, String), expected: (u16, &str)) {
    assert!(page.0 == expected.0 && page.1.contains(expected.1), "{page:?} is not {expected:?}");
    assert!(page.1.contains("You are not signed in") && page.1.contains("href=\"/sign-in\""), "{page:?}");
}

on_both_stores! {
    with crate::auth::single_sign_on::configured;

    async fn what_comes_back_works_once_in_the_browser_that_was_sent(app: &TestApp) {
        let (provider, browser, another) = (Provider::start(app).await, Browser::new(app), Browser::new(app));
        let jo = person("jo", "jo@nhs.net");
        let back = browser.goes(&provider, &jo).await;
        is(&another.get(&back).await, OVER);
        another.at(BEGIN).await;
        is(&another.get(&back).await, OVER);
        for wrong in [
            altered(&back, "state", None),
            altered(&back, "state", Some("")),
            altered(&back, "state", Some("sso_1.AAAA")),
            altered(&back, "state", Some(&parameter(&back, "state").replace("sso_", "sgn_"))),
        ] {
            is(&browser.get(&wrong).await, OVER);
        }
        nothing_happened(app).await;

        assert_eq!(browser.get(&back).await.0, 303, "the attempts of others used nothing up");
        is(&browser.get(&back).await, OVER);
        let (status, problem) = browser.brings(&back).await;
        assert_eq!((status, &problem["code"]), (401, &json!("WRONG_CODE")), "{problem}");

        // The code again, with a state that is good.
        let fresh = browser.goes(&provider, &jo).await;
        let used = altered(&fresh, "code", Some(&parameter(&back, "code")));
        is(&browser.get(&used).await, OVER);
        is(&browser.get(&fresh).await, OVER);
        // Somebody else's code: PKCE tells.
        let (theirs, mine) = (another.goes(&provider, &person("eve", "eve@nhs.net")).await, browser.goes(&provider, &jo).await);
        is(&browser.get(&altered(&mine, "code", Some(&parameter(&theirs, "code")))).await, OVER);
        assert_eq!(counts(app).await, (1, 1));

        let late = browser.goes(&provider, &jo).await;
        app.advance(TimeDelta::minutes(10));
        is(&browser.get(&late).await, OVER);
    }

    async fn twenty_at_once_with_one_answer_sign_in_once(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let back = browser.goes(&provider, &person("jo", "jo@nhs.net")).await;
        let statuses = futures_util::future::join_all((0..20).map(async |_| browser.get(&back).await.0)).await;
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert_eq!(counts(app).await, (1, 1));
    }

    async fn another_providers_answer_is_refused_before_its_code_is_betrayed(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        for issuer in [Some("https://login.example.nhs.uk"), None] {
            let back = browser.goes(&provider, &person("jo", "jo@nhs.net")).await;
            is(&browser.get(&altered(&back, "iss", issuer)).await, UNPROVEN);
        }
        assert_eq!(provider.asked("/token").await, 0);
        nothing_happened(app).await;
    }

    async fn lies_are_found_out(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        for lie in [
            "none", "hs256", "hs256-of-the-public-key", "unknown-key", "known-kid-of-another-key",
            "key-of-a-curve", "nonce", "no-nonce", "issuer", "audience", "audiences", "expired",
            "of-the-future", "no-token", "somebody-else",
        ] {
            let back = browser.goes(&provider, &person("jo", "jo@nhs.net")).await;
            provider.lies(lie).await;
            let page = browser.get(&back).await;
            assert!(page.1.contains("could not be checked"), "{lie}: {page:?}");
            is(&page, UNPROVEN);
            provider.lies("").await;
        }
        nothing_happened(app).await;
        assert_eq!(browser.signs_in(&provider, &person("jo", "jo@nhs.net")).await.0, 303, "the truth");
    }

    async fn keys_are_kept_and_looked_for_again_once_a_minute(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let jo = person("jo", "jo@nhs.net");
        for _ in 0..3 {
            assert_eq!(browser.signs_in(&provider, &jo).await.0, 303);
        }
        assert_eq!(provider.asked("/jwks").await, 1);
        // Whoever makes up keys has us ask for them no more than once.
        app.advance(TimeDelta::minutes(1));
        for _ in 0..3 {
            provider.lies("unknown-key").await;
            is(&browser.signs_in(&provider, &jo).await, UNPROVEN);
        }
        assert_eq!(provider.asked("/jwks").await, 2);
        for lie in ["unknown-key", "key-of-a-curve"] {
            provider.publishes(lie).await;
            app.advance(TimeDelta::minutes(1));
            assert_eq!(browser.signs_in(&provider, &jo).await.0, 303, "{lie} is known now");
        }
    }

    async fn an_address_counts_only_when_the_provider_says_that_it_is_verified(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let refused = (403, "NHSmail does not say that your e-mail address is verified");
        for claims in [
            json!({ "sub": "jo", "email": "jo@nhs.net", "email_verified": false }),
            json!({ "sub": "jo", "email": "jo@nhs.net" }),
            json!({ "sub": "jo", "email_verified": true }),
            json!({ "sub": "jo" }),
        ] {
            for lie in ["", "email-in-the-token"] {
                provider.lies(lie).await;
                is(&browser.signs_in(&provider, &claims).await, refused);
            }
        }
        nothing_happened(app).await;
        assert_eq!(browser.signs_in(&provider, &person("jo", "jo@nhs.net")).await.0, 303, "told in the token");
    }

    async fn whoever_refuses_there_is_told_what_to_do(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        provider.in_time().await;
        let interaction = location(&browser.at(&location(&browser.at(BEGIN).await)).await);
        let resumed = location(&browser.at(&format!("{}{interaction}?refuse=yes", provider.issuer)).await);
        let back = location(&browser.at(&resumed).await);
        assert!(back.contains("error=access_denied"), "{back}");
        let page = browser.get(&back).await;
        is(&page, (403, "You did not sign in at NHSmail"));
        assert!(!page.1.contains("alert(1)"), "{}", page.1);
        is(&browser.get(&back).await, OVER);
        nothing_happened(app).await;
    }

    async fn the_way_on_stays_here(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        for (next, to) in [
            ("/sessions?a=b", "/sessions?a=b"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"),
            ("/%09/evil.example", "/%09/evil.example"), ("javascript:alert(1)", "/"), ("", "/"),
        ] {
            let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            let begin = format!("{BEGIN}?next={next}");
            let back = browser.goes_from(&provider, &begin, &person("jo", "jo@nhs.net")).await;
            assert_eq!(location(&browser.at(&back).await), to);
        }
    }

    async fn secrets_are_not_logged(app: &TestApp) {
        let log = Log::start();
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let back = browser.goes(&provider, &person("jo", "jo.s3cr3t@nhs.net")).await;
        assert_eq!(browser.get(&back).await.0, 303);
        let failing = browser.goes(&provider, &person("jo", "jo.s3cr3t@nhs.net")).await;
        provider.lies("nonce").await;
        is(&browser.get(&failing).await, UNPROVEN);
        let logged = log.text();
        assert!(logged.contains("the token is of another sign-in"));
        let secrets = [&back, &failing].map(|back| [parameter(back, "code"), parameter(back, "state")]);
        for secret in secrets.as_flattened().iter().map(String::as_str).chain([SECRET, "jo.s3cr3t@nhs.net"]) {
            assert!(!logged.contains(secret), "{secret} is in the log");
        }
    }
}
