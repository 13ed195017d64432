//! Signing in with a browser, and what a mail scanner does to it.

use hope_exchange::{
    actions::sign_in,
    app::Parts,
    domain::{
        device::{Caller, Origin},
        sign_in::SignIn,
    },
    error::Code,
    keys::Keys,
    limits::Limits,
    rest::health::Stopping,
    server,
    single_sign_on::Providers,
    tokens,
};
use poem::Endpoint;
use reqwest::{Client, Response, header::HeaderMap};

use super::*;
use crate::app::On;

/// A browser: keeps cookies, says where its forms are from.
pub(super) struct Browser<'a> {
    pub app: &'a TestApp,
    pub http: Client,
}

impl<'a> Browser<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        let http = Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none());
        Self { app, http: http.build().unwrap() }
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        page(self.http.get(self.url(path)).send().await.unwrap()).await
    }

    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(self.url(path)).header("origin", &self.app.url).body(body);
        request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap()
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        page(self.submit(path, fields).await).await
    }

    pub fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.app.url) }
    }

    pub async fn asks(&self, email: &str) -> Message {
        let (status, html) = self.post("/sign-in", &[("email", email)]).await;
        assert_eq!(status, 200, "{html}");
        mails(self.app).await.pop().unwrap()
    }

    pub async fn is_greeted(&self) -> bool {
        self.get("/").await.1.contains("You are signed in as")
    }
}

async fn page(response: Response) -> (u16, String) {
    assert_framed(response.headers());
    (response.status().as_u16(), response.text().await.unwrap())
}

fn assert_framed(headers: &HeaderMap) {
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(headers[name], value);
    }
}

/// Every `name="…"` of this attribute in the page.
pub(super) fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!("{attribute}=\"");
    html.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

on_both_stores! {
    async fn a_code_signs_a_browser_in(app: &TestApp) {
        let browser = Browser::new(app);
        assert!(browser.get("/").await.1.contains("href=\"/sign-in\""));
        assert!(browser.get("/sign-in").await.1.contains("autocomplete=\"email\""));
        let code = code_in(&browser.asks("jo.bloggs@nhs.net").await);
        let fields = |code| [("email", "jo.bloggs@nhs.net"), ("known", "yes"), ("code", code)];
        for (wrong, says) in [("", "8 letters and digits"), (WRONG, "The code is wrong")] {
            let (status, html) = browser.post("/sign-in/code", &fields(wrong)).await;
            assert_eq!(status, 422);
            assert!(html.contains(says) && html.contains("autocomplete=\"one-time-code\""), "{html}");
            assert!(html.contains("value=\"jo.bloggs@nhs.net\"") && html.contains("Error: "));
        }
        let response = browser.submit("/sign-in/code", &fields(&code)).await;
        assert_eq!((response.status().as_u16(), &response.headers()["location"]), (303, &"/".parse().unwrap()));
        let cookies: Vec<&str> =
            response.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(cookies.len(), 3);
        for (cookie, name) in cookies.iter().zip(["hope_access=ey", "hope_refresh=hrt_", "hope_sign_in=; "]) {
            assert!(cookie.starts_with(name), "{cookie}");
            assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
        }
        assert!(browser.get("/").await.1.contains("<strong>Jo Bloggs</strong>"));

        assert_eq!(browser.post("/sign-out", &[]).await.0, 303);
        assert!(!browser.is_greeted().await);
        assert_eq!(counts(app).await, (1, 0));
    }

    async fn a_link_signs_in_the_browser_that_asked(app: &TestApp) {
        let browser = Browser::new(app);
        let link = link_in(&browser.asks("a@nhs.net").await);
        let (status, html) = browser.get(&link).await;
        assert_eq!(status, 200);
        assert!(!html.contains("name=\"code\"") && !browser.is_greeted().await);
        let action = values(&html, "action")[0].to_owned();
        assert!(link.ends_with(&action));
        assert_eq!(browser.post(&action, &[]).await.0, 303);
        assert!(browser.is_greeted().await);
        for path in [&action, &link] {
            let (status, html) = browser.get(path).await;
            assert_eq!(status, 404);
            assert!(html.contains("This link does not work any more"));
        }
        assert_eq!(browser.post(&action, &[]).await.0, 404);
        assert_eq!(counts(app).await, (1, 1));
    }

    async fn a_link_wants_the_code_in_another_browser(app: &TestApp) {
        let (laptop, phone) = (Browser::new(app), Browser::new(app));
        let mail = laptop.asks("a@nhs.net").await;
        // That this browser asked for another one does not help it.
        phone.asks("b@nhs.net").await;
        let (status, html) = phone.get(&link_in(&mail)).await;
        assert_eq!(status, 200);
        assert!(html.contains("name=\"code\"") && !html.contains("a@nhs.net"), "{html}");
        assert_eq!(phone.post(&link_in(&mail), &[]).await.0, 422);
        assert_eq!(phone.post(&link_in(&mail), &[("code", WRONG)]).await.0, 422);
        assert_eq!(phone.post(&link_in(&mail), &[("code", &code_in(&mail))]).await.0, 303);
        assert!(phone.is_greeted().await && !laptop.is_greeted().await);
    }

    async fn a_link_works_while_others_guess(app: &TestApp) {
        let browser = Browser::new(app);
        let mail = browser.asks("a@nhs.net").await;
        for _ in 0..12 {
            verify(app, "a@nhs.net", WRONG).await;
        }
        assert_eq!(verify(app, "a@nhs.net", &code_in(&mail)).await.0, 429);
        assert_eq!(browser.post("/sign-in/code", &[("email", "a@nhs.net"), ("code", &code_in(&mail))]).await.0, 429);
        assert_eq!(browser.post(&link_in(&mail), &[]).await.0, 303);
        assert!(browser.is_greeted().await);
    }

    async fn a_scanner_changes_nothing_and_locks_nobody_out(app: &TestApp) {
        let browser = Browser::new(app);
        let mail = browser.asks("a@nhs.net").await;
        let before = all::<SignIn>(app).await;
        let mut links: Vec<String> = values(&mail.html, "href").iter().map(ToString::to_string).collect();
        links.push(link_in(&mail));
        links.retain(|link| link.starts_with(&app.url));
        assert!(links.len() >= 2, "{}", mail.html);
        for _ in 0..5 {
            for link in &links {
                // With and without cookies of its own, and sending no origin, as programs do.
                let scanner = Browser::new(app);
                let (_, html) = scanner.get(link).await;
                for form in values(&html, "action") {
                    for code in ["", "1", "test", "a@example.com", "<script>"] {
                        scanner.post(form, &[("code", code)]).await;
                        let body = format!("code={code}");
                        let request = app.http.post(scanner.url(form)).body(body);
                        let request = request.header("content-type", "application/x-www-form-urlencoded");
                        assert!(request.send().await.unwrap().status().is_client_error());
                    }
                }
                for method in ["HEAD", "OPTIONS", "PUT"] {
                    app.http.request(method.parse().unwrap(), link).send().await.unwrap();
                }
                for path in values(&html, "href").iter().filter(|path| path.starts_with('/')) {
                    scanner.get_any(path).await;
                }
            }
        }
        assert_eq!(all::<SignIn>(app).await, before, "not even a try is spent");
        assert_eq!(counts(app).await, (0, 0));
        assert_eq!(browser.post(&link_in(&mail), &[]).await.0, 303);
        assert!(browser.is_greeted().await);
    }

    async fn an_expired_access_cookie_is_renewed_by_the_start_page(app: &TestApp) {
        let browser = Browser::new(app);
        let mail = browser.asks("a@nhs.net").await;
        browser.post(&link_in(&mail), &[]).await;
        app.advance(chrono::TimeDelta::minutes(20));
        let response = browser.http.get(browser.url("/")).send().await.unwrap();
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert!(response.text().await.unwrap().contains("You are signed in as"));
        app.advance(chrono::TimeDelta::days(31));
        assert!(!browser.is_greeted().await);
    }

    async fn forms_of_other_sites_are_refused(app: &TestApp) {
        let browser = Browser::new(app);
        let mail = browser.asks("a@nhs.net").await;
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", ""),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            for path in [&link_in(&mail), "/sign-in", "/sign-in/code", "/sign-out"] {
                let response = browser.http.post(browser.url(path)).header(name, value).send().await.unwrap();
                assert_eq!(page(response).await.0, 403, "{name} {value} {path}");
            }
        }
        let own = browser.http.post(link_in(&mail)).header("sec-fetch-site", "same-origin").send().await.unwrap();
        assert_eq!(own.status(), 303);
    }

    async fn what_says_nothing_of_where_it_is_from_is_no_browser(app: &TestApp) {
        let form = app.http.post(format!("{}/sign-in", app.url)).body("email=a%40nhs.net");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(page(form.send().await.unwrap()).await.0, 200);
    }

    async fn the_cookie_of_another_request_does_not_help(app: &TestApp) {
        let here = Caller { address: std::net::Ipv4Addr::LOCALHOST.into(), origin: Origin::default() };
        let here = sign_in::Answering::from(&app.app, here).unwrap();
        let (mine, other) = (asked(app, "a@nhs.net").await, asked(app, "b@nhs.net").await);
        let token = |mail: &Message| link_in(mail).rsplit('/').next().unwrap().to_owned();
        let cookie = |mail: &Message| {
            let id = tokens::sign_in::read_link(&app.app, &token(mail)).unwrap();
            tokens::sign_in::browser(&app.app, &id)
        };
        for wrong in [cookie(&other), token(&mine), String::new()] {
            let refused = sign_in::verify_link(&app.app, &token(&mine), &wrong, &here).await;
            assert_eq!(refused.err().unwrap().code(), Code::WrongCode);
        }
        assert!(sign_in::verify_link(&app.app, &cookie(&mine), &cookie(&mine), &here).await.is_err());
        assert!(sign_in::verify_link(&app.app, &token(&mine), &cookie(&mine), &here).await.is_ok());
    }

    async fn what_is_typed_is_shown_as_text(app: &TestApp) {
        let browser = Browser::new(app);
        let script = "\"><script>alert(1)</script>";
        let (status, html) = browser.post("/sign-in", &[("email", script)]).await;
        assert_eq!(status, 422);
        assert!(html.contains("There is a problem") && !html.contains("<script"), "{html}");
        let (_, html) = browser.post("/sign-in/code", &[("email", script), ("known", "yes")]).await;
        assert!(!html.contains("<script"), "{html}");
        let (status, html) = browser.get("/sign-in/%22%3E%3Cscript%3E").await;
        assert!(status == 404 && !html.contains("<script"), "{html}");
        let mut member = hope_exchange::actions::member::grant(
            &app.app, "a@nhs.net", hope_exchange::domain::member::Role::Member).await.unwrap();
        member.name = script.to_owned();
        commit(app, Batch::new().replace(&member)).await;
        let mail = browser.asks("a@nhs.net").await;
        browser.post(&link_in(&mail), &[]).await;
        let (_, html) = browser.get("/").await;
        assert!(html.contains("You are signed in as") && !html.contains("<script"), "{html}");
    }
}

impl Browser<'_> {
    async fn get_any(&self, path: &str) {
        self.http.get(self.url(path)).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_cookies_are_bound_to_the_host() {
    TestApp::run(On::Sqlite, async |app| {
        let mut config = app.app.config.clone();
        config.public_url = "https://hope.example".parse().unwrap();
        let secure = hope_exchange::app::App::new(Parts {
            store: app.app.store.clone(),
            mailer: app.app.mailer.clone(),
            blobs: app.app.blobs.clone(),
            clock: app.app.clock.clone(),
            ids: app.app.ids.clone(),
            keys: Keys::open(&app.folder.path().join("keys"), &app.app.ids).unwrap(),
            limits: Limits::new(&config.limits),
            providers: Providers::new(&config).unwrap(),
            config,
        });
        let request = poem::Request::builder().method(poem::http::Method::POST).uri_str("/sign-in");
        let request = request.header("origin", "https://hope.example");
        let request = request.content_type("application/x-www-form-urlencoded").body("email=a%40nhs.net");
        let response = server::routes(&secure, &Stopping::default()).get_response(request).await;
        assert_eq!(response.status(), 200);
        let cookie = response.header("set-cookie").unwrap();
        assert!(cookie.starts_with("__Host-hope_sign_in=sgn_"), "{cookie}");
        assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_style_is_our_own() {
    TestApp::run(On::Sqlite, async |app| {
        let response = app.http.get(format!("{}/assets/page.css", app.url)).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/css; charset=utf-8");
        assert!(!response.text().await.unwrap().contains("url("));
    })
    .await;
}
