//! The job runner: tried again for two days, leased, woken up, and tidied.

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        digest::DigestState,
        job::{Job, JobState, Task},
        receipt::Receipt,
    },
    ids::Id,
    jobs::{self, digest},
    mail::MailError,
    store::{Batch, Guard},
};

use crate::{
    community::{all, digests_of, insert, publish, reload, time, waiting},
    digest::{TUESDAY, community, idea, run_at, to},
    on_both_stores,
};

on_both_stores! {
    /// Tried again after a minute or so, with the same Message-ID, for two days.
    async fn mail_that_fails_for_now_is_sent_later(app: &TestApp) {
        community(app, &["Asha", "Jo"]).await;
        let busy = || MailError::Later("the mail server asks to try later (451)".to_owned());
        app.mail.fail_next([busy(), busy()]);
        assert!(run_at(app, TUESDAY).await.is_empty());
        let job = waiting(&app.app.store).await.remove(0);
        let pause = job.due_at.since(app.now()).num_milliseconds();
        assert!((60_000..=72_000).contains(&pause), "{pause} ms");
        assert_eq!((job.attempts, job.last_error.as_deref()), (1, Some("the mail server asks to try later (451)")));
        assert_eq!(jobs::run_due(&app.app).await.unwrap(), 0);

        app.advance(TimeDelta::seconds(72));
        jobs::run_due(&app.app).await.unwrap();
        app.advance(TimeDelta::seconds(120));
        jobs::run_due(&app.app).await.unwrap();
        app.advance(TimeDelta::seconds(24));
        jobs::run_due(&app.app).await.unwrap();
        let mail = app.take_mail();
        assert_eq!(mail.len(), 1);
        assert!(mail[0].message_id.contains("-20260303@"), "{}", mail[0].message_id);
        assert!(waiting(&app.app.store).await.is_empty());
    }

    async fn mail_that_fails_for_two_days_is_given_up(app: &TestApp) {
        community(app, &["Asha", "Jo"]).await;
        app.mail.fail_next(vec![MailError::Later("away".to_owned()); 100]);
        run_at(app, TUESDAY).await;
        let mut attempts = 1;
        while let Some(job) = waiting(&app.app.store).await.pop() {
            app.app.clock.set(job.due_at);
            attempts += jobs::run_due(&app.app).await.unwrap();
        }
        let hours = app.now().since(time(TUESDAY)).num_hours();
        assert!((44..=58).contains(&hours) && (15..25).contains(&attempts), "{attempts} attempts in {hours} h");
        let jobs: Vec<Job> = all(&app.app.store).await;
        assert_eq!(jobs.iter().map(|job| job.state).collect::<Vec<_>>(), [JobState::Failed]);
        app.advance(TimeDelta::days(30));
        assert_eq!(jobs::run_due(&app.app).await.unwrap(), 0);
    }

    /// Refused for good, a digest is not tried again; after three in a row no more are planned.
    async fn three_bounces_pause_the_digest(app: &TestApp) {
        let (members, _) = community(app, &["Asha", "Jo"]).await;
        let jo = &members[1];
        for week in 0..3 {
            let tuesday = time(TUESDAY).plus(TimeDelta::days(7 * week));
            publish(&app.app.store, &[idea(app, &members[0], "News", tuesday.minus(TimeDelta::hours(1)))]).await;
            assert!(reload(&app.app.store, &jo.id).await.digest_due_at.is_some());
            app.mail.fail_next([MailError::NoMailbox("5.1.1".to_owned())]);
            assert!(run_at(app, &tuesday.to_string()).await.is_empty());
            assert!(waiting(&app.app.store).await.is_empty());
            // Whoever signs in with a code gets mail again.
            let mut member = reload(&app.app.store, &jo.id).await;
            assert!(member.mailbox.is_suppressed());
            member.mailbox.answers();
            app.app.store.commit(Batch::new().replace(&member)).await.unwrap();
        }
        let states: Vec<_> = digests_of(&app.app.store, jo).await.iter().map(|digest| digest.state).collect();
        assert_eq!(states, [DigestState::Bounced; 3]);
        assert_eq!(reload(&app.app.store, &jo.id).await.digest_due_at, None);
    }

    /// What was leased by a worker that died is done when the lease runs out, and not before.
    async fn a_lease_that_ran_out_is_taken_up_again(app: &TestApp) {
        community(app, &["Asha", "Jo"]).await;
        app.app.clock.set(time(TUESDAY));
        digest::plan(&app.app).await.unwrap();
        let lease = app.now().plus(TimeDelta::seconds(app.app.config.jobs.lease_seconds));
        for job in waiting(&app.app.store).await {
            let patch = Batch::new().patch(&job.id, Guard::Version(job.version), [Job::DUE_AT.set(lease)]);
            app.app.store.commit(patch).await.unwrap();
        }
        assert_eq!(jobs::run_due(&app.app).await.unwrap(), 0);
        app.app.clock.set(lease);
        assert_eq!(jobs::run_due(&app.app).await.unwrap(), 2);
        assert_eq!(app.take_mail().len(), 1);
    }

    /// The worker finds out by itself what is due, and stops when it is told to.
    async fn a_worker_wakes_up_for_new_jobs(app: &TestApp) {
        community(app, &["Asha", "Jo"]).await;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let worker = tokio::spawn(jobs::worker(app.app.clone(), async move {
            stopped.await.ok();
        }));
        app.app.clock.set(time(TUESDAY));
        let mut mail = app.take_mail();
        let start = std::time::Instant::now();
        while mail.is_empty() && start.elapsed().as_secs() < 20 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            mail = app.take_mail();
        }
        assert_eq!(to(&mail), ["Jo"]);
        stop.send(()).unwrap();
        tokio::time::timeout(std::time::Duration::from_secs(5), worker).await.unwrap().unwrap();
    }

    async fn what_expired_is_forgotten(app: &TestApp) {
        let receipt = |number: i64| Receipt {
            id: Id::of(&format!("{number:04}")),
            version: 1,
            member: Id::of("1"),
            content: String::new(),
            result: String::new(),
            expires_at: app.now().plus(TimeDelta::seconds(number)),
        };
        let receipts: Vec<Receipt> = (-250..2).map(receipt).collect();
        insert(&app.app.store, &receipts).await;
        let (one, two) = tokio::join!(jobs::purge(&app.app), jobs::purge(&app.app));
        assert_eq!(one.unwrap() + two.unwrap(), 250);
        assert_eq!(all::<Receipt>(&app.app.store).await.len(), 2);

        let mut job = Job::new(app.app.ids.fresh(), Task::SendDigest { digest: Id::of("1") }, app.now());
        insert(&app.app.store, [&job]).await;
        (job.id, job.state) = (app.app.ids.fresh(), JobState::Failed);
        insert(&app.app.store, [&job]).await;
        for (days, left) in [(29, 2), (2, 1)] {
            app.advance(TimeDelta::days(days));
            jobs::purge(&app.app).await.unwrap();
            assert_eq!(all::<Job>(&app.app.store).await.len(), left);
        }
    }
}
