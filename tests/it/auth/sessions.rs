//! Refresh tokens: rotation, a lost answer, a stolen copy, leaving.

use chrono::TimeDelta;

use super::*;

on_both_stores! {
    async fn a_refresh_token_is_replaced_at_each_use(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        app.advance(TimeDelta::minutes(11));
        assert!(holder(app, &first["accessToken"]).await.is_err());
        let (status, second) = refresh(app, &first["refreshToken"]).await;
        assert_eq!(status, 200);
        assert_eq!(holder(app, &second["accessToken"]).await.unwrap(), "a@nhs.net");
        assert_ne!(first["refreshToken"], second["refreshToken"]);
        assert_eq!(refresh(app, &second["refreshToken"]).await.0, 200);
        assert_eq!(counts(app).await, (1, 1));
    }

    async fn a_suspended_member_s_session_waits(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        let moderator = app.person("Mary Ward").await;
        app.grant(&moderator, hope_exchange::domain::member::Role::Moderator).await;
        let member = all::<Member>(app).await.into_iter().find(|member| member.email.as_str() == "a@nhs.net").unwrap();
        let act = json!({ "memberId": member.id.as_str(), "reason": "Rude to colleagues" });
        assert_eq!(app.mutate(&moderator, "suspendMember", &act, "").await["userErrors"], json!([]));
        for _ in 0..2 {
            let (status, problem) = refresh(app, &first["refreshToken"]).await;
            assert_eq!((status, &problem["code"]), (403, &json!("FORBIDDEN")));
            assert!(problem["detail"].as_str().unwrap().contains("Rude to colleagues."), "{problem}");
        }
        // Asking for a code and coming back with it is the same as for anybody; what it brings is refused.
        let again = signed_in(app, "a@nhs.net").await;
        assert_eq!(holder(app, &again["accessToken"]).await.unwrap_err().code(), hope_exchange::error::Code::Forbidden);
        assert_eq!(app.mutate(&moderator, "reinstateMember", &act, "").await["userErrors"], json!([]));
        assert_eq!(refresh(app, &first["refreshToken"]).await.0, 200, "it was not used up");
    }

    /// Those that were used lately stay, however long ago they began.
    async fn a_member_has_so_many_sessions(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        let begun = all::<Session>(app).await.remove(0);
        let mut batch = Batch::new();
        for minutes in 1..50 {
            let at = app.now().minus(TimeDelta::minutes(minutes));
            let id = app.app.ids.fresh();
            batch = batch.insert(&Session::new(id, begun.member.clone(), begun.origin.clone(), 30, at));
        }
        commit(app, batch).await;
        assert_eq!(counts(app).await.1, 50);
        let used_least = all::<Session>(app).await.into_iter().min_by_key(|session| session.rotated_at).unwrap();
        let token = hope_exchange::tokens::access::issue(&app.app, &used_least).unwrap();
        assert!(holder(app, &json!(token)).await.is_ok());
        let last = signed_in(app, "a@nhs.net").await;
        let left = all::<Session>(app).await;
        assert!(left.len() == 50 && left.iter().all(|session| session.id != used_least.id));
        assert!(holder(app, &json!(token)).await.is_err(), "its access token, too");
        for tokens in [first, last] {
            assert!(holder(app, &tokens["accessToken"]).await.is_ok());
        }
    }

    async fn a_lost_answer_can_be_asked_for_again(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        let (_, second) = refresh(app, &first["refreshToken"]).await;
        app.advance(TimeDelta::seconds(10));
        for _ in 0..3 {
            let (status, again) = refresh(app, &first["refreshToken"]).await;
            assert_eq!((status, &again["refreshToken"]), (200, &second["refreshToken"]));
        }
        assert_eq!(refresh(app, &second["refreshToken"]).await.0, 200);
    }

    async fn a_token_used_again_ends_the_session(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        let other = signed_in(app, "a@nhs.net").await;
        let (_, second) = refresh(app, &first["refreshToken"]).await;
        app.advance(TimeDelta::milliseconds(10_001));
        let (status, problem) = refresh(app, &first["refreshToken"]).await;
        assert_eq!((status, &problem["code"]), (401, &json!("UNAUTHENTICATED")));
        assert_eq!(refresh(app, &second["refreshToken"]).await.0, 401, "whoever holds the newer one");
        assert_eq!(refresh(app, &other["refreshToken"]).await.0, 200, "other sessions go on");
    }

    async fn a_token_whose_successor_was_used_ends_the_session_at_once(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        let (_, second) = refresh(app, &first["refreshToken"]).await;
        let (_, third) = refresh(app, &second["refreshToken"]).await;
        assert_eq!(refresh(app, &first["refreshToken"]).await.0, 401);
        assert_eq!(refresh(app, &third["refreshToken"]).await.0, 401);
    }

    async fn twenty_refreshes_at_once_get_the_same_successor(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        let answers = futures_util::future::join_all((0..20).map(|_| refresh(app, &first["refreshToken"]))).await;
        assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
        assert!(answers.iter().all(|(_, tokens)| tokens["refreshToken"] == answers[0].1["refreshToken"]));
        assert_eq!(all::<Session>(app).await[0].generation, 2);
    }

    async fn a_session_ends_after_thirty_days_without_use(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        app.advance(TimeDelta::days(29));
        let (_, second) = refresh(app, &first["refreshToken"]).await;
        app.advance(TimeDelta::days(29));
        let (status, third) = refresh(app, &second["refreshToken"]).await;
        assert_eq!(status, 200);
        app.advance(TimeDelta::days(30));
        assert_eq!(refresh(app, &third["refreshToken"]).await.0, 401);
    }

    async fn signing_out_ends_the_session(app: &TestApp) {
        let path = "/api/v1/auth/sign-out";
        let tokens = signed_in(app, "a@nhs.net").await;
        let body = json!({ "refreshToken": tokens["refreshToken"] });
        for _ in 0..2 {
            assert_eq!(app.post(path, &body).await, (204, Json::Null), "the second time as well");
        }
        assert_eq!(refresh(app, &tokens["refreshToken"]).await.0, 401);

        let tokens = signed_in(app, "a@nhs.net").await;
        let leave = app.http.post(format!("{}{path}", app.url));
        let leave = leave.bearer_auth(tokens["accessToken"].as_str().unwrap());
        assert_eq!(leave.send().await.unwrap().status(), 204);
        assert_eq!(refresh(app, &tokens["refreshToken"]).await.0, 401);

        let nobody = app.http.post(format!("{}{path}", app.url)).send().await.unwrap();
        assert_eq!(nobody.status(), 401);
        assert_eq!(app.post(path, &json!({ "refreshToken": "hrt_x" })).await.0, 204);
    }

    async fn forged_refresh_tokens_are_refused_and_end_nothing(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        let token = tokens["refreshToken"].as_str().unwrap();
        assert!(token.starts_with("hrt_ses_"), "{token}");
        let flipped = if token.ends_with('A') { "E" } else { "A" };
        for forged in [
            String::new(),
            "hrt_".to_owned(),
            token[4..].to_owned(),
            token.replacen("_1_", "_2_", 1),
            token.replacen("_1_", "_01_", 1),
            format!("{}{flipped}", &token[..token.len() - 1]),
            format!("{token}A"),
            format!("{}é", &token[..token.len() - 1]),
            "é".repeat(60),
        ] {
            assert_eq!(refresh(app, &json!(forged)).await.0, 401, "{forged}");
        }
        assert_eq!(refresh(app, &json!(token)).await.0, 200);
    }

    async fn a_token_of_a_member_who_is_gone_is_refused(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        let calls = app.app.store.calls();
        holder(app, &tokens["accessToken"]).await.unwrap();
        assert_eq!(app.app.store.calls() - calls, 1, "one call to the store a request");
        let member = all::<Member>(app).await.pop().unwrap();
        commit(app, Batch::new().delete(&member.id, Guard::Present)).await;
        assert!(holder(app, &tokens["accessToken"]).await.is_err());
    }
}
