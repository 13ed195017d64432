//! `make bench-digest`: how fast digests go out, beside a floor.
//!
//! The floor is the mail library's own pool, which sends a message that is ready, over as many connections, to the
//! same server: what is left to win. Both are measured in turn, on the same machine at the same time; quote the
//! ratio, not the times. The server is a sink on loopback that takes everything at once.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use hope_exchange::{
    actions::topic,
    app::{App, Parts},
    blobs::Blobs,
    clock::Clock,
    config::{Config, Secret, Switch},
    demo::{self, Size},
    domain::{self, digest::next_due, email::EmailAddress, member::Member},
    ids::Ids,
    jobs::{self, digest},
    keys::Keys,
    limits::Limits,
    mail::{Mailer, Message},
    progress::Progress,
    query::{Filter, Order, Page},
    single_sign_on::Providers,
    store::{Batch, Store},
};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, transport::smtp::PoolConfig};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A Monday, and the Tuesday after it on which digests are due.
const MONDAY: &str = "2026-03-02T09:00:00Z";
const TUESDAY: &str = "2026-03-03T07:30:00Z";
/// Short and some, so that what else the machine does for a second falls on both alike.
const TURNS: u32 = 4;

#[derive(Parser)]
struct Args {
    /// Sizes of the community, in members who get a digest.
    #[arg(long, value_delimiter = ',', default_value = "10000")]
    members: Vec<usize>,
    /// Posts that there are.
    #[arg(long, default_value_t = 100_000)]
    posts: usize,
    /// How long sending is measured at most.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// sqlite, mongodb or both.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,mongodb")]
    stores: Vec<String>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let sink = Sink::start();
    println!(
        "| store | members | planning, ms a member | digests/s | floor, mails/s | ratio | memory, MiB: before, after |"
    );
    println!("|---|---|---|---|---|---|---|");
    for engine in &args.stores {
        for members in &args.members {
            match uri(engine) {
                None => {
                    eprintln!("SKIPPED: {engine}, as HOPE_TEST_MONGODB is not set. Use `make bench-digest`.");
                }
                Some((uri, folder)) => measure(engine, *members, &args, &uri, folder.path(), &sink).await,
            }
        }
    }
}

/// A store of its own, and a folder that goes with it.
fn uri(engine: &str) -> Option<(String, tempfile::TempDir)> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if engine == "sqlite" {
        return Some((format!("sqlite://{}", folder.path().join("hope.db").display()), folder));
    }
    #[expect(clippy::disallowed_methods, reason = "how the bench is told of its MongoDB")]
    let server = std::env::var("HOPE_TEST_MONGODB").ok()?;
    let name = folder.path().file_name()?.to_string_lossy().replace('.', "");
    Some((server.replacen("/?", &format!("/bench_{name}?"), 1), folder))
}

async fn measure(
    engine: &str,
    members: usize,
    args: &Args,
    uri: &str,
    folder: &std::path::Path,
    sink: &Sink,
) {
    let app = open(uri, folder, sink.address).await;
    seed(&app, members, args.posts).await;
    let before = memory();
    app.clock.set(TUESDAY.parse().expect("a moment"));
    let start = Instant::now();
    let planned = digest::plan(&app).await.expect("the store answers");
    let planning = start.elapsed();
    assert_eq!(planned, members, "everybody's is due");

    let ready = a_digest(&app).await;
    let span = Duration::from_secs_f64(args.seconds) / TURNS;
    let (mut sent, mut floor) = (Rate::default(), Rate::default());
    for _ in 0..TURNS {
        let count = sink.count();
        let start = Instant::now();
        // What is dropped in the middle is due again when its lease is over: not in this run.
        if let Ok(run) = timeout(span, jobs::run_due(&app)).await {
            run.expect("the store answers");
        }
        sent.add(sink.count() - count, start.elapsed());
        floor.add(flood(sink, &ready, span).await, span);
    }
    let (sent, floor) = (sent.per_second(), floor.per_second());
    println!(
        "| {engine} | {members} | {:.3} | {sent:.0} | {floor:.0} | {:.2} | {before}, {} |",
        planning.as_secs_f64() * 1_000.0 / members as f64,
        sent / floor,
        memory(),
    );
    app.store.close().await;
    if uri.starts_with("mongodb") {
        let client = mongodb::Client::with_uri_str(uri).await.expect("the server answers");
        client.default_database().expect("the URI names one").drop().await.expect("it is ours");
    }
}

#[derive(Default)]
struct Rate {
    mails: usize,
    elapsed: Duration,
}

impl Rate {
    fn add(&mut self, mails: usize, elapsed: Duration) {
        self.mails += mails;
        self.elapsed += elapsed;
    }

    fn per_second(&self) -> f64 {
        self.mails as f64 / self.elapsed.as_secs_f64()
    }
}

async fn open(uri: &str, folder: &std::path::Path, sink: SocketAddr) -> App {
    let mut config = Config::defaults();
    config.limits.rate = Switch::Off;
    config.data = folder.to_owned();
    config.mail_from.per_second = 1_000_000;
    let clock = Clock::manual(MONDAY.parse().expect("a moment"));
    let ids = Ids::system(clock.clone());
    let mail = Secret::new(format!("smtp://{sink}?tls=none"));
    App::new(Parts {
        store: Store::open(uri, &domain::collections()).await.expect("the store opens"),
        mailer: Mailer::open(&mail, &config.mail_from, &clock).expect("the setting is right"),
        blobs: Blobs::open(&config.attachments, folder).expect("the folder is ours"),
        keys: Keys::open(&folder.join("keys"), &ids).expect("the folder is ours"),
        limits: Limits::new(&config.limits),
        providers: Providers::default(),
        clock,
        ids,
        config,
    })
}

/// The demonstration's community, with so many members, who are like those of it.
async fn seed(app: &App, members: usize, posts: usize) {
    topic::seed(app).await.expect("the store answers");
    {
        let progress = Progress::new("Seeding", posts);
        let seeded = demo::seed(app, 1, Size::Posts(posts), |done, total| progress.set(done, total)).await;
        assert!(seeded.expect("the store takes them"), "the store was empty");
    }
    let page = Page::first(1_000);
    let there: Vec<Member> = app.store.find(Filter::all(), Order::by_id(), page).await.expect("it answers");
    // Nobody else gets one.
    for members in there.chunks(100) {
        let quiet = |member: &Member| Member { digest_due_at: None, ..member.clone() };
        let batch = members.iter().fold(Batch::new(), |batch, member| batch.replace(&quiet(member)));
        app.store.commit(batch).await.expect("the store takes it");
    }
    let now = app.clock.now();
    let mut digest = there[0].digest.clone();
    digest.frequency = domain::member::DigestFrequency::Weekly;
    digest.weekday = chrono::Weekday::Tue;
    digest.minute = 7 * 60 + 30;
    digest.paused_until = None;
    let numbers: Vec<usize> = (0..members).collect();
    for numbers in numbers.chunks(100) {
        let like = |number: &usize| {
            let like = &there[number % there.len()];
            let email = EmailAddress::parse(&format!("member.{number}@bench.nhs.uk")).expect("an address");
            Member {
                id: app.ids.fresh(),
                version: 1,
                email_key: email.key(),
                email,
                digest_due_at: next_due(&digest, now),
                digest: digest.clone(),
                digest_covered_until: now.minus(chrono::TimeDelta::days(6)),
                role: domain::member::Role::Member,
                owner: None,
                suspension: None,
                standing: domain::standing::Standing {
                    state: domain::standing::MemberState::Active,
                    ..like.standing.clone()
                },
                ..like.clone()
            }
        };
        let members: Vec<Member> = numbers.iter().map(like).collect();
        let batch = members.iter().fold(Batch::new(), Batch::insert);
        app.store.commit(batch).await.expect("the store takes them");
    }
}

/// One that somebody would get.
async fn a_digest(app: &App) -> Message {
    let page = Page::first(1);
    let newest = Order::by_id();
    let email = Member::EMAIL_KEY.eq("member.0@bench.nhs.uk");
    let member = app.store.find(email, newest, page).await.expect("it answers").remove(0);
    digest::preview(app, &member).await.expect("it answers").expect("there is something to say").message
}

/// Sends the same message over and over, over as many connections as the service has, and returns how often.
async fn flood(sink: &Sink, message: &Message, span: Duration) -> usize {
    const CONNECTIONS: u32 = 4;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(sink.address.ip().to_string())
        .port(sink.address.port())
        .pool_config(PoolConfig::new().max_size(CONNECTIONS))
        .build();
    let ready = lettre::Message::builder()
        .from("HOPE Network <hope-network@example.nhs.uk>".parse().expect("an address"))
        .to(message.to.as_str().parse().expect("an address"))
        .subject(message.subject.clone())
        .multipart(lettre::message::MultiPart::alternative_plain_html(
            message.text.clone(),
            message.html.clone(),
        ))
        .expect("a message");
    let (envelope, bytes) = (ready.envelope().clone(), ready.formatted());
    let count = sink.count();
    let senders = (0..CONNECTIONS).map(|_| async {
        loop {
            transport.send_raw(&envelope, &bytes).await.expect("the sink takes all");
        }
    });
    let _: Result<Vec<()>, _> = timeout(span, futures_util::future::join_all(senders)).await;
    sink.count() - count
}

/// What this process takes, in MiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).map_or(0, |kib| kib / 1024)
}

/// A mail server that takes everything at once, in a thread of its own.
struct Sink {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
}

impl Sink {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("bound");
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    tokio::spawn(take(stream, Arc::clone(&counter)));
                }
            });
        });
        Self { address, taken }
    }

    fn count(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// One connection's dialogue.
async fn take(stream: TcpStream, taken: Arc<AtomicUsize>) {
    stream.set_nodelay(true).ok();
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::with_capacity(64 * 1024, read);
    let mut line = Vec::new();
    let mut in_message = false;
    if write.write_all(b"220 sink\r\n").await.is_err() {
        return;
    }
    loop {
        line.clear();
        match read.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let answer: &[u8] = if in_message {
            if line != b".\r\n" {
                continue;
            }
            in_message = false;
            taken.fetch_add(1, Ordering::Relaxed);
            b"250 taken\r\n"
        } else if line.starts_with(b"EHLO") {
            b"250-sink\r\n250 8BITMIME\r\n"
        } else if line.starts_with(b"DATA") {
            in_message = true;
            b"354 go on\r\n"
        } else if line.starts_with(b"QUIT") {
            b"221 bye\r\n"
        } else {
            b"250 good\r\n"
        };
        if write.write_all(answer).await.is_err() {
            return;
        }
    }
}
