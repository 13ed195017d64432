//! From being made to being forgotten, and everything that ends a token at once.

use hope_exchange::{
    actions::member::grant,
    domain::{
        audit::{AuditAction, AuditEntry},
        member::{Member, Role},
    },
    jobs,
    mail::Message,
    query::Document,
    store::Guard,
};

use super::{secrets::used, *};
use crate::{
    attachments::upload,
    community::all,
    moderation::{House, comment, house, post},
    on_both_stores,
};

async fn stored<D: Document + hope_exchange::ids::Identified>(app: &TestApp, id: &str) -> D {
    app.app.store.one(&Id::parse(id).unwrap()).await.unwrap().unwrap()
}

/// Looks for tokens that nobody uses, sends what there is to send, and gives the mails about tokens.
async fn chores(app: &TestApp) -> Vec<Message> {
    jobs::access_token::plan(&app.app).await.unwrap();
    jobs::run_due(&app.app).await.unwrap();
    app.take_mail().into_iter().filter(|mail| mail.subject.to_lowercase().contains("access token")).collect()
}

fn subjects(mails: &[Message]) -> Vec<&str> {
    mails.iter().map(|mail| &*mail.subject).collect()
}

const UNUSED: &str = "An access token that nobody uses for HOPE Network";
const REVOKED: &str = "An access token was revoked for HOPE Network";

on_both_stores! {
    async fn a_token_works_wherever_a_session_does(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (_, token) = made(app, &ada, &["POSTS_WRITE", "ATTACHMENTS_WRITE"]).await;
        let file = upload(app, &token, "notes.pdf", crate::attachments::PDF).await;
        let input = json!({ "kind": "IDEA", "title": "By a program", "body": "Hello.", "topicIds": ["top_volunteering"], "attachmentIds": [file["id"]], "publish": true });
        let id = app.create_post(&token, input).await;
        let shown = app.graphql(&token.token, "query($id: ID!) { node(id: $id) { ... on Post { title author { id } attachments { name } } } }", json!({ "id": id })).await;
        assert_eq!(shown["data"]["node"], json!({ "title": "By a program", "author": { "id": ada.id }, "attachments": [{ "name": "notes.pdf" }] }));
        let got = app.http.get(file["url"].as_str().unwrap()).bearer_auth(&token.token).send().await.unwrap();
        assert_eq!((got.status().as_u16(), &*got.bytes().await.unwrap()), (200, crate::attachments::PDF));
    }

    async fn revoking_ends_it_at_once(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        let (id, token) = made(app, &ada, &["POSTS_READ"]).await;
        for other in [&grace, &mary] {
            assert_eq!(app.mutate(other, "revokeAccessToken", &json!({ "id": id }), "").await, "NOT_FOUND");
            let theirs = app.graphql(&other.token, "query($id: ID!) { accessTokens(memberId: $id) { totalCount nodes { name } } }", json!({ "id": ada.id })).await;
            assert_eq!(theirs["data"]["accessTokens"], json!({ "totalCount": 0, "nodes": [] }));
        }
        assert_eq!(app.mutate(&ada, "revokeAccessToken", &json!({ "id": "pat_none" }), "").await, "NOT_FOUND");
        assert_eq!(name(app, &token).await, "Ada Moore");
        let found = app.graphql(&edith.token, "query($id: ID!) { accessTokens(memberId: $id) { nodes { id } } }", json!({ "id": ada.id })).await;
        assert_eq!(found["data"]["accessTokens"]["nodes"], json!([{ "id": id }]));
        for _ in 0..2 {
            let revoked = app.mutate(&edith, "revokeAccessToken", &json!({ "id": id }), "accessToken { works revokedAt }").await;
            assert_eq!(revoked["accessToken"], json!({ "works": false, "revokedAt": "2026-03-02T09:00:00.000Z" }));
        }
        assert_eq!(name(app, &token).await, 401);
        let audited: Vec<AuditEntry> = all(&app.app.store).await;
        assert_eq!(audited.iter().map(|entry| (entry.action, &*entry.subject)).collect::<Vec<_>>(), [(AuditAction::RevokeAccessToken, &*id)]);
        jobs::run_due(&app.app).await.unwrap();
        let told = app.graphql(&ada.token, "{ viewer { notifications { nodes { kind text } } } }", json!({})).await;
        assert!(told.to_string().contains("An administrator revoked an access token of yours"), "{told}");

        let (own, token) = made(app, &ada, &["POSTS_READ"]).await;
        app.mutate(&ada, "revokeAccessToken", &json!({ "id": own }), "").await;
        assert_eq!(name(app, &token).await, 401);
        assert_eq!(all::<AuditEntry>(&app.app.store).await.len(), 1, "nothing of what people do to their own");
        app.advance(TimeDelta::days(30));
        jobs::purge(&app.app).await.unwrap();
        assert_eq!(all::<AccessToken>(&app.app.store).await.len(), 2);
        app.advance(TimeDelta::seconds(1));
        jobs::purge(&app.app).await.unwrap();
        assert!(all::<AccessToken>(&app.app.store).await.is_empty());
    }

    async fn a_token_can_do_no_more_than_its_owner_may_now(app: &TestApp) {
        let House { ada, mary, .. } = house(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        let id = post(app, &ada, "Soft-close bins").await;
        let (_, moderating) = made(app, &mary, &["MODERATION", "POSTS_READ"]).await;
        let hide = async |by: &Person| {
            let id = post(app, &ada, "Another").await;
            let input = json!({ "input": { "subjectId": id, "reason": "A name." } });
            app.graphql(&by.token, "mutation($input: HideContentInput!) { hideContent(input: $input) { userErrors { code } } }", input).await
        };
        assert_eq!(hide(&moderating).await["data"]["hideContent"]["userErrors"], json!([]));

        // Others' posts are a moderator's to edit, but not by a token that is for an author's.
        let (_, writing) = made(app, &mary, &["POSTS_WRITE"]).await;
        let edit = json!({ "id": id, "expectedVersion": 1, "title": "Edited" });
        assert_eq!(app.mutate(&writing, "updatePost", &edit, "").await, "FORBIDDEN");
        assert_eq!(app.mutate(&mary, "updatePost", &edit, "post { title }").await["post"]["title"], "Edited");

        grant(&app.app, "mary-ward@mary-ward.nhs.uk", Role::Member).await.unwrap();
        assert_eq!(forbidden(&hide(&moderating).await), "Only moderators can do this.");
        assert_eq!(name(app, &moderating).await, "Mary Ward");
        let refused = app.graphql(&mary.token, "mutation($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { secret } }", json!({ "input": { "name": "x", "scopes": ["MODERATION"], "expiresAt": days(app, 1) } })).await;
        assert_eq!(forbidden(&refused), "Only moderators can do this.");

        let suspend = json!({ "memberId": mary.id, "reason": "For a while." });
        app.mutate(&edith, "suspendMember", &suspend, "").await;
        let (status, answer) = app.asked(&moderating.token, "{ viewer { name } }").await;
        assert_eq!(status, 403);
        assert!(forbidden(&answer).contains("For a while."), "{answer}");
        app.mutate(&edith, "reinstateMember", &suspend, "").await;
        assert_eq!(name(app, &moderating).await, "Mary Ward");

        let gone: Id<Member> = Id::parse(&mary.id).unwrap();
        app.app.store.commit(Batch::new().delete(&gone, Guard::Present)).await.unwrap();
        assert_eq!(name(app, &moderating).await, 401);
    }

    async fn last_use_is_written_once_an_hour(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (id, token) = made(app, &ada, &["POSTS_READ"]).await;
        let last = async || stored::<AccessToken>(app, &id).await;
        let futures = (0..8).map(|_| name(app, &token));
        assert!(futures_util::future::join_all(futures).await.iter().all(|name| name == "Ada Moore"));
        used(app, 1).await;
        let first = last().await;
        assert_eq!((first.version, first.look_at), (2, None), "written once, and it expires before anybody has to look");
        app.advance(TimeDelta::minutes(59));
        name(app, &token).await;
        app.advance(TimeDelta::minutes(1));
        assert_eq!(last().await.last_used_at, first.last_used_at);
        name(app, &token).await;
        used(app, 1).await;
        assert_eq!((last().await.version, last().await.last_used_at), (3, Some(app.now())));
    }

    async fn nobody_uses_it_so_it_is_warned_of_and_revoked(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let year = json!({ "expiresAt": days(app, 365) });
        let token = make(app, &ada, &["POSTS_READ"], &year).await;
        let (id, holder) = (token["accessToken"]["id"].as_str().unwrap().to_owned(), holding(&ada, token["secret"].as_str().unwrap()));
        let brief = make(app, &ada, &["POSTS_READ"], &json!({ "expiresAt": days(app, 89) })).await;
        assert_eq!(chores(app).await.len(), 2, "both were made");
        app.advance(TimeDelta::days(89));
        assert!(chores(app).await.is_empty());
        app.advance(TimeDelta::days(1));
        let (one, two) = tokio::join!(jobs::access_token::plan(&app.app), jobs::access_token::plan(&app.app));
        assert_eq!(one.unwrap() + two.unwrap(), 1, "two workers warn once");
        let warned = chores(app).await;
        assert_eq!(subjects(&warned), [UNUSED]);
        assert!(warned[0].text.contains("since 2 March 2026") && warned[0].text.contains("29 August 2026"), "{}", warned[0].text);
        assert!(chores(app).await.is_empty());

        // Used once more, it is warned of anew, 90 days after that.
        let ada = app.sign_in_again(&ada);
        assert_eq!(name(app, &holder).await, "Ada Moore");
        used(app, 1).await;
        app.advance(TimeDelta::days(89));
        assert!(chores(app).await.is_empty());
        app.advance(TimeDelta::days(1));
        assert_eq!(subjects(&chores(app).await), [UNUSED]);
        app.advance(TimeDelta::days(89));
        assert_eq!(name(app, &ada).await, 401, "sessions end before");
        assert!(chores(app).await.is_empty());
        assert!(stored::<AccessToken>(app, &id).await.is_live(app.now()));
        app.advance(TimeDelta::days(1));
        let (one, two) = tokio::join!(jobs::access_token::plan(&app.app), jobs::access_token::plan(&app.app));
        assert_eq!(one.unwrap() + two.unwrap(), 1, "two workers revoke once");
        assert_eq!(subjects(&chores(app).await), [REVOKED]);
        assert_eq!(name(app, &holder).await, 401);
        assert_eq!(stored::<AccessToken>(app, &id).await.revoked_at, Some(app.now()));
        app.advance(TimeDelta::days(400));
        assert!(chores(app).await.is_empty());
        assert_eq!(stored::<AccessToken>(app, brief["accessToken"]["id"].as_str().unwrap()).await.revoked_at, None);
    }

    /// A warning that waits is not sent when the token is used meanwhile.
    async fn nobody_is_warned_of_what_is_used(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let token = make(app, &ada, &["POSTS_READ"], &json!({ "expiresAt": days(app, 365) })).await;
        chores(app).await;
        app.advance(TimeDelta::days(90));
        jobs::access_token::plan(&app.app).await.unwrap();
        name(app, &holding(&ada, token["secret"].as_str().unwrap())).await;
        used(app, 1).await;
        assert!(chores(app).await.is_empty());
    }

    async fn more_than_a_page_is_looked_at(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for _ in 0..120 {
            app.token(&ada, &[Scope::PostsRead]).await;
        }
        let unused = all::<AccessToken>(&app.app.store).await;
        let batch = unused.iter().fold(Batch::new(), |batch, token| {
            let later = token.created_at.plus(TimeDelta::days(365));
            batch.replace(&AccessToken { expires_at: later, look_at: Some(token.created_at.plus(TimeDelta::days(90))), ..token.clone() })
        });
        app.app.store.commit(batch).await.unwrap();
        app.advance(TimeDelta::days(90));
        assert_eq!(chores(app).await.len(), 120);
    }

    async fn comments_by_tokens_are_like_any(app: &TestApp) {
        let House { ada, grace, .. } = house(app).await;
        let id = post(app, &ada, "Soft-close bins").await;
        let (_, token) = made(app, &grace, &["THREADS_WRITE"]).await;
        assert!(comment(app, &token, &id, "They do.").await.starts_with("cmt_"));
    }
}
