//! Mail over real connections to a server that is not ours and does not always behave.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use hope_exchange::{
    app::{App, Parts},
    blobs::Blobs,
    clock::Clock,
    config::{Config, MailFrom, Secret},
    domain::{self, email::EmailAddress, post::PostKind},
    ids::Ids,
    jobs,
    keys::Keys,
    limits::Limits,
    mail::{List, MailError, Mailer, Message},
    single_sign_on::Providers,
    store::Store,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    community::{insert, member, post, publish, time, waiting},
    process::{SmtpServer, emls, header, until},
};

fn message(to: &str) -> Message {
    Message {
        to: EmailAddress::try_from(to.to_owned()).unwrap(),
        to_name: "Jo Bloggs".to_owned(),
        subject: "What’s new".to_owned(),
        text: "Always Events®\n.\nThe end".to_owned(),
        html: "<p>Always Events®</p>".to_owned(),
        message_id: "dig_1-20260303@hope.example".to_owned(),
        list: Some(List {
            id: "digest.hope.example".to_owned(),
            unsubscribe_url: "https://hope.example/unsubscribe/t".to_owned(),
            unsubscribe_mailto: "mailto:hope@example.nhs.uk?subject=stop".to_owned(),
        }),
    }
}

fn settings() -> MailFrom {
    MailFrom { per_second: 1_000, timeout_seconds: 5, ..Config::defaults().mail_from }
}

fn clock() -> Clock {
    Clock::manual(time("2026-03-03T07:30:00Z"))
}

fn mailer_with(server: &SmtpServer, tls: &str, from: &MailFrom) -> Mailer {
    let ca = server.cert.as_ref().map(|path| format!("&ca={path}")).unwrap_or_default();
    let uri = format!("smtp://127.0.0.1:{}?tls={tls}{ca}", server.port);
    Mailer::open(&Secret::new(uri), from, &clock()).unwrap()
}

fn mailer(server: &SmtpServer, tls: &str) -> Mailer {
    mailer_with(server, tls, &settings())
}

#[tokio::test]
async fn the_server_sees_what_was_meant() {
    let server = SmtpServer::start(&["--tls", "none"]).await;
    mailer(&server, "none").send(&message("jo@trust.nhs.uk")).await.unwrap();
    let taken = server.taken();
    let [eml] = taken.as_slice() else { panic!("{taken:?}") };
    for (name, value) in [
        ("X-MailFrom", "hope-network@example.nhs.uk"),
        ("X-RcptTo", "jo@trust.nhs.uk"),
        ("X-Tls", "none"),
        ("From", "\"HOPE Network\" <hope-network@example.nhs.uk>"),
        ("Reply-To", "hope-network@example.nhs.uk"),
        ("To", "\"Jo Bloggs\" <jo@trust.nhs.uk>"),
        ("Date", "Tue, 03 Mar 2026 07:30:00 +0000"),
        ("Message-ID", "<dig_1-20260303@hope.example>"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", "<digest.hope.example>"),
        (
            "List-Unsubscribe",
            "<https://hope.example/unsubscribe/t>, <mailto:hope@example.nhs.uk?subject=stop>",
        ),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ] {
        assert_eq!(header(eml, name).as_deref(), Some(value), "{name}");
    }
    let parsed = mail_parser::MessageParser::default().parse(eml.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some("What’s new"));
    assert_eq!(parsed.body_text(0).unwrap().trim_end(), "Always Events®\n.\nThe end");
    assert_eq!(parsed.body_html(0).unwrap().trim_end(), "<p>Always Events®</p>");
}

#[tokio::test]
async fn required_tls_is_used_or_nothing_is_sent() {
    let server = SmtpServer::start(&["--tls", "starttls", "--auth", "hope:p@ss/word"]).await;
    let ca = server.cert.as_deref().unwrap();
    let open = |user: &str, rest: &str| {
        let uri = format!("smtp://{user}127.0.0.1:{}{rest}", server.port);
        Mailer::open(&Secret::new(uri), &settings(), &clock()).unwrap()
    };
    // Required is what one gets without asking.
    open("hope:p%40ss%2Fword@", &format!("?ca={ca}")).send(&message("jo@trust.nhs.uk")).await.unwrap();
    let taken = server.taken();
    assert!(header(&taken[0], "X-Tls").unwrap().starts_with("TLSv1."), "{}", taken[0]);
    assert_eq!(header(&taken[0], "X-Login").as_deref(), Some("hope"));

    // A certificate that nobody vouches for.
    let untrusted = open("hope:p%40ss%2Fword@", "").send(&message("jo@trust.nhs.uk")).await;
    assert!(matches!(untrusted, Err(MailError::Later(_))), "{untrusted:?}");
    // A wrong password is our mistake, not a mailbox that is gone.
    let error =
        open("hope:s3cr3t@", &format!("?ca={ca}")).send(&message("jo@trust.nhs.uk")).await.unwrap_err();
    assert!(
        matches!(&error, MailError::Later(why) if why.contains("535") && !why.contains("s3cr3t")),
        "{error}"
    );
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_server_that_hides_starttls_gets_nothing_when_tls_is_required() {
    let server = SmtpServer::start(&["--tls", "hidden"]).await;
    let refused = mailer(&server, "required").send(&message("jo@trust.nhs.uk")).await;
    assert!(matches!(refused, Err(MailError::Later(_))), "{refused:?}");
    assert!(server.taken().is_empty());
    mailer(&server, "opportunistic").send(&message("jo@trust.nhs.uk")).await.unwrap();
    assert_eq!(header(&server.taken()[0], "X-Tls").as_deref(), Some("none"));
}

#[tokio::test]
async fn opportunistic_tls_is_used_where_it_is_offered() {
    let server = SmtpServer::start(&["--tls", "starttls"]).await;
    mailer(&server, "opportunistic").send(&message("jo@trust.nhs.uk")).await.unwrap();
    assert!(header(&server.taken()[0], "X-Tls").unwrap().starts_with("TLSv1."));
}

#[tokio::test]
async fn what_the_server_says_decides_whether_to_try_again() {
    let answers = [
        "gone@*=550",
        "old@*=551 moved away",
        "policy@*=550 5.7.1 we do not know you",
        "spam@*=554 this looks like junk",
        "full@*=552 5.2.2 over quota",
        "busy@*=451",
    ];
    let options: Vec<&str> = answers.iter().flat_map(|answer| ["--reject", answer]).collect();
    let server = SmtpServer::start(&options).await;
    let mailer = mailer(&server, "none");
    for (who, status) in [("gone", "5.1.1"), ("old", "551")] {
        let never = mailer.send(&message(&format!("{who}@trust.nhs.uk"))).await.unwrap_err();
        assert_eq!(never, MailError::NoMailbox(status.to_owned()));
        assert!(!never.to_string().contains('@'), "{never}");
    }
    // A refusal that is not about the mailbox is an operator's to mend.
    for (who, status) in [("policy", "5.7.1"), ("spam", "554"), ("full", "5.2.2"), ("busy", "451")] {
        let later = mailer.send(&message(&format!("{who}@trust.nhs.uk"))).await.unwrap_err();
        assert!(
            matches!(&later, MailError::Later(why) if why.contains(status) && !why.contains('@')),
            "{later}"
        );
    }
    mailer.send(&message("jo@trust.nhs.uk")).await.unwrap();
    assert_eq!(server.count(), 1);

    let port = server.port;
    drop(server);
    let nobody =
        Mailer::open(&Secret::new(format!("smtp://127.0.0.1:{port}?tls=none")), &settings(), &clock());
    let away = nobody.unwrap().send(&message("jo@trust.nhs.uk")).await;
    assert!(matches!(away, Err(MailError::Later(_))), "{away:?}");
}

/// A message that was given up must not leave its connection behind: the answer to it would be
/// taken for the answer to the next one, which then counts as sent and is not.
#[tokio::test]
async fn a_server_that_stalls_costs_the_timeout_and_spoils_nothing() {
    let server = SmtpServer::start(&["--stall", "2"]).await;
    let mailer = mailer_with(&server, "none", &MailFrom { timeout_seconds: 1, ..settings() });
    for _ in 0..3 {
        let start = Instant::now();
        let stalled = mailer.send(&message("jo@trust.nhs.uk")).await;
        assert!(matches!(stalled, Err(MailError::Later(_))), "{stalled:?}");
        assert!(start.elapsed() < Duration::from_millis(1_900), "{:?}", start.elapsed());
    }
}

/// A server that stalls over one message holds up nobody else's, and that one only for the timeout.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_stalls_holds_up_nobody_else() {
    let server = SmtpServer::start(&["--stall", "60", "--stall-for", "slow@*"]).await;
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let mailer = mailer_with(&server, "none", &MailFrom { timeout_seconds: 8, ..settings() });
    let app = app(folder.path(), mailer, clock.clone()).await;
    let before = app.clock.now().minus(TimeDelta::days(1));
    let mut members: Vec<_> =
        (0..20).map(|number| member(&app.ids, &format!("Member {number}"), before)).collect();
    // Due first.
    members[1].email = EmailAddress::parse("slow@trust.nhs.uk").unwrap();
    members[1].digest_due_at = Some(app.clock.now().minus(TimeDelta::minutes(1)));
    insert(&app.store, &members).await;
    let idea = post(&app.ids, &members[0], PostKind::Idea, "Quiet nights", before.plus(TimeDelta::hours(1)));
    publish(&app.store, &[idea]).await;

    let start = Instant::now();
    let running = tokio::spawn({
        let app = app.clone();
        async move { jobs::digest::run(&app).await }
    });
    until("all others have theirs", async || server.count() == 18).await;
    let others = start.elapsed();
    assert!(!running.is_finished() && others < Duration::from_secs(7), "{others:?}");
    running.await.unwrap().unwrap();
    let mut left = waiting(&app.store).await;
    assert_eq!((left.len(), left.remove(0).attempts), (1, 1));
    app.store.close().await;
}

#[tokio::test]
async fn messages_share_a_connection() {
    let server = SmtpServer::start(&[]).await;
    let connections = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (counter, behind) = (Arc::clone(&connections), server.port);
    let proxy = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                copy_bidirectional(&mut client, &mut server).await.ok();
            });
        }
    });
    let uri = Secret::new(format!("smtp://127.0.0.1:{port}?tls=none"));
    let mailer = Mailer::open(&uri, &settings(), &clock()).unwrap();
    for _ in 0..10 {
        mailer.send(&message("jo@trust.nhs.uk")).await.unwrap();
    }
    assert_eq!(server.count(), 10);
    // The pool takes a connection back on its own time: the next message may be a little faster.
    let connections = connections.load(Ordering::SeqCst);
    assert!(connections <= 3, "{connections} connections for 10 messages");
    proxy.abort();
}

#[tokio::test]
async fn the_relay_s_limit_is_kept() {
    let server = SmtpServer::start(&[]).await;
    let mailer = mailer_with(&server, "none", &MailFrom { per_second: 20, ..settings() });
    let start = Instant::now();
    for _ in 0..11 {
        mailer.send(&message("jo@trust.nhs.uk")).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(490), "{:?}", start.elapsed());
}

/// The connection breaks after the server has the message: it comes again, recognisably the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_whose_answer_was_lost_comes_again_with_the_same_id() {
    let server = SmtpServer::start(&["--drop-after-data", "1"]).await;
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let app = app(folder.path(), mailer(&server, "none"), clock.clone()).await;
    let before = app.clock.now().minus(TimeDelta::days(1));
    let (asha, jo) = (member(&app.ids, "Asha", before), member(&app.ids, "Jo", before));
    insert(&app.store, [&asha, &jo]).await;
    publish(
        &app.store,
        &[post(&app.ids, &asha, PostKind::Idea, "Quiet nights", before.plus(TimeDelta::hours(1)))],
    )
    .await;

    jobs::digest::run(&app).await.unwrap();
    let job = waiting(&app.store).await.remove(0);
    assert_eq!(server.count(), 1);
    clock.set(job.due_at);
    jobs::run_due(&app).await.unwrap();
    assert!(waiting(&app.store).await.is_empty());
    let ids: Vec<_> = server.taken().iter().map(|eml| header(eml, "Message-ID").unwrap()).collect();
    assert_eq!(ids, [ids[0].clone(), ids[0].clone()]);
    app.store.close().await;
}

async fn app(folder: &std::path::Path, mailer: Mailer, clock: Clock) -> App {
    let mut config = Config::defaults();
    config.data = folder.to_owned();
    let ids = Ids::system(clock.clone());
    let uri = format!("sqlite://{}", folder.join("hope.db").display());
    App::new(Parts {
        store: Store::open(&uri, &domain::collections()).await.unwrap(),
        mailer,
        blobs: Blobs::open(&config.attachments, folder).unwrap(),
        keys: Keys::open(&folder.join("keys"), &ids).unwrap(),
        limits: Limits::new(&config.limits),
        providers: Providers::default(),
        clock,
        ids,
        config,
    })
}

#[tokio::test]
async fn settings_that_can_t_work_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let in_the_way = format!("dir://{}/file/mail", folder.path().display());
    for (uri, part) in [
        ("smtps://user:s3cr3t@relay", "dir://PATH or smtp://"),
        ("data/mail", "dir://PATH or smtp://"),
        ("dir://", "dir:// without a path"),
        (in_the_way.as_str(), "can't be made"),
        ("smtp://user:s3cr3t@relay?tls=perhaps", "required, opportunistic or none"),
    ] {
        let why = Mailer::open(&Secret::new(uri), &settings(), &clock()).err().unwrap();
        assert!(why.contains(part) && !why.contains("s3cr3t"), "{uri}: {why}");
    }
    let wrong = MailFrom { address: "nobody".to_owned(), ..settings() };
    assert!(
        Mailer::open(&Secret::new("smtp://relay"), &wrong, &clock())
            .err()
            .unwrap()
            .contains("mail_from.address")
    );
}

/// Development mail, read in a browser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_folder_can_be_read_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let uri = Secret::new(format!("dir://{}", folder.path().join("mail").display()));
    let mailer = Mailer::open(&uri, &settings(), &clock()).unwrap();
    mailer.send(&message("jo@trust.nhs.uk")).await.unwrap();
    mailer
        .send(&Message { subject: "<script>alert(1)</script>".to_owned(), ..message("jo@trust.nhs.uk") })
        .await
        .unwrap();
    assert_eq!(emls(&folder.path().join("mail")).len(), 2);

    let app = app(folder.path(), mailer, clock()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/dev/mail", listener.local_addr().unwrap());
    let server = tokio::spawn(hope_exchange::server::serve(app.clone(), listener, std::future::pending()));
    let http = crate::app::client();
    let get = async |path: &str| http.get(format!("{url}{path}")).send().await.unwrap();

    let list = get("").await.text().await.unwrap();
    assert!(list.contains("What’s new") && list.contains("&#60;script&#62;alert(1)"), "{list}");
    let name = "20260303T073000000-dig_1-20260303@hope-example.eml";
    let page = get(&format!("/{name}")).await.text().await.unwrap();
    for part in ["What’s new", "List-Unsubscribe-Post", "The end", "<iframe sandbox", &format!("{name}/html")]
    {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    let html = get(&format!("/{name}/html")).await;
    assert!(
        html.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("sandbox; default-src 'none'")
    );
    assert!(html.text().await.unwrap().contains("<p>Always Events®</p>"));
    for evil in ["/..%2fhope.db", "/%2e%2e/hope.db", "/nothing.eml", "/..%2f..%2fetc%2fpasswd", "/hope.db"] {
        assert_eq!(get(evil).await.status(), 404, "{evil}");
    }
    server.abort();
    app.store.close().await;
}

/// Where mail is really sent there is nothing to see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_mail_folder_to_read_elsewhere() {
    crate::app::TestApp::run(crate::app::On::Sqlite, async |app| {
        for path in ["/dev/mail", "/dev/mail/a.eml", "/dev/mail/a.eml/html"] {
            assert_eq!(app.http.get(format!("{}{path}", app.url)).send().await.unwrap().status(), 404);
        }
    })
    .await;
}
