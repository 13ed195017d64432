//! The rules of the house through GraphQL: reports, what moderators do, and what members see of it.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        activity::{Activity, What},
        case_study::{CaseStudy, Edition},
        comment::Comment,
        entry::Entry,
        member::Role,
        post::Post,
        report::Report,
        revision::Revision,
        thread::Thread,
    },
    ids::Id,
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attachments::{PDF, upload},
    case_studies::with,
    community::all,
    on_both_stores,
};

const REPORT: &str = "report { id state reason note reporter { id } } signposts";
const CONTENT: &str = "content { ... on Contribution { id state title tombstone hiddenBecause } ... on Comment { id hidden body { text } } }";
/// The word that those who may not see it must not get.
const SECRET: &str = "Swordfish";

/// An author, another member, and a moderator.
pub struct House {
    pub ada: Person,
    pub grace: Person,
    pub mary: Person,
}

pub async fn house(app: &TestApp) -> House {
    let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
    let mary = app.person("Mary Ward").await;
    app.grant(&mary, Role::Moderator).await;
    House { ada, grace, mary }
}

fn thread_of(contribution: &str) -> String {
    format!("thr_{}", &contribution[4..])
}

pub async fn post(app: &TestApp, author: &Person, title: &str) -> String {
    let input = json!({ "kind": "QUESTION", "title": title, "body": format!("What of {title}?"), "topicIds": ["top_volunteering"], "publish": true });
    app.create_post(author, input).await
}

pub async fn comment(app: &TestApp, author: &Person, contribution: &str, body: &str) -> String {
    app.advance(TimeDelta::seconds(1));
    let input = json!({ "threadId": thread_of(contribution), "body": body });
    let added = app.mutate(author, "addComment", &input, "comment { id }").await;
    added["comment"]["id"].as_str().unwrap_or_else(|| panic!("{added}")).to_owned()
}

async fn report(app: &TestApp, by: &Person, subject: &str, reason: &str) -> Json {
    app.mutate(by, "reportContent", &json!({ "subjectId": subject, "reason": reason }), REPORT).await
}

async fn act(app: &TestApp, by: &Person, name: &str, subject: &str) -> Json {
    app.mutate(by, name, &json!({ "subjectId": subject, "reason": "It is not for here." }), CONTENT).await
}

async fn resolve(app: &TestApp, by: &Person, report: &Json, decision: &str) -> Json {
    let input =
        json!({ "id": report["report"]["id"], "decision": decision, "reason": "I have looked at it." });
    let fields = "report { state resolution resolvedAt resolvedBy { name } }";
    app.mutate(by, "resolveReport", &input, fields).await
}

/// All that a member gets of something by its id.
async fn look(app: &TestApp, by: &Person, id: &str) -> Json {
    let query = "query($id: ID!) { node(id: $id) { id
        ... on Contribution { state title summary tombstone hiddenBecause author { name } viewerCanEdit viewerCanModerate reactions { count } thread { locked commentCount } revisions { totalCount } }
        ... on Post { body { text } acceptedAnswer { id } mentions { id } }
        ... on CaseStudy { aim { text } adoptions { totalCount } adoptionTimeline { totalCount } adoptionSummary { testing } contact { mailbox } }
        ... on Comment { hidden deleted tombstone hiddenBecause text: body { text } accepted mentions { id } author { name } viewerCanEdit reactions { count } revisions { totalCount } } } }";
    let answer = app.graphql(&by.token, query, json!({ "id": id })).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["node"].clone()
}

/// What lists and counts have for a member.
async fn lists(app: &TestApp, by: &Person) -> Json {
    let query = "{ feed { totalCount nodes { id title summary } } posts { totalCount nodes { id title } } caseStudies { totalCount nodes { id title } }
        unanswered: feed(scope: UNANSWERED) { totalCount nodes { id title } } pinned { id title } viewer { drafts { totalCount nodes { title } } } }";
    app.graphql(&by.token, query, json!({})).await["data"].clone()
}

/// Everything that is stored of contributions and comments, but for counters of writes.
async fn stored(app: &TestApp) -> Json {
    let store = &app.app.store;
    let mut documents = json!([
        all::<Post>(store).await,
        all::<CaseStudy>(store).await,
        all::<Comment>(store).await,
        all::<Thread>(store).await,
        all::<Entry>(store).await
    ]);
    for document in documents.as_array_mut().unwrap().iter_mut().flat_map(|all| all.as_array_mut().unwrap()) {
        document.as_object_mut().unwrap().remove("version");
    }
    documents
}

/// A post, a case study and a comment of Ada's that say the secret, each with what shows it.
async fn contents(app: &TestApp, House { ada, grace, .. }: &House) -> Vec<String> {
    let first = post(app, ada, &format!("{SECRET} in a title")).await;
    comment(app, grace, &first, "An answer").await;
    let second = app
        .case_study(ada, &json!({ "title": format!("{SECRET} nights"), "aim": format!("Of {SECRET}.") }))
        .await;
    app.mutate(grace, "recordAdoption", &json!({ "caseStudyId": second, "status": "TESTING" }), "").await;
    let about = post(app, grace, "Something harmless").await;
    let third = comment(app, ada, &about, &format!("It was {SECRET}.")).await;
    for id in [&first, &second, &third] {
        app.mutate(grace, "react", &json!({ "subjectId": id, "kind": "THANKS" }), "").await;
    }
    vec![first, second, third]
}

on_both_stores! {
    async fn a_report_waits_in_the_queue_for_moderators(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let id = post(app, &ada, "Buy our bins").await;
        let other = comment(app, &grace, &id, "No.").await;
        let sent = report(app, &grace, &id, "COMMERCIAL").await;
        assert_eq!((&sent["report"]["state"], &sent["report"]["reporter"]["id"], &sent["signposts"]), (&json!("OPEN"), &json!(grace.id), &json!([])), "{sent}");
        let again = report(app, &grace, &id, "ABUSE").await;
        assert_eq!(again["report"]["id"], sent["report"]["id"], "one open report of a member on a subject");
        app.advance(TimeDelta::minutes(1));
        let at_once = (0..8).map(|_| report(app, &ada, &other, "ABUSE"));
        let ids: std::collections::HashSet<String> = futures_util::future::join_all(at_once).await.iter().map(|sent| sent["report"]["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
        app.advance(TimeDelta::minutes(1));
        assert!(report(app, &grace, &ada.id, "NAMES_STAFF").await["report"]["id"].is_string());

        for (input, code) in [
            (json!({ "subjectId": id, "reason": "OTHER", "note": " " }), "REQUIRED"),
            (json!({ "subjectId": id, "reason": "ABUSE", "note": "943 476 5919" }), "PERSONAL_DATA"),
            (json!({ "subjectId": id, "reason": "ABUSE", "note": "x".repeat(1_001) }), "TOO_LONG"),
        ] {
            let refused = app.mutate(&mary, "reportContent", &input, "report { id }").await;
            assert_eq!((&refused["report"], &refused["userErrors"][0]["field"], &refused["userErrors"][0]["code"]), (&Json::Null, &json!(["note"]), &json!(code)), "{refused}");
        }
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet" })).await;
        for missing in ["pst_none", "cmt_none", "mbr_none", "thr_none", "nonsense", &draft] {
            assert_eq!(report(app, &grace, missing, "ABUSE").await, "NOT_FOUND", "{missing}");
        }

        let queue = "query($state: ReportState = OPEN) { moderationQueue(state: $state, first: 10) { totalCount nodes { id reason reporter { name } subject { __typename ... on Post { title } ... on Comment { body { text } } ... on Member { name } } } } }";
        let waiting = app.graphql(&mary.token, queue, json!({})).await;
        let subjects: Vec<&Json> = waiting["data"]["moderationQueue"]["nodes"].as_array().unwrap_or_else(|| panic!("{waiting}")).iter().map(|node| &node["subject"]).collect();
        assert_eq!(subjects, [&json!({ "__typename": "Post", "title": "Buy our bins" }), &json!({ "__typename": "Comment", "body": { "text": "No." } }), &json!({ "__typename": "Member", "name": "Ada Moore" })]);
        assert_eq!(waiting["data"]["moderationQueue"]["nodes"][0]["reporter"]["name"], "Grace Hill");
        for person in [&ada, &grace] {
            let refused = app.graphql(&person.token, queue, json!({})).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
        }
        let node = "query($id: ID!) { node(id: $id) { ... on Report { reason reporter { name } } } }";
        let read = async |by: &Person| app.graphql(&by.token, node, json!({ "id": sent["report"]["id"] })).await["data"]["node"].clone();
        assert_eq!((read(&ada).await, read(&grace).await["reason"].clone(), read(&mary).await["reason"].clone()), (Json::Null, json!("COMMERCIAL"), json!("COMMERCIAL")));
    }

    async fn whoever_reports_a_risk_of_harm_is_sent_on(app: &TestApp) {
        let House { ada, grace, .. } = house(app).await;
        let id = post(app, &ada, "Something worrying").await;
        let sent = report(app, &grace, &id, "SAFEGUARDING").await;
        let signposts = sent["signposts"].to_string();
        for words in ["999", "safeguarding lead", "Freedom to Speak Up Guardian"] {
            assert!(signposts.contains(words), "{sent}");
        }
        assert_eq!(look(app, &ada, &id).await["state"], "PUBLISHED", "it is not hidden by that alone");
    }

    async fn a_privacy_concern_hides_at_once_and_a_moderator_decides(app: &TestApp) {
        let house = house(app).await;
        let House { ada, grace, mary } = &house;
        let contents = contents(app, &house).await;
        for id in &contents {
            let before = (stored(app).await, lists(app, grace).await, look(app, grace, id).await);
            assert!(before.2.to_string().contains(SECRET));
            let sent = report(app, grace, id, "PATIENT_IDENTIFIABLE").await;
            assert_eq!(sent["userErrors"], json!([]), "{sent}");
            let seen = look(app, grace, id).await;
            assert!(!seen.to_string().contains(SECRET), "{seen}");
            assert_eq!((&seen["tombstone"], &seen["hiddenBecause"], &seen["viewerCanEdit"]), (&json!("Hidden on 2 March 2026 until a moderator has looked at it."), &Json::Null, &json!(false)));
            assert!(!seen["reactions"].to_string().contains('1'), "{seen}");
            assert!(!lists(app, grace).await.to_string().contains(id.as_str()));
            // Its author and moderators read it; its author can't change it.
            for person in [ada, mary] {
                let whole = look(app, person, id).await;
                assert!(whole.to_string().contains(SECRET) && whole["hiddenBecause"].as_str().unwrap().contains("can be recognised"), "{whole}");
            }
            let (mutation, change) = match &id[..3] {
                "pst" => ("updatePost", json!({ "title": "Harmless" })),
                "cst" => ("updateCaseStudy", json!({ "title": "Harmless" })),
                _ => ("updateComment", json!({ "body": "Harmless" })),
            };
            let version = if id.starts_with("cst") { 3 } else { 1 };
            let change = with(change, &json!({ "id": id, "expectedVersion": version }));
            assert_eq!(app.mutate(ada, mutation, &change, "").await, "FORBIDDEN");
            assert_eq!(app.mutate(grace, "react", &json!({ "subjectId": id, "kind": "GOOD_IDEA" }), "").await, "NOT_FOUND");
            // Another concern about it, from somebody who saw it before.
            assert_eq!(report(app, grace, id, "PATIENT_IDENTIFIABLE").await["report"]["id"], sent["report"]["id"]);

            let dismissed = resolve(app, mary, &sent, "DISMISS").await;
            assert_eq!(dismissed["report"], json!({ "state": "DISMISSED", "resolution": "I have looked at it.", "resolvedAt": app.now().to_string(), "resolvedBy": { "name": "Mary Ward" } }), "{dismissed}");
            let after = (stored(app).await, lists(app, grace).await);
            assert_eq!(after, (before.0, before.1), "restored exactly");

            let sent = report(app, grace, id, "PATIENT_IDENTIFIABLE").await;
            assert_eq!(resolve(app, mary, &sent, "UPHOLD").await["report"]["state"], "UPHELD");
            let kept = look(app, grace, id).await;
            assert_eq!(kept["tombstone"], "Hidden by a moderator on 2 March 2026.", "{kept}");
            assert_eq!(look(app, ada, id).await["hiddenBecause"], "I have looked at it.");
            assert_eq!(resolve(app, mary, &sent, "DISMISS").await["userErrors"][0]["code"], "WRONG_STATE");
        }
    }

    async fn all_reports_on_a_subject_are_decided_together(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let (id, other) = (post(app, &ada, "Buy our bins").await, post(app, &ada, "Buy them again").await);
        let joan = app.person("Joan Clarke").await;
        let first = report(app, &grace, &id, "COMMERCIAL").await;
        report(app, &joan, &id, "PATIENT_IDENTIFIABLE").await;
        report(app, &joan, &other, "COMMERCIAL").await;
        let input = json!({ "id": first["report"]["id"], "decision": "DISMISS", "reason": "No.", "hide": true });
        let refused = app.mutate(&mary, "resolveReport", &input, "").await;
        assert_eq!(refused["userErrors"][0]["field"], json!(["hide"]));
        let input = json!({ "id": first["report"]["id"], "decision": "UPHOLD", "reason": "It advertises.", "hide": true });
        for _ in 0..2 {
            let upheld = app.mutate(&mary, "resolveReport", &input, "report { state }").await;
            assert_eq!(upheld["report"]["state"], "UPHELD");
        }
        let mut states: Vec<(String, bool)> = all::<Report>(&app.app.store).await.iter()
            .map(|report| (format!("{:?}", report.state), report.subject.as_str() == id)).collect();
        states.sort();
        assert_eq!(states, [("Open".to_owned(), false), ("Upheld".to_owned(), true), ("Upheld".to_owned(), true)]);
        let seen = look(app, &grace, &id).await;
        assert_eq!(seen["tombstone"], "Hidden by a moderator on 2 March 2026.");
        assert_eq!(app.mutate(&grace, "resolveReport", &input, "").await, "FORBIDDEN");
    }

    async fn reports_are_limited_also_when_many_are_sent_at_once(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let mut ids = Vec::new();
        for n in 0..28 {
            ids.push(post(app, &ada, &format!("Post {n}")).await);
        }
        let sent = ids.iter().map(async |id| report(app, &grace, id, "ABUSE").await);
        let mut sent = futures_util::future::join_all(sent).await;
        sent.sort_by_key(Json::is_string);
        assert!(sent[..20].iter().all(Json::is_object) && sent[20..].iter().all(|refused| refused == "RATE_LIMITED"), "{sent:?}");
        assert_eq!(all::<Report>(&app.app.store).await.len(), 20);
        let id = post(app, &ada, "One more").await;
        assert!(report(app, &mary, &id, "ABUSE").await["report"].is_object(), "others go on");
        resolve(app, &mary, &sent[0], "DISMISS").await;
        assert!(report(app, &grace, &id, "ABUSE").await["report"].is_object(), "what was looked at does not count");
    }

    async fn what_is_hidden_comes_back_as_it_was(app: &TestApp) {
        let house = house(app).await;
        let House { ada, grace, mary } = &house;
        for id in contents(app, &house).await {
            let before = (stored(app).await, lists(app, grace).await);
            for _ in 0..2 {
                let hidden = act(app, mary, "hideContent", &id).await;
                assert!(hidden.to_string().contains(SECRET), "the moderator sees it: {hidden}");
                let seen = look(app, grace, &id).await;
                assert_eq!(seen["tombstone"], "Hidden by a moderator on 2 March 2026.");
                assert!(!seen.to_string().contains(SECRET), "{seen}");
            }
            assert_eq!(look(app, ada, &id).await["hiddenBecause"], "It is not for here.");
            for _ in 0..2 {
                assert_eq!(act(app, mary, "restoreContent", &id).await["userErrors"], json!([]));
            }
            assert_eq!((stored(app).await, lists(app, grace).await), before);
        }
    }

    async fn a_hidden_comment_keeps_its_place_and_is_not_counted(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let question = post(app, &ada, "A question").await;
        let answer = comment(app, &grace, &question, &format!("{SECRET} bins")).await;
        let quoting = json!({ "threadId": thread_of(&question), "body": "How many?", "parentId": answer, "quote": { "commentId": answer, "text": SECRET } });
        let reply = app.mutate(&ada, "addComment", &quoting, "comment { id quote { text } }").await["comment"].clone();
        assert_eq!(reply["quote"]["text"], SECRET);
        app.mutate(&ada, "acceptAnswer", &json!({ "commentId": answer }), "").await;
        act(app, &mary, "hideContent", &answer).await;

        let thread = "query($id: ID!) { node(id: $id) { ... on Post { acceptedAnswer { id } thread { commentCount comments(orderBy: BEST, first: 5) { nodes { id hidden deleted tombstone accepted body { text } quote { text } parent { body { text } } replies(first: 5) { nodes { quote { text } } } } } } } } }";
        let seen = app.graphql(&ada.token, thread, json!({ "id": question })).await["data"]["node"].clone();
        assert!(!seen.to_string().contains(SECRET), "{seen}");
        let nodes = seen["thread"]["comments"]["nodes"].as_array().unwrap();
        assert_eq!((&seen["thread"]["commentCount"], nodes.len(), &seen["acceptedAnswer"]), (&json!(1), 2, &Json::Null));
        assert_eq!(nodes[0], json!({ "id": answer, "hidden": true, "deleted": false, "tombstone": "Hidden by a moderator on 2 March 2026.", "accepted": false,
            "body": null, "quote": null, "parent": null, "replies": { "nodes": [{ "quote": null }] } }));
        for (input, field) in [(json!({ "parentId": answer }), json!(["parentId"])), (json!({ "quote": { "commentId": answer, "text": SECRET } }), json!(["quote", "commentId"]))] {
            let input = with(json!({ "threadId": thread_of(&question), "body": "x" }), &input);
            assert_eq!(app.mutate(&ada, "addComment", &input, "").await["userErrors"][0]["field"], field);
        }
        assert_eq!(app.mutate(&ada, "acceptAnswer", &json!({ "commentId": answer }), "").await, "NOT_FOUND");
        assert_eq!(app.mutate(&grace, "deleteComment", &json!({ "id": answer }), "").await, "FORBIDDEN");

        act(app, &mary, "restoreContent", &answer).await;
        let seen = app.graphql(&ada.token, thread, json!({ "id": question })).await["data"]["node"].clone();
        assert_eq!((&seen["thread"]["commentCount"], &seen["acceptedAnswer"]["id"]), (&json!(2), &json!(answer)));
        // A moderator takes it away for good; hiding it before changes nothing about the count.
        act(app, &mary, "hideContent", &answer).await;
        app.mutate(&mary, "deleteComment", &json!({ "id": answer }), "").await;
        let left = look(app, &grace, &answer).await;
        assert_eq!((&left["hidden"], &left["deleted"], &left["tombstone"]), (&json!(false), &json!(true), &json!("Deleted by a moderator on 2 March 2026.")));
        assert_eq!(look(app, &ada, &question).await["thread"]["commentCount"], 1);
    }

    async fn a_moderator_takes_out_of_what_is_hidden_what_nobody_may_read(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let file = upload(app, &ada, &format!("{SECRET}.pdf"), PDF).await["id"].clone();
        let id = post(app, &ada, "First words").await;
        let words = json!({ "body": format!("{SECRET} said so."), "tags": [SECRET], "attachmentIds": [file] });
        app.mutate(&ada, "updatePost", &with(words.clone(), &json!({ "id": id, "expectedVersion": 1 })), "").await;
        app.mutate(&ada, "updatePost", &json!({ "id": id, "expectedVersion": 2, "attachmentIds": [] }), "").await;
        let query = "fragment R on RevisionConnection { totalCount nodes { changes { field difference { text } } } }
            query($id: ID!) { node(id: $id) { ... on Contribution { title revisions { ...R } } ... on Post { body { text } } ... on CaseStudy { aim { text } } } }";
        let read = async |id: &str| app.graphql(&grace.token, query, json!({ "id": id })).await["data"]["node"].clone();
        assert_eq!(read(&id).await.to_string().matches(SECRET).count(), 5, "in the text, and four times in its history");
        act(app, &mary, "hideContent", &id).await;
        let edited = app.mutate(&mary, "updatePost", &json!({ "id": id, "expectedVersion": 3, "body": "Somebody said so.", "tags": [] }), "post { state version }").await;
        assert_eq!(edited["post"], json!({ "state": "HIDDEN", "version": 4 }), "{edited}");
        act(app, &mary, "restoreContent", &id).await;
        assert_eq!(read(&id).await, json!({ "title": "First words", "body": { "text": "Somebody said so." }, "revisions": { "totalCount": 0, "nodes": [] } }));

        let id = app.case_study(&ada, &json!({ "aim": "First words." })).await;
        let words = json!({ "id": id, "expectedVersion": 2, "aim": format!("{SECRET} said so."), "tags": [SECRET], "attachmentIds": [file] });
        assert_eq!(app.mutate(&ada, "updateCaseStudy", &words, "caseStudy { version }").await["caseStudy"]["version"], 3);
        assert!(read(&id).await.to_string().contains(SECRET));
        act(app, &mary, "hideContent", &id).await;
        let change = json!({ "id": id, "expectedVersion": 4, "aim": "Somebody said so.", "tags": [], "attachmentIds": [] });
        assert_eq!(app.mutate(&mary, "updateCaseStudy", &change, "").await["userErrors"], json!([]));
        act(app, &mary, "restoreContent", &id).await;
        let now = read(&id).await;
        assert_eq!((&now["aim"]["text"], &now["revisions"]["totalCount"]), (&json!("Somebody said so."), &json!(0)));
        // Nor do its authors get it as the version that a late change was based on.
        let late = app.mutate(&ada, "updateCaseStudy", &json!({ "id": id, "expectedVersion": 3, "advice": "Late." }), "yours { aim { text } advice { text } }").await;
        assert_eq!(late["yours"], json!({ "aim": { "text": "Somebody said so." }, "advice": { "text": "Late." } }), "{late}");
        let kept = json!([all::<CaseStudy>(&app.app.store).await, all::<Edition>(&app.app.store).await, all::<Revision>(&app.app.store).await]);
        assert!(!kept.to_string().contains(SECRET), "{kept}");
    }

    async fn the_thread_of_what_was_taken_away_can_be_read_and_is_closed(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        for hides in [true, false] {
            let id = post(app, &ada, SECRET).await;
            let said = comment(app, &grace, &id, "Good.").await;
            if hides {
                act(app, &mary, "hideContent", &id).await;
            } else {
                app.mutate(&ada, "deletePost", &json!({ "id": id }), "").await;
            }
            let query = "query($id: ID!) { node(id: $id) { ... on Thread { locked subject { id title state } comments { nodes { id body { text } thread { subject { title } } } } } } }";
            let seen = app.graphql(&grace.token, query, json!({ "id": thread_of(&id) })).await["data"]["node"].clone();
            assert_eq!(seen, json!({ "locked": true, "subject": { "id": id, "title": "", "state": if hides { "HIDDEN" } else { "DELETED" } },
                "comments": { "nodes": [{ "id": said, "body": { "text": "Good." }, "thread": { "subject": { "title": "" } } }] } }));
            for person in [&ada, &grace, &mary] {
                let refused = app.mutate(person, "addComment", &json!({ "threadId": thread_of(&id), "body": "More." }), "").await;
                assert_eq!(refused["userErrors"][0]["code"], "LOCKED");
            }
            assert_eq!(app.mutate(&grace, "updateComment", &json!({ "id": said, "expectedVersion": 1, "body": "Better." }), "").await["userErrors"][0]["code"], "LOCKED");
        }
    }

    async fn a_locked_thread_takes_nothing_but_nods(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let id = post(app, &ada, "Something heated").await;
        let said = comment(app, &grace, &id, "No!").await;
        let input = json!({ "threadId": thread_of(&id), "reason": "Cool down." });
        for _ in 0..2 {
            let locked = app.mutate(&mary, "lockThread", &input, "thread { locked }").await;
            assert_eq!(locked["thread"]["locked"], true);
        }
        let add = json!({ "threadId": thread_of(&id), "body": "And another thing." });
        for person in [&ada, &grace, &mary] {
            assert_eq!(app.mutate(person, "addComment", &add, "").await["userErrors"][0]["code"], "LOCKED");
        }
        let edit = json!({ "id": said, "expectedVersion": 1, "body": "Perhaps not." });
        assert_eq!(app.mutate(&grace, "updateComment", &edit, "").await["userErrors"][0]["code"], "LOCKED");
        assert_eq!(app.mutate(&mary, "updateComment", &edit, "comment { version }").await["comment"]["version"], 2);
        for subject in [&id, &said] {
            assert_eq!(app.mutate(&ada, "react", &json!({ "subjectId": subject, "kind": "THANKS" }), "").await["userErrors"], json!([]));
        }
        let unlocked = app.mutate(&mary, "unlockThread", &input, "thread { locked }").await;
        assert_eq!(unlocked["thread"]["locked"], false);
        assert_eq!(app.mutate(&grace, "addComment", &add, "").await["userErrors"], json!([]));
    }

    async fn three_contributions_are_pinned_however_many_pin_at_once(app: &TestApp) {
        let House { ada, mary, .. } = house(app).await;
        let mut ids = Vec::new();
        for n in 0..6 {
            app.advance(TimeDelta::seconds(1));
            ids.push(post(app, &ada, &format!("Post {n}")).await);
        }
        let input = |id: &str| json!({ "contributionId": id, "reason": "Everybody should see it." });
        let pins = ids.iter().map(async |id| app.mutate(&mary, "pinContribution", &input(id), "contribution { id pinned }").await);
        let outcomes = futures_util::future::join_all(pins).await;
        let refused = outcomes.iter().filter(|outcome| outcome["userErrors"][0]["code"] == "TOO_MANY").count();
        assert_eq!(refused, 3, "{outcomes:?}");
        let pinned = async || {
            let answer = app.graphql(&ada.token, "{ pinned { id pinned } }", json!({})).await;
            answer["data"]["pinned"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let first = pinned().await;
        assert_eq!(first.len(), 3);
        app.mutate(&mary, "unpinContribution", &input(&first[1]), "").await;
        let study = app.case_study(&ada, &json!({})).await;
        for _ in 0..2 {
            let done = app.mutate(&mary, "pinContribution", &input(&study), "contribution { id pinned }").await;
            assert_eq!(done["contribution"], json!({ "id": study, "pinned": true }), "{done}");
        }
        assert_eq!(pinned().await, [&study, &first[0], &first[2]].map(String::clone), "latest pin first");
        let feed = async |wanted: Json| app.graphql(&ada.token, "query($pinned: Boolean) { feed(pinned: $pinned) { totalCount nodes { pinned } } }", json!({ "pinned": wanted })).await["data"]["feed"].clone();
        for (wanted, count) in [(Json::Null, 7), (json!(true), 3), (json!(false), 4)] {
            let feed = feed(wanted.clone()).await;
            assert_eq!(feed["totalCount"], count, "{feed}");
            assert!(wanted.is_null() || feed["nodes"].as_array().unwrap().iter().all(|node| node["pinned"] == wanted), "{feed}");
        }
        // What is hidden is not shown, and has its pin again when it is restored; what is deleted has none.
        act(app, &mary, "hideContent", &study).await;
        assert_eq!((pinned().await.len(), feed(json!(true)).await["totalCount"].clone()), (2, json!(2)));
        act(app, &mary, "restoreContent", &study).await;
        assert_eq!(pinned().await.len(), 3);
        app.mutate(&ada, "deletePost", &json!({ "id": first[0] }), "").await;
        let other = ids.iter().find(|id| !first.contains(id)).unwrap();
        assert_eq!(app.mutate(&mary, "pinContribution", &input(other), "").await["userErrors"], json!([]));
        assert_eq!(pinned().await, [other, &study, &first[2]].map(String::clone));
        let draft = app.create_post(&mary, json!({ "kind": "IDEA", "title": "Not out yet" })).await;
        assert_eq!(app.mutate(&mary, "pinContribution", &input(&draft), "").await, "NOT_FOUND");
    }

    async fn a_suspended_member_is_refused_and_told_why(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let edith = app.person("Edith Cave").await;
        app.grant(&edith, Role::Administrator).await;
        let until = app.now().plus(TimeDelta::minutes(5));
        let suspend = |member: &Person, until: Json| json!({ "memberId": member.id, "until": until, "reason": "Rude to colleagues" });
        for _ in 0..2 {
            let done = app.mutate(&mary, "suspendMember", &suspend(&ada, json!(until.to_string())), "member { suspended { until reason } }").await;
            assert_eq!(done["member"]["suspended"], json!({ "until": until.to_string(), "reason": "Rude to colleagues" }), "{done}");
        }
        let viewer = "{ viewer { name } }";
        let refused = app.graphql(&ada.token, viewer, json!({})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let sentence = refused["errors"][0]["message"].as_str().unwrap();
        assert!(sentence.contains("suspended until 2 March 2026") && sentence.contains("Rude to colleagues.") && sentence.contains(&app.app.config.network.contact), "{sentence}");
        let seen = |by: &Person| { let token = by.token.clone(); let id = ada.id.clone(); async move {
            app.graphql(&token, "query($id: ID!) { node(id: $id) { ... on Member { name suspended { reason } } } }", json!({ "id": id })).await["data"]["node"].clone()
        } };
        assert_eq!(seen(&grace).await, json!({ "name": "Ada Moore", "suspended": null }));
        assert_eq!(seen(&mary).await["suspended"]["reason"], "Rude to colleagues");
        app.advance(TimeDelta::minutes(5));
        assert_eq!(app.graphql(&ada.token, viewer, json!({})).await["data"]["viewer"]["name"], "Ada Moore", "it has run out");
        assert_eq!(seen(&mary).await["suspended"], Json::Null);

        app.mutate(&mary, "suspendMember", &suspend(&ada, Json::Null), "").await;
        let refused = app.graphql(&ada.token, viewer, json!({})).await;
        assert!(refused["errors"][0]["message"].as_str().unwrap().starts_with("Your account is suspended, so it can't be used."), "{refused}");
        for _ in 0..2 {
            let done = app.mutate(&mary, "reinstateMember", &json!({ "memberId": ada.id, "reason": "We have talked." }), "member { suspended { reason } }").await;
            assert_eq!(done["member"]["suspended"], Json::Null);
        }
        assert_eq!(app.graphql(&ada.token, viewer, json!({})).await["errors"], Json::Null);

        for (by, whom, outcome) in [(&mary, &mary, json!("FORBIDDEN")), (&mary, &edith, json!("FORBIDDEN")), (&edith, &edith, json!("FORBIDDEN")),
            (&grace, &ada, json!("FORBIDDEN")), (&edith, &mary, json!([]))] {
            let answer = app.mutate(by, "suspendMember", &suspend(whom, Json::Null), "").await;
            assert_eq!(if answer.is_string() { &answer } else { &answer["userErrors"] }, &outcome, "{} by {}", whom.id, by.id);
        }
        let past = app.mutate(&edith, "suspendMember", &suspend(&ada, json!("2026-03-01T00:00:00Z")), "").await;
        assert_eq!(past["userErrors"][0]["field"], json!(["until"]));
        assert_eq!(app.mutate(&edith, "suspendMember", &json!({ "memberId": "mbr_none", "reason": "x" }), "").await, "NOT_FOUND");
    }

    async fn moderators_alone_moderate_and_never_without_a_reason(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let partner = app.person("Pat Green").await;
        app.grant(&partner, Role::Partner).await;
        let id = post(app, &ada, "Something").await;
        for (mutation, subject) in [("hideContent", json!({ "subjectId": id })), ("restoreContent", json!({ "subjectId": id })),
            ("lockThread", json!({ "threadId": thread_of(&id) })), ("unlockThread", json!({ "threadId": thread_of(&id) })),
            ("pinContribution", json!({ "contributionId": id })), ("unpinContribution", json!({ "contributionId": id })),
            ("warnMember", json!({ "memberId": ada.id })), ("suspendMember", json!({ "memberId": ada.id })), ("reinstateMember", json!({ "memberId": ada.id }))] {
            let with_reason = with(subject.clone(), &json!({ "reason": "A reason." }));
            for person in [&ada, &grace, &partner] {
                assert_eq!(app.mutate(person, mutation, &with_reason, "").await, "FORBIDDEN", "{mutation}");
            }
            for (reason, code) in [(" ".to_owned(), "REQUIRED"), ("x".repeat(501), "TOO_LONG"), ("NHS number 943 476 5919".to_owned(), "PERSONAL_DATA")] {
                let refused = app.mutate(&mary, mutation, &with(subject.clone(), &json!({ "reason": reason })), "").await;
                assert_eq!((&refused["userErrors"][0]["field"], &refused["userErrors"][0]["code"]), (&json!(["reason"]), &json!(code)), "{mutation}: {refused}");
            }
        }
        assert_eq!(look(app, &grace, &id).await["state"], "PUBLISHED");
        assert_eq!(all::<hope_exchange::domain::audit::AuditEntry>(&app.app.store).await, []);
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet" })).await;
        assert_eq!(act(app, &mary, "hideContent", &draft).await, "NOT_FOUND", "drafts are their authors' alone");
    }

    async fn those_concerned_are_told_and_reporters_are_named_to_nobody(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let told = async || {
            let all = all::<Activity>(&app.app.store).await;
            all.into_iter().filter_map(|activity| match activity.what {
                What::Moderated { member, .. } => Some((member.to_string(), activity.actor.to_string())),
                _ => None,
            }).collect::<Vec<_>>()
        };
        let id = post(app, &ada, "Something").await;
        report(app, &grace, &id, "PATIENT_IDENTIFIABLE").await;
        assert_eq!(told().await, [(ada.id.clone(), Activity::nobody().to_string())]);
        let by_reporter = all::<Activity>(&app.app.store).await.into_iter().filter(|activity| activity.actor.as_str() == grace.id).count();
        assert_eq!(by_reporter, 0, "nothing tells who reported it");
        app.advance(TimeDelta::seconds(1));
        act(app, &mary, "restoreContent", &id).await;
        app.advance(TimeDelta::seconds(1));
        app.mutate(&mary, "warnMember", &json!({ "memberId": grace.id, "reason": "Please don't." }), "").await;
        assert_eq!(told().await[1..], [(ada.id.clone(), mary.id.clone()), (grace.id.clone(), mary.id.clone())]);
        let own = post(app, &mary, "A moderator's own").await;
        act(app, &mary, "hideContent", &own).await;
        assert_eq!(told().await.len(), 3, "nobody is told of what they do themself");
        let co = app.case_study(&ada, &json!({ "coAuthorIds": [grace.id] })).await;
        act(app, &mary, "hideContent", &co).await;
        assert_eq!(told().await.len(), 5, "every author");
    }

    async fn digests_have_nothing_of_what_was_taken_away(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        app.advance(TimeDelta::minutes(1));
        let about = post(app, &grace, "Something harmless").await;
        let hidden = post(app, &ada, SECRET).await;
        let said = comment(app, &ada, &about, &format!("It was {SECRET}.")).await;
        let under = comment(app, &mary, &hidden, "A reply to you.").await;
        for id in [&hidden, &said] {
            act(app, &mary, "hideContent", id).await;
        }
        let mail = crate::digest::run_at(app, "2026-03-03T07:30:00Z").await;
        assert!(mail.iter().any(|message| message.to_name == "Ada Moore" && message.text.contains("Something harmless")));
        for message in &mail {
            assert!(!message.text.contains(SECRET) && !message.text.contains("repl"), "{}", message.text);
        }
        assert!(!under.is_empty());
    }

    async fn a_comment_and_hiding_at_the_same_moment_leave_a_true_count(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let id = post(app, &ada, "Something").await;
        let mut said = Vec::new();
        for n in 0..6 {
            said.push(comment(app, &grace, &id, &format!("Comment {n}")).await);
        }
        let hides = said.iter().map(async |comment| { act(app, &mary, "hideContent", comment).await; });
        let again = said.iter().map(async |comment| { report(app, &ada, comment, "PATIENT_IDENTIFIABLE").await; });
        let adds = (0..6).map(async |_| { app.mutate(&ada, "addComment", &json!({ "threadId": thread_of(&id), "body": "More." }), "").await; });
        tokio::join!(futures_util::future::join_all(hides), futures_util::future::join_all(again), futures_util::future::join_all(adds));
        let thread: Thread = app.app.store.one(&Id::parse(&thread_of(&id)).unwrap()).await.unwrap().unwrap();
        let readable = all::<Comment>(&app.app.store).await.iter().filter(|comment| comment.is_readable()).count();
        assert_eq!((thread.comment_count, readable), (6, 6));
    }
}
