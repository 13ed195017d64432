//! Whom somebody is taken for: by the address once, by the provider's subject from then on.

use hope_exchange::domain::{audit::AuditAction, audit::AuditEntry, member::Role};

use super::*;

const IDENTITIES: &str = "{ viewer { id identities { id provider issuer email createdAt lastUsedAt } } }";

/// The member whose tokens these are, with their accounts elsewhere.
async fn viewer(app: &TestApp, tokens: &Json) -> Json {
    let answer = joining::ask(app, tokens, IDENTITIES).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["viewer"].clone()
}

async fn stored(app: &TestApp, id: &str) -> Member {
    app.app.store.one(&Id::parse(id).unwrap()).await.unwrap().unwrap()
}

on_both_stores! {
    with crate::auth::single_sign_on::configured;

    async fn a_newcomer_joins_with_an_account_elsewhere(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let (_, html) = browser.get("/sign-in").await;
        assert!(html.contains("href=\"/sign-in/with/nhsmail\">Sign in with NHSmail</a>"), "{html}");

        provider.person(&person("1", "jo.bloggs@nhs.net")).await;
        let sent = browser.at(BEGIN).await;
        let cookie = sent.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("hope_sign_on=sso_") && cookie.contains("Max-Age=600; HttpOnly; SameSite=Lax"), "{cookie}");
        let address = url::Url::parse(&location(&sent)).unwrap();
        let asked: std::collections::BTreeMap<_, _> = address.query_pairs().into_owned().collect();
        assert!(address.as_str().starts_with(&format!("{}/auth?", provider.issuer)), "{address}");
        for (name, value) in [
            ("response_type", "code"), ("client_id", "hope"), ("scope", "openid email"), ("acr_values", "AAL2"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", &app.app.config.link("/sign-in/with/nhsmail/callback")),
        ] {
            assert_eq!(asked[name], value);
        }
        for secret in ["state", "nonce", "code_challenge"] {
            assert!(asked[secret].len() >= 43, "{secret}");
        }

        let back = browser.goes(&provider, &person("1", "jo.bloggs@nhs.net")).await;
        let response = browser.at(&back).await;
        assert_eq!((response.status().as_u16(), location(&response).as_str()), (303, "/"));
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
        for name in ["hope_access=ey", "hope_refresh=hrt_", "hope_sign_on=; "] {
            assert!(cookies.iter().any(|cookie| cookie.starts_with(name)), "{cookies:?}");
        }
        assert!(browser.get("/").await.1.contains("Jo Bloggs"));
        let [identity] = &identities(app).await[..] else { panic!() };
        assert_eq!((identity.subject.as_str(), &identity.issuer), ("1", &provider.issuer));
        assert_eq!(counts(app).await, (1, 1));
        assert_eq!(subjects(app).await, [] as [String; 0], "there was nothing to link it with");

        // By the subject from now on.
        assert_eq!(Browser::new(app).signs_in(&provider, &person("1", "jo.bloggs@nhs.net")).await.0, 303);
        assert_eq!((counts(app).await, identities(app).await.len()), ((1, 2), 1));
        assert_eq!(all::<SignOn>(app).await.len(), 1, "the one that went nowhere");
        app.advance(TimeDelta::minutes(11));
        jobs::purge(&app.app).await.unwrap();
        assert_eq!(all::<SignOn>(app).await.len(), 0);
    }

    async fn a_member_is_linked_by_their_address_told_once_and_unlinks(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let ada = app.person("Ada Moore").await;
        let theirs = person("ada", &app.email(&ada).to_uppercase());
        let tokens = browser.gets_tokens(&provider, &theirs).await;
        let told = mails(app).await;
        let linked = told.iter().find(|mail| mail.subject == "Sign-in with NHSmail for HOPE Network").unwrap();
        assert_eq!(linked.to.as_str(), app.email(&ada));
        let shown = viewer(app, &tokens).await;
        assert_eq!((&shown["id"], shown["identities"].as_array().unwrap().len()), (&json!(ada.id), 1));
        let identity = &shown["identities"][0];
        assert_eq!((&identity["provider"], &identity["issuer"]), (&json!("NHSmail"), &json!(provider.issuer)));

        app.advance(TimeDelta::days(1));
        let again = browser.gets_tokens(&provider, &theirs).await;
        let used = viewer(app, &again).await["identities"][0].clone();
        assert_eq!((&used["id"], &used["createdAt"]), (&identity["id"], &identity["createdAt"]));
        assert!(used["lastUsedAt"].as_str() > identity["lastUsedAt"].as_str(), "{used}");
        assert_eq!(subjects(app).await, [] as [String; 0], "they know");

        assert_eq!(browser.signs_in(&provider, &theirs).await.0, 303);
        let (_, html) = browser.get("/sessions").await;
        let id = identity["id"].as_str().unwrap();
        let button = format!("/identities/{id}/unlink");
        assert!(html.contains("<h3>NHSmail</h3>") && html.contains(&button), "{html}");
        // Nobody else's.
        let grace = app.person("Grace Hill").await;
        let refused = app.mutate(&grace, "unlinkIdentity", &json!({ "id": id }), "").await;
        assert_eq!(refused, "NOT_FOUND");
        assert_eq!(browser.post(&button, &[]).await.0, 303);
        assert_eq!(browser.post(&button, &[]).await.0, 303, "pressed twice");
        assert_eq!(identities(app).await.len(), 0);
        assert_eq!(subjects(app).await, ["No more sign-in with NHSmail for HOPE Network"]);

        browser.gets_tokens(&provider, &theirs).await;
        assert_eq!(subjects(app).await, ["Sign-in with NHSmail for HOPE Network"], "linked anew");
        let id = identities(app).await[0].id.to_string();
        app.mutate(&app.sign_in_again(&ada), "unlinkIdentity", &json!({ "id": id }), "viewer { identities { id } }").await;
        assert_eq!(identities(app).await.len(), 0);
        assert_eq!(all::<AuditEntry>(app).await.len(), 0, "it is theirs alone");
    }

    async fn what_moderators_link_is_in_the_audit_log(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let mary = app.person("Mary Ward").await;
        app.change(&mary, |member| member.role = Role::Moderator).await;
        let tokens = browser.gets_tokens(&provider, &person("mary", &app.email(&mary))).await;
        let id = viewer(app, &tokens).await["identities"][0]["id"].clone();
        app.advance(TimeDelta::seconds(1));
        app.mutate(&app.sign_in_again(&mary), "unlinkIdentity", &json!({ "id": id }), "").await;
        let mut entries = all::<AuditEntry>(app).await;
        entries.sort_by(|one, other| one.id.cmp(&other.id));
        let done: Vec<_> = entries.iter().map(|entry| (entry.action, entry.actor.to_string(), entry.subject.clone())).collect();
        let by_mary = |action| (action, mary.id.clone(), mary.id.clone());
        assert_eq!(done, [by_mary(AuditAction::LinkIdentity), by_mary(AuditAction::UnlinkIdentity)]);
    }

    async fn whoever_has_another_address_there_by_now_is_still_the_same_person(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let ada = app.person("Ada Moore").await;
        browser.gets_tokens(&provider, &person("ada", &app.email(&ada))).await;
        let until = stored(app, &ada.id).await.standing.verified_until.unwrap();
        app.advance(TimeDelta::days(30));
        let tokens = browser.gets_tokens(&provider, &person("ada", "ada.married@nhs.net")).await;
        let viewer = viewer(app, &tokens).await;
        assert_eq!(viewer["id"], json!(ada.id));
        let member = stored(app, &ada.id).await;
        assert_eq!((member.email.as_str(), member.standing.verified_until), (&*app.email(&ada), Some(until)), "nothing shows that they read that mail");
        assert_eq!(counts(app).await.0, 1);

        // Until they have to show it again.
        app.change(&ada, |member| member.standing.verified_until = Some(app.now())).await;
        let back = browser.goes(&provider, &person("ada", "ada.married@nhs.net")).await;
        let (status, problem) = browser.brings(&back).await;
        assert_eq!((status, &problem["code"]), (403, &json!("FORBIDDEN")), "{problem}");
        assert!(text(&problem, "detail").contains("is not the one that you are a member with"), "{problem}");
        browser.gets_tokens(&provider, &person("ada", &app.email(&ada))).await;
        assert!(stored(app, &ada.id).await.standing.verified_until > Some(until));

        // Nor for somebody else.
        let grace = app.person("Grace Hill").await;
        let back = browser.goes(&provider, &person("ada", &app.email(&grace))).await;
        let (status, problem) = browser.brings(&back).await;
        assert!(status == 403 && text(&problem, "detail").contains("another account here"), "{problem}");
    }

    async fn whoever_was_given_a_leavers_address_is_not_taken_for_them(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let ada = app.person("Ada Moore").await;
        browser.gets_tokens(&provider, &person("ada", &app.email(&ada))).await;
        let back = browser.goes(&provider, &person("another", &app.email(&ada))).await;
        let (status, problem) = browser.brings(&back).await;
        assert!(status == 403 && text(&problem, "detail").contains("another account at NHSmail"), "{problem}");
        assert_eq!((identities(app).await.len(), counts(app).await.0), (1, 1));
    }

    async fn a_tag_is_another_mailbox_unless_it_is_the_members_own(app: &TestApp) {
        let (provider, browser) = (Provider::start(app).await, Browser::new(app));
        let ada = app.person("Ada Moore").await;
        let tagged = app.email(&ada).replace('@', "+b@");
        assert_eq!(browser.signs_in(&provider, &person("b", &tagged)).await.0, 403);
        app.change(&ada, |member| member.email = EmailAddress::parse(&tagged).unwrap()).await;
        assert_eq!(browser.signs_in(&provider, &person("b", &tagged)).await.0, 303);
    }

    async fn many_at_once_link_once(app: &TestApp) {
        let provider = Provider::start(app).await;
        let ada = app.person("Ada Moore").await;
        let theirs = person("ada", &app.email(&ada));
        let browsers: Vec<_> = (0..8).map(|_| Browser::new(app)).collect();
        let mut backs = Vec::new();
        for browser in &browsers {
            backs.push(browser.goes(&provider, &theirs).await);
        }
        let all_at_once = browsers.iter().zip(&backs).map(async |(browser, back)| browser.get(back).await.0);
        let statuses = futures_util::future::join_all(all_at_once).await;
        assert_eq!(statuses, [303; 8]);
        assert_eq!((identities(app).await.len(), counts(app).await), (1, (1, 8)));
        let told = subjects(app).await;
        assert_eq!(told.iter().filter(|subject| subject.starts_with("Sign-in with")).count(), 1, "{told:?}");
    }
}
