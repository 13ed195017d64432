//! A moderator's or administrator's session that has not shown a second factor is a member's, whichever way it
//! comes; with one, it is theirs.

use hope_exchange::domain::permission::Scope;

use super::*;
use crate::{
    app::On,
    attachments::{PDF, upload},
    live::Socket,
    permissions::{Cast, Scene, TABLE},
};

const QUEUE: &str = "{ moderationQueue { totalCount } }";

/// The codes and messages of what an answer refuses.
fn refusals(answer: &Json) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    let part = |text: &Json| text.as_str().unwrap_or_default().to_owned();
    errors.map(|error| (part(&error["extensions"]["code"]), part(&error["message"]))).collect()
}

on_both_stores! {
    async fn a_role_sleeps_until_a_factor_was_shown(app: &TestApp) {
        hope_exchange::actions::member::grant(&app.app, "mary@nhs.net", Role::Moderator).await.unwrap();
        let mut mary = Holder::without(app, "mary@nhs.net").await;
        let answer = app.graphql(&mary.access, QUEUE, json!({})).await;
        let said = "Only moderators can do this. Set up a second factor first, an authenticator app or a passkey, at /second-factor or with startTotp.";
        assert_eq!(refusals(&answer), [("SECOND_FACTOR_REQUIRED".to_owned(), said.to_owned())]);
        assert_eq!(factors(app, &mary.access).await["actsAsRole"], false);
        // What is beyond the role is said to be so.
        let answer = app.graphql(&mary.access, "mutation { setRole(input: { memberId: \"mbr_1\", role: MEMBER, reason: \"x\" }) { clientMutationId } }", json!({})).await;
        assert_eq!(refusals(&answer)[0].0, "FORBIDDEN");

        let (weak, strong) = (mary.access.clone(), { mary.add_app(app).await; mary.access.clone() });
        assert_eq!(app.graphql(&strong, QUEUE, json!({})).await["data"]["moderationQueue"]["totalCount"], 0);
        assert_eq!(factors(app, &strong).await["actsAsRole"], true);
        let answer = app.graphql(&weak, QUEUE, json!({})).await;
        let said = "Only moderators can do this. Show your second factor first, at /second-factor or with showSecondFactor.";
        assert_eq!(refusals(&answer), [("SECOND_FACTOR_REQUIRED".to_owned(), said.to_owned())], "a token from before");
        // And so it is after the next sign-in.
        mails(app).await;
        let tokens = mary.signs_in(app).await;
        assert!(app.graphql(text(&tokens, "accessToken"), QUEUE, json!({})).await["errors"].is_null());
        assert_eq!(audit_log(app).await, ["AddSecondFactor"]);
    }

    /// As every mutation is tried by everybody in the table of permissions, here by those who could and have
    /// not shown a factor.
    async fn no_mutation_takes_a_weak_session_for_more_than_a_member(app: &TestApp) {
        let cast = Cast::of(app).await;
        let (mut tried, mut wanting) = (0, 0);
        for actor in [&cast.moderator, &cast.administrator] {
            let weak = app.weakened(actor);
            for line in TABLE.trim().lines() {
                let (row, cells) = line.split_once('|').unwrap();
                let row = row.trim();
                let cells: Vec<&str> = cells.split_whitespace().collect();
                // What needs no factor at all is told of elsewhere, and changes what this test has.
                if row.contains("SecondFactor") || row.contains("Totp") || row.contains("Passkey") || row.contains("Recovery") {
                    continue;
                }
                let outcome = Scene { app, cast: &cast, actor: Some(&weak) }.outcome(row).await;
                // Either it is refused as to another member, or for want of the factor.
                // The partner has to do with nothing here, and no more role than a member has.
                let member = cells[4];
                let for_want = member == "FORBIDDEN" && outcome == "SECOND_FACTOR_REQUIRED";
                assert!(outcome == member || for_want, "{row}: {outcome}, not {member}");
                wanting += usize::from(for_want);
                tried += 1;
            }
        }
        assert!(tried > 90 && wanting >= 30, "{tried}, {wanting}");
    }

    async fn nothing_is_shown_to_a_weak_session_that_is_for_moderators(app: &TestApp) {
        let (author, mary) = (app.person("Ada Moore").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Moderator).await;
        let weak = app.weakened(&mary);
        let file = upload(app, &author, "notes.pdf", PDF).await;
        let input = json!({ "kind": "IDEA", "title": "Hidden", "body": "Hidden", "topicIds": ["top_volunteering"], "attachmentIds": [file["id"]], "publish": true });
        let post = app.create_post(&author, input).await;
        let hidden = app.mutate(&mary, "hideContent", &json!({ "subjectId": post, "reason": "A name." }), "").await;
        assert_eq!(hidden["userErrors"], json!([]));

        let node = |token: String| async move {
            app.graphql(&token, "query($id: ID!) { node(id: $id) { ... on Post { body { text } } } }", json!({ "id": post })).await["data"]["node"].clone()
        };
        let node = &node;
        let url = file["url"].as_str().unwrap();
        let got = async |token: &str| app.http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16();
        let over_a_socket = async |token: &str| {
            let mut socket = Socket::fresh(app).await;
            assert_eq!(socket.init(token).await["type"], "connection_ack");
            let query = json!({ "type": "subscribe", "id": "1", "payload": { "query": QUEUE } });
            socket.say(query).await;
            socket.said().await
        };
        let by_cookie = async |token: &str| {
            let request = app.http.post(format!("{}/graphql", app.url)).header("cookie", format!("hope_access={token}"));
            let request = request.header("x-requested-with", "test").json(&json!({ "query": QUEUE }));
            request.send().await.unwrap().json::<Json>().await.unwrap()
        };
        assert_eq!(got(&mary.token).await, 200);
        assert_eq!(got(&weak.token).await, 404);
        assert_eq!(over_a_socket(&mary.token).await["type"], "next");
        let refused = over_a_socket(&weak.token).await;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "SECOND_FACTOR_REQUIRED", "{refused}");
        assert!(by_cookie(&mary.token).await["errors"].is_null());
        assert_eq!(refusals(&by_cookie(&weak.token).await)[0].0, "SECOND_FACTOR_REQUIRED");
        assert_eq!(node.clone()(mary.token.clone()).await["body"]["text"], "Hidden");
    }

    async fn a_weak_session_makes_no_token_that_moderates(app: &TestApp) {
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        let weak = app.weakened(&edith);
        let tomorrow = app.now().plus(chrono::TimeDelta::days(1)).to_string();
        for (scope, outcome) in [("MODERATION", false), ("ADMINISTRATION", false), ("POSTS_READ", true)] {
            let input = json!({ "name": "A program", "scopes": [scope], "expiresAt": tomorrow });
            let by = async |person| app.mutate(person, "createAccessToken", &input, "secret").await;
            assert!(by(&edith).await["secret"].is_string());
            let made = by(&weak).await;
            assert_eq!(made["secret"].is_string(), outcome, "{made}");
            assert!(outcome || made == "SECOND_FACTOR_REQUIRED", "{made}");
        }
    }

    async fn a_token_moderates_as_long_as_its_owner_has_a_factor(app: &TestApp) {
        let mary = app.person("Mary Ward").await;
        app.grant(&mary, Role::Moderator).await;
        let token = app.token(&mary, &[Scope::Moderation, Scope::ThreadsRead]).await;
        let answer = app.graphql(&token.token, QUEUE, json!({})).await;
        assert_eq!(answer["errors"], Json::Null, "{answer}");
        // As when the last one is removed, or all are reset.
        app.change(&mary, |member| member.second_factor = None).await;
        assert_eq!(refusals(&app.graphql(&token.token, QUEUE, json!({})).await)[0].0, "FORBIDDEN");
    }

    async fn removing_the_last_factor_puts_the_role_to_sleep_at_once(app: &TestApp) {
        let mary = Holder::with_role(app, "mary@nhs.net", Role::Moderator).await;
        let other = mary.signs_in(app).await;
        let other = text(&other, "accessToken");
        let query = json!({ "type": "subscribe", "id": "1", "payload": { "query": QUEUE } });
        let mut socket = Socket::fresh(app).await;
        assert_eq!(socket.init(other).await["type"], "connection_ack");
        socket.say(query.clone()).await;
        assert_eq!(socket.said().await["type"], "next");
        assert_eq!(socket.said().await["type"], "complete");

        let id = factors(app, other).await["factors"][0]["id"].clone();
        let removed = mutate(app, other, "removeSecondFactor", &json!({ "id": id }), "viewer { secondFactors { recoveryCodesLeft } }").await;
        assert_eq!(removed["viewer"]["secondFactors"]["recoveryCodesLeft"], 0);
        for token in [other, mary.access.as_str()] {
            assert_eq!(refusals(&app.graphql(token, QUEUE, json!({})).await)[0].0, "SECOND_FACTOR_REQUIRED");
        }
        socket.say(query).await;
        assert_eq!(socket.said().await["payload"][0]["extensions"]["code"], "SECOND_FACTOR_REQUIRED");
        assert!(stored(app).await.is_empty());
        assert_eq!(mails(app).await.pop().unwrap().subject, "A second factor was removed for HOPE Network");
        // The next sign-in takes the code from the e-mail alone.
        assert_eq!(signed_in(app, "mary@nhs.net").await["tokenType"], "Bearer");
        assert_eq!(audit_log(app).await[..2], ["AddSecondFactor", "RemoveSecondFactor"]);
    }

    /// What was shown before a factor was lost counts no more when there is another.
    async fn an_old_showing_does_not_count_for_new_factors(app: &TestApp) {
        let mut mary = Holder::with_role(app, "mary@nhs.net", Role::Moderator).await;
        let tokens = mary.signs_in(app).await;
        let old = mary.access.clone();
        mary.access = text(&tokens, "accessToken").to_owned();
        let id = factors(app, &mary.access).await["factors"][0]["id"].clone();
        mutate(app, &mary.access, "removeSecondFactor", &json!({ "id": id }), "").await;
        app.advance(chrono::TimeDelta::seconds(1));
        mary.add_app(app).await;
        assert!(app.graphql(&mary.access, QUEUE, json!({})).await["errors"].is_null());
        assert_eq!(refusals(&app.graphql(&old, QUEUE, json!({})).await)[0].0, "SECOND_FACTOR_REQUIRED");
    }

    async fn a_factor_costs_no_call_to_the_store(app: &TestApp) {
        let mary = Holder::with_role(app, "mary@nhs.net", Role::Moderator).await;
        let calls = app.app.store.calls();
        hope_exchange::actions::session::authenticate(&app.app, &mary.access).await.unwrap();
        assert_eq!(app.app.store.calls() - calls, 1);
    }
}

/// What an installation may choose for a while; who has a factor still shows it.
async fn an_installation_can_do_without(app: &TestApp) {
    hope_exchange::actions::member::grant(&app.app, "mary@nhs.net", Role::Moderator).await.unwrap();
    let mut mary = Holder::without(app, "mary@nhs.net").await;
    assert!(app.graphql(&mary.access, QUEUE, json!({})).await["errors"].is_null());
    mary.add_app(app).await;
    mails(app).await;
    mary.asked(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_an_installation_can_do_without() {
    let off = |config: &mut hope_exchange::config::Config| config.second_factor.required = false;
    TestApp::run_with(On::Sqlite, off, async |app| an_installation_can_do_without(app).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mongo_an_installation_can_do_without() {
    let off = |config: &mut hope_exchange::config::Config| config.second_factor.required = false;
    TestApp::run_with(On::Mongo, off, async |app| an_installation_can_do_without(app).await).await;
}
