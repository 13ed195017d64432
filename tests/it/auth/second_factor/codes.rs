//! Authenticator apps and recovery codes: the whole way, and what stops those who guess.

use chrono::TimeDelta;

use super::*;

on_both_stores! {
    async fn whoever_has_an_app_shows_it_at_every_sign_in(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        assert_eq!(holder.recovery.len(), 10);
        let needed = holder.asked(app).await;
        assert_eq!((&needed["methods"], &needed["expiresIn"]), (&json!(["totp", "recovery-code"]), &json!(600)));
        assert_eq!(counts(app).await.1, 1, "no session yet");
        next_step(app);
        let (status, tokens) = show(app, &needed["challenge"], &holder.code(app)).await;
        assert_eq!((status, &tokens["tokenType"], &tokens["expiresIn"]), (200, &json!("Bearer"), &json!(600)));
        let said = factors(app, text(&tokens, "accessToken")).await;
        assert_eq!((&said["shownAt"], &said["recoveryCodesLeft"]), (&json!(app.now().to_string()), &json!(10)));
        assert_eq!(said["factors"][0]["name"], "Work phone");
        // It stays so when the tokens are renewed.
        app.advance(TimeDelta::minutes(11));
        let (_, renewed) = refresh(app, &tokens["refreshToken"]).await;
        assert_eq!(factors(app, text(&renewed, "accessToken")).await["shownAt"], said["shownAt"]);
        // And the challenge was used.
        next_step(app);
        assert_eq!(show(app, &needed["challenge"], &holder.code(app)).await.0, 401);
    }

    async fn what_an_app_is_told_is_of_the_standard_form(app: &TestApp) {
        let holder = Holder::without(app, "jo+x@nhs.net").await;
        let input = json!({ "clientMutationId": "1" });
        let started = mutate(app, &holder.access, "startTotp", &input, "challengeId secret uri").await;
        let secret = text(&started, "secret");
        assert_eq!(secret.split(' ').map(str::len).collect::<Vec<_>>(), [4; 8], "{secret}");
        let uri = format!("otpauth://totp/HOPE%20Network:jo%2Bx%40nhs.net?secret={}&issuer=HOPE%20Network", secret.replace(' ', ""));
        assert_eq!(text(&started, "uri"), uri);
        assert_eq!(mutate(app, &holder.access, "startTotp", &input, "challengeId secret uri").await, started);
        let other = mutate(app, &holder.access, "startTotp", &json!({}), "secret").await;
        assert_ne!(other["secret"], started["secret"]);
        assert!(stored(app).await.is_empty(), "nothing is registered without the first code");
        assert_eq!(signed_in(app, "jo+x@nhs.net").await["tokenType"], "Bearer");
    }

    async fn an_app_is_registered_by_the_code_that_it_shows(app: &TestApp) {
        let mut holder = Holder::without(app, "jo@nhs.net").await;
        let started = mutate(app, &holder.access, "startTotp", &json!({}), "challengeId secret").await;
        holder.secret = text(&started, "secret").replace(' ', "");
        let with = |code: String| json!({ "challengeId": started["challengeId"], "code": code, "clientMutationId": format!("with {code}") });
        for wrong in [holder.code_at(app, 2), holder.code_at(app, -2), String::new(), "000".to_owned()] {
            let refused = mutate(app, &holder.access, "addTotp", &with(wrong), "recoveryCodes accessToken").await;
            assert_eq!((error(&refused), &refused["userErrors"][0]["field"], &refused["recoveryCodes"]), ("WRONG_CODE", &json!(["code"]), &Json::Null));
        }
        // Another member's challenge is none.
        let other = Holder::without(app, "other@nhs.net").await;
        assert_eq!(mutate(app, &other.access, "addTotp", &with(holder.code(app)), "").await, "NOT_FOUND");
        let input = with(holder.code_at(app, 1));
        let added = mutate(app, &holder.access, "addTotp", &input, "viewer { secondFactors { factors { kind name } } } recoveryCodes accessToken").await;
        assert_eq!(added["viewer"]["secondFactors"]["factors"], json!([{ "kind": "TOTP", "name": "Authenticator app" }]));
        assert!(factors(app, text(&added, "accessToken")).await["shownAt"].is_string());
        let again = mutate(app, &holder.access, "addTotp", &input, "recoveryCodes accessToken").await;
        assert_eq!((&again["recoveryCodes"], &again["userErrors"]), (&Json::Null, &json!([])), "they are shown once");
        assert_eq!(stored(app).await.len(), 1);
        let sent = mails(app).await;
        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].to.as_str(), sent[0].subject.as_str()), ("jo@nhs.net", "A new second factor for HOPE Network"));
    }

    async fn a_challenge_waits_ten_minutes(app: &TestApp) {
        let mut holder = Holder::without(app, "jo@nhs.net").await;
        let started = mutate(app, &holder.access, "startTotp", &json!({}), "challengeId secret").await;
        holder.secret = text(&started, "secret").replace(' ', "");
        app.advance(TimeDelta::minutes(10));
        let input = json!({ "challengeId": started["challengeId"], "code": holder.code(app) });
        assert_eq!(mutate(app, &holder.access, "addTotp", &input, "").await, "NOT_FOUND");
        holder.add_app(app).await;
        mails(app).await;
        let needed = holder.asked(app).await;
        app.advance(TimeDelta::minutes(10));
        assert_eq!(show(app, &needed["challenge"], &holder.code(app)).await.0, 401);
        assert!(all::<hope_exchange::domain::factor_challenge::FactorChallenge>(app).await.len() > 1);
        app.advance(TimeDelta::minutes(1));
        jobs::purge(&app.app).await.unwrap();
        assert!(all::<hope_exchange::domain::factor_challenge::FactorChallenge>(app).await.is_empty());
    }

    async fn a_code_of_an_app_works_once(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        let (first, second) = (holder.asked(app).await, holder.asked(app).await);
        let used = holder.code(app);
        assert_eq!(show(app, &first["challenge"], &used).await.0, 401, "it registered the app");
        next_step(app);
        let code = holder.code(app);
        assert_eq!(show(app, &first["challenge"], &code).await.0, 200);
        let (status, problem) = show(app, &second["challenge"], &code).await;
        assert_eq!((status, &problem["code"]), (401, &json!("WRONG_CODE")));
        assert_eq!(show(app, &second["challenge"], &holder.code_at(app, -1)).await.0, 401, "nor one before it");
        assert_eq!(show(app, &second["challenge"], &holder.code_at(app, 1)).await.0, 200);
    }

    async fn of_twenty_at_once_one_signs_in(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        // One challenge, and one code: 20 times the same.
        let needed = holder.asked(app).await;
        next_step(app);
        let code = holder.code(app);
        let answers = futures_util::future::join_all((0..20).map(|_| show(app, &needed["challenge"], &code))).await;
        let won = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!(won, 1, "{answers:?}");
        assert!(answers.iter().all(|(status, _)| matches!(status, 200 | 401 | 429)), "{answers:?}");
        assert_eq!(counts(app).await.1, 2);
        // And one code for many challenges.
        app.advance(TimeDelta::minutes(20));
        let mut challenges = Vec::new();
        for _ in 0..3 {
            challenges.push(holder.asked(app).await["challenge"].clone());
        }
        let code = holder.code(app);
        let answers = futures_util::future::join_all(challenges.iter().map(|challenge| show(app, challenge, &code))).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
        assert_eq!(counts(app).await.1, 3);
    }

    async fn five_wrong_codes_pause_codes(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        let needed = holder.asked(app).await;
        let guesses = (0..30).map(|_| show(app, &needed["challenge"], "BCDFG-HJKMN"));
        let answers = futures_util::future::join_all(guesses).await;
        let wrong = answers.iter().filter(|(status, _)| *status == 401).count();
        assert_eq!(wrong, 5, "guesses made at once are all counted: {answers:?}");
        assert!(answers.iter().all(|(status, _)| matches!(status, 401 | 429)), "{answers:?}");
        next_step(app);
        let (status, problem) = show(app, &needed["challenge"], &holder.code(app)).await;
        assert_eq!((status, &problem["code"]), (429, &json!("RATE_LIMITED")));
        // Another challenge helps as little, and so does a session that goes on.
        let other = holder.asked(app).await;
        assert_eq!(show(app, &other["challenge"], &holder.code(app)).await.0, 429);
        let input = json!({ "code": holder.code(app) });
        assert_eq!(mutate(app, &holder.access, "showSecondFactor", &input, "accessToken").await, "RATE_LIMITED");
        app.advance(TimeDelta::minutes(15));
        assert_eq!(holder.signs_in(app).await["tokenType"], "Bearer");
    }

    async fn a_recovery_code_works_once_however_it_is_typed(app: &TestApp) {
        let mut holder = Holder::with_app(app, "jo@nhs.net").await;
        let typed = holder.recovery[0].to_lowercase().replace('-', " ");
        let needed = holder.asked(app).await;
        assert_eq!(show(app, &needed["challenge"], &typed).await.0, 200);
        let mail = mails(app).await.into_iter().find(|mail| mail.subject.contains("recovery code")).unwrap();
        assert!(mail.text.contains("You have 9 left"), "{}", mail.text);
        for code in &holder.recovery {
            assert!(!mail.text.contains(code.as_str()) && !mail.html.contains(code.as_str()));
        }
        let needed = holder.asked(app).await;
        assert_eq!(show(app, &needed["challenge"], &holder.recovery[0]).await.0, 401);
        assert_eq!(show(app, &needed["challenge"], &holder.recovery[9]).await.0, 200);
        // New ones take the place of all that are left.
        let old = holder.recovery[5].clone();
        let renewed = mutate(app, &holder.access, "renewRecoveryCodes", &json!({}), "recoveryCodes accessToken").await;
        assert_eq!(renewed["recoveryCodes"].as_array().unwrap().len(), 10);
        let needed = holder.asked(app).await;
        assert_eq!(show(app, &needed["challenge"], &old).await.0, 401);
        holder.recovery = serde_json::from_value(renewed["recoveryCodes"].clone()).unwrap();
        assert_eq!(show(app, &needed["challenge"], &holder.recovery[5]).await.0, 200);
        // Another member's are none.
        let other = Holder::with_app(app, "other@nhs.net").await;
        let needed = other.asked(app).await;
        assert_eq!(show(app, &needed["challenge"], &holder.recovery[1]).await.0, 401);
    }

    async fn twenty_uses_of_a_recovery_code_at_once_are_one(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        let mut challenges = Vec::new();
        for _ in 0..3 {
            challenges.push(holder.asked(app).await["challenge"].clone());
        }
        let shown = (0..20).map(|at| show(app, &challenges[at % 3], &holder.recovery[0]));
        let answers = futures_util::future::join_all(shown).await;
        assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
        assert_eq!(stored(app).await[0].recovery_codes.len(), 9);
    }

    async fn what_is_stored_shows_no_factor(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        let json = serde_json::to_string(&stored(app).await).unwrap();
        let secret = Secret::try_from_base32(&holder.secret).unwrap();
        for secret in [&holder.secret, &format!("{:02x?}", secret.as_ref())] {
            assert!(!json.contains(secret.as_str()));
        }
        for code in &holder.recovery {
            assert!(!json.contains(code.as_str()) && !json.contains(&code.replace('-', "")));
        }
    }

    async fn factors_are_changed_within_ten_minutes_of_showing_one(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        let id = factors(app, &holder.access).await["factors"][0]["id"].clone();
        app.advance(TimeDelta::seconds(599));
        assert!(mutate(app, &holder.access, "startTotp", &json!({}), "challengeId").await.is_object());
        app.advance(TimeDelta::seconds(1));
        let changes = [
            ("startTotp", json!({})),
            ("startPasskey", json!({})),
            ("addTotp", json!({ "challengeId": "fch_1", "code": "1" })),
            ("renewRecoveryCodes", json!({})),
            ("removeSecondFactor", json!({ "id": id })),
        ];
        for (name, input) in &changes {
            assert_eq!(mutate(app, &holder.access, name, input, "").await, "SECOND_FACTOR_REQUIRED", "{name}");
        }
        assert_eq!(stored(app).await[0].factors.len(), 1);
        let wrong = mutate(app, &holder.access, "showSecondFactor", &json!({ "code": "000000" }), "accessToken").await;
        assert_eq!((error(&wrong), &wrong["accessToken"]), ("WRONG_CODE", &Json::Null));
        for nothing in [json!({}), json!({ "credential": "{}" }), json!({ "code": "1", "credential": "{}" })] {
            assert_eq!(error(&mutate(app, &holder.access, "showSecondFactor", &nothing, "").await), "REQUIRED");
        }
        let input = json!({ "code": holder.code(app) });
        let shown = mutate(app, &holder.access, "showSecondFactor", &input, "accessToken").await;
        let fresh = text(&shown, "accessToken");
        assert!(mutate(app, fresh, "renewRecoveryCodes", &json!({}), "recoveryCodes").await["recoveryCodes"].is_array());
        // The access token from before says what it said; the session's next one says it, too.
        assert_eq!(mutate(app, &holder.access, "renewRecoveryCodes", &json!({}), "").await, "SECOND_FACTOR_REQUIRED");
    }

    /// A session that has not shown a factor adds none to those that are there.
    async fn a_session_from_before_changes_nothing(app: &TestApp) {
        let mut holder = Holder::without(app, "jo@nhs.net").await;
        let other = Holder::without(app, "jo@nhs.net").await;
        let started = mutate(app, &other.access, "startTotp", &json!({}), "challengeId secret").await;
        holder.add_app(app).await;
        assert_eq!(mutate(app, &other.access, "startTotp", &json!({}), "").await, "SECOND_FACTOR_REQUIRED");
        let late = Holder { secret: text(&started, "secret").replace(' ', ""), ..other };
        let input = json!({ "challengeId": started["challengeId"], "code": late.code(app) });
        assert_eq!(mutate(app, &late.access, "addTotp", &input, "").await, "SECOND_FACTOR_REQUIRED");
        assert_eq!(stored(app).await[0].factors.len(), 1);
    }

    async fn first_factors_that_race_are_one(app: &TestApp) {
        let mut sessions = Vec::new();
        for _ in 0..3 {
            let mut holder = Holder::without(app, "jo@nhs.net").await;
            let started = mutate(app, &holder.access, "startTotp", &json!({}), "challengeId secret").await;
            holder.secret = text(&started, "secret").replace(' ', "");
            sessions.push((holder, started["challengeId"].clone()));
        }
        let added = sessions.iter().map(async |(holder, challenge)| {
            let input = json!({ "challengeId": challenge, "code": holder.code(app) });
            mutate(app, &holder.access, "addTotp", &input, "recoveryCodes").await
        });
        let added = futures_util::future::join_all(added).await;
        assert_eq!(added.iter().filter(|answer| answer["recoveryCodes"].is_array()).count(), 1, "{added:?}");
        assert_eq!(added.iter().filter(|answer| **answer == "SECOND_FACTOR_REQUIRED").count(), 2, "{added:?}");
        assert_eq!(stored(app).await[0].factors.len(), 1);
    }

    async fn there_are_ten_at_most(app: &TestApp) {
        let mut holder = Holder::with_app(app, "jo@nhs.net").await;
        let recovery = holder.recovery.clone();
        for _ in 0..9 {
            holder.add_app(app).await;
        }
        assert_eq!(holder.recovery, recovery, "recovery codes come with the first");
        let refused = mutate(app, &holder.access, "startTotp", &json!({}), "challengeId").await;
        assert_eq!((error(&refused), &refused["challengeId"]), ("TOO_MANY", &Json::Null));
        // Each of them works.
        assert_eq!(holder.signs_in(app).await["tokenType"], "Bearer");
    }

    async fn names_are_guarded(app: &TestApp) {
        let mut holder = Holder::without(app, "jo@nhs.net").await;
        let started = mutate(app, &holder.access, "startTotp", &json!({}), "challengeId secret").await;
        holder.secret = text(&started, "secret").replace(' ', "");
        for (name, code) in [("943 476 5919", "PERSONAL_DATA"), (&"x".repeat(51), "TOO_LONG")] {
            let input = json!({ "challengeId": started["challengeId"], "code": holder.code(app), "name": name });
            let refused = mutate(app, &holder.access, "addTotp", &input, "recoveryCodes").await;
            assert_eq!((error(&refused), &refused["userErrors"][0]["field"]), (code, &json!(["name"])));
        }
        assert!(stored(app).await.is_empty());
    }

    async fn forged_challenges_are_refused(app: &TestApp) {
        let holder = Holder::with_app(app, "jo@nhs.net").await;
        let needed = holder.asked(app).await;
        next_step(app);
        let good = text(&needed, "challenge");
        let adding = mutate(app, &holder.access, "startTotp", &json!({}), "challengeId").await;
        let adding = text(&adding, "challengeId");
        let of_another_purpose = second_factor::challenge(&app.app, &hope_exchange::ids::Id::parse(adding).unwrap());
        for forged in ["", ".", good.split('.').next().unwrap(), &good[..good.len() - 1], adding, &of_another_purpose, &format!("{good}A")] {
            let (status, problem) = show(app, &json!(forged), &holder.code(app)).await;
            assert_eq!((status, &problem["code"]), (401, &json!("WRONG_CODE")), "{forged}");
        }
        for wrong in [json!({ "$ne": "" }), json!(5), Json::Null] {
            assert_eq!(show(app, &wrong, &holder.code(app)).await.0, 422);
        }
        assert_eq!(show(app, &json!(good), &holder.code(app)).await.0, 200);
    }

    async fn no_secret_of_a_factor_is_logged(app: &TestApp) {
        let log = crate::log::Log::start();
        let holder = Holder::with_app(app, "secretive.person@nhs.net").await;
        let tokens = holder.signs_in(app).await;
        let needed = holder.asked(app).await;
        show(app, &needed["challenge"], "000000").await;
        show(app, &needed["challenge"], &holder.recovery[0]).await;
        mails(app).await;
        let text_of = log.text();
        assert!(text_of.contains("signed in with a second factor"), "{text_of}");
        let challenge = text(&needed, "challenge").split('.').nth(1).unwrap();
        for secret in [holder.secret.as_str(), &holder.recovery[0], challenge, text(&tokens, "accessToken"), "secretive.person"] {
            assert!(!text_of.contains(secret), "{secret} in {text_of}");
        }
    }
}
