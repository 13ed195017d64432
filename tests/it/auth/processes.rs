//! Several processes that serve one community, as an operator runs them: what one of them does holds in
//! all, and keys rotate while they run.

use std::{collections::BTreeSet, path::PathBuf};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use hope_exchange::clock::Clock;
use tokio::process::Child;

use super::*;
use crate::{
    app::{On, client, drop_database, mongodb, random},
    process::{emls, free_address, hope, until},
};

/// Two processes on one store, with one folder of keys.
struct Pair {
    folder: PathBuf,
    settings: Vec<(&'static str, String)>,
    addresses: [String; 2],
    processes: [Child; 2],
    http: reqwest::Client,
}

async fn pair(on: On, settings: &[(&'static str, &str)], test: impl AsyncFnOnce(&mut Pair)) {
    let folder = tempfile::tempdir().unwrap();
    let store = match on {
        On::Sqlite => format!("sqlite://{}", folder.path().join("hope.db").display()),
        On::Mongo => {
            let Some(server) = mongodb() else { return };
            server.replacen("/?", &format!("/hope_{:032x}?", u128::from_be_bytes(random())), 1)
        }
    };
    let mut all = vec![
        ("HOPE_STORE", store.clone()),
        ("HOPE_DATA", folder.path().display().to_string()),
        ("HOPE_MAIL", format!("dir://{}", folder.path().join("mail").display())),
        ("HOPE_PUBLIC_URL", "http://127.0.0.1:8080".to_owned()),
        ("HOPE_LOG", "warn".to_owned()),
    ];
    all.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let addresses = [free_address(), free_address()];
    let first = start(&all, &addresses[0]).await;
    let processes = [first, start(&all, &addresses[1]).await];
    let mut pair =
        Pair { folder: folder.path().to_owned(), settings: all, addresses, processes, http: client() };
    test(&mut pair).await;
    for process in &mut pair.processes {
        crate::process::terminate(process).await;
    }
    if matches!(on, On::Mongo) {
        drop_database(&store).await;
    }
}

async fn start(settings: &[(&'static str, String)], address: &str) -> Child {
    let mut settings = settings.to_vec();
    settings.push(("HOPE_LISTEN", address.to_owned()));
    let process = hope(&["serve"], &settings);
    let (http, url) = (client(), format!("http://{address}/health/ready"));
    until("it is ready", async || http.get(&url).send().await.is_ok_and(|ready| ready.status() == 200)).await;
    process
}

impl Pair {
    /// Registers an authenticator app, and returns what the session has then.
    async fn shows_factor(&self, at: usize, tokens: &Json) -> Json {
        let start = "mutation { startTotp(input: {}) { challengeId secret } }";
        let started = self.graphql(at, tokens, start, &json!({})).await["data"]["startTotp"].clone();
        let now = Clock::System { offset: chrono::TimeDelta::zero() }.now();
        let code = second_factor::code(&text(&started, "secret").replace(' ', ""), now, 0);
        let add = "mutation($id: ID!, $code: String!) { addTotp(input: { challengeId: $id, code: $code }) { accessToken } }";
        let variables = json!({ "id": started["challengeId"], "code": code });
        let added = self.graphql(at, tokens, add, &variables).await["data"]["addTotp"].clone();
        json!({ "accessToken": text(&added, "accessToken") })
    }

    async fn post(&self, at: usize, path: &str, body: &Json) -> (u16, Json) {
        let request = self.http.post(format!("http://{}/api/v1/auth/{path}", self.addresses[at]));
        let response = request.json(body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Json::Null))
    }

    async fn graphql(&self, at: usize, tokens: &Json, query: &str, variables: &Json) -> Json {
        let request = self.http.post(format!("http://{}/graphql", self.addresses[at]));
        let request = request.bearer_auth(text(tokens, "accessToken"));
        let body = json!({ "query": query, "variables": variables });
        request.json(&body).send().await.unwrap().json().await.unwrap()
    }

    /// Whether the access token is good in both.
    async fn is_good(&self, tokens: &Json) -> [bool; 2] {
        let mut good = [false; 2];
        for (at, good) in good.iter_mut().enumerate() {
            let answer = self.graphql(at, tokens, "{ viewer { id } }", &json!({})).await;
            *good = answer["data"]["viewer"]["id"].is_string();
        }
        good
    }

    /// A code from the mails to this address, of which there are to be so many.
    async fn code(&self, email: &str, mails: usize) -> String {
        let folder = self.folder.join("mail");
        let theirs = || {
            let mut mails = emls(&folder);
            mails.retain(|mail| mail.contains(email) && mail.contains("Your code to sign in"));
            mails
        };
        until("the mail is there", async || theirs().len() >= mails).await;
        let is_code =
            |line: &&str| hope_exchange::tokens::sign_in::tidy(line).as_deref() == Some(line.trim());
        let mail = theirs().pop().unwrap();
        mail.lines().find(is_code).unwrap_or_else(|| panic!("a code: {mail}")).trim().to_owned()
    }

    async fn signs_in(&self, at: usize, email: &str) -> Json {
        assert_eq!(self.post(at, "sign-in", &json!({ "email": email })).await.0, 202);
        let code = self.code(email, 1).await;
        let (status, tokens) = self.post(1 - at, "verify", &json!({ "email": email, "code": code })).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    async fn published(&self, at: usize) -> BTreeSet<String> {
        let response =
            self.http.get(format!("http://{}/.well-known/jwks.json", self.addresses[at])).send().await;
        let keys: Json = response.unwrap().json().await.unwrap();
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    async fn command(&self, arguments: &[&str], offset: &str) {
        let mut settings = self.settings.clone();
        settings.push(("HOPE_CLOCK_OFFSET", offset.to_owned()));
        assert!(hope(arguments, &settings).wait().await.unwrap().success(), "{arguments:?}");
    }
}

fn kid(tokens: &Json) -> String {
    let header = BASE64.decode(text(tokens, "accessToken").split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Json>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

/// From before the rotation until after the old key's end, with nobody signed out.
async fn keys_rotate_while_two_processes_serve(pair: &mut Pair) {
    let mut tokens = pair.signs_in(0, "a@nhs.net").await;
    let (first, old) = (tokens.clone(), kid(&tokens));
    assert_eq!(
        [pair.published(0).await, pair.published(1).await],
        [(); 2].map(|()| BTreeSet::from([old.clone()]))
    );

    pair.command(&["keys", "rotate", "--signs-after", "45"], "0s").await;
    let mut new = None;
    let mut at = 0;
    let started = std::time::Instant::now();
    while new.is_none() || started.elapsed().as_secs() < 60 {
        assert!(started.elapsed().as_secs() < 180, "no token is signed with the new key");
        at = 1 - at;
        let published = [pair.published(0).await, pair.published(1).await];
        let (status, renewed) =
            pair.post(at, "refresh", &json!({ "refreshToken": tokens["refreshToken"] })).await;
        assert_eq!(status, 200, "{renewed}");
        tokens = renewed;
        if kid(&tokens) != old && new.is_none() {
            let both = BTreeSet::from([old.clone(), kid(&tokens)]);
            assert_eq!(published, [both.clone(), both], "published before it signs");
            new = Some(kid(&tokens));
        }
        assert_eq!(pair.is_good(&tokens).await, [true; 2], "whichever process and key signed it");
        assert_eq!(pair.is_good(&first).await, [true; 2], "until it expires");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    assert_eq!(new, Some(kid(&tokens)));

    // Half an hour later, by the clock of whoever rotates again, nothing that the old one signed works.
    pair.command(&["keys", "rotate", "--signs-after", "86400"], "30m").await;
    until("the old key is forgotten", async || {
        let published = [pair.published(0).await, pair.published(1).await];
        published.iter().all(|keys| !keys.contains(&old))
    })
    .await;
    assert_eq!(pair.is_good(&first).await, [false; 2]);
    assert_eq!(pair.is_good(&tokens).await, [true; 2]);
    assert_eq!(pair.published(0).await.len(), 2, "and the next one waits");
    let (status, _) = pair.post(0, "refresh", &json!({ "refreshToken": tokens["refreshToken"] })).await;
    assert_eq!(status, 200, "nobody has to sign in again");
}

async fn what_one_process_ends_is_over_in_the_other(pair: &mut Pair) {
    let tokens = pair.signs_in(0, "a@nhs.net").await;
    assert_eq!(pair.is_good(&tokens).await, [true; 2]);
    let session = "{ viewer { sessions(first: 1) { nodes { id } } } }";
    let id =
        pair.graphql(0, &tokens, session, &json!({})).await["data"]["viewer"]["sessions"]["nodes"][0]["id"]
            .clone();
    let revoke = "mutation($id: ID!) { revokeSession(input: { id: $id }) { userErrors { code } } }";
    let answer = pair.graphql(0, &tokens, revoke, &json!({ "id": id })).await;
    assert_eq!(answer["data"]["revokeSession"]["userErrors"], json!([]), "{answer}");
    assert_eq!(pair.is_good(&tokens).await, [false; 2]);
    assert_eq!(pair.post(1, "refresh", &json!({ "refreshToken": tokens["refreshToken"] })).await.0, 401);

    // By a command, beside both; and a role that was given by one, with a second factor that was shown to one.
    let tokens = pair.signs_in(0, "b@nhs.net").await;
    let queue = "{ moderationQueue(first: 1) { totalCount } }";
    let rules = pair.graphql(1, &tokens, "{ rules { version } }", &json!({})).await["data"]["rules"].clone();
    let accept = "mutation($version: String!) { acceptRules(input: { version: $version }) { state } }";
    let accepted = pair.graphql(0, &tokens, accept, &rules).await;
    assert_eq!(accepted["data"]["acceptRules"]["state"], "ACTIVE", "{accepted}");
    let code = |answer: Json| answer["errors"][0]["extensions"]["code"].clone();
    assert_eq!(code(pair.graphql(1, &tokens, queue, &json!({})).await), "FORBIDDEN");
    pair.command(&["member", "grant", "b@nhs.net", "moderator"], "0s").await;
    assert_eq!(code(pair.graphql(1, &tokens, queue, &json!({})).await), "SECOND_FACTOR_REQUIRED");
    let strong = pair.shows_factor(0, &tokens).await;
    for at in 0..2 {
        let answer = pair.graphql(at, &strong, queue, &json!({})).await;
        assert_eq!(answer["data"]["moderationQueue"]["totalCount"], 0, "{answer}");
    }
    pair.command(&["member", "sign-out", "b@nhs.net"], "0s").await;
    assert_eq!(pair.is_good(&tokens).await, [false; 2]);
}

async fn limits_of_an_address_hold_over_processes_and_restarts(pair: &mut Pair) {
    for at in [0, 1, 0, 1, 0] {
        assert_eq!(pair.post(at, "sign-in", &json!({ "email": "a@nhs.net" })).await.0, 202);
    }
    let code = pair.code("a@nhs.net", 3).await;
    let wrong = json!({ "email": "a@nhs.net", "code": WRONG });
    for at in [0, 1, 0, 1, 0, 1, 0, 1, 0, 1] {
        assert_eq!(pair.post(at, "verify", &wrong).await.0, 401);
    }
    let good = json!({ "email": "a@nhs.net", "code": code });
    assert_eq!([pair.post(0, "verify", &good).await.0, pair.post(1, "verify", &good).await.0], [429; 2]);

    crate::process::terminate(&mut pair.processes[0]).await;
    pair.processes[0] = start(&pair.settings, &pair.addresses[0]).await;
    assert_eq!(pair.post(0, "verify", &good).await.0, 429);
    assert_eq!(pair.post(0, "sign-in", &json!({ "email": "a@nhs.net" })).await.0, 202);
    // Had there been a fourth mail, it would be there before this one.
    assert_eq!(pair.post(0, "sign-in", &json!({ "email": "b@nhs.net" })).await.0, 202);
    pair.code("b@nhs.net", 1).await;
    let mails = emls(&pair.folder.join("mail"));
    assert_eq!(mails.iter().filter(|mail| mail.contains("a@nhs.net")).count(), 3);
}

macro_rules! on_two_processes {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::pair($crate::app::On::Sqlite, &[], async |pair| super::$name(pair).await).await;
            })*
        }

        mod mongo {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::pair($crate::app::On::Mongo, &[], async |pair| super::$name(pair).await).await;
            })*
        }
    };
}

on_two_processes! {
    keys_rotate_while_two_processes_serve
    what_one_process_ends_is_over_in_the_other
    limits_of_an_address_hold_over_processes_and_restarts
}
