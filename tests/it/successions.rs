//! People and what they wrote follow to a successor when an administrator says so, once, whatever crashes.

use chrono::TimeDelta;
use hope_exchange::{
    clock::Clock,
    domain::{
        self,
        adoption::{Adoption, AdoptionStep},
        audit::{AuditAction, AuditEntry},
        directory::DirectoryEntry,
        entry::Entry,
        job::{Job, Task},
        member::{Member, Role},
        organisation::{OdsCode, Organisation},
        post::Post,
        succession::{Moved, People, Stage, Succession},
    },
    ids::{Id, Ids},
    jobs,
    query::{Order, Page},
    store::{Batch, Store},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp, mongodb, random},
    case_studies::with,
    community::{self, all, insert, reload, waiting},
    on_both_stores,
    process::{hope, terminate, until},
};

/// An administrator, and organisations of which the first is succeeded by the others.
async fn scene(app: &TestApp, from: &Person, to: &[&Person]) -> Person {
    let edith = app.person("Edith Cave").await;
    app.grant(&edith, Role::Administrator).await;
    let successors: Vec<&String> = to.iter().map(|person| &person.organisation).collect();
    let input = json!({ "id": from.organisation, "expectedVersion": 1, "successorIds": successors });
    let done = app.mutate(&edith, "updateOrganisation", &input, "").await;
    assert_eq!(done["userErrors"], json!([]), "{done}");
    edith
}

async fn begin(app: &TestApp, by: &Person, from: &Person, to: &Person, changes: Json) -> Json {
    let input = json!({ "organisationId": from.organisation, "successorId": to.organisation, "reason": "They merged." });
    let fields = "succession { id finishedAt moved { members posts caseStudies adoptions } }";
    app.mutate(by, "moveToSuccessor", &with(input, &changes), fields).await
}

/// How far a succession is.
async fn look(app: &TestApp, by: &Person, payload: &Json) -> Json {
    let query = "query($id: ID!) { node(id: $id) { ... on Succession { finishedAt moved { members posts caseStudies adoptions }
        organisation { id } successor { id } by { name } } } }";
    let id = payload["succession"]["id"].as_str().unwrap_or_else(|| panic!("{payload}"));
    app.graphql(&by.token, query, json!({ "id": id })).await["data"]["node"].clone()
}

async fn steps(app: &TestApp) -> usize {
    let mut run = 0;
    loop {
        match jobs::run_due(&app.app).await.unwrap() {
            0 => return run,
            more => run += more,
        }
    }
}

on_both_stores! {
    async fn everything_follows_once(app: &TestApp) {
        let (ada, joan, grace) = (app.person("Ada Moore").await, app.person("Joan Clarke").await, app.person("Grace Hill").await);
        app.colleague(&ada, "Ivy Stone").await;
        let edith = scene(app, &ada, &[&joan]).await;
        let idea = |title: &str, publish: bool| json!({ "kind": "IDEA", "title": title, "body": "Ask.", "topicIds": ["top_volunteering"], "publish": publish });
        let post = app.create_post(&ada, idea("An idea", true)).await;
        let draft = app.create_post(&ada, idea("A draft", false)).await;
        app.create_post(&grace, idea("Another's", true)).await;
        // Led by the predecessor; helped by it, and by the successor too; a draft; and one of others, begun there.
        let led = app.case_study(&ada, &json!({})).await;
        let helped = app.case_study(&grace, &json!({ "partnerOrganisations": [{ "organisationId": ada.organisation }, { "name": "A charity" }, { "organisationId": joan.organisation }] })).await;
        let drafted = app.draft(&ada, &json!({ "title": "A draft", "leadOrganisation": { "organisationId": ada.organisation } })).await;
        let of_others = app.case_study(&ada, &json!({ "leadOrganisation": { "organisationId": grace.organisation } })).await;
        // Both have a record of one case study, the predecessor alone of another, each with a history.
        let third = app.case_study(&grace, &json!({})).await;
        for (who, study, status) in [(&ada, &helped, "TESTING"), (&ada, &third, "INTERESTED"), (&joan, &third, "ADOPTED")] {
            let payload = app.mutate(who, "recordAdoption", &json!({ "caseStudyId": study, "status": status }), "adoption { id }").await;
            app.advance(TimeDelta::minutes(1));
            let change = json!({ "id": payload["adoption"]["id"], "expectedVersion": 1, "result": "Good." });
            app.mutate(who, "updateAdoption", &change, "").await;
            app.advance(TimeDelta::minutes(1));
        }
        steps(app).await;
        let (ada, joan, grace, edith) = (app.sign_in_again(&ada), app.sign_in_again(&joan), app.sign_in_again(&grace), app.sign_in_again(&edith));

        let begun = begin(app, &edith, &ada, &joan, json!({ "clientMutationId": "move" })).await;
        assert_eq!(begun["succession"]["finishedAt"], Json::Null, "{begun}");
        let same = begin(app, &edith, &ada, &joan, json!({ "clientMutationId": "move" })).await;
        assert_eq!(same["succession"]["id"], begun["succession"]["id"]);
        // As if a worker had died after it did all, and before anybody knew.
        let task = Task::Succeed { succession: Id::parse(begun["succession"]["id"].as_str().unwrap()).unwrap() };
        app.app.store.commit(Batch::new().insert(&Job::new(app.app.ids.fresh(), task, app.now()))).await.unwrap();
        steps(app).await;
        let done = look(app, &edith, &begun).await;
        assert_eq!(done, json!({ "finishedAt": app.now().to_string(), "moved": { "members": 2, "posts": 2, "caseStudies": 4, "adoptions": 2 },
            "organisation": { "id": ada.organisation }, "successor": { "id": joan.organisation }, "by": { "name": "Edith Cave" } }));
        assert_eq!(look(app, &grace, &begun).await, Json::Null);

        let about = "query($id: ID!) { node(id: $id) { ... on Organisation { members { nodes { name } } caseStudies { totalCount } adoptions { totalCount nodes { status history { totalCount } } } topics { count } } } posts(filter: { organisationId: $id }) { nodes { id } } }";
        let of = async |organisation: &str| app.graphql(&grace.token, about, json!({ "id": organisation })).await["data"].clone();
        let before = of(&ada.organisation).await;
        assert_eq!(before, json!({ "node": { "members": { "nodes": [] }, "caseStudies": { "totalCount": 0 }, "adoptions": { "totalCount": 0, "nodes": [] }, "topics": [] }, "posts": { "nodes": [] } }));
        let after = of(&joan.organisation).await;
        assert_eq!(after["node"]["members"]["nodes"], json!([{ "name": "Ada Moore" }, { "name": "Ivy Stone" }, { "name": "Joan Clarke" }]));
        assert_eq!((&after["node"]["caseStudies"]["totalCount"], &after["posts"]["nodes"]), (&json!(2), &json!([{ "id": post }])));
        // The successor's own record stands, and has the history of both.
        let mut adoptions = after["node"]["adoptions"]["nodes"].as_array().unwrap().clone();
        adoptions.sort_by_key(|one| one["status"].to_string());
        assert_eq!(adoptions, [json!({ "status": "ADOPTED", "history": { "totalCount": 4 } }), json!({ "status": "TESTING", "history": { "totalCount": 2 } })]);
        let summary = "query($id: ID!) { node(id: $id) { ... on CaseStudy { version leadOrganisation { organisation { id } } partnerOrganisations { name organisation { id } } organisation { id } adoptionSummary { interested testing adopted } adoptionTimeline { totalCount } } } }";
        let study = async |id: &str| app.graphql(&ada.token, summary, json!({ "id": id })).await["data"]["node"].clone();
        assert_eq!(study(&third).await["adoptionSummary"], json!({ "interested": 0, "testing": 0, "adopted": 1 }));
        let helped_now = study(&helped).await;
        assert_eq!((&helped_now["adoptionSummary"]["testing"], &helped_now["partnerOrganisations"].as_array().unwrap().len()), (&json!(1), &2));
        for id in [&led, &drafted] {
            assert_eq!(study(id).await["leadOrganisation"]["organisation"]["id"], json!(joan.organisation));
        }
        let others = study(&of_others).await;
        assert_eq!((&others["organisation"]["id"], &others["leadOrganisation"]["organisation"]["id"]), (&json!(joan.organisation), &json!(grace.organisation)));
        assert_eq!(reload::<Post>(&app.app.store, &Id::parse(&draft).unwrap()).await.organisation.unwrap().to_string(), joan.organisation);
        let left = all::<Entry>(&app.app.store).await.into_iter().filter(|entry| serde_json::to_string(&entry.facets).unwrap().contains(&ada.organisation)).count();
        assert_eq!(left, 0);
        assert!(all::<Adoption>(&app.app.store).await.iter().all(|one| one.organisation.to_string() != ada.organisation));
        assert!(all::<AdoptionStep>(&app.app.store).await.iter().all(|one| one.organisation.to_string() == joan.organisation));

        // An edit of the post is not out of date by it; one of a case study is, and nothing of it is lost.
        let edit = app.mutate(&ada, "updatePost", &json!({ "id": post, "expectedVersion": 1, "title": "A better idea" }), "").await;
        assert_eq!(edit["userErrors"], json!([]), "{edit}");
        let stale = app.mutate(&ada, "updateCaseStudy", &json!({ "id": led, "expectedVersion": 2, "aim": "To know." }), "yours { aim { markdown } } caseStudy { version leadOrganisation { organisation { id } } }").await;
        assert_eq!((&stale["userErrors"][0]["code"], &stale["yours"]["aim"]["markdown"], &stale["caseStudy"]["version"]), (&json!("STALE"), &json!("To know."), &json!(3)));

        // Asked for again, there is nothing left to do.
        let again = begin(app, &edith, &ada, &joan, json!({})).await;
        steps(app).await;
        assert_eq!(look(app, &edith, &again).await["moved"], json!({ "members": 0, "posts": 0, "caseStudies": 0, "adoptions": 0 }));
        let audit: Vec<AuditEntry> = all(&app.app.store).await;
        let moved: Vec<&AuditEntry> = audit.iter().filter(|entry| entry.action == AuditAction::MoveToSuccessor).collect();
        assert_eq!((moved.len(), moved[0].reason.as_deref(), &moved[0].subject, moved[0].after.successor.as_ref()), (2, Some("They merged."), &ada.organisation, Some(&joan.organisation)));
    }

    async fn nobody_follows_unless_an_administrator_says_so(app: &TestApp) {
        let (ada, joan, grace) = (app.person("Ada Moore").await, app.person("Joan Clarke").await, app.person("Grace Hill").await);
        let edith = scene(app, &ada, &[&joan]).await;
        assert_eq!(begin(app, &ada, &ada, &joan, json!({})).await, "FORBIDDEN");
        for (to, field, code) in [(&grace, "successorId", "INVALID"), (&ada, "successorId", "INVALID")] {
            let refused = begin(app, &edith, &ada, to, json!({})).await;
            assert_eq!((&refused["userErrors"][0]["field"], &refused["userErrors"][0]["code"]), (&json!([field]), &json!(code)));
        }
        let refused = begin(app, &edith, &ada, &joan, json!({ "reason": "" })).await;
        assert_eq!(refused["userErrors"][0]["code"], "REQUIRED", "{refused}");
        let refused = begin(app, &edith, &ada, &joan, json!({ "memberIds": [ada.id, "mbr_none"] })).await;
        assert_eq!(refused["userErrors"][0]["field"], json!(["memberIds", "1"]));
        let nowhere = json!({ "organisationId": "org_none", "successorId": joan.organisation, "reason": "They merged." });
        assert_eq!(app.mutate(&edith, "moveToSuccessor", &nowhere, "").await, "NOT_FOUND");
        steps(app).await;
        assert!(all::<Succession>(&app.app.store).await.is_empty());
        assert_eq!(reload::<Member>(&app.app.store, &Id::parse(&ada.id).unwrap()).await.organisation.unwrap().to_string(), ada.organisation);
    }

    async fn of_a_split_each_follows_to_theirs(app: &TestApp) {
        let (ada, joan, grace) = (app.person("Ada Moore").await, app.person("Joan Clarke").await, app.person("Grace Hill").await);
        let (ivy, ruth) = (app.colleague(&ada, "Ivy Stone").await, app.colleague(&ada, "Ruth Lamb").await);
        let edith = scene(app, &ada, &[&joan, &grace]).await;
        app.create_post(&ada, json!({ "kind": "IDEA", "title": "An idea", "body": "Ask.", "topicIds": ["top_volunteering"], "publish": true })).await;
        // Somebody of another organisation does not come along because they are named.
        let first = begin(app, &edith, &ada, &joan, json!({ "memberIds": [ada.id, ivy.id, edith.id], "content": false })).await;
        let second = begin(app, &edith, &ada, &grace, json!({ "people": false })).await;
        steps(app).await;
        assert_eq!(look(app, &edith, &first).await["moved"], json!({ "members": 2, "posts": 0, "caseStudies": 0, "adoptions": 0 }));
        assert_eq!(look(app, &edith, &second).await["moved"], json!({ "members": 0, "posts": 1, "caseStudies": 0, "adoptions": 0 }));
        let at = async |person: &Person| reload::<Member>(&app.app.store, &Id::parse(&person.id).unwrap()).await.organisation.unwrap().to_string();
        assert_eq!((at(&ada).await, at(&ivy).await, at(&ruth).await, at(&edith).await), (joan.organisation.clone(), joan.organisation, ada.organisation, edith.organisation.clone()));
    }
}

const MANY: usize = 1_500;

/// Workers are killed while thousands follow: everybody follows, and is counted, once.
async fn killed_workers_move_everybody_once(uri: String, folder: tempfile::TempDir) {
    let store = Store::open(&uri, &domain::collections()).await.unwrap();
    let clock = Clock::System { offset: TimeDelta::zero() };
    let (ids, now) = (Ids::system(clock.clone()), clock.now());
    let organisation = |code: &str| Organisation::new(ids.fresh(), OdsCode::parse(code).unwrap(), code, now);
    let (from, to) =
        (organisation("R0A"), Organisation { region: Some("Y62".to_owned()), ..organisation("R0B") });
    let entries = DirectoryEntry::of(&to, now);
    let batch = Batch::new().insert(&from).insert(&to);
    store.commit(entries.iter().fold(batch, Batch::insert)).await.unwrap();
    let members: Vec<Member> = (0..MANY)
        .map(|n| {
            let mut member = community::member(&ids, &format!("Member {n}"), now);
            member.digest_due_at = None;
            member.works_at(Some(&from));
            member
        })
        .collect();
    insert(&store, &members).await;
    let succession = Succession {
        id: ids.fresh(),
        version: 1,
        from: from.id.clone(),
        to: to.id.clone(),
        people: People::All,
        content: true,
        by: members[0].id.clone(),
        stage: Stage::Members,
        moved: Moved::default(),
        started_at: now,
        finished_at: None,
    };
    let job = Job::new(ids.fresh(), Task::Succeed { succession: succession.id.clone() }, now);
    store.commit(Batch::new().insert(&succession).insert(&job)).await.unwrap();

    let settings = [
        ("HOPE_STORE", uri.clone()),
        ("HOPE_MAIL", format!("dir://{}", folder.path().join("mail").display())),
        ("HOPE_DATA", folder.path().display().to_string()),
        ("HOPE_LOG", "warn".to_owned()),
        ("HOPE_JOBS__LEASE_SECONDS", "10".to_owned()),
    ];
    let moved = async || reload::<Succession>(&store, &succession.id).await;
    for some in [1, 700] {
        let mut workers = [hope(&["worker"], &settings), hope(&["worker"], &settings)];
        until("some have followed", async || moved().await.moved.members >= some).await;
        for worker in &mut workers {
            worker.kill().await.unwrap();
        }
    }
    let mut worker = hope(&["worker"], &settings);
    until("all have followed", async || {
        moved().await.stage == Stage::Done && waiting(&store).await.is_empty()
    })
    .await;
    assert!(terminate(&mut worker).await.success());
    assert_eq!(moved().await.moved, Moved { members: MANY as i64, ..Moved::default() });
    let left = Member::ORGANISATION.eq(Some(from.id));
    assert!(store.find(left, Order::by_id(), Page::first(1)).await.unwrap().is_empty());
    assert!(all::<Member>(&store).await.iter().all(|member| member.organisation.as_ref() == Some(&to.id)));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let uri = format!("sqlite://{}", folder.path().join("hope.db").display());
    killed_workers_move_everybody_once(uri, folder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_on_mongodb() {
    let Some(server) = mongodb() else { return };
    let name = format!("hope_{:032x}", u128::from_be_bytes(random()));
    let uri = server.replacen("/?", &format!("/{name}?"), 1);
    killed_workers_move_everybody_once(uri.clone(), tempfile::tempdir().unwrap()).await;
    crate::app::drop_database(&uri).await;
}
