//! The audit log: an entry for every act, in its commit, for moderators to read and nobody to change.

use chrono::TimeDelta;
use hope_exchange::{domain::audit::AuditEntry, jobs};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    case_studies::with,
    community::all,
    moderation::{House, comment, house, post},
    on_both_stores,
};

const LOG: &str = "query($actor: ID, $subject: ID, $action: AuditAction, $first: Int, $after: String) {
    auditLog(actorId: $actor, subjectId: $subject, action: $action, first: $first, after: $after) {
      totalCount pageInfo { endCursor } nodes { id action actor { name } subjectId subject { id } reason at
        before { state locked pinned suspended suspendedUntil report accepted version }
        after { state locked pinned suspended suspendedUntil report accepted version }
        personalData { field kind start end } } } }";
const NHS_NUMBER: &str = "943 476 5919";

async fn log(app: &TestApp, by: &Person, variables: Json) -> Json {
    let answer = app.graphql(&by.token, LOG, variables).await;
    if answer["errors"].is_array() {
        answer["errors"][0]["extensions"]["code"].clone()
    } else {
        answer["data"]["auditLog"].clone()
    }
}

fn actions(log: &Json) -> Vec<&str> {
    let nodes = log["nodes"].as_array().unwrap_or_else(|| panic!("{log}"));
    nodes.iter().map(|node| node["action"].as_str().unwrap()).collect()
}

/// The facts that are told.
fn facts(facts: &Json) -> Json {
    let told = facts.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    Json::Object(told.map(|(key, value)| (key.clone(), value.clone())).collect())
}

on_both_stores! {
    async fn every_act_leaves_one_entry(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let id = post(app, &ada, "Swordfish").await;
        let thread = id.replacen("pst", "thr", 1);
        let report = app.mutate(&grace, "reportContent", &json!({ "subjectId": id, "reason": "PATIENT_IDENTIFIABLE" }), "report { id }").await["report"]["id"].clone();
        let steps = [
            ("resolveReport", json!({ "id": report, "decision": "DISMISS" })),
            ("hideContent", json!({ "subjectId": id })), ("hideContent", json!({ "subjectId": id })), ("restoreContent", json!({ "subjectId": id })),
            ("lockThread", json!({ "threadId": thread })), ("lockThread", json!({ "threadId": thread })), ("unlockThread", json!({ "threadId": thread })),
            ("pinContribution", json!({ "contributionId": id })), ("unpinContribution", json!({ "contributionId": id })),
            ("warnMember", json!({ "memberId": ada.id })), ("suspendMember", json!({ "memberId": ada.id, "until": "2026-04-01T00:00:00Z" })), ("reinstateMember", json!({ "memberId": ada.id })),
        ];
        for (mutation, input) in steps {
            app.advance(TimeDelta::seconds(1));
            let done = app.mutate(&mary, mutation, &with(input, &json!({ "reason": format!("Why {mutation}") })), "").await;
            assert_eq!(done["userErrors"], json!([]), "{mutation}: {done}");
        }
        let found = log(app, &mary, json!({ "first": 50 })).await;
        // What happened in one commit is in no order.
        let mut nodes = found["nodes"].as_array().unwrap().clone();
        nodes[9..11].sort_by_key(|node| node["action"].to_string());
        assert_eq!(actions(&json!({ "nodes": nodes })), ["REINSTATE_MEMBER", "SUSPEND_MEMBER", "WARN_MEMBER", "UNPIN_CONTRIBUTION", "PIN_CONTRIBUTION", "UNLOCK_THREAD", "LOCK_THREAD",
            "RESTORE_CONTENT", "HIDE_CONTENT", "DISMISS_REPORT", "RESTORE_CONTENT", "HIDE_UNTIL_REVIEWED"]);
        let told = |at: usize| (facts(&nodes[at]["before"]), facts(&nodes[at]["after"]));
        assert_eq!(told(0), (json!({ "suspended": true, "suspendedUntil": "2026-04-01T00:00:00.000Z" }), json!({ "suspended": false })));
        assert_eq!(told(4), (json!({ "pinned": false }), json!({ "pinned": true })));
        assert_eq!(told(6), (json!({ "locked": false }), json!({ "locked": true })));
        assert_eq!(told(8), (json!({ "state": "PUBLISHED" }), json!({ "state": "HIDDEN" })));
        assert_eq!(told(9), (json!({ "report": "OPEN" }), json!({ "report": "DISMISSED" })));
        assert_eq!((&nodes[8]["reason"], &nodes[8]["actor"]["name"], &nodes[8]["subjectId"], &nodes[8]["subject"]["id"]), (&json!("Why hideContent"), &json!("Mary Ward"), &json!(id), &json!(id)));
        assert_eq!((&nodes[11]["actor"]["name"], &nodes[11]["reason"]), (&json!("Grace Hill"), &Json::Null));
        let kept = serde_json::to_string(&all::<AuditEntry>(&app.app.store).await).unwrap();
        assert!(!kept.contains("Swordfish") && !kept.contains("nhs.uk") && !kept.contains("Ada"), "facts, and neither words nor names: {kept}");

        assert_eq!(log(app, &mary, json!({ "subject": id })).await["totalCount"], 6);
        assert_eq!(log(app, &mary, json!({ "actor": grace.id })).await["totalCount"], 1);
        assert_eq!(log(app, &mary, json!({ "action": "RESTORE_CONTENT", "actor": mary.id, "subject": id })).await["totalCount"], 2);
        assert_eq!(log(app, &mary, json!({ "actor": "nonsense" })).await["totalCount"], 0);
        let first = log(app, &mary, json!({ "first": 5 })).await;
        let second = log(app, &mary, json!({ "first": 50, "after": first["pageInfo"]["endCursor"] })).await;
        assert_eq!((actions(&first).len(), actions(&second).len()), (5, 7));
        for person in [&ada, &grace] {
            assert_eq!(log(app, person, json!({})).await, "FORBIDDEN");
            let node = app.graphql(&person.token, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": nodes[0]["id"] })).await;
            assert_eq!(node["data"]["node"], Json::Null);
        }
        let node = app.graphql(&mary.token, "query($id: ID!) { node(id: $id) { ... on AuditEntry { action } } }", json!({ "id": nodes[0]["id"] })).await;
        assert_eq!(node["data"]["node"]["action"], "REINSTATE_MEMBER");
    }

    async fn what_moderators_do_to_others_words_is_kept(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let id = post(app, &ada, "A question").await;
        let said = comment(app, &grace, &id, "An answer").await;
        let study = app.case_study(&ada, &json!({ "coAuthorIds": [grace.id] })).await;
        let steps = |version: i64| [
            ("acceptAnswer", json!({ "commentId": said })), ("unacceptAnswer", json!({ "commentId": said })),
            ("updateComment", json!({ "id": said, "expectedVersion": version, "body": format!("Better {version}") })),
            ("updatePost", json!({ "id": id, "expectedVersion": version + 2, "title": format!("Better {version}") })),
            ("updateCaseStudy", json!({ "id": study, "expectedVersion": version + 1, "title": format!("Better {version}") })),
            ("archiveCaseStudy", json!({ "id": study })), ("publishCaseStudy", json!({ "id": study })),
        ];
        for (mutation, input) in steps(1) {
            let input = if mutation == "updatePost" { with(input, &json!({ "expectedVersion": 1 })) } else { input };
            let by = if mutation == "updateComment" || mutation.ends_with("Study") { &grace } else { &ada };
            assert_eq!(app.mutate(by, mutation, &input, "").await["userErrors"], json!([]), "{mutation}");
        }
        assert_eq!(all::<AuditEntry>(&app.app.store).await, [], "members do what they like with their own");
        for (mutation, input) in [
            ("acceptAnswer", json!({ "commentId": said })), ("unacceptAnswer", json!({ "commentId": said })),
            ("updateComment", json!({ "id": said, "expectedVersion": 2, "body": "Best" })), ("updatePost", json!({ "id": id, "expectedVersion": 2, "title": "Best" })),
            ("updateCaseStudy", json!({ "id": study, "expectedVersion": 5, "title": "Best" })), ("archiveCaseStudy", json!({ "id": study })), ("publishCaseStudy", json!({ "id": study })),
            ("deleteComment", json!({ "id": said })), ("deletePost", json!({ "id": id })), ("deleteCaseStudy", json!({ "id": study })),
        ] {
            app.advance(TimeDelta::seconds(1));
            let done = app.mutate(&mary, mutation, &input, "").await;
            assert_eq!(done["userErrors"], json!([]), "{mutation}: {done}");
        }
        let found = log(app, &mary, json!({ "first": 50 })).await;
        assert_eq!(actions(&found), ["DELETE_CONTENT", "DELETE_CONTENT", "DELETE_CONTENT", "PUBLISH_CONTENT", "ARCHIVE_CONTENT", "EDIT_CONTENT", "EDIT_CONTENT", "EDIT_CONTENT", "UNACCEPT_ANSWER", "ACCEPT_ANSWER"]);
        let edit = &found["nodes"][6];
        assert_eq!((facts(&edit["before"]), facts(&edit["after"])), (json!({ "state": "PUBLISHED", "version": 2 }), json!({ "state": "PUBLISHED", "version": 3 })));
        let left = app.graphql(&ada.token, "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contribution { tombstone } } }", json!({ "ids": [id, study] })).await;
        let sentence = format!("Deleted by a moderator on {}.", app.now().date_in_words());
        assert_eq!(left["data"]["nodes"], json!([{ "tombstone": sentence }, { "tombstone": sentence }]));
    }

    async fn an_override_is_kept_by_kind_and_place_alone(app: &TestApp) {
        let House { ada, mary, .. } = house(app).await;
        let title = format!("Call {NHS_NUMBER}");
        let input = json!({ "kind": "IDEA", "title": title, "body": "x", "topicIds": ["top_volunteering"], "publish": true });
        let overridden = |input: &Json| with(input.clone(), &json!({ "overridePersonalData": { "reason": "It is the example of the data dictionary." } }));
        assert_eq!(app.mutate(&ada, "createPost", &overridden(&input), "").await, "FORBIDDEN", "moderators alone");
        assert_eq!(app.mutate(&mary, "createPost", &input, "").await["userErrors"][0]["code"], "PERSONAL_DATA");
        let without = with(input.clone(), &json!({ "overridePersonalData": { "reason": " " } }));
        assert_eq!(app.mutate(&mary, "createPost", &without, "").await["userErrors"][0]["field"], json!(["overridePersonalData", "reason"]));
        let id = app.mutate(&mary, "createPost", &overridden(&input), "post { id title }").await["post"].clone();
        assert_eq!(id["title"], json!(title));

        let body = json!({ "id": id["id"], "expectedVersion": 1, "body": format!("DOB 12/03/1956 and {NHS_NUMBER}") });
        assert_eq!(app.mutate(&mary, "updatePost", &overridden(&body), "").await["userErrors"], json!([]));
        let added = json!({ "threadId": id["id"].as_str().unwrap().replacen("pst", "thr", 1), "body": NHS_NUMBER });
        let said = app.mutate(&mary, "addComment", &overridden(&added), "comment { id }").await["comment"]["id"].clone();
        let edited = json!({ "id": said, "expectedVersion": 1, "body": format!("Or {NHS_NUMBER}") });
        assert_eq!(app.mutate(&mary, "updateComment", &overridden(&edited), "").await["userErrors"], json!([]));
        let study = json!({ "title": "A study", "aim": format!("Of {NHS_NUMBER}") });
        let study = app.mutate(&mary, "createCaseStudy", &overridden(&study), "caseStudy { id }").await["caseStudy"]["id"].clone();
        let change = json!({ "id": study, "expectedVersion": 1, "advice": format!("Ask {NHS_NUMBER}") });
        assert_eq!(app.mutate(&mary, "updateCaseStudy", &overridden(&change), "").await["userErrors"], json!([]));
        // Nothing to override: nothing to keep.
        app.mutate(&mary, "updatePost", &overridden(&json!({ "id": id["id"], "expectedVersion": 2, "body": "Harmless." })), "").await;

        let found = log(app, &mary, json!({ "first": 50 })).await;
        assert_eq!(actions(&found), ["OVERRIDE_PERSONAL_DATA"; 6], "{found}");
        let of = |subject: &Json| {
            let nodes = found["nodes"].as_array().unwrap().iter().filter(|node| node["subjectId"] == *subject);
            let mut places: Vec<Json> = nodes.flat_map(|node| node["personalData"].as_array().unwrap().clone()).collect();
            places.sort_by_key(Json::to_string);
            places
        };
        let place = |field: &str, kind: &str, start: usize, end: usize| json!({ "field": field, "kind": kind, "start": start, "end": end });
        assert_eq!(of(&id["id"]), [place("body", "DATE_OF_BIRTH", 4, 14), place("title", "NHS_NUMBER", 5, 17), place("body", "NHS_NUMBER", 19, 31)]);
        assert_eq!(of(&said), [place("body", "NHS_NUMBER", 0, 12), place("body", "NHS_NUMBER", 3, 15)]);
        assert_eq!(of(&study), [place("aim", "NHS_NUMBER", 3, 15), place("advice", "NHS_NUMBER", 4, 16)]);
        let kept = serde_json::to_string(&all::<AuditEntry>(&app.app.store).await).unwrap();
        assert!(!kept.contains("943 4") && !kept.contains("03/1956"), "{kept}");
    }

    async fn a_draft_that_the_guard_blocks_is_published_with_a_reason(app: &TestApp) {
        let House { ada, mary, .. } = house(app).await;
        let reason = json!({ "overridePersonalData": { "reason": "It is the example of the data dictionary." } });
        let event = json!({ "startsAt": "2026-06-01T10:00:00.000Z", "location": format!("Ask {NHS_NUMBER}") });
        let input = json!({ "kind": "EVENT", "title": "Come", "body": NHS_NUMBER, "topicIds": ["top_volunteering"], "tags": [NHS_NUMBER], "event": event });
        let draft = app.mutate(&mary, "createPost", &with(input, &reason), "post { id }").await["post"].clone();
        let state = async || app.graphql(&mary.token, "query($id: ID!) { node(id: $id) { ... on Post { state } } }", draft.clone()).await["data"]["node"]["state"].clone();
        let refused = app.mutate(&mary, "publishPost", &draft, "").await;
        let fields: Vec<&Json> = refused["userErrors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert_eq!(fields, [&json!(["body"]), &json!(["event", "location"])], "{refused}");
        for (words, code) in [(" ", "REQUIRED"), (NHS_NUMBER, "PERSONAL_DATA"), ("Ask jo@example.com", "PERSONAL_DATA")] {
            let refused = app.mutate(&mary, "publishPost", &with(draft.clone(), &json!({ "overridePersonalData": { "reason": words } })), "").await;
            assert_eq!((&refused["userErrors"][0]["field"], &refused["userErrors"][0]["code"]), (&json!(["overridePersonalData", "reason"]), &json!(code)));
        }
        assert_eq!(state().await, "DRAFT");
        app.advance(TimeDelta::seconds(1));
        let published = app.mutate(&mary, "publishPost", &with(draft.clone(), &reason), "post { state version }").await;
        assert_eq!(published["post"], json!({ "state": "PUBLISHED", "version": 2 }), "{published}");

        let found = log(app, &mary, json!({ "subject": draft["id"] })).await;
        assert_eq!(actions(&found), ["OVERRIDE_PERSONAL_DATA"; 2], "once for the draft, once for what everybody reads");
        let places = |at: usize| found["nodes"][at]["personalData"].as_array().unwrap().iter().map(|place| place["field"].as_str().unwrap()).collect::<Vec<_>>();
        assert_eq!((places(0), places(1)), (vec!["body", "event.location"], vec!["body", "tags.0", "event.location"]));
        assert_eq!(found["nodes"][0]["reason"], reason["overridePersonalData"]["reason"]);
        let moved = json!({ "id": draft["id"], "expectedVersion": 2, "event": { "startsAt": "2026-06-01T10:00:00.000Z", "location": format!("Or ask {NHS_NUMBER}") } });
        assert_eq!(app.mutate(&mary, "updatePost", &with(moved, &reason), "").await["userErrors"], json!([]));
        assert_eq!(log(app, &mary, json!({ "subject": draft["id"] })).await["totalCount"], 3);

        // A draft of before the guard knew: only its author could publish it, and no author can override.
        let id = app.create_post(&ada, json!({ "kind": "IDEA", "title": "A title", "body": "x", "topicIds": ["top_volunteering"] })).await;
        let blocked = with(json!({ "id": id }), &reason);
        assert_eq!(app.mutate(&ada, "publishPost", &blocked, "").await, "FORBIDDEN");
        assert_eq!(app.mutate(&mary, "publishPost", &blocked, "").await, "NOT_FOUND");
    }

    async fn nothing_takes_entries_away(app: &TestApp) {
        let House { ada, mary, .. } = house(app).await;
        let id = post(app, &ada, "Something").await;
        app.mutate(&mary, "hideContent", &json!({ "subjectId": id, "reason": "No." }), "").await;
        let before = all::<AuditEntry>(&app.app.store).await;
        app.advance(TimeDelta::days(4_000));
        jobs::purge(&app.app).await.unwrap();
        assert_eq!((before.len(), all::<AuditEntry>(&app.app.store).await), (1, before));
        let mutations = app.graphql(&app.sign_in_again(&mary).token, "{ __schema { mutationType { fields { name } } } }", json!({})).await.to_string();
        assert!(mutations.contains("hideContent") && !mutations.to_lowercase().contains("audit"), "{mutations}");
    }
}

/// Entries are inserted in one place, and no code replaces, patches or deletes them.
#[test]
fn one_file_writes_entries_and_only_adds_them() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    crate::architecture::sources(&src, &mut files);
    // A demonstration fills an empty store, and has no past to change.
    files.retain(|path| !path.starts_with(src.join("demo")));
    for path in files {
        let code = std::fs::read_to_string(&path).unwrap();
        let makes = code.contains("AuditEntry {") && !code.contains("impl AuditEntry {");
        let own = path.ends_with("actions/audit.rs");
        assert!(!makes || own, "{} makes entries", path.display());
        if own {
            for write in [".replace(", ".patch(", ".delete(", ".increment(", ".change("] {
                assert!(!code.contains(write), "{} has {write}", path.display());
            }
        } else if code.contains("AuditEntry") {
            // Those who tell of acts load entries by their ids, and write other things.
            let reads = path.ends_with("jobs/notify.rs") || path.ends_with("jobs/notification_mail.rs");
            let touches = code.contains("AuditEntry::");
            // The name of who is erased is taken out of reasons, with all else that anybody wrote: a test of
            // erasures holds it to that.
            let cleans =
                path.ends_with("jobs/erasure/rewriting.rs") && code.matches("AuditEntry>").count() == 1;
            assert!(
                if reads || cleans { !touches } else { !code.contains("Batch::") },
                "{} knows of entries and writes",
                path.display()
            );
        }
    }
}
