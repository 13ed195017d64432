//! The store: five verbs over documents, the same on every engine.
//!
//! [`get`](Store::get), [`find`](Store::find), [`count`](Store::count) and
//! [`tally`](Store::tally) read; [`commit`](Store::commit) is the only write: a [`Batch`] of
//! guarded changes, all or nothing, acknowledged when it would survive a power cut.
//! [`watch`](Store::watch) hints that a collection changed. There is no interactive transaction, so
//! a whole batch can be tried again and no lock spans an await.
//!
//! Every write adds one to the document's version; a version guard therefore proves that nothing
//! about the document changed since it was read.

mod mongo;
mod plan;
mod sqlite;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::broadcast;

pub use crate::{
    error::StoreError,
    query::{Collection, Document, Index},
};
use crate::{
    ids::Id,
    query::{Change, Direction, Expr, Field, FieldRef, Filter, ID, Order, Page, Scalar, Value, fixed_fields},
};

/// What must be true of a document for a change to happen.
#[derive(Clone, Debug)]
pub enum Guard {
    /// It exists.
    Present,
    /// It exists and has not been written since this version.
    Version(i64),
    /// It exists and satisfies this.
    Matches(Expr),
}

/// Guard: the document satisfies `filter` at the moment of the commit.
pub fn when<D>(filter: Filter<D>) -> Guard {
    Guard::Matches(filter.into_expr())
}

/// A document of any type, ready to be written.
pub(crate) type Writable = Arc<dyn erased_serde::Serialize + Send + Sync>;

#[derive(Clone)]
pub(crate) enum Write {
    /// Guarded by absence: an id that exists is a conflict.
    Insert(Writable),
    Replace(Writable),
    Patch(Vec<(FieldRef, Value)>),
    Increment(Vec<(FieldRef, i64)>),
    Delete,
    /// Changes nothing; the guard is the point.
    Require,
}

#[derive(Clone)]
pub(crate) struct Step {
    pub collection: &'static Collection,
    pub id: String,
    pub guard: Guard,
    pub write: Write,
}

/// Changes that happen together or not at all, in this order.
#[derive(Clone, Default)]
#[must_use = "a batch does nothing until it is committed"]
pub struct Batch {
    pub(crate) steps: Vec<Step>,
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    fn step<D: Document>(mut self, id: &Id<D>, guard: Guard, write: Write) -> Self {
        let id = id.as_str().to_owned();
        self.steps.push(Step { collection: D::collection(), id, guard, write });
        self
    }

    /// A new document; `Conflict` when its id, or a value of a unique index, is taken.
    pub fn insert<D: Document>(self, document: &D) -> Self {
        // Guarded by absence, which `Write::Insert` implies.
        self.step(document.id(), Guard::Present, Write::Insert(Arc::new(document.clone())))
    }

    /// The document as given, in place of the version that it was read at; `Stale` when it has been
    /// written since. What is stored has the next version.
    pub fn replace<D: Document>(self, document: &D) -> Self {
        let mut next = document.clone();
        next.set_version(document.version() + 1);
        self.step(document.id(), Guard::Version(document.version()), Write::Replace(Arc::new(next)))
    }

    /// Some fields of a document; `Stale` when the guard does not hold.
    pub fn patch<D: Document>(
        self,
        id: &Id<D>,
        guard: Guard,
        changes: impl IntoIterator<Item = Change<D>>,
    ) -> Self {
        let changes = changes.into_iter().map(|change| (change.field, change.value)).collect();
        self.step(id, guard, Write::Patch(changes))
    }

    /// Adds to a counter; a missing one counts from 0. Concurrent ones add up.
    pub fn increment<D: Document>(self, id: &Id<D>, guard: Guard, field: Field<D, i64>, by: i64) -> Self {
        self.step(id, guard, Write::Increment(vec![(field.erased(), by)]))
    }

    pub fn delete<D: Document>(self, id: &Id<D>, guard: Guard) -> Self {
        self.step(id, guard, Write::Delete)
    }

    /// Changes nothing, but lets the batch happen only when the guard holds.
    pub fn require<D: Document>(self, id: &Id<D>, guard: Guard) -> Self {
        self.step(id, guard, Write::Require)
    }

    /// These changes and then those.
    pub fn and(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn collections(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.steps
            .iter()
            .filter(|step| !matches!(step.write, Write::Require))
            .map(|step| step.collection.name)
    }
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A community's documents. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    calls: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(sqlite::Sqlite),
    Mongo(mongo::Mongo),
}

/// Runs the same call on whichever engine is open. The driver's futures are large, and every caller
/// would carry one around, so they get a place of their own.
macro_rules! on_engine {
    ($store:expr, $engine:ident => $call:expr) => {{
        $store.calls.fetch_add(1, Ordering::Relaxed);
        match &$store.engine {
            Engine::Sqlite($engine) => $call.await,
            Engine::Mongo($engine) => Box::pin($call).await,
        }
    }};
}

impl Store {
    /// Opens the store at `uri` (`sqlite://path`, `mongodb://host/database?replicaSet=rs0`) and
    /// creates the collections' missing indexes.
    ///
    /// # Errors
    /// `Unavailable` with a sentence that says what to do: the path can't be written, the server
    /// can't be reached, or it is a standalone MongoDB, which has no transactions.
    pub async fn open(uri: &str, collections: &[&'static Collection]) -> Result<Self> {
        let engine = if let Some(path) = uri.strip_prefix("sqlite://") {
            Engine::Sqlite(sqlite::Sqlite::open(path, collections).await?)
        } else if uri.starts_with("mongodb://") || uri.starts_with("mongodb+srv://") {
            Engine::Mongo(mongo::Mongo::open(uri, collections).await?)
        } else {
            return Err(StoreError::Unavailable(
                "a store is sqlite://path or mongodb://host/database?replicaSet=rs0".to_owned(),
            ));
        };
        Ok(Self { engine, calls: Arc::default() })
    }

    /// Calls made so far, for tests that hold a request to a constant number of them.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The documents with these ids, in this order; `None` where there is none.
    pub async fn get<D: Document>(&self, ids: &[Id<D>]) -> Result<Vec<Option<D>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<D> = on_engine!(self, engine => engine.get(ids))?;
        let mut by_id: BTreeMap<String, D> =
            found.into_iter().map(|document| (document.id().as_str().to_owned(), document)).collect();
        let mut documents: Vec<Option<D>> = Vec::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            let again = ids[index + 1..].contains(id);
            let document = if again { by_id.get(id.as_str()).cloned() } else { by_id.remove(id.as_str()) };
            documents.push(document);
        }
        Ok(documents)
    }

    /// The document with this id.
    pub async fn one<D: Document>(&self, id: &Id<D>) -> Result<Option<D>> {
        Ok(self.get(std::slice::from_ref(id)).await?.pop().flatten())
    }

    /// A page of the documents that satisfy `filter`.
    pub async fn find<D: Document>(&self, filter: Filter<D>, order: Order<D>, page: Page) -> Result<Vec<D>> {
        if page.limit == 0 {
            return Ok(Vec::new());
        }
        let keys = order.keys();
        let expr = filter.into_expr();
        require_index::<D>(&expr, &keys)?;
        if page.after.as_ref().is_some_and(|position| position.len() != keys.len()) {
            return Err(StoreError::Failed("a position has a value for each key of its order".to_owned()));
        }
        on_engine!(self, engine => engine.find(&expr, &keys, &page))
    }

    /// How many documents satisfy `filter`; counting stops at `at_most`, so that a big community
    /// costs no more than that.
    pub async fn count<D: Document>(&self, filter: Filter<D>, at_most: u64) -> Result<u64> {
        let expr = filter.into_expr();
        require_index::<D>(&expr, &[])?;
        on_engine!(self, engine => engine.count::<D>(&expr, at_most))
    }

    /// How many documents that satisfy `filter` have each value of `field`.
    pub async fn tally<D: Document, V: Scalar>(
        &self,
        filter: Filter<D>,
        field: Field<D, V>,
    ) -> Result<BTreeMap<Value, u64>> {
        let expr = filter.into_expr();
        require_index::<D>(&expr, &[])?;
        on_engine!(self, engine => engine.tally::<D>(&expr, field.erased()))
    }

    /// Makes the changes, all or none. When this returns `Ok`, they outlive a crash.
    pub async fn commit(&self, batch: Batch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        on_engine!(self, engine => engine.commit(batch))
    }

    /// Names of collections as they change, in this process or another: a hint to look again, which
    /// may come late, twice, or (when the listener lags) not at all.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<&'static str> {
        match &self.engine {
            Engine::Sqlite(engine) => engine.watch(),
            Engine::Mongo(engine) => engine.watch(),
        }
    }

    /// Answers when the store does: what readiness means.
    pub async fn ping(&self) -> Result<()> {
        on_engine!(self, engine => engine.ping())
    }

    /// Loads a document, changes it and commits it guarded by its version, with whatever else
    /// belongs to the change; tried again when somebody else was faster. `None`: there is no such
    /// document.
    ///
    /// `change` must be free of side effects, as it may run several times. It may refuse.
    pub async fn change<D, T, E, F>(&self, id: &Id<D>, mut change: F) -> Result<Option<T>, E>
    where
        D: Document,
        E: From<StoreError>,
        F: FnMut(&mut D) -> Result<(T, Batch), E>,
    {
        for round in 0..ATTEMPTS {
            let Some(mut document) = self.one(id).await? else {
                return Ok(None);
            };
            let before = document.version();
            let (result, with) = change(&mut document)?;
            document.set_version(before);
            match self.commit(Batch::new().replace(&document).and(with)).await {
                Ok(()) => return Ok(Some(result)),
                Err(StoreError::Stale { .. }) => {
                    tokio::time::sleep(Duration::from_millis(u64::from(round.min(10)))).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable("a document is being changed too often to change it".to_owned()).into())
    }

    /// Waits for what runs in the background to end: the writer has written, the readers are closed.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Mongo(engine) => engine.close().await,
        }
    }

    /// How the engine would find a page, in its own words: for tests that hold a query to its index.
    #[doc(hidden)]
    pub async fn explain<D: Document>(
        &self,
        filter: Filter<D>,
        order: Order<D>,
        page: Page,
    ) -> Result<Vec<String>> {
        let (expr, keys) = (filter.into_expr(), order.keys());
        require_index::<D>(&expr, &keys)?;
        on_engine!(self, engine => engine.explain(D::collection(), &expr, &keys, &page))
    }
}

/// Attempts at a read-change-write before giving up: with 64 writers on one document each round has
/// one winner, so this is generous.
const ATTEMPTS: u32 = 100;

fn require_index<D: Document>(expr: &Expr, order: &[(FieldRef, Direction)]) -> Result<()> {
    let collection = D::collection();
    let by_id_alone =
        order.iter().all(|(field, _)| *field == ID) && matches!(expr, Expr::And(all) if all.is_empty());
    if collection.may_scan
        || by_id_alone
        || fixed_fields(expr).contains(&ID)
        || collection.index_for(expr, order).is_some()
    {
        return Ok(());
    }
    // Names only: values are nobody's business in a log.
    let fixed: Vec<_> = fixed_fields(expr).iter().map(|field| field.name).collect();
    let order: Vec<_> = order.iter().map(|(field, _)| field.name).collect();
    let name = collection.name;
    Err(StoreError::Failed(format!(
        "{name} has no index that fixes some of {fixed:?} and is then in the order {order:?}"
    )))
}
