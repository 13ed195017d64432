//! The protocol `graphql-transport-ws`: what is said in which order, and how sockets end.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use hope_exchange::server;
use serde_json::{Value as Json, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use super::{Heard, PUBLISHED, Socket, THREAD, beside, nobody_looks_on, question};
use crate::{
    on_both_stores,
    process::{free_address, hope, terminate},
};

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");
const NAME: &str = "{ viewer { name } }";

on_both_stores! {
    async fn only_our_pages_and_programs_open_a_socket(app: &TestApp) {
        let other_port = format!("{}0", app.url);
        for (headers, refused) in [
            (vec![PROTOCOL], None),
            (vec![("sec-websocket-protocol", "soap, graphql-transport-ws")], None),
            (vec![PROTOCOL, ("origin", &*app.url)], None),
            (vec![], Some(400)),
            (vec![("sec-websocket-protocol", "graphql-ws")], Some(400)),
            (vec![("sec-websocket-protocol", "graphql-transport-ws2")], Some(400)),
            (vec![PROTOCOL, ("origin", "https://evil.example")], Some(403)),
            (vec![PROTOCOL, ("origin", "null")], Some(403)),
            (vec![PROTOCOL, ("origin", &*other_port)], Some(403)),
        ] {
            let opened = Socket::open(app, &headers).await;
            assert_eq!(opened.err(), refused, "{headers:?}");
        }
        let plain = app.http.get(format!("{}/graphql/ws", app.url)).send().await.unwrap();
        assert_eq!(plain.status(), 400);
        let body: Json = plain.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }

    async fn a_cookie_counts_only_from_our_own_pages(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let cookie = format!("hope_access={}", ada.token);
        for (headers, works) in [
            (vec![PROTOCOL, ("origin", &*app.url), ("cookie", &*cookie)], true),
            (vec![PROTOCOL, ("cookie", &*cookie)], false),
            (vec![PROTOCOL, ("origin", &*app.url)], false),
        ] {
            let mut socket = Socket::open(app, &headers).await.unwrap();
            socket.say(json!({ "type": "connection_init" })).await;
            match socket.hear().await {
                Heard::Said(said) => assert!(works && said["type"] == "connection_ack", "{said}"),
                closed => assert!(!works && closed.code() == 4403, "{headers:?}"),
            }
        }
    }

    async fn a_client_says_who_it_is_first(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut socket = Socket::fresh(app).await;
        let ack = socket.init(&ada.token).await;
        let ends = app.now().plus(TimeDelta::seconds(600)).to_string();
        assert_eq!(ack, json!({ "type": "connection_ack", "payload": { "expiresAt": ends } }));

        let init = |token: &str| json!({ "type": "connection_init", "payload": { "token": token } });
        let subscribe = |id: &str| json!({ "type": "subscribe", "id": id, "payload": { "query": PUBLISHED } });
        let ping = json!({ "type": "ping", "payload": { "token": ada.token } });
        for (messages, code) in [
            (vec![subscribe("1")], 4401),
            (vec![ping], 4401),
            (vec![json!({ "type": "connection_init" })], 4403),
            (vec![init("")], 4403),
            (vec![init("nonsense")], 4403),
            (vec![init(&ada.token), init(&ada.token)], 4429),
            (vec![init(&ada.token), subscribe("1"), subscribe("1")], 4409),
            (vec![init(&ada.token), subscribe("")], 4400),
            (vec![init(&ada.token), json!({ "type": "start", "id": "1" })], 4400),
            (vec![init(&ada.token), json!({ "type": "subscribe", "id": "1", "payload": { "qurey": "{ a }" } })], 4400),
            (vec![json!([])], 4400),
        ] {
            let mut socket = Socket::fresh(app).await;
            for message in &messages {
                socket.say(message.clone()).await;
            }
            let closed = loop {
                let heard = socket.hear().await;
                if !matches!(heard, Heard::Said(_)) {
                    break heard;
                }
            };
            assert_eq!(closed.code(), code, "{messages:?}");
            assert!(matches!(socket.hear().await, Heard::Gone(_)));
        }
        drop(socket);
        nobody_looks_on(app).await;
    }

    async fn queries_are_answered_and_mutations_are_not(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut socket = Socket::of(app, &ada).await;
        let answer = socket.ask("1", NAME, json!({})).await;
        assert_eq!(answer, json!({ "type": "next", "id": "1", "payload": { "data": { "viewer": { "name": "Ada Moore" } } } }));
        assert_eq!(socket.said().await, json!({ "type": "complete", "id": "1" }));
        // The name is free again, and introspection is for members here as elsewhere.
        let answer = socket.ask("1", "{ __schema { subscriptionType { fields { name } } } }", json!({})).await;
        let fields = &answer["payload"]["data"]["__schema"]["subscriptionType"]["fields"];
        assert_eq!(fields[0], json!({ "name": "threadActivity" }), "{answer}");
        socket.said().await;

        let create = "mutation { createPost(input: { kind: IDEA, title: \"Tea\" }) { post { id } } }";
        let said = socket.ask("2", create, json!({})).await;
        assert_eq!((&said["type"], &said["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("BAD_REQUEST")), "{said}");
        let drafts = app.graphql(&ada.token, "{ viewer { drafts(first: 1) { totalCount } } }", json!({})).await;
        assert_eq!(drafts["data"]["viewer"]["drafts"]["totalCount"], 0);

        let elsewhere = app.graphql(&ada.token, "subscription { contributionPublished { title } }", json!({})).await;
        assert_eq!(elsewhere["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{elsewhere}");
    }

    async fn a_subscription_asks_for_one_thing(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut socket = Socket::of(app, &ada).await;
        for query in [
            "subscription { a: contributionPublished { title } b: contributionPublished { title } }",
            "subscription { __typename }",
            "subscription { ...f } fragment f on Subscription { contributionPublished { title } }",
            "subscription { nothing }",
            "subscription { contributionPublished { nothing } }",
            "subscription { contributionPublished(filter: { topicId: 1.5 }) { title } }",
            "subscription { threadActivity(threadId: \"$where\") { kind } }",
            "subscription {",
        ] {
            let said = socket.ask("1", query, json!({})).await;
            assert_eq!(said["type"], "error", "{query}: {said}");
            assert!(!said["payload"][0]["message"].as_str().unwrap().is_empty());
        }
        drop(socket);
        nobody_looks_on(app).await;
    }

    async fn a_socket_ends_with_its_token_unless_that_is_renewed(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        beside(app, |config| config.live.ping_seconds = 1, async |app| {
            let (ada, grace) = (app.sign_in_again(&ada), app.sign_in_again(&grace));
            let (mut kept, mut ended) = (Socket::of(app, &ada).await, Socket::of(app, &ada).await);
            let mut stolen = Socket::of(app, &ada).await;
            for socket in [&mut kept, &mut ended] {
                socket.subscribe("1", PUBLISHED, json!({})).await;
            }
            app.advance(TimeDelta::minutes(9));
            let renew = |token: &str| json!({ "type": "ping", "payload": { "token": token } });
            let fresh = app.sign_in_again(&ada);
            kept.say(renew(&fresh.token)).await;
            let ends = app.now().plus(TimeDelta::seconds(600)).to_string();
            assert_eq!(kept.said().await, json!({ "type": "pong", "payload": { "expiresAt": ends } }));
            // Nobody becomes somebody else.
            stolen.say(renew(&app.sign_in_again(&grace).token)).await;
            assert_eq!(stolen.hear().await.code(), 4403);

            app.advance(TimeDelta::minutes(2));
            assert_eq!(ended.hear().await.code(), 4403);
            question(app, &fresh).await;
            assert_eq!(kept.next("1").await["title"], "Do soft-close bins help?");
            drop(kept);
            nobody_looks_on(app).await;
        }).await;
    }

    async fn what_happens_after_the_token_ended_is_not_told(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let mut socket = Socket::of(app, &grace).await;
        socket.subscribe("1", PUBLISHED, json!({})).await;
        app.advance(TimeDelta::minutes(11));
        question(app, &app.sign_in_again(&ada)).await;
        assert_eq!(socket.hear().await.code(), 4403);
    }

    async fn stopping_says_goodbye_and_does_not_wait(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (_, thread) = question(app, &ada).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server::serve(app.app.clone(), listener, async move { stopped.await.unwrap_or_default() }));
        let connect = async || {
            let stream = TcpStream::connect(&address).await.unwrap();
            Socket::open_on(stream, &address, &[PROTOCOL]).await.unwrap()
        };
        let (mut silent, mut following) = (connect().await, connect().await);
        following.init(&ada.token).await;
        following.subscribe("1", THREAD, json!({ "id": thread })).await;
        let started = Instant::now();
        stop.send(()).unwrap();
        for socket in [&mut silent, &mut following] {
            assert_eq!(socket.hear().await.code(), 1012);
            assert!(matches!(socket.hear().await, Heard::Gone(_)));
        }
        serving.await.unwrap().unwrap();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        nobody_looks_on(app).await;
    }
}

#[tokio::test]
async fn a_process_that_is_told_to_stop_closes_its_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let settings = [
        ("HOPE_LISTEN", address.clone()),
        ("HOPE_STORE", format!("sqlite://{}", folder.path().join("hope.db").display())),
        ("HOPE_DATA", folder.path().join("data").display().to_string()),
        ("HOPE_MAIL", format!("dir://{}", folder.path().join("mail").display())),
        ("HOPE_LOG", "warn".to_owned()),
    ];
    let mut process = hope(&["serve"], &settings);
    crate::process::until("it listens", async || TcpStream::connect(&address).await.is_ok()).await;
    let stream = TcpStream::connect(&address).await.unwrap();
    let mut socket = Socket::open_on(stream, &address, &[PROTOCOL]).await.unwrap();
    let started = Instant::now();
    let (status, heard) = tokio::join!(terminate(&mut process), socket.hear());
    assert_eq!((heard.code(), status.success()), (1012, true));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
