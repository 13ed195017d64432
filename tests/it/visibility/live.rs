//! What a member hears by subscriptions when everything that ever happened is told again.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        activity::{Activity, Told, What},
        comment::Comment,
        notification::Notification,
        thread::Thread,
    },
    store::Batch,
};
use serde_json::{Value as Json, json};

use super::schema::Schema;
use crate::{
    app::{Person, TestApp},
    community::all,
    live::Socket,
};

/// Everything that a member's subscriptions say: to all threads, to all that is published and to what they
/// are notified of.
pub async fn heard(app: &TestApp, schema: &Schema, person: &Person) -> String {
    let mut socket = Socket::of(app, person).await;
    let more = "thread { subject { title summary } comments(first: 10) { nodes { body { text } } } }";
    let activity = format!("{} {more}", schema.select_each("ThreadActivity"));
    let threads = all::<Thread>(&app.app.store).await;
    let mine = all::<Notification>(&app.app.store).await;
    let mine: Vec<_> = mine.into_iter().filter(|one| one.member.as_str() == person.id).collect();
    // Of what each subscription is told last, and how often.
    let mut waits: BTreeMap<String, usize> = BTreeMap::new();
    for thread in &threads {
        let query = format!("threadActivity(threadId: \"{}\") {{ {activity} }}", thread.id);
        listen(&mut socket, thread.id.as_str(), &query).await;
        waits.insert(thread.id.to_string(), 1);
    }
    for of in ["Post", "CaseStudy"] {
        let query = format!("contributionPublished {{ ... on {of} {{ {} }} }}", schema.select_each(of));
        listen(&mut socket, of, &query).await;
        // A partner is told of what they were invited to alone.
        let list = if of == "Post" { "posts" } else { "caseStudies" };
        let query = format!("{{ {list}(first: 50) {{ nodes {{ title }} }} }}");
        let there = app.graphql(&person.token, &query, json!({})).await["data"][list]["nodes"].clone();
        let there = there.as_array().unwrap();
        let public = there.iter().filter(|node| is_public(node["title"].as_str().unwrap()));
        waits.insert(of.to_owned(), public.count());
    }
    let query = format!("notificationReceived {{ {} }}", schema.select_each("Notification"));
    listen(&mut socket, "Notification", &query).await;
    waits.insert("Notification".to_owned(), mine.len());
    waits.retain(|_, times| *times > 0);

    socket.say(json!({ "type": "ping" })).await;
    let mut heard = String::new();
    let mut told = false;
    while !told || !waits.is_empty() {
        let said = socket.said().await;
        heard.push_str(&said.to_string());
        assert_eq!(said["payload"]["errors"], Json::Null, "{said}");
        match said["type"].as_str().unwrap() {
            "pong" => {
                tell(app, &threads, &mine).await;
                told = true;
            }
            "error" => drop(waits.remove(said["id"].as_str().unwrap())),
            _ if is_last(&said["payload"]["data"]) => {
                // There may be more than was waited for: what happened just before is told late at times.
                if let Some(times) = waits.get_mut(said["id"].as_str().unwrap()) {
                    *times -= 1;
                }
                waits.retain(|_, times| *times > 0);
            }
            _ => {}
        }
    }
    heard
}

async fn listen(socket: &mut Socket, id: &str, query: &str) {
    let payload = json!({ "query": format!("subscription {{ {query} }}") });
    socket.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
}

/// Whether it is what [`tell`] tells of last: of a thread, its subject; of what is published, what is so
/// for everybody. Notifications are counted.
fn is_last(data: &Json) -> bool {
    data["threadActivity"]["kind"] == "SUBJECT_CHANGED"
        || data["contributionPublished"]["title"].as_str().is_some_and(is_public)
        || data["notificationReceived"].is_object()
}

fn is_public(title: &str) -> bool {
    title.starts_with("An open") || title.starts_with("An idea")
}

/// Tells of everything that there is as if it had just happened, what everybody sees last.
async fn tell(app: &TestApp, threads: &[Thread], mine: &[Notification]) {
    let comments = all::<Comment>(&app.app.store).await;
    let mut news = Vec::new();
    for thread in threads.iter().rev() {
        for comment in comments.iter().filter(|comment| comment.thread == thread.id) {
            news.push((What::CommentAdded { comment: comment.id.clone() }, thread.id.clone()));
            news.push((What::AnswerAccepted { comment: comment.id.clone() }, thread.id.clone()));
        }
        let contribution = thread.subject.clone();
        news.push((What::Changed { contribution: contribution.clone() }, thread.id.clone()));
        news.push((What::Published { contribution }, Activity::nowhere()));
    }
    for one in mine {
        let told = vec![Told { member: one.member.clone(), notification: one.id.clone() }];
        news.push((What::Notified { told }, Activity::nowhere()));
    }
    for (what, thread) in news {
        app.advance(TimeDelta::milliseconds(2));
        let (id, nobody) = (app.app.ids.fresh(), Activity::nobody());
        let activity = Activity::new(id, &nobody, what, &thread, Vec::new(), app.now());
        app.app.store.commit(Batch::new().insert(&activity)).await.unwrap();
    }
}
