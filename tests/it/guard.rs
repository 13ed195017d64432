//! Personal data must not get in, through GraphQL.

use hope_exchange::{
    domain::{comment::Comment, post::Post, receipt::Receipt},
    query::{Document, Filter, Order, Page},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    on_both_stores,
};

/// The example of the NHS Data Dictionary; it belongs to nobody.
const NHS_NUMBER: &str = "943 476 5919";

const ERRORS: &str = "userErrors { field message code personalData { kind severity start end } }";

async fn mutate(app: &TestApp, person: &Person, mutation: &str, object: &str, input: Json) -> Json {
    let mut letters = mutation.chars();
    let first = letters.next().unwrap().to_ascii_uppercase();
    let query = format!(
        "mutation($input: {first}{}Input!) {{ {mutation}(input: $input) {{ {object} {{ id version }} {ERRORS} }} }}",
        letters.as_str()
    );
    let answer = app.graphql(&person.token, &query, json!({ "input": input })).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"][mutation].clone()
}

fn idea(title: &str, body: &str) -> Json {
    json!({ "kind": "IDEA", "title": title, "body": body, "topicIds": ["top_volunteering"], "publish": true })
}

fn with(mut input: Json, name: &str, value: impl Into<Json>) -> Json {
    input[name] = value.into();
    input
}

/// Everything stored of a kind.
async fn all<D: Document>(app: &TestApp) -> Vec<D> {
    app.app.store.find(Filter::all(), Order::by_id(), Page::first(100)).await.unwrap()
}

fn finding(kind: &str, severity: &str, start: usize, end: usize) -> Json {
    json!({ "kind": kind, "severity": severity, "start": start, "end": end })
}

on_both_stores! {
    async fn what_identifies_a_patient_is_refused_with_all_its_places(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let body = format!("Émile 😀 (NHS number\u{A0}{NHS_NUMBER}), DOB 12/03/1956, at LS1 4AP");
        let input = with(idea(&format!("About {NHS_NUMBER}"), &body), "topicIds", json!(["top_nonsense"]));
        // Acknowledging helps with warnings only.
        for acknowledged in [false, true] {
            let input = with(input.clone(), "acknowledgePersonalData", acknowledged);
            let input = with(input, "clientMutationId", format!("m-{NHS_NUMBER}"));
            let refused = mutate(app, &ada, "createPost", "post", input).await;
            assert_eq!(refused["post"], Json::Null);
            let errors = refused["userErrors"].as_array().unwrap();
            let fields: Vec<(&Json, &Json)> = errors.iter().map(|error| (&error["field"], &error["code"])).collect();
            let expected = [json!(["title"]), json!(["body"]), json!(["topicIds", "0"])];
            let codes = ["PERSONAL_DATA", "PERSONAL_DATA", "UNKNOWN"].map(Json::from);
            assert_eq!(fields, expected.iter().zip(&codes).collect::<Vec<_>>());
            assert_eq!(errors[0]["personalData"], json!([finding("NHS_NUMBER", "BLOCK", 6, 18)]));
            let mut places = vec![finding("NHS_NUMBER", "BLOCK", 20, 32), finding("DATE_OF_BIRTH", "BLOCK", 39, 49)];
            if !acknowledged {
                places.push(finding("POSTCODE", "WARN", 54, 61));
            }
            assert_eq!(errors[1]["personalData"], Json::from(places));
            assert_eq!(errors[2]["personalData"], Json::Null);
            assert!(errors[0]["message"].as_str().unwrap().contains("an NHS number at characters 7 to 18"));
            for words in ["943", "5919", "12/03", "LS1"] {
                assert!(!refused.to_string().contains(words), "{refused} has {words}");
            }
        }
        assert_eq!((all::<Post>(app).await, all::<Receipt>(app).await), (vec![], vec![]));
    }

    async fn drafts_and_changes_are_guarded(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let draft = json!({ "kind": "IDEA", "title": NHS_NUMBER });
        let refused = mutate(app, &ada, "createPost", "post", draft).await;
        assert_eq!(refused["userErrors"][0]["code"], "PERSONAL_DATA");
        assert_eq!(all::<Post>(app).await, []);

        let id = app.create_post(&ada, idea("A title", "A text")).await;
        for change in [json!({ "title": format!("On {NHS_NUMBER}") }), json!({ "body": "４５０５５７７１０４" })] {
            let input = with(with(change, "id", id.as_str()), "expectedVersion", 1);
            let refused = mutate(app, &ada, "updatePost", "post", with(input, "acknowledgePersonalData", true)).await;
            let places = &refused["userErrors"][0]["personalData"];
            assert_eq!((&places[0]["kind"], &places[0]["severity"]), (&json!("NHS_NUMBER"), &json!("BLOCK")));
        }
        let stored = all::<Post>(app).await.pop().unwrap();
        assert_eq!((stored.version, stored.title.as_str(), stored.body.markdown.as_str()), (1, "A title", "A text"));
    }

    async fn a_warning_is_asked_about_once(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        // What is sent again with the answer may keep its name: the first was not carried out.
        let input = with(idea("Write to LS1 4AP", "Call 07700 900123."), "clientMutationId", "once");
        let input = with(input, "publish", false);
        let warned = mutate(app, &ada, "createPost", "post", input.clone()).await;
        assert_eq!(warned["userErrors"][0]["personalData"], json!([finding("POSTCODE", "WARN", 9, 16)]));
        assert_eq!(warned["userErrors"][1]["personalData"], json!([finding("PHONE_NUMBER", "WARN", 5, 17)]));
        assert_eq!(all::<Post>(app).await, []);
        let taken = mutate(app, &ada, "createPost", "post", with(input, "acknowledgePersonalData", true)).await;
        assert_eq!(taken["userErrors"], json!([]));
        let id = taken["post"]["id"].clone();

        // The body stays as it is, whether it is sent or not, and so it is not asked about again.
        for (version, change) in [(1, json!({ "title": "Write to us" })), (2, json!({ "title": "Write", "body": " Call 07700 900123.\n" }))] {
            let input = with(with(change, "id", id.clone()), "expectedVersion", version);
            assert_eq!(mutate(app, &ada, "updatePost", "post", input).await["userErrors"], json!([]));
        }
        let published = mutate(app, &ada, "publishPost", "post", json!({ "id": id })).await;
        assert_eq!(published["userErrors"], json!([]));

        let changed = json!({ "id": id, "expectedVersion": 4, "body": "Call 07700 900123 or 07700 900124." });
        let warned = mutate(app, &ada, "updatePost", "post", changed.clone()).await;
        assert_eq!(warned["userErrors"][0]["personalData"].as_array().unwrap().len(), 2);
        let taken = mutate(app, &ada, "updatePost", "post", with(changed, "acknowledgePersonalData", true)).await;
        assert_eq!((&taken["userErrors"], &taken["post"]["version"]), (&json!([]), &json!(5)));
    }

    async fn comments_are_guarded(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let post = app.create_post(&ada, idea("Something to discuss", "x")).await;
        let comment = |body: &str| json!({ "threadId": post.replacen("pst", "thr", 1), "body": body });
        for acknowledged in [false, true] {
            let input = with(comment("Her MRN is A123456"), "acknowledgePersonalData", acknowledged);
            let refused = mutate(app, &ada, "addComment", "comment", input).await;
            assert_eq!(refused["userErrors"][0]["personalData"], json!([finding("HOSPITAL_NUMBER", "BLOCK", 11, 18)]));
        }
        let at = comment("Ask jo@example.com");
        let warned = mutate(app, &ada, "addComment", "comment", at.clone()).await;
        assert_eq!(warned["userErrors"][0]["personalData"], json!([finding("EMAIL_ADDRESS", "WARN", 4, 18)]));
        assert_eq!(all::<Comment>(app).await, []);
        let taken = mutate(app, &ada, "addComment", "comment", with(at, "acknowledgePersonalData", true)).await;
        assert_eq!(taken["userErrors"], json!([]));

        let change = |version: i64, body: &str| json!({ "id": taken["comment"]["id"], "expectedVersion": version, "body": body });
        let same = mutate(app, &ada, "updateComment", "comment", change(1, "Ask jo@example.com")).await;
        assert_eq!(same["userErrors"], json!([]));
        let warned = mutate(app, &ada, "updateComment", "comment", change(2, "Ask jo@example.com now")).await;
        assert_eq!(warned["userErrors"][0]["code"], "PERSONAL_DATA");
        let blocked = with(change(2, NHS_NUMBER), "acknowledgePersonalData", true);
        let blocked = mutate(app, &ada, "updateComment", "comment", blocked).await;
        assert_eq!(blocked["userErrors"][0]["personalData"][0]["severity"], "BLOCK");
        let now = with(change(2, "Ask jo@example.com now"), "acknowledgePersonalData", true);
        assert_eq!(mutate(app, &ada, "updateComment", "comment", now).await["comment"]["version"], 3);
        assert_eq!(all::<Comment>(app).await[0].body.as_ref().unwrap().markdown, "Ask jo@example.com now");
    }

    async fn a_draft_from_before_the_guard_is_not_published(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = app.create_post(&ada, with(idea("A title", "A text"), "publish", false)).await;
        let mut stored = all::<Post>(app).await.pop().unwrap();
        stored.title = format!("About {NHS_NUMBER}");
        app.app.store.commit(hope_exchange::store::Batch::new().replace(&stored)).await.unwrap();
        let refused = mutate(app, &ada, "publishPost", "post", json!({ "id": id })).await;
        assert_eq!(refused["userErrors"][0]["code"], "PERSONAL_DATA");
    }

    async fn what_is_refused_is_not_logged(app: &TestApp) {
        let log = crate::log::Log::start();
        let ada = app.person("Ada Moore").await;
        let number = "601 723 4587";
        let input = with(idea(number, &format!("x {number}")), "clientMutationId", number);
        let refused = mutate(app, &ada, "createPost", "post", input).await;
        assert_eq!(refused["userErrors"][0]["code"], "PERSONAL_DATA");
        // In the query itself, and where an id or an enum should be.
        let query = format!("mutation {{ createPost(input: {{ kind: IDEA, title: \"{number}\", topicIds: [\"{number}\"] }}) {{ {ERRORS} }} }}");
        let inline = app.graphql(&ada.token, &query, json!({})).await;
        assert!(inline.to_string().contains("PERSONAL_DATA") && !inline.to_string().contains(number), "{inline}");
        app.graphql(&ada.token, "mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } } }",
            json!({ "input": { "kind": number, "title": number } })).await;
        app.graphql(&ada.token, &format!("{{ {number} }}"), json!({})).await;
        tracing::info!("the end of what is looked at");

        let logged = log.text();
        assert!(logged.contains("the end of what is looked at"));
        assert!(!logged.contains(number) && !logged.contains("6017234587"), "the number is in the log");
    }
}
