//! Workers and mail servers that are killed in the middle of sending.

use std::{collections::HashMap, time::Instant};

use chrono::TimeDelta;
use hope_exchange::{
    clock::Clock,
    domain::{
        self,
        digest::{Digest, DigestState},
        member::Member,
        post::PostKind,
    },
    ids::Ids,
    store::Store,
};
use tokio::process::Child;

use crate::{
    app::{On, client, mongodb, random},
    community::{all, insert, member, post, publish, waiting},
    process::{SmtpServer, count, emls, free_address, header, hope, terminate, until},
};

/// Members of the community whose workers are killed.
const MANY: usize = 1_000;
/// And of the one whose workers are stopped.
const SOME: usize = 150;

/// Where a worker process finds its store and its mail.
struct Place {
    folder: tempfile::TempDir,
    store: String,
    mail: String,
}

impl Place {
    fn worker(&self) -> Child {
        hope(&["worker"], &self.settings())
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("HOPE_STORE", self.store.clone()),
            ("HOPE_MAIL", self.mail.clone()),
            ("HOPE_DATA", self.folder.path().display().to_string()),
            ("HOPE_LOG", "warn".to_owned()),
            ("HOPE_JOBS__LEASE_SECONDS", "3".to_owned()),
            ("HOPE_MAIL_FROM__PER_SECOND", "100000".to_owned()),
        ]
    }
}

/// A store with members whose digest is due and an idea to tell them of.
async fn due_community(store: &Store, members: usize) -> Vec<Member> {
    let clock = Clock::System { offset: TimeDelta::zero() };
    let ids = Ids::system(clock.clone());
    let before = clock.now().minus(TimeDelta::days(2));
    let mut members: Vec<Member> =
        (0..members).map(|number| member(&ids, &format!("Member {number:04}"), before)).collect();
    for member in &mut members {
        member.digest_due_at = Some(clock.now().minus(TimeDelta::hours(1)));
        // So that a digest on the last scheduled day does not come before this one.
        member.digest.weekday = chrono::Datelike::weekday(&clock.now().minus(TimeDelta::hours(1)).london());
        member.digest.minute = 0;
    }
    insert(store, &members).await;
    let mut asha = member(&ids, "Asha", before);
    asha.digest_due_at = None;
    insert(store, [&asha]).await;
    publish(store, &[post(&ids, &asha, PostKind::Idea, "Quiet nights", before.plus(TimeDelta::hours(1)))])
        .await;
    members
}

async fn on(on: On, test: impl AsyncFnOnce(String, tempfile::TempDir)) {
    let folder = tempfile::tempdir().unwrap();
    match on {
        On::Sqlite => {
            let uri = format!("sqlite://{}", folder.path().join("hope.db").display());
            test(uri, folder).await;
        }
        On::Mongo => {
            let Some(server) = mongodb() else { return };
            let name = format!("hope_{:032x}", u128::from_be_bytes(random()));
            let uri = server.replacen("/?", &format!("/{name}?"), 1);
            test(uri.clone(), folder).await;
            crate::app::drop_database(&uri).await;
        }
    }
}

/// Two workers, killed again and again: every member gets their digest, and at most one message a
/// kill and worker comes twice, with the same Message-ID.
async fn killed_workers_lose_nothing(uri: String, folder: tempfile::TempDir) {
    let mail = folder.path().join("mail");
    let place = Place { store: uri, mail: format!("dir://{}", mail.display()), folder };
    let store = Store::open(&place.store, &domain::collections()).await.unwrap();
    let members = due_community(&store, MANY).await;

    let mut kills = 0;
    for sent in [100, 300, 500] {
        let mut workers = [place.worker(), place.worker()];
        until(&format!("{sent} digests are out"), async || count(&mail) >= sent).await;
        for worker in &mut workers {
            worker.kill().await.unwrap();
            kills += 1;
        }
    }
    let (start, before) = (Instant::now(), count(&mail));
    let mut worker = place.worker();
    until("all digests are sent", async || count(&mail) >= MANY && waiting(&store).await.is_empty()).await;
    assert!(terminate(&mut worker).await.success());
    eprintln!("one worker wrote {} digests in {:?}", count(&mail) - before, start.elapsed());

    let digests: Vec<Digest> = all(&store).await;
    assert_eq!(digests.len(), MANY);
    assert!(digests.iter().all(|digest| digest.state == DigestState::Sent && digest.sent_at.is_some()));
    let mut received: HashMap<String, Vec<String>> = HashMap::new();
    for eml in emls(&mail) {
        received.entry(header(&eml, "To").unwrap()).or_default().push(header(&eml, "Message-ID").unwrap());
    }
    assert_eq!(received.len(), members.len());
    let repeated = received.values().filter(|ids| ids.len() > 1).count();
    assert!(repeated <= kills, "{repeated} repeated after {kills} kills");
    assert!(received.values().all(|ids| ids.len() <= 2 && ids.iter().all(|id| *id == ids[0])));
    store.close().await;
}

/// Told to stop, a worker finishes the message in hand: nothing comes twice.
async fn stopped_workers_repeat_nothing(uri: String, folder: tempfile::TempDir) {
    let server = SmtpServer::start(&[]).await;
    let mail = format!("smtp://127.0.0.1:{}?tls=none", server.port);
    let place = Place { store: uri, mail, folder };
    let store = Store::open(&place.store, &domain::collections()).await.unwrap();
    let members = due_community(&store, SOME).await;
    for sent in [20, 60] {
        let mut worker = place.worker();
        until("some are out", async || server.count() >= sent).await;
        assert!(terminate(&mut worker).await.success());
    }
    let mut worker = place.worker();
    let (start, before) = (Instant::now(), server.count());
    until("all digests are sent", async || waiting(&store).await.is_empty()).await;
    eprintln!("{} digests over SMTP in {:?}", server.count() - before, start.elapsed());
    assert!(terminate(&mut worker).await.success());
    let mut to: Vec<String> = server.taken().iter().map(|eml| header(eml, "X-RcptTo").unwrap()).collect();
    to.sort_unstable();
    let expected: Vec<&str> = members.iter().map(|member| member.email.as_str()).collect();
    assert_eq!(to, expected);
    store.close().await;
}

/// A mail server that dies under the service: members are served meanwhile, and once it is back,
/// everybody gets their digest. Only the message in hand may come twice, with the same Message-ID.
async fn a_killed_mail_server_loses_nothing(uri: String, folder: tempfile::TempDir) {
    let server = SmtpServer::start(&[]).await;
    let (port, mail) = (server.port.to_string(), format!("smtp://127.0.0.1:{}?tls=none", server.port));
    let place = Place { store: uri, mail, folder };
    let store = Store::open(&place.store, &domain::collections()).await.unwrap();
    let members = due_community(&store, SOME).await;
    let listen = free_address();
    let service = |offset: &str| {
        let mut settings = place.settings();
        settings.push(("HOPE_LISTEN", listen.clone()));
        settings.push(("HOPE_CLOCK_OFFSET", offset.to_owned()));
        hope(&["serve"], &settings)
    };
    let mut before = service("0s");
    until("some are out", async || server.count() >= 20).await;
    let mut taken = server.taken();
    drop(server);

    let http = client();
    let ready = async || {
        http.get(format!("http://{listen}/health/ready"))
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
    };
    until("what is left waits for its next attempt", async || {
        waiting(&store).await.iter().all(|job| job.attempts > 0)
    })
    .await;
    assert!(ready().await, "mail is not needed to serve");
    let asked = http
        .post(format!("http://{listen}/api/v1/auth/sign-in"))
        .json(&serde_json::json!({ "email": "jo@northmoor.nhs.uk" }))
        .send();
    assert_eq!(asked.await.unwrap().status(), 202);
    assert!(terminate(&mut before).await.success());

    let server = SmtpServer::start(&["--port", &port]).await;
    // The same moment as the pause's end.
    let mut after = service("90s");
    until("everything is sent", async || waiting(&store).await.is_empty()).await;
    assert!(terminate(&mut after).await.success());
    taken.extend(server.taken());
    let mut received: HashMap<String, Vec<String>> = HashMap::new();
    for eml in &taken {
        received
            .entry(header(eml, "X-RcptTo").unwrap())
            .or_default()
            .push(header(eml, "Message-ID").unwrap());
    }
    assert_eq!(received.remove("jo@northmoor.nhs.uk").map(|codes| codes.len()), Some(1));
    assert!(members.iter().all(|member| received.contains_key(member.email.as_str())));
    assert!(taken.len() <= members.len() + 2, "{} messages for {} members", taken.len(), members.len());
    assert!(received.values().all(|ids| ids.iter().all(|id| *id == ids[0])));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_mail_server_loses_nothing_on_sqlite() {
    on(On::Sqlite, a_killed_mail_server_loses_nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_mail_server_loses_nothing_on_mongodb() {
    on(On::Mongo, a_killed_mail_server_loses_nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_lose_nothing_on_sqlite() {
    on(On::Sqlite, killed_workers_lose_nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_lose_nothing_on_mongodb() {
    on(On::Mongo, killed_workers_lose_nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_workers_repeat_nothing_on_sqlite() {
    on(On::Sqlite, stopped_workers_repeat_nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_workers_repeat_nothing_on_mongodb() {
    on(On::Mongo, stopped_workers_repeat_nothing).await;
}
