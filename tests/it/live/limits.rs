//! What one client may take from the others: little.

use std::time::Instant;

use futures_util::SinkExt;
use hope_exchange::{
    config::{Config, Switch},
    domain::member::Role,
};
use serde_json::json;
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::Message;

use super::{Heard, PUBLISHED, Socket, THREAD, beside, comment, nobody_looks_on, question};
use crate::{
    app::{On, TestApp},
    on_both_stores,
    process::until,
};

/// On a socket on which nothing happens; others learn it with the next that is told.
async fn whoever_is_signed_out_or_suspended_is_cut_off(on: On) {
    let often = |config: &mut Config| config.live.look_seconds = 1;
    TestApp::run_with(on, often, async |app| {
        let (ada, grace, mary) =
            (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Moderator).await;
        let (mut ended, mut suspended, mut stays) =
            (Socket::of(app, &ada).await, Socket::of(app, &grace).await, Socket::of(app, &mary).await);
        for socket in [&mut ended, &mut suspended, &mut stays] {
            socket.subscribe("1", PUBLISHED, json!({})).await;
        }
        let gone = app.mutate(&ada, "signOutEverywhere", &json!({}), "").await;
        assert_eq!(gone["userErrors"], json!([]), "{gone}");
        let started = Instant::now();
        assert_eq!(ended.hear().await.code(), 4403);
        let act = json!({ "memberId": grace.id, "reason": "Rude to colleagues" });
        assert_eq!(app.mutate(&mary, "suspendMember", &act, "").await["userErrors"], json!([]));
        assert_eq!(suspended.hear().await.code(), 4403);
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
        stays.say(json!({ "type": "ping" })).await;
        assert_eq!(stays.said().await, json!({ "type": "pong" }));
    })
    .await;
    assert!(Config::defaults().live.look_seconds <= 60, "what is promised");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_on_sqlite() {
    whoever_is_signed_out_or_suspended_is_cut_off(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_off_on_mongodb() {
    whoever_is_signed_out_or_suspended_is_cut_off(On::Mongo).await;
}

on_both_stores! {
    async fn a_member_has_five_sockets_and_twenty_subscriptions(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let mut sockets = Vec::new();
        for _ in 0..5 {
            sockets.push(Socket::of(app, &ada).await);
        }
        let mut sixth = Socket::fresh(app).await;
        sixth.say(json!({ "type": "connection_init", "payload": { "token": ada.token } })).await;
        assert_eq!(sixth.hear().await.code(), 4429);
        let mut hers = Socket::of(app, &grace).await;
        hers.subscribe("1", PUBLISHED, json!({})).await;

        for number in 0..20 {
            sockets[number % 5].subscribe(&format!("{number}"), PUBLISHED, json!({})).await;
        }
        let refused = sockets[0].ask("more", PUBLISHED, json!({})).await;
        assert_eq!((&refused["type"], &refused["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("RATE_LIMITED")));
        // What is given back can be taken again, by socket and by subscription.
        sockets[0].say(json!({ "type": "complete", "id": "0" })).await;
        until("it is given back", async || app.app.live().subscriptions().taken() == 20).await;
        sockets[0].subscribe("more", PUBLISHED, json!({})).await;
        drop(sockets.pop());
        until("it is given back", async || app.app.live().sockets().taken() == 5).await;
        sockets.push(Socket::of(app, &ada).await);

        drop((sockets, hers));
        nobody_looks_on(app).await;
    }

    async fn what_asks_for_too_much_is_refused(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut socket = Socket::of(app, &ada).await;
        let published = |inner: &str| format!("subscription {{ contributionPublished {{ {inner} }} }}");
        let deep = published(&format!("{} id {}", "author { organisation { ".repeat(8), "} }".repeat(8)));
        let nested = format!("subscription {{ contributionPublished(filter: {}", "[".repeat(1_500));
        let wide = published("thread { comments(first: 100) { nodes { author { name } thread { locked } organisation { name } } } }");
        let aliases = published(&(0..20).map(|n| format!("a{n}: title ")).collect::<String>());
        let doubling: String = (0..30).map(|n| format!("fragment f{n} on Contribution {{ ...f{m} ...f{m} }} ", m = n + 1)).collect();
        let doubling = format!("{} {doubling} fragment f30 on Contribution {{ id title }}", published("...f0"));
        for query in [deep, nested, wide, aliases, doubling] {
            let started = Instant::now();
            let refused = socket.ask("1", &query, json!({})).await;
            assert_eq!(refused["payload"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX", "{refused}");
            assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
        }
        let long = json!({ "type": "ping", "payload": { "long": "x".repeat(70_000) } });
        socket.say(long).await;
        assert_eq!(socket.hear().await.code(), 1009);
        let mut socket = Socket::of(app, &ada).await;
        socket.0.send(Message::text("x".repeat(2_000_000))).await.ok();
        assert!(matches!(socket.hear().await, Heard::Closed(1009, _) | Heard::Gone(_)));
        let mut socket = Socket::of(app, &ada).await;
        socket.0.send(Message::binary(b"{\"type\":\"ping\"}".to_vec())).await.unwrap();
        assert_eq!(socket.hear().await.code(), 4400);
        nobody_looks_on(app).await;
    }

    async fn who_does_not_say_who_they_are_is_sent_away(app: &TestApp) {
        beside(app, |config| config.live.init_seconds = 1, async |app| {
            let ada = app.person("Ada Moore").await;
            let (mut silent, mut chatty) = (Socket::fresh(app).await, Socket::fresh(app).await);
            let mut member = Socket::of(app, &ada).await;
            let started = Instant::now();
            // Talking is not enough.
            chatty.say(json!({ "type": "ping" })).await;
            assert_eq!(chatty.said().await, json!({ "type": "pong" }));
            for socket in [&mut silent, &mut chatty] {
                assert_eq!(socket.hear().await.code(), 4408);
            }
            assert!((500..4_000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
            member.say(json!({ "type": "ping" })).await;
            assert_eq!(member.said().await, json!({ "type": "pong" }));
        }).await;
    }

    async fn who_does_not_answer_is_dropped_and_who_does_stays(app: &TestApp) {
        let quick = |config: &mut Config| (config.live.ping_seconds, config.live.answer_seconds) = (1, 1);
        beside(app, quick, async |app| {
            let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
            // A client answers pings while it reads. This one does not read.
            let mut dead = Socket::of(app, &ada).await;
            let mut alive = Socket::of(app, &grace).await;
            alive.subscribe("1", PUBLISHED, json!({})).await;
            let reading = async { alive.next("1").await };
            let dropped = async {
                until("the silent one is dropped", async || app.app.live().sockets().taken() == 1).await;
                question(app, &ada).await
            };
            let (told, _) = tokio::join!(reading, dropped);
            assert_eq!(told["title"], "Do soft-close bins help?");
            assert_eq!(dead.hear().await.code(), 1001);
        }).await;
    }

    /// Whoever takes nothing is not buffered for: they are dropped, and nobody else notices.
    async fn a_slow_client_is_dropped(app: &TestApp) {
        beside(app, |config| config.live.answer_seconds = 1, async |app| {
            let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
            let (_, thread) = question(app, &ada).await;
            let narrow = TcpSocket::new_v4().unwrap();
            narrow.set_recv_buffer_size(4_096).unwrap();
            let address = app.url.trim_start_matches("http://");
            let stream = narrow.connect(address.parse().unwrap()).await.unwrap();
            let mut slow = Socket::open_on(stream, address, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap();
            slow.init(&grace.token).await;
            let much: String = (0..12).map(|n| format!("a{n}: body {{ markdown html text }} ")).collect();
            let much = format!("subscription($id: ID!) {{ threadActivity(threadId: $id) {{ comment {{ {much} }} }} }}");
            for number in 0..20 {
                slow.subscribe(&format!("{number}"), &much, json!({ "id": thread })).await;
            }
            let mut quick = Socket::of(app, &ada).await;
            quick.subscribe("1", THREAD, json!({ "id": thread })).await;
            let long = "All quiet on the ward. ".repeat(200);
            let mut comments = 0;
            while app.app.live().sockets().taken() == 2 {
                assert!(comments < 100, "it takes {comments} comments, 3 MB each, and is not dropped");
                let id = comment(app, &ada, &thread, &long).await;
                assert_eq!(quick.next("1").await["comment"]["id"], json!(id));
                comments += 1;
            }
            until("its subscriptions end", async || app.app.live().listeners() == 1).await;
            // It is told why, if it goes on to read after all.
            let last = loop {
                match slow.hear().await {
                    Heard::Said(_) => {}
                    end => break end,
                }
            };
            assert!(matches!(last, Heard::Gone(_) | Heard::Closed(1013, _)), "{last:?}");
            quick.say(json!({ "type": "ping" })).await;
            assert_eq!(quick.said().await, json!({ "type": "pong" }));
        }).await;
    }

    /// Each thing told costs what a request for it costs.
    async fn what_is_told_is_paid_for(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let limited = |config: &mut Config| {
            (config.limits.rate, config.limits.points_per_minute) = (Switch::On, 4);
        };
        beside(app, limited, async |other| {
            let mut socket = Socket::of(other, &other.sign_in_again(&grace)).await;
            let query = "subscription { contributionPublished { title } }";
            socket.subscribe("1", query, json!({})).await;
            socket.subscribe("2", query, json!({})).await;
            question(app, &ada).await;
            for _ in 0..2 {
                assert_eq!(socket.said().await["type"], "next");
            }
            question(app, &ada).await;
            for _ in 0..2 {
                let said = socket.said().await;
                assert_eq!((&said["type"], &said["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("RATE_LIMITED")), "{said}");
            }
            // The socket stays, and there are points again in the next minute.
            other.advance(chrono::TimeDelta::minutes(1));
            socket.subscribe("1", query, json!({})).await;
        }).await;
    }
}
