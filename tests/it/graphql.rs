//! GraphQL over HTTP: what is taken in, and what is refused.

use hope_exchange::{
    actions::access::{Credential, SignedIn, Viewer},
    domain::{member::Member, post::Post},
    graphql::loaders::Loaders,
    ids::Id,
};
use serde_json::{Value as Json, json};

use crate::{app::TestApp, on_both_stores};

async fn send(
    app: &TestApp,
    token: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> (u16, String) {
    let mut request = app.http.post(format!("{}/graphql", app.url)).bearer_auth(token).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn code(body: &str) -> Json {
    serde_json::from_str::<Json>(body).unwrap_or_else(|_| panic!("{body}"))["errors"][0]["extensions"]["code"]
        .clone()
}

on_both_stores! {
    async fn only_json_by_post_from_members_is_served(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let json_type = [("content-type", "application/json; charset=utf-8")];
        let query = r#"{"query":"{ viewer { name } }"}"#;
        assert_eq!(send(app, &ada.token, &json_type, query).await, (200, r#"{"data":{"viewer":{"name":"Ada Moore"}}}"#.to_owned()));
        for (headers, body, status, expected) in [
            (vec![("content-type", "text/plain")], query, 415, "UNSUPPORTED_MEDIA_TYPE"),
            (vec![("content-type", "application/x-www-form-urlencoded")], "query={viewer{name}}", 415, "UNSUPPORTED_MEDIA_TYPE"),
            (vec![], query, 415, "UNSUPPORTED_MEDIA_TYPE"),
            (json_type.to_vec(), "{\"query\":", 400, "BAD_REQUEST"),
            (json_type.to_vec(), "[{\"query\":\"{ viewer { name } }\"}]", 400, "BAD_REQUEST"),
            (json_type.to_vec(), "{\"query\":\"{ viewer { name } }\",\"qurey\":1}", 400, "BAD_REQUEST"),
            (json_type.to_vec(), "{\"query\":\"{ viewer { name\"}", 400, "BAD_REQUEST"),
            (json_type.to_vec(), "{\"query\":\"query a { viewer { id } } query b { viewer { id } }\"}", 400, "BAD_REQUEST"),
        ] {
            let (got, text) = send(app, &ada.token, &headers, body).await;
            assert_eq!((got, code(&text)), (status, json!(expected)), "{body}: {text}");
        }
        let (status, text) = send(app, &ada.token, &json_type, vec![0xff, 0xfe, b'{']).await;
        assert_eq!((status, code(&text)), (400, json!("BAD_REQUEST")));
        let (status, text) = send(app, &ada.token, &json_type, format!("{{\"query\":\"{}\"}}", " ".repeat(70_000))).await;
        assert_eq!((status, code(&text)), (413, json!("TOO_LARGE")));
        for token in ["", "nonsense", "mbr_none"] {
            let (status, text) = send(app, token, &json_type, query).await;
            assert_eq!((status, code(&text)), (401, json!("UNAUTHENTICATED")), "{token}");
        }
        let get = app.http.get(format!("{}/graphql?query={{viewer{{name}}}}", app.url)).bearer_auth(&ada.token).send().await.unwrap();
        assert_eq!((get.status().as_u16(), get.headers()["allow"].to_str().unwrap()), (405, "GET, POST"));
    }

    async fn graphql_over_http_statuses_follow_the_media_type(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let newer = [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
        let older = [("content-type", "application/json"), ("accept", "application/json")];
        let invalid = r#"{"query":"{ nothing }"}"#;
        assert_eq!(send(app, &ada.token, &newer, invalid).await.0, 400);
        assert_eq!(send(app, &ada.token, &older, invalid).await.0, 200);
        assert_eq!(send(app, &ada.token, &newer, r#"{"query":"{ viewer { name } }"}"#).await.0, 200);
    }

    async fn queries_that_ask_for_too_much_are_refused(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let deep = format!("{{ {} id {} }}", "node(id: \"x\") { ".repeat(15), "}".repeat(15));
        let nested = format!("{{ node(id: {}", "[".repeat(1_500));
        let wide = "{ feed(first: 100) { nodes { author { name } topics { name } organisation { name } } } }".to_owned();
        let aliases = format!("{{ {} }}", (0..20).map(|n| format!("a{n}: viewer {{ id }} ")).collect::<String>());
        for query in [deep, nested, wide, aliases] {
            let answer = app.graphql(&ada.token, &query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX", "{answer}");
        }
    }

    async fn a_fetch_that_is_given_up_is_taken_over(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let member = app.app.store.one(&Id::<Member>::parse(&ada.id).unwrap()).await.unwrap().unwrap();
        let post = app.create_post(&ada, json!({"kind": "IDEA", "title": "Ward welcome cards"})).await;
        let post = Id::<Post>::parse(&post).unwrap();
        // Given up while others are still to ask, and in the middle of the fetch.
        for polls in 1..6 {
            let signed_in = SignedIn { session: Id::of("1"), factor_at: None, strong: true };
            let viewer = Viewer::proven(&app.app, member.clone(), Credential::Session(signed_in)).unwrap();
            let loaders = Loaders::new(app.app.clone(), &viewer);
            let mut given_up = Box::pin(loaders.post(&post));
            let mut waiting = Box::pin(loaders.post(&post));
            let gone = async {
                for _ in 0..polls {
                    if futures_util::poll!(&mut given_up).is_ready() {
                        break;
                    }
                    let _ = futures_util::poll!(&mut waiting);
                    tokio::task::yield_now().await;
                }
                drop(given_up);
            };
            gone.await;
            let found = tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await;
            assert!(found.expect("somebody fetches it").unwrap().is_some(), "after {polls} polls");
        }
    }

    async fn members_can_introspect(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let answer = app.graphql(&ada.token, "{ __schema { queryType { fields { name type { name ofType { name ofType { name } } } } } } }", json!({})).await;
        let fields = answer["data"]["__schema"]["queryType"]["fields"].as_array().unwrap();
        for name in ["viewer", "node", "nodes", "feed", "posts", "topics"] {
            assert!(fields.iter().any(|field| field["name"] == name), "{name}");
        }
    }

    async fn graphiql_is_a_page_of_our_own(app: &TestApp) {
        let page = app.http.get(format!("{}/graphql", app.url)).header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.status(), 200);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        let html = page.text().await.unwrap();
        assert!(!html.contains("http://") && !html.contains("https://"), "everything comes from here");
        for part in html.split('"').filter(|part| part.starts_with("/assets/")) {
            let asset = app.http.get(format!("{}{part}", app.url)).send().await.unwrap();
            assert_eq!(asset.status(), 200, "{part}");
        }
    }
}

mod in_no_time {
    use std::{future::pending, time::Duration};

    use hope_exchange::{error::Code, graphql::call::in_time};

    use crate::on_both_stores;

    on_both_stores! {
        with |config| config.limits.query_seconds = 0;

        async fn a_query_that_takes_too_long_is_given_up(app: &TestApp) {
            let waiting = in_time(&app.app, pending::<()>());
            let error = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap_err();
            assert_eq!(error.code(), Code::QueryTooComplex);
            assert_eq!(error.public_message(), "The query took longer than 0 seconds. Ask for less at once.");
        }
    }
}
