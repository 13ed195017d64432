//! Roles: who gives them, that they hold at once, and that somebody always runs the service.

use hope_exchange::{
    actions::member,
    domain::{audit::AuditEntry, member::Member, member::Role},
    jobs,
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    community::all,
    on_both_stores,
};

async fn set(app: &TestApp, by: &Person, whom: &Person, role: &str) -> Json {
    let input = json!({ "memberId": whom.id, "role": role, "reason": "As agreed." });
    app.mutate(by, "setRole", &input, "member { role }").await
}

async fn administrator(app: &TestApp, name: &str) -> Person {
    let person = app.person(name).await;
    app.grant(&person, Role::Administrator).await;
    person
}

/// How many administrators may use the service.
async fn in_charge(app: &TestApp) -> usize {
    let members = all::<Member>(&app.app.store).await;
    let now = app.now();
    let may = |member: &&Member| member.role == Role::Administrator && member.suspended(now).is_none();
    members.iter().filter(may).count()
}

on_both_stores! {
    async fn a_role_holds_from_the_next_request_on_and_is_told(app: &TestApp) {
        let (edith, ada) = (administrator(app, "Edith Cave").await, app.person("Ada Moore").await);
        // Who has a second factor already.
        app.grant(&ada, Role::Member).await;
        let queue = "{ moderationQueue(first: 1) { totalCount } }";
        let code = async |person: &Person| {
            let answer = app.graphql(&person.token, queue, json!({})).await;
            answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
        };
        assert_eq!(code(&ada).await.as_deref(), Some("FORBIDDEN"));
        assert_eq!(set(app, &edith, &ada, "MODERATOR").await["member"]["role"], "MODERATOR");
        assert_eq!(code(&ada).await, None, "with the same token");
        // Once more is nothing.
        assert_eq!(set(app, &edith, &ada, "MODERATOR").await["member"]["role"], "MODERATOR");
        assert_eq!(set(app, &ada, &edith, "MEMBER").await, "FORBIDDEN");
        assert_eq!(set(app, &edith, &ada, "PARTNER").await["member"]["role"], "PARTNER");
        assert_eq!(code(&ada).await.as_deref(), Some("FORBIDDEN"));

        let log = "{ auditLog(action: SET_ROLE) { nodes { actor { name } subjectId reason before { role } after { role } } } }";
        let answer = app.graphql(&edith.token, log, json!({})).await;
        let entry = |before: &str, after: &str| json!({ "actor": { "name": "Edith Cave" }, "subjectId": ada.id, "reason": "As agreed.", "before": { "role": before }, "after": { "role": after } });
        let mut nodes = answer["data"]["auditLog"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        nodes.sort_by_key(|node| node["before"]["role"].to_string());
        assert_eq!(nodes, [entry("MEMBER", "MODERATOR"), entry("MODERATOR", "PARTNER")]);
        jobs::run_due(&app.app).await.unwrap();
        let told = app.graphql(&ada.token, "{ viewer { unreadCount } }", json!({})).await;
        assert_eq!(told["data"]["viewer"]["unreadCount"], 2, "{told}");
        let told: String = app.take_mail().into_iter().map(|mail| mail.subject + &mail.text).collect();
        assert!(!told.contains("moderator hid"), "{told}");

        for wrong in ["mbr_01J0", "pst_01J0", ""] {
            let input = json!({ "memberId": wrong, "role": "MEMBER", "reason": "As agreed." });
            assert_eq!(app.mutate(&edith, "setRole", &input, "").await, "NOT_FOUND");
        }
        let input = json!({ "memberId": ada.id, "role": "MEMBER", "reason": " " });
        assert_eq!(app.mutate(&edith, "setRole", &input, "").await["userErrors"][0]["code"], "REQUIRED");
    }

    async fn an_operator_s_grant_is_in_the_log_too(app: &TestApp) {
        let (edith, ada) = (administrator(app, "Edith Cave").await, app.person("Ada Moore").await);
        member::grant(&app.app, "ada-moore@ada-moore.nhs.uk", Role::Moderator).await.unwrap();
        let log = "{ auditLog(first: 5) { totalCount nodes { action actor { name } subjectId reason after { role } } } }";
        let answer = app.graphql(&edith.token, log, json!({})).await;
        let entry = json!({ "action": "SET_ROLE", "actor": null, "subjectId": ada.id, "reason": null, "after": { "role": "MODERATOR" } });
        assert_eq!(answer["data"]["auditLog"], json!({ "totalCount": 1, "nodes": [entry] }), "{answer}");
        member::grant(&app.app, "ada-moore@ada-moore.nhs.uk", Role::Moderator).await.unwrap();
        assert_eq!(all::<AuditEntry>(&app.app.store).await.len(), 1);
    }

    async fn the_last_administrator_stays_one(app: &TestApp) {
        let (edith, agnes) = (administrator(app, "Edith Cave").await, administrator(app, "Agnes Hunt").await);
        assert_eq!(set(app, &edith, &edith, "MEMBER").await["member"]["role"], "MEMBER", "there is another");
        let refused = set(app, &agnes, &agnes, "MODERATOR").await;
        assert_eq!(refused["userErrors"][0]["code"], "WRONG_STATE", "{refused}");
        let operator = member::grant(&app.app, "agnes-hunt@agnes-hunt.nhs.uk", Role::Member).await;
        assert!(operator.unwrap_err().to_string().contains("There has to be an administrator."));
        // Whoever is suspended runs nothing.
        assert_eq!(set(app, &agnes, &edith, "ADMINISTRATOR").await["userErrors"], json!([]));
        let act = json!({ "memberId": edith.id, "reason": "As agreed." });
        assert_eq!(app.mutate(&agnes, "suspendMember", &act, "").await["userErrors"], json!([]));
        assert_eq!(set(app, &agnes, &agnes, "MEMBER").await["userErrors"][0]["code"], "WRONG_STATE");
        assert_eq!(app.mutate(&agnes, "reinstateMember", &act, "").await["userErrors"], json!([]));
        assert_eq!(set(app, &agnes, &agnes, "MEMBER").await["member"]["role"], "MEMBER");
        assert_eq!(in_charge(app).await, 1);
    }

    async fn administrators_who_remove_each_other_at_once_leave_one(app: &TestApp) {
        for round in 0..3 {
            let mut them = Vec::new();
            for number in 0..4 {
                them.push(administrator(app, &format!("Edith {round} {number}")).await);
            }
            // Whoever was left of the round before takes no part.
            for member in all::<Member>(&app.app.store).await {
                if !them.iter().any(|person| person.id == member.id.as_str()) {
                    let other = Batch::new().patch(&member.id, Guard::Present, [Member::ROLE.set(Role::Member)]);
                    app.app.store.commit(other).await.unwrap();
                }
            }
            let acts = (0..8).map(async |number| {
                let (by, whom) = (&them[number % 4], &them[(number + 1) % 4]);
                if number < 4 {
                    set(app, by, whom, "MEMBER").await
                } else {
                    let act = json!({ "memberId": whom.id, "reason": "As agreed." });
                    app.mutate(by, "suspendMember", &act, "").await
                }
            });
            let done = futures_util::future::join_all(acts).await;
            assert_eq!(in_charge(app).await, 1, "{done:?}");
            assert!(done.iter().any(|done| done["userErrors"][0]["code"] == "WRONG_STATE" || *done == "FORBIDDEN"), "{done:?}");
        }
    }
}
