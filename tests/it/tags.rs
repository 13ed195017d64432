//! Tags on posts and case studies: chosen freely, counted truly, listed and found by.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    on_both_stores,
};

fn idea(tags: &[&str]) -> Json {
    json!({ "kind": "IDEA", "title": "Quiet hours", "body": "Soft-close bins.", "topicIds": ["top_volunteering"], "tags": tags, "publish": true })
}

/// The ids of the tags of a post or a case study in a payload.
fn ids(thing: &Json) -> Vec<&str> {
    let tags = thing["tags"].as_array().unwrap_or_else(|| panic!("{thing}"));
    tags.iter().map(|tag| tag["id"].as_str().unwrap()).collect()
}

/// The uses of every tag that is listed, page after page.
async fn uses(app: &TestApp, person: &Person) -> BTreeMap<String, i64> {
    let query = "query($after: String) { tags(first: 3, after: $after) { pageInfo { hasNextPage endCursor } nodes { id uses } } }";
    let (mut found, mut after, mut last) = (BTreeMap::new(), Json::Null, i64::MAX);
    loop {
        let answer = app.graphql(&person.token, query, json!({ "after": after })).await;
        let page = &answer["data"]["tags"];
        for tag in page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")) {
            let uses = tag["uses"].as_i64().unwrap();
            assert!(uses <= last, "most used first: {answer}");
            last = uses;
            assert_eq!(found.insert(tag["id"].as_str().unwrap().to_owned(), uses), None, "{answer}");
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// The uses that there should be: what the published contributions carry.
async fn truth(app: &TestApp, person: &Person) -> BTreeMap<String, i64> {
    let answer =
        app.graphql(&person.token, "{ feed(first: 100) { nodes { tags { id } } } }", json!({})).await;
    let mut uses = BTreeMap::new();
    for node in answer["data"]["feed"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")) {
        for id in ids(node) {
            *uses.entry(id.to_owned()).or_insert(0) += 1;
        }
    }
    uses
}

fn counts(expected: &[(&str, i64)]) -> BTreeMap<String, i64> {
    expected.iter().map(|(id, uses)| ((*id).to_owned(), *uses)).collect()
}

on_both_stores! {
    async fn members_tag_what_they_share_in_their_own_words(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let post = app.create_post(&ada, idea(&["#Quiet nights", "  Tŷ Hapus ", "QUIET_NIGHTS", ""])).await;
        let case_study = app.case_study(&grace, &json!({ "tags": ["quiet  Nights", "R&D"] })).await;
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contribution { tags { id name uses } } ... on Tag { id name uses } }
            feed { nodes { tags { name } } } }";
        let tags = ["tag_quiet-nights", "tag_r_26d", "tag_xn--t-hapus-rvb", "tag_none"];
        let seen = app.graphql(&grace.token, query, json!({ "ids": [post, case_study, tags[0], tags[1], tags[2], tags[3]] })).await;
        let quiet = json!({ "id": tags[0], "name": "Quiet nights", "uses": 2 });
        let (research, welsh) = (json!({ "id": tags[1], "name": "R&D", "uses": 1 }), json!({ "id": tags[2], "name": "Tŷ Hapus", "uses": 1 }));
        assert_eq!(seen["data"]["nodes"], json!([{ "tags": [quiet, welsh] }, { "tags": [quiet, research] }, quiet, research, welsh, null]), "{seen}");
        assert_eq!(seen["data"]["feed"]["nodes"].as_array().unwrap().len(), 2);
    }

    async fn what_is_wrong_with_a_tag_has_its_place(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let errors = |payload: &Json| {
            let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload}")).iter();
            errors.map(|error| (error["field"].clone(), error["code"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
        };
        let at = |place: &str, code: &str| (json!(["tags", place]), code.to_owned());
        let long = "x".repeat(31);
        let wrong = json!(["fine", "a/b", long, "943 476 5919", "SW1A 2AA", "$where"]);
        let expected = [at("1", "INVALID"), at("2", "TOO_LONG"), at("3", "PERSONAL_DATA"), at("4", "PERSONAL_DATA"), at("5", "INVALID")];
        // Drafts are guarded, too, and every other problem comes along.
        let draft = json!({ "kind": "IDEA", "title": "", "tags": wrong });
        let refused = app.mutate(&ada, "createPost", &draft, "post { id }").await;
        let mut found = errors(&refused);
        assert_eq!(found.remove(0), (json!(["title"]), "REQUIRED".to_owned()), "{refused}");
        assert_eq!(found, expected);
        assert!(!refused.to_string().contains("943"), "the words are not repeated: {refused}");
        let refused = app.mutate(&ada, "createCaseStudy", &json!({ "title": "x", "tags": wrong }), "caseStudy { id }").await;
        assert_eq!(errors(&refused), expected);
        let six = json!({ "kind": "IDEA", "title": "Six", "tags": ["a", "b", "c", "d", "e", "f"] });
        let refused = app.mutate(&ada, "createPost", &six, "post { id }").await;
        assert_eq!(errors(&refused), [(json!(["tags"]), "TOO_MANY".to_owned())]);

        // What was acknowledged once is not asked about again.
        let postcode = json!({ "kind": "IDEA", "title": "Near us", "tags": ["SW1A 2AA"], "acknowledgePersonalData": true });
        let made = app.mutate(&ada, "createPost", &postcode, "post { id }").await;
        let change = json!({ "id": made["post"]["id"], "expectedVersion": 1, "tags": ["sw1a 2aa", "quiet"] });
        let changed = app.mutate(&ada, "updatePost", &change, "post { tags { name } }").await;
        assert_eq!(changed, json!({ "post": { "tags": [{ "name": "SW1A 2AA" }, { "name": "quiet" }] }, "userErrors": [] }));
        let other = json!({ "id": made["post"]["id"], "expectedVersion": 2, "tags": ["SW1A 1AA"] });
        assert_eq!(errors(&app.mutate(&ada, "updatePost", &other, "post { id }").await), [at("0", "PERSONAL_DATA")]);
        assert_eq!(uses(app, &ada).await, counts(&[]), "nothing is published");
    }

    async fn uses_follow_what_is_published(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let draft = json!({ "kind": "IDEA", "title": "Quiet hours", "body": "Bins.", "topicIds": ["top_volunteering"], "tags": ["one", "two"] });
        let made = app.mutate(&ada, "createPost", &draft, "post { id tags { name uses } }").await;
        assert_eq!(made["post"]["tags"], json!([{ "name": "one", "uses": 0 }, { "name": "two", "uses": 0 }]), "{made}");
        let id = &made["post"]["id"];
        // A draft's tags are its author's alone.
        let look = "query($ids: [ID!]!) { nodes(ids: $ids) { id } tags { totalCount } named: tags(startsWith: \"o\") { totalCount nodes { id } } }";
        let hidden = app.graphql(&grace.token, look, json!({ "ids": ["tag_one", id] })).await;
        assert_eq!(hidden["data"], json!({ "nodes": [null, null], "tags": { "totalCount": 0 }, "named": { "totalCount": 0, "nodes": [] } }));

        for (mutation, input, expected) in [
            ("publishPost", json!({}), counts(&[("tag_one", 1), ("tag_two", 1)])),
            ("publishPost", json!({}), counts(&[("tag_one", 1), ("tag_two", 1)])),
            ("updatePost", json!({ "expectedVersion": 2, "title": "Quieter hours" }), counts(&[("tag_one", 1), ("tag_two", 1)])),
            ("updatePost", json!({ "expectedVersion": 3, "tags": ["Two", "three"] }), counts(&[("tag_two", 1), ("tag_three", 1)])),
            ("updatePost", json!({ "expectedVersion": 3, "tags": ["four"] }), counts(&[("tag_two", 1), ("tag_three", 1)])),
            ("updatePost", json!({ "expectedVersion": 4, "tags": [] }), counts(&[])),
            ("updatePost", json!({ "expectedVersion": 5, "tags": ["one"] }), counts(&[("tag_one", 1)])),
        ] {
            let mut input = input;
            input["id"] = id.clone();
            app.mutate(&ada, mutation, &input, "post { id }").await;
            assert_eq!(uses(app, &grace).await, expected, "{mutation} {input}");
        }
        app.mutate(&ada, "deletePost", &json!({ "id": id }), "deletedPostId").await;
        assert_eq!(uses(app, &grace).await, counts(&[]));

        let case_study = app.case_study(&ada, &json!({ "tags": ["one", "five"] })).await;
        let both = counts(&[("tag_one", 1), ("tag_five", 1)]);
        assert_eq!(uses(app, &grace).await, both);
        for (mutation, input, expected) in [
            ("archiveCaseStudy", json!({}), counts(&[])),
            ("updateCaseStudy", json!({ "expectedVersion": 3, "tags": ["five", "six"] }), counts(&[])),
            ("publishCaseStudy", json!({}), counts(&[("tag_five", 1), ("tag_six", 1)])),
            ("updateCaseStudy", json!({ "expectedVersion": 5, "tags": null }), counts(&[])),
            ("updateCaseStudy", json!({ "expectedVersion": 6, "tags": ["one", "Five"] }), both),
            ("deleteCaseStudy", json!({}), counts(&[])),
        ] {
            let mut input = input;
            input["id"] = json!(case_study);
            let done = app.mutate(&ada, mutation, &input, "").await;
            assert_eq!(done["userErrors"], json!([]), "{mutation} {done}");
            assert_eq!(uses(app, &grace).await, expected, "{mutation} {input}");
        }
        let gone = app.graphql(&grace.token, look, json!({ "ids": ["tag_one"] })).await;
        assert_eq!(gone["data"]["nodes"], json!([null]));
    }

    async fn sixteen_at_once_are_counted_truly(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut people = Vec::new();
        for n in 0..16 {
            people.push(app.person(&format!("Member {n}")).await);
        }
        // All type the same new tags in the same moment, and one of their own.
        let own: Vec<String> = (0..16).map(|n| format!("own {n}")).collect();
        let made = people.iter().zip(&own).map(async |(person, own)| app.create_post(person, idea(&["first", "Second", own])).await);
        let posts = futures_util::future::join_all(made).await;
        let found = uses(app, &ada).await;
        assert_eq!((found["tag_first"], found["tag_second"], found["tag_own-3"], found.len()), (16, 16, 1, 18));

        // Each changes theirs twice over, a few delete theirs, and everybody edits one text at once.
        let shared = app.case_study(&ada, &json!({ "tags": ["second", "shared"], "coAuthorIds": people[..10].iter().map(|person| &person.id).collect::<Vec<_>>() })).await;
        let each = people.iter().zip(&posts).enumerate().map(async |(n, (person, post))| {
            let edit = |tags: Json| json!({ "id": post, "expectedVersion": 1, "tags": tags });
            let (one, two) = (edit(json!(["third", "second"])), edit(json!(["Third", format!("other {n}")])));
            let together = json!({ "id": shared, "expectedVersion": 2, "tags": ["second", "third", format!("by {n}")] });
            let (one, two, _) = tokio::join!(
                app.mutate(person, "updatePost", &one, "post { version }"),
                app.mutate(person, "updatePost", &two, "post { version }"),
                app.mutate(person, "updateCaseStudy", &together, ""),
            );
            let won = [&one, &two].iter().filter(|outcome| outcome["userErrors"] == json!([])).count();
            assert_eq!(won, 1, "{one} {two}");
            if n % 4 == 0 {
                app.mutate(person, "deletePost", &json!({ "id": post }), "deletedPostId").await;
            }
        });
        futures_util::future::join_all(each).await;
        let found = uses(app, &ada).await;
        assert_eq!(found, truth(app, &ada).await);
        assert_eq!((found["tag_third"], found.get("tag_first"), found.get("tag_shared")), (13, None, None));
    }

    async fn tags_are_listed_by_use_and_found_by_their_beginning(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for tags in [&["quiet", "Quiet nights", "tŷ hapus"][..], &["quiet nights", "QUIET-NIGHTS", "R&D"], &["quiet nights", "quiet", "2026"]] {
            app.create_post(&ada, idea(tags)).await;
        }
        let named = async |start: &str| {
            let query = "query($start: String!) { tags(startsWith: $start) { totalCount nodes { name uses } } }";
            let answer = app.graphql(&ada.token, query, json!({ "start": start })).await;
            let list = &answer["data"]["tags"];
            let names: Vec<String> = list["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|tag| tag["name"].as_str().unwrap().to_owned()).collect();
            assert_eq!(list["totalCount"], names.len(), "{start}");
            names
        };
        let listed = app.graphql(&ada.token, "{ tags(first: 2) { totalCount nodes { name uses } } }", json!({})).await;
        assert_eq!(listed["data"]["tags"], json!({ "totalCount": 5, "nodes": [{ "name": "Quiet nights", "uses": 3 }, { "name": "quiet", "uses": 2 }] }));
        for (start, expected) in [
            ("QU", &["quiet", "Quiet nights"][..]), ("#quiet_n", &["Quiet nights"]), ("quiet ", &["quiet", "Quiet nights"]), ("ty\u{302}", &["tŷ hapus"]), ("r&", &["R&D"]), ("20", &["2026"]),
            ("", &["2026", "quiet", "Quiet nights", "R&D", "tŷ hapus"]), (" # ", &["2026", "quiet", "Quiet nights", "R&D", "tŷ hapus"]), ("%", &[]), (".*", &[]), ("uiet", &[]), ("quietly", &[]),
        ] {
            assert_eq!(named(start).await, expected, "{start:?}");
        }
        let page = "query($after: String, $start: String) { tags(first: 1, after: $after, startsWith: $start) { pageInfo { endCursor } nodes { name } } }";
        let first = app.graphql(&ada.token, page, json!({ "start": "q" })).await;
        let cursor = &first["data"]["tags"]["pageInfo"]["endCursor"];
        let second = app.graphql(&ada.token, page, json!({ "start": "q", "after": cursor })).await;
        assert_eq!(second["data"]["tags"]["nodes"], json!([{ "name": "Quiet nights" }]));
        let other_order = app.graphql(&ada.token, page, json!({ "after": cursor })).await;
        assert_eq!(other_order["errors"][0]["extensions"]["code"], "BAD_CURSOR");
    }

    async fn contributions_are_found_by_tag(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let first = app.create_post(&ada, idea(&["quiet", "night"])).await;
        app.advance(chrono::TimeDelta::minutes(1));
        let second = app.create_post(&ada, json!({ "kind": "QUESTION", "title": "Why?", "body": "x", "topicIds": ["top_mental-health"], "tags": ["Quiet"], "publish": true })).await;
        app.create_post(&ada, json!({ "kind": "IDEA", "title": "A draft", "tags": ["quiet"] })).await;
        let case_study = app.case_study(&ada, &json!({ "tags": ["QUIET"] })).await;
        let other = app.case_study(&ada, &json!({ "tags": ["night"] })).await;
        let query = "query($posts: PostFilterInput!, $studies: CaseStudyFilterInput!, $order: PostOrder!, $studyOrder: CaseStudyOrder!) {
            posts(filter: $posts, orderBy: $order) { totalCount nodes { id } } caseStudies(filter: $studies, orderBy: $studyOrder) { totalCount nodes { id } } }";
        let found = async |posts: Json, studies: Json, order: &str| {
            let answer = app.graphql(&ada.token, query, json!({ "posts": posts, "studies": studies, "order": order, "studyOrder": order })).await;
            ["posts", "caseStudies"].map(|list| {
                let list = &answer["data"][list];
                let ids: Vec<String> = list["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
                assert_eq!(list["totalCount"], ids.len());
                ids
            })
        };
        let by = |tag: &str| json!({ "tag": tag });
        assert_eq!(found(by("tag_quiet"), by("tag_quiet"), "NEWEST").await, [vec![second.clone(), first.clone()], vec![case_study.clone()]]);
        assert_eq!(found(by("tag_quiet"), by("tag_night"), "OLDEST").await, [vec![first.clone(), second.clone()], vec![other]]);
        let narrow = json!({ "tag": "tag_quiet", "kind": "QUESTION", "topicId": "top_mental-health", "authorId": ada.id });
        assert_eq!(found(narrow, json!({ "tag": "tag_quiet", "topicId": "top_volunteering" }), "NEWEST").await, [vec![second], vec![case_study.clone()]]);
        assert_eq!(found(by("quiet"), by("$where"), "NEWEST").await, [vec![], Vec::<String>::new()]);
        // They are found by what they say now.
        app.mutate(&ada, "updatePost", &json!({ "id": first, "expectedVersion": 1, "tags": ["night"] }), "").await;
        app.mutate(&ada, "updateCaseStudy", &json!({ "id": case_study, "expectedVersion": 2, "tags": [] }), "").await;
        let [posts, studies] = found(by("tag_quiet"), by("tag_quiet"), "NEWEST").await;
        assert_eq!((posts.len(), studies.len()), (1, 0));
    }

    async fn those_who_write_together_see_the_tags_of_both(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = app.case_study(&ada, &json!({ "tags": ["One"] })).await;
        let edit = |tags: Json| json!({ "id": id, "expectedVersion": 2, "tags": tags });
        let fields = "caseStudy { tags { name uses } } yours { tags { name uses } }";
        app.mutate(&ada, "updateCaseStudy", &edit(json!(["One", "Two"])), fields).await;
        let late = app.mutate(&ada, "updateCaseStudy", &edit(json!(["one", "Brand new"])), fields).await;
        assert_eq!(late["caseStudy"]["tags"], json!([{ "name": "One", "uses": 1 }, { "name": "Two", "uses": 1 }]), "{late}");
        assert_eq!(late["yours"]["tags"], json!([{ "name": "One", "uses": 1 }, { "name": "Brand new", "uses": 0 }]));
        assert_eq!(uses(app, &ada).await.len(), 2, "nothing of it is stored");
        let query = "query($id: ID!) { node(id: $id) { ... on CaseStudy { revisions(first: 1) { nodes { changes { field difference { kind text } } } } } } }";
        let read = app.graphql(&ada.token, query, json!({ "id": id })).await;
        let change = &read["data"]["node"]["revisions"]["nodes"][0]["changes"];
        assert_eq!(change[0]["field"], "tags", "{read}");
        let text: String = change[0]["difference"].as_array().unwrap().iter().filter(|part| part["kind"] != "REMOVED").map(|part| part["text"].as_str().unwrap()).collect();
        assert_eq!(text, "One\nTwo");
    }

    async fn a_page_costs_the_same_calls_however_many_tags_are_on_it(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let query = "{ feed(first: 20) { nodes { title author { name } topics { name } tags { name uses } } } }";
        let calls = async || {
            let mut counts = std::collections::BTreeSet::new();
            for _ in 0..20 {
                let before = app.app.store.calls();
                let answer = app.graphql(&ada.token, query, json!({})).await;
                assert_eq!(answer["errors"], Json::Null, "{answer}");
                counts.insert(app.app.store.calls() - before);
            }
            assert_eq!(counts.len(), 1, "{counts:?}");
            counts.pop_first().unwrap()
        };
        app.create_post(&ada, idea(&["only one"])).await;
        app.case_study(&ada, &json!({ "tags": ["only one"] })).await;
        let few = calls().await;
        for n in 0..12 {
            let tags = (0..5).map(|m| format!("tag {}", n * 5 + m)).collect::<Vec<_>>();
            app.create_post(&ada, idea(&tags.iter().map(String::as_str).collect::<Vec<_>>())).await;
            app.case_study(&ada, &json!({ "tags": tags })).await;
        }
        // The viewer, the page's entries, their posts, their case studies, topics, tags; the author is the viewer.
        assert_eq!((few, calls().await), (6, 6));
    }
}
