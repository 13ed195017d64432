//! The same rules as for those who type a code: who may come in, and what they are asked for.

use hope_exchange::domain::{factor_challenge::FactorChallenge, standing::MemberState};

use super::{super::second_factor::code, *};

/// Registers an authenticator app, and returns what it was told.
async fn with_app(app: &TestApp, tokens: &Json) -> String {
    let start = "mutation { startTotp(input: {}) { challengeId secret } }";
    let started = joining::ask(app, tokens, start).await["data"]["startTotp"].clone();
    let secret = text(&started, "secret").replace(' ', "");
    let (challenge, code) = (text(&started, "challengeId"), code(&secret, app.now(), 0));
    let add = format!(
        "mutation {{ addTotp(input: {{ challengeId: {challenge:?}, code: {code:?} }}) {{ userErrors {{ code }} }} }}"
    );
    let added = joining::ask(app, tokens, &add).await;
    assert_eq!(added["data"]["addTotp"]["userErrors"], json!([]), "{added}");
    secret
}

on_both_stores! {
    with crate::auth::single_sign_on::configured;

    async fn addresses_pass_the_same_rule(app: &TestApp) {
        let provider = Provider::start(app).await;
        let browser = Browser::new(app);
        for (subject, email, status, says) in [
            ("1", "a@trust.nhs.uk", 303, ""),
            ("2", "b@healthwatch.co.uk", 303, ""),
            ("3", "c@example.com", 403, "needs an invitation"),
            ("4", "d@nhs.net.example.com", 403, "needs an invitation"),
            ("5", "e@service-account.invalid", 403, "needs an invitation"),
            ("6", "f@nhs.net,g@nhs.net", 403, "does not say that your e-mail address is verified"),
        ] {
            let (found, html) = browser.signs_in(&provider, &person(subject, email)).await;
            assert!(found == status && html.contains(says), "{email}: {found} {html}");
        }
        let mut members = all::<Member>(app).await;
        members.sort_by(|one, other| one.email.as_str().cmp(other.email.as_str()));
        let states: Vec<_> = members.iter().map(|member| (member.email.as_str(), member.standing.state)).collect();
        assert_eq!(states, [("a@trust.nhs.uk", MemberState::Active), ("b@healthwatch.co.uk", MemberState::AwaitingApproval)]);
        let told = mails(app).await;
        let team = &app.app.config.network.contact;
        assert!(told.iter().any(|mail| mail.to.as_str() == team), "a moderator is asked");
    }

    async fn nobody_is_let_in_whom_a_moderator_keeps_out(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let ada = app.person("Ada Moore").await;
        let mary = joining::moderator(app).await;
        let theirs = person("ada", &app.email(&ada));
        browser.gets_tokens(&provider, &theirs).await;
        let mary = app.sign_in_again(&mary);
        app.mutate(&mary, "suspendMember", &json!({ "memberId": ada.id, "reason": "Not kind." }), "").await;
        // As with a code: they hold tokens, which say why they are good for nothing.
        let tokens = browser.gets_tokens(&provider, &theirs).await;
        let answer = joining::ask(app, &tokens, "{ viewer { id } }").await;
        let (code, sentence) = joining::refusal(&answer);
        assert!(code == "FORBIDDEN" && sentence.contains("suspended"), "{sentence}");
        assert_eq!(refresh(app, &tokens["refreshToken"]).await.0, 403);

        // Somebody who was refused can't even begin.
        let refused = app.now().plus(TimeDelta::days(90));
        let out = |member: &mut Member| {
            member.suspension = None;
            member.standing.state = MemberState::Refused;
            member.standing.refused_until = Some(refused);
        };
        app.change(&ada, out).await;
        let (status, html) = browser.signs_in(&provider, &theirs).await;
        assert!(status == 403 && html.contains("was not accepted"), "{html}");
    }

    async fn a_second_factor_is_asked_for_and_nothing_is_linked_before(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let ada = app.person("Ada Moore").await;
        let tokens = signed_in(app, &app.email(&ada)).await;
        let secret = with_app(app, &tokens).await;
        let now = || code(&secret, app.now(), 0);
        mails(app).await;

        let theirs = person("ada", &app.email(&ada));
        let back = browser.goes(&provider, &theirs).await;
        let response = browser.at(&back).await;
        assert_eq!((response.status().as_u16(), location(&response).as_str()), (303, "/sign-in/second-factor"));
        assert!(!browser.is_greeted().await);
        assert_eq!((identities(app).await.len(), subjects(app).await), (0, vec![]));
        assert_eq!(browser.post("/sign-in/second-factor", &[("code", "000000")]).await.0, 422);
        assert_eq!(identities(app).await.len(), 0);
        app.advance(TimeDelta::seconds(60));
        assert_eq!(browser.post("/sign-in/second-factor", &[("code", &now())]).await.0, 303);
        assert!(browser.is_greeted().await);
        assert_eq!(identities(app).await.len(), 1);
        assert!(subjects(app).await.contains(&"Sign-in with NHSmail for HOPE Network".to_owned()));

        // And the next time, whatever the provider says that it asked for.
        provider.lies("acr").await;
        let back = browser.goes(&provider, &theirs).await;
        let (status, asked) = browser.brings(&back).await;
        assert_eq!((status, &asked["methods"]), (202, &json!(["totp", "recovery-code"])), "{asked}");
        assert!(all::<FactorChallenge>(app).await.iter().all(|challenge| challenge.identity.is_none()));
        app.advance(TimeDelta::seconds(60));
        let show = json!({ "challenge": asked["challenge"], "code": now() });
        assert_eq!(app.post("/api/v1/auth/second-factor", &show).await.0, 200);
    }

    async fn somebody_who_was_erased_begins_anew(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let ada = app.person("Ada Moore").await;
        let theirs = person("ada", &app.email(&ada));
        browser.gets_tokens(&provider, &theirs).await;
        let by = app.sign_in_again(&ada);
        app.mutate(&by, "eraseMyAccount", &json!({ "confirmEmail": app.email(&ada) }), "").await;
        app.advance(TimeDelta::days(8));
        while jobs::run_due(&app.app).await.unwrap() > 0 {}
        assert_eq!(identities(app).await.len(), 0);
        app.take_mail();
        let back = browser.goes_from(&provider, BEGIN, &theirs).await;
        let (_, tokens) = browser.brings(&back).await;
        let viewer = joining::ask(app, &tokens, "{ viewer { id name } }").await["data"]["viewer"].clone();
        assert_ne!(viewer["id"], json!(ada.id), "{viewer}");
        assert_eq!(identities(app).await[0].member.to_string(), text(&viewer, "id"));
    }
}
