//! Bookmarks through GraphQL.

use futures_util::future::join_all;
use hope_exchange::domain::bookmark::Bookmark;
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attention::thread_of,
    community::all,
    on_both_stores,
};

const LIST: &str = "{ viewer { bookmarks(first: 20) { totalCount nodes { createdAt subject { id ... on Post { title bookmarked } ... on Comment { body { text } bookmarked } ... on CaseStudy { bookmarked } } } } } }";

async fn mark(app: &TestApp, by: &Person, how: &str, id: &str) -> Json {
    app.mutate(by, how, &json!({ "subjectId": id }), "subject { id ... on Post { bookmarked } ... on Comment { bookmarked } ... on CaseStudy { bookmarked } }").await
}

async fn list(app: &TestApp, by: &Person) -> Vec<String> {
    let answer = app.graphql(&by.token, LIST, json!({})).await;
    let nodes =
        answer["data"]["viewer"]["bookmarks"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| node["subject"]["id"].as_str().unwrap().to_owned()).collect()
}

on_both_stores! {
    async fn what_is_kept_is_found_again_newest_first(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let post = app.shared(&ada, "IDEA", "Quiet nights").await;
        let comment = app.said(&ada, &thread_of(&post), None, "Earplugs help.").await;
        let case_study = app.case_study(&ada, &json!({})).await;
        for id in [&post, &comment, &case_study, &post] {
            app.advance(chrono::TimeDelta::seconds(1));
            let done = mark(app, &grace, "bookmark", id).await;
            assert_eq!(done, json!({ "subject": { "id": id, "bookmarked": true }, "userErrors": [] }));
        }
        assert_eq!(list(app, &grace).await, [&case_study, &comment, &post].map(String::clone));
        assert!(list(app, &ada).await.is_empty(), "nobody else knows");
        let foreign = app.graphql(&ada.token, "query($id: ID!) { node(id: $id) { ... on Post { bookmarked } } }", json!({ "id": post })).await;
        assert_eq!(foreign["data"]["node"]["bookmarked"], false);
        for _ in 0..2 {
            let done = mark(app, &grace, "unbookmark", &comment).await;
            assert_eq!(done["subject"]["bookmarked"], false, "{done}");
        }
        assert_eq!(list(app, &grace).await, [&case_study, &post].map(String::clone));
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet" })).await;
        for missing in ["pst_none", "cmt_none", "thr_none", "x", &draft] {
            assert_eq!(mark(app, &grace, "bookmark", missing).await, "NOT_FOUND", "{missing}");
        }
    }

    async fn what_can_no_longer_be_seen_is_not_listed(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (post, other) = (app.shared(&ada, "IDEA", "Quiet nights").await, app.shared(&ada, "IDEA", "Soft doors").await);
        let comment = app.said(&ada, &thread_of(&other), None, "My password is swordfish.").await;
        let under = app.said(&ada, &thread_of(&post), None, "Earplugs help.").await;
        for id in [&post, &comment, &under] {
            mark(app, &grace, "bookmark", id).await;
        }
        app.mutate(&ada, "deletePost", &json!({ "id": post }), "deletedPostId").await;
        app.mutate(&ada, "deleteComment", &json!({ "id": comment }), "comment { id }").await;
        assert_eq!(list(app, &grace).await, std::slice::from_ref(&under), "the thread of what is gone can still be read");
        assert_eq!(mark(app, &grace, "bookmark", &comment).await["userErrors"], json!([]), "it is there already");
        for id in [&post, &comment, &under] {
            assert_eq!(mark(app, &grace, "unbookmark", id).await["userErrors"], json!([]), "it can still be taken back");
        }
        assert!(all::<Bookmark>(&app.app.store).await.is_empty());
    }

    async fn many_at_once_keep_one_and_repeats_keep_none(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let post = app.shared(&ada, "IDEA", "Quiet nights").await;
        for done in join_all((0..16).map(|_| mark(app, &ada, "bookmark", &post))).await {
            assert_eq!(done["subject"]["bookmarked"], true, "{done}");
        }
        assert_eq!(all::<Bookmark>(&app.app.store).await.len(), 1);
        let named = |how| (how, json!({ "subjectId": post, "clientMutationId": how }));
        for (how, input) in [named("unbookmark"), named("unbookmark"), named("bookmark"), named("unbookmark")] {
            let done = app.mutate(&ada, how, &input, "clientMutationId").await;
            assert_eq!(done, json!({ "clientMutationId": how, "userErrors": [] }));
        }
        assert_eq!(all::<Bookmark>(&app.app.store).await.len(), 1, "a repeat writes nothing");
    }

    async fn the_list_costs_the_same_whatever_is_on_it(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let post = app.shared(&ada, "IDEA", "Quiet nights").await;
        let comment = app.said(&ada, &thread_of(&post), None, "Earplugs help.").await;
        for id in [&post, &comment] {
            mark(app, &grace, "bookmark", id).await;
        }
        let few = app.calls_of(&grace, LIST).await;
        for n in 0..18 {
            mark(app, &grace, "bookmark", &app.shared(&ada, "IDEA", &format!("Idea {n}")).await).await;
        }
        assert_eq!((few, app.calls_of(&grace, LIST).await), (few, few));
    }
}
