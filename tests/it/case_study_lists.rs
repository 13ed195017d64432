//! Where case studies are listed: among posts, by what they are, and when they may be out of date.

use chrono::TimeDelta;
use hope_exchange::jobs::{self, review_reminder};
use serde_json::{Value as Json, json};

use crate::on_both_stores;

fn idea(title: &str) -> Json {
    json!({ "kind": "IDEA", "title": title, "body": "Useful.", "topicIds": ["top_volunteering"], "publish": true })
}

on_both_stores! {
    async fn the_feed_has_both_kinds_in_one_order(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for n in 0..4 {
            app.advance(TimeDelta::minutes(1));
            app.create_post(&ada, idea(&format!("Post {n}"))).await;
            app.advance(TimeDelta::minutes(1));
            app.case_study(&ada, &json!({ "title": format!("Case study {n}") })).await;
        }
        let query = "query($first: Int, $after: String, $last: Int, $before: String, $order: PostOrder! = NEWEST) {
            feed(first: $first, after: $after, last: $last, before: $before, orderBy: $order) { totalCount pageInfo { endCursor startCursor hasNextPage } nodes { title __typename } } }";
        let page = async |variables: Json| {
            let answer = app.graphql(&ada.token, query, variables).await;
            let feed = answer["data"]["feed"].clone();
            let titles: Vec<String> = feed["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect();
            (titles, feed)
        };
        let (first, feed) = page(json!({ "first": 3 })).await;
        assert_eq!(first, ["Case study 3", "Post 3", "Case study 2"]);
        assert_eq!((&feed["totalCount"], &feed["nodes"][0]["__typename"]), (&json!(8), &json!("CaseStudy")));
        app.advance(TimeDelta::minutes(1));
        app.create_post(&ada, idea("Post 4")).await;
        let (second, feed) = page(json!({ "first": 3, "after": feed["pageInfo"]["endCursor"] })).await;
        assert_eq!(second, ["Post 2", "Case study 1", "Post 1"]);
        let (back, _) = page(json!({ "last": 2, "before": feed["pageInfo"]["startCursor"] })).await;
        assert_eq!(back, ["Post 3", "Case study 2"]);
        let (oldest, _) = page(json!({ "first": 2, "order": "OLDEST" })).await;
        assert_eq!(oldest, ["Post 0", "Case study 0"]);
        let drafts = "{ viewer { drafts { nodes { __typename title } } } }";
        app.draft(&ada, &json!({ "title": "A draft" })).await;
        app.advance(TimeDelta::minutes(1));
        app.create_post(&ada, json!({ "kind": "IDEA", "title": "Another" })).await;
        let answer = app.graphql(&ada.token, drafts, json!({})).await;
        assert_eq!(answer["data"]["viewer"]["drafts"]["nodes"], json!([{ "__typename": "Post", "title": "Another" }, { "__typename": "CaseStudy", "title": "A draft" }]));
    }

    async fn case_studies_are_filtered_by_what_they_are(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let first = app.case_study(&ada, &json!({ "topicIds": ["top_mental-health", "top_volunteering"], "otherMethods": ["schwartz-rounds"],
            "partnerOrganisations": [{ "organisationId": joan.organisation }], "coAuthorIds": [joan.id] })).await;
        app.advance(TimeDelta::minutes(1));
        let second = app.case_study(&grace, &json!({ "settings": ["nhs-community", "icb"], "method": "lean-or-six-sigma", "feedbackSources": ["pals"],
            "involvement": { "level": "NONE" }, "status": "STOPPED", "cost": "NOT_KNOWN", "reviewDate": "2026-05-01" })).await;
        app.create_post(&ada, idea("A post")).await;
        let adopt = json!({ "caseStudyId": second, "status": "TESTING" });
        app.mutate(&joan, "recordAdoption", &adopt, "").await;
        app.mutate(&ada, "recordAdoption", &json!({ "caseStudyId": second, "status": "STOPPED" }), "").await;
        let query = "query($filter: CaseStudyFilterInput!, $order: CaseStudyOrder! = NEWEST) { caseStudies(filter: $filter, orderBy: $order) { totalCount nodes { id } } }";
        let found = async |filter: Json, order: &str| {
            let answer = app.graphql(&ada.token, query, json!({ "filter": filter, "order": order })).await;
            let list = &answer["data"]["caseStudies"];
            let ids: Vec<String> = list["nodes"].as_array().unwrap_or_else(|| panic!("{filter}: {answer}")).iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(list["totalCount"], ids.len(), "{filter}");
            ids
        };
        assert_eq!(found(json!({}), "NEWEST").await, [second.clone(), first.clone()]);
        assert_eq!(found(json!({}), "OLDEST").await, [first.clone(), second.clone()]);
        for (filter, expected) in [
            (json!({ "topicId": "top_mental-health" }), vec![&first]),
            (json!({ "topicId": "top_volunteering" }), vec![&second, &first]),
            (json!({ "setting": "icb" }), vec![&second]),
            (json!({ "method": "schwartz-rounds" }), vec![&first]),
            (json!({ "feedbackSource": "pals" }), vec![&second]),
            (json!({ "involvement": "NONE" }), vec![&second]),
            (json!({ "region": "Y62" }), vec![&second, &first]),
            (json!({ "region": "Y56" }), vec![]),
            (json!({ "status": "STOPPED" }), vec![&second]),
            (json!({ "cost": "UNDER_1000" }), vec![&first]),
            (json!({ "organisationId": joan.organisation }), vec![&first]),
            (json!({ "authorId": joan.id }), vec![&first]),
            (json!({ "authorId": "nobody" }), vec![]),
            (json!({ "adoptionStatus": "TESTING" }), vec![&second]),
            (json!({ "adoptionStatus": "ADOPTED" }), vec![]),
            (json!({ "adoptedByOrganisationId": joan.organisation }), vec![&second]),
            (json!({ "adoptedByOrganisationId": joan.organisation, "adoptionStatus": "STOPPED" }), vec![]),
            (json!({ "adoptedByOrganisationId": ada.organisation, "adoptionStatus": "STOPPED" }), vec![&second]),
            (json!({ "topicId": "top_volunteering", "setting": "nhs-acute", "cost": "UNDER_1000", "region": "Y62", "mayBeOutOfDate": false }), vec![&first]),
            (json!({ "mayBeOutOfDate": true }), vec![]),
        ] {
            assert_eq!(found(filter.clone(), "NEWEST").await.iter().collect::<Vec<_>>(), expected, "{filter}");
            found(filter, "OLDEST").await;
        }
        // A record that changes is found by what it says now.
        let adoption = format!("adp_{}-{}", &second[4..], &joan.organisation[4..]);
        app.mutate(&joan, "updateAdoption", &json!({ "id": adoption, "expectedVersion": 1, "status": "ADOPTED" }), "").await;
        assert_eq!(found(json!({ "adoptionStatus": "TESTING" }), "NEWEST").await.len(), 0);
        assert_eq!(found(json!({ "adoptionStatus": "ADOPTED" }), "NEWEST").await, [second]);
    }

    async fn it_may_be_out_of_date_from_its_review_date_and_its_authors_hear_of_it_once(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = app.case_study(&ada, &json!({ "coAuthorIds": [grace.id], "reviewDate": "2026-07-01" })).await;
        let look = "query($id: ID!) { node(id: $id) { ... on CaseStudy { state version } } caseStudies(filter: { mayBeOutOfDate: true }) { totalCount } feed { totalCount } }";
        let seen = async || {
            let answer = app.graphql(&app.sign_in_again(&ada).token, look, json!({ "id": id })).await;
            (answer["data"]["node"]["state"].clone(), answer["data"]["caseStudies"]["totalCount"].clone(), answer["data"]["feed"]["totalCount"].clone())
        };
        let remind = async || {
            let plans = futures_util::future::join_all((0..4).map(|_| review_reminder::plan(&app.app))).await;
            let planned: usize = plans.into_iter().map(Result::unwrap).sum();
            jobs::run_due(&app.app).await.unwrap();
            (planned, app.take_mail())
        };
        // It is a moment before midnight in London, in summer.
        app.app.clock.set("2026-06-30T22:59:59.999Z".parse().unwrap());
        assert_eq!(seen().await, (json!("PUBLISHED"), json!(0), json!(1)));
        assert_eq!(remind().await.0, 0);
        app.advance(TimeDelta::milliseconds(1));
        assert_eq!(seen().await, (json!("MAY_BE_OUT_OF_DATE"), json!(1), json!(1)));
        let (planned, mail) = remind().await;
        let mut to: Vec<(&str, &str)> = mail.iter().map(|message| (message.to.as_str(), message.subject.as_str())).collect();
        to.sort_unstable();
        let subject = "Is it still right? Quiet nights on the wards";
        assert_eq!((planned, to), (3, vec![("ada-moore@ada-moore.nhs.uk", subject), ("grace-hill@grace-hill.nhs.uk", subject), ("quality@trust.nhs.uk", subject)]));
        app.advance(TimeDelta::days(30));
        let (ada, version) = (app.sign_in_again(&ada), 2);
        assert_eq!(remind().await.0, 0);

        // Looked at again: a new date, and a new reminder when that comes.
        let past = json!({ "id": id, "expectedVersion": version, "reviewDate": "2026-07-31" });
        assert_eq!(app.mutate(&ada, "updateCaseStudy", &past, "").await["userErrors"][0]["field"], json!(["reviewDate"]));
        let later = json!({ "id": id, "expectedVersion": version, "reviewDate": "2027-01-01" });
        assert_eq!(app.mutate(&ada, "updateCaseStudy", &later, "").await["userErrors"], json!([]));
        assert_eq!(seen().await, (json!("PUBLISHED"), json!(0), json!(1)));
        assert_eq!(remind().await.0, 0);
        app.app.clock.set("2027-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(remind().await.0, 3);
        // What is archived reminds nobody.
        let ada = app.sign_in_again(&ada);
        app.app.clock.set("2027-01-01T00:01:00Z".parse().unwrap());
        app.mutate(&ada, "updateCaseStudy", &json!({ "id": id, "expectedVersion": 3, "reviewDate": "2027-02-01" }), "").await;
        app.mutate(&ada, "archiveCaseStudy", &json!({ "id": id }), "").await;
        app.app.clock.set("2027-02-02T00:00:00Z".parse().unwrap());
        assert_eq!(remind().await.0, 0);
    }

    async fn a_page_costs_the_same_calls_whatever_is_on_it(app: &TestApp) {
        let people = [app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await];
        let node = "id title author { name } coAuthors { name } organisation { name } leadOrganisation { name organisation { name } } topics { name } thread { commentCount } adoptionSummary { adopted testing }";
        let list = format!("{{ caseStudies(first: 20) {{ pageInfo {{ hasNextPage }} nodes {{ {node} }} }} }}");
        let feed = "{ feed(first: 20) { nodes { id title summary author { name organisation { name } } organisation { name } topics { name } thread { commentCount } } } }".to_owned();
        let calls = async |query: &str| {
            // Again and again: the number hangs on the query, and on no race.
            let mut counts = std::collections::BTreeSet::new();
            for _ in 0..20 {
                let before = app.app.store.calls();
                let answer = app.graphql(&people[0].token, query, json!({})).await;
                assert_eq!(answer["errors"], Json::Null, "{answer}");
                let list = if query == feed { "feed" } else { "caseStudies" };
                let nodes = answer["data"][list]["nodes"].as_array().unwrap().len();
                counts.insert((nodes, app.app.store.calls() - before));
            }
            assert_eq!(counts.len(), 1, "{counts:?}");
            counts.pop_first().unwrap()
        };
        let write = async |n: usize| {
            let id = app.case_study(&people[n % 3], &json!({ "title": format!("Case study {n}"), "coAuthorIds": [people[(n + 1) % 3].id] })).await;
            app.mutate(&people[(n + 2) % 3], "recordAdoption", &json!({ "caseStudyId": id, "status": "TESTING" }), "").await;
            app.create_post(&people[n % 3], idea("A post")).await;
        };
        write(0).await;
        let few = (calls(&list).await, calls(&feed).await);
        for n in 1..22 {
            write(n).await;
        }
        let many = (calls(&list).await, calls(&feed).await);
        assert_eq!((few.0.0, few.1.0, many.0.0, many.1.0), (1, 2, 20, 20));
        // The viewer, the entries, case studies (and posts in the feed), members, organisations, topics,
        // threads. The entries bring the summary of adoptions.
        assert!(few.0.1 <= 7 && many.0.1 <= 7, "{few:?} {many:?}");
        assert!(few.1.1 <= 8 && many.1.1 <= 8, "{few:?} {many:?}");
    }
}
