//! `make bench`: how fast the service answers over HTTP, beside a floor.
//!
//! The floor is a bare handler in the same process that makes the same store calls through the raw
//! driver and writes the same JSON with serde: what is left to win. Service and floor are measured
//! in turn, on the same data, by the same client; quote the ratios, not the times.
//!
//! `--posts 10000,1000000` measures communities of both sizes and compares them.

mod client;
mod floor;
mod report;
mod scenario;

use std::time::Duration;

use clap::Parser;
use hope_exchange::{
    actions::topic,
    app::{App, Parts},
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
    store::Store,
};
use tokio::net::TcpListener;

use crate::{
    report::{Report, Row},
    scenario::{Scenario, Subjects},
};

const CONNECTIONS: [usize; 3] = [1, 16, 64];

#[derive(Parser)]
struct Args {
    /// Sizes of the community, in posts.
    #[arg(long, value_delimiter = ',', default_value = "10000")]
    posts: Vec<usize>,
    /// How long each measurement takes; service and floor have two each, in turn.
    #[arg(long, default_value_t = 2.0)]
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
    let mut report = Report::default();
    for engine in &args.stores {
        for posts in &args.posts {
            match uri(engine) {
                None => eprintln!("SKIPPED: {engine}, as HOPE_TEST_MONGODB is not set. Use `make bench`."),
                Some((uri, folder)) => {
                    measure(engine, *posts, &uri, folder.path(), args.seconds, &mut report).await;
                    if engine == "mongodb" {
                        let client = mongodb::Client::with_uri_str(&uri).await.expect("the server answers");
                        client
                            .default_database()
                            .expect("the URI names one")
                            .drop()
                            .await
                            .expect("it is ours");
                    }
                }
            }
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
        keys: Keys::open(&folder.join("keys"), &ids).expect("the folder is ours"),
        limits: Limits::new(&config.limits),
        clock,
        ids,
        config,
    })
}

async fn measure(
    engine: &str,
    posts: usize,
    uri: &str,
    folder: &std::path::Path,
    seconds: f64,
    report: &mut Report,
) {
    let app = open(uri, folder).await;
    topic::seed(&app).await.expect("the store answers");
    {
        let progress = Progress::new("Seeding", posts);
        let seeded = demo::seed(&app, 1, Size::Posts(posts), |done, total| progress.set(done, total)).await;
        assert!(seeded.expect("the store takes them"), "the store was empty");
    }
    let subjects = Subjects::choose(&app).await;
    let (service, floor) = (bind().await, bind().await);
    let (service_at, floor_at) = (service.local_addr().expect("bound"), floor.local_addr().expect("bound"));
    let running = [
        tokio::spawn({
            let app = app.clone();
            async move { server::serve(app, service, std::future::pending()).await.expect("it serves") }
        }),
        tokio::spawn(floor::serve(uri.to_owned(), subjects.viewer.clone(), floor)),
    ];
    for scenario in Scenario::ALL {
        for connections in CONNECTIONS {
            let mut rows = [Row::default(), Row::default()];
            for _ in 0..2 {
                for (row, address, is_floor) in [(0, service_at, false), (1, floor_at, true)] {
                    let requests = scenario.requests(&subjects, is_floor);
                    let span = Duration::from_secs_f64(seconds);
                    rows[row].add(client::load(address, &requests, connections, span).await);
                }
            }
            let [service, floor] = rows;
            report.add(engine, posts, scenario.name(), connections, service, floor);
        }
    }
    for task in running {
        task.abort();
    }
    app.store.close().await;
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}
