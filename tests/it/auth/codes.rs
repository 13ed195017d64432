//! Codes: the whole way, and what stops those who guess.

use chrono::TimeDelta;
use hope_exchange::{
    actions::member,
    domain::{
        member::{DigestFrequency, Role},
        organisation::{OdsCode, Organisation},
        sign_in::{Attempts, SignIn},
    },
};

use super::*;

on_both_stores! {
    async fn a_code_signs_in_and_makes_a_member(app: &TestApp) {
        let code = OdsCode::parse("RR8").unwrap();
        let mut trust = Organisation::new(app.app.ids.fresh(), code, "Leeds Teaching Hospitals NHS Trust", app.now());
        trust.domains = vec!["leedsth.nhs.uk".to_owned()];
        commit(app, Batch::new().insert(&trust)).await;

        let email = "Jo.Bloggs3+hope@ward.LeedsTH.nhs.uk";
        let (status, said) = app.post("/api/v1/auth/sign-in", &json!({ "email": email })).await;
        assert_eq!(status, 202);
        assert_eq!(said["domains"], json!(["nhs.net", "nhs.uk"]));
        assert_eq!(said["expiresIn"], 600);
        assert_eq!(counts(app).await, (0, 0));

        let mail = mails(app).await.pop().unwrap();
        assert_eq!(mail.to.as_str(), "Jo.Bloggs3+hope@ward.leedsth.nhs.uk");
        assert_eq!(mail.subject, "Your code to sign in to HOPE Network");
        let code = code_in(&mail);
        assert!(mail.html.contains(&code) && mail.html.contains(&link_in(&mail)));

        let typed = format!(" {}-{} ", code[..4].to_lowercase(), &code[4..]);
        let (status, tokens) = verify(app, " jo.bloggs3@ward.leedsth.NHS.uk ", &typed).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!((&tokens["tokenType"], &tokens["expiresIn"]), (&json!("Bearer"), &json!(600)));
        assert_eq!(holder(app, &tokens["accessToken"]).await.unwrap(), mail.to.as_str());

        let member = all::<Member>(app).await.pop().unwrap();
        assert_eq!((member.name.as_str(), member.role), ("Jo Bloggs", Role::Member));
        assert_eq!(member.email_key, "jo.bloggs3@ward.leedsth.nhs.uk");
        assert_eq!(member.organisation, Some(trust.id));
        assert_eq!((member.digest.frequency, member.digest.minute), (DigestFrequency::Weekly, 450));

        signed_in(app, email).await;
        assert_eq!(counts(app).await, (1, 2));
    }

    async fn a_code_works_once(app: &TestApp) {
        let code = code_in(&asked(app, "a@nhs.net").await);
        assert_eq!(verify(app, "a@nhs.net", &code).await.0, 200);
        for _ in 0..20 {
            let (status, problem) = verify(app, "a@nhs.net", &code).await;
            assert_eq!((status, &problem["code"]), (401, &json!("WRONG_CODE")));
        }
        // Sending a used code again is no guess, and pauses nothing.
        signed_in(app, "a@nhs.net").await;
        assert_eq!(counts(app).await, (1, 2));
    }

    async fn a_code_works_for_ten_minutes(app: &TestApp) {
        let code = code_in(&asked(app, "a@nhs.net").await);
        app.advance(TimeDelta::minutes(10));
        assert_eq!(verify(app, "a@nhs.net", &code).await.0, 401);
        let code = code_in(&asked(app, "a@nhs.net").await);
        app.advance(TimeDelta::milliseconds(599_999));
        assert_eq!(verify(app, "a@nhs.net", &code).await.0, 200);
    }

    async fn a_code_takes_five_tries(app: &TestApp) {
        let code = code_in(&asked(app, "a@nhs.net").await);
        for _ in 0..5 {
            assert_eq!(verify(app, "a@nhs.net", WRONG).await.0, 401);
        }
        assert_eq!(verify(app, "a@nhs.net", &code).await.0, 401);
        let code = code_in(&asked(app, "a@nhs.net").await);
        for _ in 0..4 {
            assert_eq!(verify(app, "a@nhs.net", WRONG).await.0, 401);
        }
        assert_eq!(verify(app, "a@nhs.net", &code).await.0, 200);
        assert!(all::<Attempts>(app).await.is_empty(), "the count starts anew");
    }

    async fn guesses_made_at_once_share_no_try(app: &TestApp) {
        let code = code_in(&asked(app, "a@nhs.net").await);
        let guesses = (0..30).map(|_| verify(app, "a@nhs.net", WRONG));
        futures_util::future::join_all(guesses).await;
        assert_eq!(all::<SignIn>(app).await[0].tries, 5);
        assert_ne!(verify(app, "a@nhs.net", &code).await.0, 200);
    }

    async fn ten_wrong_codes_pause_the_address(app: &TestApp) {
        let first = asked(app, "a@nhs.net").await;
        for _ in 0..10 {
            assert_eq!(verify(app, "a@nhs.net", WRONG).await.0, 401);
        }
        let code = code_in(&asked(app, "A+x@nhs.net").await);
        let response = app.http.post(format!("{}/api/v1/auth/verify", app.url));
        let response = response.json(&json!({ "email": "a+y@nhs.net", "code": code })).send().await.unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "900");
        assert_eq!(response.json::<Json>().await.unwrap()["code"], "RATE_LIMITED");
        // Other addresses are not concerned.
        signed_in(app, "b@nhs.net").await;

        app.advance(TimeDelta::minutes(15));
        assert_eq!(verify(app, "a@nhs.net", &code_in(&first)).await.0, 401, "too old by now");
        for _ in 0..8 {
            assert_eq!(verify(app, "a@nhs.net", WRONG).await.0, 401);
        }
        let code = code_in(&asked(app, "a@nhs.net").await);
        assert_eq!(verify(app, "a@nhs.net", &code).await.0, 200);
    }

    async fn whoever_asked_twice_can_use_either_code(app: &TestApp) {
        let (first, second) = (asked(app, "a@nhs.net").await, asked(app, "a@nhs.net").await);
        assert_ne!(code_in(&first), code_in(&second));
        assert_ne!(first.message_id, second.message_id);
        assert_eq!(verify(app, "a@nhs.net", &code_in(&first)).await.0, 200);
        assert_eq!(verify(app, "a@nhs.net", &code_in(&second)).await.0, 200);
    }

    async fn a_mail_sent_again_is_the_same_mail(app: &TestApp) {
        app.post("/api/v1/auth/sign-in", &json!({ "email": "a@nhs.net" })).await;
        let id = all::<SignIn>(app).await.pop().unwrap().id;
        for _ in 0..2 {
            assert!(sign_in_mail::run(&app.app, &id).await.unwrap().is_empty());
        }
        let sent = app.take_mail();
        assert_eq!(sent.len(), 2);
        assert_eq!(sent[0], sent[1]);
        assert_eq!(sent[0].message_id, format!("{id}@127.0.0.1"));
        app.advance(TimeDelta::minutes(10));
        assert!(sign_in_mail::run(&app.app, &id).await.unwrap().is_empty());
        assert!(app.take_mail().is_empty(), "a code that is too old is not sent");
    }

    async fn twenty_verifications_at_once_make_one_session(app: &TestApp) {
        let code = code_in(&asked(app, "a@nhs.net").await);
        let answers = futures_util::future::join_all((0..20).map(|_| verify(app, "a@nhs.net", &code))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (200, &[401; 19][..]));
        assert_eq!(counts(app).await, (1, 1));
        signed_in(app, "a@nhs.net").await;
    }

    async fn first_sign_ins_that_race_make_one_member(app: &TestApp) {
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(code_in(&asked(app, "a@nhs.net").await));
        }
        let answers = codes.iter().map(|code| verify(app, "a@nhs.net", code));
        let answers = futures_util::future::join_all(answers).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        assert_eq!(counts(app).await, (1, 4));
    }

    /// Where a mail server knows no plus-tags, the address with one can be somebody else's.
    async fn another_plus_tag_gets_no_mail_and_no_account(app: &TestApp) {
        let early = asked(app, "jo+other@trust.nhs.uk").await;
        app.advance(TimeDelta::seconds(1));
        signed_in(app, "jo@trust.nhs.uk").await;
        assert_eq!(verify(app, "jo@trust.nhs.uk", &code_in(&early)).await.0, 401);
        let later = asked(app, "JO+other@trust.nhs.uk").await;
        assert_eq!(later.to.as_str(), "jo@trust.nhs.uk");
        assert_eq!(verify(app, "jo@trust.nhs.uk", &code_in(&later)).await.0, 200);
    }

    async fn a_granted_role_makes_a_member_or_changes_one(app: &TestApp) {
        let partner = member::grant(&app.app, "partner@example.org", Role::Partner).await.unwrap();
        assert_eq!(partner.role, Role::Partner);
        // No NHS address, but a member: they may sign in.
        let tokens = signed_in(app, "partner@example.org").await;
        assert_eq!(holder(app, &tokens["accessToken"]).await.unwrap(), "partner@example.org");
        let again = member::grant(&app.app, "Partner+x@example.org", Role::Administrator).await.unwrap();
        assert_eq!((again.id, again.role), (partner.id, Role::Administrator));
        assert!(member::grant(&app.app, "nobody", Role::Member).await.is_err());
        assert_eq!(counts(app).await.0, 1);
    }
}
