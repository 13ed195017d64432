//! The directory: taken over from files, listed, changed, and what is told of an organisation.

use chrono::TimeDelta;
use hope_exchange::{
    actions::organisation::{self, Report},
    domain::{
        audit::AuditEntry,
        calendar::Date,
        directory::DirectoryEntry,
        fold::fold,
        member::Role,
        organisation::{FormerName, OdsCode, Organisation},
        place::Place,
        taxonomy::Taxonomy,
    },
    jobs,
    query::{Filter, Order, Page, position},
    store::{Batch, Store},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    case_studies::with,
    community::all,
    on_both_stores,
};

/// A row of the Organisation Data Service's file: 27 columns, no header.
fn row(code: &str, name: &str, region: &str, icb: &str, opened: &str, closed: &str) -> String {
    let mut columns = vec![""; 27];
    columns[..4].copy_from_slice(&[code, name, region, icb]);
    columns[9] = "M13 9WL";
    columns[10..12].copy_from_slice(&[opened, closed]);
    format!("\"{}\"\r\n", columns.join("\",\""))
}

async fn import(app: &TestApp, rows: &[String]) -> Report {
    organisation::import(&app.app, rows.concat().as_bytes(), None, |_| {}).await.unwrap()
}

/// Rows added, changed, unchanged, and the lines of those refused.
fn counts(report: &Report) -> (usize, usize, usize, Vec<u64>) {
    let refused = report.refused.iter().map(|refusal| refusal.line).collect();
    (report.added, report.changed, report.unchanged, refused)
}

const LIST: &str = "query($filter: OrganisationFilterInput!, $first: Int, $after: String) {
    organisations(filter: $filter, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
      nodes { id code name aliases formerNames { name until } type { slug name } region { code name } icb { code name organisation { code } }
        opened closed successors { code } version } } }";

async fn list(app: &TestApp, by: &Person, filter: Json) -> Json {
    let answer = app.graphql(&by.token, LIST, json!({ "filter": filter, "first": 40 })).await;
    assert!(answer["errors"].is_null(), "{filter}: {answer}");
    answer["data"]["organisations"].clone()
}

async fn codes(app: &TestApp, by: &Person, filter: Json) -> Vec<String> {
    let list = list(app, by, filter.clone()).await;
    let codes: Vec<String> = list["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(list["totalCount"], codes.len(), "{filter}");
    codes
}

async fn administrator(app: &TestApp) -> Person {
    let edith = app.person("Edith Cave").await;
    app.grant(&edith, Role::Administrator).await;
    edith
}

async fn put(store: &Store, app: &TestApp, organisations: &[Organisation]) {
    for organisation in organisations {
        let entries = DirectoryEntry::of(organisation, app.now());
        let batch = Batch::new().insert(organisation);
        store.commit(entries.iter().fold(batch, Batch::insert)).await.unwrap();
    }
}

fn organisation_at(app: &TestApp, code: &str, name: &str, place: (&str, &str, &str)) -> Organisation {
    let part = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Organisation {
        kind: part(place.0),
        region: part(place.1),
        icb: part(place.2),
        ..Organisation::new(app.app.ids.fresh(), OdsCode::parse(code).unwrap(), name, app.now())
    }
}

on_both_stores! {
    async fn the_directory_is_taken_over_and_keeps_its_history(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut rows = vec![
            row("R0A", "NORTHMOOR UNIVERSITY HOSPITALS NHS TRUST", "Y62", "QOP", "20171001", ""),
            row("R0B", "HARLSEA AMBULANCE SERVICE NHS TRUST", "Y63", "QHM", "20060401", "20200331"),
            row("K0N6A", "FUTURE ONLINE NHS TRUST", "Y56", "QKK", "20260601", ""),
            row("RT4", "CYMRU CARE NHS TRUST", "", "", "19980401", ""),
            row("R0C", "OLD MARSH HOSPITAL NHS TRUST", "Y62", "QOP", "20000401", ""),
            row("R0C", "NEW MARSH HOSPITAL NHS TRUST", "Y62", "QOP", "20000401", ""),
            row("R0D", "LEAVING SOON NHS TRUST", "Y62", "QOP", "20000401", "20260331"),
            row("BROKEN", "NOBODY", "Y62", "", "", ""),
            row("R0E", "NOWHERE", "Y99", "", "", ""),
            row("R0F", "ODD BOARD", "Y62", "MANCHESTER", "", ""),
        ];
        assert_eq!(counts(&import(app, &rows).await), (6, 0, 0, vec![5, 8, 9, 10]));
        let again = import(app, &rows).await;
        assert_eq!((counts(&again), again.rows), ((0, 0, 6, vec![5, 8, 9, 10]), 10));
        assert!(again.refused[0].reason.contains("Line 6 has the same code R0C"), "{again:?}");

        let everything = list(app, &ada, json!({ "nameStartsWith": "new marsh" })).await;
        assert_eq!(everything["nodes"][0]["formerNames"], json!([{ "name": "Old Marsh Hospital NHS Trust", "until": null }]));
        assert_eq!(everything["nodes"][0]["type"], json!({ "slug": "nhs-acute", "name": "NHS acute trust" }));
        assert_eq!(codes(app, &ada, json!({ "nameStartsWith": "old marsh" })).await, ["R0C"]);
        assert_eq!(codes(app, &ada, json!({ "type": "nhs-ambulance" })).await, ["R0B"]);
        assert_eq!(codes(app, &ada, json!({ "closed": true })).await, ["R0B"]);
        let wales = list(app, &ada, json!({ "nameStartsWith": "CYMRU" })).await;
        assert_eq!((&wales["nodes"][0]["region"], &wales["nodes"][0]["icb"]), (&Json::Null, &Json::Null));
        let future = list(app, &ada, json!({ "region": "Y56", "closed": false })).await;
        assert_eq!((&future["nodes"][0]["code"], &future["nodes"][0]["opened"]), (&json!("K0N6A"), &json!("2026-06-01")));

        // A rename, and another: every name finds it, once.
        app.advance(TimeDelta::days(3));
        rows[0] = row("R0A", "NORTHERN HEALTH NHS TRUST", "Y62", "QOP", "20171001", "");
        assert_eq!(counts(&import(app, &rows).await), (0, 1, 5, vec![5, 8, 9, 10]));
        app.advance(TimeDelta::days(3));
        rows[0] = row("R0A", "NORTH MOORLAND NHS TRUST", "Y63", "QHM", "20171001", "");
        assert_eq!(counts(&import(app, &rows).await), (0, 1, 5, vec![5, 8, 9, 10]));
        let ada = app.sign_in_again(&ada);
        for typed in ["northm", "NORTHERN  Health", "north moor", "north"] {
            assert_eq!(codes(app, &ada, json!({ "nameStartsWith": typed })).await, ["R0A"], "{typed}");
        }
        let renamed = &list(app, &ada, json!({ "region": "Y63", "closed": false })).await["nodes"][0];
        assert_eq!(renamed["formerNames"], json!([
            { "name": "Northmoor University Hospitals NHS Trust", "until": "2026-03-05" },
            { "name": "Northern Health NHS Trust", "until": "2026-03-08" },
        ]));

        // On its last day it is open, on the next one closed, whether somebody looks or not.
        assert!(!codes(app, &ada, json!({ "closed": true })).await.contains(&"R0D".to_owned()));
        app.app.clock.set("2026-03-31T22:59:59.000Z".parse().unwrap());
        assert_eq!(jobs::refresh::close(&app.app).await.unwrap(), 0);
        app.app.clock.set("2026-03-31T23:00:00.000Z".parse().unwrap());
        assert_eq!(jobs::refresh::close(&app.app).await.unwrap(), 1);
        assert_eq!(jobs::refresh::close(&app.app).await.unwrap(), 0);
        assert_eq!(codes(app, &app.sign_in_again(&ada), json!({ "closed": true })).await, ["R0B", "R0D"]);
        assert_eq!(counts(&import(app, &rows).await), (0, 0, 6, vec![5, 8, 9, 10]));
    }

    async fn boards_are_merged_and_split_by_their_file(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let file = [
            "ods_code,gss_code,name,region_code,region,abolished_on,successor_codes\n",
            "QH8,E1,NHS Mid Board,Y61,East of England,2026-03-31,D7T5G\n",
            "QJG,E2,\"NHS Suffolk, and more Board\",Y61,East of England,2026-02-28,T6Y0W;D7T5G\n",
            "D7T5G,E3,NHS Essex Board,Y61,East of England,,\n",
            "T6Y0W,E4,NHS Norfolk Board,Y61,East of England,,\n",
            "QQQ,E5,NHS Lost Board,Y61,East of England,2026-02-28,NOWHR\n",
            "QQR,E6,NHS Own Board,Y61,East of England,2026-02-28,QQR\n",
            "QQS,E7,NHS Late Board,Y61,East of England,28/02/2026,\n",
            "QQT,E8\n",
        ].map(str::to_owned);
        let report = import(app, &file).await;
        assert_eq!(counts(&report), (4, 0, 0, vec![6, 7, 8, 9]), "{report:?}");
        assert!(report.refused[0].reason.contains("NOWHR"), "{report:?}");
        assert_eq!(counts(&import(app, &file).await), (0, 0, 4, vec![6, 7, 8, 9]));
        import(app, &[row("R0A", "NORTHMOOR NHS TRUST", "Y61", "QJG", "20171001", "")]).await;

        let found = list(app, &ada, json!({ "type": "icb", "nameStartsWith": "nhs suffolk and more" })).await;
        assert_eq!(found["nodes"][0]["successors"], json!([{ "code": "T6Y0W" }, { "code": "D7T5G" }]));
        assert_eq!(codes(app, &ada, json!({ "type": "icb", "closed": true })).await, ["QJG"]);
        assert_eq!(codes(app, &ada, json!({ "icb": "QJG" })).await, ["QJG", "R0A"]);
        let trust = &list(app, &ada, json!({ "nameStartsWith": "northmoor" })).await["nodes"][0];
        assert_eq!(trust["icb"], json!({ "code": "QJG", "name": "NHS Suffolk, and more Board", "organisation": { "code": "QJG" } }));
    }

    /// The real boards come with the service. What a file said since stays.
    async fn the_boards_of_today_are_there_from_the_start(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        import(app, &["ods_code,name,region_code\n".to_owned(), "QOP,NHS Renamed Board,Y62\n".to_owned()]).await;
        organisation::seed(&app.app).await.unwrap();
        organisation::seed(&app.app).await.unwrap();
        assert_eq!(codes(app, &ada, json!({ "type": "icb", "closed": false, "nameStartsWith": "nhs renamed" })).await, ["QOP"]);
        assert_eq!(list(app, &ada, json!({ "type": "icb", "closed": false })).await["totalCount"], 48);
        app.app.clock.set("2026-04-01T09:00:00.000Z".parse().unwrap());
        jobs::refresh::close(&app.app).await.unwrap();
        let ada = app.sign_in_again(&ada);
        assert_eq!(list(app, &ada, json!({ "type": "icb", "closed": false })).await["totalCount"], 36);
        assert_eq!(list(app, &ada, json!({ "type": "icb", "closed": true })).await["totalCount"], 12);
        let frimley = &list(app, &ada, json!({ "icb": "QNQ" })).await["nodes"][0];
        assert_eq!(frimley["successors"], json!([{ "code": "S0E4D" }, { "code": "S9B9J" }, { "code": "QRL" }]));
        let lists = "{ taxonomy { regions { code name } organisationTypes { slug name } } }";
        let lists = app.graphql(&ada.token, lists, json!({})).await["data"]["taxonomy"].clone();
        assert_eq!((lists["regions"].as_array().unwrap().len(), lists["organisationTypes"].as_array().unwrap().len()), (7, 21));
    }

    /// Whatever is asked for, what comes is what a walk over everything would find, in order, page by page.
    async fn lists_are_what_a_walk_would_find(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (kinds, regions, icbs) = (["nhs-acute", "icb", ""], ["Y56", "Y62", ""], ["QOP", "QKK", ""]);
        let names = ["North", "Northern", "St Mary's", "St. Marys", "Marsh", "North & South", "É", "Nort"];
        let mut all = Vec::new();
        for n in 0..60_usize {
            let pick = |from: &[&str; 3], step: usize| from[(n / step) % 3].to_owned();
            let name = format!("{} {n}", names[n % 8]);
            let mut one = organisation_at(app, &format!("X{n:02}"), &name, (&pick(&kinds, 1), &pick(&regions, 3), &pick(&icbs, 9)));
            let former = |name: String| FormerName { name, until: None };
            one.former_names = (0..n % 4).map(|m| former(format!("{} {m}", names[(n + m) % 8]))).collect();
            one.aliases = (0..n % 3).map(|m| format!("{} {}", names[(n * m) % 8], n / 2)).collect();
            one.closed = (n % 5 == 0).then(|| Date::of(app.now()).0.pred_opt().unwrap());
            all.push(one);
        }
        put(&app.app.store, app, &all).await;
        let mut asked = 0;
        for n in 0..150_usize {
            let pick = |from: &[&str], at: usize| Some(from[at % from.len()]).filter(|text| !text.is_empty()).map(str::to_owned);
            let place = Place { kind: pick(&kinds, n), region: pick(&regions, n / 2), icb: pick(&icbs, n / 5) };
            let typed = pick(&["", "n", "NORTH", "st marys", "north and", "e", "marsh 1", "zz", "north s", "northern "], n / 3);
            let closed = [None, Some(true), Some(false)][n % 7 % 3];
            let mut expected: Vec<(String, &str)> = Vec::new();
            for one in &all {
                let holds = |asked: &Option<String>, is: &Option<String>| asked.is_none() || asked == is;
                let here = holds(&place.kind, &one.kind) && holds(&place.region, &one.region) && holds(&place.icb, &one.icb);
                let start = fold(typed.as_deref().unwrap_or_default());
                let names = std::iter::once(&one.name).chain(&one.aliases).chain(one.former_names.iter().map(|former| &former.name));
                let fits = if start.is_empty() { Some(fold(&one.name)) } else { names.map(|name| fold(name)).find(|name| name.starts_with(&start)) };
                if let Some(name) = fits.filter(|_| here && closed.is_none_or(|closed| closed == one.closed.is_some())) {
                    expected.push((name, one.code.as_str()));
                }
            }
            // Ada's own organisation, which is of no type.
            if closed != Some(true) && place.kind.is_none() && place.icb.is_none() && place.region.as_deref().is_none_or(|region| region == "Y62") && typed.is_none() {
                expected.push((fold("Ada Moore NHS Trust"), ""));
            }
            expected.sort();
            let filter = json!({ "type": place.kind, "region": place.region, "icb": place.icb, "nameStartsWith": typed, "closed": closed });
            let (mut found, mut after) = (Vec::new(), Json::Null);
            loop {
                let page = app.graphql(&ada.token, LIST, json!({ "filter": filter, "first": 7, "after": after })).await["data"]["organisations"].clone();
                assert_eq!(page["totalCount"], expected.len(), "{filter}");
                found.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["code"].as_str().unwrap().to_owned()));
                if page["pageInfo"]["hasNextPage"] != true {
                    break;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
            let mut sorted: Vec<&str> = expected.iter().map(|(_, code)| *code).collect();
            let mut found: Vec<&str> = found.iter().map(|code| if code.starts_with('X') && code.len() == 3 { code.as_str() } else { "" }).collect();
            // Of the same name, the older id comes first, and this walk has made them in one millisecond.
            let same_order = expected.windows(2).all(|two| two[0].0 != two[1].0);
            if !same_order {
                sorted.sort_unstable();
                found.sort_unstable();
            }
            assert_eq!(found, sorted, "{filter}");
            asked += usize::from(!sorted.is_empty());
        }
        assert!(asked > 40, "{asked} of the questions found something");
    }

    async fn every_list_is_read_from_its_index(app: &TestApp) {
        let all: Vec<Organisation> = (0..300).map(|n| organisation_at(app, &format!("X{n:04}"), &format!("Trust {n}"), (["nhs-acute", "icb"][n % 2], "Y62", "QOP"))).collect();
        put(&app.app.store, app, &all).await;
        let part = |text: &str| Some(text.to_owned());
        let places = [
            Place::default(),
            Place { kind: part("icb"), ..Place::default() },
            Place { region: part("Y62"), icb: part("QOP"), ..Place::default() },
            Place { kind: part("icb"), region: part("Y62"), icb: part("QOP") },
        ];
        for place in &places {
            for typed in ["", "trust 1"] {
                for closed in [None, Some(true), Some(false)] {
                    for order in [DirectoryEntry::FOLDED.asc(), DirectoryEntry::FOLDED.asc().reversed()] {
                        reads_an_index(&app.app.store, &DirectoryEntry::named(place, typed, closed), &order).await;
                    }
                }
            }
        }
    }

    async fn administrators_change_what_the_files_do_not_say(app: &TestApp) {
        let (ada, edith) = (app.person("Ada Moore").await, administrator(app).await);
        let joan = app.person("Joan Clarke").await;
        let study = app.case_study(&ada, &json!({})).await;
        let fields = "organisation { version aliases domains type { slug } successors { id } }";
        let update = async |by: &Person, version: i64, changes: Json| {
            let input = with(json!({ "id": ada.organisation, "expectedVersion": version }), &changes);
            app.mutate(by, "updateOrganisation", &input, fields).await
        };
        let wrong = json!({ "type": "castle", "aliases": ["Ada's", "x".repeat(151), "Call 07700 900123"], "domains": ["ada.nhs.uk", "nhs.net", "nhs uk", "xn--a.nhs.uk"],
            "successorIds": [joan.organisation, ada.organisation, "org_none", "mbr_1"] });
        let refused = update(&edith, 1, wrong).await;
        let found: Vec<(String, &str)> = refused["userErrors"].as_array().unwrap_or_else(|| panic!("{refused}")).iter()
            .map(|error| (error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect::<Vec<_>>().join("."), error["code"].as_str().unwrap())).collect();
        let expected = [("type", "UNKNOWN"), ("aliases.1", "TOO_LONG"), ("aliases.2", "PERSONAL_DATA"), ("domains.1", "INVALID"), ("domains.2", "INVALID"), ("domains.3", "INVALID"),
            ("successorIds.1", "INVALID"), ("successorIds.2", "UNKNOWN"), ("successorIds.3", "UNKNOWN")].map(|(field, code)| (field.to_owned(), code));
        assert_eq!(found, expected);
        assert!(refused["organisation"].is_null());

        let changes = json!({ "type": "nhs-acute", "aliases": ["Adas", "ADA'S"], "domains": ["Ada.NHS.uk"], "successorIds": [joan.organisation] });
        let updated = update(&edith, 1, changes.clone()).await;
        assert_eq!(updated["organisation"], json!({ "version": 2, "aliases": ["Adas"], "domains": ["ada.nhs.uk"], "type": { "slug": "nhs-acute" }, "successors": [{ "id": joan.organisation }] }), "{updated}");
        let stale = update(&edith, 1, json!({ "type": null })).await;
        assert_eq!((&stale["userErrors"][0]["code"], &stale["organisation"]["version"]), (&json!("STALE"), &json!(2)));
        assert_eq!(update(&edith, 2, json!({})).await["organisation"]["version"], 2);
        assert_eq!(codes(app, &joan, json!({ "type": "nhs-acute", "nameStartsWith": "adas" })).await.len(), 1);
        let domains = app.graphql(&joan.token, "query($id: ID!) { node(id: $id) { ... on Organisation { domains } } }", json!({ "id": ada.organisation })).await;
        assert_eq!(domains["data"]["node"]["domains"], Json::Null);

        let audit: Vec<AuditEntry> = all(&app.app.store).await;
        assert_eq!(audit.len(), 1);
        let (before, after) = (audit[0].before.organisation.clone().unwrap(), audit[0].after.organisation.clone().unwrap());
        assert_eq!((before.kind, after.kind.as_deref(), after.successor_ids.as_slice()), (None, Some("nhs-acute"), &[joan.organisation.clone()][..]));

        // Who works there is found by its type, once the job has run. A file does not undo any of it.
        let by_type = "{ members(filter: { organisationType: \"nhs-acute\" }) { nodes { name } } }";
        assert_eq!(app.graphql(&joan.token, by_type, json!({})).await["data"]["members"]["nodes"], json!([]));
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(app.graphql(&joan.token, by_type, json!({})).await["data"]["members"]["nodes"], json!([{ "name": "Ada Moore" }]));
        let code = list(app, &joan, json!({ "nameStartsWith": "adas" })).await["nodes"][0]["code"].as_str().unwrap().to_owned();
        import(app, &[row(&code, "ADA MOORE MENTAL HEALTH NHS TRUST", "Y56", "QKK", "20171001", "")]).await;
        let after = &list(app, &joan, json!({ "nameStartsWith": "adas" })).await["nodes"][0];
        assert_eq!((&after["type"]["slug"], &after["region"]["name"], &after["version"]), (&json!("nhs-acute"), &json!("London"), &json!(3)));
        jobs::run_due(&app.app).await.unwrap();
        let moved = "{ members(filter: { region: \"Y56\", organisationType: \"nhs-acute\" }) { nodes { name } } caseStudies(filter: { region: \"Y56\" }) { nodes { id } } old: caseStudies(filter: { region: \"Y62\" }) { totalCount } }";
        let moved = app.graphql(&joan.token, moved, json!({})).await["data"].clone();
        assert_eq!(moved, json!({ "members": { "nodes": [{ "name": "Ada Moore" }] }, "caseStudies": { "nodes": [{ "id": study }] }, "old": { "totalCount": 0 } }));
    }

    async fn of_many_changes_of_one_version_one_wins(app: &TestApp) {
        let edith = administrator(app).await;
        let change = async |n: usize| {
            let input = json!({ "id": edith.organisation, "expectedVersion": 1, "aliases": [format!("Name {n}")] });
            app.mutate(&edith, "updateOrganisation", &input, "organisation { aliases version }").await
        };
        let all = futures_util::future::join_all((0..20).map(change)).await;
        let (won, lost): (Vec<&Json>, Vec<&Json>) = all.iter().partition(|payload| payload["userErrors"] == json!([]));
        assert_eq!((won.len(), lost.len()), (1, 19));
        for payload in lost {
            assert_eq!((&payload["userErrors"][0]["code"], &payload["organisation"]["aliases"]), (&json!("STALE"), &won[0]["organisation"]["aliases"]));
        }
    }

    async fn an_organisation_tells_what_it_is_and_does(app: &TestApp) {
        let (ada, joan) = (app.person("Ada Moore").await, app.person("Joan Clarke").await);
        app.colleague(&ada, "Ivy Stone").await;
        app.advance(TimeDelta::minutes(1));
        let study = app.case_study(&ada, &json!({ "topicIds": ["top_volunteering", "top_mental-health"] })).await;
        app.advance(TimeDelta::minutes(1));
        app.create_post(&ada, json!({ "kind": "IDEA", "title": "An idea", "body": "Ask.", "topicIds": ["top_volunteering"], "publish": true })).await;
        app.create_post(&ada, json!({ "kind": "IDEA", "title": "A draft", "body": "Ask.", "topicIds": ["top_environment-and-food"] })).await;
        app.mutate(&joan, "recordAdoption", &json!({ "caseStudyId": study, "status": "TESTING" }), "").await;
        let page = "query($id: ID!) { node(id: $id) { ... on Organisation { members { totalCount nodes { name } } caseStudies { totalCount nodes { id } }
            adoptions { totalCount nodes { status caseStudy { id } } } topics { count topic { slug } } } } }";
        let of = async |person: &Person| app.graphql(&joan.token, page, json!({ "id": person.organisation })).await["data"]["node"].clone();
        assert_eq!(of(&ada).await, json!({
            "members": { "totalCount": 2, "nodes": [{ "name": "Ada Moore" }, { "name": "Ivy Stone" }] },
            "caseStudies": { "totalCount": 1, "nodes": [{ "id": study }] },
            "adoptions": { "totalCount": 0, "nodes": [] },
            "topics": [{ "count": 2, "topic": { "slug": "volunteering" } }, { "count": 1, "topic": { "slug": "mental-health" } }],
        }));
        assert_eq!(of(&joan).await["adoptions"]["nodes"], json!([{ "status": "TESTING", "caseStudy": { "id": study } }]));
        // What is on a case study that is not there for everybody any more is left out.
        app.mutate(&ada, "archiveCaseStudy", &json!({ "id": study }), "").await;
        assert_eq!(of(&joan).await["adoptions"]["nodes"], json!([]));
    }

    async fn organisations_like_mine_are_of_my_sort_and_near(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let place = |n: usize| match n {
            0 => ("nhs-acute", "Y62", "QOP"),
            1..=2 => ("nhs-acute", "Y62", "QOP"),
            3..=5 => ("nhs-acute", "Y62", "QYG"),
            6..=8 => ("nhs-acute", "Y56", "QKK"),
            _ => ("nhs-mental-health", "Y62", "QOP"),
        };
        let mut all: Vec<Organisation> = (0..11).map(|n| organisation_at(app, &format!("X{n:02}"), &format!("Trust {n:02}"), place(n))).collect();
        all[1].closed = Some(Date::of(app.now()).0.pred_opt().unwrap());
        all[2].former_names = vec![FormerName { name: "A former one".to_owned(), until: None }];
        put(&app.app.store, app, &all).await;
        let query = "query($id: ID, $limit: Int!) { similarOrganisations(organisationId: $id, limit: $limit) { code } }";
        let like = async |limit: i32| {
            let answer = app.graphql(&ada.token, query, json!({ "id": all[0].id, "limit": limit })).await;
            let similar = answer["data"]["similarOrganisations"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
            similar.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(like(20).await, ["X02", "X03", "X04", "X05", "X06", "X07", "X08", "X09", "X10"]);
        assert_eq!(like(3).await, ["X02", "X03", "X04"]);
        // Of the viewer's own nothing is known that another could share; of none, nothing at all.
        for id in [Json::Null, json!("org_none"), json!(ada.id)] {
            let like = app.graphql(&ada.token, query, json!({ "id": id, "limit": 5 })).await;
            assert_eq!(like["data"]["similarOrganisations"], json!([]), "{id}");
        }
    }

    async fn a_longer_page_makes_no_more_calls(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        organisation::seed(&app.app).await.unwrap();
        let all: Vec<Organisation> = (0..40).map(|n| organisation_at(app, &format!("X{n:04}"), &format!("Trust {n}"), ("nhs-acute", "Y62", ["QOP", "QKK"][n % 2]))).collect();
        put(&app.app.store, app, &all).await;
        let calls = async |first: usize| {
            let query = format!("{{ organisations(first: {first}) {{ totalCount nodes {{ name type {{ name }} region {{ name }} icb {{ name }} successors {{ name }} }} }} }}");
            app.calls_of(&ada, &query).await
        };
        let few = calls(5).await;
        assert_eq!((few, calls(40).await), (few, few));
        assert!(few <= 8, "{few}");
    }
}

/// Holds a question to its index on a first page and on a later one.
pub async fn reads_an_index<D: hope_exchange::query::Document>(
    store: &Store,
    filter: &Filter<D>,
    order: &Order<D>,
) {
    let keys = order.keys();
    let found = store.find(filter.clone(), order.clone(), Page::first(7)).await.unwrap();
    let mut pages = vec![Page::first(7)];
    if let Some(last) = found.last() {
        pages.push(Page::first(7).after(Some(position(&serde_json::to_value(last).unwrap(), &keys))));
    }
    for page in pages {
        let plan = store.explain(filter.clone(), order.clone(), page.clone()).await.unwrap();
        for step in &plan {
            let scans =
                step.starts_with("SCAN") && !step.contains("USING") && !step.contains("VIRTUAL TABLE");
            let sorts = step.contains("TEMP B-TREE") || step == "SORT" || step == "COLLSCAN";
            assert!(!scans && !sorts, "{filter:?} in {order:?} {page:?}\n{plan:#?}");
        }
    }
}

/// The types that names are taken for are types.
#[test]
fn likely_types_are_known() {
    let taxonomy = Taxonomy::read().unwrap();
    for name in
        ["A Hospital", "B Ambulance", "C Mental Health", "D Community", "E Care Trust", "Healthwatch F"]
    {
        assert!(
            taxonomy.likely_type(name).is_some_and(|slug| taxonomy.has_organisation_type(slug)),
            "{name}"
        );
    }
}
