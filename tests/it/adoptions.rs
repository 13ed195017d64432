//! Adoptions through GraphQL: the record of spread.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        adoption::{Adoption, AdoptionStep},
        entry::Entry,
        member::Role,
    },
    ids::Id,
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    case_studies::with,
    community::all,
    on_both_stores,
};

const FIELDS: &str =
    "adoption { id version status since whatChanged { markdown } result { markdown } contact { mailbox }
    organisation { id } recordedBy { name } viewerCanEdit }";
const READ: &str = "query($id: ID!) { node(id: $id) { ... on CaseStudy {
    version adoptionSummary { interested testing adopted adapted stopped }
    adoptions(first: 5) { totalCount nodes { id status organisation { name } history(first: 3) { nodes { status recordedBy { name } } } } }
    adoptionTimeline(first: 50) { totalCount nodes { status since organisation { name } recordedAt } } } } }";

async fn record(app: &TestApp, by: &Person, case_study: &str, changes: Json) -> Json {
    let input = with(json!({ "caseStudyId": case_study, "status": "TESTING" }), &changes);
    app.mutate(by, "recordAdoption", &input, FIELDS).await
}

async fn read(app: &TestApp, by: &Person, id: &str) -> Json {
    let answer = app.graphql(&by.token, READ, json!({ "id": id })).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["node"].clone()
}

fn summary(counts: [i64; 5]) -> Json {
    json!({ "interested": counts[0], "testing": counts[1], "adopted": counts[2], "adapted": counts[3], "stopped": counts[4] })
}

on_both_stores! {
    async fn another_organisation_says_where_it_stands(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let id = app.case_study(&ada, &json!({})).await;
        let recorded = record(app, &grace, &id, json!({ "status": "INTERESTED", "since": "2026-01", "contact": { "mailbox": "hope@grace.nhs.uk" } })).await;
        let adoption = &recorded["adoption"];
        assert_eq!(recorded["userErrors"], json!([]), "{recorded}");
        assert_eq!((&adoption["status"], &adoption["since"], &adoption["organisation"]["id"], &adoption["viewerCanEdit"]),
            (&json!("INTERESTED"), &json!("2026-01"), &json!(grace.organisation), &json!(true)));
        app.advance(TimeDelta::minutes(1));
        record(app, &joan, &id, json!({ "status": "ADOPTED" })).await;
        app.advance(TimeDelta::minutes(1));
        let changed = json!({ "id": adoption["id"], "expectedVersion": 1, "status": "ADAPTED", "whatChanged": "Bins **and** doors.", "result": "Half the noise." });
        let changed = app.mutate(&grace, "updateAdoption", &changed, FIELDS).await;
        assert_eq!((&changed["adoption"]["version"], &changed["adoption"]["since"], &changed["adoption"]["whatChanged"]["markdown"], &changed["adoption"]["contact"]["mailbox"]),
            (&json!(2), &json!("2026-01"), &json!("Bins **and** doors."), &json!("hope@grace.nhs.uk")), "{changed}");

        let seen = read(app, &ada, &id).await;
        assert_eq!(seen["adoptionSummary"], summary([0, 0, 1, 1, 0]));
        let nodes = &seen["adoptions"]["nodes"];
        assert_eq!((&nodes[0]["status"], &nodes[1]["status"], &seen["adoptions"]["totalCount"]), (&json!("ADAPTED"), &json!("ADOPTED"), &json!(2)));
        assert_eq!(nodes[0]["history"]["nodes"], json!([{ "status": "ADAPTED", "recordedBy": { "name": "Grace Hill" } }, { "status": "INTERESTED", "recordedBy": { "name": "Grace Hill" } }]));
        let timeline: Vec<&Json> = seen["adoptionTimeline"]["nodes"].as_array().unwrap().iter().map(|step| &step["status"]).collect();
        assert_eq!(timeline, ["ADAPTED", "ADOPTED", "INTERESTED"]);
        // What others record makes no edit of the authors stale.
        assert_eq!(seen["version"], 2);
    }

    async fn an_organisation_has_one_record(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = app.case_study(&ada, &json!({})).await;
        let answers = futures_util::future::join_all((0..16).map(|_| record(app, &grace, &id, json!({})))).await;
        let made = answers.iter().filter(|answer| answer["userErrors"] == json!([])).count();
        assert_eq!(made, 1, "{answers:?}");
        for answer in &answers {
            assert_eq!(answer["adoption"]["status"], "TESTING", "{answer}");
            assert!(answer["userErrors"] == json!([]) || answer["userErrors"][0]["code"] == "WRONG_STATE", "{answer}");
        }
        assert_eq!(read(app, &ada, &id).await["adoptionSummary"], summary([0, 1, 0, 0, 0]));
        assert_eq!(all::<AdoptionStep>(&app.app.store).await.len(), 1);
    }

    async fn many_at_once_are_all_counted(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = app.case_study(&ada, &json!({})).await;
        let mut people = Vec::new();
        for n in 0..16 {
            people.push(app.person(&format!("Member {n:02}")).await);
        }
        let answers = futures_util::future::join_all(people.iter().map(|person| record(app, person, &id, json!({})))).await;
        assert!(answers.iter().all(|answer| answer["userErrors"] == json!([])), "{answers:?}");
        assert_eq!(read(app, &ada, &id).await["adoptionSummary"], summary([0, 16, 0, 0, 0]));

        // All of them change theirs while the authors change the case study.
        let statuses = ["ADOPTED", "ADAPTED", "STOPPED", "INTERESTED"];
        let changes = answers.iter().zip(&people).enumerate().map(|(n, (answer, person))| {
            let input = json!({ "id": answer["adoption"]["id"], "expectedVersion": 1, "status": statuses[n % 4] });
            async move { app.mutate(person, "updateAdoption", &input, "").await }
        });
        let edit = json!({ "id": id, "expectedVersion": 2, "title": "Quieter nights" });
        let (changed, edited) = futures_util::future::join(futures_util::future::join_all(changes), app.mutate(&ada, "updateCaseStudy", &edit, "")).await;
        assert!(changed.iter().all(|answer| answer["userErrors"] == json!([])), "{changed:?}");
        assert_eq!(edited["userErrors"], json!([]), "{edited}");
        let seen = read(app, &ada, &id).await;
        assert_eq!(seen["adoptionSummary"], summary([4, 0, 4, 4, 4]));
        assert_eq!((&seen["adoptions"]["totalCount"], &seen["adoptionTimeline"]["totalCount"]), (&json!(16), &json!(32)));

        // The counters are the truth, and so are the facets that lists filter by.
        let entry = all::<Entry>(&app.app.store).await.into_iter().find(|entry| entry.contribution.as_str() == id).unwrap();
        let records = all::<Adoption>(&app.app.store).await;
        let facets = serde_json::to_value(&entry.facets).unwrap();
        let facets: Vec<&str> = facets.as_array().unwrap().iter().filter_map(Json::as_str).collect();
        assert_eq!(facets.iter().filter(|facet| facet.starts_with("adopter:")).count(), records.len());
        assert_eq!(facets.iter().filter(|facet| facet.starts_with("adoption-by:")).count(), records.len());
        assert_eq!(facets.iter().filter(|facet| facet.starts_with("adoption:")).count(), 4, "{facets:?}");
    }

    async fn who_may_record_and_change(app: &TestApp) {
        let (ada, grace, joan, moderator) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await, app.person("Mary Ward").await);
        app.grant(&moderator, Role::Moderator).await;
        let id = app.case_study(&ada, &json!({})).await;
        let own = record(app, &ada, &id, json!({})).await;
        assert_eq!((&own["userErrors"][0]["field"], &own["userErrors"][0]["code"]), (&json!(["organisationId"]), &json!("WRONG_STATE")));
        assert_eq!(record(app, &grace, &id, json!({ "organisationId": joan.organisation })).await, "FORBIDDEN");
        let for_joan = record(app, &moderator, &id, json!({ "organisationId": joan.organisation })).await;
        assert_eq!(for_joan["userErrors"], json!([]));
        let unknown = record(app, &moderator, &id, json!({ "organisationId": "org_none" })).await;
        assert_eq!(unknown["userErrors"][0]["code"], "UNKNOWN");
        let change = |version: i64| json!({ "id": for_joan["adoption"]["id"], "expectedVersion": version, "status": "STOPPED" });
        for stranger in [&ada, &grace] {
            assert_eq!(app.mutate(stranger, "updateAdoption", &change(1), "").await, "FORBIDDEN");
        }
        assert_eq!(app.mutate(&joan, "updateAdoption", &change(1), "").await["userErrors"], json!([]));
        let stale = app.mutate(&moderator, "updateAdoption", &change(1), "adoption { version status }").await;
        assert_eq!((&stale["userErrors"][0]["code"], &stale["adoption"]), (&json!("STALE"), &json!({ "version": 2, "status": "STOPPED" })));

        let late = record(app, &grace, &id, json!({ "since": "2026-04" })).await;
        assert_eq!(late["userErrors"][0]["field"], json!(["since"]));
        let long = record(app, &grace, &id, json!({ "result": "x".repeat(1_501), "contact": { "memberId": "mbr_none" } })).await;
        assert_eq!(long["userErrors"].as_array().unwrap().len(), 2, "{long}");
    }

    async fn a_record_is_seen_where_its_case_study_is(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let draft = app.draft(&ada, &json!({ "title": "Not yet" })).await;
        assert_eq!(record(app, &grace, &draft, json!({})).await, "NOT_FOUND");
        let id = app.case_study(&ada, &json!({})).await;
        let recorded = record(app, &grace, &id, json!({})).await;
        let adoption = recorded["adoption"]["id"].as_str().unwrap();
        let look = async || app.graphql(&grace.token, "query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": adoption })).await["data"]["node"].clone();
        assert_eq!(look().await["__typename"], "Adoption");
        app.mutate(&ada, "archiveCaseStudy", &json!({ "id": id }), "").await;
        assert_eq!(look().await, Json::Null);
        let change = json!({ "id": adoption, "expectedVersion": 1, "status": "STOPPED" });
        assert_eq!(app.mutate(&grace, "updateAdoption", &change, "").await, "NOT_FOUND");
        // Published again, nothing is lost.
        app.mutate(&ada, "publishCaseStudy", &json!({ "id": id }), "").await;
        assert_eq!(read(app, &grace, &id).await["adoptionSummary"], summary([0, 1, 0, 0, 0]));
        assert!(Id::<Adoption>::parse(adoption).is_some());
    }
}
