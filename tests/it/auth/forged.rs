//! Access tokens that were not given out here, or not for here and now.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use hope_exchange::{
    app::Parts,
    domain::device::{Caller, Origin},
    error::Code,
    keys::Keys,
    limits::Limits,
    single_sign_on::Providers,
    tokens::access,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};

use super::*;
use crate::{app::On, live::Socket};

/// Signs what it is given with the service's own key.
fn signed(app: &TestApp, header: &Json, claims: &Json) -> String {
    let parts = [header, claims].map(|part| BASE64.encode(part.to_string()));
    let message = parts.join(".");
    let key = app.app.keys.signing(app.now()).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.encoding, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn part(token: &str, index: usize) -> Json {
    let part = BASE64.decode(token.split('.').nth(index).unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

/// The good token's claims with one of them changed; null takes it away.
fn with(claims: &Json, name: &str, value: Json) -> Json {
    let mut claims = claims.clone();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn wrong_claims(good: &Json, now: i64) -> Vec<(String, Json)> {
    let mut wrong = Vec::new();
    for name in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "sid", "scope"] {
        wrong.push((format!("no {name}"), with(good, name, Json::Null)));
        wrong.push((format!("{name} of another type"), with(good, name, json!([good[name]]))));
    }
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!("")),
        ("iss", json!(format!("{}/", good["iss"].as_str().unwrap()))),
        ("aud", json!("another")),
        ("aud", json!(["hope-exchange", "another"])),
        ("sub", json!("mbr_nobody")),
        ("sub", json!("ses_01J0")),
        ("sub", json!("")),
        ("sub", json!({ "$ne": "" })),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!(now - 30)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("nbf", json!(now + 31)),
        ("nbf", json!(now.to_string())),
        ("iat", json!(now + 31)),
        ("iat", json!(i64::MAX)),
        ("scope", json!("administrator")),
        ("scope", json!("")),
    ] {
        wrong.push((format!("{name} {value}"), with(good, name, value)));
    }
    wrong
}

fn wrong_tokens(app: &TestApp, good: &str) -> Vec<(String, String)> {
    let (header, claims) = (part(good, 0), part(good, 1));
    let key = app.app.keys.signing(app.now()).unwrap();
    let jwks = app.app.keys.jwks();
    let public = BASE64.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap();
    let [head, body, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut wrong: Vec<(String, String)> = wrong_claims(&claims, claims["iat"].as_i64().unwrap())
        .into_iter()
        .map(|(name, claims)| (name, signed(app, &header, &claims)))
        .collect();

    let none = BASE64.encode(json!({ "alg": "none", "typ": "JWT", "kid": key.kid }).to_string());
    wrong.push(("alg none".to_owned(), format!("{none}.{body}.")));
    wrong.push(("alg none, signed".to_owned(), format!("{none}.{body}.{signature}")));
    for (name, secret) in
        [("the public key", &public[..]), ("an empty key", b""), ("the kid", key.kid.as_bytes())]
    {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let header = Header { kid: Some(key.kid.clone()), ..Header::new(algorithm) };
            let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
            wrong.push((format!("{algorithm:?} with {name}"), token));
        }
    }
    for (name, header) in [
        ("no kid", with(&header, "kid", Json::Null)),
        ("unknown kid", with(&header, "kid", json!("another"))),
        ("kid that is a path", with(&header, "kid", json!("../../etc/passwd"))),
        ("empty kid", with(&header, "kid", json!(""))),
        ("alg HS256 over an Ed25519 signature", with(&header, "alg", json!("HS256"))),
        ("alg RS256", with(&header, "alg", json!("RS256"))),
        ("alg ES256", with(&header, "alg", json!("ES256"))),
        ("alg NONE", with(&header, "alg", json!("NONE"))),
        ("critical extension", with(&header, "crit", json!(["exp"]))),
    ] {
        wrong.push((name.to_owned(), signed(app, &header, &claims)));
    }
    let other_body = BASE64.encode(with(&claims, "scope", json!("member ")).to_string());
    for (name, token) in [
        ("other claims under the signature", format!("{head}.{other_body}.{signature}")),
        ("no signature", format!("{head}.{body}.")),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted ones have", format!("{head}.{body}.{signature}.{head}.{body}")),
        ("padding", format!("{good}=")),
        ("a space", format!("{good} x")),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("text", "é".repeat(50)),
        ("too long", format!("{good}{}", "A".repeat(100_000))),
    ] {
        wrong.push((name.to_owned(), token));
    }
    wrong
}

on_both_stores! {
    async fn forged_tokens_are_refused(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        let good = tokens["accessToken"].as_str().unwrap();
        let again = signed(app, &part(good, 0), &part(good, 1));
        assert!(session::authenticate(&app.app, &again).await.is_ok(), "the forger itself works");
        for (name, token) in wrong_tokens(app, good) {
            // Twice, as good signatures are remembered.
            for _ in 0..2 {
                let Err(error) = session::authenticate(&app.app, &token).await else { panic!("{name} passed: {token}") };
                assert_eq!(error.code(), Code::Unauthenticated, "{name}");
                assert_eq!(error.public_message(), "Sign in first.", "the same for every reason");
            }
        }
    }

    async fn forged_tokens_are_refused_on_every_surface(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        let good = tokens["accessToken"].as_str().unwrap();
        let rest = async |token: &str| {
            let get = app.http.get(format!("{}/api/v1/auth/sessions", app.url)).bearer_auth(token);
            get.send().await.unwrap().status().as_u16()
        };
        let graphql = async |token: &str| {
            let query = app.http.post(format!("{}/graphql", app.url)).json(&json!({ "query": "{ viewer { id } }" }));
            query.bearer_auth(token).send().await.unwrap().status().as_u16()
        };
        assert_eq!((rest(good).await, graphql(good).await), (200, 200));
        assert_eq!(Socket::fresh(app).await.init(good).await["type"], "connection_ack");
        for (name, token) in wrong_tokens(app, good) {
            // What no header can hold, or none that is read, is refused before.
            if token.is_ascii() && token.len() < 10_000 {
                assert_eq!((rest(&token).await, graphql(&token).await), (401, 401), "{name}");
            }
            let mut socket = Socket::fresh(app).await;
            socket.say(json!({ "type": "connection_init", "payload": { "token": token } })).await;
            let code = socket.hear().await.code();
            assert!(code == 4403 || (code == 1009 && token.len() > 65_536), "{name}: {code}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_works_for_ten_minutes_and_the_leeway() {
    TestApp::run(On::Sqlite, async |app| {
        let tokens = signed_in(app, "a@nhs.net").await;
        let start = app.now();
        for (seconds, works) in [(-31, false), (-30, true), (0, true), (600, true), (629, true), (630, false)]
        {
            app.app.clock.set(start.plus(TimeDelta::seconds(seconds)));
            assert_eq!(holder(app, &tokens["accessToken"]).await.is_ok(), works, "{seconds}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anybody_can_check_a_token_with_the_public_keys() {
    TestApp::run(On::Sqlite, async |app| {
        let response = app.http.get(format!("{}/.well-known/jwks.json", app.url)).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/jwk-set+json");
        let text = response.text().await.unwrap();
        assert!(!text.contains("\"d\""), "only public halves: {text}");
        let keys: JwkSet = serde_json::from_str(&text).unwrap();

        let tokens = signed_in(app, "a@nhs.net").await;
        let token = tokens["accessToken"].as_str().unwrap();
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&app.url]);
        validation.set_audience(&["hope-exchange"]);
        // The test's clock stands still on another day.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Json>(token, &key, &validation).unwrap().claims;
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), access::SECONDS);
        assert_eq!(claims["nbf"], claims["iat"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_installations_token_is_refused() {
    TestApp::run(On::Sqlite, async |app| {
        let tokens = signed_in(app, "a@nhs.net").await;
        let parts = |folder: &std::path::Path| Parts {
            store: app.app.store.clone(),
            mailer: app.app.mailer.clone(),
            blobs: app.app.blobs.clone(),
            clock: app.app.clock.clone(),
            ids: app.app.ids.clone(),
            keys: Keys::open(folder, &app.app.ids).unwrap(),
            limits: Limits::new(&app.app.config.limits),
            providers: Providers::default(),
            config: app.app.config.clone(),
        };
        let other = hope_exchange::app::App::new(parts(&app.folder.path().join("other")));
        let token = tokens["accessToken"].as_str().unwrap();
        let caller = Caller { address: std::net::Ipv4Addr::LOCALHOST.into(), origin: Origin::default() };
        assert!(session::authenticate(&other, token).await.is_err());
        assert!(session::refresh(&other, tokens["refreshToken"].as_str().unwrap(), &caller).await.is_err());
        let same = hope_exchange::app::App::new(parts(&app.folder.path().join("keys")));
        assert!(session::authenticate(&same, token).await.is_ok(), "after a restart");
    })
    .await;
}
