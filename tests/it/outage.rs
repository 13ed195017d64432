//! The store goes away in the middle, and comes back.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    app::{Person, TestApp},
    processes::Mongod,
};

const ADD: &str =
    "mutation($id: ID!, $n: String!) { addComment(input: { threadId: $id, body: $n, clientMutationId: $n }) {
    comment { id } userErrors { code } } }";

/// A comment's id, or the code of why there is none, and how long the answer took.
async fn add(app: &TestApp, person: &Person, thread: &str, name: &str) -> (Result<String, String>, Duration) {
    let asked = Instant::now();
    let answer = app.graphql(&person.token, ADD, json!({ "id": thread, "n": name })).await;
    let id = answer["data"]["addComment"]["comment"]["id"].as_str().map(str::to_owned);
    let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned();
    (id.ok_or(code), asked.elapsed())
}

async fn ready(app: &TestApp) -> u16 {
    app.http.get(format!("{}/health/ready", app.url)).send().await.unwrap().status().as_u16()
}

/// Until then requests are refused in words, and in time; afterwards the service goes on by itself,
/// and a client that asks again for what it asked before gets it once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_mongod_is_told_of_and_recovered_from() {
    #[expect(clippy::disallowed_methods, reason = "how the tests are told of their mongod")]
    let program = match std::env::var("HOPE_TEST_MONGOD") {
        Ok(program) => program,
        Err(_) => {
            assert!(crate::app::mongodb().is_none(), "HOPE_TEST_MONGOD is not set");
            return;
        }
    };
    let mut mongod = Mongod::primary(&program).await;
    let uri = mongod.uri().replacen("/?", "/hope?", 1);
    let outcome = TestApp::run_at(&uri, tempfile::tempdir().unwrap(), |_| {}, async |app| {
        let ada = app.person("Ada Moore").await;
        let idea = json!({ "kind": "IDEA", "title": "Kept", "body": "x", "topicIds": ["top_volunteering"], "publish": true });
        let thread = app.create_post(&ada, idea).await.replacen("pst", "thr", 1);
        let before = add(app, &ada, &thread, "before").await.0.unwrap();
        assert_eq!(ready(app).await, 200);

        mongod.kill();
        for _ in 0..3 {
            let (refused, took) = add(app, &ada, &thread, "meanwhile").await;
            assert_eq!(refused, Err("UNAVAILABLE".to_owned()));
            assert!(took < Duration::from_secs(3), "{took:?}");
        }
        assert_eq!(ready(app).await, 503);

        mongod.restart();
        let back = Instant::now();
        let meanwhile = loop {
            if let (Ok(id), _) = add(app, &ada, &thread, "meanwhile").await {
                break id;
            }
            assert!(back.elapsed() < Duration::from_secs(20), "it did not come back");
        };
        assert_eq!(add(app, &ada, &thread, "meanwhile").await.0, Ok(meanwhile));
        assert_eq!(add(app, &ada, &thread, "before").await.0, Ok(before));
        let count = "query($id: ID!) { node(id: $id) { ... on Thread { commentCount comments { totalCount } } } }";
        let found = app.graphql(&ada.token, count, json!({ "id": thread })).await;
        assert_eq!(found["data"]["node"], json!({ "commentCount": 2, "comments": { "totalCount": 2 } }));
        assert_eq!(ready(app).await, 200);
    })
    .await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
