//! How long things are kept, and that what is held stays.

use chrono::TimeDelta;
use hope_exchange::domain::{
    digest::Digest, erasure::Erasure, member::Role, notification::Notification, report::Report,
};

use super::*;
use crate::{community::all, on_both_stores};

/// How many notifications, digests and reports there are.
async fn kept(app: &TestApp) -> (usize, usize, usize) {
    let store = &app.app.store;
    let counts = (all::<Notification>(store).await, all::<Digest>(store).await, all::<Report>(store).await);
    (counts.0.len(), counts.1.len(), counts.2.len())
}

/// The same of one member.
async fn of(app: &TestApp, person: &Person) -> (bool, bool, bool) {
    let (id, store) = (&person.id, &app.app.store);
    (
        all::<Notification>(store).await.iter().any(|one| one.member.as_str() == id),
        all::<Digest>(store).await.iter().any(|one| one.member.as_str() == id),
        all::<Report>(store).await.iter().any(|one| one.reporter.as_str() == id),
    )
}

async fn days_later(app: &TestApp, days: i64) {
    app.advance(TimeDelta::days(days));
    jobs::purge(&app.app).await.unwrap();
}

on_both_stores! {
    async fn what_is_old_goes_when_the_settings_say(app: &TestApp) {
        let Life { grace, mary, .. } = life(app).await;
        let report = all::<Report>(&app.app.store).await.remove(0).id.to_string();
        let open = json!({ "subjectId": post(app, &grace, "Nights").await, "reason": "OTHER", "note": "Look." });
        done(app, &grace, "reportContent", open).await;
        done(app, &mary, "resolveReport", json!({ "id": report, "decision": "DISMISS", "reason": "It is fine." })).await;
        let before = kept(app).await;
        assert!(before.0 > 0 && before.1 == 1 && before.2 == 2, "{before:?}");
        days_later(app, 179).await;
        assert_eq!(kept(app).await, before, "nobody has read what they were told");
        days_later(app, 2).await;
        assert_eq!(kept(app).await, (0, 1, 2));
        days_later(app, 399 - 181).await;
        assert_eq!(kept(app).await, (0, 1, 2));
        days_later(app, 2).await;
        assert_eq!(kept(app).await, (0, 0, 2));
        days_later(app, 729 - 401).await;
        assert_eq!(kept(app).await, (0, 0, 2));
        days_later(app, 2).await;
        assert_eq!(kept(app).await, (0, 0, 1), "what nobody has decided on stays");
    }

    async fn what_is_held_stays_and_hinders_nothing_else(app: &TestApp) {
        let Life { ada, mary, .. } = life(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        done(app, &edith, "setLegalHold", json!({ "memberId": ada.id, "reason": "An inquiry." })).await;
        let report = all::<Report>(&app.app.store).await.remove(0).id.to_string();
        done(app, &mary, "resolveReport", json!({ "id": report, "decision": "UPHOLD", "reason": "It is so." })).await;
        days_later(app, 1_000).await;
        assert_eq!(of(app, &ada).await, (true, true, true));
        let others = all::<Notification>(&app.app.store).await;
        assert!(others.iter().all(|one| one.member.as_str() == ada.id), "others' are gone: {others:?}");
        let edith = app.sign_in_again(&edith);
        done(app, &edith, "liftLegalHold", json!({ "memberId": ada.id, "reason": "It is over." })).await;
        days_later(app, 0).await;
        assert_eq!(of(app, &ada).await, (false, false, false));
    }

    /// Neither by its author nor by a moderator, for as long as it is held.
    async fn what_is_held_is_not_deleted(app: &TestApp) {
        let Life { ada, grace, mary, post, study, comment, .. } = life(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        done(app, &edith, "setLegalHold", json!({ "memberId": ada.id, "reason": "An inquiry." })).await;
        let all = [("deletePost", &post), ("deleteComment", &comment), ("deleteCaseStudy", &study)];
        for (mutation, id) in all {
            for by in [&ada, &mary] {
                let refused = app.mutate(by, mutation, &json!({ "id": id }), "").await;
                assert_eq!(refused["userErrors"][0]["code"], "WRONG_STATE", "{mutation}: {refused}");
            }
        }
        let others = super::post(app, &grace, "Mine").await;
        done(app, &grace, "deletePost", json!({ "id": others })).await;
        done(app, &edith, "liftLegalHold", json!({ "memberId": ada.id, "reason": "It is over." })).await;
        for (mutation, id) in all {
            done(app, &ada, mutation, json!({ "id": id })).await;
        }
    }

    async fn that_somebody_was_erased_is_known_for_six_years(app: &TestApp) {
        let (ada, edith) = (app.person("Ada Moore").await, app.person("Edith Cave").await);
        app.grant(&edith, Role::Administrator).await;
        done(app, &edith, "eraseMember", json!({ "memberId": ada.id, "reason": "She asked by letter." })).await;
        jobs::run_due(&app.app).await.unwrap();
        days_later(app, 2_190).await;
        assert_eq!(all::<Erasure>(&app.app.store).await.len(), 1);
        days_later(app, 1).await;
        assert_eq!(all::<Erasure>(&app.app.store).await.len(), 0);
    }

    async fn administrators_put_right_what_is_wrong_and_say_so(app: &TestApp) {
        let (ada, edith) = (app.person("Ada Moore").await, app.person("Edith Cave").await);
        app.grant(&edith, Role::Administrator).await;
        let input = json!({ "memberId": ada.id, "name": "Ada Moor", "jobTitle": "Matron", "reason": "She wrote to us." });
        let corrected = app.mutate(&edith, "correctMember", &input, "member { name jobTitle }").await;
        assert_eq!(corrected["member"], json!({ "name": "Ada Moor", "jobTitle": "Matron" }), "{corrected}");
        // Where they work, too, which their address's domain leaves to nobody else.
        let there = app.person("Joan Clarke").await.organisation;
        let own = app.mutate(&ada, "updateProfile", &json!({ "expectedVersion": 2, "organisationId": there }), "").await;
        assert_eq!(own["userErrors"][0]["field"], json!(["organisationId"]), "{own}");
        app.advance(TimeDelta::seconds(1));
        let input_there = json!({ "memberId": ada.id, "organisationId": there, "reason": "She moved." });
        let moved = app.mutate(&edith, "correctMember", &input_there, "member { organisation { id } }").await;
        assert_eq!(moved["member"]["organisation"]["id"], *there, "{moved}");
        let none = json!({ "memberId": ada.id, "name": " ", "phone": "12", "reason": "A slip." });
        let refused = app.mutate(&edith, "correctMember", &none, "").await;
        let fields: Vec<&str> = refused["userErrors"].as_array().unwrap().iter().map(|error| error["field"][0].as_str().unwrap()).collect();
        assert_eq!(fields, ["name", "phone"]);
        assert_eq!(app.mutate(&ada, "correctMember", &input, "").await, "FORBIDDEN");
        jobs::run_due(&app.app).await.unwrap();
        let told = app.graphql(&ada.token, "{ viewer { name unreadCount profile { version } } }", json!({})).await;
        assert_eq!(told["data"]["viewer"], json!({ "name": "Ada Moor", "unreadCount": 2, "profile": { "version": 3 } }), "{told}");
        let log = "{ auditLog(action: CORRECT_MEMBER) { nodes { subjectId reason } } }";
        let answer = app.graphql(&edith.token, log, json!({})).await;
        assert_eq!(answer["data"]["auditLog"]["nodes"], json!([{ "subjectId": ada.id, "reason": "She moved." }, { "subjectId": ada.id, "reason": "She wrote to us." }]));
        let found = app.graphql(&edith.token, "{ members(filter: { nameStartsWith: \"Ada Moor\" }) { totalCount } }", json!({})).await;
        assert_eq!(found["data"]["members"]["totalCount"], 1, "{found}");
    }
}
