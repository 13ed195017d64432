//! Joining: the rules that everybody accepts, the queue for a moderator's approval, and showing from time to
//! time that an address is still one's own.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        audit::{AuditAction, AuditEntry},
        member::Role,
        post::PostKind,
        standing::MemberState,
    },
    jobs::{digest, verify_reminder},
    mail::MailError,
};

use super::{
    pages::{Browser, values},
    *,
};
use crate::{
    app::On,
    community::{member, post, publish},
};

/// What a GraphQL request answers whoever holds these tokens.
pub(super) async fn ask(app: &TestApp, tokens: &Json, query: &str) -> Json {
    app.graphql(tokens["accessToken"].as_str().unwrap(), query, json!({})).await
}

/// The code that it is refused with, and the sentence.
pub(super) fn refusal(answer: &Json) -> (&str, &str) {
    let error = &answer["errors"][0];
    let code = error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{answer}"));
    (code, error["message"].as_str().unwrap())
}

pub(super) async fn accepts(app: &TestApp, tokens: &Json) -> Json {
    let version = &app.app.config.rules.version;
    let mutation = format!(
        "mutation {{ acceptRules(input: {{ version: {version:?} }}) {{ state userErrors {{ code }} }} }}"
    );
    ask(app, tokens, &mutation).await["data"]["acceptRules"].clone()
}

/// A member who looks after the house rules.
pub(super) async fn moderator(app: &TestApp) -> crate::app::Person {
    let mary = app.person("Mary Ward").await;
    app.grant(&mary, Role::Moderator).await;
    mary
}

const TOPICS: &str = "{ topics { id } }";

/// What nobody gets who does not take part yet.
const NOT_YET: [&str; 12] = [
    TOPICS,
    "{ viewer { name } topics { id } }",
    "{ feed(first: 1) { totalCount } }",
    "{ node(id: \"top_volunteering\") { id } }",
    "{ nodes(ids: []) { id } }",
    "{ viewer { drafts(first: 1) { totalCount } } }",
    "{ viewer { member { viewerFollowing } } }",
    "{ viewer { organisation { name } } }",
    "{ ...all } fragment all on Query { viewer { unreadCount } }",
    "{ membersAwaitingApproval(first: 1) { totalCount } }",
    "mutation { createPost(input: { kind: IDEA, title: \"A\", body: \"B\" }) { post { id } } }",
    "mutation { follow(input: { subjectId: \"top_volunteering\" }) { follow { id } } }",
];

async fn gets_nothing(app: &TestApp, tokens: &Json, because: &str) {
    for query in NOT_YET {
        let answer = ask(app, tokens, query).await;
        let (code, sentence) = refusal(&answer);
        assert!(code == "FORBIDDEN" && sentence.contains(because), "{query}: {answer}");
    }
    for (method, path) in [("GET", "attachments/att_1"), ("POST", "attachments")] {
        let request = app.http.request(method.parse().unwrap(), format!("{}/api/v1/{path}", app.url));
        let request = request.bearer_auth(tokens["accessToken"].as_str().unwrap());
        assert_eq!(request.send().await.unwrap().status(), 403, "{method} {path}");
    }
}

on_both_stores! {
    async fn everybody_accepts_the_rules_before_anything_else(app: &TestApp) {
        let tokens = signed_in(app, "jo.bloggs@nhs.net").await;
        gets_nothing(app, &tokens, "accept the community rules").await;
        let viewer = "{ viewer { id name email role state rulesToAccept { version community freedomOfInformation } } rules { version } __schema { queryType { name } } }";
        let answer = ask(app, &tokens, viewer).await;
        let viewer = &answer["data"]["viewer"];
        assert_eq!((&viewer["name"], &viewer["state"]), (&json!("Jo Bloggs"), &json!("ACTIVE")), "{answer}");
        let rules = &viewer["rulesToAccept"];
        assert_eq!(rules["version"], answer["data"]["rules"]["version"]);
        assert!(rules["community"].as_str().unwrap().contains("patient") && rules["freedomOfInformation"].as_str().unwrap().contains("Freedom of Information Act"));

        let old = "mutation { acceptRules(input: { version: \"of old\" }) { state userErrors { field code } } }";
        let refused = ask(app, &tokens, old).await;
        assert_eq!(refused["data"]["acceptRules"]["userErrors"], json!([{ "field": ["version"], "code": "WRONG_STATE" }]));
        gets_nothing(app, &tokens, "accept the community rules").await;

        for _ in 0..2 {
            assert_eq!(accepts(app, &tokens).await, json!({ "state": "ACTIVE", "userErrors": [] }));
        }
        assert!(ask(app, &tokens, TOPICS).await["data"]["topics"].is_array());
        let none = ask(app, &tokens, "{ viewer { rulesToAccept { version } } }").await;
        assert_eq!(none["data"]["viewer"]["rulesToAccept"], Json::Null);

        // As if they had accepted others than those that hold now.
        let mut jo = all::<Member>(app).await.remove(0);
        let accepted = jo.standing.rules.clone().unwrap();
        assert_eq!((accepted.version, accepted.at), (app.app.config.rules.version.clone(), app.now()));
        jo.standing.accept("of old", app.now());
        commit(app, Batch::new().replace(&jo)).await;
        gets_nothing(app, &tokens, "accept the community rules").await;
    }

    async fn the_rules_are_accepted_on_a_page(app: &TestApp) {
        let browser = Browser::new(app);
        let code = code_in(&browser.asks("a@nhs.net").await);
        browser.post("/sign-in/code", &[("email", "a@nhs.net"), ("code", &code)]).await;
        assert!(browser.get("/").await.1.contains("href=\"/rules\""));
        let (status, html) = browser.get("/rules").await;
        assert!(status == 200 && html.contains("<li>") && html.contains("Freedom of Information Act"), "{html}");
        assert_eq!((values(&html, "action"), values(&html, "value")), (vec!["/rules"], vec![app.app.config.rules.version.as_str()]));
        for version in ["", "of old"] {
            let (status, html) = browser.post("/rules", &[("version", version)]).await;
            assert!(status == 422 && html.contains("There is a problem") && html.contains("I accept the rules"), "{html}");
        }
        let version = app.app.config.rules.version.as_str();
        assert_eq!(browser.post("/rules", &[("version", version)]).await.0, 303);
        assert!(!browser.get("/").await.1.contains("/rules"));
        // Whoever is not signed in reads them, too, and has nothing to accept.
        let stranger = Browser::new(app);
        assert!(!stranger.get("/rules").await.1.contains("<form"));
        assert_eq!(stranger.post("/rules", &[("version", version)]).await.0, 303);

        let waiting = Browser::new(app);
        let code = code_in(&waiting.asks("b@gov.uk").await);
        waiting.post("/sign-in/code", &[("email", "b@gov.uk"), ("code", &code)]).await;
        assert!(waiting.get("/").await.1.contains("A moderator has yet to look at your request"));
    }

    async fn who_asks_to_join_waits_for_a_moderator(app: &TestApp) {
        let (mary, other) = (moderator(app).await, app.person("Joan Clarke").await);
        let asha = signed_in(app, "asha.oneill@healthwatch.co.uk").await;
        app.advance(TimeDelta::minutes(1));
        let tom = signed_in(app, "tom@digital.cabinet-office.gov.uk").await;
        for tokens in [&asha, &tom] {
            let answer = ask(app, tokens, "{ viewer { state name } }").await;
            assert_eq!(answer["data"]["viewer"]["state"], "AWAITING_APPROVAL", "{answer}");
            assert_eq!(accepts(app, tokens).await["state"], "AWAITING_APPROVAL");
            gets_nothing(app, tokens, "A moderator has yet to look at your request").await;
        }
        // Nobody but moderators knows of them.
        let queue = "{ membersAwaitingApproval(first: 10) { totalCount nodes { email askedAt member { id name } } } }";
        let answer = app.graphql(&mary.token, queue, json!({})).await;
        let waiting = &answer["data"]["membersAwaitingApproval"];
        let emails: Vec<&str> = waiting["nodes"].as_array().unwrap().iter().map(|one| one["email"].as_str().unwrap()).collect();
        assert_eq!(emails, ["asha.oneill@healthwatch.co.uk", "tom@digital.cabinet-office.gov.uk"], "{answer}");
        assert_eq!(waiting["totalCount"], 2);
        let id = |at: usize| waiting["nodes"][at]["member"]["id"].as_str().unwrap().to_owned();
        let node = "query($id: ID!) { node(id: $id) { id } }";
        for (by, found) in [(&mary, json!({ "id": id(0) })), (&other, Json::Null)] {
            assert_eq!(app.graphql(&by.token, node, json!({ "id": id(0) })).await["data"]["node"], found);
        }
        assert_eq!(refusal(&app.graphql(&other.token, queue, json!({})).await).0, "FORBIDDEN");
        assert_eq!(app.mutate(&other, "follow", &json!({ "subjectId": id(0) }), "").await, "NOT_FOUND");
        assert_eq!(app.mutate(&other, "approveMember", &json!({ "memberId": id(0) }), "").await, "FORBIDDEN");

        // The team is told of each, once.
        let told = mails(app).await;
        let told: Vec<_> = told.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
        let (team, network) = (&*app.app.config.network.contact, &app.app.config.network.name);
        assert_eq!(told, [(team, &*format!("Tom asked to join {network}"))], "of Asha with the code for Tom");
        let approved = app.mutate(&mary, "approveMember", &json!({ "memberId": id(0) }), "member { name }").await;
        assert_eq!(approved, json!({ "member": { "name": "Asha Oneill" }, "userErrors": [] }));
        app.advance(TimeDelta::seconds(1));
        let refuse = json!({ "memberId": id(1), "reason": "This is for those who work on experience of care." });
        for _ in 0..2 {
            let refused = app.mutate(&mary, "refuseMember", &refuse, "member { name }").await;
            assert_eq!(refused["userErrors"], json!([]), "{refused}");
        }
        assert_eq!(app.mutate(&mary, "refuseMember", &json!({ "memberId": id(0), "reason": "No." }), "").await["userErrors"][0]["code"], "WRONG_STATE");
        assert!(ask(app, &asha, TOPICS).await["data"]["topics"].is_array());

        let mut sent = mails(app).await;
        sent.sort_by(|a, b| a.to.as_str().cmp(b.to.as_str()));
        let to: Vec<&str> = sent.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(to, emails);
        assert!(sent[0].text.contains("you are a member now") && !sent[0].text.contains("The reason"), "{}", sent[0].text);
        assert!(sent[1].text.contains("could not accept it") && sent[1].text.contains("experience of care.") && sent[1].text.contains("31 May 2026"), "{}", sent[1].text);
        for mail in &sent {
            assert!(!mail.text.contains("Mary") && !mail.html.contains("Mary"));
        }
        let acts: Vec<AuditEntry> = all(app).await;
        let acts: Vec<_> = acts.iter().map(|act| (act.action, act.subject.clone(), act.after.membership)).collect();
        assert_eq!(acts, [
            (AuditAction::ApproveMember, id(0), Some(MemberState::Active)),
            (AuditAction::RefuseMember, id(1), Some(MemberState::Refused)),
        ]);
    }

    async fn who_was_refused_can_ask_again_after_some_time(app: &TestApp) {
        let mary = moderator(app).await;
        let tokens = signed_in(app, "tom@gov.uk").await;
        let early = asked(app, "tom@gov.uk").await;
        let tom = all::<Member>(app).await.into_iter().find(|found| found.email.as_str() == "tom@gov.uk").unwrap();
        app.mutate(&mary, "refuseMember", &json!({ "memberId": tom.id, "reason": "Not now." }), "").await;
        mails(app).await;
        let answer = ask(app, &tokens, "{ viewer { state } }").await;
        let (code, sentence) = refusal(&answer);
        assert!(code == "FORBIDDEN" && sentence.contains("was not accepted") && !sentence.contains("Mary"), "{answer}");
        let (status, problem) = refresh(app, &tokens["refreshToken"]).await;
        assert_eq!((status, &problem["code"]), (403, &json!("FORBIDDEN")));
        assert_eq!(verify(app, "tom@gov.uk", &code_in(&early)).await.0, 401, "a code from before");

        let stranger = app.post("/api/v1/auth/sign-in", &json!({ "email": "stranger@example.com" })).await;
        assert_eq!(app.post("/api/v1/auth/sign-in", &json!({ "email": "tom@gov.uk" })).await, stranger);
        assert!(mails(app).await.is_empty());
        app.advance(TimeDelta::days(89));
        app.post("/api/v1/auth/sign-in", &json!({ "email": "tom@gov.uk" })).await;
        assert!(mails(app).await.is_empty());
        app.advance(TimeDelta::days(1));
        let again = signed_in(app, "tom@gov.uk").await;
        let answer = ask(app, &again, "{ viewer { id state } }").await;
        assert_eq!(answer["data"]["viewer"], json!({ "id": tom.id, "state": "AWAITING_APPROVAL" }));
        let mary = app.sign_in_again(&mary);
        app.mutate(&mary, "approveMember", &json!({ "memberId": tom.id }), "").await;
        assert_eq!(ask(app, &again, "{ viewer { state } }").await["data"]["viewer"]["state"], "ACTIVE");
    }

    /// Nobody is told by signing in who is a member, waits, was refused, or is nobody.
    async fn everybody_gets_the_same_answer_wherever_they_stand(app: &TestApp) {
        let mary = moderator(app).await;
        signed_in(app, "member@nhs.net").await;
        for email in ["waits@gov.uk", "refused@gov.uk"] {
            signed_in(app, email).await;
        }
        let refused = all::<Member>(app).await.into_iter().find(|found| found.email.as_str() == "refused@gov.uk").unwrap();
        app.mutate(&mary, "refuseMember", &json!({ "memberId": refused.id, "reason": "Not now." }), "").await;
        app.mutate(&mary, "createInvitation", &json!({ "email": "invited@example.org", "name": "Pat Green" }), "").await;
        mails(app).await;
        let everybody = ["member@nhs.net", "waits@gov.uk", "refused@gov.uk", "invited@example.org", "new@gov.uk", "nobody@example.com"];
        let (mut asking, mut guessing) = (Vec::new(), Vec::new());
        for email in everybody {
            asking.push(app.post("/api/v1/auth/sign-in", &json!({ "email": email })).await);
            let (status, mut problem) = verify(app, email, WRONG).await;
            problem["requestId"].take();
            guessing.push((status, problem));
        }
        assert!(asking.iter().all(|answer| *answer == asking[0]), "{asking:?}");
        assert!(guessing.iter().all(|answer| *answer == guessing[0]), "{guessing:?}");
        let mut sent: Vec<String> = mails(app).await.iter().map(|mail| mail.to.as_str().to_owned()).collect();
        sent.sort();
        assert_eq!(sent, ["invited@example.org", "member@nhs.net", "new@gov.uk", "waits@gov.uk"]);
    }

    async fn a_session_goes_on_while_the_address_is_known_to_be_read(app: &TestApp) {
        let mut tokens = signed_in(app, "a@nhs.net").await;
        let start = app.now();
        let reminders = async || {
            verify_reminder::plan(&app.app).await.unwrap();
            mails(app).await
        };
        for days in [25, 50, 75, 100, 125, 150, 172] {
            app.app.clock.set(start.plus(TimeDelta::days(days)));
            let (status, renewed) = refresh(app, &tokens["refreshToken"]).await;
            assert_eq!(status, 200, "{renewed}");
            tokens = renewed;
            assert!(reminders().await.is_empty(), "after {days} days");
        }
        app.app.clock.set(start.plus(TimeDelta::days(173)));
        let (one, two) = tokio::join!(verify_reminder::plan(&app.app), verify_reminder::plan(&app.app));
        assert_eq!(one.unwrap() + two.unwrap(), 1);
        let sent = reminders().await;
        assert_eq!((sent.len(), sent[0].to.as_str()), (1, "a@nhs.net"));
        assert!(sent[0].text.contains("29 August 2026") && sent[0].text.contains("/sign-in"), "{}", sent[0].text);
        assert!(reminders().await.is_empty());

        app.app.clock.set(start.plus(TimeDelta::days(180)));
        let (status, problem) = refresh(app, &tokens["refreshToken"]).await;
        assert_eq!((status, &problem["code"]), (401, &json!("UNAUTHENTICATED")));
        assert!(problem["detail"].as_str().unwrap().contains("Sign in again with a code"), "{problem}");
        let again = signed_in(app, "a@nhs.net").await;
        assert_eq!(refresh(app, &again["refreshToken"]).await.0, 200);
        let member = all::<Member>(app).await.remove(0);
        assert_eq!(member.standing.verified_until, Some(app.now().plus(TimeDelta::days(180))));
    }

    async fn a_hard_bounce_asks_for_a_code(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        let (bea, now) = (member(&app.app.ids, "Bea", app.now()), app.now());
        let idea = post(&app.app.ids, &bea, PostKind::Idea, "Quiet nights", now.plus(TimeDelta::minutes(1)));
        commit(app, Batch::new().insert(&bea)).await;
        publish(&app.app.store, &[idea]).await;
        app.mail.fail_next([MailError::NoMailbox("5.1.1".to_owned())]);
        app.app.clock.set(crate::community::time(crate::digest::TUESDAY));
        digest::run(&app.app).await.unwrap();
        let (status, problem) = refresh(app, &tokens["refreshToken"]).await;
        assert_eq!(status, 401, "{problem}");
        let again = signed_in(app, "a@nhs.net").await;
        assert_eq!(refresh(app, &again["refreshToken"]).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderator_can_approve_every_new_member() {
    for on in [On::Sqlite, On::Mongo] {
        let approves = |config: &mut hope_exchange::config::Config| config.sign_in.approve_everyone = true;
        TestApp::run_with(on, approves, async |app| {
            let tokens = signed_in(app, "a@trust.nhs.uk").await;
            accepts(app, &tokens).await;
            gets_nothing(app, &tokens, "A moderator has yet to look at your request").await;
            let told = mails(app).await;
            let told: Vec<_> = told.iter().map(|mail| mail.to.as_str()).collect();
            assert_eq!(told, [&*app.app.config.network.contact]);
            // Who runs the service lets themself in.
            let role = Role::Administrator;
            hope_exchange::actions::member::grant(&app.app, "a@trust.nhs.uk", role).await.unwrap();
            assert!(ask(app, &tokens, TOPICS).await["data"]["topics"].is_array());
        })
        .await;
    }
}
