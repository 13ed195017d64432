//! Only what the viewer may see, whichever way they ask: a community with secrets of every kind is
//! walked along every field of the schema, and listened to, by everybody.

mod live;
mod schema;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};

use hope_exchange::{
    domain::{member::Role, permission::Permission},
    jobs,
    mail::Message,
};
use serde_json::{Value as Json, json};

use self::{
    live::heard,
    schema::{Schema, named},
    secrets::{SECRETS, break_rules, cast, done, inside, of, outside, public, secrets},
};
use crate::{
    app::{Person, TestApp},
    case_studies::with,
    on_both_stores,
};

/// The words of the secrets that are in a text.
fn words(text: &str) -> BTreeSet<&'static str> {
    SECRETS.iter().map(|secret| secret.word).filter(|word| text.contains(word)).collect()
}

/// The words of the secrets that a member may read.
fn may_read(part: &str) -> BTreeSet<&'static str> {
    SECRETS.iter().filter(|secret| secret.readers.contains(&part)).map(|secret| secret.word).collect()
}

/// Whether a query asks for what moderators may not.
fn is_for_administrators(query: &str) -> bool {
    let name = query.trim_start_matches(['{', ' ']).split(['(', ' ']).next().unwrap();
    Permission::named(name).is_some_and(|row| row.least() == Role::Administrator)
}

/// The secrets that a member gets by the walk, and what they should not have got: a secret of others, or
/// an error but for what they may not ask.
async fn walked(
    app: &TestApp,
    schema: &Schema,
    part: &str,
    person: &Person,
) -> (BTreeSet<&'static str>, Vec<String>) {
    let (mut read, mut wrong) = (BTreeSet::new(), Vec::new());
    for query in schema.walk() {
        let answer = app.graphql(&person.token, &query, json!({})).await;
        for error in answer["errors"].as_array().into_iter().flatten() {
            let no_such_order = query.contains("feed(") && query.contains("SOONEST");
            let expected = if no_such_order { "BAD_REQUEST" } else { "FORBIDDEN" };
            let may_ask = part == "moderator" && !is_for_administrators(&query);
            if (may_ask && !no_such_order) || error["extensions"]["code"] != expected {
                wrong.push(format!("{part}: {query}: {error}"));
            }
        }
        let text = answer.to_string();
        for secret in SECRETS.iter().filter(|secret| text.contains(secret.word)) {
            if !secret.readers.contains(&part) {
                wrong.push(format!("{part} reads {}: {query}: {answer}", secret.word));
            }
            read.insert(secret.word);
        }
    }
    (read, wrong)
}

/// How long every list is for a member, whatever it is asked with.
async fn counts(app: &TestApp, schema: &Schema, person: &Person) -> BTreeMap<String, Json> {
    let mut counts = BTreeMap::new();
    for root in ["Query", "Viewer"] {
        for field in schema.fields(root) {
            if schema.items(&named(&field["type"]).0).is_none() {
                continue;
            }
            for arguments in schema.arguments(field, true) {
                let list = format!(
                    "{}({arguments}) {{ totalCount nodes {{ __typename }} }}",
                    field["name"].as_str().unwrap()
                );
                let query = if root == "Viewer" {
                    format!("{{ viewer {{ {list} }} }}")
                } else {
                    format!("{{ {list} }}")
                };
                let answer = app.graphql(&person.token, &query, json!({})).await;
                counts.insert(query, with(answer, &json!({ "extensions": null })));
            }
        }
    }
    counts
}

on_both_stores! {
    async fn nobody_reads_what_is_not_for_them_whichever_way_they_ask(app: &TestApp) {
        let cast = cast(app).await;
        let (question, _) = public(app, &cast).await;
        let early = Schema::read(app, of(&cast, "moderator")).await;
        let outsiders = ["other", "partner", "invited"];
        let mut before = Vec::new();
        for part in outsiders {
            before.push(counts(app, &early, of(&cast, part)).await);
        }
        let thread = "query($id: ID!) { node(id: $id) { ... on Post { thread { commentCount } acceptedAnswer { id } reactions { count } } } }";
        let about = async || app.graphql(&of(&cast, "other").token, thread, json!({ "id": question })).await["data"]["node"].clone();
        let thread_before = about().await;
        secrets(app, &cast, &question).await;

        // Two replies to what was taken away are there to read; nothing else is counted.
        let thread_now = about().await;
        assert_eq!(thread_now["thread"]["commentCount"], thread_before["thread"]["commentCount"].as_i64().unwrap() + 2);
        assert_eq!((&thread_now["acceptedAnswer"], &thread_now["reactions"]), (&Json::Null, &thread_before["reactions"]));
        for (part, before) in outsiders.iter().zip(before) {
            let now = counts(app, &early, of(&cast, part)).await;
            for (query, count) in before {
                // That they were told of something stays, and says no more than that.
                if query.contains("notifications(") {
                    assert_eq!(now[&query]["data"]["viewer"]["notifications"]["totalCount"], if *part == "invited" { 0 } else { 2 }, "{part}: {query}");
                } else {
                    assert_eq!(now[&query], count, "{part}: {query}");
                }
            }
        }

        let schema = Schema::read(app, of(&cast, "moderator")).await;
        // Whoever is suspended asks nothing.
        let walkers = cast.iter().filter(|(part, _)| *part != "outcast");
        let all = walkers.map(async |(part, person)| (*part, walked(app, &schema, part, person).await));
        for (part, (read, wrong)) in futures_util::future::join_all(all).await {
            assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
            assert_eq!(read, may_read(part), "the walk of the {part} shows all that is for them");
        }
        for (part, person) in cast.iter().filter(|(part, _)| *part != "outcast") {
            let heard = words(&heard(app, &schema, person).await);
            assert!(heard.is_subset(&may_read(part)), "the {part} hears {heard:?}");
        }
    }

    /// Neither in lists nor in counts, nor by being told of it.
    async fn what_a_partner_was_not_invited_to_is_not_there(app: &TestApp) {
        let cast = cast(app).await;
        // After they joined, so that digests tell of it.
        app.advance(chrono::TimeDelta::minutes(1));
        inside(app, &cast).await;
        let invited = of(&cast, "invited");
        done(app, invited, "follow", json!({ "subjectId": of(&cast, "author").id })).await;
        jobs::run_due(&app.app).await.unwrap();
        let schema = Schema::read(app, of(&cast, "moderator")).await;
        let before = counts(app, &schema, invited).await;
        let feed = "{ feed(first: 10) { totalCount } posts(first: 10) { totalCount } following: feed(scope: FOLLOWING, first: 10) { totalCount } }";
        let seen = app.graphql(&invited.token, feed, json!({})).await["data"].clone();
        assert_eq!(seen, json!({ "feed": { "totalCount": 1 }, "posts": { "totalCount": 1 }, "following": { "totalCount": 1 } }));
        outside(app, &cast).await;
        jobs::run_due(&app.app).await.unwrap();
        let now = counts(app, &schema, invited).await;
        for (query, count) in before {
            assert_eq!(now[&query], count, "{query}");
        }
        let schema = Schema::read(app, of(&cast, "moderator")).await;
        for query in schema.walk() {
            let answer = app.graphql(&invited.token, &query, json!({})).await.to_string();
            assert!(!answer.contains("zqoutside"), "{query}: {answer}");
        }
        // Nor can they put something where they were not invited to.
        let input = json!({ "kind": "IDEA", "title": "Mine", "body": "Mine.", "topicIds": ["top_volunteering"], "publish": true });
        let refused = app.mutate(invited, "createPost", &input, "").await;
        assert_eq!(refused["userErrors"][0]["code"], "INVALID", "{refused}");
        app.advance(chrono::TimeDelta::days(2));
        jobs::digest::run(&app.app).await.unwrap();
        let told = |name: &str, mail: &[Message]| {
            mail.iter().any(|mail| mail.to_name == name && mail.text.contains("zqoutside"))
        };
        let mail = app.take_mail();
        assert!(told("Joan Clarke", &mail) && !told("Ruth Lamb", &mail));
        assert!(mail.iter().any(|mail| mail.to_name == "Ruth Lamb" && mail.text.contains("zqinside")));
    }

    /// The walk would notice: with every rule broken it reports every secret, wherever there is a way to it.
    async fn a_broken_rule_is_noticed_whichever_way_it_shows(app: &TestApp) {
        let cast = cast(app).await;
        let (question, _) = public(app, &cast).await;
        let (other, early) = (of(&cast, "other"), Schema::read(app, of(&cast, "moderator")).await);
        let before = counts(app, &early, other).await;
        secrets(app, &cast, &question).await;
        break_rules(app, &cast, "other").await;

        let now = counts(app, &early, other).await;
        for list in ["feed(", "posts(", "caseStudies(", "tags(", "moderationQueue(", "auditLog("] {
            let noticed = before.iter().any(|(query, count)| query.contains(list) && now[query] != *count);
            assert!(noticed, "nobody would see that {list}…) has more");
        }
        let schema = Schema::read(app, other).await;
        let (read, wrong) = walked(app, &schema, "other", other).await;
        let all: BTreeSet<&str> = SECRETS.iter().map(|secret| secret.word).collect();
        assert_eq!(read, all);
        for word in all.difference(&may_read("other")) {
            assert!(wrong.iter().any(|line| line.starts_with(&format!("other reads {word}: "))), "{word} is not reported");
        }
        for way in ["nodes(ids", "node(id", "feed(", "posts(", "caseStudies(", "tags(", " pinned {", "moderationQueue(", "auditLog(", "notifications(", "thread {", "comments(", "revisions("] {
            assert!(wrong.iter().any(|line| line.split_once(": {").is_some_and(|(_, query)| query.contains(way))), "{way} is not among the ways");
        }
        let heard = heard(app, &schema, other).await;
        for word in ["zqhiddenpost", "zqdeletedpost", "zqdraftstudy", "zqtoldpost", "zqtoldcomment", "zqhiddencomment", "zqdeletedcomment"] {
            assert!(heard.contains(word), "{word} is not heard");
        }
    }

    /// Nothing that the schema has is left out of the walk.
    async fn the_walk_asks_for_every_field_of_every_type(app: &TestApp) {
        let cast = cast(app).await;
        let (question, _) = public(app, &cast).await;
        secrets(app, &cast, &question).await;
        let schema = Schema::read(app, of(&cast, "moderator")).await;
        let asked = schema.asked(&schema.walk());
        let all = schema.all();
        let left_out: Vec<_> = all.difference(&asked).collect();
        assert_eq!(left_out, [] as [&(String, String); 0]);
        let known = [("Revision", "changes"), ("Difference", "text"), ("Notification", "text"), ("AuditEntry", "reason"), ("Report", "note"), ("Comment", "quote"), ("Attachment", "name")];
        assert!(known.iter().all(|(of, field)| all.contains(&((*of).to_owned(), (*field).to_owned()))), "{all:?}");
    }
}
