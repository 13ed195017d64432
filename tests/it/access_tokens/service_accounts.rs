//! Programs that are members: who makes them, who answers for them, and what ends with that person.

use hope_exchange::{
    actions::member::grant,
    domain::{
        audit::{AuditAction, AuditEntry},
        member::{Member, Role},
        service_account,
    },
    jobs,
};

use super::*;
use crate::{
    community::all,
    moderation::{House, comment, house, post},
    on_both_stores,
};

/// The id of a service account that `owner` answers for.
async fn account(app: &TestApp, moderator: &Person, owner: &Person) -> String {
    let input = json!({ "name": "Northmoor intranet", "purpose": "Copies what is new to the intranet", "organisationId": owner.organisation, "ownerId": owner.id });
    let made =
        app.mutate(moderator, "createServiceAccount", &input, "serviceAccount { member { id } }").await;
    made["serviceAccount"]["member"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Who holds a new token of a service account.
async fn token(app: &TestApp, owner: &Person, account: &str, scopes: &[&str]) -> Person {
    let made = make(app, owner, scopes, &json!({ "serviceAccountId": account })).await;
    let secret = made["secret"].as_str().unwrap_or_else(|| panic!("{made}"));
    assert!(secret.starts_with("hope_svc_"));
    assert_eq!(
        (&made["accessToken"]["member"]["id"], &made["accessToken"]["owner"]["id"]),
        (&json!(account), &json!(owner.id))
    );
    holding(owner, secret)
}

async fn change(app: &TestApp, person: &Person, change: impl Fn(&mut Member) + Sync) {
    let id = Id::parse(&person.id).unwrap();
    let changed = app.app.store.change(&id, |member: &mut Member| {
        change(member);
        Ok::<_, hope_exchange::error::StoreError>(((), Batch::new()))
    });
    changed.await.unwrap().unwrap();
}

const ACCOUNTS: &str = "{ serviceAccounts { totalCount nodes { createdAt owner { name } member { name jobTitle isServiceAccount role organisation { id } } } } }";

on_both_stores! {
    async fn a_service_account_takes_part_and_is_marked_as_such(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let id = account(app, &mary, &ada).await;
        jobs::run_due(&app.app).await.unwrap();
        let told = app.graphql(&ada.token, "{ viewer { notifications { nodes { text reason } } } }", json!({})).await;
        assert_eq!(told["data"]["viewer"]["notifications"]["nodes"], json!([{ "text": "A moderator made a service account that you answer for", "reason": "Copies what is new to the intranet" }]));
        let audited: Vec<AuditEntry> = all(&app.app.store).await;
        assert_eq!(audited.iter().map(|entry| (entry.action, &*entry.subject, entry.actor.as_str())).collect::<Vec<_>>(), [(AuditAction::CreateServiceAccount, &*id, &*mary.id)]);

        let program = token(app, &ada, &id, &["POSTS_WRITE", "THREADS_WRITE"]).await;
        let posted = post(app, &program, "News from Northmoor").await;
        let shown = app.graphql(&grace.token, "query($id: ID!) { node(id: $id) { ... on Post { author { id name jobTitle isServiceAccount role } organisation { id } } } }", json!({ "id": posted })).await;
        assert_eq!(shown["data"]["node"], json!({
            "author": { "id": id, "name": "Northmoor intranet", "jobTitle": "Copies what is new to the intranet", "isServiceAccount": true, "role": "MEMBER" },
            "organisation": { "id": ada.organisation },
        }));
        let me = app.graphql(&grace.token, "{ viewer { member { isServiceAccount } } }", json!({})).await;
        assert_eq!(me["data"]["viewer"]["member"]["isServiceAccount"], false);
        // It is the account's, and not its owner's to edit.
        let edit = json!({ "id": posted, "expectedVersion": 1, "title": "Changed" });
        assert_eq!(app.mutate(&ada, "updatePost", &edit, "").await, "FORBIDDEN");
        assert_eq!(app.mutate(&program, "updatePost", &edit, "").await["userErrors"], json!([]));

        // Nothing is mailed to where no mailbox is, and nobody signs in from there.
        jobs::run_due(&app.app).await.unwrap();
        app.take_mail();
        comment(app, &grace, &posted, &format!("What do you say, @[Northmoor]({id})?")).await;
        let address = all::<Member>(&app.app.store).await.into_iter().find(|member| member.id.as_str() == id).unwrap().email;
        let (status, _) = app.post("/api/v1/auth/sign-in", &json!({ "email": address.as_str() })).await;
        assert_eq!(status, 202);
        app.advance(TimeDelta::minutes(2));
        jobs::run_due(&app.app).await.unwrap();
        assert!(app.take_mail().iter().all(|mail| mail.to != address));
    }

    async fn moderators_make_them_for_members_of_the_organisation(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let partner = app.colleague(&ada, "Ruth Lamb").await;
        app.grant(&partner, Role::Partner).await;
        let program = account(app, &mary, &ada).await;
        let input = json!({ "name": "A sync", "purpose": "Copies", "organisationId": ada.organisation, "ownerId": ada.id });
        for (changes, field, code) in [
            (json!({ "ownerId": grace.id }), "ownerId", "INVALID"),
            (json!({ "ownerId": partner.id }), "ownerId", "INVALID"),
            (json!({ "ownerId": program }), "ownerId", "INVALID"),
            (json!({ "organisationId": "org_none" }), "ownerId", "INVALID"),
            (json!({ "ownerId": "mbr_none" }), "ownerId", "UNKNOWN"),
            (json!({ "name": "" }), "name", "REQUIRED"),
            (json!({ "purpose": "For 943 476 5919" }), "purpose", "PERSONAL_DATA"),
        ] {
            let answer = app.mutate(&mary, "createServiceAccount", &with(input.clone(), &changes), "serviceAccount { createdAt }").await;
            assert_eq!((&answer["userErrors"][0]["field"][0], &answer["userErrors"][0]["code"], &answer["serviceAccount"]), (&json!(field), &json!(code), &Json::Null), "{changes}");
        }
        assert_eq!(app.mutate(&ada, "createServiceAccount", &input, "").await, "FORBIDDEN");
        let twice = with(input, &json!({ "clientMutationId": "once" }));
        for _ in 0..2 {
            assert_eq!(app.mutate(&mary, "createServiceAccount", &twice, "").await["userErrors"], json!([]));
        }
        assert_eq!(all::<Member>(&app.app.store).await.iter().filter(|member| member.owner.is_some()).count(), 2);
    }

    async fn only_who_answers_for_it_makes_its_tokens(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        let (id, other) = (account(app, &mary, &ada).await, account(app, &mary, &grace).await);
        for by in [&grace, &mary, &edith] {
            assert_eq!(make(app, by, &["POSTS_READ"], &json!({ "serviceAccountId": id })).await, "NOT_FOUND");
        }
        for wrong in ["mbr_none", &grace.id, &ada.id, "org_none", &other] {
            assert_eq!(make(app, &ada, &["POSTS_READ"], &json!({ "serviceAccountId": wrong })).await, "NOT_FOUND");
        }
        let program = token(app, &ada, &id, &["ACCOUNT_READ"]).await;
        let listed = async |by: &Person| app.graphql(&by.token, ACCOUNTS, json!({})).await["data"]["serviceAccounts"].clone();
        assert_eq!(listed(&ada).await, json!({ "totalCount": 1, "nodes": [{
            "createdAt": "2026-03-02T09:00:00.000Z", "owner": { "name": "Ada Moore" },
            "member": { "name": "Northmoor intranet", "jobTitle": "Copies what is new to the intranet", "isServiceAccount": true, "role": "MEMBER", "organisation": { "id": ada.organisation } },
        }] }));
        assert_eq!((listed(&grace).await["totalCount"].clone(), listed(&mary).await["totalCount"].clone(), listed(&edith).await["totalCount"].clone(), listed(&program).await["totalCount"].clone()), (json!(1), json!(0), json!(2), json!(0)));

        let tokens = async |by: &Person| app.graphql(&by.token, "query($id: ID!) { accessTokens(memberId: $id) { nodes { name owner { name } } } }", json!({ "id": id })).await["data"]["accessTokens"]["nodes"].clone();
        let all = json!([{ "name": "Ward dashboard", "owner": { "name": "Ada Moore" } }]);
        assert_eq!((tokens(&ada).await, tokens(&edith).await, tokens(&grace).await, tokens(&mary).await), (all.clone(), all, json!([]), json!([])));
        let own = app.graphql(&ada.token, "{ viewer { accessTokens { totalCount } } }", json!({})).await;
        assert_eq!(own["data"]["viewer"]["accessTokens"]["totalCount"], 0, "it is the account's");
        let its = app.graphql(&program.token, "{ viewer { accessTokens { totalCount } } }", json!({})).await;
        assert_eq!(its["data"]["viewer"]["accessTokens"]["totalCount"], 1);
    }

    async fn its_tokens_end_with_who_answers_for_it(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        let id = account(app, &mary, &ada).await;
        let program = token(app, &ada, &id, &["POSTS_READ"]).await;
        assert_eq!(name(app, &program).await, "Northmoor intranet");

        let suspend = json!({ "memberId": ada.id, "reason": "For a while." });
        app.mutate(&mary, "suspendMember", &suspend, "").await;
        let (status, answer) = app.asked(&program.token, "{ viewer { name } }").await;
        assert!(status == 401 && !answer.to_string().contains("For a while"), "{answer}");
        app.mutate(&mary, "reinstateMember", &suspend, "").await;
        assert_eq!(name(app, &program).await, "Northmoor intranet");

        app.mutate(&mary, "suspendMember", &json!({ "memberId": id, "reason": "It posts too much." }), "").await;
        assert_eq!(name(app, &program).await, 403);
        app.mutate(&mary, "reinstateMember", &json!({ "memberId": id, "reason": "It is mended." }), "").await;

        let (north, south) = (Id::parse(&ada.organisation), Id::parse(&grace.organisation));
        for elsewhere in [None, south] {
            change(app, &ada, |member| member.organisation.clone_from(&elsewhere)).await;
            assert_eq!(name(app, &program).await, 401);
        }
        change(app, &ada, |member| member.organisation.clone_from(&north)).await;
        assert_eq!(name(app, &program).await, "Northmoor intranet");

        let gone: Id<Member> = Id::parse(&ada.id).unwrap();
        app.app.store.commit(Batch::new().delete(&gone, hope_exchange::store::Guard::Present)).await.unwrap();
        assert_eq!(name(app, &program).await, 401);
    }

    async fn another_member_answers_for_it_when_it_is_handed_over(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let (ivy, edith) = (app.colleague(&ada, "Ivy Stone").await, app.person("Edith Cave").await);
        app.grant(&edith, Role::Administrator).await;
        let id = account(app, &mary, &ada).await;
        let program = token(app, &ada, &id, &["POSTS_WRITE"]).await;
        let hand = |to: &str| json!({ "id": id, "ownerId": to });
        for (to, code) in [(&*grace.id, "INVALID"), (&*id, "INVALID"), ("mbr_none", "UNKNOWN")] {
            let refused = app.mutate(&ada, "handOverServiceAccount", &hand(to), "").await;
            assert_eq!((&refused["userErrors"][0]["field"][0], &refused["userErrors"][0]["code"]), (&json!("ownerId"), &json!(code)), "{to}");
        }
        for other in [&ivy, &mary] {
            assert_eq!(app.mutate(other, "handOverServiceAccount", &hand(&ivy.id), "").await, "NOT_FOUND");
        }
        assert_eq!(name(app, &program).await, "Northmoor intranet");
        // Whoever answers for it already stays so.
        for by in [&ada, &ivy] {
            let handed = app.mutate(by, "handOverServiceAccount", &hand(&ivy.id), "serviceAccount { owner { name } }").await;
            assert_eq!(handed, json!({ "serviceAccount": { "owner": { "name": "Ivy Stone" } }, "userErrors": [] }));
        }
        // Whoever made its tokens knows them.
        assert_eq!(name(app, &program).await, 401);
        assert_eq!(make(app, &ada, &["POSTS_WRITE"], &json!({ "serviceAccountId": id })).await, "NOT_FOUND");
        let program = token(app, &ivy, &id, &["POSTS_WRITE"]).await;
        let acts: Vec<AuditAction> = all::<AuditEntry>(&app.app.store).await.iter().map(|entry| entry.action).collect();
        assert!(acts.len() == 2 && acts.contains(&AuditAction::HandOverServiceAccount), "{acts:?}");
        jobs::run_due(&app.app).await.unwrap();
        let told = app.graphql(&ivy.token, "{ viewer { notifications { nodes { text } } } }", json!({})).await;
        assert!(told.to_string().contains("Somebody else answers for a service account from now on"), "{told}");

        // It outlives whoever had it before.
        let erased = app.mutate(&edith, "eraseMember", &json!({ "memberId": ada.id, "reason": "She left." }), "").await;
        assert_eq!(erased["userErrors"], json!([]), "{erased}");
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(name(app, &program).await, "Northmoor intranet");

        // Administrators do it for others.
        let joan = app.colleague(&ivy, "Joan Clarke").await;
        let handed = app.mutate(&edith, "handOverServiceAccount", &hand(&joan.id), "serviceAccount { owner { name } }").await;
        assert_eq!(handed["serviceAccount"]["owner"]["name"], "Joan Clarke", "{handed}");
    }

    async fn it_moderates_only_while_its_owner_does(app: &TestApp) {
        let House { ada, mary, .. } = house(app).await;
        let id = account(app, &mary, &mary).await;
        let program = token(app, &mary, &id, &["MODERATION"]).await;
        // A role of its own would be no use.
        let address = service_account::new(Id::parse(&id).unwrap(), String::new(), String::new(), &stored(app, &mary).await, app.now()).unwrap().email;
        grant(&app.app, address.as_str(), Role::Administrator).await.unwrap();
        let queue = "{ auditLog { totalCount } }";
        assert_eq!(app.asked(&program.token, queue).await.1["errors"], Json::Null);
        let reach = json!({ "input": { "memberId": ada.id, "reason": "Not kind." } });
        let suspended = app.graphql(&program.token, "mutation($input: SuspendMemberInput!) { suspendMember(input: $input) { userErrors { code } } }", reach).await;
        assert_eq!(suspended["data"]["suspendMember"]["userErrors"], json!([]), "{suspended}");
        grant(&app.app, "mary-ward@mary-ward.nhs.uk", Role::Member).await.unwrap();
        assert_eq!(forbidden(&app.asked(&program.token, queue).await.1), "Only moderators can do this.");
        assert_eq!(name(app, &program).await, "Northmoor intranet");
        grant(&app.app, "mary-ward@mary-ward.nhs.uk", Role::Partner).await.unwrap();
        assert_eq!(name(app, &program).await, 401, "partners answer for none");
    }
}

async fn stored(app: &TestApp, person: &Person) -> Member {
    app.app.store.one(&Id::parse(&person.id).unwrap()).await.unwrap().unwrap()
}
