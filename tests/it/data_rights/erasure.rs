//! Erasures: nobody is left but what they wrote.

use std::path::Path;

use chrono::TimeDelta;
use futures_util::TryStreamExt;
use hope_exchange::{
    domain::{
        access_token::AccessToken,
        attachment::Attachment,
        audit::{AuditAction, AuditEntry},
        bookmark::Bookmark,
        case_study::CaseStudy,
        data_export::DataExport,
        data_right::{Erasure as Fate, TABLE},
        device::Device,
        digest::Digest,
        erasure::{Erasure, Stage},
        follow::Follow,
        identity::Identity,
        invitation::Invitation,
        member::{Member, Role},
        notification::Notification,
        permission::Scope,
        post::Post,
        read_mark::ReadMark,
        revision::Revision,
        second_factor::SecondFactors,
        session::Session,
        sign_in::SignIn,
    },
    jobs,
    query::Document,
};

use super::*;
use crate::{community::all, log::Log, on_both_stores};

async fn erase(app: &TestApp, by: &Person) -> Json {
    let input = json!({ "confirmEmail": app.email(by) });
    asks(app, by, "eraseMyAccount", input, "erasure { dueAt finishedAt member { isFormer } }").await
}

async fn administrator(app: &TestApp, name: &str) -> Person {
    let person = app.person(name).await;
    app.grant(&person, Role::Administrator).await;
    person
}

async fn act(app: &TestApp, by: &Person, mutation: &str, on: &Person) -> Json {
    let fields = if mutation == "eraseMember" { "erasure { dueAt finishedAt }" } else { "member { id }" };
    asks(app, by, mutation, json!({ "memberId": on.id, "reason": "As the law says." }), fields).await
}

/// Lets the time go by that there is to think again, and has everything done.
async fn a_week_later(app: &TestApp) {
    app.advance(TimeDelta::days(7));
    jobs::run_due(&app.app).await.unwrap();
    jobs::purge(&app.app).await.unwrap();
    jobs::run_due(&app.app).await.unwrap();
}

async fn of(app: &TestApp, person: &Person) -> Option<Erasure> {
    let id = Erasure::id_of(&Id::parse(&person.id).unwrap());
    app.app.store.one(&id).await.unwrap()
}

async fn stored(app: &TestApp, person: &Person) -> Member {
    app.app.store.one(&Id::parse(&person.id).unwrap()).await.unwrap().unwrap()
}

/// Whether there is something of a member's own in a collection.
async fn has<D: Document>(app: &TestApp, field: &str, value: &str) -> Option<&'static str> {
    let own = |document: &D| serde_json::to_value(document).unwrap()[field] == value;
    all::<D>(&app.app.store).await.iter().any(own).then_some(D::collection().name)
}

/// The collections in which there is something that is a member's alone.
async fn theirs(app: &TestApp, person: &Person) -> Vec<&'static str> {
    let id = &person.id;
    let found = [
        has::<Session>(app, "member", id).await,
        has::<Device>(app, "member", id).await,
        has::<SecondFactors>(app, "member", id).await,
        has::<Identity>(app, "member", id).await,
        has::<SignIn>(app, "emailKey", &app.email(person)).await,
        has::<Invitation>(app, "emailKey", &app.email(person)).await,
        has::<AccessToken>(app, "owner", id).await,
        has::<Follow>(app, "member", id).await,
        has::<Bookmark>(app, "member", id).await,
        has::<ReadMark>(app, "member", id).await,
        has::<Notification>(app, "member", id).await,
        has::<Digest>(app, "member", id).await,
        has::<DataExport>(app, "member", id).await,
    ];
    found.into_iter().flatten().collect()
}

fn files_in(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_in(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// All bytes that there are: the store, the files beside it, and what was logged.
async fn everything(app: &TestApp, log: &Log) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![("log".to_owned(), log.text().into_bytes())];
    let uri = app.app.config.store.expose();
    if let Some(path) = uri.strip_prefix("sqlite://") {
        // As the store does itself, within the hour.
        let store = rusqlite::Connection::open(path).unwrap();
        store.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).unwrap();
    } else {
        let database = mongodb::Client::with_uri_str(uri).await.unwrap().default_database().unwrap();
        for name in database.list_collection_names().await.unwrap() {
            let collection = database.collection::<mongodb::bson::Document>(&name);
            let documents = collection.find(mongodb::bson::Document::new()).await.unwrap();
            let documents: Vec<_> = documents.try_collect().await.unwrap();
            found.push((name, format!("{documents:?}").into_bytes()));
        }
    }
    files_in(app.folder.path(), &mut found);
    found
}

/// Where traces of the member are.
async fn traces(app: &TestApp, log: &Log) -> Vec<String> {
    let mut places = Vec::new();
    for (place, bytes) in everything(app, log).await {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        places.extend(
            TRACES.iter().filter(|trace| text.contains(**trace)).map(|trace| format!("{trace} in {place}")),
        );
    }
    places
}

on_both_stores! {
    /// Not a byte: in the store, in files, or in the log.
    async fn nothing_is_left_of_a_member_but_what_they_wrote(app: &TestApp) {
        let log = Log::start();
        let Life { ada, grace, mary, post, comment, study, attachment } = life(app).await;
        asks(app, &ada, "requestDataExport", json!({}), "").await;
        jobs::run_due(&app.app).await.unwrap();
        assert!(traces(app, &log).await.len() >= TRACES.len(), "the search finds what is there");
        assert_eq!(erase(app, &ada).await["userErrors"], json!([]));
        let acts: Vec<AuditEntry> = all(&app.app.store).await;
        a_week_later(app).await;
        assert_eq!(of(app, &ada).await.unwrap().stage, Stage::Done);
        assert_eq!(traces(app, &log).await, [] as [&str; 0]);

        let (grace, mary) = (app.sign_in_again(&grace), app.sign_in_again(&mary));
        let show = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Contribution { title author { name isFormer jobTitle } }
            ... on Comment { author { name } body { text html } mentions { name } quote { text } replies { nodes { body { text html } mentions { name } quote { text } } } } } }";
        let answer = app.graphql(&grace.token, show, json!({ "ids": [post, study, comment] })).await;
        let [question, study, said] = answer["data"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).clone().try_into().unwrap();
        let former = json!({ "name": "A former member", "isFormer": true, "jobTitle": null });
        assert_eq!((&question["title"], &question["author"]), (&json!("Soft-close bins?"), &former));
        assert_eq!((&study["title"], &study["author"]), (&json!("Quiet nights on the wards"), &former));
        assert_eq!(said["body"]["text"], "We close them at nine.");
        let reply = &said["replies"]["nodes"][0];
        assert_eq!((&reply["body"]["text"], &reply["mentions"], &reply["quote"]["text"]), (&json!("Good, a former member."), &json!([]), &json!("at nine")));
        assert_eq!(reply["body"]["html"], "<p>Good, a former member.</p>\n");
        let revisions: Vec<Revision> = all(&app.app.store).await;
        assert!(revisions.iter().any(|one| format!("{one:?}").contains("a former member")), "an edit that took a mention away");
        let posts: Vec<Post> = all(&app.app.store).await;
        assert!(posts.iter().all(|post| post.title != "A draft of mine"));
        let studies: Vec<CaseStudy> = all(&app.app.store).await;
        assert!(studies.iter().all(|study| study.content.contact.member.as_ref().is_none_or(|id| id.as_str() != ada.id)));

        // Files: what nothing used is gone, what was used is there, and nobody has uploaded it.
        let files: Vec<Attachment> = all(&app.app.store).await;
        assert_eq!(files.iter().map(|file| (file.id.as_str(), file.uploader.as_str())).collect::<Vec<_>>(), [(&*attachment, "mbr_none")]);
        let mut left: Vec<String> = std::fs::read_dir(app.folder.path().join("attachments")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.retain(|name| *name != attachment);
        assert_eq!(left, [] as [&str; 0]);
        let got = app.http.get(format!("{}/api/v1/attachments/{attachment}", app.url)).bearer_auth(&grace.token).send().await.unwrap();
        assert_eq!(got.bytes().await.unwrap(), PDF);

        // The audit log still says what was done, and why.
        let entries: Vec<AuditEntry> = all(&app.app.store).await;
        let without_name = |entry: AuditEntry| {
            let reason = entry.reason.map(|reason| reason.replace("Zephyrine Quillfeather", "a former member"));
            AuditEntry { version: entries.iter().find(|other| other.id == entry.id).unwrap().version, reason, ..entry }
        };
        let (mut after, mut acts) = (entries.clone(), acts.into_iter().map(without_name).collect::<Vec<_>>());
        after.retain(|entry| entry.action != AuditAction::EraseMember);
        after.sort_by_key(|entry| entry.id.to_string());
        acts.sort_by_key(|entry| entry.id.to_string());
        assert_eq!(after, acts, "nothing else of it has changed");
        assert!(after.iter().any(|entry| entry.reason.as_deref() == Some("a former member was curt.")), "{after:?}");
        let log = "{ auditLog(action: ERASE_MEMBER) { nodes { subjectId reason } } }";
        let answer = app.graphql(&mary.token, log, json!({})).await;
        assert_eq!(answer["data"]["auditLog"]["nodes"], json!([{ "subjectId": ada.id, "reason": null }]));
    }

    /// What the list says of each collection, of a member of whom there is something in all of them.
    async fn what_is_theirs_alone_goes(app: &TestApp) {
        let Life { ada, mary, .. } = life(app).await;
        asks(app, &ada, "requestDataExport", json!({}), "").await;
        // A program that they answer for, and its token.
        let accounts = app.graphql(&ada.token, "{ serviceAccounts { nodes { member { id } } } }", json!({})).await;
        let account = &accounts["data"]["serviceAccounts"]["nodes"][0]["member"]["id"];
        let input = json!({ "name": "Nightly", "scopes": ["POSTS_READ"], "expiresAt": "2026-06-01T00:00:00Z", "serviceAccountId": account });
        let made = asks(app, &ada, "createAccessToken", input, "secret").await;
        let program = crate::access_tokens::holding(&ada, made["secret"].as_str().unwrap());
        assert_eq!(app.graphql(&program.token, "{ viewer { id } }", json!({})).await["data"]["viewer"]["id"], *account);
        let goes = || TABLE.iter().filter(|row| row.erasure == Fate::Goes).map(|row| row.collection);
        let before = theirs(app, &ada).await;
        // Nobody has typed a wrong code.
        let missing: Vec<&str> = goes().filter(|name| *name != "attempts" && !before.contains(name)).collect();
        assert_eq!(missing, [] as [&str; 0], "there is nothing that could go");
        erase(app, &ada).await;
        a_week_later(app).await;
        assert_eq!(theirs(app, &ada).await, [] as [&str; 0]);
        let answer = app.graphql(&program.token, "{ viewer { name } }", json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
        let mary = app.sign_in_again(&mary);
        let shown = app.graphql(&mary.token, "query($id: ID!) { node(id: $id) { ... on Member { name suspended { reason } } } }", json!({ "id": account })).await;
        assert_eq!(shown["data"]["node"], json!({ "name": "Sync of a former member", "suspended": { "reason": "Nobody answers for it any more." } }));
    }

    async fn there_is_a_week_to_think_again(app: &TestApp) {
        let Life { ada, .. } = life(app).await;
        app.take_mail();
        let wrong = asks(app, &ada, "eraseMyAccount", json!({ "confirmEmail": "somebody@nhs.net" }), "").await;
        assert_eq!((&wrong["userErrors"][0]["code"], &wrong["userErrors"][0]["field"]), (&json!("INVALID"), &json!(["confirmEmail"])));
        assert_eq!(asks(app, &ada, "cancelErasure", json!({}), "").await, "NOT_FOUND");
        let asked = erase(app, &ada).await;
        let due = &asked["erasure"]["dueAt"];
        assert_eq!(asked["erasure"]["member"]["isFormer"], false);
        assert_eq!(erase(app, &ada).await["erasure"]["dueAt"], *due, "it stays so");
        jobs::run_due(&app.app).await.unwrap();
        let mail = app.take_mail();
        assert_eq!(mail.len(), 1, "{mail:?}");
        assert!(mail[0].text.contains("will happen on 9 March 2026") && mail[0].text.contains("/erasure"), "{}", mail[0].text);
        let mine = "{ viewer { name erasure { dueAt isHeld } } }";
        assert_eq!(app.graphql(&ada.token, mine, json!({})).await["data"]["viewer"]["erasure"], json!({ "dueAt": due, "isHeld": false }));

        app.advance(TimeDelta::days(7) - TimeDelta::seconds(5));
        jobs::run_due(&app.app).await.unwrap();
        let ada = app.sign_in_again(&ada);
        // The page that the mail leads to: looking at it changes nothing, its button keeps the account.
        let page = async |request: reqwest::RequestBuilder| {
            let request = request.header("cookie", format!("hope_access={}", ada.token)).header("origin", &app.url);
            let response = request.header("accept", "text/html").send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        };
        let (_, text) = page(app.http.get(format!("{}/erasure", app.url))).await;
        assert!(text.contains("will be erased on 9 March 2026") && text.contains("Keep my account"), "{text}");
        assert!(of(app, &ada).await.is_some());
        assert_eq!(page(app.http.post(format!("{}/erasure/cancel", app.url))).await.0, 303);
        let (_, text) = page(app.http.get(format!("{}/erasure", app.url))).await;
        assert!(text.contains("Your account stays"), "{text}");
        a_week_later(app).await;
        let ada = app.sign_in_again(&ada);
        let answer = app.graphql(&ada.token, mine, json!({})).await;
        assert_eq!(answer["data"]["viewer"], json!({ "name": "Zephyrine Quillfeather", "erasure": null }), "{answer}");
    }

    /// From the commit with which it begins, for every process: each request loads its member.
    async fn nobody_signs_in_as_who_was_erased(app: &TestApp) {
        let Life { ada, grace, mary, .. } = life(app).await;
        let edith = administrator(app, "Edith Cave").await;
        let program = app.token(&ada, &Scope::ALL).await;
        assert_eq!(act(app, &edith, "eraseMember", &edith).await["userErrors"][0]["code"], "INVALID");
        let done = act(app, &edith, "eraseMember", &ada).await;
        assert_eq!((&done["userErrors"], &done["erasure"]["dueAt"]), (&json!([]), &json!(app.now().to_string())));
        jobs::run_due(&app.app).await.unwrap();
        for holder in [&ada, &program] {
            let answer = app.graphql(&holder.token, "{ viewer { name } }", json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
        }
        let members = "{ members(first: 50) { nodes { id name } } }";
        let listed = app.graphql(&grace.token, members, json!({})).await.to_string();
        assert!(!listed.contains(&ada.id) && listed.contains(&grace.id), "{listed}");
        for (by, mutation, input) in [
            (&mary, "reinstateMember", json!({ "memberId": ada.id, "reason": "Back." })),
            (&edith, "setRole", json!({ "memberId": ada.id, "role": "MODERATOR", "reason": "Back." })),
            (&edith, "setLegalHold", json!({ "memberId": ada.id, "reason": "Late." })),
        ] {
            let refused = asks(app, by, mutation, input, "").await;
            assert!(refused == "FORBIDDEN" || refused["userErrors"][0]["code"] == "WRONG_STATE", "{mutation}: {refused}");
        }
        assert!(stored(app, &ada).await.is_former());
        app.take_mail();
        // Whoever joins with the address is somebody new.
        app.post("/api/v1/auth/sign-in", &json!({ "email": "ada-moore@ada-moore.nhs.uk" })).await;
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(app.take_mail().len(), 1);
    }

    async fn an_administrator_need_not_wait_for_the_week(app: &TestApp) {
        let Life { ada, .. } = life(app).await;
        let edith = administrator(app, "Edith Cave").await;
        erase(app, &ada).await;
        let sooner = act(app, &edith, "eraseMember", &ada).await;
        assert_eq!(sooner["erasure"]["dueAt"], app.now().to_string());
        assert_eq!(asks(app, &ada, "cancelErasure", json!({}), "").await, "NOT_FOUND", "it is not theirs any more");
        assert_eq!(act(app, &edith, "eraseMember", &ada).await["userErrors"], json!([]), "it stays so");
        jobs::run_due(&app.app).await.unwrap();
        assert!(stored(app, &ada).await.is_former());
        let log = "{ auditLog(action: ERASE_MEMBER) { totalCount } }";
        assert_eq!(app.graphql(&edith.token, log, json!({})).await["data"]["auditLog"]["totalCount"], 1);
    }

    async fn a_legal_hold_keeps_everything_until_it_is_lifted(app: &TestApp) {
        let Life { ada, .. } = life(app).await;
        let edith = administrator(app, "Edith Cave").await;
        assert_eq!(act(app, &edith, "setLegalHold", &ada).await["userErrors"], json!([]));
        assert_eq!(act(app, &edith, "setLegalHold", &ada).await["userErrors"], json!([]), "it stays so");
        erase(app, &ada).await;
        a_week_later(app).await;
        app.advance(TimeDelta::days(500));
        jobs::purge(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        let (ada, edith) = (app.sign_in_again(&ada), app.sign_in_again(&edith));
        let mine = "{ viewer { name erasure { isHeld } notifications { totalCount } } }";
        let answer = app.graphql(&ada.token, mine, json!({})).await;
        assert_eq!((&answer["data"]["viewer"]["name"], &answer["data"]["viewer"]["erasure"]["isHeld"]), (&json!("Zephyrine Quillfeather"), &json!(true)), "{answer}");
        assert!(answer["data"]["viewer"]["notifications"]["totalCount"].as_i64() > Some(0), "nothing is forgotten either");
        let lists = "{ legalHolds { nodes { member { id } reason } } erasures { nodes { member { id } finishedAt } } auditLog(action: SET_LEGAL_HOLD) { totalCount } }";
        let answer = app.graphql(&edith.token, lists, json!({})).await;
        let of_ada = json!({ "id": ada.id });
        assert_eq!(answer["data"]["legalHolds"]["nodes"], json!([{ "member": of_ada, "reason": "As the law says." }]), "{answer}");
        assert_eq!(answer["data"]["erasures"]["nodes"], json!([{ "member": of_ada, "finishedAt": null }]));
        assert_eq!(answer["data"]["auditLog"]["totalCount"], 1);

        assert_eq!(act(app, &edith, "liftLegalHold", &ada).await["userErrors"], json!([]));
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(of(app, &ada).await.unwrap().stage, Stage::Done);
        assert_eq!(act(app, &edith, "setLegalHold", &ada).await["userErrors"][0]["code"], "WRONG_STATE");
    }

    async fn somebody_always_runs_the_service(app: &TestApp) {
        let edith = administrator(app, "Edith Cave").await;
        assert_eq!(erase(app, &edith).await["userErrors"][0]["code"], "WRONG_STATE");
        let agnes = administrator(app, "Agnes Hunt").await;
        assert_eq!(erase(app, &edith).await["userErrors"], json!([]));
        assert_eq!(erase(app, &agnes).await["userErrors"], json!([]), "both may go, but not both at once");
        a_week_later(app).await;
        let left = [stored(app, &edith).await.is_former(), stored(app, &agnes).await.is_former()];
        assert_eq!(left.iter().filter(|former| **former).count(), 1, "{left:?}");
    }

    /// A worker that is stopped at whatever moment: the next one goes on from there, to the same end.
    async fn a_worker_that_dies_anywhere_loses_nothing(app: &TestApp) {
        let log = Log::start();
        let Life { ada, .. } = life(app).await;
        erase(app, &ada).await;
        app.advance(TimeDelta::days(7));
        let mut deaths = 0;
        let mut micros = 200;
        while of(app, &ada).await.is_none_or(|erasure| erasure.stage != Stage::Done) {
            let life = std::time::Duration::from_micros(micros);
            if tokio::time::timeout(life, jobs::run_due(&app.app)).await.is_err() {
                deaths += 1;
            }
            micros = micros * 5 / 4;
            // Its lease runs out.
            app.advance(TimeDelta::minutes(21));
        }
        assert!(deaths > 3, "{deaths}");
        jobs::run_due(&app.app).await.unwrap();
        jobs::purge(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(traces(app, &log).await, [] as [&str; 0]);
    }

    async fn a_shared_draft_is_its_other_author_s(app: &TestApp) {
        let Life { ada, grace, .. } = life(app).await;
        let shared = app.draft(&ada, &json!({ "title": "Begun by one", "coAuthorIds": [grace.id] })).await;
        let alone = app.draft(&ada, &json!({ "title": "Begun alone" })).await;
        erase(app, &ada).await;
        a_week_later(app).await;
        let grace = app.sign_in_again(&grace);
        let drafts = app.graphql(&grace.token, "{ viewer { drafts { nodes { id author { id } viewerCanEdit } } } }", json!({})).await;
        assert_eq!(drafts["data"]["viewer"]["drafts"]["nodes"], json!([{ "id": shared, "author": { "id": grace.id }, "viewerCanEdit": true }]), "{drafts}");
        let study: CaseStudy = app.app.store.one(&Id::parse(&alone).unwrap()).await.unwrap().unwrap();
        assert_eq!(study.content.title, "");
    }
}
