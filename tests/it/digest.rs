//! Digests: once a week, never twice, never empty, and only what the member has not read.

use chrono::{TimeDelta, Weekday};
use hope_exchange::{
    app::App,
    clock::Timestamp,
    domain::{
        digest::{DigestState, next_due},
        member::Member,
        post::{Post, PostKind, PostState},
        thread::Thread,
    },
    jobs::{self, digest},
    mail::Message,
    store::Batch,
};

use crate::{
    app::TestApp,
    community::{
        comment, digests_of, insert, member, organisation, post, publish, read, reload, time, waiting,
    },
    on_both_stores,
};

/// The Tuesday after the tests' Monday, when digests are due.
pub const TUESDAY: &str = "2026-03-03T07:30:00Z";

/// Members who joined a week ago, the first of whom has posted an idea since.
pub async fn community(app: &TestApp, names: &[&str]) -> (Vec<Member>, Post) {
    let store = &app.app.store;
    let week_ago = app.now().minus(TimeDelta::days(6));
    let members: Vec<Member> = names.iter().map(|name| member(&app.app.ids, name, week_ago)).collect();
    insert(store, &members).await;
    let idea = idea(app, &members[0], "Quiet nights", app.now());
    publish(store, std::slice::from_ref(&idea)).await;
    (members, idea.0)
}

pub fn idea(app: &TestApp, author: &Member, title: &str, at: Timestamp) -> (Post, Thread) {
    post(&app.app.ids, author, PostKind::Idea, title, at)
}

pub async fn run_at(app: &TestApp, at: &str) -> Vec<Message> {
    app.app.clock.set(time(at));
    digest::run(&app.app).await.unwrap();
    app.take_mail()
}

pub fn to(mail: &[Message]) -> Vec<&str> {
    let mut to: Vec<&str> = mail.iter().map(|message| message.to_name.as_str()).collect();
    to.sort_unstable();
    to
}

async fn unread_of(app: &App, member: &Member) -> Option<Message> {
    digest::preview(app, member).await.unwrap().map(|preview| preview.message)
}

on_both_stores! {
    /// However often it is asked for, by however many workers, with a clock that goes back.
    async fn a_digest_is_planned_and_sent_once(app: &TestApp) {
        let names: Vec<String> = (0..30).map(|number| format!("Member {number:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        community(app, &names).await;
        assert!(run_at(app, "2026-03-03T07:29:59Z").await.is_empty());

        app.app.clock.set(time(TUESDAY));
        let (one, two) = tokio::join!(digest::run(&app.app), digest::run(&app.app));
        assert_eq!(one.unwrap().planned + two.unwrap().planned, 30);
        for _ in 0..3 {
            digest::run(&app.app).await.unwrap();
        }
        // Whoever wrote the only post has nothing to read.
        assert_eq!(to(&app.take_mail()), names[1..]);
        assert!(waiting(&app.app.store).await.is_empty());

        for at in ["2026-03-03T06:30:00Z", "2026-03-02T07:30:00Z", TUESDAY, "2026-03-04T07:30:00Z"] {
            assert!(run_at(app, at).await.is_empty(), "at {at}");
        }
    }

    /// 250 members are three pages; a commit holds a page.
    async fn planning_costs_a_commit_for_each_page(app: &TestApp) {
        let now = app.now();
        let members: Vec<Member> =
            (0..250).map(|number| member(&app.app.ids, &format!("Member {number}"), now)).collect();
        insert(&app.app.store, &members).await;
        app.app.clock.set(time(TUESDAY));
        let before = app.app.store.calls();
        assert_eq!(digest::plan(&app.app).await.unwrap(), 250);
        assert_eq!(app.app.store.calls() - before, 6);
        assert_eq!(waiting(&app.app.store).await.len(), 250);
    }

    /// Windows follow London's clock through both changes, and each begins where the last one ended.
    async fn clock_changes_neither_skip_nor_repeat_a_week(app: &TestApp) {
        for (start, weeks) in [("2026-03-16T12:00:00Z", 4), ("2026-10-12T12:00:00Z", 4)] {
            app.app.clock.set(time(start));
            let mut jo = member(&app.app.ids, "Jo Bloggs", app.now());
            jo.email_key = start.to_owned();
            // An hour that does not exist on 29 March and comes twice on 25 October.
            jo.digest.weekday = Weekday::Sun;
            jo.digest.minute = 90;
            jo.digest_due_at = next_due(&jo.digest, app.now());
            insert(&app.app.store, [&jo]).await;
            // A worker that looks every 10 minutes.
            for _ in 0..weeks * 7 * 24 * 6 {
                app.advance(TimeDelta::minutes(10));
                if reload(&app.app.store, &jo.id).await.digest_due_at.is_some_and(|due| due <= app.now()) {
                    digest::run(&app.app).await.unwrap();
                }
            }
            let digests = digests_of(&app.app.store, &jo).await;
            assert_eq!(digests.len(), weeks);
            assert_eq!(digests[0].from, time(start));
            assert!(digests.windows(2).all(|pair| pair[0].until == pair[1].from));
            assert!(digests.iter().all(|digest| digest.until.london().format("%a").to_string() == "Sun"));
        }
    }

    async fn week_53_is_followed_by_week_1(app: &TestApp) {
        app.app.clock.set(time("2026-12-30T12:00:00Z"));
        let (jo, asha) = (member(&app.app.ids, "Jo", app.now()), member(&app.app.ids, "Asha", app.now()));
        let mut jo = jo;
        jo.digest.weekday = Weekday::Fri;
        jo.digest_due_at = next_due(&jo.digest, app.now());
        insert(&app.app.store, [&jo, &asha]).await;
        let ideas = ["2026-12-31T23:59:59Z", "2027-01-01T07:30:00.001Z"].map(|at| idea(app, &asha, at, time(at)));
        publish(&app.app.store, &ideas).await;

        let first = run_at(app, "2027-01-01T07:30:00Z").await;
        assert_eq!(first[0].subject, "“2026-12-31T23:59:59Z”");
        assert!(first[0].text.contains("2026-12-31T23:59:59Z") && !first[0].text.contains("2027-01-01T07"));
        let second = run_at(app, "2027-01-08T07:30:00Z").await;
        assert!(second[0].text.contains("2027-01-01T07") && !second[0].text.contains("2026-12-31T23:59:59Z"));
        assert!(first[0].message_id != second[0].message_id);
    }

    /// A service that was away sends one letter about all that it missed.
    async fn missed_weeks_are_one_digest(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo"]).await;
        publish(&app.app.store, &[idea(app, &members[0], "Second week", time("2026-03-12T09:00:00Z"))]).await;
        let mail = run_at(app, "2026-03-26T12:00:00Z").await;
        assert_eq!(mail.len(), 1);
        assert_eq!(mail[0].subject, "“Second week” and 1 more");
        assert!(run_at(app, "2026-03-31T06:29:00Z").await.is_empty());
        let digests = digests_of(&app.app.store, &members[1]).await;
        assert_eq!(digests.len(), 1);
        assert_eq!(reload(&app.app.store, &members[1].id).await.digest_covered_until, digests[0].until);
    }

    /// Own posts, drafts, deleted and read ones are not news, nor is what is outside the window.
    async fn only_unread_posts_of_others_are_told(app: &TestApp) {
        let (members, told) = community(app, &["Asha", "Jo"]).await;
        let (asha, jo) = (&members[0], &members[1]);
        let now = app.now();
        let mut posts = vec![
            idea(app, jo, "Own", now),
            idea(app, asha, "Deleted", now),
            idea(app, asha, "Draft", now),
            idea(app, asha, "Read", now),
            idea(app, asha, "Read before it was changed", now),
            idea(app, asha, "Too early", jo.digest_covered_until.minus(TimeDelta::minutes(1))),
            idea(app, asha, "Too late", time(TUESDAY).plus(TimeDelta::milliseconds(1))),
        ];
        posts[1].0.state = PostState::Deleted;
        (posts[2].0.state, posts[2].0.published_at) = (PostState::Draft, None);
        publish(&app.app.store, &posts).await;
        let marks = [
            read(jo, &posts[3].0.thread, now),
            read(jo, &posts[4].0.thread, now.minus(TimeDelta::milliseconds(1))),
            read(asha, &told.thread, now),
        ];
        insert(&app.app.store, &marks).await;

        let mail = run_at(app, TUESDAY).await;
        let jos = mail.iter().find(|message| message.to_name == "Jo").unwrap();
        for (title, is_told) in [
            ("Quiet nights", true),
            ("Read before it was changed", true),
            ("* Own", false),
            ("Deleted", false),
            ("Draft", false),
            ("* Read\n", false),
            ("Too early", false),
            ("Too late", false),
        ] {
            assert_eq!(jos.text.contains(title), is_told, "{title} in {}", jos.text);
        }
        assert!(jos.subject.ends_with("” and 1 more"), "{}", jos.subject);
        let next = run_at(app, "2026-03-10T07:30:00Z").await;
        assert_eq!(to(&next), ["Jo"]);
        assert!(next[0].text.contains("Too late"));
    }

    async fn a_digest_is_never_empty(app: &TestApp) {
        let (members, idea) = community(app, &["Asha", "Jo"]).await;
        insert(&app.app.store, [&read(&members[1], &idea.thread, app.now())]).await;
        assert!(run_at(app, TUESDAY).await.is_empty());
        for member in &members {
            let digests = digests_of(&app.app.store, member).await;
            assert_eq!(digests.iter().map(|digest| digest.state).collect::<Vec<_>>(), [DigestState::Empty]);
        }
    }

    /// Replies to one's posts and comments, by others, not yet read.
    async fn replies_come_first_and_say_what_they_answer(app: &TestApp) {
        let store = &app.app.store;
        let now = app.now();
        let leeds = organisation("RR8", "Leeds Teaching Hospitals NHS Trust", now);
        let mut asha = member(&app.app.ids, "Asha O'Neill", now.minus(TimeDelta::days(6)));
        asha.organisation = Some(leeds.id.clone());
        let jo = member(&app.app.ids, "Jo", now.minus(TimeDelta::days(6)));
        insert(store, [&leeds]).await;
        insert(store, [&asha, &jo]).await;
        let question = post(&app.app.ids, &jo, PostKind::Question, "Who pays partners?", now.minus(TimeDelta::days(9)));
        let update = post(&app.app.ids, &asha, PostKind::Update, "Our new ward", now.minus(TimeDelta::days(9)));
        publish(store, &[question.clone(), update.clone()]).await;
        let say = |author: &Member, post: &Post, parent| comment(&app.app.ids, author, post, parent, app.now());
        let answer = say(&asha, &question.0, None);
        let own = say(&jo, &question.0, None);
        let remark = say(&jo, &update.0, None);
        app.advance(TimeDelta::minutes(1));
        let reaction = say(&asha, &update.0, Some(&remark));
        let mut deleted = say(&asha, &question.0, Some(&own));
        deleted.body = None;
        let elsewhere = say(&jo, &update.0, Some(&reaction));
        insert(store, [&answer, &own, &remark, &reaction, &deleted, &elsewhere]).await;

        let mail = run_at(app, TUESDAY).await;
        assert_eq!(to(&mail), ["Asha O'Neill", "Jo"]);
        let jos = mail.iter().find(|message| message.to_name == "Jo").unwrap();
        assert_eq!(jos.subject, "2 replies to you");
        let text = jos.text.replace(question.0.id.as_str(), "QUESTION").replace(update.0.id.as_str(), "UPDATE");
        let text = text.replace(answer.id.as_str(), "ANSWER").replace(reaction.id.as_str(), "REACTION");
        let text = text.replace(&app.url, "https://hope.example");
        let (body, _) = text.split_once("--").unwrap();
        let expected = "2 replies to you\nHOPE Network\n\n\nREPLIES AND MENTIONS\n\n\
            * Our new ward\n  \
            Reply by Asha O'Neill, Leeds Teaching Hospitals NHS Trust\n  \
            Asha O'Neill says something.\n  \
            This is a reply to your comment.\n  \
            https://hope.example/posts/UPDATE#REACTION\n\n\
            * Who pays partners?\n  \
            Reply by Asha O'Neill, Leeds Teaching Hospitals NHS Trust\n  \
            Asha O'Neill says something.\n  \
            This is a reply to your question.\n  \
            https://hope.example/posts/QUESTION#ANSWER";
        assert_eq!(body.trim(), expected);

        // Read meanwhile, they are not told: the window of the preview is empty of news.
        let (fresh, later) = (reload(store, &jo.id).await, time("2026-03-05T09:00:00Z"));
        app.app.clock.set(later);
        let late = say(&asha, &question.0, Some(&own));
        insert(store, [&late]).await;
        assert!(unread_of(&app.app, &fresh).await.is_some());
        insert(store, [&read(&jo, &question.0.thread, later)]).await;
        assert!(unread_of(&app.app, &fresh).await.is_none());
    }

    /// The same handful of questions for 10 posts as for 200, and the letter stays short.
    async fn a_digest_costs_the_same_in_a_busy_week(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo", "Mei"]).await;
        let others: Vec<Member> =
            (0..20).map(|n| member(&app.app.ids, &format!("Other {n}"), app.now())).collect();
        insert(&app.app.store, &others).await;
        let mut costs = Vec::new();
        for count in [10, 190] {
            let by = |n: usize| &others[n % 20];
            let posts: Vec<_> = (0..count).map(|n| idea(app, by(n), &format!("Idea {n}"), app.now())).collect();
            publish(&app.app.store, &posts).await;
            let comments: Vec<_> = (0..count)
                .map(|n| comment(&app.app.ids, by(n), &idea(app, &members[2], "x", app.now()).0, None, app.now()))
                .collect();
            insert(&app.app.store, &comments).await;
            let before = app.app.store.calls();
            let message = digest::preview(&app.app, &members[1]).await.unwrap().unwrap().message;
            costs.push(app.app.store.calls() - before);
            assert_eq!(message.text.matches("\n* ").count(), if count == 10 { 11 } else { 12 });
            assert!(message.html.len() < 100_000);
        }
        // With what digests are chosen from, which is read once for all of them.
        assert!(costs[0] == costs[1] && costs[0] <= 12, "{costs:?}");

        // With the job around it: leased, loaded, sent, recorded.
        app.app.clock.set(time(TUESDAY));
        digest::plan(&app.app).await.unwrap();
        let before = app.app.store.calls();
        let sent = jobs::run_due(&app.app).await.unwrap();
        assert_eq!(sent, 23);
        let each = (app.app.store.calls() - before) / sent as u64;
        eprintln!("{each} store calls a digest, of which {} to gather what is new", costs[0]);
        assert!(each <= 17, "{each} calls a digest");
    }

    /// Off and on again to a later hour of the same day: the second one waits for the week after.
    async fn a_second_digest_on_one_day_is_not_planned(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo"]).await;
        assert_eq!(run_at(app, TUESDAY).await.len(), 1);
        let noon = TimeDelta::hours(4);
        publish(&app.app.store, &[idea(app, &members[0], "Lunch", app.now().plus(noon))]).await;
        let later = |member: &mut Member| -> hope_exchange::error::Result<((), Batch)> {
            let mut preferences = member.digest.clone();
            preferences.minute = 18 * 60;
            member.choose_digest(preferences, time(TUESDAY));
            Ok(((), Batch::new()))
        };
        app.app.store.change(&members[1].id, later).await.unwrap();
        assert!(run_at(app, "2026-03-03T18:00:00Z").await.is_empty());
        let mail = run_at(app, "2026-03-10T18:00:00Z").await;
        assert!(mail.len() == 1 && mail[0].text.contains("Lunch"));
        let digests = digests_of(&app.app.store, &members[1]).await;
        assert!(digests.len() == 2 && digests[0].until == digests[1].from);
    }

    async fn a_preview_writes_and_sends_nothing(app: &TestApp) {
        let (members, idea) = community(app, &["Asha", "Jo"]).await;
        let before = reload(&app.app.store, &members[1].id).await;
        let preview = digest::preview(&app.app, &members[1]).await.unwrap().unwrap().message;
        assert!(preview.text.contains(&format!("{}/posts/{}", app.url, idea.id)));
        assert!(digest::preview(&app.app, &members[0]).await.unwrap().is_none());
        assert_eq!(reload(&app.app.store, &members[1].id).await, before);
        assert!(app.take_mail().is_empty() && waiting(&app.app.store).await.is_empty());
    }
}
