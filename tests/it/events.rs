//! Events: posts that say when and where to come.

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    on_both_stores,
};

const POST: &str = "post { id version kind state event { startsAt endsAt location joinUrl } }";

fn event(event: Json) -> Json {
    json!({ "kind": "EVENT", "title": "Show and tell", "body": "Come.", "topicIds": ["top_volunteering"], "event": event, "publish": true })
}

fn at(starts_at: &str) -> Json {
    json!({ "startsAt": starts_at, "location": "Room 3, St Anne's" })
}

fn errors(payload: &Json) -> Vec<(String, String)> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload}"));
    let path = |error: &Json| {
        error["field"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part.as_str().unwrap())
            .collect::<Vec<_>>()
            .join(".")
    };
    errors.iter().map(|error| (path(error), error["code"].as_str().unwrap().to_owned())).collect()
}

fn all<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(field, code)| (field.to_owned(), code.to_owned())).to_vec()
}

/// The fields that the last edit changed, with what each reads now.
async fn last_change(app: &TestApp, person: &Person, id: &Json) -> Vec<(String, String)> {
    let query = "query($id: ID!) { node(id: $id) { ... on Post { revisions(first: 1) { nodes { changes { field difference { kind text } } } } } } }";
    let read = app.graphql(&person.token, query, json!({ "id": id })).await;
    let changes =
        read["data"]["node"]["revisions"]["nodes"][0]["changes"].as_array().cloned().unwrap_or_default();
    let now = |change: &Json| {
        let parts = change["difference"].as_array().unwrap().iter();
        parts
            .filter(|part| part["kind"] != "REMOVED")
            .map(|part| part["text"].as_str().unwrap().to_owned())
            .collect()
    };
    changes.iter().map(|change| (change["field"].as_str().unwrap().to_owned(), now(change))).collect()
}

on_both_stores! {
    async fn an_event_says_when_and_where(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let full = json!({ "startsAt": "2026-05-01T10:00:00+01:00", "endsAt": "2026-05-01T12:00:00Z", "location": "  Room 3,\u{200B} St Anne's\n", "joinUrl": "https://meet.example.org/abc" });
        let made = app.mutate(&ada, "createPost", &event(full), POST).await;
        let stored = json!({ "startsAt": "2026-05-01T09:00:00.000Z", "endsAt": "2026-05-01T12:00:00.000Z", "location": "Room 3, St Anne's", "joinUrl": "https://meet.example.org/abc" });
        assert_eq!((&made["userErrors"], &made["post"]["event"]), (&json!([]), &stored), "{made}");
        let query = "query($id: ID!) { node(id: $id) { ... on Post { kind event { startsAt endsAt location joinUrl } } } feed { nodes { ... on Post { event { location } } } } }";
        let seen = app.graphql(&grace.token, query, json!({ "id": made["post"]["id"] })).await;
        assert_eq!(seen["data"], json!({ "node": { "kind": "EVENT", "event": stored }, "feed": { "nodes": [{ "event": { "location": "Room 3, St Anne's" } }] } }));
        for place in [json!({ "location": "Leeds" }), json!({ "joinUrl": "http://example.org" })] {
            let mut one = place.clone();
            one["startsAt"] = json!("2026-05-01T09:00:00Z");
            assert_eq!(errors(&app.mutate(&ada, "createPost", &event(one), POST).await), [], "{place} is enough");
        }
        let idea = json!({ "kind": "IDEA", "title": "An idea", "body": "x", "topicIds": ["top_volunteering"], "publish": true });
        let made = app.mutate(&ada, "createPost", &idea, POST).await;
        assert_eq!(made["post"]["event"], Json::Null);
    }

    async fn every_problem_of_an_event_comes_at_once_with_its_field(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let create = async |input: Json| errors(&app.mutate(&ada, "createPost", &input, POST).await);
        let lacking = all([("event.startsAt", "REQUIRED"), ("event.location", "REQUIRED")]);
        assert_eq!(create(event(json!({}))).await, lacking);
        assert_eq!(create(json!({ "kind": "EVENT", "title": "x", "body": "x", "topicIds": ["top_volunteering"], "publish": true })).await, lacking);
        let wrong = json!({ "startsAt": "2026-05-01T09:00:00Z", "endsAt": "2026-05-01T09:00:00Z", "location": "x".repeat(201), "joinUrl": "javascript:alert(1)" });
        let mut post = event(wrong);
        post["title"] = json!("");
        post["topicIds"] = json!([]);
        let expected = all([("title", "REQUIRED"), ("topicIds", "REQUIRED"), ("event.location", "TOO_LONG"), ("event.joinUrl", "INVALID"), ("event.endsAt", "INVALID")]);
        assert_eq!(create(post.clone()).await, expected);
        // A draft may lack things, but what it has is right.
        post["publish"] = json!(false);
        post["title"] = json!("Show and tell");
        assert_eq!(create(post).await, all([("event.location", "TOO_LONG"), ("event.joinUrl", "INVALID"), ("event.endsAt", "INVALID")]));
        for (join_url, code) in [
            (format!("https://example.org/{}", "x".repeat(500)), Some("TOO_LONG")), ("https://nhs.uk@evil.example".to_owned(), Some("INVALID")), ("ftp://nhs.uk".to_owned(), Some("INVALID")),
            ("meet.example.org".to_owned(), Some("INVALID")), (format!("https://example.org/{}", "x".repeat(480)), None),
        ] {
            let input = event(json!({ "startsAt": "2026-05-01T09:00:00Z", "joinUrl": join_url }));
            let expected: Vec<_> = code.map(|code| ("event.joinUrl".to_owned(), code.to_owned())).into_iter().collect();
            assert_eq!(create(input).await, expected, "{join_url}");
        }
        for (ends_at, refused) in [("2026-06-01T09:00:00Z", false), ("2026-06-01T09:00:01Z", true), ("2026-04-30T09:00:00Z", true)] {
            let found = create(event(json!({ "startsAt": "2026-05-01T09:00:00Z", "endsAt": ends_at, "location": "Leeds" }))).await;
            assert_eq!(!found.is_empty(), refused, "{ends_at}");
        }
        // Other kinds are nowhere.
        let idea = json!({ "kind": "IDEA", "title": "x", "event": {} });
        assert_eq!(create(idea).await, all([("event", "INVALID")]));

        // The guard reads where it is, and asks once.
        let with_postcode = |acknowledged: bool| {
            let mut input = event(json!({ "startsAt": "2026-05-01T09:00:00Z", "location": "Skipton House, London SE1 6LH" }));
            input["acknowledgePersonalData"] = json!(acknowledged);
            input
        };
        assert_eq!(create(with_postcode(false)).await, all([("event.location", "PERSONAL_DATA")]));
        let made = app.mutate(&ada, "createPost", &with_postcode(true), POST).await;
        let later = json!({ "id": made["post"]["id"], "expectedVersion": 1, "event": { "startsAt": "2026-05-02T09:00:00Z", "location": "Skipton House, London SE1 6LH" } });
        assert_eq!(errors(&app.mutate(&ada, "updatePost", &later, POST).await), []);
        let blocked = event(json!({ "startsAt": "2026-05-01T09:00:00Z", "location": "Ask for NHS number 943 476 5919" }));
        let refused = app.mutate(&ada, "createPost", &blocked, POST).await;
        assert_eq!(errors(&refused), all([("event.location", "PERSONAL_DATA")]));
        assert!(!refused.to_string().contains("943 476"), "{refused}");
    }

    async fn a_draft_of_an_event_is_published_when_it_is_complete(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let draft = json!({ "kind": "EVENT", "title": "Show and tell", "body": "Come.", "topicIds": ["top_volunteering"] });
        let made = app.mutate(&ada, "createPost", &draft, POST).await;
        let nothing = json!({ "startsAt": null, "endsAt": null, "location": null, "joinUrl": null });
        assert_eq!(made["post"]["event"], nothing, "{made}");
        let id = &made["post"]["id"];
        let publish = json!({ "id": id });
        let refused = app.mutate(&ada, "publishPost", &publish, POST).await;
        assert_eq!(errors(&refused), all([("event.startsAt", "REQUIRED"), ("event.location", "REQUIRED")]));
        app.mutate(&ada, "updatePost", &json!({ "id": id, "expectedVersion": 1, "event": at("2026-05-01T09:00:00Z") }), POST).await;
        let published = app.mutate(&ada, "publishPost", &publish, POST).await;
        assert_eq!((&published["post"]["state"], &published["post"]["event"]["location"]), (&json!("PUBLISHED"), &json!("Room 3, St Anne's")), "{published}");
        // What is published stays complete.
        let emptied = json!({ "id": id, "expectedVersion": 3, "event": {} });
        let refused = app.mutate(&ada, "updatePost", &emptied, POST).await;
        assert_eq!(errors(&refused), all([("event.startsAt", "REQUIRED"), ("event.location", "REQUIRED")]));
    }

    async fn a_change_of_time_is_an_edit_like_any_other(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let made = app.mutate(&ada, "createPost", &event(at("2026-05-01T09:00:00Z")), POST).await;
        let id = &made["post"]["id"];
        let moved = json!({ "id": id, "expectedVersion": 1, "event": at("2026-05-08T09:00:00Z") });
        let changed = app.mutate(&ada, "updatePost", &moved, POST).await;
        assert_eq!((&changed["post"]["version"], &changed["post"]["event"]["startsAt"]), (&json!(2), &json!("2026-05-08T09:00:00.000Z")), "{changed}");
        assert_eq!(last_change(app, &ada, id).await, all([("event.startsAt", "2026-05-08T09:00:00.000Z")]));
        let stale = app.mutate(&ada, "updatePost", &json!({ "id": id, "expectedVersion": 1, "event": at("2026-05-09T09:00:00Z") }), POST).await;
        assert_eq!((errors(&stale), &stale["post"]["event"]["startsAt"]), (all([("expectedVersion", "STALE")]), &json!("2026-05-08T09:00:00.000Z")));

        // Without a word about it, it stays; with another kind, it goes.
        let renamed = app.mutate(&ada, "updatePost", &json!({ "id": id, "expectedVersion": 2, "title": "Tell and show" }), POST).await;
        assert_eq!(renamed["post"]["event"]["location"], "Room 3, St Anne's");
        let both = json!({ "id": id, "expectedVersion": 3, "kind": "UPDATE", "event": at("2026-05-08T09:00:00Z") });
        assert_eq!(errors(&app.mutate(&ada, "updatePost", &both, POST).await), all([("event", "INVALID")]));
        let update = app.mutate(&ada, "updatePost", &json!({ "id": id, "expectedVersion": 3, "kind": "UPDATE" }), POST).await;
        assert_eq!((&update["post"]["kind"], &update["post"]["event"]), (&json!("UPDATE"), &Json::Null), "{update}");
        assert_eq!(last_change(app, &ada, id).await, all([("event.startsAt", ""), ("event.location", "")]));
        let back = app.mutate(&ada, "updatePost", &json!({ "id": id, "expectedVersion": 4, "kind": "EVENT" }), POST).await;
        assert_eq!(errors(&back), all([("event.startsAt", "REQUIRED"), ("event.location", "REQUIRED")]), "what went is gone");
        let back = json!({ "id": id, "expectedVersion": 4, "kind": "EVENT", "event": at("2026-05-10T09:00:00Z") });
        assert_eq!(errors(&app.mutate(&ada, "updatePost", &back, POST).await), []);
    }

    async fn events_are_listed_by_when_they_start(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut ids = Vec::new();
        for starts_at in ["2026-05-03T09:00:00Z", "2026-01-01T09:00:00Z", "2026-05-01T09:00:00Z", "2026-05-03T09:00:00Z"] {
            app.advance(TimeDelta::minutes(1));
            let mut input = event(at(starts_at));
            if ids.is_empty() {
                input["tags"] = json!(["show and tell"]);
            }
            ids.push(app.create_post(&ada, input).await);
        }
        app.create_post(&ada, json!({ "kind": "IDEA", "title": "An idea", "body": "x", "topicIds": ["top_volunteering"], "publish": true })).await;
        app.create_post(&ada, json!({ "kind": "EVENT", "title": "A draft", "event": at("2026-05-02T09:00:00Z") })).await;
        let query = "query($filter: PostFilterInput!, $order: PostOrder!, $first: Int, $after: String) {
            posts(filter: $filter, orderBy: $order, first: $first, after: $after) { totalCount pageInfo { endCursor hasNextPage } nodes { id } } }";
        let page = async |filter: Json, order: &str, after: Json| {
            let answer = app.graphql(&ada.token, query, json!({ "filter": filter, "order": order, "first": 2, "after": after })).await;
            assert_eq!(answer["errors"], Json::Null, "{answer}");
            answer["data"]["posts"].clone()
        };
        let list = async |filter: Json, order: &str| {
            let (mut found, mut after) = (Vec::new(), Json::Null);
            loop {
                let page = page(filter.clone(), order, after).await;
                found.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()));
                if page["pageInfo"]["hasNextPage"] == false {
                    assert_eq!(page["totalCount"], found.len(), "{filter} {order}");
                    return found.iter().map(|id| ids.iter().position(|known| known == id).unwrap()).collect::<Vec<_>>();
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
        };
        assert_eq!(list(json!({}), "SOONEST").await, [1, 2, 0, 3]);
        assert_eq!(list(json!({ "kind": "EVENT", "startsAfter": app.now().to_string() }), "SOONEST").await, [2, 0, 3]);
        assert_eq!(list(json!({ "startsAfter": "2026-05-01T09:00:00Z" }), "SOONEST").await, [0, 3]);
        assert_eq!(list(json!({ "startsAfter": "2026-05-01T08:59:59.999Z" }), "NEWEST").await, [3, 2, 0]);
        assert_eq!(list(json!({ "startsAfter": "2026-05-03T09:00:00Z" }), "OLDEST").await, [0; 0]);
        assert_eq!(list(json!({ "kind": "IDEA" }), "SOONEST").await, [0; 0]);
        assert_eq!(list(json!({ "tag": "tag_show-and-tell", "authorId": ada.id }), "SOONEST").await, [0]);
        assert_eq!(list(json!({ "topicId": "top_volunteering", "organisationId": ada.organisation, "startsAfter": "2026-05-01T09:00:00Z" }), "SOONEST").await, [0, 3]);

        // One that is put off moves; one that is no event any more is not listed.
        app.mutate(&ada, "updatePost", &json!({ "id": ids[2], "expectedVersion": 1, "event": at("2026-07-01T09:00:00Z") }), POST).await;
        app.mutate(&ada, "updatePost", &json!({ "id": ids[3], "expectedVersion": 1, "kind": "UPDATE" }), POST).await;
        assert_eq!(list(json!({}), "SOONEST").await, [1, 0, 2]);
        for scope in ["EVERYTHING", "UNANSWERED"] {
            let refused = app.graphql(&ada.token, "query($scope: FeedScope!) { feed(scope: $scope, orderBy: SOONEST) { totalCount } }", json!({ "scope": scope })).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_REQUEST");
        }
    }
}
