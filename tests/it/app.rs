//! `TestApp`: the whole service on a free port, with a clock that stands still and mail in memory.

use chrono::TimeDelta;
use hope_exchange::{
    app::{App, Parts},
    clock::{Clock, Timestamp},
    config::{Config, Switch},
    domain,
    ids::Ids,
    keys::Keys,
    limits::Limits,
    mail::{Mailer, Memory, Message},
    server,
    store::Store,
};
use serde_json::Value as Json;
use tokio::{net::TcpListener, sync::oneshot};

/// Monday 2 March 2026, 09:00 in London.
pub const START: &str = "2026-03-02T09:00:00.000Z";

#[derive(Clone, Copy, Debug)]
pub enum On {
    Sqlite,
    Mongo,
}

/// Declares tests that run on both stores: `on_both_stores! { async fn name(app: &TestApp) { … } }`.
#[macro_export]
macro_rules! on_both_stores {
    ($($(#[doc = $doc:literal])* async fn $name:ident($app:ident: &TestApp) $body:block)*) => {
        $($(#[doc = $doc])* async fn $name($app: &$crate::app::TestApp) $body)*

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::app::TestApp::run($crate::app::On::Sqlite, async |app| super::$name(app).await).await;
            })*
        }

        mod mongo {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::app::TestApp::run($crate::app::On::Mongo, async |app| super::$name(app).await).await;
            })*
        }
    };
}

pub struct TestApp {
    pub app: App,
    pub url: String,
    pub http: reqwest::Client,
    /// Where mail goes; tests make it fail here.
    pub mail: Memory,
    /// The data folder; removed with the test.
    pub folder: tempfile::TempDir,
}

/// The server of the tests' MongoDB, or `None` when the MongoDB half is to be skipped.
pub fn mongodb() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how the tests are told of their MongoDB")]
    let var = |name| std::env::var(name);
    if let Ok(uri) = var("HOPE_TEST_MONGODB") {
        return Some(uri);
    }
    assert!(var("CI").is_err(), "HOPE_TEST_MONGODB is not set: in CI the MongoDB half must run");
    eprintln!("SKIPPED: HOPE_TEST_MONGODB is not set, so this test did not run on MongoDB. Use `make test`.");
    None
}

impl TestApp {
    /// Runs a test on a fresh service, and removes everything afterwards, also when it fails.
    pub async fn run(on: On, test: impl AsyncFnOnce(&TestApp)) {
        Self::run_with(on, |_| {}, test).await;
    }

    /// The same with settings of the test's own.
    pub async fn run_with(on: On, configure: impl FnOnce(&mut Config), test: impl AsyncFnOnce(&TestApp)) {
        let folder = tempfile::tempdir().unwrap();
        let uri = match on {
            On::Sqlite => format!("sqlite://{}", folder.path().join("hope.db").display()),
            On::Mongo => match mongodb() {
                None => return,
                Some(server) => {
                    let name = format!("hope_{:032x}", u128::from_be_bytes(random()));
                    server.replacen("/?", &format!("/{name}?"), 1)
                }
            },
        };
        let mut config = Config::defaults();
        config.data = folder.path().to_owned();
        config.limits.rate = Switch::Off;
        configure(&mut config);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        config.public_url = url.parse().unwrap();
        let clock = Clock::manual(START.parse().unwrap());
        let ids = Ids::system(clock.clone());
        let mail = Memory::default();
        let store = Store::open(&uri, &domain::collections()).await.unwrap();
        let app = App::new(Parts {
            mailer: Mailer::Memory(mail.clone()),
            keys: Keys::open(&folder.path().join("keys"), &ids).unwrap(),
            limits: Limits::new(&config.limits),
            clock,
            ids,
            store,
            config,
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(server::serve(app.clone(), listener, async move {
            stopped.await.ok();
        }));
        let test_app = TestApp { app: app.clone(), url, http: client(), mail, folder };

        let outcome =
            futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(test(&test_app))).await;

        drop(test_app.http);
        stop.send(()).ok();
        server.await.unwrap().unwrap();
        app.store.close().await;
        if matches!(on, On::Mongo) {
            drop_database(&uri).await;
        }
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub fn advance(&self, by: TimeDelta) {
        self.app.clock.advance(by);
    }

    /// Messages sent so far, taken out.
    pub fn take_mail(&self) -> Vec<Message> {
        self.mail.take()
    }

    /// POSTs JSON and returns the status and the body.
    pub async fn post(&self, path: &str, body: &Json) -> (u16, Json) {
        let response = self.http.post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Json::Null))
    }
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub fn random<const N: usize>() -> [u8; N] {
    Ids::system(Clock::manual(Timestamp::from_millis(0))).bytes()
}

pub async fn drop_database(uri: &str) {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    client.default_database().unwrap().drop().await.unwrap();
}
