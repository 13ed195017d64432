//! Posts through GraphQL.

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use crate::{app::TestApp, on_both_stores};

const CREATE: &str = "mutation($input: CreatePostInput!) { createPost(input: $input) {
    post { id version state title body { markdown html text } topics { id } publishedAt }
    userErrors { field message code } clientMutationId } }";
const UPDATE: &str = "mutation($input: UpdatePostInput!) { updatePost(input: $input) {
    post { id version title } userErrors { field code } } }";
const FEED: &str = "query($first: Int, $after: String, $last: Int, $before: String) {
    feed(first: $first, after: $after, last: $last, before: $before) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { title } edges { cursor node { id } } } }";

fn idea(title: &str) -> Json {
    json!({ "kind": "IDEA", "title": title, "body": "Something **useful**.", "topicIds": ["top_volunteering"], "publish": true })
}

async fn titles(app: &TestApp, token: &str, variables: Json) -> (Vec<String>, Json) {
    let answer = app.graphql(token, FEED, variables).await;
    let feed = answer["data"]["feed"].clone();
    let nodes = feed["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    (nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect(), feed)
}

on_both_stores! {
    async fn a_post_is_written_and_read(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let answer = app.graphql(&ada.token, CREATE, json!({ "input": {
            "kind": "QUESTION", "title": "  How do you close\u{200B} the loop? ", "body": "With *ward* boards?\n\n<script>x</script>",
            "topicIds": ["top_friends-and-family-test", "top_friends-and-family-test"], "publish": true, "clientMutationId": "one"
        }})).await;
        let payload = &answer["data"]["createPost"];
        assert_eq!(payload["userErrors"], json!([]), "{answer}");
        assert_eq!(payload["clientMutationId"], "one");
        let post = &payload["post"];
        assert_eq!(post["title"], "How do you close the loop?");
        assert_eq!(post["body"]["html"].as_str().unwrap().trim(), "<p>With <em>ward</em> boards?</p>");
        assert_eq!(post["topics"], json!([{ "id": "top_friends-and-family-test" }]));
        assert_eq!(post["publishedAt"], app.now().to_string());

        let grace = app.person("Grace Hill").await;
        let seen = app.graphql(&grace.token, "query($id: ID!) { node(id: $id) { __typename id ... on Post {
            title kind url summary author { name } organisation { name region { name } } viewerCanEdit version
            thread { commentCount locked subject { id title } } } } }", json!({ "id": post["id"] })).await;
        let node = &seen["data"]["node"];
        assert_eq!(node["__typename"], "Post");
        assert_eq!(node["author"]["name"], "Ada Moore");
        assert_eq!(node["summary"], "With ward boards?");
        assert_eq!(node["viewerCanEdit"], false);
        assert_eq!(node["thread"], json!({ "commentCount": 0, "locked": false, "subject": { "id": post["id"], "title": post["title"] } }));
        assert_eq!(node["url"], format!("{}/posts/{}", app.url, post["id"].as_str().unwrap()));
    }

    async fn all_problems_come_at_once_with_their_fields(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let answer = app.graphql(&ada.token, CREATE, json!({ "input": {
            "kind": "IDEA", "title": "x".repeat(101), "body": " ", "topicIds": ["top_nonsense", "$where"], "publish": true
        }})).await;
        let payload = &answer["data"]["createPost"];
        assert_eq!(payload["post"], Json::Null);
        let errors: Vec<(String, String)> = payload["userErrors"].as_array().unwrap().iter()
            .map(|error| (error["field"].to_string(), error["code"].as_str().unwrap().to_owned())).collect();
        let expected = [(r#"["title"]"#, "TOO_LONG"), (r#"["body"]"#, "REQUIRED"), (r#"["topicIds","1"]"#, "UNKNOWN"), (r#"["topicIds","0"]"#, "UNKNOWN")];
        assert_eq!(errors, expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    }

    async fn a_draft_is_its_authors_alone_until_it_is_published(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let answer = app.graphql(&ada.token, CREATE, json!({ "input": { "kind": "UPDATE", "title": "Only a title" } })).await;
        let post = answer["data"]["createPost"]["post"].clone();
        assert_eq!(post["state"], "DRAFT");
        let read = "query($id: ID!) { node(id: $id) { id } viewer { drafts(first: 5) { totalCount nodes { id } } } }";
        let hidden = app.graphql(&grace.token, read, json!({ "id": post["id"] })).await;
        assert_eq!(hidden["data"], json!({ "node": null, "viewer": { "drafts": { "totalCount": 0, "nodes": [] } } }));
        let own = app.graphql(&ada.token, read, json!({ "id": post["id"] })).await;
        assert_eq!(own["data"]["viewer"]["drafts"]["nodes"][0]["id"], post["id"]);

        let publish = "mutation($input: PublishPostInput!) { publishPost(input: $input) { post { state version } userErrors { field code } } }";
        let refused = app.graphql(&ada.token, publish, json!({ "input": { "id": post["id"] } })).await;
        let fields: Vec<&Json> = refused["data"]["publishPost"]["userErrors"].as_array().unwrap().iter().map(|error| &error["field"][0]).collect();
        assert_eq!(fields, ["body", "topicIds"]);
        app.graphql(&ada.token, UPDATE, json!({ "input": { "id": post["id"], "expectedVersion": 1, "body": "Now complete.", "topicIds": ["top_volunteering"] } })).await;
        let published = app.graphql(&ada.token, publish, json!({ "input": { "id": post["id"], "expectedVersion": 2 } })).await;
        assert_eq!(published["data"]["publishPost"]["post"], json!({ "state": "PUBLISHED", "version": 3 }), "{published}");
        assert_eq!(titles(app, &grace.token, json!({})).await.0, ["Only a title"]);
    }

    async fn a_stale_edit_changes_nothing_and_shows_what_won(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = app.create_post(&ada, idea("First title")).await;
        let edit = |title: &str| json!({ "input": { "id": id, "expectedVersion": 1, "title": title } });
        let edits = (0..50).map(|n| { let variables = edit(&format!("Title {n}")); let token = ada.token.clone(); async move {
            app.graphql(&token, UPDATE, variables).await["data"]["updatePost"].clone()
        } });
        let outcomes = futures_util::future::join_all(edits).await;
        let won: Vec<&Json> = outcomes.iter().filter(|outcome| outcome["userErrors"] == json!([])).collect();
        assert_eq!(won.len(), 1);
        for stale in outcomes.iter().filter(|outcome| outcome["userErrors"] != json!([])) {
            assert_eq!(stale["userErrors"][0], json!({ "field": ["expectedVersion"], "code": "STALE" }));
            assert_eq!(stale["post"], won[0]["post"]);
        }
    }

    async fn the_same_mutation_twenty_times_does_it_once(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let input = json!({ "input": { "kind": "IDEA", "title": "Once", "body": "x", "topicIds": ["top_volunteering"], "publish": true, "clientMutationId": "abc" } });
        let requests = (0..20).map(|_| app.graphql(&ada.token, CREATE, input.clone()));
        let answers = futures_util::future::join_all(requests).await;
        let ids: std::collections::HashSet<String> = answers.iter().map(|answer| answer["data"]["createPost"]["post"]["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{answers:?}");
        assert_eq!(titles(app, &ada.token, json!({})).await.1["totalCount"], 1);

        let mut other = input.clone();
        other["input"]["title"] = json!("Twice");
        let refused = app.graphql(&ada.token, CREATE, other.clone()).await;
        assert_eq!(refused["data"]["createPost"]["userErrors"][0]["code"], "MUTATION_ID_REUSED");
        app.advance(TimeDelta::hours(25));
        let ada = app.sign_in_again(&ada);
        let later = app.graphql(&ada.token, CREATE, other).await;
        assert_eq!(later["data"]["createPost"]["userErrors"], json!([]));
    }

    async fn what_is_left_of_a_deleted_post_is_a_tombstone(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = app.create_post(&ada, idea("Soon gone")).await;
        let delete = "mutation($input: DeletePostInput!) { deletePost(input: $input) { deletedPostId userErrors { code } } }";
        let forbidden = app.graphql(&grace.token, delete, json!({ "input": { "id": id } })).await;
        assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let deleted = app.graphql(&ada.token, delete, json!({ "input": { "id": id } })).await;
        assert_eq!(deleted["data"]["deletePost"]["deletedPostId"], json!(id));
        let thread = id.replacen("pst", "thr", 1);
        for person in [&ada, &grace] {
            let looked = app.graphql(&person.token, "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Contribution { state title summary tombstone topics { id } author { name } }
                ... on Post { body { markdown html } revisions { totalCount } } ... on Thread { locked } } feed { totalCount } }", json!({ "ids": [id, thread, "pst_none", "x"] })).await;
            assert_eq!(looked["data"], json!({ "nodes": [{ "id": id, "state": "DELETED", "title": "", "summary": "", "tombstone": "Deleted by its author on 2 March 2026.",
                "topics": [], "author": { "name": "Ada Moore" }, "body": { "markdown": "", "html": "" }, "revisions": { "totalCount": 0 } },
                { "id": thread, "locked": true }, null, null], "feed": { "totalCount": 0 } }), "{looked}");
        }
        let again = app.graphql(&ada.token, delete, json!({ "input": { "id": id } })).await;
        assert_eq!(again["errors"][0]["extensions"]["code"], "NOT_FOUND");
        let stored = crate::community::all::<hope_exchange::domain::post::Post>(&app.app.store).await;
        assert!(!serde_json::to_string(&stored).unwrap().contains("Soon gone"), "its words are gone from the store");

        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Never out" })).await;
        app.graphql(&ada.token, delete, json!({ "input": { "id": draft } })).await;
        let looked = app.graphql(&ada.token, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": draft })).await;
        assert_eq!(looked["data"]["node"], Json::Null, "nobody saw the draft");
    }

    async fn pages_hold_still_while_posts_arrive(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for n in 0..7 {
            app.advance(TimeDelta::minutes(1));
            app.create_post(&ada, idea(&format!("Post {n}"))).await;
        }
        let (first, feed) = titles(app, &ada.token, json!({ "first": 3 })).await;
        assert_eq!(first, ["Post 6", "Post 5", "Post 4"]);
        assert_eq!(feed["totalCount"], 7);
        app.advance(TimeDelta::minutes(1));
        app.create_post(&ada, idea("Post 7")).await;
        let (second, feed) = titles(app, &ada.token, json!({ "first": 3, "after": feed["pageInfo"]["endCursor"] })).await;
        assert_eq!(second, ["Post 3", "Post 2", "Post 1"]);
        assert_eq!((&feed["pageInfo"]["hasNextPage"], &feed["pageInfo"]["hasPreviousPage"]), (&json!(true), &json!(true)));
        let (back, feed) = titles(app, &ada.token, json!({ "last": 2, "before": feed["pageInfo"]["startCursor"] })).await;
        assert_eq!(back, ["Post 5", "Post 4"]);
        assert_eq!(feed["pageInfo"]["hasPreviousPage"], true);
        let (last, feed) = titles(app, &ada.token, json!({ "last": 1 })).await;
        assert_eq!((last.as_slice(), &feed["pageInfo"]["hasNextPage"]), (["Post 0".to_owned()].as_slice(), &json!(false)));
        let (end, feed) = titles(app, &ada.token, json!({ "first": 100 })).await;
        assert_eq!((end.len(), &feed["pageInfo"]["hasNextPage"]), (8, &json!(false)));

        let cursor = feed["pageInfo"]["endCursor"].as_str().unwrap();
        let mut forged = cursor.to_owned();
        forged.replace_range(30..31, if &cursor[30..31] == "A" { "B" } else { "A" });
        for bad in [forged.as_str(), "", "abc", "{\"$gt\": 1}"] {
            let refused = app.graphql(&ada.token, FEED, json!({ "after": bad })).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_CURSOR", "{bad}: {refused}");
        }
        let other_list = app.graphql(&ada.token, "query($after: String) { posts(orderBy: OLDEST, after: $after) { nodes { id } } }", json!({ "after": cursor })).await;
        assert_eq!(other_list["errors"][0]["extensions"]["code"], "BAD_CURSOR");
        for sizes in [json!({ "first": 0 }), json!({ "first": 101 }), json!({ "last": -1 }), json!({ "first": 1, "last": 1 })] {
            let refused = app.graphql(&ada.token, FEED, sizes.clone()).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{sizes}: {refused}");
        }
    }

    async fn posts_are_filtered_by_what_they_are(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        app.create_post(&ada, idea("An idea about volunteers")).await;
        app.advance(TimeDelta::minutes(1));
        app.create_post(&grace, json!({ "kind": "QUESTION", "title": "A question", "body": "x",
            "topicIds": ["top_mental-health", "top_volunteering"], "publish": true })).await;
        let found = |filter: Json| { let token = ada.token.clone(); async move {
            let answer = app.graphql(&token, "query($filter: PostFilterInput) { posts(filter: $filter) { nodes { title } } }", json!({ "filter": filter })).await;
            answer["data"]["posts"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).len()
        } };
        assert_eq!(found(json!({})).await, 2);
        assert_eq!(found(json!({ "kind": "QUESTION" })).await, 1);
        assert_eq!(found(json!({ "topicId": "top_volunteering" })).await, 2);
        assert_eq!(found(json!({ "topicId": "top_mental-health", "kind": "IDEA" })).await, 0);
        assert_eq!(found(json!({ "authorId": grace.id, "kind": "QUESTION" })).await, 1);
        assert_eq!(found(json!({ "organisationId": ada.organisation })).await, 1);
        assert_eq!(found(json!({ "authorId": "nobody" })).await, 0);
    }

    async fn a_page_costs_the_same_calls_whatever_is_on_it(app: &TestApp) {
        let people = [app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await];
        let query = "{ feed(first: 20) { pageInfo { endCursor hasNextPage } nodes { id title summary
            author { name organisation { name } } organisation { name } topics { name } thread { commentCount } } } }";
        let calls = async || {
            // Again and again: the number hangs on the query, and on no race.
            let mut counts = std::collections::BTreeSet::new();
            for _ in 0..30 {
                let before = app.app.store.calls();
                let answer = app.graphql(&people[0].token, query, json!({})).await;
                assert_eq!(answer["errors"], Json::Null, "{answer}");
                let nodes = answer["data"]["feed"]["nodes"].as_array().unwrap().len();
                counts.insert((nodes, app.app.store.calls() - before));
            }
            assert_eq!(counts.len(), 1, "{counts:?}");
            counts.pop_first().unwrap()
        };
        app.create_post(&people[0], idea("The first")).await;
        let few = calls().await;
        for n in 0..25 {
            app.create_post(&people[n % 3], idea(&format!("Post {n}"))).await;
        }
        let many = calls().await;
        assert_eq!((few.0, many.0), (1, 20));
        // The viewer, the page's entries, their posts, authors, organisations, topics, threads.
        assert!(many.1 <= 7 && few.1 <= 7, "{few:?} {many:?}");
    }
}
