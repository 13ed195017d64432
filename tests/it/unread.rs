//! Read marks, and how much is left to read.

use futures_util::future::join_all;
use hope_exchange::domain::{comment::Comment, thread::Thread};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attention::thread_of,
    community::{all, reload},
    on_both_stores,
};

async fn unread(app: &TestApp, person: &Person, thread: &str) -> i64 {
    let query = "query($id: ID!) { node(id: $id) { ... on Thread { viewerUnreadCount } } }";
    let answer = app.graphql(&person.token, query, json!({ "id": thread })).await;
    answer["data"]["node"]["viewerUnreadCount"].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

on_both_stores! {
    async fn what_others_said_since_is_unread(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        assert_eq!((unread(app, &ada, &thread).await, unread(app, &grace, &thread).await), (0, 0));
        app.said(&grace, &thread, None, "One").await;
        app.said(&grace, &thread, None, "Two").await;
        assert_eq!((unread(app, &ada, &thread).await, unread(app, &grace, &thread).await), (2, 0), "one's own is read");
        app.reads(&ada, &thread).await;
        let three = app.said(&grace, &thread, None, "Three").await;
        let four = app.said(&ada, &thread, Some(&three), "Four").await;
        assert_eq!((unread(app, &ada, &thread).await, unread(app, &grace, &thread).await), (0, 1), "to answer is to have read");
        for n in 0..3 {
            app.said(&grace, &thread, None, &format!("More {n}")).await;
        }
        assert_eq!(unread(app, &ada, &thread).await, 3);
        // What is deleted is not left to read; what was read before makes no difference.
        let delete = async |person: &Person, id: &str| app.mutate(person, "deleteComment", &json!({ "id": id }), "comment { id }").await;
        delete(&grace, &three).await;
        delete(&ada, &four).await;
        assert_eq!(unread(app, &ada, &thread).await, 3);
        let comments: Vec<Comment> = all(&app.app.store).await;
        delete(&grace, comments.iter().find(|comment| comment.number == 6).unwrap().id.as_str()).await;
        assert_eq!(unread(app, &ada, &thread).await, 2);
        app.said(&grace, &thread, None, "The last").await;
        assert_eq!(unread(app, &ada, &thread).await, 3);
        app.reads(&ada, &thread).await;
        assert_eq!(unread(app, &ada, &thread).await, 0);
    }

    async fn a_thread_never_read_counts_from_when_one_came(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        app.said(&grace, &thread, None, "One").await;
        app.advance(chrono::TimeDelta::seconds(1));
        let (joan, mei) = (app.person("Joan Clarke").await, app.person("Mei Lin").await);
        assert_eq!(unread(app, &joan, &thread).await, 0, "older than her membership");
        app.stands(&mei, "follow", &thread).await;
        app.said(&grace, &thread, None, "Two").await;
        assert_eq!((unread(app, &joan, &thread).await, unread(app, &mei, &thread).await), (0, 1));
        let new = thread_of(&app.shared(&ada, "IDEA", "Soft doors").await);
        app.said(&grace, &new, None, "One").await;
        assert_eq!(unread(app, &joan, &new).await, 1, "opened since she came");
        for n in 0..101 {
            app.said(&grace, &new, None, &format!("More {n}")).await;
        }
        assert_eq!(unread(app, &joan, &new).await, 100, "more than 99");
    }

    async fn sixteen_at_once_are_counted_once_each(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        let mut people = Vec::new();
        for n in 0..16 {
            people.push(app.person(&format!("Member {n}")).await);
        }
        let (say, read) = (json!({ "threadId": thread, "body": "So do we." }), json!({ "threadId": thread }));
        let each = people.iter().map(async |person| {
            let say = app.mutate(person, "addComment", &say, "comment { id }");
            let read = app.mutate(person, "markRead", &read, "thread { id }");
            let (said, read) = tokio::join!(say, read);
            assert_eq!((&said["userErrors"], &read["userErrors"]), (&json!([]), &json!([])), "{said} {read}");
            said["comment"]["id"].as_str().unwrap().to_owned()
        });
        let ids = join_all(each).await;
        let found: Thread = reload(&app.app.store, &hope_exchange::ids::Id::parse(&thread).unwrap()).await;
        assert_eq!((found.added, found.comment_count), (16, 16));
        assert_eq!(unread(app, &ada, &thread).await, 16);
        let delete = people.iter().zip(&ids).take(8).map(async |(person, id)| {
            app.mutate(person, "deleteComment", &json!({ "id": id }), "comment { id }").await
        });
        join_all(delete).await;
        let found: Thread = reload(&app.app.store, &hope_exchange::ids::Id::parse(&thread).unwrap()).await;
        assert_eq!((found.added, found.comment_count, found.removed.len()), (16, 8, 8));
        assert_eq!(unread(app, &ada, &thread).await, 8);
        for person in &people {
            app.reads(person, &thread).await;
        }
    }

    async fn a_feed_page_of_unread_counts_costs_the_same_calls(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let query = "{ feed(first: 20) { nodes { title thread { commentCount viewerUnreadCount viewerFollowing viewerMuted } } } viewer { unreadCount } }";
        app.shared(&ada, "IDEA", "Idea 0").await;
        let few = app.calls_of(&grace, query).await;
        for n in 1..60 {
            let thread = thread_of(&app.shared(&ada, "IDEA", &format!("Idea {n}")).await);
            for _ in 0..n % 3 {
                app.said(&ada, &thread, None, "More").await;
            }
        }
        // The viewer, the page, posts, threads, read marks, follows, unread notifications.
        assert_eq!((few, app.calls_of(&grace, query).await), (7, 7));
        let answer = app.graphql(&grace.token, query, json!({})).await;
        let counts: Vec<&Json> = answer["data"]["feed"]["nodes"].as_array().unwrap().iter().map(|node| &node["thread"]["viewerUnreadCount"]).collect();
        let expected: Vec<Json> = (40..60).rev().map(|n| json!(n % 3)).collect();
        assert_eq!(counts, expected.iter().collect::<Vec<_>>());
    }

    async fn mark_read_takes_exactly_one_of_three(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        for input in [json!({}), json!({ "threadId": thread, "notificationIds": [] }), json!({ "notificationIds": [], "notificationsUntil": app.now() })] {
            let refused = app.mutate(&ada, "markRead", &input, "thread { id }").await;
            assert_eq!((&refused["thread"], &refused["userErrors"][0]["code"]), (&Json::Null, &json!("REQUIRED")), "{refused}");
        }
        let missing = app.mutate(&ada, "markRead", &json!({ "notificationIds": ["ntf_none"] }), "thread { id }").await;
        assert_eq!(missing, "NOT_FOUND");
    }
}
