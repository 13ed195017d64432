//! `make bench`: how fast the service answers over HTTP, beside a floor.
//!
//! The floor is a bare handler in the same process that makes the same store calls through the raw
//! driver and writes the same JSON with serde: what is left to win. Service and floor are measured
//! in turn, on the same data, by the same client; quote the ratios, not the times.
//!
//! `--posts 10000,1000000` measures communities of both sizes in turn, and compares them.

mod client;
mod floor;
mod report;
mod scenario;

use std::{net::SocketAddr, time::Duration};

use clap::Parser;
use hope_exchange::{
    actions::topic,
    app::{App, Parts},
    blobs::Blobs,
    clock::Clock,
    config::{Config, Switch},
    demo::{self, Size},
    domain,
    ids::Ids,
    keys::Keys,
    limits::Limits,
    mail::{Mailer, Memory},
    progress::Progress,
    server,
    single_sign_on::Providers,
    store::Store,
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    report::{Report, Row},
    scenario::{Scenario, Subjects},
};

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// Short and many, so that what else the machine does for a second falls on all alike.
const TURNS: u32 = 8;

#[derive(Parser)]
struct Args {
    /// Sizes of the community, in posts.
    #[arg(long, value_delimiter = ',', default_value = "10000")]
    posts: Vec<usize>,
    /// How long each measurement takes, in [`TURNS`] turns of service and floor.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// sqlite, mongodb or both.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,mongodb")]
    stores: Vec<String>,
    /// Some of the requests only.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let mut report = Report::default();
    for engine in &args.stores {
        let mut communities = Vec::new();
        for posts in &args.posts {
            match uri(engine) {
                None => eprintln!("SKIPPED: {engine}, as HOPE_TEST_MONGODB is not set. Use `make bench`."),
                Some((uri, folder)) => communities.push(Community::seeded(*posts, uri, folder).await),
            }
        }
        measure(engine, &communities, &args, &mut report).await;
        for community in communities {
            community.end().await;
        }
    }
    report.print();
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

async fn open(uri: &str, folder: &std::path::Path) -> App {
    let mut config = Config::defaults();
    config.limits.rate = Switch::Off;
    config.data = folder.to_owned();
    let clock = Clock::System { offset: config.clock_offset };
    let ids = Ids::system(clock.clone());
    App::new(Parts {
        store: Store::open(uri, &domain::collections()).await.expect("the store opens"),
        mailer: Mailer::Memory(Memory::default()),
        blobs: Blobs::open(&config.attachments, folder).expect("the folder is ours"),
        keys: Keys::open(&folder.join("keys"), &ids).expect("the folder is ours"),
        limits: Limits::new(&config.limits),
        providers: Providers::default(),
        clock,
        ids,
        config,
    })
}

/// A community that is served, by the service and by the floor.
struct Community {
    posts: usize,
    uri: String,
    /// Removed when it ends.
    _folder: tempfile::TempDir,
    app: App,
    subjects: Subjects,
    service: SocketAddr,
    floor: SocketAddr,
    running: [JoinHandle<()>; 2],
}

impl Community {
    async fn seeded(posts: usize, uri: String, folder: tempfile::TempDir) -> Self {
        let app = open(&uri, folder.path()).await;
        topic::seed(&app).await.expect("the store answers");
        {
            let progress = Progress::new("Seeding", posts);
            let seeded =
                demo::seed(&app, 1, Size::Posts(posts), |done, total| progress.set(done, total)).await;
            assert!(seeded.expect("the store takes them"), "the store was empty");
        }
        let subjects = Subjects::choose(&app).await;
        let listeners = (bind().await, bind().await);
        let address = |listener: &TcpListener| listener.local_addr().expect("bound");
        let (service, floor) = (address(&listeners.0), address(&listeners.1));
        let running = [
            tokio::spawn({
                let (app, listener) = (app.clone(), listeners.0);
                async move { server::serve(app, listener, std::future::pending()).await.expect("it serves") }
            }),
            tokio::spawn(floor::serve(uri.clone(), subjects.viewer.clone(), listeners.1)),
        ];
        Self { posts, uri, _folder: folder, app, subjects, service, floor, running }
    }

    async fn end(self) {
        for task in self.running {
            task.abort();
        }
        self.app.store.close().await;
        if self.uri.starts_with("mongodb") {
            let client = mongodb::Client::with_uri_str(&self.uri).await.expect("the server answers");
            client.default_database().expect("the URI names one").drop().await.expect("it is ours");
        }
    }
}

/// Service and floor, and communities of all sizes, are measured in turn: whatever else the machine
/// does meanwhile slows all of them.
async fn measure(engine: &str, communities: &[Community], args: &Args, report: &mut Report) {
    let span = Duration::from_secs_f64(args.seconds) / TURNS;
    eprintln!("Measuring on {engine}");
    let wanted = |scenario: &Scenario| args.only.is_empty() || args.only.contains(scenario);
    for scenario in Scenario::ALL.into_iter().filter(wanted) {
        for connections in CONNECTIONS {
            let mut rows: Vec<[Row; 2]> = communities.iter().map(|_| Default::default()).collect();
            for _ in 0..TURNS {
                for (community, rows) in communities.iter().zip(&mut rows) {
                    for (row, address, is_floor) in
                        [(0, community.service, false), (1, community.floor, true)]
                    {
                        let requests = scenario.requests(&community.subjects, is_floor);
                        rows[row].add(client::load(address, &requests, connections, span).await);
                    }
                }
            }
            for (community, [service, floor]) in communities.iter().zip(rows) {
                report.add(engine, community.posts, scenario.name(), connections, service, floor);
            }
        }
    }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}
