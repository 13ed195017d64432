//! Case studies through GraphQL: written together, published when complete.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        case_study::{CaseStudy, Edition},
        member::{Member, Role},
    },
    ids::Id,
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, START, TestApp},
    on_both_stores,
};

const CREATE: &str = "mutation($input: CreateCaseStudyInput!) { createCaseStudy(input: $input) {
    caseStudy { id version state } userErrors { field message code } } }";
const UPDATE: &str = "mutation($input: UpdateCaseStudyInput!) { updateCaseStudy(input: $input) {
    caseStudy { id version state title aim { markdown } advice { markdown } }
    yours { version title aim { markdown } advice { markdown } }
    userErrors { field message code } } }";
const MEASURES: &str = "query($id: ID!) { node(id: $id) { ... on CaseStudy {
    measures { name kind friendsAndFamilyTest before { value n date suppressed } after { value n suppressed } }
    typedMeasures { before { value n fft { veryGood } } } } } }";

/// Everything that the template requires.
pub fn complete(lead: &Person) -> Json {
    json!({
        "title": "Quiet nights on the wards", "summary": "Noise kept people awake. Now it is quiet at ten.",
        "leadOrganisation": { "organisationId": lead.organisation }, "settings": ["nhs-acute"],
        "topicIds": ["top_volunteering"], "status": "SUSTAINED", "start": "2024-03",
        "problem": "People could not sleep.", "whatMatters": "Rest.", "feedbackSources": ["fft", "complaints"],
        "aim": "Half the complaints about noise by June.", "method": "model-for-improvement-pdsa",
        "whatWeDid": "We asked, and then we moved the bins.",
        "involvement": { "level": "CO_DESIGN", "stages": ["FROM_START"], "how": "Four patients were in the team." },
        "carersLens": { "considered": false }, "healthInequalityLens": { "considered": true, "core20": true },
        "noMeasuresBecause": "It is too early.", "cost": "UNDER_1000", "whatDidNot": "Posters.",
        "advice": "Ask at night.", "sponsored": false, "contact": { "mailbox": "quality@trust.nhs.uk" },
        "permissions": { "organisationApproves": true, "writtenConsent": true, "noIdentifiablePeople": true, "reuseByNhsEngland": false }
    })
}

pub fn with(mut content: Json, changes: &Json) -> Json {
    for (key, value) in changes.as_object().unwrap() {
        content[key] = value.clone();
    }
    content
}

impl TestApp {
    /// What a mutation of case studies or adoptions answers.
    pub async fn mutate(&self, by: &Person, name: &str, input: &Json, fields: &str) -> Json {
        let mut letters = name.chars();
        let upper: String = letters.next().unwrap().to_uppercase().chain(letters).collect();
        let query = format!(
            "mutation($input: {upper}Input!) {{ {name}(input: $input) {{ {fields} userErrors {{ field code message }} }} }}"
        );
        let answer = self.graphql(&by.token, &query, json!({ "input": input })).await;
        if answer["errors"].is_array() {
            answer["errors"][0]["extensions"]["code"].clone()
        } else {
            answer["data"][name].clone()
        }
    }

    /// The id of a new draft.
    pub async fn draft(&self, by: &Person, input: &Json) -> String {
        let made = self.mutate(by, "createCaseStudy", input, "caseStudy { id }").await;
        made["caseStudy"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// The id of a new published case study.
    pub async fn case_study(&self, by: &Person, changes: &Json) -> String {
        let id = self.draft(by, &with(complete(by), changes)).await;
        let published =
            self.mutate(by, "publishCaseStudy", &json!({ "id": id }), "caseStudy { state }").await;
        assert_eq!(published["caseStudy"]["state"], "PUBLISHED", "{published}");
        id
    }

    /// As if they had always had this role, and a second factor: nobody is told of it.
    pub async fn grant(&self, person: &Person, role: Role) {
        let id = Id::<Member>::parse(&person.id).unwrap();
        let since = START.parse().unwrap();
        let given = [Member::ROLE.set(role), Member::SECOND_FACTOR.set(Some(since))];
        let given = Batch::new().patch(&id, Guard::Present, given);
        self.app.store.commit(given).await.unwrap();
    }
}

fn fields(payload: &Json) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload}"));
    let path = |error: &Json| {
        error["field"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(".")
    };
    errors.iter().map(path).collect()
}

on_both_stores! {
    async fn a_draft_needs_only_a_title_and_publishing_asks_for_the_rest_at_once(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let refused = app.mutate(&ada, "createCaseStudy", &json!({ "title": " " }), "caseStudy { id }").await;
        assert_eq!(fields(&refused), ["title"]);
        let id = app.draft(&ada, &json!({ "title": "Quiet nights" })).await;
        let publish = json!({ "id": id });
        let refused = app.mutate(&ada, "publishCaseStudy", &publish, "caseStudy { id }").await;
        let all = ["summary", "leadOrganisation", "settings", "topicIds", "status", "start", "problem", "whatMatters",
            "feedbackSources", "aim", "method", "whatWeDid", "cost", "whatDidNot", "advice", "sponsored", "involvement.level",
            "carersLens.considered", "healthInequalityLens.considered", "noMeasuresBecause", "contact",
            "permissions.organisationApproves", "permissions.writtenConsent", "permissions.noIdentifiablePeople", "permissions.reuseByNhsEngland"];
        assert_eq!(fields(&refused), all);

        let half = json!({ "id": id, "expectedVersion": 1, "measures": [{ "name": "" }], "quotes": [{ "text": "It is quiet." }],
            "involvement": { "level": "ENGAGE" }, "carersLens": { "considered": true } });
        app.mutate(&ada, "updateCaseStudy", &half, "caseStudy { id }").await;
        let refused = fields(&app.mutate(&ada, "publishCaseStudy", &publish, "caseStudy { id }").await);
        for field in ["measures.0.name", "measures.0.kind", "measures.0.source", "measures.0.unit", "measures.0.direction",
            "measures.0.before", "measures.0.after", "quotes.0.consent", "involvement.how", "carersLens.how"] {
            assert!(refused.contains(&field.to_owned()), "{field} in {refused:?}");
        }

        let rest = with(with(complete(&ada), &json!({ "id": id, "expectedVersion": 2, "measures": [], "quotes": [] })), &json!({ "otherMethods": null }));
        app.mutate(&ada, "updateCaseStudy", &rest, "caseStudy { id }").await;
        let published = app.mutate(&ada, "publishCaseStudy", &publish, "caseStudy { state version reviewDate publishedAt }").await;
        assert_eq!(published["caseStudy"], json!({ "state": "PUBLISHED", "version": 4, "reviewDate": "2028-03-02", "publishedAt": app.now().to_string() }), "{published}");
    }

    async fn every_problem_has_the_path_of_its_field(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let long = |length: usize| "x".repeat(length);
        let input = json!({ "title": long(101), "summary": long(501), "problem": long(2_001), "whatMatters": long(1_001), "aim": long(501),
            "whatWeDid": long(4_001), "staffImpact": long(1_001), "whatWorked": long(1_501), "settings": ["nhs-acute", "the-moon"],
            "topicIds": ["top_nonsense", "x"], "method": "magic", "end": "2024-01", "start": "2024-02",
            "leadOrganisation": { "organisationId": "org_none" }, "partnerOrganisations": [{ "name": "A charity" }, { "name": "x", "organisationId": ada.organisation }],
            "contact": { "memberId": "mbr_none", "mailbox": "nobody" }, "coAuthorIds": ["mbr_none"], "references": [long(501)],
            "reviewDate": "2026-03-02", "measures": [{ "name": "x", "source": "nowhere", "before": { "n": 3 } }] });
        let refused = app.mutate(&ada, "createCaseStudy", &input, "caseStudy { id }").await;
        let mut found = fields(&refused);
        let mut expected = ["title", "summary", "problem", "whatMatters", "aim", "whatWeDid", "staffImpact", "whatWorked", "settings.1", "topicIds.0",
            "topicIds.1", "method", "end", "leadOrganisation.organisationId", "partnerOrganisations.1.name", "contact.memberId", "contact.mailbox",
            "coAuthorIds.0", "references.0", "reviewDate", "measures.0.source", "measures.0.before.value"].map(str::to_owned);
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{refused}");
        let sentences = refused["userErrors"].as_array().unwrap().iter().map(|error| error["message"].as_str().unwrap());
        assert!(sentences.clone().all(|sentence| sentence.ends_with('.')), "{:?}", sentences.collect::<Vec<_>>());
    }

    async fn the_whole_template_is_read_field_by_field(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = app.case_study(&ada, &json!({ "partnerOrganisations": [{ "name": "A charity" }], "themes": ["parking"], "end": "2025-01",
            "coAuthorIds": [grace.id], "frameworkSection": "leadership", "staffTime": "A day a week", "references": ["A book"],
            "quotes": [{ "text": "At last.", "attribution": "a carer", "consent": true }], "sustainability": { "owner": "The matron" } })).await;
        let read = app.graphql(&grace.token, "query($id: ID!) { node(id: $id) { __typename ... on CaseStudy {
            title summary url state leadOrganisation { name organisation { id } } partnerOrganisations { name organisation { id } } settings { slug name }
            status start end problem { html } feedbackSources { slug } method { name } alwaysEvent { phase } involvement { level stages how { text } }
            carersLens { considered } healthInequalityLens { considered core20 plusGroups { slug } } cost staffTime quotes { text attribution consent }
            sustainability { owner } frameworkSection { name } references sponsored contact { mailbox member { id } } permissions { reuseByNhsEngland }
            author { name } coAuthors { name organisation { name } } viewerCanEdit thread { subject { __typename id title state } } adoptionSummary { adopted } } } }",
            json!({ "id": id })).await;
        let node = &read["data"]["node"];
        assert_eq!(node["leadOrganisation"], json!({ "name": "Ada Moore NHS Trust", "organisation": { "id": ada.organisation } }), "{read}");
        assert_eq!(node["partnerOrganisations"], json!([{ "name": "A charity", "organisation": null }]));
        assert_eq!(node["settings"], json!([{ "slug": "nhs-acute", "name": "NHS acute hospital" }]));
        assert_eq!((&node["start"], &node["end"], &node["cost"], &node["status"]), (&json!("2024-03"), &json!("2025-01"), &json!("UNDER_1000"), &json!("SUSTAINED")));
        assert_eq!(node["involvement"], json!({ "level": "CO_DESIGN", "stages": ["FROM_START"], "how": { "text": "Four patients were in the team." } }));
        assert_eq!(node["carersLens"], json!({ "considered": false }));
        assert_eq!(node["quotes"], json!([{ "text": "At last.", "attribution": "a carer", "consent": true }]));
        assert_eq!(node["contact"], json!({ "mailbox": "quality@trust.nhs.uk", "member": null }));
        assert_eq!(node["coAuthors"], json!([{ "name": "Grace Hill", "organisation": { "name": "Grace Hill NHS Trust" } }]));
        assert_eq!(node["thread"]["subject"], json!({ "__typename": "CaseStudy", "id": id, "title": "Quiet nights on the wards", "state": "PUBLISHED" }));
        assert_eq!((&node["viewerCanEdit"], &node["url"]), (&json!(true), &json!(format!("{}/case-studies/{id}", app.url))));
        let lists = app.graphql(&ada.token, "{ taxonomy { methods { slug } themes { name } plusGroups { slug } } }", json!({})).await;
        assert_eq!(lists["data"]["taxonomy"]["methods"][0]["slug"], "always-event");
    }

    async fn a_stale_save_loses_nobodys_words(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = app.draft(&ada, &json!({ "title": "Quiet nights", "aim": "First aim", "coAuthorIds": [grace.id] })).await;
        let update = async |by: &Person, input: Json| app.graphql(&by.token, UPDATE, json!({ "input": with(json!({ "id": id, "expectedVersion": 1 }), &input) })).await["data"]["updateCaseStudy"].clone();
        let won = update(&ada, json!({ "title": "Quieter nights", "advice": "Ask at night." })).await;
        assert_eq!((&won["userErrors"], &won["caseStudy"]["version"]), (&json!([]), &json!(2)));
        let late = update(&grace, json!({ "aim": "Second aim" })).await;
        assert_eq!(late["userErrors"][0]["code"], "STALE");
        assert_eq!(late["caseStudy"], json!({ "id": id, "version": 2, "state": "DRAFT", "title": "Quieter nights", "aim": { "markdown": "First aim" }, "advice": { "markdown": "Ask at night." } }));
        assert_eq!(late["yours"], json!({ "version": 1, "title": "Quiet nights", "aim": { "markdown": "Second aim" }, "advice": null }));
        let read = app.graphql(&ada.token, "query($id: ID!) { node(id: $id) { ... on CaseStudy { version aim { markdown } updatedBy { name } } } }", json!({ "id": id })).await;
        assert_eq!(read["data"]["node"], json!({ "version": 2, "aim": { "markdown": "First aim" }, "updatedBy": { "name": "Ada Moore" } }));

        let edits = (0..16).map(|n| { let by = if n % 2 == 0 { &ada } else { &grace };
            app.graphql(&by.token, UPDATE, json!({ "input": { "id": id, "expectedVersion": 2, "title": format!("Title {n}") } })) });
        let answers = futures_util::future::join_all(edits).await;
        let won = answers.iter().filter(|answer| answer["data"]["updateCaseStudy"]["userErrors"] == json!([])).count();
        assert_eq!(won, 1, "{answers:?}");
        for (n, answer) in answers.iter().enumerate().filter(|(_, answer)| answer["data"]["updateCaseStudy"]["userErrors"] != json!([])) {
            assert_eq!(answer["data"]["updateCaseStudy"]["yours"]["title"], format!("Title {n}"), "{answer}");
        }
    }

    async fn small_numbers_are_shown_to_nobody(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let point = |n: i64| json!({ "value": 41.5, "date": "2025-01", "n": n });
        let measure = |before: i64, after: i64| json!({ "name": "Noise", "kind": "OUTCOME", "source": "complaints", "unit": "complaints a month",
            "direction": "LOWER_IS_BETTER", "before": point(before), "after": point(after) });
        let id = app.case_study(&ada, &json!({ "measures": [measure(1, 4), measure(5, 0)] })).await;
        let suppressed = json!({ "value": null, "n": null, "suppressed": true });
        for reader in [&ada, &grace] {
            let read = app.graphql(&reader.token, MEASURES, json!({ "id": id })).await;
            let measures = &read["data"]["node"]["measures"];
            assert_eq!(measures[0]["before"], with(suppressed.clone(), &json!({ "date": "2025-01" })), "{read}");
            assert_eq!(measures[0]["after"], suppressed);
            assert_eq!(measures[1]["before"], json!({ "value": 41.5, "n": 5, "date": "2025-01", "suppressed": false }));
            assert_eq!(measures[1]["after"], json!({ "value": 41.5, "n": 0, "suppressed": false }));
        }
        let typed = async |by: &Person| app.graphql(&by.token, MEASURES, json!({ "id": id })).await["data"]["node"]["typedMeasures"].clone();
        assert_eq!(typed(&ada).await[0]["before"], json!({ "value": 41.5, "n": 1, "fft": null }));
        assert_eq!(typed(&grace).await, Json::Null);
        app.grant(&grace, Role::Administrator).await;
        assert_eq!(typed(&grace).await, Json::Null);
    }

    async fn the_friends_and_family_test_keeps_its_rules(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let counts = |date: &str, dont_know: i64| json!({ "date": date, "fft": { "veryGood": 60, "good": 20, "neitherGoodNorPoor": 8, "poor": 5, "veryPoor": 2, "dontKnow": dont_know } });
        let measure = |before: Json, after: Json| json!([{ "name": "Positive", "kind": "OUTCOME", "source": "fft", "direction": "HIGHER_IS_BETTER", "before": before, "after": after }]);
        let id = app.case_study(&ada, &json!({ "measures": measure(counts("2024-01", 5), json!({ "date": "2025-01", "value": 91.0, "n": 300 })) })).await;
        let read = app.graphql(&ada.token, MEASURES, json!({ "id": id })).await;
        let found = &read["data"]["node"]["measures"][0];
        // 80 of 100, "don't know" included.
        assert_eq!((&found["before"]["value"], &found["before"]["n"], &found["friendsAndFamilyTest"]), (&json!(80.0), &json!(100), &json!(true)), "{read}");
        assert_eq!(found["after"]["value"], 91.0);

        let percentage = |date: &str| json!({ "date": date, "value": 90.0, "n": 300 });
        for (before, after, field) in [
            (percentage("2020-03"), percentage("2020-04"), "measures.0.before.date"),
            (percentage("2019-01"), counts("2021-01", 1), "measures.0.before.date"),
            (percentage("2021-02"), percentage("2021-01"), "measures.0.after.date"),
            (json!({ "date": "2024-01", "value": 101.0, "n": 300 }), percentage("2025-01"), "measures.0.before.value"),
            (with(counts("2024-01", 1), &json!({ "value": 90.0 })), percentage("2025-01"), "measures.0.before.fft"),
            (json!({ "fft": { "veryGood": 0, "good": 0, "neitherGoodNorPoor": 0, "poor": 0, "veryPoor": 0, "dontKnow": 0 } }), percentage("2025-01"), "measures.0.before.fft"),
            (json!({ "date": "2024-01", "value": 90.0 }), percentage("2025-01"), "measures.0.before.n"),
        ] {
            let sent = json!({ "id": id, "expectedVersion": 2, "measures": measure(before, after) });
            let refused = app.mutate(&ada, "updateCaseStudy", &sent, "caseStudy { id }").await;
            assert_eq!(fields(&refused), [field], "{refused}");
        }
        for (before, after) in [(percentage("2018-01"), percentage("2020-03")), (percentage("2020-04"), percentage("2021-01"))] {
            let id = app.draft(&ada, &json!({ "title": "One side", "measures": measure(before, after) })).await;
            assert!(id.starts_with("cst_"));
        }
    }

    async fn an_always_event_opens_its_block(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = app.draft(&ada, &with(complete(&ada), &json!({ "otherMethods": ["always-event"] }))).await;
        let publish = json!({ "id": id });
        let lacking = app.mutate(&ada, "publishCaseStudy", &publish, "caseStudy { id }").await;
        assert_eq!(fields(&lacking), ["alwaysEvent.visionStatement", "alwaysEvent.aimStatement", "alwaysEvent.phase", "alwaysEvent.criteria"]);
        let block = json!({ "visionStatement": "I will always be told who is looking after me.", "aimStatement": "By June, 95% of people on two wards are told.",
            "phase": "RELIABLY_IMPLEMENT", "criteria": ["IMPORTANT", "EVIDENCE_BASED", "MEASURABLE"] });
        let three = json!({ "id": id, "expectedVersion": 1, "alwaysEvent": block });
        app.mutate(&ada, "updateCaseStudy", &three, "caseStudy { id }").await;
        let lacking = app.mutate(&ada, "publishCaseStudy", &publish, "caseStudy { id }").await;
        assert_eq!(fields(&lacking), ["alwaysEvent.criteria"]);

        // In a draft the block waits when another method is chosen; it is not published with one.
        let all = with(block, &json!({ "criteria": ["IMPORTANT", "EVIDENCE_BASED", "MEASURABLE", "AFFORDABLE_AND_SUSTAINABLE"] }));
        let other = json!({ "id": id, "expectedVersion": 2, "alwaysEvent": all, "otherMethods": ["schwartz-rounds"] });
        app.mutate(&ada, "updateCaseStudy", &other, "caseStudy { id }").await;
        let refused = app.mutate(&ada, "publishCaseStudy", &publish, "caseStudy { id }").await;
        assert_eq!((fields(&refused), &refused["userErrors"][0]["code"]), (vec!["alwaysEvent".to_owned()], &json!("INVALID")));
        let back = json!({ "id": id, "expectedVersion": 3, "otherMethods": [], "method": "always-event" });
        app.mutate(&ada, "updateCaseStudy", &back, "caseStudy { id }").await;
        let published = app.mutate(&ada, "publishCaseStudy", &publish, "caseStudy { alwaysEvent { phase criteria visionStatement } }").await;
        assert_eq!(published["caseStudy"]["alwaysEvent"]["phase"], "RELIABLY_IMPLEMENT", "{published}");
    }

    async fn who_may_do_what(app: &TestApp) {
        let author = app.person("Ada Moore").await;
        let co_author = app.person("Grace Hill").await;
        let other = app.person("Joan Clarke").await;
        let (moderator, administrator) = (app.person("Mary Ward").await, app.person("Edith Cave").await);
        app.grant(&moderator, Role::Moderator).await;
        app.grant(&administrator, Role::Administrator).await;
        let everybody = [&author, &co_author, &other, &moderator, &administrator];
        let (yes, no, gone) = (json!([]), json!("FORBIDDEN"), json!("NOT_FOUND"));
        let table = [
            ("updateCaseStudy", false, [&yes, &yes, &gone, &gone, &gone]),
            ("publishCaseStudy", false, [&yes, &yes, &gone, &gone, &gone]),
            ("deleteCaseStudy", false, [&yes, &no, &gone, &gone, &gone]),
            ("updateCaseStudy", true, [&yes, &yes, &no, &yes, &yes]),
            ("archiveCaseStudy", true, [&yes, &yes, &no, &yes, &yes]),
            ("deleteCaseStudy", true, [&yes, &no, &no, &yes, &yes]),
        ];
        for (mutation, published, expected) in table {
            for (person, expected) in everybody.iter().zip(expected) {
                let own = json!({ "coAuthorIds": [co_author.id] });
                let id = if published { app.case_study(&author, &own).await } else { app.draft(&author, &with(complete(&author), &own)).await };
                let input = if mutation == "updateCaseStudy" { json!({ "id": id, "expectedVersion": if published { 2 } else { 1 }, "title": "Changed" }) } else { json!({ "id": id }) };
                let answer = app.mutate(person, mutation, &input, "").await;
                let outcome = if answer.is_string() { &answer } else { &answer["userErrors"] };
                assert_eq!(outcome, expected, "{mutation} of {} by {}", if published { "a published one" } else { "a draft" }, person.id);
            }
        }
        // Who edits is for the one who began it; a co-author can leave.
        let id = app.draft(&author, &json!({ "title": "Together", "coAuthorIds": [co_author.id, other.id] })).await;
        let editors = |ids: &[&Person]| json!({ "id": id, "expectedVersion": 1, "coAuthorIds": ids.iter().map(|person| &person.id).collect::<Vec<_>>() });
        assert_eq!(app.mutate(&co_author, "updateCaseStudy", &editors(&[&co_author]), "").await, "FORBIDDEN");
        assert_eq!(app.mutate(&co_author, "updateCaseStudy", &editors(&[&other]), "").await["userErrors"], json!([]));
        assert_eq!(app.mutate(&co_author, "updateCaseStudy", &editors(&[&other]), "").await, "NOT_FOUND");
    }

    async fn drafts_and_archived_ones_leak_nowhere(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = app.draft(&ada, &complete(&ada)).await;
        let thread = id.replacen("cst", "thr", 1);
        let look = "query($ids: [ID!]!) { nodes(ids: $ids) { id } feed { totalCount nodes { id } } caseStudies { totalCount nodes { id } } viewer { drafts { totalCount nodes { id title } } } }";
        let seen = async |by: &Person| {
            let answer = app.graphql(&by.token, look, json!({ "ids": [id, thread] })).await;
            assert_eq!(answer["errors"], Json::Null, "{answer}");
            let data = &answer["data"];
            let count = |list: &str| data[list]["nodes"].as_array().unwrap().len() as i64;
            assert_eq!((count("feed"), count("caseStudies")), (data["feed"]["totalCount"].as_i64().unwrap(), data["caseStudies"]["totalCount"].as_i64().unwrap()));
            let nodes = data["nodes"].as_array().unwrap().iter().filter(|node| !node.is_null()).count();
            (nodes, count("feed"), count("caseStudies"), data["viewer"]["drafts"]["totalCount"].as_i64().unwrap())
        };
        let comment = async |by: &Person| {
            let answer = app.mutate(by, "addComment", &json!({ "threadId": thread, "body": "How loud was it?" }), "comment { id }").await;
            if answer.is_string() { answer } else { json!("ADDED") }
        };
        assert_eq!((seen(&ada).await, seen(&grace).await), ((2, 0, 0, 1), (0, 0, 0, 0)));
        assert_eq!(comment(&grace).await, "NOT_FOUND");
        assert_eq!(app.mutate(&grace, "markRead", &json!({ "threadId": thread }), "").await, "NOT_FOUND");

        app.mutate(&ada, "publishCaseStudy", &json!({ "id": id }), "").await;
        assert_eq!((seen(&ada).await, seen(&grace).await), ((2, 1, 1, 0), (2, 1, 1, 0)));
        assert_eq!(comment(&grace).await, "ADDED");

        let archived = app.mutate(&ada, "archiveCaseStudy", &json!({ "id": id }), "caseStudy { state }").await;
        assert_eq!(archived["caseStudy"]["state"], "ARCHIVED");
        assert_eq!((seen(&ada).await, seen(&grace).await), ((2, 0, 0, 0), (0, 0, 0, 0)));
        assert_eq!(comment(&grace).await, "NOT_FOUND");
        let comments = "query($id: ID!) { node(id: $id) { ... on Thread { comments { nodes { id } } } } }";
        assert_eq!(app.graphql(&grace.token, comments, json!({ "id": thread })).await["data"]["node"], Json::Null);

        app.mutate(&ada, "publishCaseStudy", &json!({ "id": id }), "").await;
        assert_eq!(seen(&grace).await, (2, 1, 1, 0));
        app.mutate(&ada, "deleteCaseStudy", &json!({ "id": id }), "").await;
        // A tombstone and its thread, in no list.
        assert_eq!((seen(&ada).await, seen(&grace).await), ((2, 0, 0, 0), (2, 0, 0, 0)));
        let left = app.graphql(&grace.token, "query($id: ID!) { node(id: $id) { ... on CaseStudy { state title summary problem { text } contact { mailbox } tombstone } } }", json!({ "id": id })).await;
        assert_eq!(left["data"]["node"], json!({ "state": "DELETED", "title": "", "summary": "", "problem": null, "contact": { "mailbox": null },
            "tombstone": "Deleted by its author on 2 March 2026." }), "{left}");
        let stored = (crate::community::all::<CaseStudy>(&app.app.store).await, crate::community::all::<Edition>(&app.app.store).await);
        assert!(!serde_json::to_string(&stored).unwrap().contains("Quiet nights"), "its words are gone from the store, in all editions");
    }

    async fn the_same_mutation_sent_again_does_it_once(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let input = json!({ "input": { "title": "Once", "clientMutationId": "abc" } });
        let answers = futures_util::future::join_all((0..16).map(|_| app.graphql(&ada.token, CREATE, input.clone()))).await;
        let ids: std::collections::HashSet<String> = answers.iter().map(|answer| answer["data"]["createCaseStudy"]["caseStudy"]["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{answers:?}");
        let archived = app.mutate(&ada, "archiveCaseStudy", &json!({ "id": answers[0]["data"]["createCaseStudy"]["caseStudy"]["id"] }), "").await;
        assert_eq!(archived["userErrors"][0]["code"], "WRONG_STATE");
    }

    async fn replies_and_new_case_studies_are_in_the_digest(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        app.advance(TimeDelta::minutes(1));
        let id = app.case_study(&ada, &json!({})).await;
        app.mutate(&grace, "addComment", &json!({ "threadId": id.replacen("cst", "thr", 1), "body": "How loud?" }), "").await;
        let mail = crate::digest::run_at(app, "2026-03-03T07:30:00Z").await;
        let of = |name: &str| mail.iter().find(|message| message.to_name == name).map(|message| (message.subject.clone(), message.text.clone())).unwrap();
        let (subject, text) = of("Grace Hill");
        assert_eq!(subject, "“Quiet nights on the wards”");
        assert!(text.contains("Case study by Ada Moore") && text.contains(&format!("/case-studies/{id}")) && text.contains("Now it is quiet at ten."), "{text}");
        let (subject, text) = of("Ada Moore");
        assert!(subject == "1 reply to you" && text.contains("This is a reply to your case study."), "{text}");
    }
}
