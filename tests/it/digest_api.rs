//! Digests through GraphQL: choosing when they come, looking at one, what was sent, and editor's notes.

use chrono::TimeDelta;
use hope_exchange::{domain::member::Role, jobs::digest};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    digest::TUESDAY,
    on_both_stores,
};

const PREVIEW: &str = "{ viewer { digestPreview { subject text html more items {
    section aboutId title why score reasons { reason aboutId points } } } } }";

async fn preferences(app: &TestApp, person: &Person, input: Json) -> Json {
    let query = "mutation($input: UpdateDigestPreferencesInput!) { updateDigestPreferences(input: $input) {
        preferences { frequency weekday time pausedUntil nextAt } userErrors { field code } } }";
    app.graphql(&person.token, query, json!({ "input": input })).await["data"]["updateDigestPreferences"]
        .clone()
}

async fn note(app: &TestApp, person: &Person, input: Json) -> Json {
    let query = "mutation($input: SetEditorsNoteInput!) { setEditorsNote(input: $input) {
        editorsNote { week version text { text } pinned { id } } userErrors { field code } } }";
    app.graphql(&person.token, query, json!({ "input": input })).await["data"]["setEditorsNote"].clone()
}

async fn post(app: &TestApp, author: &Person, kind: &str, title: &str, topic: &str) -> String {
    let input =
        json!({ "kind": kind, "title": title, "body": "We tried it.", "topicIds": [topic], "publish": true });
    app.create_post(author, input).await
}

async fn preview(app: &TestApp, person: &Person) -> Json {
    let answer = app.graphql(&person.token, PREVIEW, json!({})).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["viewer"]["digestPreview"].clone()
}

/// The sections and titles of a preview, in order.
fn read(preview: &Json) -> Vec<(&str, &str)> {
    let items = preview["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| (item["section"].as_str().unwrap(), item["title"].as_str().unwrap())).collect()
}

on_both_stores! {
    async fn members_choose_when_digests_come(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let chosen = preferences(app, &ada, json!({ "frequency": "MONTHLY", "weekday": "THU", "time": "16:05" })).await;
        let expected = json!({ "frequency": "MONTHLY", "weekday": "THU", "time": "16:05", "pausedUntil": null, "nextAt": "2026-03-05T16:05:00.000Z" });
        assert_eq!(chosen, json!({ "preferences": expected, "userErrors": [] }));
        let paused = preferences(app, &ada, json!({ "frequency": "WEEKLY", "pausedUntil": "2026-04-02" })).await;
        assert_eq!(paused["preferences"]["nextAt"], "2026-04-02T15:05:00.000Z");
        let again = preferences(app, &ada, json!({ "pausedUntil": null })).await;
        assert_eq!(again["preferences"]["nextAt"], "2026-03-05T16:05:00.000Z");
        let off = preferences(app, &ada, json!({ "frequency": "OFF" })).await;
        assert_eq!(off["preferences"]["nextAt"], Json::Null);
        for (input, field) in [
            (json!({ "time": "24:00" }), "time"),
            (json!({ "time": "7.30" }), "time"),
            (json!({ "pausedUntil": "2026-03-02" }), "pausedUntil"),
            (json!({ "pausedUntil": "2027-03-05" }), "pausedUntil"),
        ] {
            let refused = preferences(app, &ada, input).await;
            assert_eq!(refused["userErrors"], json!([{ "field": [field], "code": "INVALID" }]));
        }
    }

    /// Each member sees what is for them, and why, in points.
    async fn a_preview_says_what_and_why(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let joan = app.person("Joan Clarke").await;
        app.change(&grace, |member| member.profile.experience_topics = vec![hope_exchange::ids::Id::of("volunteering")]).await;
        let question = post(app, &ada, "QUESTION", "Who trains volunteers?", "top_volunteering").await;
        let idea = post(app, &joan, "IDEA", "Quiet nights", "top_mental-health").await;
        app.advance(TimeDelta::minutes(1));

        let graces = preview(app, &grace).await;
        assert_eq!(read(&graces), [("QUESTIONS", "Who trains volunteers?"), ("NEW", "Quiet nights")]);
        assert_eq!(graces["subject"], "1 question you could answer and “Quiet nights”");
        let first = &graces["items"][0];
        assert_eq!((&first["aboutId"], &first["why"]), (&json!(question), &json!("You have experience of Volunteering. Nobody has answered it yet.")));
        assert_eq!(first["reasons"], json!([
            { "reason": "EXPERIENCE", "aboutId": "top_volunteering", "points": 4.0 },
            { "reason": "SAME_REGION", "aboutId": null, "points": 0.5 },
        ]));
        assert!(first["score"].as_f64().unwrap() > 4.9 && graces["items"][1]["score"].as_f64().unwrap() < 1.6);
        assert!(graces["text"].as_str().unwrap().contains(&idea) && graces["html"].as_str().unwrap().contains(&idea));
        // Somebody who knows nothing of volunteering sees a question like any other.
        assert!(read(&preview(app, &joan).await).contains(&("NEW", "Who trains volunteers?")));
        // What was hidden is in nobody's.
        app.app.store.commit(hope_exchange::store::Batch::new().patch(
            &hope_exchange::ids::Id::<hope_exchange::domain::post::Post>::parse(&question).unwrap(),
            hope_exchange::store::Guard::Present,
            [hope_exchange::domain::post::Post::STATE.set(hope_exchange::domain::post::PostState::Hidden)],
        )).await.unwrap();
        assert_eq!(read(&preview(app, &grace).await), [("NEW", "Quiet nights")]);

        let query = "query($id: ID!) { digestPreview(memberId: $id) { items { title } } }";
        let refused = app.graphql(&joan.token, query, json!({ "id": grace.id })).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
        app.grant(&joan, Role::Administrator).await;
        let seen = app.graphql(&joan.token, query, json!({ "id": grace.id })).await;
        assert_eq!(seen["data"]["digestPreview"]["items"], json!([{ "title": "Quiet nights" }]));
    }

    /// A note and what it pins are told once, to everybody whose digest comes in that week.
    async fn moderators_say_something_once_a_week(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let joan = app.person("Joan Clarke").await;
        let pinned = post(app, &joan, "UPDATE", "What the network does next", "top_mental-health").await;
        assert_eq!(note(app, &ada, json!({ "week": "2026-03-04", "expectedVersion": 0, "text": "Hello" })).await, Json::Null);
        app.grant(&ada, Role::Moderator).await;
        let set = note(app, &ada, json!({ "week": "2026-03-04", "expectedVersion": 0, "text": "See you on *Thursday*.", "pinnedId": pinned })).await;
        let expected = json!({ "week": "2026-03-02", "version": 1, "text": { "text": "See you on Thursday." }, "pinned": { "id": pinned } });
        assert_eq!(set, json!({ "editorsNote": expected, "userErrors": [] }));
        for (input, field, code) in [
            (json!({ "week": "2026-03-04", "expectedVersion": 0, "text": "Other" }), "expectedVersion", "STALE"),
            (json!({ "week": "2026-02-20", "expectedVersion": 0, "text": "Late" }), "week", "INVALID"),
            (json!({ "week": "2026-03-09", "expectedVersion": 0, "pinnedId": "pst_none" }), "pinnedId", "UNKNOWN"),
            (json!({ "week": "2026-03-09", "expectedVersion": 0, "text": "NHS number 943 476 5919" }), "text", "PERSONAL_DATA"),
        ] {
            let refused = note(app, &ada, input).await;
            assert_eq!(refused["userErrors"], json!([{ "field": [field], "code": code }]));
        }
        app.app.clock.set(crate::community::time(TUESDAY));
        digest::run(&app.app).await.unwrap();
        let mail = app.take_mail();
        let graces = mail.iter().find(|message| message.to_name == "Grace Hill").unwrap();
        assert!(graces.text.contains("See you on Thursday.") && graces.text.contains("THIS WEEK\n\n* What the network does next"), "{}", graces.text);
        assert_eq!(graces.text.matches("What the network does next").count(), 2, "{}", graces.text);

        let grace = app.sign_in_again(&grace);
        let log = "{ viewer { digests { nodes { state items { section contribution { id } } } } } }";
        let seen = app.graphql(&grace.token, log, json!({})).await;
        assert_eq!(seen["data"]["viewer"]["digests"]["nodes"], json!([{ "state": "SENT", "items": [{ "section": "PINNED", "contribution": { "id": pinned } }] }]));
        // The week after, it is not told again.
        app.app.clock.set(crate::community::time("2026-03-10T07:30:00Z"));
        digest::run(&app.app).await.unwrap();
        assert!(app.take_mail().is_empty());
    }

    /// What the guard has asked about stays where one has to sign in.
    async fn what_may_identify_somebody_is_not_mailed(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let input = json!({ "kind": "IDEA", "title": "Ring 07700 900123", "body": "We meet at LS9 7TF.",
            "topicIds": ["top_mental-health"], "publish": true, "acknowledgePersonalData": true });
        app.create_post(&ada, input).await;
        app.advance(TimeDelta::minutes(1));
        let graces = preview(app, &grace).await;
        assert_eq!(read(&graces), [("NEW", "An idea")]);
        let (text, html) = (graces["text"].as_str().unwrap(), graces["html"].as_str().unwrap());
        for flagged in ["07700", "LS9"] {
            assert!(!text.contains(flagged) && !html.contains(flagged) && !graces["subject"].as_str().unwrap().contains(flagged));
        }
    }
}
