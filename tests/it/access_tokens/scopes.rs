//! The table of permissions by token: every operation with every scope, and what is reached through others.

use hope_exchange::domain::permission::{OPEN, Permission, TABLE as PERMISSIONS};

use super::*;
use crate::{
    attachments::PDF,
    moderation::{House, comment, house, post},
    on_both_stores,
    permissions::{COLUMNS, Cast, Scene, TABLE, mutation_of, operations},
};

/// Fields of `viewer` that make up a byline: they say who asks.
const BYLINE: [&str; 5] = ["id", "name", "role", "organisation", "member"];

fn includes(scope: Scope, permission: &Permission) -> bool {
    permission.scope.is_some_and(|needed| scope.includes(needed))
}

/// What a token without the scope is told.
fn refusal(permission: &Permission) -> String {
    match permission.scope {
        Some(scope) => format!("This token needs the scope {}.", scope.name()),
        None => format!("{} is for people: no token is enough.", permission.operation),
    }
}

/// A cell of the table of permissions.
fn cell(line: &str, column: &str) -> String {
    let at = COLUMNS[1..].iter().position(|known| *known == column).unwrap();
    line.split('|').nth(1).unwrap().split_whitespace().nth(at).unwrap().to_owned()
}

/// One of every token there can be.
async fn each_alone(app: &TestApp, person: &Person) -> Vec<(Scope, Person)> {
    let mut tokens = Vec::new();
    for scope in Scope::ALL {
        tokens.push((scope, app.token(person, &[scope]).await));
    }
    tokens
}

/// Each root query and field of the viewer that a token may need a scope for, with what else it needs to
/// read what it finds.
const QUERIES: &[(&str, &str, &[Scope])] = &[
    ("feed", "{ feed(first: 2) { nodes { id } } }", &[]),
    ("posts", "{ posts(first: 2) { totalCount nodes { id title author { name } } } }", &[]),
    ("pinned", "{ pinned { id } }", &[]),
    ("topics", "{ topics { id name } }", &[]),
    ("tags", "{ tags { totalCount } }", &[]),
    ("caseStudies", "{ caseStudies { totalCount } }", &[]),
    ("taxonomy", "{ taxonomy { __typename } }", &[]),
    ("members", "{ members { totalCount } }", &[]),
    ("organisations", "{ organisations { totalCount } }", &[]),
    ("similarOrganisations", "{ similarOrganisations(organisationId: \"org_none\") { id } }", &[]),
    ("moderationQueue", "{ moderationQueue { nodes { id reason } } }", &[Scope::ThreadsRead]),
    ("auditLog", "{ auditLog { nodes { id action } } }", &[]),
    ("membersAwaitingApproval", "{ membersAwaitingApproval { totalCount } }", &[]),
    ("invitations", "{ invitations { totalCount } }", &[]),
    ("accessTokens", "{ accessTokens(memberId: \"mbr_none\") { totalCount } }", &[]),
    ("serviceAccounts", "{ serviceAccounts { totalCount } }", &[]),
    ("viewer.email", "{ viewer { email } }", &[]),
    ("viewer.profile", "{ viewer { profile { pronouns } } }", &[]),
    ("viewer.state", "{ viewer { state } }", &[]),
    ("viewer.rulesToAccept", "{ viewer { rulesToAccept { version } } }", &[]),
    ("viewer.verifyBefore", "{ viewer { verifyBefore } }", &[]),
    ("viewer.scope", "{ viewer { scope { topics { id } } } }", &[]),
    ("viewer.accessEndsAt", "{ viewer { accessEndsAt } }", &[]),
    ("viewer.drafts", "{ viewer { drafts { totalCount } } }", &[]),
    ("viewer.following", "{ viewer { following { totalCount } } }", &[]),
    ("viewer.muted", "{ viewer { muted { totalCount } } }", &[]),
    ("viewer.bookmarks", "{ viewer { bookmarks { totalCount } } }", &[]),
    ("viewer.notifications", "{ viewer { notifications { totalCount } } }", &[]),
    ("viewer.unreadCount", "{ viewer { unreadCount } }", &[]),
    ("viewer.notificationPreferences", "{ viewer { notificationPreferences { replied } } }", &[]),
    ("viewer.digestPreferences", "{ viewer { digestPreferences { frequency } } }", &[]),
    ("viewer.digestPreview", "{ viewer { digestPreview { subject } } }", &[]),
    ("viewer.digests", "{ viewer { digests { totalCount } } }", &[]),
    ("digestPreview", "{ digestPreview { subject } }", &[]),
    ("digests", "{ digests { totalCount } }", &[Scope::AccountRead]),
    ("suppressions", "{ suppressions { totalCount } }", &[]),
    ("editorsNotes", "{ editorsNotes { week } }", &[]),
    ("viewer.secondFactors", "{ viewer { secondFactors { recoveryCodesLeft } } }", &[]),
    ("viewer.identities", "{ viewer { identities { id } } }", &[]),
    ("viewer.sessions", "{ viewer { sessions { totalCount } } }", &[]),
    ("erasures", "{ erasures { totalCount } }", &[]),
    ("legalHolds", "{ legalHolds { totalCount } }", &[]),
    ("viewer.erasure", "{ viewer { erasure { dueAt } } }", &[]),
    ("viewer.dataExports", "{ viewer { dataExports { totalCount } } }", &[]),
    ("viewer.accessTokens", "{ viewer { accessTokens { nodes { name } } } }", &[]),
];

on_both_stores! {
    // Where passkeys work, too.
    with crate::app::at_localhost;

    async fn every_mutation_with_every_scope(app: &TestApp) {
        let cast = Cast::of(app).await;
        let mut tried = 0;
        for (column, actor) in [("author", &cast.author), ("administrator", &cast.administrator)] {
            let tokens = each_alone(app, actor).await;
            let mut last = "";
            for line in TABLE.trim().lines() {
                let row = line.split('|').next().unwrap().trim();
                let mutation = mutation_of(row);
                let permission = Permission::named(mutation).unwrap();
                // With the scope it is as in a session, of which a token with no role's scope is a member's.
                for (scope, holder) in tokens.iter().filter(|(scope, _)| includes(*scope, permission)) {
                    let column = match (column, scope) {
                        ("administrator", Scope::Administration) => "administrator",
                        ("administrator", Scope::Moderation) => "moderator",
                        ("administrator", _) => "other",
                        (column, _) => column,
                    };
                    let outcome = Scene { app, cast: &cast, actor: Some(holder) }.outcome(row).await;
                    assert_eq!(outcome, cell(line, column), "{row} by the {column} with {scope:?}");
                }
                if mutation == last {
                    continue;
                }
                last = mutation;
                let upper = mutation[..1].to_uppercase() + &mutation[1..];
                let query = format!("mutation($input: {upper}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}");
                let input = Scene { app, cast: &cast, actor: Some(actor) }.input(row).await;
                for (scope, holder) in tokens.iter().filter(|(scope, _)| !includes(*scope, permission)) {
                    let answer = app.graphql(&holder.token, &query, json!({ "input": input })).await;
                    assert_eq!((forbidden(&answer), &answer["data"]), (&*refusal(permission), &Json::Null), "{row} with {scope:?}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 1_000, "{tried}");
    }

    async fn every_query_with_every_scope(app: &TestApp) {
        let House { ada, .. } = house(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, hope_exchange::domain::member::Role::Administrator).await;
        post(app, &ada, "Soft-close bins").await;
        for actor in [&ada, &edith] {
            let tokens = each_alone(app, actor).await;
            for (operation, query, more) in QUERIES {
                let permission = Permission::named(operation).unwrap_or_else(|| panic!("{operation}"));
                for (scope, holder) in &tokens {
                    let (_, answer) = app.asked(&holder.token, query).await;
                    if !includes(*scope, permission) {
                        assert_eq!(forbidden(&answer), refusal(permission), "{operation} with {scope:?}");
                    } else if actor.id == ada.id && permission.scope == Some(Scope::Moderation) {
                        assert_eq!(forbidden(&answer), "Only moderators can do this.");
                    } else if actor.id == ada.id && permission.scope == Some(Scope::Administration) {
                        assert_eq!(forbidden(&answer), "Only administrators can do this.");
                    } else {
                        let with = app.token(actor, &[&[*scope], *more].concat()).await;
                        let (_, answer) = app.asked(&with.token, query).await;
                        assert_eq!(answer["errors"], Json::Null, "{operation} with {scope:?}");
                    }
                }
            }
            // And what says who asks, with any.
            for (_, holder) in &tokens {
                let (_, answer) = app.asked(&holder.token, "{ rateLimit { limit } viewer { id name role organisation { name } member { name jobTitle } } }").await;
                assert_eq!((&answer["errors"], &answer["data"]["viewer"]["id"]), (&Json::Null, &json!(actor.id)));
            }
        }
    }

    /// A field that is added has to say what a token needs for it.
    async fn everything_has_a_row(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let known: Vec<String> = QUERIES.iter().map(|(operation, ..)| (*operation).to_owned()).collect();
        let fields = app.graphql(&ada.token, "{ __type(name: \"Viewer\") { fields { name } } }", json!({})).await;
        let fields = fields["data"]["__type"]["fields"].as_array().unwrap().clone();
        for field in fields.iter().map(|field| field["name"].as_str().unwrap()).filter(|field| !BYLINE.contains(field)) {
            let operation = format!("viewer.{field}");
            assert!(Permission::named(&operation).is_some(), "{operation} has no row");
            assert!(known.contains(&operation), "{operation} is not tried");
        }
        for (kind, operation) in operations(app, &ada).await {
            let query = kind == "queryType" && !OPEN.contains(&&*operation);
            assert!(!query || known.contains(&operation), "{operation} is not tried");
        }
        let spec: Json = app.http.get(format!("{}/api/openapi.json", app.url)).send().await.unwrap().json().await.unwrap();
        let mut rest = Vec::new();
        for (path, item) in spec["paths"].as_object().unwrap() {
            for (_, operation) in item.as_object().unwrap() {
                rest.push(operation["operationId"].as_str().unwrap_or_else(|| panic!("{path} has no operationId")).to_owned());
            }
        }
        // How one becomes signed in, and stops to be; and what a provider signs.
        let open = [
            "postMailEvents",
            "signIn", "verify", "showSecondFactorCode", "showPasskey", "refresh", "signOut",
            "listProviders", "startSingleSignOn", "finishSingleSignOn",
        ];
        rest.retain(|operation| !open.contains(&&**operation));
        assert!(rest.iter().all(|operation| Permission::named(operation).is_some()), "{rest:?}");
        for row in PERMISSIONS {
            let viewer = row.operation.strip_prefix("viewer.").is_some_and(|name| fields.iter().any(|field| field["name"] == name));
            let there = viewer || rest.contains(&row.operation.to_owned()) || operations(app, &ada).await.iter().any(|(_, name)| name == row.operation);
            assert!(there, "{} is not there any more", row.operation);
        }
    }

    /// A token with a scope for one noun does not reach others through it.
    async fn what_is_reached_through_others_needs_its_own_scope(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let id = post(app, &ada, "Soft-close bins").await;
        let thread = id.replacen("pst", "thr", 1);
        let said = comment(app, &grace, &id, "They do.").await;
        app.mutate(&ada, "acceptAnswer", &json!({ "commentId": said }), "").await;
        let study = app.case_study(&ada, &json!({})).await;
        app.mutate(&grace, "recordAdoption", &json!({ "caseStudyId": study, "status": "TESTING" }), "").await;
        let report = app.mutate(&grace, "reportContent", &json!({ "subjectId": said, "reason": "COMMERCIAL" }), "report { id }").await["report"]["id"].as_str().unwrap().to_owned();
        let file = crate::attachments::upload(app, &ada, "notes.pdf", PDF).await["id"].as_str().unwrap().to_owned();
        let input = json!({ "kind": "IDEA", "title": "With a file", "body": "Look.", "topicIds": ["top_volunteering"], "attachmentIds": [file], "publish": true });
        let with_file = app.create_post(&ada, input).await;
        app.mutate(&ada, "bookmark", &json!({ "subjectId": said }), "").await;
        let node = |id: &str, inner: &str| format!("{{ node(id: \"{id}\") {{ id {inner} }} }}");
        let (posts, studies, threads, account) = (Scope::PostsRead, Scope::CaseStudiesRead, Scope::ThreadsRead, Scope::AccountRead);
        let cases = [
            (posts, node(&id, "... on Post { thread { comments { nodes { id } } } }"), "threads:read"),
            (posts, node(&id, "... on Post { acceptedAnswer { id } }"), "threads:read"),
            (posts, node(&id, "... on Post { bookmarked }"), "account:read"),
            (posts, node(&id, "... on Post { author { viewerFollowing } }"), "account:read"),
            (posts, node(&with_file, "... on Post { attachments { name } }"), "attachments:read"),
            (posts, node(&thread, ""), "threads:read"),
            (posts, node(&said, ""), "threads:read"),
            (posts, node(&study, ""), "case_studies:read"),
            (posts, node(&file, ""), "attachments:read"),
            (posts, "{ feed { nodes { title } } }".to_owned(), "case_studies:read"),
            (studies, node(&id, ""), "posts:read"),
            (studies, node(&study, "... on CaseStudy { adoptions { totalCount } }"), "adoptions:read"),
            (studies, node(&study, "... on CaseStudy { adoptionTimeline { totalCount } }"), "adoptions:read"),
            (studies, node(&study, "... on CaseStudy { thread { commentCount } }"), "threads:read"),
            (threads, node(&thread, ""), "posts:read"),
            (threads, node(&said, ""), "posts:read"),
            (account, "{ viewer { bookmarks { nodes { subject { id } } } } }".to_owned(), "threads:read"),
            (account, "{ nodes(ids: [\"mbr_none\", \"REPORT\"]) { id } }".replace("REPORT", &report), "threads:read"),
        ];
        for (scope, query, needed) in cases {
            let holder = app.token(&ada, &[scope]).await;
            let (_, answer) = app.asked(&holder.token, &query).await;
            // What somebody may not see is not there for them.
            if !(query.contains(&report) && answer["errors"].is_null()) {
                assert_eq!(forbidden(&answer), format!("This token needs the scope {needed}."), "{query} with {scope:?}");
            }
            assert!(!answer.to_string().contains("They do."), "{answer}");
        }
        // With all that is asked for, it is there.
        let both = app.token(&ada, &[posts, threads]).await;
        let (_, found) = app.asked(&both.token, &node(&id, "... on Post { thread { comments { nodes { body { text } } } } }")).await;
        assert_eq!(found["data"]["node"]["thread"]["comments"]["nodes"], json!([{ "body": { "text": "They do." } }]));

        // What a mutation answers, too: it is done, and what is not for the token is left out.
        let answers = [
            (&ada, Scope::ThreadsWrite, "acceptAnswer", json!({ "commentId": said }), "post { body { text } }", "posts:read"),
            (&ada, Scope::ThreadsWrite, "react", json!({ "subjectId": id, "kind": "THANKS" }), "subject { ... on Post { body { text } } }", "posts:read"),
            (&ada, Scope::AccountWrite, "bookmark", json!({ "subjectId": id }), "subject { id }", "posts:read"),
            (&ada, Scope::AccountWrite, "markRead", json!({ "threadId": thread }), "thread { id }", "threads:read"),
            (&ada, Scope::AccountWrite, "follow", json!({ "subjectId": thread }), "follow { subject { id } }", "threads:read"),
            (&mary, Scope::Moderation, "lockThread", json!({ "threadId": thread, "reason": "Heated." }), "thread { id }", "threads:read"),
            (&mary, Scope::Moderation, "pinContribution", json!({ "contributionId": id, "reason": "For all." }), "contribution { id }", "posts:read"),
            (&mary, Scope::Moderation, "hideContent", json!({ "subjectId": said, "reason": "A name." }), "content { ... on Comment { id } }", "threads:read"),
        ];
        for (person, scope, mutation, input, fields, needed) in answers {
            let holder = app.token(person, &[scope]).await;
            let upper = mutation[..1].to_uppercase() + &mutation[1..];
            let query = format!("mutation($input: {upper}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code }} }} }}");
            let answer = app.graphql(&holder.token, &query, json!({ "input": input })).await;
            assert_eq!(forbidden(&answer), format!("This token needs the scope {needed}."), "{mutation}");
            assert_eq!(answer["data"][mutation]["userErrors"], json!([]), "{mutation} is done: {answer}");
        }
        // The viewer in an answer is the viewer: refused before anything is done.
        let holder = app.token(&ada, &[Scope::AccountWrite]).await;
        let query = "mutation($input: MarkReadInput!) { markRead(input: $input) { ...on MarkReadPayload { viewer { drafts { totalCount } } } } }";
        let answer = app.graphql(&holder.token, query, json!({ "input": { "threadId": thread } })).await;
        assert_eq!((forbidden(&answer), &answer["data"]), ("This token needs the scope posts:read.", &Json::Null));
    }

    async fn tokens_make_no_tokens_and_end_no_sessions(app: &TestApp) {
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, hope_exchange::domain::member::Role::Administrator).await;
        let holder = app.token(&edith, &Scope::ALL).await;
        let query = "fragment F on CreateAccessTokenPayload { secret } mutation($input: CreateAccessTokenInput!) { x: createAccessToken(input: $input) { ...F } }";
        let input = json!({ "name": "Another", "scopes": ["POSTS_READ"], "expiresAt": days(app, 1) });
        let answer = app.graphql(&holder.token, query, json!({ "input": input })).await;
        assert_eq!((forbidden(&answer), &answer["data"]), ("createAccessToken is for people: no token is enough.", &Json::Null));
        assert_eq!(crate::community::all::<AccessToken>(&app.app.store).await.len(), 1);
        let mutations: Vec<_> = operations(app, &edith).await.into_iter().filter(|(kind, _)| kind == "mutationType").collect();
        let is_mutation = |row: &&Permission| mutations.iter().any(|(_, name)| name == row.operation);
        for row in PERMISSIONS.iter().filter(|row| row.scope.is_none()).filter(is_mutation) {
            let (_, answer) = app.asked(&holder.token, &format!("mutation {{ {} }}", row.operation)).await;
            assert_eq!(forbidden(&answer), refusal(row));
        }
        for path in ["refresh", "sign-out"] {
            let response = app.http.post(format!("{}/api/v1/auth/{path}", app.url)).bearer_auth(&holder.token);
            let response = response.json(&json!({ "refreshToken": holder.token })).send().await.unwrap();
            assert!(path == "sign-out" || response.status() == 401, "{path}: {}", response.status());
        }
        let response = app.http.post(format!("{}/api/v1/auth/sign-out", app.url)).bearer_auth(&holder.token).send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(name(app, &holder).await, "Edith Cave");
    }

    async fn files_need_their_scopes(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let file = crate::attachments::upload(app, &ada, "notes.pdf", PDF).await;
        let url = file["url"].as_str().unwrap();
        for (scope, holder) in each_alone(app, &ada).await {
            let got = app.http.get(url).bearer_auth(&holder.token).send().await.unwrap();
            let sent = app.http.post(format!("{}/api/v1/attachments", app.url)).bearer_auth(&holder.token).header("content-type", "multipart/form-data; boundary=x");
            let sent = sent.body("--x--\r\n").send().await.unwrap();
            if scope.includes(Scope::AttachmentsRead) {
                assert_eq!(got.status(), 200);
            } else {
                assert_eq!(got.status(), 403);
                let problem: Json = got.json().await.unwrap();
                assert!(problem.to_string().contains("This token needs the scope attachments:read."), "{problem}");
            }
            assert_eq!(sent.status() == 403, scope != Scope::AttachmentsWrite, "{scope:?}: {}", sent.status());
        }
    }
}
