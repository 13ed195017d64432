//! The page that shows a digest: to the member whose it is, as it is now.

use hope_exchange::{
    domain::post::{Post, PostState},
    ids::Id,
    jobs::digest,
    store::{Batch, Guard},
};
use serde_json::json;

use crate::{
    app::{Person, TestApp},
    community::time,
    digest::TUESDAY,
    on_both_stores,
};

/// The status, and what the page says.
async fn page(app: &TestApp, url: &str, person: Option<&Person>) -> (u16, String) {
    let mut request = app.http.get(url);
    if let Some(person) = person {
        request = request.header("cookie", format!("hope_access={}", app.sign_in_again(person).token));
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn post(app: &TestApp, author: &Person, kind: &str, title: &str) -> String {
    let input = json!({ "kind": kind, "title": title, "body": "We tried <it>.", "topicIds": ["top_volunteering"], "publish": true });
    app.create_post(author, input).await
}

on_both_stores! {
    async fn a_member_reads_their_digest_in_a_browser(app: &TestApp) {
        let (ada, grace) = (app.person("Ada Moore").await, app.person("Grace Hill").await);
        app.change(&grace, |member| member.profile.experience_topics = vec![Id::of("volunteering")]).await;
        let question = post(app, &ada, "QUESTION", "Who trains volunteers?").await;
        let idea = post(app, &ada, "IDEA", "Quiet <nights>").await;
        app.app.clock.set(time(TUESDAY));
        digest::run(&app.app).await.unwrap();
        let mail = app.take_mail().into_iter().find(|mail| mail.to_name == "Grace Hill").unwrap();
        let line = mail.text.lines().find_map(|line| line.strip_prefix("Read it in your browser: ")).unwrap();
        assert!(mail.html.contains(line) && line.starts_with(&format!("{}/digests/dig_", app.url)), "{line}");

        let (status, text) = page(app, line, Some(&grace)).await;
        assert_eq!(status, 200);
        for part in [
            "<h1>Digest of 3 March 2026</h1>",
            "Questions waiting for someone like you",
            &format!("{}/posts/{question}\">Who trains volunteers?</a>", app.url),
            "Quiet &#60;nights&#62;",
            "You have experience of Volunteering. Nobody has answered it yet.",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // It tells nobody else that it is there.
        let missing = page(app, &line.replace("20260303", "20260310"), Some(&ada)).await;
        let (status, others) = page(app, line, Some(&ada)).await;
        assert_eq!((status, missing.0), (404, 404));
        assert!(others.contains("There is no such digest any more") == missing.1.contains("There is no such digest any more"));
        let (status, nobody) = page(app, line, None).await;
        assert!(status == 200 && nobody.contains("Sign in first") && !nobody.contains("volunteers"), "{nobody}");

        // It shows what there is now.
        let joan = app.person("Joan Clarke").await;
        let query = "query($id: ID!) { node(id: $id) { ... on Post { thread { id } } } }";
        let thread = app.graphql(&app.sign_in_again(&joan).token, query, json!({ "id": question })).await;
        let input = json!({ "threadId": thread["data"]["node"]["thread"]["id"], "body": "We do." });
        app.mutate(&app.sign_in_again(&joan), "addComment", &input, "comment { id }").await;
        let id = Id::<Post>::parse(&idea).unwrap();
        let hidden = Batch::new().patch(&id, Guard::Present, [Post::STATE.set(PostState::Hidden)]);
        app.app.store.commit(hidden).await.unwrap();
        let (_, text) = page(app, line, Some(&grace)).await;
        assert!(text.contains("It has an answer now.") && !text.contains("nights"), "{text}");
    }
}
