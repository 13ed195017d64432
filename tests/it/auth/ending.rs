//! Sessions from their members' side: listed, ended one by one or all at once, here and everywhere.

use chrono::TimeDelta;
use hope_exchange::domain::session::TOKENS_LAST_SECONDS;
use reqwest::Method;

use super::*;

const SESSIONS: &str = "{ viewer { sessions(first: 100) { totalCount
    nodes { id device place createdAt lastUsedAt expiresAt current } } } }";
const REVOKE: &str = "mutation($input: RevokeSessionInput!) { revokeSession(input: $input) {
    viewer { sessions(first: 100) { nodes { id } } } userErrors { code } clientMutationId } }";
const EVERYWHERE: &str = "mutation($input: SignOutEverywhereInput!) { signOutEverywhere(input: $input) {
    viewer { sessions(first: 100) { nodes { id } } } userErrors { code } } }";

async fn sessions(app: &TestApp, tokens: &Json) -> Vec<Json> {
    let answer = app.graphql(text(tokens, "accessToken"), SESSIONS, json!({})).await;
    let nodes = answer["data"]["viewer"]["sessions"]["nodes"].as_array();
    nodes.unwrap_or_else(|| panic!("{answer}")).clone()
}

/// The session that these tokens are of.
async fn id_of(app: &TestApp, tokens: &Json) -> String {
    let sessions = sessions(app, tokens).await;
    let current: Vec<&Json> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1, "{sessions:?}");
    current[0]["id"].as_str().unwrap().to_owned()
}

async fn works(app: &TestApp, tokens: &Json) -> bool {
    let answer = app.graphql(text(tokens, "accessToken"), "{ viewer { id } }", json!({})).await;
    assert!(answer["errors"].is_null() || answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED");
    answer["data"]["viewer"]["id"].is_string()
}

/// Whether both tokens are of no use any more.
async fn is_over(app: &TestApp, tokens: &Json) -> bool {
    let (access, refreshed) = (works(app, tokens).await, refresh(app, &tokens["refreshToken"]).await.0);
    assert_eq!(access, refreshed == 200, "half an end");
    !access
}

async fn rest(app: &TestApp, method: Method, path: &str, tokens: &Json) -> (u16, Json) {
    let request = app.http.request(method, format!("{}/api/v1/auth/sessions{path}", app.url));
    let response = request.bearer_auth(text(tokens, "accessToken")).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Json::Null))
}

on_both_stores! {
    async fn sessions_are_listed_to_their_member(app: &TestApp) {
        let first = signed_in(app, "a@nhs.net").await;
        signed_in(app, "b@nhs.net").await;
        app.advance(TimeDelta::minutes(5));
        let second = signed_in(app, "a@nhs.net").await;
        app.advance(TimeDelta::minutes(5));
        let (_, first) = refresh(app, &first["refreshToken"]).await;

        let listed = sessions(app, &second).await;
        let told = |name: &str| listed.iter().map(|session| session[name].clone()).collect::<Vec<_>>();
        assert_eq!(told("current"), [true, false]);
        assert_eq!(told("device"), ["An unknown program", "An unknown program"]);
        assert_eq!(told("place"), ["The service's own computer", "The service's own computer"]);
        assert_eq!(told("createdAt"), ["2026-03-02T09:05:00.000Z", "2026-03-02T09:00:00.000Z"]);
        assert_eq!(told("lastUsedAt"), ["2026-03-02T09:05:00.000Z", "2026-03-02T09:10:00.000Z"]);
        assert_eq!(told("expiresAt")[1], "2026-04-01T09:10:00.000Z");
        let (status, same) = rest(app, Method::GET, "", &first).await;
        assert_eq!(status, 200);
        let same = same["sessions"].as_array().unwrap();
        for (one, other) in listed.iter().zip(same) {
            let mut one = one.clone();
            one["current"] = json!(one["current"] == false);
            assert_eq!(one, *other, "the same by REST, and the other one is the present");
        }

        // Nothing is written for a request.
        let before = all::<Session>(app).await;
        assert!(works(app, &first).await);
        assert_eq!(all::<Session>(app).await, before);
        // What is over is not shown, also before it is forgotten.
        app.advance(TimeDelta::days(29) + TimeDelta::hours(23));
        let (_, first) = refresh(app, &first["refreshToken"]).await;
        app.advance(TimeDelta::hours(1));
        let (_, first) = refresh(app, &first["refreshToken"]).await;
        assert_eq!((sessions(app, &first).await.len(), all::<Session>(app).await.len()), (1, 3));
    }

    async fn a_revoked_session_is_over_at_once(app: &TestApp) {
        let (lost, kept) = (signed_in(app, "a@nhs.net").await, signed_in(app, "a@nhs.net").await);
        let other = signed_in(app, "b@nhs.net").await;
        let id = id_of(app, &lost).await;
        let revoke = async |tokens: &Json, id: &str, name: &str| {
            let input = json!({ "input": { "id": id, "clientMutationId": name } });
            app.graphql(text(tokens, "accessToken"), REVOKE, input).await
        };
        for theirs in [&id, "ses_01J0", "mbr_01J0", "", "ses_$ne"] {
            let answer = revoke(&other, theirs, "x").await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND", "{answer}");
        }
        assert!(works(app, &lost).await);
        let mine = id_of(app, &kept).await;
        for _ in 0..2 {
            let answer = revoke(&kept, &id, "again").await;
            let payload = &answer["data"]["revokeSession"];
            assert_eq!(payload["userErrors"], json!([]), "{answer}");
            assert_eq!(payload["viewer"]["sessions"]["nodes"], json!([{ "id": mine }]));
        }
        assert!(is_over(app, &lost).await && !is_over(app, &kept).await && !is_over(app, &other).await);
        assert_eq!(revoke(&kept, &id, "later").await["errors"][0]["extensions"]["code"], "NOT_FOUND");

        // By REST, and the present one.
        let (status, _) = rest(app, Method::DELETE, &format!("/{mine}"), &kept).await;
        assert_eq!((status, is_over(app, &kept).await), (204, true));
        assert_eq!(rest(app, Method::DELETE, &format!("/{mine}"), &other).await.0, 404);
        assert_eq!(rest(app, Method::GET, "", &kept).await.0, 401);
    }

    async fn every_end_ends_the_access_token(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        app.post("/api/v1/auth/sign-out", &json!({ "refreshToken": tokens["refreshToken"] })).await;
        assert!(is_over(app, &tokens).await);

        let tokens = signed_in(app, "a@nhs.net").await;
        let leave = app.http.post(format!("{}/api/v1/auth/sign-out", app.url));
        leave.bearer_auth(text(&tokens, "accessToken")).send().await.unwrap();
        assert!(is_over(app, &tokens).await);

        let stolen = signed_in(app, "a@nhs.net").await;
        let (_, next) = refresh(app, &stolen["refreshToken"]).await;
        app.advance(TimeDelta::seconds(11));
        assert!(works(app, &next).await);
        assert_eq!(refresh(app, &stolen["refreshToken"]).await.0, 401);
        assert!(is_over(app, &next).await && is_over(app, &stolen).await);
    }

    async fn signing_out_everywhere_ends_all_or_all_others(app: &TestApp) {
        let mut theirs = Vec::new();
        for _ in 0..3 {
            theirs.push(signed_in(app, "a@nhs.net").await);
        }
        let other = signed_in(app, "b@nhs.net").await;
        let input = json!({ "input": { "keepCurrent": true } });
        let answer = app.graphql(text(&theirs[0], "accessToken"), EVERYWHERE, input).await;
        let left = answer["data"]["signOutEverywhere"]["viewer"]["sessions"]["nodes"].as_array().unwrap().len();
        assert_eq!(left, 1, "{answer}");
        assert!(!is_over(app, &theirs[0]).await && is_over(app, &theirs[1]).await && is_over(app, &theirs[2]).await);

        let (here, there) = (signed_in(app, "a@nhs.net").await, signed_in(app, "a@nhs.net").await);
        let answer = app.graphql(text(&here, "accessToken"), EVERYWHERE, json!({ "input": {} })).await;
        assert_eq!(answer["data"]["signOutEverywhere"]["userErrors"], json!([]), "{answer}");
        assert!(is_over(app, &here).await && is_over(app, &there).await);

        let (here, there) = (signed_in(app, "a@nhs.net").await, signed_in(app, "a@nhs.net").await);
        assert_eq!(rest(app, Method::DELETE, "?keepCurrent=true", &here).await.0, 204);
        assert!(!is_over(app, &here).await && is_over(app, &there).await);
        assert_eq!(rest(app, Method::DELETE, "?keepCurrent=perhaps", &here).await.0, 400);
        assert!(!is_over(app, &here).await);
        assert_eq!(rest(app, Method::DELETE, "", &here).await.0, 204);
        assert!(is_over(app, &here).await && !is_over(app, &other).await);
    }

    async fn however_many_there_are_all_are_ended(app: &TestApp) {
        let tokens = signed_in(app, "a@nhs.net").await;
        let one = all::<Session>(app).await.pop().unwrap();
        for _ in 0..3 {
            let more = (0..90).fold(Batch::new(), |batch, _| {
                batch.insert(&Session { id: app.app.ids.fresh(), ..one.clone() })
            });
            commit(app, more).await;
        }
        session::end_all(&app.app, &one.member).await.unwrap();
        assert_eq!(counts(app).await, (1, 0));
        assert!(is_over(app, &tokens).await);
        let member = all::<Member>(app).await.pop().unwrap();
        assert_eq!(member.ended_sessions.len(), 271);

        // What no token can be of any more is forgotten with the next end.
        app.advance(TimeDelta::seconds(TOKENS_LAST_SECONDS));
        let tokens = signed_in(app, "a@nhs.net").await;
        app.post("/api/v1/auth/sign-out", &json!({ "refreshToken": tokens["refreshToken"] })).await;
        assert_eq!(all::<Member>(app).await.pop().unwrap().ended_sessions.len(), 1);
    }

    async fn ends_and_renewals_at_once_leave_nothing_that_works(app: &TestApp) {
        for round in 0..5 {
            let (here, there) = (signed_in(app, "a@nhs.net").await, signed_in(app, "a@nhs.net").await);
            let id = id_of(app, &there).await;
            let renewals = futures_util::future::join_all((0..5).map(|_| refresh(app, &there["refreshToken"])));
            let ends = futures_util::future::join_all((0..3).map(async |time| {
                let input = json!({ "input": { "id": id, "clientMutationId": format!("{round} {time}") } });
                app.graphql(text(&here, "accessToken"), REVOKE, input).await
            }));
            let (renewed, ended) = tokio::join!(renewals, ends);
            assert!(ended.iter().any(|answer| answer["data"]["revokeSession"]["viewer"].is_object()), "{ended:?}");
            for (status, tokens) in renewed {
                assert!(status == 401 || is_over(app, &tokens).await, "{status}");
            }
            assert!(is_over(app, &there).await && !is_over(app, &here).await);
        }
    }
}
