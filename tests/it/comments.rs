//! Threads and comments through GraphQL.

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    on_both_stores,
};

const ADD: &str = "mutation($input: AddCommentInput!) { addComment(input: $input) {
    comment { id depth version parent { id } body { text } thread { commentCount } }
    userErrors { field code } } }";
const THREAD: &str = "query($id: ID!, $first: Int = 20, $after: String) { node(id: $id) { ... on Thread {
    commentCount lastActivityAt comments(first: $first, after: $after) {
      totalCount pageInfo { endCursor hasNextPage }
      nodes { id depth deleted body { text } author { name } organisation { name } viewerCanEdit } } } } }";

async fn thread(app: &TestApp, person: &Person) -> String {
    let post = json!({ "kind": "IDEA", "title": "Something to discuss", "body": "x", "topicIds": ["top_volunteering"], "publish": true });
    app.create_post(person, post).await.replacen("pst", "thr", 1)
}

async fn add(app: &TestApp, person: &Person, thread: &str, parent: Option<&str>, body: &str) -> Json {
    let input = json!({ "input": { "threadId": thread, "parentId": parent, "body": body } });
    app.graphql(&person.token, ADD, input).await
}

async fn added(app: &TestApp, person: &Person, thread: &str, parent: Option<&str>, body: &str) -> String {
    let answer = add(app, person, thread, parent, body).await;
    answer["data"]["addComment"]["comment"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

on_both_stores! {
    async fn a_thread_reads_in_order_and_nests_four_deep(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let thread = thread(app, &ada).await;
        let first = added(app, &grace, &thread, None, "first").await;
        app.advance(TimeDelta::minutes(1));
        let second = added(app, &ada, &thread, None, "second").await;
        let mut parent = first.clone();
        for text in ["a", "aa", "aaa", "aaaa", "beside aaaa"] {
            app.advance(TimeDelta::minutes(1));
            parent = added(app, &grace, &thread, Some(&parent), text).await;
        }
        let answer = app.graphql(&ada.token, THREAD, json!({ "id": thread })).await;
        let found = &answer["data"]["node"];
        let read: Vec<(String, i64)> = found["comments"]["nodes"].as_array().unwrap().iter()
            .map(|comment| (comment["body"]["text"].as_str().unwrap().to_owned(), comment["depth"].as_i64().unwrap())).collect();
        let expected = [("first", 0), ("a", 1), ("aa", 2), ("aaa", 3), ("aaaa", 4), ("beside aaaa", 4), ("second", 0)];
        assert_eq!(read, expected.map(|(text, depth)| (text.to_owned(), depth)));
        assert_eq!(found["commentCount"], 7);
        assert_eq!(found["lastActivityAt"], app.now().to_string());

        let replies = app.graphql(&ada.token, "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Comment { replies(first: 5) { nodes { body { text } } } } } }",
            json!({ "ids": [first, second] })).await;
        assert_eq!(replies["data"]["nodes"], json!([{ "replies": { "nodes": [{ "body": { "text": "a" } }] } }, { "replies": { "nodes": [] } }]));
    }

    async fn problems_of_a_comment_are_told_by_field(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (thread, other) = (thread(app, &ada).await, thread(app, &ada).await);
        let elsewhere = added(app, &ada, &other, None, "elsewhere").await;
        for (parent, body, field, code) in [
            (None, " \n", "body", "REQUIRED"),
            (None, "x".repeat(5_001).as_str(), "body", "TOO_LONG"),
            (Some(elsewhere.as_str()), "x", "parentId", "UNKNOWN"),
            (Some("nonsense"), "x", "parentId", "UNKNOWN"),
        ] {
            let answer = add(app, &ada, &thread, parent, body).await;
            assert_eq!(answer["data"]["addComment"]["userErrors"], json!([{ "field": [field], "code": code }]));
        }
        let missing = add(app, &ada, "thr_none", None, "x").await;
        assert_eq!(missing["errors"][0]["extensions"]["code"], "NOT_FOUND");
    }

    async fn comments_are_edited_and_deleted_by_their_author(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let thread = thread(app, &ada).await;
        let id = added(app, &grace, &thread, None, "befor").await;
        added(app, &ada, &thread, Some(&id), "an answer").await;
        let update = "mutation($input: UpdateCommentInput!) { updateComment(input: $input) { comment { version body { text } } userErrors { code } } }";
        let input = json!({ "input": { "id": id, "expectedVersion": 1, "body": "before" } });
        let foreign = app.graphql(&ada.token, update, input.clone()).await;
        assert_eq!(foreign["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let changed = app.graphql(&grace.token, update, input.clone()).await;
        assert_eq!(changed["data"]["updateComment"]["comment"], json!({ "version": 2, "body": { "text": "before" } }));
        let stale = app.graphql(&grace.token, update, input).await;
        assert_eq!(stale["data"]["updateComment"], json!({ "comment": { "version": 2, "body": { "text": "before" } }, "userErrors": [{ "code": "STALE" }] }));

        let delete = "mutation($input: DeleteCommentInput!) { deleteComment(input: $input) { comment { deleted body { text } } userErrors { code } } }";
        let deleted = app.graphql(&grace.token, delete, json!({ "input": { "id": id } })).await;
        assert_eq!(deleted["data"]["deleteComment"]["comment"], json!({ "deleted": true, "body": null }));
        let left = app.graphql(&ada.token, THREAD, json!({ "id": thread })).await;
        let nodes = &left["data"]["node"]["comments"]["nodes"];
        assert_eq!((&nodes[0]["deleted"], &nodes[1]["body"]["text"]), (&json!(true), &json!("an answer")));
        assert_eq!(left["data"]["node"]["commentCount"], 1);
        let again = app.graphql(&grace.token, delete, json!({ "input": { "id": id } })).await;
        assert_eq!(again["errors"][0]["extensions"]["code"], "NOT_FOUND");
    }

    /// As many of each member as are served at once.
    async fn many_at_once_are_all_counted(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let thread = thread(app, &ada).await;
        let mut people = vec![ada.clone()];
        for number in 1..10 {
            people.push(app.person(&format!("Member {number}")).await);
        }
        let all = (0..40).map(|number| added(app, &people[number % 10], &thread, None, "And another thing"));
        let ids: std::collections::HashSet<String> = futures_util::future::join_all(all).await.into_iter().collect();
        assert_eq!(ids.len(), 40);
        let answer = app.graphql(&ada.token, THREAD, json!({ "id": thread, "first": 50 })).await;
        assert_eq!(answer["data"]["node"]["commentCount"], 40);
        assert_eq!(answer["data"]["node"]["comments"]["nodes"].as_array().unwrap().len(), 40);
    }

    async fn a_thread_page_costs_the_same_calls_whatever_is_on_it(app: &TestApp) {
        let people = [app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await];
        let thread = thread(app, &people[0]).await;
        let calls = async || {
            // Again and again: the number hangs on the query, and on no race.
            let mut counts = std::collections::BTreeSet::new();
            for _ in 0..30 {
                let before = app.app.store.calls();
                let answer = app.graphql(&people[0].token, THREAD, json!({ "id": thread })).await;
                assert_eq!(answer["errors"], Json::Null, "{answer}");
                counts.insert(app.app.store.calls() - before);
            }
            assert_eq!(counts.len(), 1, "{counts:?}");
            counts.pop_first().unwrap()
        };
        added(app, &people[1], &thread, None, "one").await;
        let few = calls().await;
        for n in 0..25 {
            added(app, &people[n % 3], &thread, None, "more").await;
        }
        let many = calls().await;
        // The viewer, the thread, its subject, the comments, their count, authors, organisations.
        assert!(few <= 7 && many <= 7, "{few} {many}");
    }

    async fn a_read_mark_is_kept_and_moved(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let thread = thread(app, &ada).await;
        let mark = "mutation($input: MarkReadInput!) { markRead(input: $input) { thread { id } userErrors { code } } }";
        let marks = (0..5).map(|_| app.graphql(&grace.token, mark, json!({ "input": { "threadId": thread } })));
        for answer in futures_util::future::join_all(marks).await {
            assert_eq!(answer["data"]["markRead"], json!({ "thread": { "id": thread }, "userErrors": [] }));
        }
        let missing = app.graphql(&grace.token, mark, json!({ "input": { "threadId": "thr_none" } })).await;
        assert_eq!(missing["errors"][0]["extensions"]["code"], "NOT_FOUND");
    }
}
