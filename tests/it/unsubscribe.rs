//! Stopping the digest: from the mail program's own button, from the page, and not by accident.

use hope_exchange::{
    actions,
    domain::{
        digest::DigestState,
        member::{DigestFrequency, Member},
    },
    ids::Id,
    jobs::{self, digest},
};

use crate::{
    community::{digests_of, reload, time},
    digest::{TUESDAY, community, run_at, to},
    on_both_stores,
};

on_both_stores! {
    /// RFC 8058, RFC 2369, RFC 2919: the headers that mail programs show a button for.
    async fn digests_say_how_to_stop_them(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo"]).await;
        let message = run_at(app, TUESDAY).await.remove(0);
        let list = message.list.clone().unwrap();
        let token = actions::digest::unsubscribe::token(&app.app, &members[1].id);
        assert_eq!(list.unsubscribe_url, format!("{}/unsubscribe/{token}", app.url));
        assert!(list.unsubscribe_mailto.starts_with("mailto:hope-network@example.nhs.uk?"));
        assert_eq!(list.id, "digest.127.0.0.1");
        assert!(message.text.contains(&list.unsubscribe_url) && message.html.contains(&list.unsubscribe_url));
        assert!(message.text.contains("every Tuesday because you are a member of HOPE Network"));
        assert!(!token.contains("mbr") && !token.contains(members[1].id.as_str()));
    }

    /// A mail program's POST and the page's button do the same; a GET does nothing.
    async fn one_click_stops_the_digest(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo", "Mei"]).await;
        let preferences = async |member: &Member| {
            let member = reload(&app.app.store, &member.id).await;
            (member.digest.frequency, member.digest_due_at.is_some())
        };
        for member in &members[1..] {
            let url = format!("{}/unsubscribe/{}", app.url, actions::digest::unsubscribe::token(&app.app, &member.id));
            let page = app.http.get(&url).send().await.unwrap();
            assert_eq!(page.status(), 200);
            assert_eq!(page.headers()["referrer-policy"], "no-referrer");
            assert!(page.text().await.unwrap().contains("<form method=\"post\""));
            assert_eq!(preferences(member).await, (DigestFrequency::Weekly, true));

            let form = "application/x-www-form-urlencoded";
            for body in ["List-Unsubscribe=One-Click", ""] {
                let post = app.http.post(&url).header("content-type", form).body(body);
                assert_eq!(post.send().await.unwrap().status(), 200);
                assert_eq!(preferences(member).await, (DigestFrequency::Off, false));
            }
        }
        let undo = format!("{}/unsubscribe/{}/again", app.url, actions::digest::unsubscribe::token(&app.app, &members[2].id));
        assert_eq!(app.http.post(&undo).send().await.unwrap().status(), 200);
        assert_eq!(preferences(&members[2]).await, (DigestFrequency::Weekly, true));
        assert_eq!(to(&run_at(app, TUESDAY).await), ["Mei"]);
    }

    /// For whom a week is too short: the page offers what is less often, and a GET changes nothing.
    async fn the_page_offers_digests_less_often(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo"]).await;
        let url = format!("{}/unsubscribe/{}", app.url, actions::digest::unsubscribe::token(&app.app, &members[1].id));
        let often = async || reload(&app.app.store, &members[1].id).await.digest.frequency;
        let form = |path: &str, body: &'static str| {
            let post = app.http.post(format!("{url}{path}"));
            post.header("content-type", "application/x-www-form-urlencoded").body(body)
        };
        let text = app.http.get(&url).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("You get it every Tuesday.") && text.contains("Get it every other Tuesday"), "{text}");
        assert!(text.contains("Get it on the first Tuesday of the month") && !text.contains("Get it every Tuesday"), "{text}");
        assert_eq!(often().await, DigestFrequency::Weekly);

        let text = form("/again", "frequency=monthly").send().await.unwrap().text().await.unwrap();
        assert!(text.contains("<h1>You get the digest on the first Tuesday of the month</h1>"), "{text}");
        assert!(text.contains("The next one comes on 3 March 2026."), "{text}");
        assert_eq!(often().await, DigestFrequency::Monthly);
        assert_eq!(form("/again", "frequency=hourly").send().await.unwrap().status(), 400);
        let foreign = form("/again", "frequency=weekly").header("sec-fetch-site", "cross-site");
        assert_eq!(foreign.send().await.unwrap().status(), 403);
        assert_eq!(often().await, DigestFrequency::Monthly);

        form("", "List-Unsubscribe=One-Click").send().await.unwrap();
        assert_eq!(often().await, DigestFrequency::Off);
        // Whoever opens an old link sees that it is off, and how to have it again.
        let text = app.http.get(&url).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("<h1>The digest stopped</h1>") && text.contains("Get it every Tuesday"), "{text}");
        form("/again", "frequency=fortnightly").send().await.unwrap();
        assert_eq!(often().await, DigestFrequency::Fortnightly);
    }

    async fn links_that_were_not_made_here_do_nothing(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo"]).await;
        let token = actions::digest::unsubscribe::token(&app.app, &members[1].id);
        let other = actions::digest::unsubscribe::token(&app.app, &Id::of("01NOBODY"));
        let version = reload(&app.app.store, &members[1].id).await.version;
        for wrong in [&token[1..], &token[..token.len() - 1], &format!("{token}A"), "x", "%00", "..%2f..", &other] {
            for url in [format!("{}/unsubscribe/{wrong}", app.url), format!("{}/unsubscribe/{wrong}/again", app.url)] {
                assert_eq!(app.http.post(&url).send().await.unwrap().status(), 404, "{url}");
            }
        }
        assert_eq!(reload(&app.app.store, &members[1].id).await.version, version);
    }

    /// Between being planned and being sent there is time to say no.
    async fn a_planned_digest_is_dropped_when_the_member_says_no(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo"]).await;
        app.app.clock.set(time(TUESDAY));
        digest::plan(&app.app).await.unwrap();
        let token = actions::digest::unsubscribe::token(&app.app, &members[1].id);
        actions::digest::unsubscribe::unsubscribe(&app.app, &token).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        assert!(app.take_mail().is_empty());
        assert_eq!(digests_of(&app.app.store, &members[1]).await[0].state, DigestState::Dropped);
    }
}
