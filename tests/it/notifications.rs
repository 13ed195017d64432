//! Notifications: whom they reach, what they say, and that each comes once.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use hope_exchange::{
    domain::{
        activity::Activity,
        follow::{Follow, Stance, Target},
        job::{Job, Task},
        member::{Member, Role},
        notification::Notification,
    },
    ids::Id,
    jobs,
    store::Batch,
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attention::thread_of,
    community::{all, insert, member, waiting},
    on_both_stores,
};

fn told(kind: &str, count: i64, text: &str) -> (String, i64, String) {
    (kind.to_owned(), count, text.to_owned())
}

async fn four(app: &TestApp) -> [Person; 4] {
    [
        app.person("Ada Moore").await,
        app.person("Grace Hill").await,
        app.person("Joan Clarke").await,
        app.person("Mei Lin").await,
    ]
}

async fn prefer(app: &TestApp, person: &Person, input: Json) {
    let done = app.mutate(person, "updateNotificationPreferences", &input, "preferences { replied }").await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
}

/// A comment, at the same moment as whatever else happens.
async fn say(app: &TestApp, person: &Person, thread: &str) -> Json {
    app.mutate(person, "addComment", &json!({ "threadId": thread, "body": "So do we." }), "comment { id }")
        .await
}

/// Jobs that tell of everything that ever happened, once more.
async fn tell_again(app: &TestApp) {
    let activities: Vec<Activity> = all(&app.app.store).await;
    let jobs: Vec<Job> = activities
        .iter()
        .map(|activity| {
            Job::new(app.app.ids.fresh(), Task::Notify { activity: activity.id.clone() }, app.now())
        })
        .collect();
    insert(&app.app.store, &jobs).await;
}

on_both_stores! {
    async fn authors_are_told_what_moderators_did_and_why(app: &TestApp) {
        let [ada, grace, mary, _] = four(app).await;
        app.grant(&mary, Role::Moderator).await;
        let post = app.shared(&ada, "IDEA", "Quiet nights").await;
        let comment = app.said(&grace, &thread_of(&post), None, "Buy our earplugs.").await;
        app.told(&ada).await;
        let act = async |mutation: &str, input: Json| {
            app.advance(TimeDelta::seconds(1));
            let done = app.mutate(&mary, mutation, &input, "").await;
            assert_eq!(done["userErrors"], json!([]), "{done}");
        };
        act("hideContent", json!({ "subjectId": comment, "reason": "It is an advertisement." })).await;
        act("restoreContent", json!({ "subjectId": comment, "reason": "It is not, after all." })).await;
        act("warnMember", json!({ "memberId": grace.id, "reason": "Say where you work." })).await;
        // Muting whoever did it keeps nothing of this away.
        app.stands(&grace, "mute", &mary.id).await;
        act("lockThread", json!({ "threadId": thread_of(&post), "reason": "It is heated." })).await;
        assert_eq!(app.told(&grace).await, [
            told("MODERATED", 1, "A moderator has warned you"),
            told("MODERATED", 1, "A moderator restored your comment on “Quiet nights”"),
            told("MODERATED", 1, "A moderator hid your comment on “Quiet nights”"),
        ]);
        let query = "{ viewer { notifications(first: 1) { nodes { reason actors { id } subject { title } } } } }";
        let list = app.graphql(&grace.token, query, json!({})).await;
        assert_eq!(list["data"]["viewer"]["notifications"]["nodes"], json!([{ "reason": "Say where you work.", "actors": [], "subject": null }]));
        act("deletePost", json!({ "id": post })).await;
        let ada_is_told: Vec<String> = app.told(&ada).await.into_iter().filter(|(kind, ..)| kind == "MODERATED").map(|(.., text)| text).collect();
        assert_eq!(ada_is_told, ["A moderator deleted something of yours", "A moderator locked the discussion of something of yours"]);
        assert!(app.told(&mary).await.is_empty());
    }

    async fn each_is_told_what_concerns_them(app: &TestApp) {
        let [ada, grace, joan, mei] = four(app).await;
        let question = app.shared(&ada, "QUESTION", "Soft bins?").await;
        let thread = thread_of(&question);
        app.stands(&mei, "follow", &thread).await;
        let answer = app.said(&grace, &thread, None, "They help.").await;
        assert_eq!(app.told(&ada).await, [told("ANSWERED", 1, "Grace Hill answered the question “Soft bins?”")]);
        assert_eq!(app.told(&mei).await, [told("ANSWERED", 1, "Grace Hill answered the question “Soft bins?”")]);
        assert!(app.told(&grace).await.is_empty(), "never the one who did it");
        app.said(&joan, &thread, Some(&answer), &format!("How much, @[x]({})?", mei.id)).await;
        assert_eq!(app.told(&grace).await, [told("REPLIED", 1, "Joan Clarke replied to you in “Soft bins?”")]);
        assert_eq!(app.told(&mei).await[0], told("MENTIONED", 1, "Joan Clarke mentioned you in “Soft bins?”"));
        assert_eq!(app.told(&ada).await[0], told("FOLLOWED_NEW", 1, "Joan Clarke commented on “Soft bins?”"));
        app.advance(TimeDelta::seconds(1));
        app.mutate(&ada, "acceptAnswer", &json!({ "commentId": answer }), "post { id }").await;
        assert_eq!(app.told(&grace).await[0], told("ACCEPTED", 1, "Ada Moore accepted your answer to “Soft bins?”"));

        let case_study = app.case_study(&ada, &json!({ "title": "Quiet nights" })).await;
        app.advance(TimeDelta::seconds(1));
        app.mutate(&joan, "recordAdoption", &json!({ "caseStudyId": case_study, "status": "TESTING" }), "adoption { id }").await;
        assert_eq!(app.told(&ada).await[0], told("ADOPTED", 1, "Joan Clarke recorded an adoption of “Quiet nights”"));
        assert_eq!(app.told(&ada).await.len(), 3);
        assert_eq!((app.told(&joan).await.len(), app.told(&mei).await.len()), (0, 2));
    }

    async fn followers_hear_of_what_is_new(app: &TestApp) {
        let [ada, grace, joan, mei] = four(app).await;
        app.stands(&grace, "follow", &ada.id).await;
        app.stands(&grace, "follow", "top_volunteering").await;
        app.stands(&joan, "follow", &ada.organisation).await;
        app.stands(&mei, "follow", "top_mental-health").await;
        app.shared(&ada, "IDEA", "Quiet nights").await;
        let expected = [told("FOLLOWED_NEW", 1, "Ada Moore shared “Quiet nights”")];
        assert_eq!(app.told(&grace).await, expected, "once, though by two ways");
        assert_eq!(app.told(&joan).await, expected);
        assert!(app.told(&mei).await.is_empty() && app.told(&ada).await.is_empty());
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet", "body": "x", "topicIds": ["top_volunteering"] })).await;
        assert_eq!(app.told(&grace).await.len(), 1);
        app.mutate(&ada, "publishPost", &json!({ "id": draft }), "post { id }").await;
        assert_eq!(app.told(&grace).await.len(), 2);
    }

    async fn they_fold_until_they_are_read(app: &TestApp) {
        let [ada, grace, joan, mei] = four(app).await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        for person in [&grace, &joan, &grace, &mei] {
            app.said(person, &thread, None, "So do we.").await;
        }
        assert_eq!(app.told(&ada).await, [told("REPLIED", 4, "4 replies to you in “Quiet nights” by Mei Lin, Grace Hill and others")]);
        assert_eq!(app.unread_count(&ada).await, 1);
        let query = "{ viewer { notifications(unreadOnly: true) { nodes { id actors { name } subject { title } comment { author { name } } thread { id } createdAt updatedAt readAt } } } }";
        let list = app.graphql(&ada.token, query, json!({})).await;
        let node = &list["data"]["viewer"]["notifications"]["nodes"][0];
        assert_eq!(node["actors"], json!([{ "name": "Mei Lin" }, { "name": "Grace Hill" }, { "name": "Joan Clarke" }]), "{list}");
        assert_eq!((&node["comment"]["author"]["name"], &node["subject"]["title"], &node["thread"]["id"], &node["readAt"]), (&json!("Mei Lin"), &json!("Quiet nights"), &json!(thread), &Json::Null));

        // Read together with the thread; what comes later begins anew.
        app.reads(&ada, &thread).await;
        assert_eq!(app.unread_count(&ada).await, 0);
        app.said(&grace, &thread, None, "One more.").await;
        let expected = [told("REPLIED", 1, "Grace Hill replied to you in “Quiet nights”"), told("REPLIED", 4, "4 replies to you in “Quiet nights” by Mei Lin, Grace Hill and others")];
        assert_eq!(app.told(&ada).await, expected);
        assert_eq!(app.unread_count(&ada).await, 1);
        // To answer is to have read.
        app.said(&ada, &thread, None, "Thank you all.").await;
        assert_eq!(app.unread_count(&ada).await, 0);
    }

    async fn to_follow_is_not_to_read(app: &TestApp) {
        let [ada, grace, joan, _] = four(app).await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        app.said(&grace, &thread, None, &format!("@[x]({})", joan.id)).await;
        assert_eq!(app.told(&joan).await.len(), 1);
        app.stands(&joan, "follow", &thread).await;
        assert_eq!(app.unread_count(&joan).await, 1);
    }

    async fn several_are_marked_read_at_once(app: &TestApp) {
        let [ada, grace, joan, _] = four(app).await;
        for n in 0..5 {
            let thread = thread_of(&app.shared(&ada, "IDEA", &format!("Idea {n}")).await);
            app.said(&grace, &thread, None, "Good.").await;
        }
        jobs::run_due(&app.app).await.unwrap();
        let until = app.now();
        let list = app.graphql(&ada.token, "{ viewer { notifications { nodes { id } } } }", json!({})).await;
        let ids: Vec<&str> = list["data"]["viewer"]["notifications"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
        let foreign = app.mutate(&joan, "markRead", &json!({ "notificationIds": [ids[0]] }), "viewer { unreadCount }").await;
        assert_eq!(foreign, "NOT_FOUND");
        let read = app.mutate(&ada, "markRead", &json!({ "notificationIds": ids[..2] }), "viewer { unreadCount }").await;
        assert_eq!(read["viewer"]["unreadCount"], 3, "{read}");
        let thread = thread_of(&app.shared(&ada, "IDEA", "The last").await);
        app.said(&grace, &thread, None, "Good.").await;
        jobs::run_due(&app.app).await.unwrap();
        for _ in 0..2 {
            let read = app.mutate(&ada, "markRead", &json!({ "notificationsUntil": until, "clientMutationId": "all" }), "viewer { unreadCount }").await;
            assert_eq!(read["viewer"]["unreadCount"], 1, "{read}");
        }
    }

    async fn muted_things_are_quiet_but_for_mentions(app: &TestApp) {
        let [ada, grace, joan, mei] = four(app).await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        app.stands(&ada, "mute", &thread).await;
        app.stands(&joan, "follow", &thread).await;
        app.stands(&joan, "mute", &grace.id).await;
        app.stands(&mei, "follow", &thread).await;
        app.stands(&mei, "mute", "top_volunteering").await;
        app.said(&grace, &thread, None, "So do we.").await;
        for person in [&ada, &joan, &mei] {
            assert!(app.told(person).await.is_empty());
        }
        let all_three = format!("@[x]({}) @[x]({}) @[x]({})", ada.id, joan.id, mei.id);
        app.said(&grace, &thread, None, &all_three).await;
        for person in [&ada, &joan, &mei] {
            assert_eq!(app.told(person).await, [told("MENTIONED", 1, "Grace Hill mentioned you in “Quiet nights”")]);
        }
    }

    async fn nobody_hears_of_what_they_may_not_see(app: &TestApp) {
        let [ada, grace, joan, _] = four(app).await;
        app.stands(&grace, "follow", &ada.id).await;
        let gone = app.shared(&ada, "IDEA", "Soon gone").await;
        app.mutate(&ada, "deletePost", &json!({ "id": gone }), "deletedPostId").await;
        let post = app.shared(&ada, "IDEA", "Quiet nights").await;
        let comment = app.said(&joan, &thread_of(&post), None, &format!("@[x]({}) My password is swordfish", grace.id)).await;
        app.mutate(&joan, "deleteComment", &json!({ "id": comment }), "comment { id }").await;
        assert_eq!(app.told(&grace).await, [told("FOLLOWED_NEW", 1, "Ada Moore shared “Quiet nights”")]);
        assert!(app.told(&ada).await.is_empty());
        // What went since says nothing of itself.
        app.mutate(&ada, "deletePost", &json!({ "id": post }), "deletedPostId").await;
        let list = app.graphql(&grace.token, "{ viewer { notifications { nodes { text subject { title } comment { id } thread { id } } } } }", json!({})).await;
        assert_eq!(list["data"]["viewer"]["notifications"]["nodes"], json!([{ "text": "This is no longer there", "subject": null, "comment": null, "thread": null }]));
    }

    async fn edits_tell_only_those_newly_mentioned(app: &TestApp) {
        let [ada, grace, joan, mei] = four(app).await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        let comment = app.said(&grace, &thread, None, &format!("Ask @[x]({}).", joan.id)).await;
        let edit = json!({ "id": comment, "expectedVersion": 1, "body": format!("Ask @[x]({}) or @[x]({}).", joan.id, mei.id) });
        app.mutate(&grace, "updateComment", &edit, "comment { id }").await;
        assert_eq!((app.told(&joan).await.len(), app.told(&mei).await.len(), app.told(&ada).await.len()), (1, 1, 1));
    }

    async fn a_job_that_runs_twice_tells_once(app: &TestApp) {
        let [ada, grace, joan, _] = four(app).await;
        app.stands(&joan, "follow", &ada.id).await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        app.said(&grace, &thread, None, "One").await;
        jobs::run_due(&app.app).await.unwrap();
        let before: Vec<Notification> = all(&app.app.store).await;
        assert_eq!(before.len(), 2);
        app.reads(&ada, &thread).await;
        let before_again: Vec<Notification> = all(&app.app.store).await;
        tell_again(app).await;
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(all::<Notification>(&app.app.store).await, before_again, "also what was read stays one");
    }

    /// More followers than a few commits hold, told by two workers who get in each other's way, with the
    /// same job a second time, while others go on commenting.
    async fn a_crowd_is_told_page_by_page_and_once(app: &TestApp) {
        let [ada, grace, _, _] = four(app).await;
        let crowd: Vec<Member> = (0..250).map(|n| Member { email_key: format!("{n}@nhs.net"), ..member(&app.app.ids, &format!("Member {n}"), app.now()) }).collect();
        insert(&app.app.store, &crowd).await;
        let topic = Target::parse("top_volunteering").unwrap();
        let ada_herself = Target::parse(&ada.id).unwrap();
        let follows = crowd.iter().flat_map(|member| [&topic, &ada_herself].map(|target| Follow::new(&member.id, target.clone(), Stance::Following, app.now())));
        let follows: Vec<Follow> = follows.collect();
        insert(&app.app.store, &follows).await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        tell_again(app).await;
        let run = || async { jobs::run_due(&app.app).await.unwrap() };
        let (_, _, _) = tokio::join!(run(), run(), join_all((0..8).map(|_| say(app, &grace, &thread))));
        jobs::run_due(&app.app).await.unwrap();
        let told: Vec<Notification> = all(&app.app.store).await;
        let crowd: HashSet<&Id<Member>> = crowd.iter().map(|member| &member.id).collect();
        let (crowds, others): (Vec<_>, Vec<_>) = told.iter().partition(|told| crowd.contains(&told.member));
        assert_eq!(crowds.len(), 250);
        assert!(crowds.iter().all(|told| told.count == 1));
        assert_eq!(others.iter().map(|told| told.count).collect::<Vec<_>>(), [8], "her eight replies");
        let left: Vec<Job> = waiting(&app.app.store).await;
        assert!(left.is_empty(), "{left:?}");
    }

    async fn preferences_say_what_is_told_and_how(app: &TestApp) {
        let [ada, grace, _, _] = four(app).await;
        let all_of = "{ viewer { notificationPreferences { moderated mentioned accepted replied answered adopted followedNew } } }";
        let defaults = app.graphql(&ada.token, all_of, json!({})).await;
        assert_eq!(defaults["data"]["viewer"]["notificationPreferences"], json!({ "moderated": "EMAIL_AT_ONCE", "mentioned": "EMAIL_AT_ONCE",
            "accepted": "EMAIL_AT_ONCE", "replied": "ON_SITE", "answered": "ON_SITE", "adopted": "ON_SITE", "followedNew": "ON_SITE" }));
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        for delivery in ["NONE", "DIGEST_ONLY"] {
            prefer(app, &ada, json!({ "replied": delivery })).await;
            app.said(&grace, &thread, None, "So do we.").await;
            assert!(app.told(&ada).await.is_empty(), "{delivery}");
        }
        prefer(app, &ada, json!({ "replied": "ON_SITE", "mentioned": "NONE" })).await;
        app.said(&grace, &thread, None, "So do we.").await;
        app.said(&grace, &thread, None, &format!("@[x]({})", ada.id)).await;
        assert_eq!(app.told(&ada).await, [told("REPLIED", 1, "Grace Hill replied to you in “Quiet nights”")], "no weaker reason takes its place");
    }

    async fn the_list_costs_the_same_whatever_is_on_it(app: &TestApp) {
        let [ada, grace, joan, _] = four(app).await;
        let query = "{ viewer { unreadCount notifications(first: 20) { totalCount nodes { id kind count text actors { name } subject { title } comment { body { text } } thread { commentCount } } } } }";
        let both = async |n: usize| {
            let thread = thread_of(&app.shared(&ada, "IDEA", &format!("Idea {n}")).await);
            app.said(&grace, &thread, None, "Good.").await;
            app.said(&joan, &thread, None, "Good.").await;
        };
        both(0).await;
        jobs::run_due(&app.app).await.unwrap();
        let few = app.calls_of(&ada, query).await;
        for n in 1..25 {
            both(n).await;
        }
        jobs::run_due(&app.app).await.unwrap();
        // The viewer, unread ones, the page, its total, posts, actors, comments, threads.
        assert_eq!((few, app.calls_of(&ada, query).await), (8, 8));
        assert_eq!(app.unread_count(&ada).await, 25);
    }

    async fn sixteen_at_once_are_counted_once_each(app: &TestApp) {
        let [ada, grace, _, _] = four(app).await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        let say = (0..16).map(|_| say(app, &grace, &thread));
        let input = json!({ "threadId": thread });
        let read = (0..16).map(|_| app.mutate(&ada, "markRead", &input, "thread { id }"));
        let run = || async { jobs::run_due(&app.app).await.unwrap() };
        let (said, read, _, _) = tokio::join!(join_all(say), join_all(read), run(), run());
        for done in said.iter().chain(&read) {
            assert_eq!(done["userErrors"], json!([]), "{done}");
        }
        jobs::run_due(&app.app).await.unwrap();
        let told: Vec<Notification> = all(&app.app.store).await;
        assert_eq!(told.iter().map(|told| told.count).sum::<i64>(), 16, "{told:?}");
        assert!(told.iter().filter(|told| told.read_at.is_none()).count() <= 1);
    }

    async fn what_is_old_is_forgotten(app: &TestApp) {
        let [ada, grace, _, _] = four(app).await;
        for n in 0..2 {
            let thread = thread_of(&app.shared(&ada, "IDEA", &format!("Idea {n}")).await);
            app.said(&grace, &thread, None, "Good.").await;
            jobs::run_due(&app.app).await.unwrap();
            if n == 0 {
                app.reads(&ada, &thread).await;
            }
        }
        for (days, left) in [(89, 2), (2, 1), (88, 1), (2, 0)] {
            app.advance(TimeDelta::days(days));
            jobs::purge(&app.app).await.unwrap();
            assert_eq!(all::<Notification>(&app.app.store).await.len(), left, "after {days} days more");
        }
    }

    /// A job of an activity that is gone, and one whose thread is gone, end.
    async fn what_is_gone_is_skipped(app: &TestApp) {
        let job = Job::new(app.app.ids.fresh(), Task::Notify { activity: Id::of("01GONE") }, app.now());
        app.app.store.commit(Batch::new().insert(&job)).await.unwrap();
        assert_eq!(jobs::run_due(&app.app).await.unwrap(), 1);
        assert!(waiting(&app.app.store).await.is_empty());
    }
}
