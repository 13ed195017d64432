//! What is told, to whom, and what is not.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        activity::{Activity, What},
        contribution::ContributionId,
        member::Member,
        post::Post,
    },
    ids::Id,
    jobs,
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use super::{PUBLISHED, Socket, THREAD, act, beside, comment, nobody_looks_on, post, question};
use crate::{
    app::{Person, TestApp},
    on_both_stores,
};

/// Tells of something a second time, as if the news had come late.
async fn told_late(app: &TestApp, actor: &Person, what: What, thread: &str) {
    app.advance(TimeDelta::milliseconds(2));
    let (actor, thread) = (Id::parse(&actor.id).unwrap(), Id::parse(thread).unwrap());
    let activity = Activity::new(app.app.ids.fresh(), &actor, what, &thread, Vec::new(), app.now());
    app.app.store.commit(Batch::new().insert(&activity)).await.unwrap();
}

fn kind_and_comment(activity: &Json) -> (&str, Option<&str>) {
    (activity["kind"].as_str().unwrap(), activity["comment"]["id"].as_str())
}

on_both_stores! {
    async fn a_thread_is_followed_as_it_happens(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (id, thread) = question(app, &ada).await;
        let (_, other) = question(app, &ada).await;
        let mut socket = Socket::of(app, &grace).await;
        socket.subscribe("1", THREAD, json!({ "id": thread })).await;

        comment(app, &ada, &other, "Elsewhere.").await;
        let first = comment(app, &ada, &thread, "They do, a little.").await;
        assert_eq!(socket.next("1").await, json!({
            "kind": "COMMENT_ADDED",
            "thread": { "id": thread, "commentCount": 1, "subject": { "title": "Do soft-close bins help?" } },
            "comment": { "id": first, "body": { "text": "They do, a little." }, "deleted": false, "accepted": false, "author": { "name": "Ada Moore" } },
        }));

        let edit = json!({ "id": first, "body": "They do.", "expectedVersion": 1 });
        act(app, &ada, "updateComment { userErrors { code } }", edit).await;
        let changed = socket.next("1").await;
        assert_eq!((kind_and_comment(&changed), &changed["comment"]["body"]["text"]), (("COMMENT_CHANGED", Some(&*first)), &json!("They do.")));

        act(app, &ada, "acceptAnswer { userErrors { code } }", json!({ "commentId": first })).await;
        let accepted = socket.next("1").await;
        assert_eq!((kind_and_comment(&accepted), &accepted["comment"]["accepted"]), (("ANSWER_ACCEPTED", Some(&*first)), &json!(true)));

        let version = app.graphql(&ada.token, "query($id: ID!) { node(id: $id) { ... on Post { version } } }", json!({ "id": id })).await;
        let edit = json!({ "id": id, "title": "Do bins help?", "expectedVersion": version["data"]["node"]["version"] });
        act(app, &ada, "updatePost { userErrors { code } }", edit).await;
        let subject = socket.next("1").await;
        assert_eq!((kind_and_comment(&subject), &subject["thread"]["subject"]["title"]), (("SUBJECT_CHANGED", None), &json!("Do bins help?")));

        act(app, &ada, "deleteComment { userErrors { code } }", json!({ "id": first })).await;
        let deleted = socket.next("1").await;
        assert_eq!((kind_and_comment(&deleted), &deleted["comment"]["body"], &deleted["comment"]["deleted"], &deleted["thread"]["commentCount"]),
            (("COMMENT_CHANGED", Some(&*first)), &Json::Null, &json!(true), &json!(0)));

        socket.say(json!({ "type": "complete", "id": "1" })).await;
        nobody_looks_on_but_the_socket(app).await;
        drop(socket);
        nobody_looks_on(app).await;
    }

    async fn a_partner_is_told_of_what_they_were_invited_to_alone(app: &TestApp) {
        let (ada, pat) = (app.person("Ada Moore").await, app.person("Pat Green").await);
        app.invited_to(&pat, "co-production").await;
        let (_, thread) = question(app, &ada).await;
        let mut socket = Socket::of(app, &pat).await;
        let refused = socket.ask("1", THREAD, json!({ "id": thread })).await;
        assert_eq!((&refused["type"], &refused["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("NOT_FOUND")));
        socket.subscribe("2", PUBLISHED, json!({})).await;
        for (title, topic) in [("Outside", "top_volunteering"), ("Inside", "top_co-production")] {
            app.advance(TimeDelta::milliseconds(2));
            app.create_post(&ada, post("IDEA", title, topic)).await;
        }
        assert_eq!(socket.next("2").await["title"], "Inside");

        let newcomer = app.person("Tom Reed").await;
        app.change(&newcomer, |member| member.standing.ask(member.created_at)).await;
        let mut socket = Socket::of(app, &newcomer).await;
        let refused = socket.ask("1", PUBLISHED, json!({})).await;
        assert_eq!((&refused["type"], &refused["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("FORBIDDEN")));
    }

    async fn what_is_published_is_told_to_those_who_asked_for_such(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let mut socket = Socket::of(app, &grace).await;
        for (id, filter) in [
            ("all", json!({})),
            ("questions", json!({ "kinds": ["QUESTION", "CASE_STUDY"] })),
            ("topic", json!({ "topicId": "top_co-production" })),
            ("hers", json!({ "organisationId": grace.organisation, "kinds": ["IDEA"] })),
            ("none", json!({ "kinds": [] })),
            ("nonsense", json!({ "topicId": "$where" })),
        ] {
            socket.subscribe(id, PUBLISHED, json!({ "filter": filter })).await;
        }
        let mut heard = async |count: usize| {
            let mut told = Vec::new();
            for _ in 0..count {
                let said = socket.said().await;
                assert_eq!(said["payload"]["errors"], Json::Null, "{said}");
                let post = &said["payload"]["data"]["contributionPublished"];
                told.push(format!("{} {}", said["id"].as_str().unwrap(), post["title"].as_str().unwrap()));
            }
            told.sort();
            told
        };
        app.create_post(&ada, post("QUESTION", "One", "top_volunteering")).await;
        assert_eq!(heard(2).await, ["all One", "questions One"]);
        app.advance(TimeDelta::milliseconds(2));
        app.create_post(&ada, post("UPDATE", "Two", "top_co-production")).await;
        assert_eq!(heard(2).await, ["all Two", "topic Two"]);
        app.advance(TimeDelta::milliseconds(2));
        app.create_post(&grace, post("IDEA", "Three", "top_co-production")).await;
        assert_eq!(heard(3).await, ["all Three", "hers Three", "topic Three"]);
        app.advance(TimeDelta::milliseconds(2));
        let mut event = post("EVENT", "Four", "top_volunteering");
        event["event"] = json!({ "startsAt": "2026-05-04T13:00:00.000Z", "location": "Leeds" });
        app.create_post(&grace, event).await;
        assert_eq!(heard(1).await, ["all Four"]);
    }

    async fn members_are_told_live_what_concerns_them(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (mut hers, mut others) = (Socket::of(app, &ada).await, Socket::of(app, &grace).await);
        let notified = "subscription { notificationReceived { kind count text comment { id } } }";
        hers.subscribe("1", notified, json!({})).await;
        others.subscribe("1", notified, json!({})).await;
        let (_, thread) = question(app, &ada).await;
        for count in 1..=2 {
            app.advance(TimeDelta::milliseconds(2));
            let comment = comment(app, &grace, &thread, "They do, a little.").await;
            jobs::run_due(&app.app).await.unwrap();
            let told = hers.next("1").await;
            assert_eq!((&told["kind"], &told["count"], &told["comment"]["id"]), (&json!("ANSWERED"), &json!(count), &json!(comment)), "{told}");
        }
        // Nothing of it was for Grace: what comes next is the answer to her ping.
        others.say(json!({ "type": "ping" })).await;
        assert_eq!(others.said().await, json!({ "type": "pong" }));
    }

    async fn drafts_are_nobodys_news_until_they_are_published(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let mut socket = Socket::of(app, &grace).await;
        socket.subscribe("1", PUBLISHED, json!({})).await;
        let draft = json!({ "kind": "IDEA", "title": "Quiet nights", "body": "Soft closing.", "topicIds": ["top_volunteering"] });
        let draft = app.create_post(&ada, draft).await;
        let edit = json!({ "id": draft, "title": "Quieter nights", "expectedVersion": 1 });
        act(app, &ada, "updatePost { userErrors { code } }", edit).await;
        // Her thread exists, but not for others.
        let thread = draft.replacen("pst", "thr", 1);
        let refused = socket.ask("2", THREAD, json!({ "id": thread })).await;
        let absent = socket.ask("3", THREAD, json!({ "id": "thr_01ARZ3NDEKTSV4RRFFQ69G5FAV" })).await;
        for said in [&refused, &absent] {
            assert_eq!((&said["type"], &said["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("NOT_FOUND")), "{said}");
        }
        assert_eq!(refused["payload"][0]["message"], absent["payload"][0]["message"]);
        act(app, &ada, "publishPost { userErrors { code } }", json!({ "id": draft })).await;
        assert_eq!(socket.next("1").await, json!({ "__typename": "Post", "title": "Quieter nights", "state": "PUBLISHED", "author": { "name": "Ada Moore" }, "viewerCanEdit": false }));
    }

    async fn what_counts_is_how_it_is_when_it_is_told(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (gone, gone_thread) = question(app, &ada).await;
        let said = comment(app, &ada, &gone_thread, "Before it went.").await;
        let mut socket = Socket::of(app, &grace).await;
        socket.subscribe("thread", THREAD, json!({ "id": gone_thread })).await;
        act(app, &ada, "deletePost { userErrors { code } }", json!({ "id": gone })).await;
        let tombstone = socket.next("thread").await;
        assert_eq!((&tombstone["kind"], &tombstone["thread"]["subject"]["title"]), (&json!("SUBJECT_CHANGED"), &json!("")));
        socket.subscribe("new", PUBLISHED, json!({})).await;

        // News of what is gone, what is no longer what it was, and what is there.
        let contribution = |id: &str| ContributionId::parse(id).unwrap();
        told_late(app, &ada, What::CommentAdded { comment: Id::parse(&said).unwrap() }, &gone_thread).await;
        assert_eq!(socket.next("thread").await["kind"], "COMMENT_ADDED", "it can still be read");
        told_late(app, &ada, What::Published { contribution: contribution(&gone) }, &gone_thread).await;
        assert_eq!(socket.next("thread").await["thread"]["subject"]["title"], "", "and to nobody else");
        let (kept, kept_thread) = question(app, &ada).await;
        assert_eq!(socket.next("new").await["title"], "Do soft-close bins help?");
        let edit = json!({ "id": kept, "title": "Do bins help?", "expectedVersion": 1 });
        act(app, &ada, "updatePost { userErrors { code } }", edit).await;
        told_late(app, &ada, What::Published { contribution: contribution(&kept) }, &kept_thread).await;
        assert_eq!(socket.next("new").await["title"], "Do bins help?", "as it is now");
    }

    async fn whoever_is_no_member_any_more_is_told_nothing(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let mut socket = Socket::of(app, &grace).await;
        socket.subscribe("1", PUBLISHED, json!({})).await;
        let id = Id::<Member>::parse(&grace.id).unwrap();
        app.app.store.commit(Batch::new().delete(&id, Guard::Present)).await.unwrap();
        question(app, &ada).await;
        assert_eq!(socket.hear().await.code(), 4403);
        nobody_looks_on(app).await;
    }

    async fn the_viewer_is_as_they_are_now(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let mut socket = Socket::of(app, &grace).await;
        socket.subscribe("1", PUBLISHED, json!({})).await;
        question(app, &ada).await;
        assert_eq!(socket.next("1").await["viewerCanEdit"], false);
        let id = Id::<Member>::parse(&grace.id).unwrap();
        app.app.store.change(&id, |member: &mut Member| {
            member.role = hope_exchange::domain::member::Role::Moderator;
            Ok::<_, hope_exchange::error::StoreError>(((), Batch::new()))
        }).await.unwrap();
        app.advance(TimeDelta::milliseconds(2));
        let (post, _) = question(app, &ada).await;
        let told = socket.next("1").await;
        let now = app.graphql(&grace.token, "query($id: ID!) { node(id: $id) { ... on Post { viewerCanEdit } } }", json!({ "id": post })).await;
        assert_eq!(told["viewerCanEdit"], now["data"]["node"]["viewerCanEdit"]);
    }

    /// Several processes serve one community: each tells of what the others do.
    async fn another_process_tells_of_it_too(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (_, thread) = question(app, &ada).await;
        beside(app, |_| {}, async |other| {
            let grace = other.sign_in_again(&grace);
            let mut there = Socket::of(other, &grace).await;
            there.subscribe("1", THREAD, json!({ "id": thread })).await;
            let mut slowest = std::time::Duration::ZERO;
            for number in 0..5 {
                let id = comment(app, &ada, &thread, &format!("Number {number}.")).await;
                let started = std::time::Instant::now();
                assert_eq!(there.next("1").await["comment"]["id"], json!(id));
                slowest = slowest.max(started.elapsed());
            }
            assert!(slowest.as_millis() < 2_500, "told after {slowest:?}");
            drop(there);
            nobody_looks_on(other).await;
        }).await;
    }

    /// However many look on, what happened is read once. Each then loads what it is about.
    async fn an_event_is_read_once_for_all(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (_, thread) = question(app, &ada).await;
        let (_, elsewhere) = question(app, &ada).await;
        let mut socket = Socket::of(app, &grace).await;
        for number in 0..18 {
            socket.subscribe(&format!("elsewhere {number}"), THREAD, json!({ "id": elsewhere })).await;
        }
        socket.subscribe("1", THREAD, json!({ "id": thread })).await;
        let started = std::time::Instant::now();
        let before = app.app.store.calls();
        for number in 0..10 {
            comment(app, &ada, &thread, &format!("Number {number}.")).await;
            socket.next("1").await;
        }
        let calls = app.app.store.calls() - before;
        // A comment, the look at it, what is told; and a look each second.
        let looks = 2 * started.elapsed().as_secs() + 4;
        assert!(calls < 10 * 24 + looks, "{calls} calls in {:?}", started.elapsed());
        let post = Id::<Post>::parse(&thread.replacen("thr", "pst", 1)).unwrap();
        assert!(app.app.store.one(&post).await.unwrap().is_some());
    }
}

async fn nobody_looks_on_but_the_socket(app: &TestApp) {
    let live = app.app.live();
    crate::process::until("the subscription ends", async || {
        live.listeners() == 0 && live.subscriptions().taken() == 0 && live.sockets().taken() == 1
    })
    .await;
}
