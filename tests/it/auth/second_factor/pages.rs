//! The same for people: pages that need no script, but for passkeys. `browser.rs` has those.

use super::*;
use crate::auth::pages::{Browser, values};

/// The hidden or filled in value of a field.
fn field<'a>(html: &'a str, name: &str) -> &'a str {
    let start = html.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("{name} in {html}"));
    values(&html[start..], "value")[0]
}

/// The key that an app is told, as it is typed.
fn key(html: &str) -> String {
    html.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().replace(' ', "")
}

fn codes(html: &str) -> Vec<String> {
    html.split("<li><code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

async fn signed_in_browser<'a>(app: &'a TestApp, email: &str) -> Browser<'a> {
    // What they were told before has no link to sign in.
    mails(app).await;
    let browser = Browser::new(app);
    let mail = browser.asks(email).await;
    assert_eq!(browser.post(&link_in(&mail), &[]).await.0, 303);
    browser
}

/// A browser whose member has an app, what the app was told, and the recovery codes.
async fn with_app<'a>(app: &'a TestApp, email: &str) -> (Browser<'a>, String, Vec<String>) {
    let browser = signed_in_browser(app, email).await;
    let (_, html) = browser.post("/second-factor/app/new", &[]).await;
    let secret = key(&html);
    let now = code(&secret, app.now(), 0);
    let fields = [("challenge", field(&html, "challenge")), ("name", "Phone"), ("code", &now)];
    let (status, html) = browser.post("/second-factor/app", &fields).await;
    assert_eq!(status, 200, "{html}");
    mails(app).await;
    (browser, secret, codes(&html))
}

on_both_stores! {
    async fn an_app_is_added_on_a_page(app: &TestApp) {
        let browser = Browser::new(app);
        assert!(browser.get("/second-factor").await.1.contains("Sign in first."));
        for path in ["/second-factor/app/new", "/second-factor/codes", "/second-factor/passkey/new"] {
            assert_eq!(browser.post(path, &[]).await.0, 401, "{path}");
        }
        let browser = signed_in_browser(app, "jo@nhs.net").await;
        assert!(browser.get("/").await.1.contains("href=\"/second-factor\""));
        let (_, html) = browser.get("/second-factor").await;
        assert!(html.contains("Add an authenticator app") && !html.contains("You look after others"), "{html}");
        assert!(!html.contains("Add a passkey"), "they don't work at a number");
        assert!(all::<hope_exchange::domain::factor_challenge::FactorChallenge>(app).await.is_empty(), "a look writes nothing");

        let (status, html) = browser.post("/second-factor/app/new", &[]).await;
        assert_eq!(status, 200);
        for part in ["<svg role=\"img\"", "otpauth://totp/", "autocomplete=\"one-time-code\"", "<label for=\"code\">"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("<script") && !html.contains("style=") && !html.contains("<?xml"), "{html}");
        let (challenge, secret) = (field(&html, "challenge").to_owned(), key(&html));
        let (status, html) = browser.post("/second-factor/app", &[("challenge", &challenge), ("name", "<b>Phone"), ("code", "000000")]).await;
        assert_eq!((status, key(&html)), (422, secret.clone()));
        assert!(html.contains("Error: ") && html.contains("aria-invalid") && field(&html, "name").contains("Phone") && !html.contains("<b>"), "{html}");
        let now = code(&secret, app.now(), 0);
        let (status, html) = browser.post("/second-factor/app", &[("challenge", &challenge), ("name", "<b>Phone"), ("code", &now)]).await;
        assert_eq!((status, codes(&html).len()), (200, 10), "{html}");
        let (_, html) = browser.get("/second-factor").await;
        assert!(html.contains("&#60;b&#62;Phone") && !html.contains("<b>") && html.contains("You have 10 left."), "{html}");
        // The form sent again says that it is done, and tells nothing.
        let (status, html) = browser.post("/second-factor/app", &[("challenge", &challenge), ("code", &now)]).await;
        assert!(status == 404 && !html.contains(&secret), "{html}");
    }

    /// The page that comes back with a problem has the key again: for whose challenge it is, alone.
    async fn nobody_is_shown_the_key_of_another_s_challenge(app: &TestApp) {
        let (jo, eve) = (signed_in_browser(app, "jo@nhs.net").await, signed_in_browser(app, "eve@nhs.net").await);
        let (_, html) = jo.post("/second-factor/app/new", &[]).await;
        let (challenge, secret) = (field(&html, "challenge").to_owned(), key(&html));
        let long = "x".repeat(60);
        for name in ["", long.as_str()] {
            let (status, html) = eve.post("/second-factor/app", &[("challenge", &challenge), ("name", name), ("code", "000000")]).await;
            assert!(status == 404 && !html.contains(&secret[..4]), "{html}");
        }
        let now = code(&secret, app.now(), 0);
        jo.post("/second-factor/app", &[("challenge", &challenge), ("code", &now)]).await;
        let (status, html) = jo.post("/second-factor/app", &[("challenge", &challenge), ("name", &long), ("code", "000000")]).await;
        assert!(status == 404 && !html.contains(&secret[..4]), "nor of an app that is registered: {html}");
    }

    async fn the_second_step_is_this_browser_s(app: &TestApp) {
        let (_, secret, recovery) = with_app(app, "jo@nhs.net").await;
        let browser = Browser::new(app);
        let (status, html) = browser.get("/sign-in/second-factor").await;
        assert!(status == 404 && html.contains("does not work any more"), "{html}");
        let mail = browser.asks("jo@nhs.net").await;
        let response = browser.submit(&link_in(&mail), &[]).await;
        assert_eq!((response.status().as_u16(), &response.headers()["location"]), (303, &"/sign-in/second-factor".parse().unwrap()));
        let cookies: Vec<&str> = response.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
        assert!(cookies[0].starts_with("hope_challenge=fch_") && cookies[0].contains("HttpOnly; SameSite=Lax"), "{cookies:?}");
        assert!(!cookies.iter().any(|cookie| cookie.starts_with("hope_access") || cookie.starts_with("hope_refresh")));
        assert!(!browser.is_greeted().await);
        let (status, html) = browser.get("/sign-in/second-factor").await;
        assert!(status == 200 && html.contains("autocomplete=\"one-time-code\"") && !html.contains("data-passkey"), "{html}");
        assert!(!html.contains("fch_"), "the challenge is out of the page's reach");
        next_step(app);
        for (wrong, says) in [("", "Enter a code"), ("000000", "The code is wrong")] {
            let (status, html) = browser.post("/sign-in/second-factor", &[("code", wrong)]).await;
            assert!(status == 422 && html.contains(says) && html.contains("Error: "), "{html}");
        }
        // Another browser has the code, and not the cookie.
        let elsewhere = Browser::new(app);
        let now = code(&secret, app.now(), 0);
        assert_eq!(elsewhere.post("/sign-in/second-factor", &[("code", &now)]).await.0, 404);
        assert_eq!(browser.post("/sign-in/second-factor", &[("code", &now)]).await.0, 303);
        assert!(browser.is_greeted().await);
        assert_eq!(browser.get("/sign-in/second-factor").await.0, 404, "it is used");
        // By the code of the e-mail, and with a recovery code.
        let mail_code = code_in(&elsewhere.asks("jo@nhs.net").await);
        assert_eq!(elsewhere.post("/sign-in/code", &[("email", "jo@nhs.net"), ("code", &mail_code)]).await.0, 303);
        assert_eq!(elsewhere.post("/sign-in/second-factor", &[("code", &recovery[3])]).await.0, 303);
        assert!(elsewhere.get("/second-factor").await.1.contains("You have 9 left."));
    }

    async fn factors_are_shown_before_they_are_changed(app: &TestApp) {
        let (browser, secret, recovery) = with_app(app, "jo@nhs.net").await;
        app.advance(chrono::TimeDelta::minutes(10));
        let (_, html) = browser.get("/second-factor").await;
        assert!(html.contains("Show one of them first.") && !html.contains("/remove\""), "{html}");
        let id = stored(app).await[0].factors[0].id.to_string();
        for path in [format!("/second-factor/{id}/remove"), "/second-factor/app/new".to_owned(), "/second-factor/codes".to_owned()] {
            let (status, html) = browser.post(&path, &[]).await;
            assert!(status == 409 && html.contains("Show your second factor first"), "{path}: {html}");
        }
        let (status, html) = browser.post("/second-factor/show", &[("code", "000000")]).await;
        assert!(status == 422 && html.contains("The code is wrong"), "{html}");
        let now = code(&secret, app.now(), 0);
        assert_eq!(browser.post("/second-factor/show", &[("code", &now)]).await.0, 303);
        let (_, html) = browser.get("/second-factor").await;
        assert!(html.contains(&format!("/second-factor/{id}/remove")), "{html}");
        let (_, html) = browser.post("/second-factor/codes", &[]).await;
        assert!(codes(&html).len() == 10 && !codes(&html).contains(&recovery[0]), "{html}");
        assert_eq!(browser.post(&format!("/second-factor/{id}/remove"), &[]).await.0, 303);
        assert_eq!(browser.post(&format!("/second-factor/{id}/remove"), &[]).await.0, 303, "pressed twice");
        assert!(stored(app).await.is_empty());
    }

    async fn moderators_are_told_that_they_need_one(app: &TestApp) {
        hope_exchange::actions::member::grant(&app.app, "mary@nhs.net", Role::Moderator).await.unwrap();
        let browser = signed_in_browser(app, "mary@nhs.net").await;
        assert!(browser.get("/").await.1.contains("show your second factor, or set one up"));
        assert!(browser.get("/second-factor").await.1.contains("You look after others here, so you need one."));
        let (browser, _, _) = with_app(app, "mary@nhs.net").await;
        assert!(!browser.get("/").await.1.contains("show your second factor, or set one up"));
    }

    async fn forms_of_other_sites_change_no_factor(app: &TestApp) {
        let (browser, _, _) = with_app(app, "jo@nhs.net").await;
        let id = stored(app).await[0].factors[0].id.to_string();
        let remove = format!("/second-factor/{id}/remove");
        for path in ["/second-factor/codes", "/second-factor/app/new", "/second-factor/app", "/second-factor/show", "/sign-in/second-factor", &remove] {
            let response = browser.http.post(browser.url(path)).header("origin", "https://evil.example").send().await.unwrap();
            assert_eq!(response.status(), 403, "{path}");
        }
        assert_eq!(stored(app).await[0].factors.len(), 1);
    }
}
