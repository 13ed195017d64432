//! Warnings: a moderator tells a member that something is not right, and what it is about.

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    case_studies::with,
    moderation::{House, comment, house, post},
    notification_mail::mail,
    on_both_stores,
};

async fn warn(app: &TestApp, by: &Person, whom: &Person, about: Option<&str>) -> Json {
    app.advance(TimeDelta::seconds(1));
    let input = json!({ "memberId": whom.id, "reason": "Please be kind." });
    let input = about.map_or(input.clone(), |about| with(input, &json!({ "subjectId": about })));
    let done = app.mutate(by, "warnMember", &input, "member { id }").await;
    if done.is_string() { done } else { done["userErrors"].clone() }
}

/// The notifications of a member, latest first.
async fn told(app: &TestApp, person: &Person) -> Json {
    let query = "{ viewer { notifications(first: 10) { nodes { kind text reason actors { id } subject { id } thread { id } } } } }";
    let answer = app.graphql(&person.token, query, json!({})).await;
    answer["data"]["viewer"]["notifications"]["nodes"].clone()
}

on_both_stores! {
    async fn a_warning_says_what_it_is_about(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let question = post(app, &ada, "Quiet nights").await;
        let said = comment(app, &grace, &question, "Swordfish!").await;
        hope_exchange::jobs::run_due(&app.app).await.unwrap();
        for (about, sentence) in [
            (Some(&said), "A moderator has warned you about your comment on “Quiet nights”"),
            (None, "A moderator has warned you"),
        ] {
            assert_eq!(warn(app, &mary, &grace, about.map(String::as_str)).await, json!([]));
            let sent = mail(app).await;
            assert_eq!(sent.iter().map(|message| (message.to.as_str(), message.subject.as_str())).collect::<Vec<_>>(), [("grace-hill@grace-hill.nhs.uk", sentence)]);
            assert!(sent[0].text.contains("Please be kind.") && sent[0].text.contains("\nRead it: http"), "{}", sent[0].text);
            assert_eq!(sent[0].text.contains(&question), about.is_some(), "the link leads there: {}", sent[0].text);
            assert!(!sent[0].text.contains("Swordfish"));
            let latest = told(app, &grace).await[0].clone();
            let (subject, thread) = (json!({ "id": question }), json!({ "id": question.replacen("pst", "thr", 1) }));
            let place = if about.is_some() { (&subject, &thread) } else { (&Json::Null, &Json::Null) };
            assert_eq!(latest, json!({ "kind": "MODERATED", "text": sentence, "reason": "Please be kind.", "actors": [], "subject": place.0, "thread": place.1 }));
        }
        let log = "query($id: ID!) { auditLog(subjectId: $id) { nodes { action subjectId reason aboutId about { id } } } }";
        let kept = app.graphql(&mary.token, log, json!({ "id": grace.id })).await["data"]["auditLog"]["nodes"].clone();
        let entry = |about: &Json, node: &Json| json!({ "action": "WARN_MEMBER", "subjectId": grace.id, "reason": "Please be kind.", "aboutId": about, "about": node });
        assert_eq!(kept, json!([entry(&Json::Null, &Json::Null), entry(&json!(said), &json!({ "id": said }))]));
        // Nobody else hears of it.
        assert_eq!(told(app, &ada).await.as_array().unwrap().iter().filter(|told| told["kind"] == "MODERATED").count(), 0);
    }

    async fn a_warning_is_about_what_the_member_wrote(app: &TestApp) {
        let House { ada, grace, mary } = house(app).await;
        let question = post(app, &ada, "Quiet nights").await;
        let said = comment(app, &grace, &question, "No!").await;
        let study = app.case_study(&ada, &json!({ "coAuthorIds": [grace.id] })).await;
        let draft = app.create_post(&ada, json!({ "kind": "IDEA", "title": "Not out yet" })).await;
        for (whom, about) in [(&grace, &question), (&ada, &said), (&mary, &study)] {
            assert_eq!(warn(app, &mary, whom, Some(about)).await[0]["field"], json!(["subjectId"]), "{about}");
        }
        for about in [&draft, &ada.id, "pst_none", "nonsense"] {
            assert_eq!(warn(app, &mary, &ada, Some(about)).await, "NOT_FOUND", "{about}");
        }
        assert_eq!(warn(app, &grace, &ada, Some(&question)).await, "FORBIDDEN");
        assert_eq!(app.graphql(&mary.token, "{ auditLog { totalCount } }", json!({})).await["data"]["auditLog"]["totalCount"], 0);
        for (whom, about) in [(&ada, &study), (&grace, &study), (&ada, &question)] {
            assert_eq!(warn(app, &mary, whom, Some(about)).await, json!([]));
        }
        // What is hidden is named neither in mails nor to those who can't see it.
        app.mutate(&mary, "hideContent", &json!({ "subjectId": question, "reason": "No." }), "").await;
        hope_exchange::jobs::run_due(&app.app).await.unwrap();
        app.advance(TimeDelta::minutes(1));
        hope_exchange::jobs::run_due(&app.app).await.unwrap();
        app.take_mail();
        assert_eq!(warn(app, &mary, &grace, Some(&said)).await, json!([]));
        assert_eq!(warn(app, &mary, &ada, Some(&question)).await, json!([]));
        let sent = mail(app).await;
        let mut subjects: Vec<&str> = sent.iter().map(|message| message.subject.as_str()).collect();
        subjects.sort_unstable();
        assert_eq!(subjects, ["A moderator has warned you about a comment of yours", "A moderator has warned you about something of yours"]);
        assert!(sent.iter().all(|message| !message.text.contains("Quiet nights") && !message.html.contains("Quiet nights")));
        let of = async |person: &Person| told(app, person).await[0]["text"].clone();
        assert_eq!(of(&grace).await, "A moderator has warned you about a comment of yours");
        assert_eq!(of(&ada).await, "A moderator has warned you about “Quiet nights”");
    }
}
