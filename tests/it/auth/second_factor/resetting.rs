//! Factors of somebody who lost them all.

use hope_exchange::actions::second_factor::reset_by_operator;

use super::*;

async fn member_id(app: &TestApp, email: &str) -> String {
    let members = all::<Member>(app).await;
    members.into_iter().find(|member| member.email.as_str() == email).unwrap().id.to_string()
}

on_both_stores! {
    async fn an_administrator_resets_what_a_member_lost(app: &TestApp) {
        let edith = Holder::with_role(app, "edith@nhs.net", Role::Administrator).await;
        let jo = Holder::with_app(app, "jo@nhs.net").await;
        let waiting = jo.asked(app).await;
        let id = member_id(app, "jo@nhs.net").await;
        let input = json!({ "memberId": id, "reason": "Lost their phone", "clientMutationId": "1" });
        assert_eq!(mutate(app, &jo.access, "resetSecondFactor", &input, "").await, "FORBIDDEN");
        for _ in 0..2 {
            let done = mutate(app, &edith.access, "resetSecondFactor", &input, "member { id }").await;
            assert_eq!((&done["userErrors"], &done["member"]["id"]), (&json!([]), &json!(id)));
        }
        assert_eq!(stored(app).await.len(), 1, "the administrator's are there");
        assert!(holder(app, &json!(jo.access)).await.is_err(), "sessions are ended");
        next_step(app);
        assert_eq!(show(app, &waiting["challenge"], &jo.code(app)).await.0, 401);
        assert_eq!(show(app, &waiting["challenge"], &jo.recovery[0]).await.0, 401);
        let sent: Vec<String> = mails(app).await.into_iter().filter(|mail| mail.to.as_str() == "jo@nhs.net").map(|mail| mail.subject).collect();
        assert!(sent.contains(&"Your second factors are reset for HOPE Network".to_owned()), "{sent:?}");
        let entry = all::<hope_exchange::domain::audit::AuditEntry>(app).await.into_iter().find(|entry| entry.subject == id).unwrap();
        assert_eq!((entry.reason.as_deref(), entry.before.second_factors, entry.after.second_factors), (Some("Lost their phone"), Some(1), Some(0)));

        // They sign in by e-mail alone, are told why, and begin anew.
        let tokens = signed_in(app, "jo@nhs.net").await;
        let access = text(&tokens, "accessToken").to_owned();
        let told = app.graphql(&access, "{ viewer { notifications { nodes { text } } } }", json!({})).await;
        assert!(told.to_string().contains("second factors are reset"), "{told}");
        let mut jo = Holder { access, ..jo };
        let before = jo.secret.clone();
        jo.add_app(app).await;
        assert_ne!(jo.secret, before);
        assert_eq!(jo.signs_in(app).await["tokenType"], "Bearer");
    }

    async fn what_can_t_be_reset(app: &TestApp) {
        let edith = Holder::with_role(app, "edith@nhs.net", Role::Administrator).await;
        let mary = Holder::with_role(app, "mary@nhs.net", Role::Moderator).await;
        let own = member_id(app, "edith@nhs.net").await;
        let other = member_id(app, "mary@nhs.net").await;
        let reset = async |holder: &Holder, id: &str, reason: &str| {
            mutate(app, &holder.access, "resetSecondFactor", &json!({ "memberId": id, "reason": reason }), "member { id }").await
        };
        assert_eq!(reset(&edith, &own, "Mine").await, "FORBIDDEN");
        assert_eq!(reset(&mary, &own, "Theirs").await, "FORBIDDEN");
        assert_eq!(reset(&edith, "mbr_nobody", "Nobody").await, "NOT_FOUND");
        assert_eq!(error(&reset(&edith, &other, "").await), "REQUIRED");
        assert_eq!(stored(app).await.len(), 2);
        // Whoever has none loses nothing, and stays signed in.
        let jo = Holder::without(app, "jo@nhs.net").await;
        let id = member_id(app, "jo@nhs.net").await;
        assert_eq!(reset(&edith, &id, "To be sure").await["member"]["id"], json!(id));
        assert!(holder(app, &json!(jo.access)).await.is_ok());
        assert!(!audit_log(app).await.contains(&"ResetSecondFactor".to_owned()));
    }

    async fn an_operator_helps_the_only_administrator(app: &TestApp) {
        let edith = Holder::with_role(app, "edith@nhs.net", Role::Administrator).await;
        assert!(reset_by_operator(&app.app, "nobody@nhs.net").await.is_err());
        assert!(reset_by_operator(&app.app, "nobody").await.is_err());
        let member = reset_by_operator(&app.app, "Edith+x@nhs.net").await.unwrap();
        assert_eq!(member.email.as_str(), "edith@nhs.net");
        assert!(stored(app).await.is_empty());
        assert!(holder(app, &json!(edith.access)).await.is_err());
        assert!(audit_log(app).await.contains(&"ResetSecondFactor".to_owned()));
        assert!(mails(app).await.iter().any(|mail| mail.subject.starts_with("Your second factors are reset")));
        let tokens = signed_in(app, "edith@nhs.net").await;
        let answer = app.graphql(text(&tokens, "accessToken"), "{ moderationQueue { totalCount } }", json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "SECOND_FACTOR_REQUIRED");
    }

    /// Showing and losing at the same moment: either it was shown before, or it is gone.
    async fn a_reset_that_races_with_a_sign_in_leaves_nobody_in(app: &TestApp) {
        let jo = Holder::with_app(app, "jo@nhs.net").await;
        let needed = jo.asked(app).await;
        next_step(app);
        let code = jo.code(app);
        let (shown, reset) = tokio::join!(show(app, &needed["challenge"], &code), reset_by_operator(&app.app, "jo@nhs.net"));
        reset.unwrap();
        assert!(stored(app).await.is_empty());
        if shown.0 == 200 {
            assert!(holder(app, &shown.1["accessToken"]).await.is_err(), "it was ended with the others");
        }
        assert!(all::<Session>(app).await.is_empty());
    }
}
