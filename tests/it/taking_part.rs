//! What members do in threads beside writing: react, accept, mention, quote, look at what was edited.

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attachments::{PDF, upload},
    case_studies::with,
    on_both_stores,
};

const REACT: &str = "mutation($input: ReactInput!) { react(input: $input) { subject { id reactions { kind count viewerReacted } } userErrors { code } } }";
const UNREACT: &str = "mutation($input: UnreactInput!) { unreact(input: $input) { subject { id reactions { kind count viewerReacted } } userErrors { code } } }";
const ADD: &str = "mutation($input: AddCommentInput!) { addComment(input: $input) {
    comment { id body { markdown html text } mentions { name } quote { text comment { author { name } } } }
    userErrors { field code message } } }";
const EDIT: &str = "mutation($input: UpdateCommentInput!) { updateComment(input: $input) { comment { version } userErrors { code } } }";
const ACCEPT: &str = "mutation($input: AcceptAnswerInput!) { acceptAnswer(input: $input) { post { acceptedAnswer { id } } userErrors { code } } }";

async fn post(app: &TestApp, person: &Person, kind: &str) -> (String, String) {
    let input = json!({ "kind": kind, "title": "Quiet hours at night", "body": "Do soft-close bins help?", "topicIds": ["top_volunteering"], "publish": true });
    let id = app.create_post(person, input).await;
    let thread = id.replacen("pst", "thr", 1);
    (id, thread)
}

async fn ask(app: &TestApp, person: &Person, query: &str, input: Json) -> Json {
    app.graphql(&person.token, query, json!({ "input": input })).await
}

async fn add(app: &TestApp, person: &Person, thread: &str, body: &str) -> String {
    app.advance(TimeDelta::seconds(1));
    let answer = ask(app, person, ADD, json!({ "threadId": thread, "body": body })).await;
    answer["data"]["addComment"]["comment"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The counts of thanks, tried this, good idea and same here.
fn counts(reactions: &Json) -> Vec<i64> {
    reactions
        .as_array()
        .unwrap_or_else(|| panic!("{reactions}"))
        .iter()
        .map(|kind| kind["count"].as_i64().unwrap())
        .collect()
}

async fn comments(app: &TestApp, person: &Person, thread: &str, order: &str) -> Vec<String> {
    let query = "query($id: ID!, $order: CommentOrder!) { node(id: $id) { ... on Thread { comments(orderBy: $order) { nodes { id } } } } }";
    let answer = app.graphql(&person.token, query, json!({ "id": thread, "order": order })).await;
    let nodes = answer["data"]["node"]["comments"]["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// The fields of the latest revision, each as it was and as it is.
async fn changes(app: &TestApp, by: &Person, id: &str) -> Vec<(String, String, String)> {
    let query = "fragment R on RevisionConnection { nodes { changes { field difference { kind text } } } }
        query($id: ID!) { node(id: $id) { ... on Contribution { revisions(first: 1) { ...R } } ... on Comment { revisions(first: 1) { ...R } } } }";
    let answer = app.graphql(&by.token, query, json!({ "id": id })).await;
    let changes = answer["data"]["node"]["revisions"]["nodes"][0]["changes"].as_array();
    let woven = |change: &Json, without: &str| {
        let parts = change["difference"].as_array().unwrap().iter().filter(|part| part["kind"] != without);
        parts.map(|part| part["text"].as_str().unwrap()).collect::<String>()
    };
    let changes = changes.unwrap_or_else(|| panic!("{answer}")).iter();
    let texts = changes.map(|change| {
        let field = change["field"].as_str().unwrap().to_owned();
        (field, woven(change, "ADDED"), woven(change, "REMOVED"))
    });
    texts.collect()
}

on_both_stores! {
    async fn members_react_and_take_it_back(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (post, thread) = post(app, &ada, "IDEA").await;
        let comment = add(app, &ada, &thread, "It works.").await;
        for target in [&post, &comment] {
            let thanks = json!({ "subjectId": target, "kind": "THANKS" });
            let same = json!({ "subjectId": target, "kind": "SAME_HERE" });
            for _ in 0..2 {
                let done = ask(app, &grace, REACT, thanks.clone()).await;
                assert_eq!(counts(&done["data"]["react"]["subject"]["reactions"]), [1, 0, 0, 0], "{done}");
            }
            ask(app, &grace, REACT, same.clone()).await;
            let done = ask(app, &ada, REACT, same.clone()).await;
            let reactions = &done["data"]["react"]["subject"]["reactions"];
            assert_eq!(reactions, &json!([
                { "kind": "THANKS", "count": 1, "viewerReacted": false },
                { "kind": "TRIED_THIS", "count": 0, "viewerReacted": false },
                { "kind": "GOOD_IDEA", "count": 0, "viewerReacted": false },
                { "kind": "SAME_HERE", "count": 2, "viewerReacted": true },
            ]));
            for _ in 0..2 {
                let undone = ask(app, &grace, UNREACT, same.clone()).await;
                assert_eq!(counts(&undone["data"]["unreact"]["subject"]["reactions"]), [1, 0, 0, 1]);
            }
        }
        let missing = ask(app, &ada, REACT, json!({ "subjectId": "cmt_none", "kind": "THANKS" })).await;
        assert_eq!(missing["errors"][0]["extensions"]["code"], "NOT_FOUND");
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet" })).await;
        for person in [&ada, &grace] {
            let refused = ask(app, person, REACT, json!({ "subjectId": draft, "kind": "THANKS" })).await;
            assert_eq!(refused["errors"][0]["extensions"]["code"], "NOT_FOUND", "nobody reacts to a draft");
        }
    }

    async fn many_at_once_lose_nothing(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (post, thread) = post(app, &ada, "IDEA").await;
        let comment = add(app, &ada, &thread, "It works.").await;
        let mut people = Vec::new();
        for number in 0..16 {
            people.push(app.person(&format!("Member {number}")).await);
        }
        // Each reacts to both, twice over, answers, and the author edits all the while.
        let each = people.iter().map(async |person| {
            for target in [&post, &comment] {
                let input = |kind: &str| json!({ "subjectId": target, "kind": kind });
                let (one, two) = tokio::join!(ask(app, person, REACT, input("GOOD_IDEA")), ask(app, person, REACT, input("GOOD_IDEA")));
                assert_eq!((&one["data"]["react"]["userErrors"], &two["data"]["react"]["userErrors"]), (&json!([]), &json!([])), "{one} {two}");
                ask(app, person, REACT, input("THANKS")).await;
                ask(app, person, UNREACT, input("THANKS")).await;
            }
            let added = ask(app, person, ADD, json!({ "threadId": thread, "body": "So do we." })).await;
            assert_eq!(added["data"]["addComment"]["userErrors"], json!([]), "{added}");
        });
        let edits = async {
            for version in 1..=10 {
                let body = format!("It works, try {version}.");
                let edited = ask(app, &ada, EDIT, json!({ "id": comment, "expectedVersion": version, "body": body })).await;
                assert_eq!(edited["data"]["updateComment"], json!({ "comment": { "version": version + 1 }, "userErrors": [] }), "reactions don't make an edit stale");
            }
        };
        tokio::join!(futures_util::future::join_all(each), edits);
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Post { reactions { count } thread { commentCount } } ... on Comment { reactions { count } revisions { totalCount } } } }";
        let truth = app.graphql(&ada.token, query, json!({ "ids": [post, comment] })).await;
        let nodes = &truth["data"]["nodes"];
        assert_eq!((counts(&nodes[0]["reactions"]), &nodes[0]["thread"]["commentCount"]), (vec![0, 0, 16, 0], &json!(17)));
        assert_eq!((counts(&nodes[1]["reactions"]), &nodes[1]["revisions"]["totalCount"]), (vec![0, 0, 16, 0], &json!(11)));
    }

    async fn a_question_has_one_accepted_answer(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let (question, thread) = post(app, &ada, "QUESTION").await;
        let unanswered = async || {
            let answer = app.graphql(&joan.token, "{ feed(scope: UNANSWERED) { totalCount } }", json!({})).await;
            answer["data"]["feed"]["totalCount"].clone()
        };
        add(app, &ada, &thread, "Anybody?").await;
        assert_eq!(unanswered().await, 1, "its author has not answered it");
        let first = add(app, &grace, &thread, "They help.").await;
        let second = add(app, &joan, &thread, "Felt pads help more.").await;
        assert_eq!(unanswered().await, 0);

        let forbidden = ask(app, &grace, ACCEPT, json!({ "commentId": first })).await;
        assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
        for comment in [&first, &second, &second] {
            let done = ask(app, &ada, ACCEPT, json!({ "commentId": comment })).await;
            assert_eq!(done["data"]["acceptAnswer"], json!({ "post": { "acceptedAnswer": { "id": comment } }, "userErrors": [] }));
        }
        let marked = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Comment { accepted } } }";
        let marks = app.graphql(&joan.token, marked, json!({ "ids": [first, second] })).await;
        assert_eq!(marks["data"]["nodes"], json!([{ "accepted": false }, { "accepted": true }]));

        let unaccept = "mutation($input: UnacceptAnswerInput!) { unacceptAnswer(input: $input) { post { acceptedAnswer { id } } userErrors { code } } }";
        for comment in [&first, &second] {
            let undone = ask(app, &ada, unaccept, json!({ "commentId": comment })).await;
            let left = if comment == &first { json!({ "id": second }) } else { Json::Null };
            assert_eq!(undone["data"]["unacceptAnswer"]["post"]["acceptedAnswer"], left);
        }
        ask(app, &ada, ACCEPT, json!({ "commentId": second })).await;
        let delete = "mutation($input: DeleteCommentInput!) { deleteComment(input: $input) { comment { accepted } } }";
        ask(app, &joan, delete, json!({ "id": second })).await;
        let left = app.graphql(&ada.token, "query($id: ID!) { node(id: $id) { ... on Post { acceptedAnswer { id } } } }", json!({ "id": question })).await;
        assert_eq!(left["data"]["node"]["acceptedAnswer"], Json::Null, "a deleted answer is none");

        let (_, idea) = post(app, &ada, "IDEA").await;
        let comment = add(app, &grace, &idea, "Good.").await;
        let wrong = ask(app, &ada, ACCEPT, json!({ "commentId": comment })).await;
        assert_eq!(wrong["data"]["acceptAnswer"]["userErrors"][0]["code"], "WRONG_STATE");
    }

    async fn a_question_that_becomes_an_idea_has_no_answer(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (question, thread) = post(app, &ada, "QUESTION").await;
        let comment = add(app, &grace, &thread, "They help.").await;
        ask(app, &ada, ACCEPT, json!({ "commentId": comment })).await;
        let update = "mutation($input: UpdatePostInput!) { updatePost(input: $input) { post { acceptedAnswer { id } thread { comments { nodes { accepted } } } } userErrors { code } } }";
        let changed = ask(app, &ada, update, json!({ "id": question, "expectedVersion": 1, "kind": "IDEA" })).await;
        let post = &changed["data"]["updatePost"]["post"];
        assert_eq!(post, &json!({ "acceptedAnswer": null, "thread": { "comments": { "nodes": [{ "accepted": false }] } } }), "{changed}");
    }

    async fn comments_are_listed_by_time_and_by_worth(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (_, thread) = post(app, &ada, "QUESTION").await;
        let mut ids = Vec::new();
        for text in ["one", "two", "three"] {
            ids.push(add(app, &grace, &thread, text).await);
        }
        let [one, two, three] = ids.try_into().unwrap();
        for person in [&ada, &grace] {
            ask(app, person, REACT, json!({ "subjectId": three, "kind": "THANKS" })).await;
        }
        ask(app, &ada, REACT, json!({ "subjectId": two, "kind": "THANKS" })).await;
        assert_eq!(comments(app, &ada, &thread, "OLDEST").await, [&one, &two, &three].map(String::clone));
        assert_eq!(comments(app, &ada, &thread, "NEWEST").await, [&three, &two, &one].map(String::clone));
        assert_eq!(comments(app, &ada, &thread, "BEST").await, [&three, &two, &one].map(String::clone));
        ask(app, &ada, ACCEPT, json!({ "commentId": one })).await;
        assert_eq!(comments(app, &ada, &thread, "BEST").await, [one, three, two]);
    }

    async fn mentions_are_checked_against_the_directory(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (_, thread) = post(app, &ada, "IDEA").await;
        let body = format!("Ask @[The Chief Executive]({0}) and @[Ada]({1}), or @[Grace]({0}).", grace.id, ada.id);
        let done = ask(app, &ada, ADD, json!({ "threadId": thread, "body": body })).await;
        let comment = &done["data"]["addComment"]["comment"];
        assert_eq!(comment["body"]["text"], "Ask @Grace Hill and @Ada Moore, or @Grace Hill.", "{done}");
        assert_eq!(comment["mentions"], json!([{ "name": "Grace Hill" }, { "name": "Ada Moore" }]));
        assert!(comment["body"]["html"].as_str().unwrap().contains(&format!("<a href=\"/members/{}\"", grace.id)));

        for (body, code) in [
            ("@[Nobody](mbr_none)".to_owned(), "UNKNOWN"),
            ((0..11).map(|n| format!("@[x](mbr_{n}) ")).collect(), "TOO_MANY"),
        ] {
            let refused = ask(app, &ada, ADD, json!({ "threadId": thread, "body": body })).await;
            assert_eq!((&refused["data"]["addComment"]["userErrors"][0]["field"], &refused["data"]["addComment"]["userErrors"][0]["code"]), (&json!(["body"]), &json!(code)), "{refused}");
        }
        let input = json!({ "kind": "IDEA", "title": "With thanks", "body": format!("To @[x]({}).", grace.id), "topicIds": ["top_volunteering"], "publish": true });
        let id = app.create_post(&ada, input).await;
        let read = app.graphql(&ada.token, "query($id: ID!) { node(id: $id) { ... on Post { summary mentions { name } } } }", json!({ "id": id })).await;
        assert_eq!(read["data"]["node"], json!({ "summary": "To @Grace Hill.", "mentions": [{ "name": "Grace Hill" }] }));
    }

    async fn a_quote_has_the_words_of_the_other(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let (_, thread) = post(app, &ada, "IDEA").await;
        let (_, other) = post(app, &ada, "IDEA").await;
        let said = add(app, &grace, &thread, "We fitted **soft-close** bins\non nine wards.").await;
        let elsewhere = add(app, &grace, &other, "We fitted soft-close bins.").await;
        let quote = |comment: &str, text: &str| json!({ "threadId": thread, "body": "How much was it?", "quote": { "commentId": comment, "text": text } });
        let done = ask(app, &ada, ADD, quote(&said, " soft-close bins on  nine wards ")).await;
        let comment = &done["data"]["addComment"]["comment"];
        assert_eq!(comment["quote"], json!({ "text": "soft-close bins on nine wards", "comment": { "author": { "name": "Grace Hill" } } }), "{done}");
        for (comment, text, field, code) in [
            (said.as_str(), "bins on ninety wards", "text", "INVALID"),
            (&said, " ", "text", "INVALID"),
            (&said, &"x".repeat(501), "text", "TOO_LONG"),
            (&elsewhere, "soft-close", "commentId", "UNKNOWN"),
            ("nonsense", "soft-close", "commentId", "UNKNOWN"),
        ] {
            let refused = ask(app, &ada, ADD, quote(comment, text)).await;
            let error = &refused["data"]["addComment"]["userErrors"][0];
            assert_eq!((&error["field"], &error["code"]), (&json!(["quote", field]), &json!(code)), "{refused}");
        }
        let delete = "mutation($input: DeleteCommentInput!) { deleteComment(input: $input) { comment { deleted } } }";
        ask(app, &grace, delete, json!({ "id": said })).await;
        let read = app.graphql(&ada.token, "query($id: ID!) { node(id: $id) { ... on Comment { quote { text } } } }", json!({ "id": comment["id"] })).await;
        assert_eq!(read["data"]["node"]["quote"], Json::Null, "what was taken back is not quoted any more");
    }

    async fn edits_of_what_others_read_are_kept(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "First words" })).await;
        let update = "mutation($input: UpdatePostInput!) { updatePost(input: $input) { post { version } userErrors { code } } }";
        ask(app, &ada, update, json!({ "id": draft, "expectedVersion": 1, "title": "Ten wards", "body": "We asked ten.", "topicIds": ["top_volunteering"] })).await;
        let publish = "mutation($input: PublishPostInput!) { publishPost(input: $input) { userErrors { code } } }";
        ask(app, &ada, publish, json!({ "id": draft })).await;
        let revisions = "query($id: ID!) { node(id: $id) { ... on Post { revisions { totalCount nodes { number editor { name } changes { field difference { kind text } } } } } } }";
        let none = app.graphql(&grace.token, revisions, json!({ "id": draft })).await;
        assert_eq!(none["data"]["node"]["revisions"]["totalCount"], 0, "a draft's edits are its author's business");

        app.advance(TimeDelta::minutes(5));
        ask(app, &ada, update, json!({ "id": draft, "expectedVersion": 3, "body": "We asked twelve." })).await;
        let kept = app.graphql(&grace.token, revisions, json!({ "id": draft })).await;
        assert_eq!(kept["data"]["node"]["revisions"]["nodes"], json!([
            { "number": 2, "editor": { "name": "Ada Moore" }, "changes": [{ "field": "body", "difference": [
                { "kind": "SAME", "text": "We asked " }, { "kind": "REMOVED", "text": "ten." }, { "kind": "ADDED", "text": "twelve." }] }] },
            { "number": 1, "editor": { "name": "Ada Moore" }, "changes": [] },
        ]), "{kept}");

        let thread = draft.replacen("pst", "thr", 1);
        let comment = add(app, &grace, &thread, "My password is swordfish").await;
        ask(app, &grace, EDIT, json!({ "id": comment, "expectedVersion": 1, "body": "Good." })).await;
        let delete = "mutation($input: DeleteCommentInput!) { deleteComment(input: $input) { comment { revisions { totalCount } } } }";
        let gone = ask(app, &grace, delete, json!({ "id": comment })).await;
        assert_eq!(gone["data"]["deleteComment"]["comment"]["revisions"]["totalCount"], 0, "{gone}");
    }

    async fn edits_of_tags_topics_and_files_are_kept_by_name(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        let mut files = Vec::new();
        for name in ["plan.pdf", "notes.pdf", "minutes.pdf"] {
            files.push(upload(app, &ada, name, PDF).await["id"].clone());
        }
        let before = json!({ "topicIds": ["top_volunteering"], "tags": ["Quiet nights", "wards"], "attachmentIds": [files[0]] });
        let after = json!({ "topicIds": ["top_volunteering", "top_mental-health"], "tags": ["Earplugs", "QUIET nights"], "attachmentIds": [files[1]] });
        let expected = [("topics", "Volunteering", "Volunteering\nMental health"), ("tags", "Quiet nights\nwards", "Earplugs\nQuiet nights"), ("attachments", "plan.pdf", "notes.pdf")];
        let post = app.create_post(&ada, with(json!({ "kind": "IDEA", "title": "Same", "body": "Same.", "publish": true }), &before)).await;
        let study = app.case_study(&ada, &with(before, &json!({ "attachmentIds": [] }))).await;
        for (mutation, id, version) in [("updatePost", &post, 1), ("updateCaseStudy", &study, 2)] {
            let mut change = with(after.clone(), &json!({ "id": id, "expectedVersion": version }));
            let mut expected = expected.map(|(field, was, is)| (field.to_owned(), was.to_owned(), is.to_owned()));
            if mutation == "updateCaseStudy" {
                // A file belongs to one text. A case study's authors say how its tags are spelled.
                change["attachmentIds"] = json!([files[2]]);
                expected[2] = ("attachments".to_owned(), String::new(), "minutes.pdf".to_owned());
                expected[1].2 = "Earplugs\nQUIET nights".to_owned();
            }
            assert_eq!(app.mutate(&ada, mutation, &change, "").await["userErrors"], json!([]));
            let mut kept = changes(app, &grace, id).await;
            kept.sort();
            expected.sort();
            assert_eq!(kept, expected, "{mutation}");
        }
        let comment = add(app, &grace, &post.replacen("pst", "thr", 1), "Look.").await;
        let file = upload(app, &grace, "photo list.pdf", PDF).await["id"].clone();
        app.mutate(&grace, "updateComment", &json!({ "id": comment, "expectedVersion": 1, "body": "Look.", "attachmentIds": [file] }), "").await;
        assert_eq!(changes(app, &ada, &comment).await, [("attachments".to_owned(), String::new(), "photo list.pdf".to_owned())]);

        // What stays, and what is only spelled differently, is no change.
        let same = with(after.clone(), &json!({ "id": post, "expectedVersion": 2, "tags": ["EARPLUGS", "quiet nights"] }));
        app.mutate(&ada, "updatePost", &same, "").await;
        assert_eq!(changes(app, &grace, &post).await.len(), 3, "still those of the edit before");
    }

    async fn reactions_cost_one_call_a_page(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (_, thread) = post(app, &ada, "IDEA").await;
        let query = "query($id: ID!) { node(id: $id) { ... on Thread { comments(first: 20) { nodes { id accepted mentions { name } quote { text } reactions { kind count viewerReacted } } } } } }";
        let calls = async || {
            let before = app.app.store.calls();
            let answer = app.graphql(&ada.token, query, json!({ "id": thread })).await;
            assert_eq!(answer["errors"], Json::Null, "{answer}");
            app.app.store.calls() - before
        };
        add(app, &ada, &thread, "one").await;
        let few = calls().await;
        for n in 0..19 {
            let id = add(app, &ada, &thread, &format!("more {n}, @[x]({})", ada.id)).await;
            ask(app, &ada, REACT, json!({ "subjectId": id, "kind": "THANKS" })).await;
        }
        // The viewer, the thread, its subject, the comments, the viewer's reactions.
        assert_eq!((few, calls().await), (5, 5));
    }
}
