//! Passkeys, with an authenticator made of software; `browser.rs` has a real browser's.

use super::{authenticator::Authenticator, *};
use crate::app::On;

/// What an authenticator does wrongly.
type Mistake = fn(&mut Authenticator);

/// `http://localhost:…`, which is where passkeys work in a test.
fn origin(app: &TestApp) -> String {
    app.app.config.public_url.as_str().trim_end_matches('/').to_owned()
}

fn options(payload: &Json) -> Json {
    serde_json::from_str(text(payload, "publicKey")).unwrap()
}

/// Registers a passkey, and returns the answer.
async fn add(app: &TestApp, holder: &Holder, authenticator: &Authenticator, name: &str) -> Json {
    let started = mutate(app, &holder.access, "startPasskey", &json!({}), "challengeId publicKey").await;
    assert_eq!(started["userErrors"], json!([]), "{started}");
    let input = json!({ "challengeId": started["challengeId"], "credential": authenticator.create(&options(&started)), "name": name });
    mutate(app, &holder.access, "addPasskey", &input, "recoveryCodes accessToken").await
}

/// A member with a passkey, and its authenticator.
async fn with_passkey(app: &TestApp, email: &str) -> (Holder, Authenticator) {
    let mut holder = Holder::without(app, email).await;
    let authenticator = Authenticator::new(&origin(app));
    let added = add(app, &holder, &authenticator, "Laptop").await;
    assert_eq!(added["userErrors"], json!([]), "{added}");
    holder.access = text(&added, "accessToken").to_owned();
    mails(app).await;
    (holder, authenticator)
}

/// Finishes signing in with a browser's answer.
async fn show_passkey(app: &TestApp, challenge: &Json, credential: &str) -> (u16, Json) {
    app.post(
        "/api/v1/auth/second-factor/passkey",
        &json!({ "challenge": challenge, "credential": credential }),
    )
    .await
}

on_both_stores! {
    with crate::app::at_localhost;

    async fn a_passkey_is_registered_and_signs_in(app: &TestApp) {
        let (holder, mut authenticator) = with_passkey(app, "jo@nhs.net").await;
        let needed = holder.asked(app).await;
        assert_eq!(needed["methods"], json!(["passkey", "recovery-code"]));
        let asked = options(&needed);
        assert_eq!((&asked["rpId"], &asked["userVerification"]), (&json!("localhost"), &json!("required")));
        assert_eq!(asked["allowCredentials"].as_array().unwrap().len(), 1);
        let answer = authenticator.get(&asked);
        let (status, tokens) = show_passkey(app, &needed["challenge"], &answer).await;
        assert_eq!(status, 200, "{tokens}");
        let said = factors(app, text(&tokens, "accessToken")).await;
        assert_eq!((&said["factors"][0]["kind"], &said["factors"][0]["name"], &said["passkeysWork"]), (&json!("PASSKEY"), &json!("Laptop"), &json!(true)));
        assert_eq!(said["factors"][0]["lastUsedAt"], json!(app.now().to_string()));
        // The same answer once more is none.
        assert_eq!(show_passkey(app, &needed["challenge"], &answer).await.0, 401);
        let again = holder.asked(app).await;
        assert_eq!(show_passkey(app, &again["challenge"], &answer).await.0, 401, "nor to another question");
        assert_eq!(counts(app).await.1, 2);
    }

    async fn of_twenty_at_once_one_is_let_in(app: &TestApp) {
        let (holder, mut authenticator) = with_passkey(app, "jo@nhs.net").await;
        let needed = holder.asked(app).await;
        let answer = authenticator.get(&options(&needed));
        let answers = (0..20).map(|_| show_passkey(app, &needed["challenge"], &answer));
        let answers = futures_util::future::join_all(answers).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
        assert_eq!(counts(app).await.1, 2);
    }

    async fn an_answer_from_elsewhere_is_refused(app: &TestApp) {
        let (holder, mut good) = with_passkey(app, "jo@nhs.net").await;
        let needed = holder.asked(app).await;
        let asked = options(&needed);
        let wrong: [(&str, Mistake); 5] = [
            ("another site", |at| at.origin = "https://evil.example".to_owned()),
            ("another port of this host", |at| at.origin = "http://localhost:1".to_owned()),
            ("a part of this host", |at| at.origin = at.origin.replace("localhost", "evil.localhost")),
            ("another party", |at| at.rp = "evil.example".to_owned()),
            ("nobody looked who holds it", |at| at.verifies = false),
        ];
        for (why, change) in wrong {
            let before = (good.origin.clone(), good.rp.clone());
            change(&mut good);
            let (status, problem) = show_passkey(app, &needed["challenge"], &good.get(&asked)).await;
            assert_eq!((status, &problem["code"]), (401, &json!("WRONG_CODE")), "{why}");
            (good.origin, good.rp, good.verifies) = (before.0, before.1, true);
        }
        // An answer to a question that this service asked somebody else, or that nobody asked.
        let mut other = asked.clone();
        other["challenge"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(show_passkey(app, &needed["challenge"], &good.get(&other)).await.0, 401);
        for nonsense in ["", "{}", "[]", "null", "{\"id\": 5}"] {
            let (status, problem) = show_passkey(app, &needed["challenge"], nonsense).await;
            assert_eq!((status, &problem["code"]), (422, &json!("INVALID")), "{nonsense}");
        }
        // Wrong passkeys pause nothing: nobody can guess one.
        assert_eq!(show_passkey(app, &needed["challenge"], &good.get(&asked)).await.0, 200);
    }

    async fn the_same_holds_when_one_is_registered(app: &TestApp) {
        let holder = Holder::without(app, "jo@nhs.net").await;
        let wrong: [Mistake; 3] = [
            |at| at.origin = "https://evil.example".to_owned(),
            |at| at.rp = "evil.example".to_owned(),
            |at| at.verifies = false,
        ];
        for change in wrong {
            let mut authenticator = Authenticator::new(&origin(app));
            change(&mut authenticator);
            let refused = add(app, &holder, &authenticator, "").await;
            assert_eq!((error(&refused), &refused["userErrors"][0]["field"]), ("WRONG_CODE", &json!(["credential"])));
        }
        let authenticator = Authenticator::new(&origin(app));
        let started = mutate(app, &holder.access, "startPasskey", &json!({}), "challengeId publicKey").await;
        let answer = authenticator.create(&options(&started));
        let again = mutate(app, &holder.access, "startPasskey", &json!({}), "challengeId publicKey").await;
        let input = json!({ "challengeId": again["challengeId"], "credential": answer });
        assert_eq!(error(&mutate(app, &holder.access, "addPasskey", &input, "").await), "WRONG_CODE", "to another question");
        let input = json!({ "challengeId": again["challengeId"], "credential": "{}" });
        assert_eq!(error(&mutate(app, &holder.access, "addPasskey", &input, "").await), "INVALID");
        let other = Holder::without(app, "other@nhs.net").await;
        let input = json!({ "challengeId": started["challengeId"], "credential": answer });
        assert_eq!(mutate(app, &other.access, "addPasskey", &input, "").await, "NOT_FOUND", "another member's question");
        assert!(stored(app).await.is_empty());
        let added = mutate(app, &holder.access, "addPasskey", &input, "recoveryCodes").await;
        assert_eq!(added["recoveryCodes"].as_array().unwrap().len(), 10);
        assert_eq!(mutate(app, &holder.access, "addPasskey", &input, "").await, "SECOND_FACTOR_REQUIRED", "and then it needs one");
    }

    async fn another_member_s_passkey_is_none(app: &TestApp) {
        let (jo, _) = with_passkey(app, "jo@nhs.net").await;
        let (eve, mut hers) = with_passkey(app, "eve@nhs.net").await;
        let needed = jo.asked(app).await;
        assert_eq!(show_passkey(app, &needed["challenge"], &hers.get(&options(&needed))).await.0, 401);
        // Nor is the one who has it able to register it for a second member.
        let ada = Holder::without(app, "ada@nhs.net").await;
        let refused = add(app, &ada, &hers, "").await;
        assert_eq!((error(&refused), &refused["userErrors"][0]["field"]), ("INVALID", &json!(["credential"])));
        // Twice for the same member is refused, too: a browser would not do it.
        assert_eq!(error(&add(app, &eve, &hers, "").await), "WRONG_CODE");
        assert_eq!(stored(app).await.len(), 2);
    }

    async fn a_copy_of_a_passkey_is_noticed(app: &TestApp) {
        let (holder, mut device) = with_passkey(app, "jo@nhs.net").await;
        device.counter = 10;
        for _ in 0..2 {
            let needed = holder.asked(app).await;
            assert_eq!(show_passkey(app, &needed["challenge"], &device.get(&options(&needed))).await.0, 200);
        }
        for behind in [5, 10, 11] {
            device.counter = behind;
            let needed = holder.asked(app).await;
            let (status, problem) = show_passkey(app, &needed["challenge"], &device.get(&options(&needed))).await;
            assert_eq!((status, &problem["code"]), (401, &json!("WRONG_CODE")), "{behind}");
            // Its member is told, whoever showed it, and so are moderators.
            let told = mails(app).await;
            assert_eq!(told.iter().map(|mail| (mail.to.as_str(), &*mail.subject)).collect::<Vec<_>>(), [("jo@nhs.net", "There may be a copy of your passkey for HOPE Network")]);
        }
        let entries: Vec<hope_exchange::domain::audit::AuditEntry> = all(app).await;
        let entries: Vec<_> = entries.iter().map(|entry| (entry.action, entry.actor.as_str())).collect();
        assert_eq!(entries, [(hope_exchange::domain::audit::AuditAction::SuspectPasskey, "mbr_none"); 3]);
        // Also when both were asked before either answered.
        let (first, second) = (holder.asked(app).await, holder.asked(app).await);
        device.counter = 20;
        let early = device.get(&options(&first));
        let late = device.get(&options(&second));
        assert_eq!(show_passkey(app, &second["challenge"], &late).await.0, 200);
        assert_eq!(show_passkey(app, &first["challenge"], &early).await.0, 401);
    }

    async fn a_device_that_does_not_count_is_taken(app: &TestApp) {
        let holder = Holder::without(app, "jo@nhs.net").await;
        let mut device = Authenticator::new(&origin(app));
        device.counter = 0;
        add(app, &holder, &device, "").await;
        for _ in 0..2 {
            let needed = holder.asked(app).await;
            assert_eq!(show_passkey(app, &needed["challenge"], &device.get(&options(&needed))).await.0, 200);
        }
    }

    async fn a_passkey_shown_in_a_session_wakes_a_role(app: &TestApp) {
        hope_exchange::actions::member::grant(&app.app, "mary@nhs.net", Role::Moderator).await.unwrap();
        let weak = Holder::without(app, "mary@nhs.net").await;
        let (_, mut device) = with_passkey(app, "mary@nhs.net").await;
        let queue = "{ moderationQueue { totalCount } }";
        assert!(app.graphql(&weak.access, queue, json!({})).await["errors"].is_array());
        let started = mutate(app, &weak.access, "startSecondFactor", &json!({}), "challengeId publicKey").await;
        let input = json!({ "challengeId": started["challengeId"], "credential": device.get(&options(&started)) });
        // It is this session's: another one's question is none.
        let needed = weak.asked(app).await;
        let (_, other) = show_passkey(app, &needed["challenge"], &device.get(&options(&needed))).await;
        assert_eq!(mutate(app, text(&other, "accessToken"), "showSecondFactor", &input, "").await, "NOT_FOUND");
        let started = mutate(app, &weak.access, "startSecondFactor", &json!({}), "challengeId publicKey").await;
        let input = json!({ "challengeId": started["challengeId"], "credential": device.get(&options(&started)) });
        let shown = mutate(app, &weak.access, "showSecondFactor", &input, "accessToken").await;
        assert!(app.graphql(text(&shown, "accessToken"), queue, json!({})).await["errors"].is_null(), "{shown}");
        assert_eq!(mutate(app, &weak.access, "showSecondFactor", &input, "accessToken").await, "NOT_FOUND", "once");
    }

    async fn a_passkey_that_was_removed_is_none(app: &TestApp) {
        let (mut holder, mut device) = with_passkey(app, "jo@nhs.net").await;
        holder.add_app(app).await;
        let needed = holder.asked(app).await;
        assert_eq!(needed["methods"], json!(["passkey", "totp", "recovery-code"]));
        let answer = device.get(&options(&needed));
        let id = factors(app, &holder.access).await["factors"][0]["id"].clone();
        let removed = mutate(app, &holder.access, "removeSecondFactor", &json!({ "id": id }), "").await;
        assert_eq!(removed["userErrors"], json!([]));
        assert_eq!(mutate(app, &holder.access, "removeSecondFactor", &json!({ "id": id }), "").await, "NOT_FOUND");
        assert_eq!(show_passkey(app, &needed["challenge"], &answer).await.0, 401);
        assert_eq!(holder.asked(app).await["methods"], json!(["totp", "recovery-code"]));
    }

    /// As long as codes pause after wrong ones, passkeys work: nobody locks a member out.
    async fn passkeys_work_while_codes_pause(app: &TestApp) {
        let (holder, mut device) = with_passkey(app, "jo@nhs.net").await;
        let needed = holder.asked(app).await;
        for _ in 0..6 {
            show(app, &needed["challenge"], "000000").await;
        }
        assert_eq!(show(app, &needed["challenge"], "000000").await.0, 429);
        assert_eq!(show_passkey(app, &needed["challenge"], &device.get(&options(&needed))).await.0, 200);
    }
}

/// Browsers know no passkeys for a number; nobody is offered one there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_a_number_has_no_passkeys() {
    TestApp::run(On::Sqlite, async |app| {
        let holder = Holder::without(app, "jo@nhs.net").await;
        assert_eq!(
            mutate(app, &holder.access, "startPasskey", &json!({}), "challengeId").await,
            "WRONG_STATE"
        );
        assert_eq!(factors(app, &holder.access).await["passkeysWork"], false);
    })
    .await;
}
