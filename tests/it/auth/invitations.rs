//! Invitations of lived experience partners: one link, one acceptance, and no access any more once they are
//! taken back.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        audit::{AuditAction, AuditEntry},
        invitation::{Invitation, InvitationState},
        member::Role,
        sign_in::SignIn,
    },
    ids::Id,
};

use super::{
    joining::{accepts, ask, moderator, refusal},
    pages::{Browser, values},
    *,
};
use crate::{app::Person, case_studies::with};

const FIELDS: &str = "invitation { id state email name expiresAt accessEndsAt acceptedAt revokedAt sponsor { name } acceptedBy { name role sponsor { name } } scope { topics { id } caseStudies { id } } }";

async fn invites(app: &TestApp, by: &Person, changes: &Json) -> Json {
    let input = with(json!({ "email": "pat.green@example.org", "name": "Pat Green" }), changes);
    let payload = app.mutate(by, "createInvitation", &input, FIELDS).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["invitation"].clone()
}

async fn listed(app: &TestApp, by: &Person) -> Json {
    let query = "{ invitations(first: 10) { nodes { id state acceptedBy { name role sponsor { name } } } } }";
    app.graphql(&by.token, query, json!({})).await["data"]["invitations"]["nodes"].clone()
}

fn invitation_link(mail: &Message) -> String {
    mail.text.lines().find(|line| line.contains("/invitations/")).unwrap().trim().to_owned()
}

on_both_stores! {
    async fn a_partner_is_invited_accepts_once_and_can_be_put_out(app: &TestApp) {
        let mary = moderator(app).await;
        let study = app.case_study(&mary, &json!({ "title": "Quiet nights" })).await;
        let scope = json!({ "topicIds": ["top_mental-health"], "caseStudyIds": [study] });
        let invitation = invites(app, &mary, &scope).await;
        assert_eq!(invitation["scope"], json!({ "topics": [{ "id": "top_mental-health" }], "caseStudies": [{ "id": study }] }));
        assert_eq!((&invitation["state"], &invitation["sponsor"]["name"]), (&json!("OPEN"), &json!("Mary Ward")));
        let mail = mails(app).await.pop().unwrap();
        assert_eq!((mail.to.as_str(), mail.to_name.as_str()), ("pat.green@example.org", "Pat Green"));
        assert_eq!(mail.subject, "Mary Ward invites you to HOPE Network");
        for part in ["Mental health", "Quiet nights", "16 March 2026", "2 March 2027"] {
            assert!(mail.text.contains(part), "{part}: {}", mail.text);
        }

        let link = invitation_link(&mail);
        let browser = Browser::new(app);
        let (status, html) = browser.get(&link).await;
        assert!(status == 200 && html.contains("Hello Pat Green") && !html.contains("pat.green@"), "{html}");
        assert_eq!(values(&html, "action"), [link.strip_prefix(&app.url).unwrap()]);
        assert_eq!(counts(app).await, (1, 0));
        let (status, html) = browser.post(&link, &[]).await;
        assert!(status == 200 && html.contains("name=\"code\"") && !html.contains("pat.green@"), "{html}");
        let action = values(&html, "action")[0].to_owned();
        let code = code_in(&mails(app).await.pop().unwrap());
        assert_eq!(browser.post(&action, &[("code", WRONG)]).await.0, 422);
        assert_eq!(counts(app).await, (1, 0));
        assert_eq!(browser.post(&action, &[("code", &code)]).await.0, 303);
        assert!(browser.is_greeted().await);
        assert!(browser.get("/").await.1.contains("read and accept the rules"));

        let accepted = json!({ "name": "Pat Green", "role": "PARTNER", "sponsor": { "name": "Mary Ward" } });
        assert_eq!(listed(app, &mary).await, json!([{ "id": invitation["id"], "state": "ACCEPTED", "acceptedBy": accepted }]));
        for path in [&link, &action] {
            assert_eq!(browser.post(path, &[("code", &code)]).await.0, 404);
        }
        assert!(browser.get(&link).await.1.contains("does not work any more"));

        let tokens = signed_in(app, "pat.green@example.org").await;
        assert_eq!(accepts(app, &tokens).await["state"], "ACTIVE");
        let viewer = "{ viewer { role scope { topics { id } } accessEndsAt } topics { id } }";
        let answer = ask(app, &tokens, viewer).await;
        assert_eq!(answer["data"]["viewer"]["scope"]["topics"], json!([{ "id": "top_mental-health" }]), "{answer}");
        assert_eq!(counts(app).await.0, 2);

        app.advance(TimeDelta::seconds(1));
        let taken_back = json!({ "id": invitation["id"], "reason": "The project has ended." });
        for _ in 0..2 {
            let payload = app.mutate(&mary, "revokeInvitation", &taken_back, FIELDS).await;
            assert_eq!(payload["invitation"]["state"], "REVOKED", "{payload}");
        }
        let answer = ask(app, &tokens, "{ viewer { name } }").await;
        assert!(refusal(&answer).1.contains("access that you were invited to has ended"), "{answer}");
        assert_eq!(refresh(app, &tokens["refreshToken"]).await.0, 403);
        app.post("/api/v1/auth/sign-in", &json!({ "email": "pat.green@example.org" })).await;
        assert!(mails(app).await.is_empty());
        let acts: Vec<AuditAction> = all::<AuditEntry>(app).await.iter().map(|act| act.action).collect();
        assert_eq!(acts, [AuditAction::CreateInvitation, AuditAction::RevokeInvitation]);

        // Who worked with the team can be invited again, and is the same partner.
        invites(app, &mary, &json!({})).await;
        mails(app).await;
        let again = signed_in(app, "pat.green@example.org").await;
        let answer = ask(app, &again, viewer).await;
        assert_eq!(answer["data"]["viewer"]["scope"], Json::Null, "{answer}");
        assert_eq!(counts(app).await.0, 2);
    }

    async fn access_ends_by_itself(app: &TestApp) {
        let mary = moderator(app).await;
        let end = app.now().plus(TimeDelta::minutes(5)).to_string();
        invites(app, &mary, &json!({ "accessEndsAt": end })).await;
        mails(app).await;
        // The address alone is enough, without the link.
        let tokens = signed_in(app, "Pat.Green@example.org").await;
        accepts(app, &tokens).await;
        assert!(ask(app, &tokens, "{ topics { id } }").await["data"]["topics"].is_array());
        app.advance(TimeDelta::minutes(5));
        assert_eq!(refusal(&ask(app, &tokens, "{ topics { id } }").await).0, "FORBIDDEN");
    }

    async fn an_invitation_that_ran_out_or_was_taken_back_lets_nobody_in(app: &TestApp) {
        let mary = moderator(app).await;
        let first = invites(app, &mary, &json!({})).await;
        let link = invitation_link(&mails(app).await.pop().unwrap());
        let code = code_in(&asked(app, "pat.green@example.org").await);
        let taken_back = json!({ "id": first["id"], "reason": "A mistake." });
        app.mutate(&mary, "revokeInvitation", &taken_back, "").await;
        assert_eq!(verify(app, "pat.green@example.org", &code).await.0, 401);
        assert_eq!(Browser::new(app).get(&link).await.0, 404);

        app.advance(TimeDelta::seconds(1));
        let invitation = invites(app, &mary, &json!({ "expiresAt": app.now().plus(TimeDelta::minutes(5)).to_string() })).await;
        let link = invitation_link(&mails(app).await.pop().unwrap());
        let code = code_in(&asked(app, "pat.green@example.org").await);
        app.advance(TimeDelta::minutes(5));
        assert_eq!(verify(app, "pat.green@example.org", &code).await.0, 401);
        assert_eq!(Browser::new(app).get(&link).await.0, 404);
        assert_eq!(listed(app, &mary).await[0], json!({ "id": invitation["id"], "state": "EXPIRED", "acceptedBy": null }));
        assert_eq!(counts(app).await, (1, 0));
        app.post("/api/v1/auth/sign-in", &json!({ "email": "pat.green@example.org" })).await;
        assert!(mails(app).await.is_empty());
    }

    async fn a_scanner_accepts_nothing(app: &TestApp) {
        let mary = moderator(app).await;
        invites(app, &mary, &json!({})).await;
        let mail = mails(app).await.pop().unwrap();
        let before = all::<Invitation>(app).await;
        let mut links: Vec<String> = values(&mail.html, "href").iter().map(ToString::to_string).collect();
        links.push(invitation_link(&mail));
        links.retain(|link| link.contains("/invitations/"));
        assert!(links.len() >= 2, "{}", mail.html);
        for link in &links {
            let page = app.http.get(link).send().await.unwrap().text().await.unwrap();
            for form in values(&page, "action").into_iter().map(str::to_owned).chain([format!("{link}/code")]) {
                for code in ["", "1", WRONG] {
                    let path = if form.starts_with("http") { form.clone() } else { format!("{}{form}", app.url) };
                    let request = app.http.post(path).body(format!("code={code}"));
                    let request = request.header("content-type", "application/x-www-form-urlencoded");
                    assert_eq!(request.send().await.unwrap().status(), 200);
                }
            }
            for method in ["HEAD", "OPTIONS", "PUT"] {
                app.http.request(method.parse().unwrap(), link).send().await.unwrap();
            }
        }
        assert_eq!(all::<Invitation>(app).await, before);
        assert!(all::<SignIn>(app).await.is_empty() && mails(app).await.is_empty());
        assert_eq!(counts(app).await, (1, 0));
        // The cookie of another invitation does not help.
        invites(app, &mary, &json!({ "email": "other@example.org" })).await;
        let other = invitation_link(&mails(app).await.pop().unwrap());
        let browser = Browser::new(app);
        browser.get(&other).await;
        assert_eq!(browser.post(&links[0], &[]).await.0, 200);
        assert!(mails(app).await.is_empty());
    }

    async fn two_who_accept_at_once_are_one_partner(app: &TestApp) {
        let mary = moderator(app).await;
        invites(app, &mary, &json!({})).await;
        mails(app).await;
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(code_in(&asked(app, "pat.green@example.org").await));
        }
        let answers = codes.iter().map(|code| verify(app, "pat.green@example.org", code));
        let answers = futures_util::future::join_all(answers).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        assert_eq!(counts(app).await, (2, 4));
        let partner = all::<Member>(app).await.into_iter().find(|found| found.role == Role::Partner).unwrap();
        let invitation = all::<Invitation>(app).await.remove(0);
        assert_eq!((invitation.state, invitation.accepted_by), (InvitationState::Accepted, Some(partner.id)));
    }

    async fn only_moderators_invite_and_only_whom_it_makes_sense_to(app: &TestApp) {
        let (mary, ada) = (moderator(app).await, app.person("Ada Moore").await);
        let input = json!({ "email": "pat.green@example.org", "name": "Pat Green" });
        assert_eq!(app.mutate(&ada, "createInvitation", &input, "").await, "FORBIDDEN");
        let first = invites(app, &mary, &json!({})).await;
        let node = "query($id: ID!) { node(id: $id) { ... on Invitation { email } } }";
        let id = json!({ "id": first["id"] });
        assert_eq!(app.graphql(&ada.token, node, id.clone()).await["data"]["node"], Json::Null);
        assert_eq!(app.graphql(&mary.token, node, id).await["data"]["node"]["email"], "pat.green@example.org");
        assert_eq!(refusal(&app.graphql(&ada.token, "{ invitations(first: 1) { totalCount } }", json!({})).await).0, "FORBIDDEN");
        let ended = app.now().to_string();
        for (changes, field, code) in [
            (json!({}), "email", "WRONG_STATE"),
            (json!({ "email": "PAT.green+x@example.org" }), "email", "WRONG_STATE"),
            (json!({ "email": "ada-moore@ada-moore.nhs.uk" }), "email", "WRONG_STATE"),
            (json!({ "email": "nobody" }), "email", "INVALID"),
            (json!({ "email": "b@example.org", "name": " " }), "name", "REQUIRED"),
            (json!({ "email": "b@example.org", "topicIds": ["top_nothing"] }), "topicIds.0", "UNKNOWN"),
            (json!({ "email": "b@example.org", "caseStudyIds": ["cst_nothing"] }), "caseStudyIds.0", "UNKNOWN"),
            (json!({ "email": "b@example.org", "topicIds": [], "caseStudyIds": [] }), "topicIds", "REQUIRED"),
            (json!({ "email": "b@example.org", "expiresAt": ended }), "expiresAt", "INVALID"),
            (json!({ "email": "b@example.org", "accessEndsAt": "2036-01-01T00:00:00Z" }), "accessEndsAt", "INVALID"),
        ] {
            let refused = app.mutate(&mary, "createInvitation", &with(input.clone(), &changes), "").await;
            let error = &refused["userErrors"][0];
            let path: Vec<&str> = error["field"].as_array().unwrap_or_else(|| panic!("{refused}")).iter().map(|part| part.as_str().unwrap()).collect();
            assert_eq!((path.join("."), &error["code"]), (field.to_owned(), &json!(code)), "{changes}: {refused}");
        }
        assert_eq!(all::<Invitation>(app).await.len(), 1);
        let missing = json!({ "id": Id::<Invitation>::of("none"), "reason": "No." });
        assert_eq!(app.mutate(&mary, "revokeInvitation", &missing, "").await, "NOT_FOUND");
    }
}
