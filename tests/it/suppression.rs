//! Mailboxes from which mail comes back: what suppresses them, who is told, and how that ends.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use hope_exchange::{
    config::shared_secret::SharedSecret,
    domain::{mailbox::SuppressionReason, member::Member, member::Role},
    ids::Id,
    jobs,
    mail::{MailError, Message},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    community::{all, reload, time},
    digest::TUESDAY,
    on_both_stores,
};

const LIST: &str = "{ suppressions { totalCount nodes { member { name } reason code since } } }";

async fn member_of(app: &TestApp, person: &Person) -> Member {
    reload(&app.app.store, &Id::parse(&person.id).unwrap()).await
}

/// Something new by somebody, and everybody's digest of it. What was sent.
async fn week(app: &TestApp, by: &Person, title: &str, number: i64) -> Vec<Message> {
    app.app.clock.set(time(TUESDAY).plus(TimeDelta::days(7 * number)).minus(TimeDelta::hours(1)));
    let input = json!({ "kind": "IDEA", "title": title, "body": "We tried it.", "topicIds": ["top_volunteering"], "publish": true });
    app.create_post(&app.sign_in_again(by), input).await;
    app.advance(TimeDelta::hours(1));
    jobs::digest::run(&app.app).await.unwrap();
    let is_digest = |mail: &Message| mail.list.as_ref().is_some_and(|list| list.id.starts_with("digest."));
    app.take_mail().into_iter().filter(is_digest).collect()
}

/// Plans and sends what comes with time.
async fn told(app: &TestApp) -> Vec<Message> {
    jobs::suppression::plan(&app.app).await.unwrap();
    jobs::run_due(&app.app).await.unwrap();
    app.take_mail()
}

async fn administrator(app: &TestApp) -> Person {
    let edith = app.person("Edith Cave").await;
    app.grant(&edith, Role::Administrator).await;
    app.change(&edith, |member| member.digest_due_at = None).await;
    edith
}

async fn list(app: &TestApp, by: &Person) -> Json {
    app.graphql(&app.sign_in_again(by).token, LIST, json!({})).await["data"]["suppressions"].clone()
}

on_both_stores! {
    /// Nothing more of what is sent to many goes there, and the team is told of all of them in one mail.
    async fn a_mailbox_that_is_gone_is_suppressed_until_its_reader_signs_in(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let edith = administrator(app).await;
        app.mail.fail_next([MailError::NoMailbox("5.1.1".to_owned()), MailError::NoMailbox("550".to_owned())]);
        assert!(week(app, &ada, "Quiet nights", 0).await.is_empty());
        let known = list(app, &edith).await;
        let mut known: Vec<_> = known["nodes"].as_array().unwrap().iter().map(|node| (node["member"]["name"].clone(), node["reason"].clone(), node["code"].clone())).collect();
        known.sort_by_key(|(name, ..)| name.to_string());
        let codes: Vec<_> = known.iter().map(|(_, _, code)| code.as_str().unwrap()).collect();
        assert_eq!((&known[0].0, &known[1].0, &known[0].1), (&json!("Grace Hill"), &json!("Joan Clarke"), &json!("HARD_BOUNCE")));
        assert!(codes.contains(&"5.1.1") && codes.contains(&"550"), "{codes:?}");

        // Not at once, so that it is one letter; and once.
        assert!(told(app).await.is_empty());
        app.advance(TimeDelta::minutes(61));
        let mails = told(app).await;
        let [mail] = mails.as_slice() else { panic!("{mails:?}") };
        assert_eq!((mail.to.as_str(), mail.subject.as_str()), (&*app.app.config.network.contact, "Mail to 2 members comes back"));
        assert!(mail.text.contains("Grace Hill, grace-hill@") && mail.text.contains("takes mail (5.1.1)."), "{}", mail.text);
        assert!(told(app).await.is_empty());

        assert!(week(app, &ada, "Soft-close bins", 1).await.is_empty());
        // A code is sent all the same, and who types it gets mail again.
        app.post("/api/v1/auth/sign-in", &json!({ "email": app.email(&grace) })).await;
        jobs::run_due(&app.app).await.unwrap();
        let code = app.take_mail().pop().unwrap().text.lines().find(|line| line.starts_with("    ")).unwrap().trim().to_owned();
        let (status, _) = app.post("/api/v1/auth/verify", &json!({ "email": app.email(&grace), "code": code })).await;
        assert_eq!(status, 200);
        assert!(!member_of(app, &grace).await.mailbox.is_suppressed() && member_of(app, &joan).await.mailbox.is_suppressed());
        let mails = week(app, &ada, "Open visiting", 2).await;
        assert_eq!(mails.iter().map(|mail| mail.to_name.as_str()).collect::<Vec<_>>(), ["Grace Hill"]);
        // What happened while mail came back is told, too.
        assert!(mails[0].text.contains("Soft-close bins"), "{}", mails[0].text);
    }

    /// With a reason, in the audit log, and without undoing what is so already.
    async fn administrators_suppress_and_lift(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let edith = administrator(app).await;
        let input = json!({ "memberId": grace.id, "reason": "The trust asked us to." });
        for _ in 0..2 {
            assert_eq!(app.mutate(&edith, "suppressMember", &input, "").await["userErrors"], json!([]));
        }
        assert_eq!(list(app, &edith).await["nodes"][0]["reason"], "ADMINISTRATOR");
        assert!(week(app, &ada, "Quiet nights", 0).await.is_empty());
        // Signing in shows that mail arrives, and not that they want it.
        assert_eq!(member_of(app, &grace).await.mailbox.reason, Some(SuppressionReason::Administrator));
        let edith = app.sign_in_again(&edith);
        assert_eq!(app.mutate(&edith, "liftSuppression", &input, "").await["userErrors"], json!([]));
        assert_eq!(list(app, &edith).await["totalCount"], 0);
        let mails = week(app, &ada, "Soft-close bins", 1).await;
        assert_eq!(mails.iter().map(|mail| mail.to_name.as_str()).collect::<Vec<_>>(), ["Grace Hill"]);
        let log = "{ auditLog { nodes { action reason } } }";
        let log = app.graphql(&app.sign_in_again(&edith).token, log, json!({})).await["data"]["auditLog"]["nodes"].clone();
        let of = |action: &str| log.as_array().unwrap().iter().filter(|entry| entry["action"] == action).count();
        assert_eq!((of("SUPPRESS_MAILBOX"), of("LIFT_SUPPRESSION")), (1, 1), "{log}");
    }

    /// Without a secret nobody can tell anything.
    async fn without_a_secret_there_is_no_such_route(app: &TestApp) {
        let now = app.now().millis() / 1000;
        assert_eq!(events(app, SECRET, now, &json!({ "events": [] })).await, 404);
    }
}

fn secret() -> SharedSecret {
    SharedSecret::try_from(SECRET.to_owned()).unwrap()
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Sends events as a provider signs them, and returns the status.
async fn events(app: &TestApp, secret: &str, at: i64, events: &Json) -> u16 {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let body = events.to_string();
    let signed = format!("msg_1.{at}.{body}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
    let request = app.http.post(format!("{}/api/v1/mail/events", app.url)).body(body);
    let request = request.header("content-type", "text/plain").header("webhook-id", "msg_1");
    let request = request
        .header("webhook-timestamp", at)
        .header("webhook-signature", format!("v1,{}", STANDARD.encode(tag)));
    request.send().await.unwrap().status().as_u16()
}

mod signed {
    use super::*;

    on_both_stores! {
        with |config| config.mail_events.secret = Some(super::secret());

        async fn a_provider_tells_what_came_back(app: &TestApp) {
            let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
            let now = app.now().millis() / 1000;
            let event = |kind: &str, person: &Person, status: Json| json!({ "type": kind, "recipient": app.email(person), "status": status });
            let harmless = json!({ "events": [
                event("delivered", &ada, Json::Null), event("deferred", &ada, json!("4.2.2")), event("bounced", &ada, json!("5.7.1")),
                { "type": "bounced", "recipient": "nobody@nowhere.example" }, { "type": "complained", "recipient": "no address" },
            ] });
            assert_eq!(events(app, SECRET, now, &harmless).await, 204);
            assert!(!member_of(app, &ada).await.mailbox.is_suppressed());

            let bad = json!({ "events": [event("bounced", &grace, json!("5.1.1"))] });
            for (secret, at) in [("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", now), (SECRET, now - 301), (SECRET, now + 301)] {
                assert_eq!(events(app, secret, at, &bad).await, 401);
            }
            for wrong in [json!({}), json!({ "events": [{ "type": "lost", "recipient": "a@b.c" }] }), json!({ "events": [event("bounced", &grace, json!("no such user"))] }), json!({ "events": [], "more": 1 })] {
                assert_eq!(events(app, SECRET, now, &wrong).await, 400, "{wrong}");
            }
            assert!(!member_of(app, &grace).await.mailbox.is_suppressed());

            let news = json!({ "events": [event("bounced", &grace, json!("5.1.1")), event("complained", &joan, Json::Null)] });
            assert_eq!(events(app, SECRET, now, &news).await, 204);
            let (first, second) = (member_of(app, &grace).await, member_of(app, &joan).await);
            assert_eq!((first.mailbox.reason, first.mailbox.code.as_deref()), (Some(SuppressionReason::HardBounce), Some("5.1.1")));
            assert_eq!(second.mailbox.reason, Some(SuppressionReason::Complaint));
            assert!(first.standing.is_lapsed(app.now()) && !second.standing.is_lapsed(app.now()));
            // Told again, nothing changes.
            app.advance(TimeDelta::minutes(2));
            assert_eq!(events(app, SECRET, now, &news).await, 204);
            assert_eq!(all::<Member>(&app.app.store).await.iter().map(|member| member.version).max(), Some(first.version));
        }
    }
}
