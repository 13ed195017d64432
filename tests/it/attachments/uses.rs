//! What a file is attached to, and so who sees it.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{attachment::AttachedTo, member::Role, post::Post},
    ids::Id,
    query::{Filter, Order, Page},
};
use serde_json::{Value as Json, json};

use super::{PDF, document, file, get, post_with, sees, upload};
use crate::{
    app::{Person, TestApp},
    case_studies::{complete, with},
    on_both_stores,
};

fn thread(post: &str) -> String {
    post.replacen("pst", "thr", 1)
}

fn idea(files: &[&str]) -> Json {
    json!({ "kind": "IDEA", "title": "With files", "body": "Look.", "topicIds": ["top_volunteering"], "publish": true, "attachmentIds": files })
}

/// The fields and codes of what is to put right.
fn problems(payload: &Json) -> Vec<(String, String)> {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload}"));
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let field =
        |error: &Json| error["field"].as_array().unwrap().iter().map(text).collect::<Vec<_>>().join(".");
    errors.iter().map(|error| (field(error), text(&error["code"]))).collect()
}

fn unknown(at: usize) -> (String, String) {
    (format!("attachmentIds.{at}"), "UNKNOWN".to_owned())
}

/// Adds a comment with these files, and returns its id.
async fn comment(app: &TestApp, by: &Person, post: &str, files: &[&str]) -> String {
    let input = json!({ "threadId": thread(post), "body": "Here.", "attachmentIds": files });
    let added = app.mutate(by, "addComment", &input, "comment { id }").await;
    added["comment"]["id"].as_str().unwrap_or_else(|| panic!("{added}")).to_owned()
}

on_both_stores! {
    async fn one_that_nothing_uses_is_its_uploaders(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = file(app, &ada).await;
        assert!(sees(app, &ada, &id).await && !sees(app, &grace, &id).await);
        let url = format!("{}/api/v1/attachments/{id}", app.url);
        assert_eq!(app.http.get(&url).send().await.unwrap().status(), 401);
        assert_eq!(app.http.get(&url).bearer_auth("nonsense").send().await.unwrap().status(), 401);
        // There is no telling it from one that does not exist.
        let told = async |id: &str| {
            let mut problem: Json = serde_json::from_slice(&get(app, &grace, id).await.bytes).unwrap();
            problem["requestId"] = Json::Null;
            problem
        };
        let hidden = told(&id).await;
        assert_eq!(hidden["code"], "NOT_FOUND");
        for none in ["att_01J0000000000000000000", "att_", "pst_01J0", "..%2F..%2Fhope.db", "$where"] {
            assert_eq!(told(none).await, hidden, "{none}");
        }
    }

    async fn a_drafts_files_are_its_authors_until_it_is_published(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let id = file(app, &ada).await;
        let post = post_with(app, &ada, &[&id], false).await;
        assert!(sees(app, &ada, &id).await && !sees(app, &grace, &id).await);
        app.mutate(&ada, "publishPost", &json!({ "id": post }), "post { id }").await;
        assert!(sees(app, &ada, &id).await && sees(app, &grace, &id).await);

        let read = "query($id: ID!) { node(id: $id) { ... on Contribution { attachments {
            id name mediaType size width height url createdAt } } } }";
        let seen = app.graphql(&grace.token, read, json!({ "id": post })).await;
        let url = format!("{}/api/v1/attachments/{id}", app.url);
        assert_eq!(seen["data"]["node"]["attachments"], json!([{ "id": id, "name": "notes.pdf", "mediaType": "application/pdf",
            "size": PDF.len(), "width": null, "height": null, "url": url, "createdAt": app.now().to_string() }]));
        let node = "query($id: ID!) { node(id: $id) { __typename ... on Attachment { name } } }";
        let seen = app.graphql(&grace.token, node, json!({ "id": id })).await;
        assert_eq!(seen["data"]["node"], json!({ "__typename": "Attachment", "name": "notes.pdf" }));
    }

    async fn an_edit_adds_and_takes_off(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (first, second, third) = (file(app, &ada).await, file(app, &ada).await, file(app, &ada).await);
        let post = post_with(app, &ada, &[&first, &second], true).await;
        // Left out, they stay as they are.
        let update = async |version: i64, changes: Json| {
            let input = with(json!({ "id": post, "expectedVersion": version }), &changes);
            app.mutate(&ada, "updatePost", &input, "post { version attachments { id } }").await
        };
        let renamed = update(1, json!({ "title": "Still with files" })).await;
        assert_eq!(renamed["post"]["attachments"], json!([{ "id": first }, { "id": second }]));
        let changed = update(2, json!({ "attachmentIds": [third, second, second] })).await;
        assert_eq!(changed["post"]["attachments"], json!([{ "id": third }, { "id": second }]));
        assert!(!sees(app, &grace, &first).await && sees(app, &grace, &second).await && sees(app, &grace, &third).await);
        assert!(sees(app, &ada, &first).await);
        assert_eq!(document(app, &first).await.unwrap().expires_at, Some(app.now().plus(TimeDelta::hours(24))));
        assert_eq!(document(app, &second).await.unwrap().expires_at, None);
        // Its uploader changes their mind.
        let back = update(3, json!({ "attachmentIds": [first] })).await;
        assert_eq!(back["post"]["attachments"], json!([{ "id": first }]));
        assert!(sees(app, &grace, &first).await && !sees(app, &grace, &third).await);

        // What came too late changes nothing.
        let stale = update(1, json!({ "attachmentIds": [] })).await;
        assert_eq!(problems(&stale), [("expectedVersion".to_owned(), "STALE".to_owned())]);
        assert!(sees(app, &grace, &first).await);
    }

    async fn what_is_deleted_takes_its_files_along(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (of_post, of_comment, of_study) = (file(app, &ada).await, file(app, &grace).await, file(app, &ada).await);
        let post = post_with(app, &ada, &[&of_post], true).await;
        let comment = comment(app, &grace, &post, &[&of_comment]).await;
        let read = "query($id: ID!) { node(id: $id) { ... on Comment { attachments { id } } } }";
        let seen = app.graphql(&ada.token, read, json!({ "id": comment })).await;
        assert_eq!(seen["data"]["node"]["attachments"], json!([{ "id": of_comment }]));
        assert!(sees(app, &ada, &of_comment).await);

        let gone = app.mutate(&grace, "deleteComment", &json!({ "id": comment }), "comment { attachments { id } }").await;
        assert_eq!(gone["comment"]["attachments"], json!([]));
        assert!(!sees(app, &ada, &of_comment).await && sees(app, &grace, &of_comment).await);
        app.mutate(&ada, "deletePost", &json!({ "id": post }), "deletedPostId").await;
        assert!(!sees(app, &grace, &of_post).await && sees(app, &ada, &of_post).await);

        let study = app.case_study(&ada, &json!({ "attachmentIds": [of_study] })).await;
        assert!(sees(app, &grace, &of_study).await);
        app.mutate(&ada, "deleteCaseStudy", &json!({ "id": study }), "deletedCaseStudyId").await;
        assert!(!sees(app, &grace, &of_study).await && sees(app, &ada, &of_study).await);
        for id in [of_post, of_comment, of_study] {
            let found = document(app, &id).await.unwrap();
            assert_eq!((found.used_by, found.expires_at), (None, Some(app.now().plus(TimeDelta::hours(24)))));
        }
    }

    async fn comments_are_seen_with_what_they_are_about(app: &TestApp) {
        let (ada, grace, jo) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Jo Taylor").await);
        let id = file(app, &grace).await;
        let post = post_with(app, &ada, &[], true).await;
        let comment = comment(app, &grace, &post, &[]).await;
        let update = json!({ "id": comment, "expectedVersion": 1, "body": "Here.", "attachmentIds": [id] });
        let changed = app.mutate(&grace, "updateComment", &update, "comment { attachments { name } }").await;
        assert_eq!(changed["comment"]["attachments"], json!([{ "name": "notes.pdf" }]));
        assert!(sees(app, &jo, &id).await);
        assert_eq!(document(app, &id).await.unwrap().used_by, Some(AttachedTo::Comment(Id::parse(&comment).unwrap())));
        app.mutate(&ada, "deletePost", &json!({ "id": post }), "deletedPostId").await;
        assert!(sees(app, &jo, &id).await, "its thread can still be read");
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet" })).await;
        let mine = file(app, &ada).await;
        let own = json!({ "threadId": draft.replacen("pst", "thr", 1), "body": "For me.", "attachmentIds": [mine] });
        app.mutate(&ada, "addComment", &own, "comment { id }").await;
        assert!(sees(app, &ada, &mine).await && !sees(app, &jo, &mine).await);
    }

    async fn what_is_hidden_takes_its_files_along_until_it_is_restored(app: &TestApp) {
        let (ada, grace, mary) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Moderator).await;
        let open = post_with(app, &grace, &[], true).await;
        let files = [file(app, &ada).await, file(app, &ada).await, file(app, &ada).await];
        let post = post_with(app, &ada, &[&files[0]], true).await;
        let said = comment(app, &ada, &open, &[&files[1]]).await;
        let study = app.case_study(&ada, &json!({ "attachmentIds": [files[2]] })).await;
        for (subject, id) in [post, said, study].iter().zip(&files) {
            let input = json!({ "subjectId": subject, "reason": "PATIENT_IDENTIFIABLE" });
            for (by, mutation, input, others) in [
                (&grace, "reportContent", input, false),
                (&mary, "restoreContent", json!({ "subjectId": subject, "reason": "It is fine." }), true),
                (&mary, "hideContent", json!({ "subjectId": subject, "reason": "It is not." }), false),
            ] {
                assert_eq!(app.mutate(by, mutation, &input, "").await["userErrors"], json!([]));
                assert_eq!(sees(app, &grace, id).await, others, "{mutation} of {subject}");
                assert!(sees(app, &ada, id).await && sees(app, &mary, id).await, "{mutation} of {subject}");
            }
        }
    }

    async fn authors_of_a_case_study_add_their_own(app: &TestApp) {
        let (ada, grace, jo) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Jo Taylor").await);
        let (first, second, foreign) = (file(app, &ada).await, file(app, &grace).await, file(app, &jo).await);
        let study = app.draft(&ada, &with(complete(&ada), &json!({ "coAuthorIds": [grace.id], "attachmentIds": [first] }))).await;
        assert!(sees(app, &grace, &first).await && !sees(app, &jo, &first).await);
        let update = |files: Json| json!({ "id": study, "expectedVersion": 1, "attachmentIds": files });
        let refused = app.mutate(&grace, "updateCaseStudy", &update(json!([first, foreign])), "caseStudy { id }").await;
        assert_eq!(problems(&refused), [unknown(1)]);
        let changed = app.mutate(&grace, "updateCaseStudy", &update(json!([first, second])), "caseStudy { attachments { id } }").await;
        assert_eq!(changed["caseStudy"]["attachments"], json!([{ "id": first }, { "id": second }]));
        assert!(sees(app, &ada, &second).await && !sees(app, &jo, &second).await);
        app.mutate(&ada, "publishCaseStudy", &json!({ "id": study }), "caseStudy { id }").await;
        assert!(sees(app, &jo, &second).await);
        app.mutate(&ada, "archiveCaseStudy", &json!({ "id": study }), "caseStudy { id }").await;
        assert!(!sees(app, &jo, &second).await && sees(app, &grace, &first).await);
    }

    async fn nobody_attaches_what_is_not_theirs_or_used(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (own, used, foreign) = (file(app, &ada).await, file(app, &ada).await, file(app, &grace).await);
        let of_grace = post_with(app, &grace, &[&foreign], true).await;
        post_with(app, &ada, &[&used], true).await;
        let expired = file(app, &ada).await;
        let wanted = [&own[..], &used, &foreign, "att_01J0000000000000000000", "nonsense"];
        let input = with(idea(&wanted), &json!({ "title": " " }));
        let refused = app.mutate(&ada, "createPost", &input, "post { id }").await;
        let title = ("title".to_owned(), "REQUIRED".to_owned());
        assert_eq!(problems(&refused), [title, unknown(1), unknown(2), unknown(3), unknown(4)]);
        assert_eq!(document(app, &own).await.unwrap().used_by, None);
        // A moderator edits texts, and takes files off, but puts none of another's on.
        app.grant(&ada, Role::Moderator).await;
        let ada = app.sign_in_again(&ada);
        let update = |files: Json| json!({ "id": of_grace, "expectedVersion": 1, "attachmentIds": files });
        let kept = app.mutate(&ada, "updatePost", &update(json!([foreign])), "post { attachments { id } }").await;
        assert_eq!(kept["post"]["attachments"], json!([{ "id": foreign }]));
        app.advance(TimeDelta::hours(24));
        let ada = app.sign_in_again(&ada);
        let refused = app.mutate(&ada, "createPost", &idea(&[&expired]), "post { id }").await;
        assert_eq!(problems(&refused), [unknown(0)]);
        assert!(!sees(app, &ada, &expired).await, "nobody was there to purge it, but its time is over");
    }

    async fn one_file_belongs_to_one_thing_however_many_want_it(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = file(app, &ada).await;
        let input = idea(&[&id]);
        let post = || app.mutate(&ada, "createPost", &input, "post { id }");
        let answers = futures_util::future::join_all((0..12).map(|_| post())).await;
        let (won, lost): (Vec<&Json>, Vec<&Json>) = answers.iter().partition(|answer| answer["post"]["id"].is_string());
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(lost.iter().all(|answer| problems(answer) == [unknown(0)]), "{lost:?}");
        let posts: Vec<Post> = app.app.store.find(Filter::all(), Order::by_id(), Page::first(20)).await.unwrap();
        assert_eq!(posts.len(), 1);
        let used_by = document(app, &id).await.unwrap().used_by.unwrap();
        assert_eq!(String::from(used_by), posts[0].id.as_str());
        // Sent twice by name, it is one post.
        let again = file(app, &ada).await;
        let input = with(idea(&[&again]), &json!({ "clientMutationId": "once" }));
        let post = || app.mutate(&ada, "createPost", &input, "post { id attachments { id } }");
        let (first, second) = tokio::join!(post(), post());
        assert_eq!(first, second);
        assert_eq!(first["post"]["attachments"], json!([{ "id": again }]));
    }

    async fn a_page_of_files_takes_as_many_calls_as_one(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let read = "{ feed(first: 20) { nodes { attachments { id name } } } }";
        let mut calls = Vec::new();
        for posts in [1, 4] {
            for _ in 0..posts {
                let files = [file(app, &ada).await, file(app, &ada).await];
                post_with(app, &ada, &[&files[0], &files[1]], true).await;
            }
            let before = app.app.store.calls();
            let seen = app.graphql(&ada.token, read, json!({})).await;
            calls.push(app.app.store.calls() - before);
            assert!(seen["data"]["feed"]["nodes"][0]["attachments"][1]["id"].is_string(), "{seen}");
        }
        assert_eq!(calls[0], calls[1]);
    }

    async fn at_most_ten_for_each(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let mut files = Vec::new();
        for _ in 0..11 {
            files.push(upload(app, &ada, "notes.pdf", PDF).await["id"].as_str().unwrap().to_owned());
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let refused = app.mutate(&ada, "createPost", &idea(&files), "post { id }").await;
        assert_eq!(problems(&refused), [("attachmentIds".to_owned(), "TOO_MANY".to_owned())]);
        let post = post_with(app, &ada, &files[..10], true).await;
        let input = json!({ "threadId": thread(&post), "body": "x", "attachmentIds": files });
        let refused = app.mutate(&ada, "addComment", &input, "comment { id }").await;
        assert_eq!(problems(&refused), [("attachmentIds".to_owned(), "TOO_MANY".to_owned())]);
    }
}
