//! Finding peers, and what members show of themselves.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        email::EmailAddress,
        fold::fold,
        member::{Member, Role},
        organisation::{OdsCode, Organisation},
        place::Place,
        profile::{PeerFilter, Phone},
    },
    ids::Id,
    jobs,
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    case_studies::with,
    community::{self, all, insert, reload},
    on_both_stores,
    organisations::reads_an_index,
};

const LIST: &str =
    "query($filter: MemberFilterInput!, $first: Int, $after: String, $last: Int, $before: String) {
    members(filter: $filter, first: $first, after: $after, last: $last, before: $before) { totalCount
      pageInfo { hasNextPage hasPreviousPage endCursor startCursor } edges { cursor } nodes { name } } }";

async fn page(app: &TestApp, by: &Person, variables: Json) -> (Vec<String>, Json) {
    let answer = app.graphql(&by.token, LIST, variables).await;
    let list = answer["data"]["members"].clone();
    let names = list["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
    (names.map(|node| node["name"].as_str().unwrap().to_owned()).collect(), list)
}

async fn names(app: &TestApp, by: &Person, filter: Json) -> Vec<String> {
    let (names, list) = page(app, by, json!({ "filter": filter, "first": 100 })).await;
    assert_eq!(list["totalCount"], names.len(), "{filter}");
    names
}

const PROFILE: &str =
    "profile { name jobTitle pronouns phone interests { slug } experience { topics { slug } tags } version
    visibility { email phone jobTitle pronouns interests experience } }";

async fn update(app: &TestApp, by: &Person, version: i64, changes: Json) -> Json {
    let input = with(json!({ "expectedVersion": version }), &changes);
    app.mutate(by, "updateProfile", &input, PROFILE).await
}

async fn updated(app: &TestApp, by: &Person, version: i64, changes: Json) -> Json {
    let payload = update(app, by, version, changes).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["profile"].clone()
}

async fn place(app: &TestApp, of: &Person, kind: &str, region: &str, icb: &str) {
    let id: Id<Organisation> = Id::parse(&of.organisation).unwrap();
    let change = |organisation: &mut Organisation| -> hope_exchange::error::Result<((), Batch)> {
        organisation.kind = Some(kind.to_owned());
        organisation.region = Some(region.to_owned());
        organisation.icb = Some(icb.to_owned());
        Ok(((), Batch::new()))
    };
    app.app.store.change(&id, change).await.unwrap();
    let organisation: Organisation = reload(&app.app.store, &id).await;
    for mut member in all::<Member>(&app.app.store).await {
        if member.organisation.as_ref() == Some(&id) {
            member.works_at(Some(&organisation));
            app.app.store.commit(Batch::new().replace(&member)).await.unwrap();
        }
    }
}

on_both_stores! {
    /// Those whose address tells where they work work there; the others say it.
    async fn members_say_where_they_work(app: &TestApp) {
        let (ada, grace, pat) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Pat Green").await);
        let choose = async |by: &Person, version: i64, id: &Json| {
            let payload = update(app, by, version, json!({ "organisationId": id })).await;
            let viewer = app.graphql(&by.token, "{ viewer { organisation { id } } }", json!({})).await;
            (payload["userErrors"][0]["message"].as_str().unwrap_or_default().to_owned(), viewer["data"]["viewer"]["organisation"]["id"].clone())
        };
        let (own, theirs) = (json!(ada.organisation), json!(grace.organisation));
        // An address at Ada's trust.
        let (refused, now) = choose(&ada, 1, &theirs).await;
        assert!(refused.contains("Ada Moore NHS Trust") && now == own, "{refused} {now}");
        assert_eq!(choose(&ada, 1, &Json::Null).await, (String::new(), Json::Null));
        assert_eq!(choose(&ada, 2, &own).await, (String::new(), own.clone()));
        // One that the whole NHS shares.
        app.change(&grace, |member| member.email = EmailAddress::parse("grace.hill@nhs.net").unwrap()).await;
        assert_eq!(choose(&grace, 1, &own).await, (String::new(), own.clone()));
        assert_eq!(names(app, &ada, json!({ "organisationId": own })).await, ["Ada Moore", "Grace Hill"]);
        let closed: Id<Organisation> = Id::parse(&pat.organisation).unwrap();
        let close = |organisation: &mut Organisation| -> hope_exchange::error::Result<((), Batch)> {
            organisation.closed = Some(app.now().london().date_naive().pred_opt().unwrap());
            Ok(((), Batch::new()))
        };
        app.app.store.change(&closed, close).await.unwrap();
        for id in [json!(closed), json!("org_none"), json!(ada.id)] {
            let (refused, now) = choose(&grace, 2, &id).await;
            assert!(refused.contains("in the directory and not closed") && now == own, "{id}: {refused} {now}");
        }
        app.grant(&pat, Role::Partner).await;
        let (refused, _) = choose(&pat, 1, &own).await;
        assert!(refused.contains("guests"), "{refused}");
    }

    async fn peers_are_found_by_what_they_are_and_care_about(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Sian Oneill").await);
        updated(app, &joan, 1, json!({ "name": "Siân O'Neill" })).await;
        app.colleague(&ada, "Ivy Stone").await;
        place(app, &ada, "nhs-acute", "Y62", "QOP").await;
        place(app, &grace, "icb", "Y56", "QKK").await;
        updated(app, &ada, 1, json!({ "interestIds": ["top_volunteering", "top_mental-health"], "experienceTags": ["Schwartz rounds", "schwartz-ROUNDS"] })).await;
        updated(app, &grace, 1, json!({ "interestIds": ["top_volunteering"], "experienceTopicIds": ["top_mental-health"] })).await;
        app.stands(&joan, "follow", "top_volunteering").await;
        app.create_post(&grace, json!({ "kind": "IDEA", "title": "An idea", "body": "Ask.", "topicIds": ["top_volunteering"], "publish": true })).await;
        app.create_post(&ada, json!({ "kind": "IDEA", "title": "A draft", "body": "Ask.", "topicIds": ["top_volunteering"] })).await;
        jobs::run_due(&app.app).await.unwrap();
        for (filter, expected) in [
            (json!({}), vec!["Ada Moore", "Grace Hill", "Ivy Stone", "Siân O'Neill"]),
            (json!({ "organisationId": ada.organisation }), vec!["Ada Moore", "Ivy Stone"]),
            (json!({ "organisationId": "org_none" }), vec![]),
            (json!({ "organisationType": "nhs-acute" }), vec!["Ada Moore", "Ivy Stone"]),
            (json!({ "organisationType": "nhs-acute", "region": "Y62", "icb": "QOP" }), vec!["Ada Moore", "Ivy Stone"]),
            (json!({ "organisationType": "nhs-acute", "region": "Y56" }), vec![]),
            (json!({ "region": "Y62" }), vec!["Ada Moore", "Ivy Stone", "Siân O'Neill"]),
            (json!({ "icb": "QKK" }), vec!["Grace Hill"]),
            (json!({ "topicId": "top_volunteering" }), vec!["Grace Hill", "Siân O'Neill"]),
            (json!({ "interestId": "top_volunteering" }), vec!["Ada Moore", "Grace Hill"]),
            (json!({ "interestId": "top_volunteering", "region": "Y62" }), vec!["Ada Moore"]),
            (json!({ "experienceTag": "  SCHWARTZ rounds" }), vec!["Ada Moore"]),
            (json!({ "experienceTag": "$where" }), vec![]),
            (json!({ "experienceTopicId": "top_mental-health" }), vec!["Grace Hill"]),
            (json!({ "nameStartsWith": "sian oneill" }), vec!["Siân O'Neill"]),
            (json!({ "nameStartsWith": "i" }), vec!["Ivy Stone"]),
            (json!({ "nameStartsWith": "A", "organisationId": ada.organisation }), vec!["Ada Moore"]),
            (json!({ "nameStartsWith": "stone" }), vec![]),
        ] {
            assert_eq!(names(app, &joan, filter.clone()).await, expected, "{filter}");
        }
        // What they no longer do finds them no longer.
        app.stands(&joan, "mute", "top_volunteering").await;
        let post = app.graphql(&grace.token, "{ posts { nodes { id } } }", json!({})).await["data"]["posts"]["nodes"][0]["id"].clone();
        app.mutate(&grace, "deletePost", &json!({ "id": post }), "").await;
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(names(app, &joan, json!({ "topicId": "top_volunteering" })).await, [""; 0]);
        // Co-authors wrote it, too, and a topic that an edit adds counts.
        let study = app.case_study(&ada, &json!({ "topicIds": ["top_volunteering"], "coAuthorIds": [grace.id] })).await;
        app.mutate(&ada, "updateCaseStudy", &json!({ "id": study, "expectedVersion": 2, "topicIds": ["top_dementia-and-frailty"] }), "").await;
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(names(app, &joan, json!({ "topicId": "top_dementia-and-frailty" })).await, ["Ada Moore", "Grace Hill"]);
        assert_eq!(names(app, &joan, json!({ "topicId": "top_volunteering" })).await, [""; 0]);
    }

    async fn each_shows_what_they_choose_to_whom_they_choose(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (ivy, joan, mary) = (app.colleague(&ada, "Ivy Stone").await, app.person("Joan Clarke").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Administrator).await;
        let told = json!({ "jobTitle": "Head of Experience", "pronouns": "she/her", "phone": "0161 276 1234", "interestIds": ["top_volunteering"], "experienceTags": ["Easy read"] });
        updated(app, &ada, 1, told).await;
        let look = "query($id: ID!) { node(id: $id) { ... on Member { email phone jobTitle pronouns interests { slug } experience { tags } } } }";
        for (version, audience) in (2..).zip(["NOBODY", "ORGANISATION", "MEMBERS"]) {
            let all: Json = ["email", "phone", "jobTitle", "pronouns", "interests", "experience"].iter().map(|part| ((*part).to_owned(), json!(audience))).collect::<serde_json::Map<_, _>>().into();
            updated(app, &ada, version, json!({ "visibility": all })).await;
            for (who, sees) in [(&ada, true), (&ivy, audience != "NOBODY"), (&joan, audience == "MEMBERS"), (&mary, audience == "MEMBERS")] {
                let seen = app.graphql(&who.token, look, json!({ "id": ada.id })).await["data"]["node"].clone();
                let (whole, nothing) = (
                    json!({ "email": "ada-moore@ada-moore.nhs.uk", "phone": "0161 276 1234", "jobTitle": "Head of Experience", "pronouns": "she/her", "interests": [{ "slug": "volunteering" }], "experience": { "tags": ["Easy read"] } }),
                    json!({ "email": null, "phone": null, "jobTitle": null, "pronouns": null, "interests": [], "experience": null }),
                );
                assert_eq!(seen, if sees { whole } else { nothing }, "{audience} {}", who.id);
            }
            // What is not shown to all finds nobody, not even for colleagues.
            let found = if audience == "MEMBERS" { vec!["Ada Moore"] } else { vec![] };
            for filter in [json!({ "interestId": "top_volunteering" }), json!({ "experienceTag": "easy read" })] {
                assert_eq!(names(app, &ivy, filter).await, found, "{audience}");
            }
        }
    }

    /// Addresses begin in all sorts of ways; neither a filter, nor the order, nor a cursor tells how.
    async fn an_address_that_is_not_shown_is_nowhere(app: &TestApp) {
        let joan = app.person("Joan Clarke").await;
        for (name, address) in [("Zoe Last", "aaa.zqfirst@trust.nhs.uk"), ("Amy First", "zzz.zqlast@trust.nhs.uk")] {
            let mut member = community::member(&app.app.ids, name, app.now());
            member.email = hope_exchange::domain::email::EmailAddress::parse(address).unwrap();
            member.email_key = member.email.key();
            member.rename(name.to_owned());
            insert(&app.app.store, [&member]).await;
        }
        assert_eq!(names(app, &joan, json!({})).await, ["Amy First", "Joan Clarke", "Zoe Last"]);
        for typed in ["aaa", "zzz", "aaa.zqfirst@trust.nhs.uk", "trust"] {
            assert_eq!(names(app, &joan, json!({ "nameStartsWith": typed })).await, [""; 0]);
        }
        let everything = "{ members { edges { cursor node { id name email phone jobTitle pronouns } } nodes { email } } }";
        let answer = app.graphql(&joan.token, everything, json!({})).await;
        let mut text = answer.to_string();
        for edge in answer["data"]["members"]["edges"].as_array().unwrap_or_else(|| panic!("{answer}")) {
            let cursor = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, edge["cursor"].as_str().unwrap()).unwrap();
            text += &String::from_utf8_lossy(&cursor);
        }
        assert!(!text.contains("zq") && !text.contains("trust.nhs.uk") && text.contains("amy first"), "{text}");
        let unknown = app.graphql(&joan.token, "{ members(filter: { email: \"aaa\" }) { totalCount } }", json!({})).await;
        assert!(unknown["errors"].is_array(), "{unknown}");
    }

    async fn a_profile_is_changed_as_a_whole_or_not_at_all(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let read = async || app.graphql(&ada.token, &format!("{{ viewer {{ {PROFILE} }} }}"), json!({})).await["data"]["viewer"]["profile"].clone();
        let before = read().await;
        assert_eq!(before, json!({ "name": "Ada Moore", "jobTitle": null, "pronouns": null, "phone": null, "interests": [], "experience": { "topics": [], "tags": [] }, "version": 1,
            "visibility": { "email": "NOBODY", "phone": "NOBODY", "jobTitle": "MEMBERS", "pronouns": "MEMBERS", "interests": "MEMBERS", "experience": "MEMBERS" } }));
        let wrong = json!({ "name": " ", "jobTitle": "x".repeat(101), "pronouns": "call 07700 900123", "phone": "943 476 5919", "interestIds": ["top_volunteering", "top_nothing", "x"],
            "experienceTopicIds": vec!["top_volunteering"; 11], "experienceTags": ["fine", "NHS number 9434765919", "?!"] });
        let refused = update(app, &ada, 1, wrong).await;
        let found: Vec<(String, &str)> = refused["userErrors"].as_array().unwrap_or_else(|| panic!("{refused}")).iter()
            .map(|error| (error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect::<Vec<_>>().join("."), error["code"].as_str().unwrap())).collect();
        let expected = [("name", "REQUIRED"), ("jobTitle", "TOO_LONG"), ("pronouns", "PERSONAL_DATA"), ("phone", "INVALID"), ("interestIds.2", "UNKNOWN"), ("interestIds.1", "UNKNOWN"),
            ("experienceTopicIds", "TOO_MANY"), ("experienceTags.1", "PERSONAL_DATA"), ("experienceTags.2", "INVALID")].map(|(field, code)| (field.to_owned(), code));
        assert_eq!(found, expected);
        assert_eq!(read().await, before);

        let told = json!({ "name": "Ada  Moore-Hill", "jobTitle": "Head of Experience", "pronouns": "she/her", "phone": "0161 276 1234", "interestIds": ["top_volunteering"], "experienceTags": ["Easy read"], "visibility": { "email": "ORGANISATION" } });
        let after = updated(app, &ada, 1, told).await;
        assert_eq!((&after["name"], &after["version"], &after["visibility"]["email"], &after["visibility"]["phone"]), (&json!("Ada Moore-Hill"), &json!(2), &json!("ORGANISATION"), &json!("NOBODY")));
        // What is left out stays, what is null goes; following meanwhile makes nothing stale.
        app.stands(&ada, "follow", "top_volunteering").await;
        let after = updated(app, &ada, 2, json!({ "pronouns": null, "phone": null })).await;
        assert_eq!((&after["jobTitle"], &after["pronouns"], &after["phone"], &after["experience"]["tags"]), (&json!("Head of Experience"), &Json::Null, &Json::Null, &json!(["Easy read"])));
        let stale = update(app, &ada, 2, json!({ "jobTitle": "Matron" })).await;
        assert_eq!((&stale["userErrors"][0]["code"], &stale["profile"]["version"], &stale["profile"]["jobTitle"]), (&json!("STALE"), &json!(3), &json!("Head of Experience")));
        assert_eq!(names(app, &ada, json!({ "nameStartsWith": "ada moore hill" })).await, ["Ada Moore-Hill"]);
        let member: Member = reload(&app.app.store, &Id::parse(&ada.id).unwrap()).await;
        assert_eq!(member.profile.phone, None::<Phone>);

        // Twice the same request is one change; 20 of one version are one change.
        let twice = json!({ "jobTitle": "Matron", "clientMutationId": "one" });
        assert_eq!(updated(app, &ada, 3, twice.clone()).await["version"], 4);
        assert_eq!(updated(app, &ada, 3, twice).await["version"], 4);
        let all = futures_util::future::join_all((0..20).map(|n| update(app, &ada, 4, json!({ "jobTitle": format!("Title {n}") })))).await;
        let (won, lost): (Vec<&Json>, Vec<&Json>) = all.iter().partition(|payload| payload["userErrors"] == json!([]));
        assert_eq!((won.len(), lost.len()), (1, 19));
        assert!(lost.iter().all(|payload| payload["profile"]["jobTitle"] == won[0]["profile"]["jobTitle"]), "{lost:?}");
    }

    async fn whoever_is_suspended_is_not_listed(app: &TestApp) {
        let (ada, mary) = (app.person("Ada Moore").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Moderator).await;
        let until = app.now().plus(TimeDelta::hours(1)).to_string();
        app.mutate(&mary, "suspendMember", &json!({ "memberId": ada.id, "reason": "Not kind.", "until": until }), "").await;
        for filter in [json!({}), json!({ "nameStartsWith": "ada" }), json!({ "organisationId": ada.organisation })] {
            assert!(!names(app, &mary, filter).await.contains(&"Ada Moore".to_owned()));
        }
        app.advance(TimeDelta::hours(1));
        let mary = app.sign_in_again(&mary);
        assert_eq!(names(app, &mary, json!({})).await, ["Ada Moore", "Mary Ward"]);
        app.mutate(&mary, "suspendMember", &json!({ "memberId": ada.id, "reason": "Not kind." }), "").await;
        assert_eq!(names(app, &mary, json!({})).await, ["Mary Ward"]);
        app.mutate(&mary, "reinstateMember", &json!({ "memberId": ada.id, "reason": "Sorry." }), "").await;
        assert_eq!(names(app, &mary, json!({})).await, ["Ada Moore", "Mary Ward"]);
    }

    /// Whatever is asked for, what comes is what a walk over all members would find, in order, page by page
    /// in both directions.
    async fn lists_are_what_a_walk_would_find(app: &TestApp) {
        let joan = app.person("Zz Joan").await;
        let pick = |from: &[&str], at: usize| Some(from[at % from.len()]).filter(|text| !text.is_empty()).map(str::to_owned);
        let (kinds, regions, icbs) = (["nhs-acute", "icb", ""], ["Y56", "Y62"], ["QOP", "QKK", ""]);
        let organisations: Vec<Organisation> = (0..6).map(|n| Organisation {
            kind: pick(&kinds, n), region: pick(&regions, n / 2), icb: pick(&icbs, n / 3),
            ..Organisation::new(app.app.ids.fresh(), OdsCode::parse(&format!("X{n:02}")).unwrap(), "A trust", app.now())
        }).collect();
        insert(&app.app.store, &organisations).await;
        let topic = |n: usize| Id::of(["volunteering", "mental-health", "access", "dementia"][n % 4]);
        let members: Vec<Member> = (0..80_usize).map(|n| {
            let mut member = community::member(&app.app.ids, &format!("Member {n}"), app.now());
            member.rename(format!("{} {n}", ["Ann", "Anna", "Émile", "Bo-Li", "O'Hara"][n % 5]));
            member.works_at(organisations.get(n % 7));
            member.profile.interests = (0..n % 3).map(|m| topic(n + m)).collect();
            member.profile.experience_topics = (0..n % 2).map(|m| topic(n / 2 + m)).collect();
            member.profile.moves_in(&(0..n % 4).map(|m| topic(n / 3 + m)).collect());
            member.profile.tells();
            member
        }).collect();
        insert(&app.app.store, &members).await;
        for n in 0..120_usize {
            let wanted = PeerFilter {
                organisation: (n % 4 == 0).then(|| organisations[n % 6].id.clone()),
                place: Place { kind: pick(&kinds, n), region: (n % 3 == 0).then(|| regions[n % 2].to_owned()), icb: pick(&icbs, n / 4) },
                topic: (n % 5 == 0).then(|| topic(n / 5)),
                interest: (n % 7 == 1).then(|| topic(n / 7)),
                experience_topic: (n % 11 == 2).then(|| topic(n / 11)),
                experience_tag: None,
                starts_with: pick(&["", "", "ann", "emile", "bo li 1", "ohara"], n / 2),
            };
            let mut expected: Vec<(String, String)> = Vec::new();
            for member in &members {
                let organisation = organisations.iter().find(|one| Some(&one.id) == member.organisation.as_ref());
                let at = organisation.map(Organisation::place).unwrap_or_default();
                let holds = |asked: &Option<String>, is: &Option<String>| asked.is_none() || asked == is;
                let place = holds(&wanted.place.kind, &at.kind) && holds(&wanted.place.region, &at.region) && holds(&wanted.place.icb, &at.icb);
                let follows = wanted.topic.as_ref().is_none_or(|topic| member.profile.facets.iter().any(|facet| serde_json::to_value(facet).unwrap() == format!("topic:{topic}")));
                let profile = &member.profile;
                if place && follows
                    && wanted.organisation.as_ref().is_none_or(|id| member.organisation.as_ref() == Some(id))
                    && wanted.interest.as_ref().is_none_or(|topic| profile.interests.contains(topic))
                    && wanted.experience_topic.as_ref().is_none_or(|topic| profile.experience_topics.contains(topic))
                    && fold(&member.name).starts_with(&fold(wanted.starts_with.as_deref().unwrap_or_default()))
                {
                    expected.push((fold(&member.name), member.name.clone()));
                }
            }
            let nothing = wanted.organisation.is_none() && wanted.place.kind.is_none() && wanted.place.icb.is_none() && wanted.topic.is_none()
                && wanted.interest.is_none() && wanted.experience_topic.is_none() && wanted.starts_with.is_none();
            if nothing && wanted.place.region.as_deref().is_none_or(|region| region == "Y62") {
                expected.push(("zz joan".to_owned(), "Zz Joan".to_owned()));
            }
            expected.sort();
            let expected: Vec<String> = expected.into_iter().map(|(_, name)| name).collect();
            let filter = json!({ "organisationId": wanted.organisation.map(|id| id.to_string()), "organisationType": wanted.place.kind, "region": wanted.place.region, "icb": wanted.place.icb,
                "topicId": wanted.topic.map(|id| id.to_string()), "interestId": wanted.interest.map(|id| id.to_string()), "experienceTopicId": wanted.experience_topic.map(|id| id.to_string()), "nameStartsWith": wanted.starts_with });
            let (mut found, mut after) = (Vec::new(), Json::Null);
            loop {
                let (names, list) = page(app, &joan, json!({ "filter": filter, "first": 9, "after": after })).await;
                assert_eq!(list["totalCount"], expected.len(), "{filter}");
                found.extend(names);
                if list["pageInfo"]["hasNextPage"] != true {
                    break;
                }
                after = list["pageInfo"]["endCursor"].clone();
            }
            assert_eq!(found, expected, "{filter}");
            let (last, list) = page(app, &joan, json!({ "filter": filter, "last": 4 })).await;
            assert_eq!(last, expected[expected.len().saturating_sub(4)..], "{filter}");
            if list["pageInfo"]["hasPreviousPage"] == true {
                let (earlier, _) = page(app, &joan, json!({ "filter": filter, "last": 4, "before": list["pageInfo"]["startCursor"] })).await;
                assert_eq!(earlier, expected[expected.len().saturating_sub(8)..expected.len() - 4], "{filter}");
            }
        }
    }

    async fn every_list_is_read_from_its_index_and_a_longer_page_makes_no_more_calls(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let organisation: Organisation = reload(&app.app.store, &Id::parse(&ada.organisation).unwrap()).await;
        let members: Vec<Member> = (0..200).map(|n| {
            let mut member = community::member(&app.app.ids, &format!("Member {n}"), app.now());
            member.rename(format!("Member {n}"));
            member.works_at((n % 2 == 0).then_some(&organisation));
            member.profile.interests = vec![Id::of("volunteering")];
            member.profile.tells();
            member
        }).collect();
        insert(&app.app.store, &members).await;
        let (organisation, region) = (Some(organisation.id), Some("Y62".to_owned()));
        let place = Place { region, ..Place::default() };
        let (topic, interest) = (Some(Id::of("access")), Some(Id::of("volunteering")));
        let filters = [
            PeerFilter::default(),
            PeerFilter { organisation: organisation.clone(), ..PeerFilter::default() },
            PeerFilter { place: place.clone(), ..PeerFilter::default() },
            PeerFilter { topic: topic.clone(), ..PeerFilter::default() },
            PeerFilter { interest: interest.clone(), ..PeerFilter::default() },
            PeerFilter { experience_topic: topic.clone(), ..PeerFilter::default() },
            PeerFilter { experience_tag: Some("easy read".to_owned()), ..PeerFilter::default() },
            PeerFilter { organisation, place, topic, interest, ..PeerFilter::default() },
        ];
        let signed_in = hope_exchange::actions::access::SignedIn { session: Id::of("1"), factor_at: None, strong: true };
        let viewer = hope_exchange::actions::access::Viewer::proven(&app.app, members[0].clone(), hope_exchange::actions::access::Credential::Session(signed_in)).unwrap();
        for filter in filters {
            for starts_with in [None, Some("member 1".to_owned())] {
                let filter = PeerFilter { starts_with, ..filter.clone() };
                let listing = hope_exchange::actions::peer::members(&viewer, &filter, app.now());
                reads_an_index(&app.app.store, &listing.filter, &listing.order).await;
                reads_an_index(&app.app.store, &listing.filter, &listing.order.reversed()).await;
            }
        }
        let calls = async |first: usize| {
            let query = format!("{{ members(first: {first}) {{ nodes {{ name email organisation {{ name }} interests {{ name }} experience {{ tags }} }} }} }}");
            app.calls_of(&ada, &query).await
        };
        let few = calls(5).await;
        assert_eq!((few, calls(20).await), (few, few));
    }

    /// A refresh that comes late finds what is there then, and never undoes what a member said.
    async fn refreshing_is_safe_to_repeat_beside_edits(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id: Id<Member> = Id::parse(&ada.id).unwrap();
        app.stands(&ada, "follow", "top_volunteering").await;
        let edits = async {
            for version in 1..=10 {
                let topic = if version % 2 == 0 { "top_volunteering" } else { "top_mental-health" };
                updated(app, &ada, version, json!({ "interestIds": [topic] })).await;
            }
        };
        let refreshes = futures_util::future::join_all((0..10).map(|_| hope_exchange::actions::peer::refresh(&app.app, &id)));
        let ((), done) = futures_util::future::join(edits, refreshes).await;
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        assert_eq!(names(app, &ada, json!({ "interestId": "top_volunteering" })).await, ["Ada Moore"]);
        assert_eq!(names(app, &ada, json!({ "interestId": "top_mental-health" })).await, [""; 0]);
        assert_eq!(names(app, &ada, json!({ "topicId": "top_volunteering" })).await, ["Ada Moore"]);
        app.app.store.commit(Batch::new().delete(&id, Guard::Present)).await.unwrap();
        hope_exchange::actions::peer::refresh(&app.app, &id).await.unwrap();
    }
}
