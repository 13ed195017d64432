//! Following and muting, and the feed of what one follows.

use futures_util::future::join_all;
use hope_exchange::{
    domain::{
        follow::{Follow, FollowCounts, INTERESTS_MAX, Stance, Target},
        member::Member,
        tag::Tag,
    },
    ids::Id,
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attention::thread_of,
    community::insert,
    on_both_stores,
};

const FOLLOWING: &str = "{ viewer { following(first: 50) { totalCount nodes { subjectId following subject { __typename id } } } muted { nodes { subjectId } } } }";

async fn feed(app: &TestApp, person: &Person, scope: &str) -> Vec<String> {
    let query = format!("{{ feed(scope: {scope}, first: 50) {{ nodes {{ title }} }} }}");
    let answer = app.graphql(&person.token, &query, json!({})).await;
    let nodes = answer["data"]["feed"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}

on_both_stores! {
    async fn members_follow_and_mute_what_they_choose(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let tagged = json!({ "kind": "IDEA", "title": "Soft doors", "body": "x", "topicIds": ["top_volunteering"], "tags": ["Quiet nights"], "publish": true });
        let thread = thread_of(&app.create_post(&ada, tagged).await);
        let targets = ["top_volunteering", "tag_quiet-nights", &ada.id, &ada.organisation, &thread];
        for target in targets {
            for _ in 0..2 {
                app.advance(chrono::TimeDelta::seconds(1));
                let done = app.stands(&grace, "follow", target).await;
                assert_eq!(done, json!({ "follow": { "following": true, "muted": false, "subjectId": target }, "userErrors": [] }));
            }
        }
        let list = app.graphql(&grace.token, FOLLOWING, json!({})).await;
        let following = &list["data"]["viewer"]["following"];
        let types: Vec<&Json> = following["nodes"].as_array().unwrap().iter().map(|node| &node["subject"]["__typename"]).collect();
        assert_eq!(types, [&json!("Thread"), &json!("Organisation"), &json!("Member"), &json!("Tag"), &json!("Topic")], "{list}");
        assert_eq!(following["totalCount"], 5);
        assert_eq!(app.counts_truly(&grace).await, FollowCounts { interests: 4, threads: 1, ..FollowCounts::default() });

        let seen = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Thread { viewerFollowing viewerMuted } ... on Topic { viewerFollowing viewerMuted }
            ... on Member { viewerFollowing viewerMuted } ... on Organisation { viewerFollowing viewerMuted } } }";
        let ids = json!({ "ids": [targets[0], targets[2], targets[3], targets[4]] });
        let nodes = app.graphql(&grace.token, seen, ids.clone()).await["data"]["nodes"].clone();
        assert_eq!(nodes, json!([{ "viewerFollowing": true, "viewerMuted": false }, { "viewerFollowing": true, "viewerMuted": false }, { "viewerFollowing": true, "viewerMuted": false }, { "viewerFollowing": true, "viewerMuted": false }]));

        assert_eq!(app.stands(&grace, "mute", targets[0]).await["follow"]["muted"], true);
        assert_eq!(app.stands(&grace, "unfollow", targets[0]).await["follow"]["muted"], true, "it stays muted");
        assert_eq!(app.stands(&grace, "unmute", &ada.id).await["follow"]["following"], true, "it stays followed");
        assert_eq!(app.stands(&grace, "unfollow", &ada.id).await["follow"]["following"], false);
        let nodes = app.graphql(&grace.token, seen, ids).await["data"]["nodes"].clone();
        assert_eq!((&nodes[0]["viewerMuted"], &nodes[1]["viewerFollowing"]), (&json!(true), &json!(false)));
        assert_eq!(app.counts_truly(&grace).await, FollowCounts { interests: 2, threads: 1, muted_interests: 1, muted_threads: 0 });

        let draft = thread_of(&app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet" })).await);
        for missing in ["top_nonsense", "mbr_none", "org_none", "thr_none", "pst_none", "tag_$where", "tag_943-476-5919", "", &draft] {
            assert_eq!(app.stands(&grace, "follow", missing).await, "NOT_FOUND", "{missing}");
        }
    }

    async fn taking_part_follows_a_thread_unless_one_has_said_no(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let follows = async |person: &Person, thread: &str| {
            let query = "query($id: ID!) { node(id: $id) { ... on Thread { viewerFollowing } } }";
            app.graphql(&person.token, query, json!({ "id": thread })).await["data"]["node"]["viewerFollowing"].clone()
        };
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        let case_study = thread_of(&app.case_study(&ada, &json!({})).await);
        assert_eq!((follows(&ada, &thread).await, follows(&ada, &case_study).await, follows(&grace, &thread).await), (json!(true), json!(true), json!(false)));
        app.said(&grace, &thread, None, "One").await;
        app.said(&grace, &thread, None, "Two").await;
        assert_eq!(follows(&grace, &thread).await, true);
        for (how, thread) in [("unfollow", &thread), ("mute", &case_study)] {
            app.stands(&grace, how, thread).await;
            app.said(&grace, thread, None, "Three").await;
            assert_eq!(follows(&grace, thread).await, false, "{how} is remembered");
        }
        assert_eq!(app.counts_truly(&ada).await.threads, 2);
        assert_eq!(app.counts_truly(&grace).await, FollowCounts { muted_threads: 1, ..FollowCounts::default() });
    }

    async fn sixteen_at_once_add_up(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        let ways = ["follow", "mute", "unfollow", "unmute"];
        let same = join_all((0..16).map(|n| app.stands(&grace, ways[n % 4], "top_volunteering")));
        let thread = join_all((0..16).map(async |n| match n % 4 {
            0 => drop(app.mutate(&grace, "addComment", &json!({ "threadId": thread, "body": "So do we." }), "comment { id }").await),
            n => drop(app.stands(&grace, ways[n], &thread).await),
        }));
        let (same, _) = tokio::join!(same, thread);
        for done in same {
            assert_eq!(done["userErrors"], json!([]), "{done}");
        }
        app.counts_truly(&grace).await;
    }

    async fn the_limit_holds_whatever_comes_at_once(app: &TestApp) {
        let grace = app.person("Grace Hill").await;
        let id: Id<Member> = Id::parse(&grace.id).unwrap();
        let tag = |n: i64| Target::parse(&format!("tag_t{n}")).unwrap();
        let follows: Vec<Follow> = (0..INTERESTS_MAX - 5).map(|n| Follow::new(&id, tag(n), Stance::Following, app.now())).collect();
        insert(&app.app.store, &follows).await;
        let counter = FollowCounts::counter(&tag(0), Stance::Following).unwrap();
        app.app.store.commit(Batch::new().increment(&id, Guard::Present, counter, INTERESTS_MAX - 5)).await.unwrap();

        let tags: Vec<Tag> = (500..516)
            .map(|n| Tag { id: Id::of(&format!("t{n}")), version: 1, name: format!("t{n}"), folded: format!("t{n}"), uses: 1 })
            .collect();
        insert(&app.app.store, &tags).await;
        let new: Vec<String> = (500..516).map(|n| tag(n).as_str().to_owned()).collect();
        let done = join_all(new.iter().map(|target| app.stands(&grace, "follow", target))).await;
        let followed = done.iter().filter(|done| done["userErrors"] == json!([])).count();
        assert_eq!(followed, 5, "{done:?}");
        for refused in done.iter().filter(|done| done["userErrors"] != json!([])) {
            assert_eq!(refused["userErrors"][0]["code"], "TOO_MANY");
            assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("at most 100"), "{refused}");
        }
        assert_eq!(app.counts_truly(&grace).await.interests, INTERESTS_MAX);
        app.stands(&grace, "unfollow", "tag_t0").await;
        assert_eq!(app.stands(&grace, "follow", "top_volunteering").await["userErrors"], json!([]));
        // A feed of all hundred is merged from a hundred places.
        app.shared(&grace, "IDEA", "Quiet nights").await;
        assert_eq!(feed(app, &grace, "FOLLOWING").await, ["Quiet nights"]);
    }

    async fn the_feed_has_what_is_followed_and_not_what_is_muted(app: &TestApp) {
        let (ada, grace, joan, mei) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await, app.person("Mei Lin").await);
        app.shared(&ada, "IDEA", "By Ada").await;
        app.shared(&grace, "IDEA", "By Grace").await;
        let mental = json!({ "kind": "QUESTION", "title": "By Joan", "body": "x", "topicIds": ["top_mental-health"], "publish": true });
        app.advance(chrono::TimeDelta::seconds(1));
        let by_joan = app.create_post(&joan, mental).await;
        app.advance(chrono::TimeDelta::seconds(1));
        app.case_study(&joan, &json!({ "title": "Case of Joan" })).await;
        assert!(feed(app, &mei, "FOLLOWING").await.is_empty());
        let everything = feed(app, &mei, "EVERYTHING").await;
        assert_eq!(everything.len(), 4);

        app.stands(&mei, "follow", &ada.id).await;
        assert_eq!(feed(app, &mei, "FOLLOWING").await, ["By Ada"]);
        app.stands(&mei, "follow", &grace.organisation).await;
        app.stands(&mei, "follow", "top_mental-health").await;
        assert_eq!(feed(app, &mei, "FOLLOWING").await, ["By Joan", "By Grace", "By Ada"]);
        // By two ways, and yet once.
        app.stands(&mei, "follow", &joan.id).await;
        app.stands(&mei, "follow", "top_volunteering").await;
        assert_eq!(feed(app, &mei, "FOLLOWING").await, everything);

        let edit = json!({ "id": by_joan, "expectedVersion": 1, "topicIds": ["top_volunteering"] });
        app.mutate(&joan, "updatePost", &edit, "post { id }").await;
        app.stands(&mei, "mute", "top_mental-health").await;
        assert!(feed(app, &mei, "FOLLOWING").await.contains(&"By Joan".to_owned()), "it is about something else now");

        app.stands(&mei, "mute", &joan.id).await;
        for scope in ["FOLLOWING", "EVERYTHING"] {
            assert_eq!(feed(app, &mei, scope).await, ["By Grace", "By Ada"]);
        }
        app.stands(&mei, "unmute", &joan.id).await;
        app.stands(&mei, "mute", &thread_of(&by_joan)).await;
        for scope in ["FOLLOWING", "EVERYTHING"] {
            assert!(!feed(app, &mei, scope).await.contains(&"By Joan".to_owned()));
        }
        assert_eq!(feed(app, &ada, "EVERYTHING").await, everything, "nobody else's feed changes");
    }

    async fn the_feed_of_what_is_followed_pages_at_the_same_cost(app: &TestApp) {
        let (ada, grace, mei) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Mei Lin").await);
        for target in ["top_volunteering", &ada.id, &grace.organisation] {
            app.stands(&mei, "follow", target).await;
        }
        app.stands(&mei, "mute", "top_mental-health").await;
        let query = "{ feed(scope: FOLLOWING, first: 20) { nodes { title bookmarked author { name } thread { viewerUnreadCount viewerFollowing } } } }";
        app.shared(&ada, "IDEA", "Idea 0").await;
        let few = app.calls_of(&mei, query).await;
        for n in 1..30 {
            let muted = app.shared(if n % 3 == 0 { &ada } else { &grace }, "IDEA", &format!("Idea {n}")).await;
            if n % 5 == 0 {
                app.stands(&mei, "mute", &thread_of(&muted)).await;
            }
        }
        let many = app.calls_of(&mei, query).await;
        // The viewer, what they follow and mute, the page, its muted threads (once there are any), posts,
        // authors, threads, follows, bookmarks, read marks.
        assert_eq!((few, many), (9, 10));

        let page = "query($first: Int, $after: String, $last: Int, $before: String) { feed(scope: FOLLOWING, first: $first, after: $after, last: $last, before: $before) {
            pageInfo { endCursor startCursor hasNextPage hasPreviousPage } nodes { title } } }";
        let (mut seen, mut after) = (Vec::new(), Json::Null);
        loop {
            let answer = app.graphql(&mei.token, page, json!({ "first": 4, "after": after })).await;
            let feed = &answer["data"]["feed"];
            seen.extend(feed["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|node| node["title"].as_str().unwrap().to_owned()));
            after = feed["pageInfo"]["endCursor"].clone();
            if feed["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        let expected: Vec<String> = (0..30).rev().filter(|n| *n == 0 || n % 5 != 0).map(|n| format!("Idea {n}")).collect();
        assert_eq!(seen, expected);
        let back = app.graphql(&mei.token, page, json!({ "last": 3, "before": after })).await;
        let titles: Vec<&Json> = back["data"]["feed"]["nodes"].as_array().unwrap().iter().map(|node| &node["title"]).collect();
        assert_eq!(titles, ["Idea 3", "Idea 2", "Idea 1"], "{back}");
    }

    /// Everything of the last months is muted: the page says so at a bounded cost.
    async fn a_feed_of_muted_things_ends(app: &TestApp) {
        let (ada, grace, mei) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Mei Lin").await);
        app.shared(&grace, "IDEA", "Long ago").await;
        for n in 0..102 {
            app.shared(&ada, "IDEA", &format!("Idea {n}")).await;
        }
        app.stands(&mei, "mute", &ada.id).await;
        // Behind the first hundred, and within the bound.
        assert_eq!(feed(app, &mei, "EVERYTHING").await, ["Long ago"]);
    }
}
