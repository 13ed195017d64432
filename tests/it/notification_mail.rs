//! E-mail about what happened: held, dropped when read, one for what came together, and stopped by kind.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{member::Role, notification::Notification},
    jobs,
    mail::{MailError, Message},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    attention::thread_of,
    community::{all, waiting},
    on_both_stores,
};

/// Tells of what happened, then what is to be told by e-mail when it was held for as long as it is.
pub async fn mail(app: &TestApp) -> Vec<Message> {
    jobs::run_due(&app.app).await.unwrap();
    assert!(app.take_mail().is_empty(), "it is held");
    app.advance(TimeDelta::seconds(59));
    jobs::run_due(&app.app).await.unwrap();
    assert!(app.take_mail().is_empty(), "it is held");
    app.advance(TimeDelta::seconds(1));
    jobs::run_due(&app.app).await.unwrap();
    app.take_mail()
}

async fn mention(app: &TestApp, by: &Person, thread: &str, whom: &Person) -> String {
    app.said(by, thread, None, &format!("Ask @[x]({}) about <b>earplugs</b>.", whom.id)).await
}

async fn preferences(app: &TestApp, person: &Person) -> Json {
    let query = "{ viewer { notificationPreferences { mentioned replied } } }";
    app.graphql(&person.token, query, json!({})).await["data"]["viewer"]["notificationPreferences"].clone()
}

on_both_stores! {
    async fn what_a_moderator_did_is_told_without_what_was_hidden(app: &TestApp) {
        let (ada, mary) = (app.person("Ada Moore").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Moderator).await;
        let post = app.shared(&ada, "IDEA", "Swordfish").await;
        let hide = json!({ "subjectId": post, "reason": "It names a patient." });
        app.mutate(&mary, "hideContent", &hide, "").await;
        let sent = mail(app).await;
        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].to.as_str(), sent[0].subject.as_str()), ("ada-moore@ada-moore.nhs.uk", "A moderator hid something of yours"));
        for body in [&sent[0].text, &sent[0].html] {
            assert!(body.contains("It names a patient.") && !body.contains("Swordfish"), "{body}");
        }
        assert!(sent[0].text.contains("\nRead it: http"), "nobody answers to it: {}", sent[0].text);
        // Whoever is kept out still hears of it, once each.
        app.mutate(&mary, "suspendMember", &json!({ "memberId": ada.id, "reason": "Again and again." }), "").await;
        let sent = mail(app).await;
        assert_eq!(sent.iter().map(|message| message.subject.as_str()).collect::<Vec<_>>(), ["Your membership is suspended"]);
        assert!(sent[0].text.contains("Again and again."));
    }

    async fn a_mention_is_told_by_e_mail_when_it_is_not_read(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let post = app.shared(&ada, "IDEA", "Quiet nights").await;
        mention(app, &grace, &thread_of(&post), &joan).await;
        let mut sent = mail(app).await;
        assert_eq!(sent.len(), 1, "replies to Ada are on the site only");
        let message = sent.remove(0);
        assert_eq!((message.to.as_str(), message.subject.as_str()), ("joan-clarke@joan-clarke.nhs.uk", "Grace Hill mentioned you in “Quiet nights”"));
        let url = format!("{}/posts/{post}", app.url);
        assert!(message.text.contains(&url) && message.html.contains(&url), "{}", message.text);
        assert!(message.text.contains("Ask @Joan Clarke about"), "{}", message.text);
        assert!(!message.html.contains("<b>earplugs"));
        let list = message.list.unwrap();
        assert_eq!(list.id, "mentioned.127.0.0.1");
        assert!(message.text.contains(&list.unsubscribe_url) && list.unsubscribe_url.starts_with(&format!("{}/unsubscribe/", app.url)));
        assert!(list.unsubscribe_mailto.starts_with("mailto:hope-network@example.nhs.uk?"));
        assert!(mail(app).await.is_empty() && waiting(&app.app.store).await.is_empty(), "once");
    }

    async fn what_is_read_meanwhile_is_not_mailed(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        mention(app, &grace, &thread, &joan).await;
        jobs::run_due(&app.app).await.unwrap();
        app.reads(&joan, &thread).await;
        let gone = mention(app, &grace, &thread_of(&app.shared(&ada, "IDEA", "Soft doors").await), &joan).await;
        jobs::run_due(&app.app).await.unwrap();
        app.mutate(&grace, "deleteComment", &json!({ "id": gone }), "comment { id }").await;
        assert!(mail(app).await.is_empty());
        assert!(waiting(&app.app.store).await.is_empty());
    }

    async fn what_came_together_is_one_mail(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let all_mail = json!({ "replied": "EMAIL_AT_ONCE" });
        app.mutate(&ada, "updateNotificationPreferences", &all_mail, "preferences { replied }").await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        for _ in 0..3 {
            app.said(&grace, &thread, None, "So do we.").await;
        }
        mention(app, &joan, &thread, &ada).await;
        let sent = mail(app).await;
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(sent[0].subject, "Joan Clarke mentioned you in “Quiet nights”, and more");
        assert!(sent[0].text.contains("3 replies to you in “Quiet nights” by Grace Hill"), "{}", sent[0].text);
        assert_eq!(sent[0].text.matches("/unsubscribe/").count(), 2);
        // What comes later adds to what is unread, and the next mail tells only that.
        app.said(&grace, &thread, None, "One more.").await;
        let next = mail(app).await;
        assert_eq!(next[0].subject, "Grace Hill replied to you in “Quiet nights”");
        assert_ne!(next[0].message_id, sent[0].message_id);
        let told: Vec<Notification> = all(&app.app.store).await;
        assert_eq!(told.iter().map(|told| (told.count, told.mailed)).max(), Some((4, 4)));
    }

    async fn a_mail_that_fails_is_sent_later_with_the_same_id(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        mention(app, &grace, &thread, &joan).await;
        app.mail.fail_next([MailError::Later("away".to_owned())]);
        assert!(mail(app).await.is_empty());
        app.advance(TimeDelta::seconds(73));
        jobs::run_due(&app.app).await.unwrap();
        let sent = app.take_mail();
        assert_eq!(sent.len(), 1);
        let told: Vec<Notification> = all(&app.app.store).await;
        let mentioned = told.iter().find(|told| told.mailed == 1).unwrap();
        assert_eq!(sent[0].message_id, format!("{}-1@127.0.0.1", mentioned.id));
    }

    async fn what_people_say_is_there_to_be_answered(app: &TestApp) {
        let (ada, grace, mary) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Mary Ward").await);
        app.grant(&mary, Role::Moderator).await;
        let post = app.shared(&ada, "IDEA", "Quiet nights").await;
        app.mutate(&mary, "lockThread", &json!({ "threadId": thread_of(&post), "reason": "Cool down." }), "").await;
        let sent = mail(app).await;
        assert!(sent[0].text.contains("\nRead it: http") && sent[0].html.contains(">Read it<"), "{}", sent[0].text);
        app.mutate(&mary, "unlockThread", &json!({ "threadId": thread_of(&post), "reason": "You did." }), "").await;
        mention(app, &grace, &thread_of(&post), &ada).await;
        let sent = mail(app).await;
        assert_eq!(sent.len(), 1, "one for both");
        assert!(sent[0].text.contains("\nRead and answer it: http") && sent[0].html.contains(">Read and answer it<"), "{}", sent[0].text);
    }

    /// RFC 8058: a POST without cookies stops mails of one kind; a GET changes nothing.
    async fn one_click_stops_one_kind(app: &TestApp) {
        let (ada, grace, joan) = (app.person("Ada Moore").await, app.person("Grace Hill").await, app.person("Joan Clarke").await);
        app.mutate(&joan, "updateNotificationPreferences", &json!({ "replied": "EMAIL_AT_ONCE" }), "preferences { replied }").await;
        let thread = thread_of(&app.shared(&ada, "IDEA", "Quiet nights").await);
        mention(app, &grace, &thread, &joan).await;
        let url = mail(app).await.remove(0).list.unwrap().unsubscribe_url;
        let page = app.http.get(&url).send().await.unwrap();
        assert_eq!(page.status(), 200);
        let page = page.text().await.unwrap();
        assert!(page.contains("Stop e-mails about mentions of you") && !page.contains("weekly"), "{page}");
        assert_eq!(preferences(app, &joan).await, json!({ "mentioned": "EMAIL_AT_ONCE", "replied": "EMAIL_AT_ONCE" }));
        for _ in 0..2 {
            let post = app.http.post(&url).header("content-type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click");
            assert_eq!(post.send().await.unwrap().status(), 200);
            assert_eq!(preferences(app, &joan).await, json!({ "mentioned": "ON_SITE", "replied": "EMAIL_AT_ONCE" }));
        }
        mention(app, &grace, &thread, &joan).await;
        assert!(mail(app).await.is_empty());
        assert_eq!(app.unread_count(&joan).await, 1, "on the site it is told still");
        assert_eq!(app.http.post(format!("{url}/again")).send().await.unwrap().status(), 200);
        assert_eq!(preferences(app, &joan).await["mentioned"], "EMAIL_AT_ONCE");
        for wrong in [format!("{url}A"), url.replace("/unsubscribe/", "/unsubscribe/A")] {
            assert_eq!(app.http.post(&wrong).send().await.unwrap().status(), 404);
        }
    }
}
