//! Sockets of programs, which show a token in place of a session's.

use chrono::TimeDelta;
use hope_exchange::domain::permission::Scope;
use serde_json::{Value as Json, json};

use super::{Heard, PUBLISHED, Socket, THREAD, comment, question};
use crate::on_both_stores;

on_both_stores! {
    async fn a_token_opens_a_socket_as_far_as_its_scopes_go(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (_, thread) = question(app, &ada).await;
        let token = app.token(&grace, &[Scope::PostsRead, Scope::ThreadsRead]).await;
        let mut socket = Socket::fresh(app).await;
        let acknowledged = socket.init(&token.token).await;
        let end = app.now().plus(TimeDelta::days(60)).to_string();
        assert_eq!(acknowledged, json!({ "type": "connection_ack", "payload": { "expiresAt": end } }));
        socket.subscribe("1", THREAD, json!({ "id": thread })).await;
        comment(app, &ada, &thread, "They do.").await;
        assert_eq!(socket.next("1").await["comment"]["body"]["text"], "They do.");

        let refused = socket.ask("2", "subscription { notificationReceived { id } }", json!({})).await;
        assert_eq!((&refused["type"], &refused["payload"][0]["message"]), (&json!("error"), &json!("This token needs the scope account:read.")));
        let refused = socket.ask("3", "{ viewer { email } }", json!({})).await;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "FORBIDDEN");
        let only = app.token(&grace, &[Scope::AccountRead]).await;
        for query in [THREAD, PUBLISHED] {
            let mut socket = Socket::of(app, &only).await;
            let refused = socket.ask("1", query, json!({ "id": thread })).await;
            assert_eq!((&refused["type"], &refused["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("FORBIDDEN")));
        }
    }

    async fn a_socket_ends_with_its_token(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (_, thread) = question(app, &ada).await;
        let input = json!({ "name": "Live", "scopes": ["POSTS_READ", "THREADS_READ"], "expiresAt": app.now().plus(TimeDelta::days(1)).to_string() });
        let made = app.mutate(&grace, "createAccessToken", &input, "secret accessToken { id }").await;
        let secret = made["secret"].as_str().unwrap();
        let mut socket = Socket::fresh(app).await;
        assert_eq!(socket.init(secret).await["type"], "connection_ack");
        socket.subscribe("1", THREAD, json!({ "id": thread })).await;
        app.mutate(&grace, "revokeAccessToken", &json!({ "id": made["accessToken"]["id"] }), "").await;
        comment(app, &ada, &thread, "They do.").await;
        assert_eq!(socket.hear().await.code(), 4403);
        for wrong in [secret, "hope_pat_x"] {
            let mut socket = Socket::fresh(app).await;
            socket.say(json!({ "type": "connection_init", "payload": { "token": wrong } })).await;
            assert!(matches!(socket.hear().await, Heard::Closed(4403, _)));
        }
        let nothing: Json = app.graphql(secret, "{ viewer { name } }", json!({})).await;
        assert_eq!(nothing["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
}
