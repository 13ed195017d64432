//! The embedded store: one SQLite file, nothing to install.
//!
//! [`writer`] is the one thread that writes and [`readers`] are a few that read; the write-ahead log
//! lets them work at the same time, and other processes too. Tasks talk to them through a [`queue`]
//! and never block. [`schema`] makes tables and indexes, [`render`] and [`changes`] make SQL.
//!
//! A commit is answered when it is on the disk (`synchronous=FULL`): it outlives a power cut.

mod changes;
mod errors;
mod queue;
mod readers;
mod render;
mod schema;
mod writer;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, Row};
use tokio::sync::{broadcast, oneshot};

use self::{
    changes::changes,
    errors::{at_open, failed},
    queue::Queue,
    readers::{Arms, Read},
    render::Sql,
    writer::{Job, Writer},
};
use super::{
    Batch, Collection, Document, Result, StoreError,
    plan::{Plan, Stretch},
};
use crate::{
    ids::Id,
    query::{Direction, Expr, FieldRef, Page, Value},
};

/// How long SQLite waits for a lock that another process holds.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How long a caller waits for documents.
const READ_PATIENCE: Duration = Duration::from_millis(2_500);
/// How long a caller waits for a commit.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);
/// Readers more than this find the disk no faster.
const MAX_READERS: usize = 4;
/// Ids that are looked up by a statement with a place for each; more are sent as one list.
const PLACES_MAX: usize = 128;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 256;
/// Hints that a slow listener may fall behind by.
const HINTS: usize = 1024;

#[derive(Clone)]
pub(super) struct Sqlite(Arc<Threads>);

struct Threads {
    writes: Arc<Queue<Job>>,
    reads: Arc<Queue<Read>>,
    changed: broadcast::Sender<&'static str>,
    watched: Arc<AtomicBool>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

/// With the last handle, the threads end when they have done what is queued. Nobody waits for them:
/// this may run on a thread that must not block.
impl Drop for Threads {
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
    }
}

impl Sqlite {
    pub async fn open(path: &str, collections: &[&'static Collection]) -> Result<Self> {
        let (path, collections) = (PathBuf::from(path), collections.to_vec());
        let opened = tokio::task::spawn_blocking(move || Self::open_blocking(&path, &collections)).await;
        opened.map_err(|_| StoreError::Failed("opening the store panicked".to_owned()))?
    }

    fn open_blocking(path: &Path, collections: &[&'static Collection]) -> Result<Self> {
        names_are_plain(collections)?;
        make_file(path)?;
        let mut connection = connect(path)?;
        // What is deleted is overwritten: whoever was forgotten is in no copy of the file.
        let overwrite = connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()));
        overwrite.map_err(|error| at_open(path, &error))?;
        with_lock(|| create(&mut connection, collections)).map_err(|error| at_open(path, &error))?;

        let (changed, _) = broadcast::channel(HINTS);
        let threads = Threads {
            writes: Arc::new(Queue::new()),
            reads: Arc::new(Queue::new()),
            changed: changed.clone(),
            watched: Arc::default(),
            handles: Mutex::default(),
        };
        let readers = Arc::new(());
        let writer = Writer {
            connection,
            jobs: Arc::clone(&threads.writes),
            changed,
            watched: Arc::clone(&threads.watched),
            collections: collections.iter().map(|collection| collection.name).collect(),
            readers: Arc::clone(&readers),
        };
        threads.start("store writer", || writer.run())?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores.clamp(2, MAX_READERS) {
            let (connection, reads, open) =
                (connect(path)?, Arc::clone(&threads.reads), Arc::clone(&readers));
            threads.start("store reader", move || {
                readers::run(&connection, &reads);
                drop((connection, open));
            })?;
        }
        Ok(Self(Arc::new(threads)))
    }

    pub async fn get<D: Document>(&self, ids: &[Id<D>]) -> Result<Vec<D>> {
        let table = render::quoted(D::collection().name);
        let mut sql = Sql::new(format!("SELECT json(doc) FROM {table} WHERE id "));
        match ids {
            [] => return Ok(Vec::new()),
            [id] => {
                sql.push("= ").bind(id.as_str().to_owned());
            }
            [first, rest @ ..] if ids.len() <= PLACES_MAX => {
                sql.push("IN (").bind(first.as_str().to_owned());
                // The last one again and again, so that the statements that are kept are few.
                let last = ids.last().into_iter().cycle();
                for id in rest.iter().chain(last).take(ids.len().next_power_of_two() - 1) {
                    sql.push(", ").bind(id.as_str().to_owned());
                }
                sql.push(")");
            }
            ids => {
                let list = ids.iter().map(Id::as_str).collect::<serde_json::Value>().to_string();
                sql.push("IN (SELECT value FROM json_each(").bind(list).push("))");
            }
        }
        documents(self.read(sql, text).await?)
    }

    pub async fn find<D: Document>(
        &self,
        filter: &Expr,
        order: &[(FieldRef, Direction)],
        page: &Page,
    ) -> Result<Vec<D>> {
        let stretches = stretches(D::collection(), filter, order, page);
        if stretches.is_empty() {
            return Ok(Vec::new());
        }
        documents(self.read_page(stretches, page.limit, text).await?)
    }

    pub async fn count<D: Document>(&self, filter: &Expr, at_most: u64) -> Result<u64> {
        let Some(sql) = Sql::count(D::collection(), filter, at_most) else { return Ok(0) };
        let counts = self.read(sql, |row| Ok(row.get::<_, i64>(0).map_err(failed)?.unsigned_abs())).await?;
        Ok(counts.into_iter().sum())
    }

    pub async fn tally<D: Document>(&self, filter: &Expr, field: FieldRef) -> Result<BTreeMap<Value, u64>> {
        let Some(sql) = Sql::tally(D::collection(), filter, field) else { return Ok(BTreeMap::new()) };
        let rows = self
            .read(sql, move |row| {
                let value = render::value(field, row.get(0).map_err(failed)?);
                Ok((value, row.get::<_, i64>(1).map_err(failed)?.unsigned_abs()))
            })
            .await?;
        let mut tally = BTreeMap::new();
        for (value, count) in rows {
            *tally.entry(value).or_default() += count;
        }
        Ok(tally)
    }

    pub async fn commit(&self, batch: Batch) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let collections: BTreeSet<_> = batch.collections().collect();
        let job = Job { changes: changes(&batch)?, collections, answer };
        if !self.0.writes.push(job) {
            return Err(closed());
        }
        match tokio::time::timeout(COMMIT_PATIENCE, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StoreError::Failed("the thread that writes has died".to_owned())),
            Err(_) => Err(late("write", COMMIT_PATIENCE)),
        }
    }

    pub fn watch(&self) -> broadcast::Receiver<&'static str> {
        self.0.watched.store(true, Ordering::Relaxed);
        self.0.changed.subscribe()
    }

    pub async fn ping(&self) -> Result<()> {
        self.read(Sql::new("SELECT count(*) FROM sqlite_schema"), |_| Ok(())).await.map(|_| ())
    }

    /// How SQLite would find a page: the lines of its query plan.
    pub async fn explain(
        &self,
        collection: &Collection,
        filter: &Expr,
        order: &[(FieldRef, Direction)],
        page: &Page,
    ) -> Result<Vec<String>> {
        let mut steps = Vec::new();
        for mut sql in stretches(collection, filter, order, page).into_iter().flat_map(|arms| arms.queries) {
            sql.text = format!("EXPLAIN QUERY PLAN {}", sql.text);
            steps.extend(self.read(sql, |row| row.get("detail").map_err(failed)).await?);
        }
        Ok(steps)
    }

    pub async fn close(&self) {
        self.0.writes.close();
        self.0.reads.close();
        let handles = std::mem::take(&mut *self.0.handles.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(|| {
            for handle in handles {
                handle.join().ok();
            }
        });
        joined.await.ok();
    }

    async fn read<T: Send + 'static>(
        &self,
        sql: Sql,
        row: impl Fn(&Row<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Vec<T>> {
        self.read_page(vec![Arms { queries: vec![sql], order: Vec::new() }], usize::MAX, row).await
    }

    /// Runs queries on a reader, which turns the rows into what is wanted while it has them.
    async fn read_page<T: Send + 'static>(
        &self,
        stretches: Vec<Arms>,
        limit: usize,
        row: impl Fn(&Row<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Vec<T>> {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            // Whoever asked may have given up while this was waiting.
            if !answer.is_closed() {
                answer.send(readers::page(connection, stretches, limit, row)).ok();
            }
        });
        if !self.0.reads.push(read) {
            return Err(closed());
        }
        match tokio::time::timeout(READ_PATIENCE, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StoreError::Failed("reading panicked".to_owned())),
            Err(_) => Err(late("read", READ_PATIENCE)),
        }
    }
}

impl Threads {
    fn start(&self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map_err(|error| StoreError::Unavailable(format!("no thread could be started: {error}")))?;
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        Ok(())
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("it has been closed".to_owned())
}

fn late(verb: &str, patience: Duration) -> StoreError {
    StoreError::Unavailable(format!("it did not {verb} within {} s", patience.as_secs_f64()))
}

/// The queries that find a page.
fn stretches(
    collection: &Collection,
    filter: &Expr,
    order: &[(FieldRef, Direction)],
    page: &Page,
) -> Vec<Arms> {
    let plan = Plan::new(collection, filter, order, page);
    let arms = |stretch: &Stretch| Arms {
        queries: (0..stretch.arms.len()).map(|arm| Sql::arm(collection, &plan, stretch, arm)).collect(),
        order: stretch.order.iter().map(|(_, direction)| *direction).collect(),
    };
    plan.stretches.iter().map(arms).collect()
}

/// A row's document, its first column, as it is stored. It becomes a document where it is wanted: what one thread allocates
/// and another one frees costs both of them more.
fn text(row: &Row<'_>) -> Result<Vec<u8>> {
    let json = row.get_ref(0).map_err(failed)?;
    let text = json.as_bytes().map_err(|_| StoreError::Failed("a row has no document".to_owned()))?;
    Ok(text.to_vec())
}

fn documents<D: Document>(texts: Vec<Vec<u8>>) -> Result<Vec<D>> {
    texts.iter().map(|text| document(text)).collect()
}

fn document<D: Document>(text: &[u8]) -> Result<D> {
    serde_json::from_slice(text).map_err(|error| {
        let name = D::collection().name;
        let id = serde_json::from_slice::<serde_json::Value>(text).ok();
        let id = id.as_ref().and_then(|json| json["_id"].as_str()).unwrap_or("?");
        StoreError::Failed(format!("{name}/{id} can't be read: {error}"))
    })
}

/// Names become part of SQL, and paths of JSON.
fn names_are_plain(collections: &[&'static Collection]) -> Result<()> {
    let plain = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    for collection in collections {
        let fields = collection.indexes.iter().flat_map(|index| &index.keys).map(|(field, _)| field.name);
        let names = collection.indexes.iter().map(|index| index.name).chain([collection.name]);
        if let Some(name) = names.chain(fields.flat_map(|path| path.split('.'))).find(|name| !plain(name)) {
            return Err(StoreError::Failed(format!("{name:?} can't be a name in {}", collection.name)));
        }
    }
    Ok(())
}

/// The file, readable by its owner alone, and the folder that it is in. SQLite gives the log beside
/// it the same mode.
fn make_file(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let made = std::fs::create_dir_all(folder).and_then(|()| {
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?;
        // SQLite sees to the folder's entries for the files that it makes itself.
        #[cfg(unix)]
        std::fs::File::open(folder)?.sync_all()?;
        Ok(())
    });
    made.map_err(|error| {
        let path = path.display();
        StoreError::Unavailable(format!(
            "{path} can't be opened for writing ({error}). Name a file in HOPE_STORE=sqlite://FILE whose \
             folder this user may write to."
        ))
    })
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_handler(Some(wait_for_lock))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // SQLite does not always wait for the lock that this needs.
        with_lock(|| connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", -16_000)?;
        // A log that grew in a rush shrinks again.
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        Ok(connection)
    };
    open().map_err(|error| at_open(path, &error))
}

fn create(connection: &mut Connection, collections: &[&'static Collection]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    schema::create(&transaction, collections)?;
    transaction.commit()
}

/// Tries again while another process holds a lock that SQLite does not wait for by itself.
fn with_lock<T>(mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let began = Instant::now();
    loop {
        match attempt() {
            Err(error) if errors::is_busy(&error) && began.elapsed() < LOCK_PATIENCE => wait_for_lock(0),
            outcome => return outcome,
        };
    }
}

/// Waits a millisecond for another process to give up its lock, while there is patience left.
/// SQLite's own way is to look ever more seldom, and then a busy process locks an idle one out.
#[expect(clippy::disallowed_methods, reason = "only the store's threads wait for locks, no task")]
fn wait_for_lock(tries: i32) -> bool {
    std::thread::sleep(Duration::from_millis(1));
    u128::try_from(tries).is_ok_and(|tries| tries < LOCK_PATIENCE.as_millis())
}
