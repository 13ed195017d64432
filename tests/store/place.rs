//! Where a test's documents are: a file or a database of its own, removed with the test.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    time::Duration,
};

use bson::{Document, doc};
use futures_util::{FutureExt, TryStreamExt};
use hope_exchange::{query::Collection, store::Store};

use crate::samples;

pub struct Place {
    pub uri: String,
    folder: Option<tempfile::TempDir>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::Builder::new().prefix("hope-store-").tempdir().unwrap();
        let uri = format!("sqlite://{}/hope.db", folder.path().display());
        Self { uri, folder: Some(folder) }
    }

    /// `None` when there is no MongoDB to test with.
    pub fn mongo() -> Option<Self> {
        let server = mongodb()?;
        Some(Self { uri: database(&server), folder: None })
    }

    /// A database of its own on another server.
    pub fn on(server: &str) -> Self {
        Self { uri: database(server), folder: None }
    }

    /// Where the file is, on SQLite.
    pub fn path(&self) -> &std::path::Path {
        std::path::Path::new(self.uri.strip_prefix("sqlite://").unwrap())
    }

    pub async fn open(&self) -> Store {
        self.open_with(&samples::collections()).await
    }

    pub async fn open_with(&self, collections: &[&'static Collection]) -> Store {
        Store::open(&self.uri, collections).await.unwrap()
    }

    pub fn is_mongo(&self) -> bool {
        self.folder.is_none()
    }

    /// Runs a test here, and removes everything afterwards, also when it fails.
    pub async fn run<F: Future<Output = ()>>(self, test: impl FnOnce(Here) -> F) {
        let here = Here(std::sync::Arc::new(self));
        let outcome = AssertUnwindSafe(test(here.clone())).catch_unwind().await;
        if here.is_mongo() {
            drop_database(&here.uri).await;
        }
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    }
}

/// A shared [`Place`].
#[derive(Clone)]
pub struct Here(std::sync::Arc<Place>);

impl std::ops::Deref for Here {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.0
    }
}

/// A process that was killed may have left a transaction open, which a drop would wait for.
async fn drop_database(uri: &str) {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let database = client.default_database().unwrap();
    let mut dropped = tokio::spawn(async move { database.drop().await });
    while tokio::time::timeout(Duration::from_millis(500), &mut dropped).await.is_err() {
        let admin = client.database("admin");
        let sessions = doc! { "$currentOp": { "allUsers": false, "idleSessions": true } };
        let silent = doc! { "$match": { "transaction.timeInactiveMicros": { "$gt": 1_000_000 } } };
        let found: Vec<Document> =
            admin.aggregate([sessions, silent]).await.unwrap().try_collect().await.unwrap();
        let ids: Vec<_> = found
            .iter()
            .map(|session| doc! { "id": session.get_document("lsid").unwrap().get("id") })
            .collect();
        if !ids.is_empty() {
            admin.run_command(doc! { "killSessions": ids }).await.unwrap();
        }
    }
}

fn database(server: &str) -> String {
    let name = format!("hope_{:032x}", u128::from_be_bytes(samples::ids().bytes()));
    server.replacen("/?", &format!("/{name}?"), 1)
}

/// The server that MongoDB's half runs against, if there is one.
pub fn mongodb() -> Option<String> {
    let server = variable("HOPE_TEST_MONGODB");
    if server.is_none() {
        missing("HOPE_TEST_MONGODB");
    }
    server
}

/// The mongod program for tests that kill a server of their own, if there is one.
pub fn mongod() -> Option<String> {
    let program = variable("HOPE_TEST_MONGOD");
    if program.is_none() {
        missing("HOPE_TEST_MONGOD");
    }
    program
}

fn missing(name: &str) {
    assert!(variable("CI").as_deref() != Some("true"), "{name} is not set, and CI skips nothing");
    eprintln!("\n**** SKIPPED: {name} is not set. MONGODB IS NOT TESTED. Use `make test`. ****\n");
}

#[expect(clippy::disallowed_methods, reason = "how tests are told of what runs beside them")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
