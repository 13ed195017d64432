//! The store for a country: a MongoDB replica set, reached through the official driver.
//!
//! [`open`] finds it and says what is wrong; [`indexes`] makes what is declared; [`render`] turns
//! filters into MongoDB's; [`commit`] makes batches happen, in [`turns`]; [`watch`] listens for changes.
//!
//! A commit is answered when most members have it on their disks. The driver waits for an answer for
//! as long as there is a connection, so every call has a time limit here, and runs in a task of its
//! own: a driver's future must not be dropped half-way (<https://jira.mongodb.org/browse/RUST-937>).

mod commit;
mod errors;
mod indexes;
mod open;
mod orphans;
mod render;
mod turns;
mod watch;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bson::{Bson, Document as Fields, RawDocumentBuf, doc};
use futures_util::{
    TryStreamExt,
    future::{join_all, try_join_all},
};
use mongodb::{
    Database,
    options::Hint,
    raw_batch_cursor::{RawBatch, RawBatchCursor},
};
use tokio::{
    sync::broadcast,
    task::{AbortHandle, JoinError},
    time::{Instant, timeout, timeout_at},
};

use self::{
    errors::{failed, is_missing_index, late},
    open::Found,
    render::{filter, sort, to_value},
    turns::Turns,
};
use super::{
    Batch, Collection, Document, Result, StoreError,
    plan::{Plan, fold},
};
use crate::{
    ids::Id,
    query::{Direction, Expr, FieldRef, Page, Value},
};

/// How long a caller waits for documents.
const READ_PATIENCE: Duration = Duration::from_millis(2_500);
/// How long the server works on a question: less, so that it has stopped when the caller does.
const READ_WORK: Duration = Duration::from_millis(2_200);
/// How long a caller waits for a commit, all tries taken together.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);
/// Hints that a slow listener may fall behind by.
const HINTS: usize = 1024;

#[derive(Clone)]
pub(super) struct Mongo(Arc<Inner>);

struct Inner {
    database: Database,
    app_name: String,
    collections: Vec<&'static str>,
    turns: Arc<Turns>,
    changed: broadcast::Sender<&'static str>,
    /// Listening, since somebody first asked for it.
    watcher: OnceLock<AbortHandle>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher.get() {
            watcher.abort();
        }
    }
}

impl Mongo {
    pub async fn open(uri: &str, collections: &[&'static Collection]) -> Result<Self> {
        let Found { database, app_name } = open::connect(uri).await?;
        let made = collections.iter().map(|collection| {
            let (database, collection) = (database.clone(), *collection);
            within(indexes::PATIENCE, async move {
                indexes::create(&database, collection).await.map_err(|error| {
                    match failed(collection.name, &error) {
                        StoreError::Conflict { constraint } => StoreError::Failed(format!(
                            "the unique index {constraint} can't be made: documents share a value"
                        )),
                        error => error,
                    }
                })
            })
        });
        try_join_all(made).await?;
        let collections = collections.iter().map(|collection| collection.name).collect();
        let (changed, _) = broadcast::channel(HINTS);
        Ok(Self(Arc::new(Inner {
            database,
            app_name,
            collections,
            turns: Arc::default(),
            changed,
            watcher: OnceLock::new(),
        })))
    }

    pub async fn get<D: Document>(&self, ids: &[Id<D>]) -> Result<Vec<D>> {
        let which = match ids {
            [id] => doc! { "_id": id.as_str() },
            ids => doc! { "_id": { "$in": ids.iter().map(Id::as_str).collect::<Vec<_>>() } },
        };
        self.documents(Find { filter: which, sort: Fields::new(), index: None, limit: ids.len() }).await
    }

    pub async fn find<D: Document>(
        &self,
        filter: &Expr,
        order: &[(FieldRef, Direction)],
        page: &Page,
    ) -> Result<Vec<D>> {
        let plan = Plan::new(D::collection(), filter, order, page);
        let limit = plan.limit;
        // At the same time: most pages need two, and waiting for the first would double the time.
        let reads = plan.stretches.iter().map(|stretch| {
            let find = Find {
                filter: render::filter(&stretch.filter),
                sort: sort(&stretch.order),
                index: plan.index.map(indexes::name_of),
                limit,
            };
            self.documents(find)
        });
        let stretches = join_all(reads).await.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(stretches.into_iter().flatten().take(limit).collect())
    }

    async fn documents<D: Document>(&self, find: Find) -> Result<Vec<D>> {
        let name = D::collection().name;
        let collection = self.0.database.collection::<RawDocumentBuf>(name);
        within(READ_PATIENCE, async move {
            let mut found = Vec::with_capacity(find.limit.min(128));
            let mut batches = find.run(&collection).await.map_err(|error| failed(name, &error))?;
            while let Some(batch) = batches.try_next().await.map_err(|error| failed(name, &error))? {
                read(&batch, &mut found)?;
            }
            Ok(found)
        })
        .await
    }

    pub async fn count<D: Document>(&self, filter: &Expr, at_most: u64) -> Result<u64> {
        let Some(filter) = possible(filter).filter(|_| at_most > 0) else { return Ok(0) };
        let name = D::collection().name;
        let collection = self.0.database.collection::<RawDocumentBuf>(name);
        within(READ_PATIENCE, async move {
            let at_most = at_most.min(i64::MAX.unsigned_abs());
            let count = collection.count_documents(filter).limit(at_most).max_time(READ_WORK);
            count.await.map_err(|error| failed(name, &error))
        })
        .await
    }

    pub async fn tally<D: Document>(&self, filter: &Expr, field: FieldRef) -> Result<BTreeMap<Value, u64>> {
        let Some(filter) = possible(filter) else { return Ok(BTreeMap::new()) };
        let name = D::collection().name;
        let collection = self.0.database.collection::<RawDocumentBuf>(name);
        within(READ_PATIENCE, async move {
            let group = doc! { "_id": format!("${}", field.name), "count": { "$sum": 1_i64 } };
            let pipeline = [doc! { "$match": filter }, doc! { "$group": group }];
            let failed = |error| failed(name, &error);
            let groups = collection.aggregate(pipeline).max_time(READ_WORK).await.map_err(failed)?;
            let groups: Vec<Fields> = groups.try_collect().await.map_err(failed)?;
            let mut tally = BTreeMap::new();
            for group in groups {
                let count = group.get("count").and_then(Bson::as_i64).unwrap_or_default().unsigned_abs();
                *tally.entry(group.get("_id").map_or(Value::Null, to_value)).or_default() += count;
            }
            Ok(tally)
        })
        .await
    }

    pub async fn commit(&self, batch: Batch) -> Result<()> {
        let commands = commit::commands(&batch)?;
        let (database, turns) = (self.0.database.clone(), Arc::clone(&self.0.turns));
        let deadline = Instant::now() + COMMIT_PATIENCE;
        let mut call = tokio::spawn(async move { commit::run(&database, &turns, commands, deadline).await });
        loop {
            let next = deadline.min(Instant::now() + orphans::PATIENCE);
            match timeout_at(next, &mut call).await {
                Ok(ended) => return ended.unwrap_or_else(|error| Err(broken(&error))),
                Err(_) if Instant::now() >= deadline => return Err(late(COMMIT_PATIENCE)),
                Err(_) => self.end_orphans(),
            }
        }
    }

    /// Without waiting for it: it only helps.
    fn end_orphans(&self) {
        let (client, app_name) = (self.0.database.client().clone(), self.0.app_name.clone());
        tokio::spawn(async move {
            if let Err(error) = orphans::end(&client, &app_name).await {
                tracing::debug!(%error, "transactions of dead processes can't be looked for");
            }
        });
    }

    pub fn watch(&self) -> broadcast::Receiver<&'static str> {
        let hints = self.0.changed.subscribe();
        self.0.watcher.get_or_init(|| {
            let inner = &self.0;
            let listen = watch::run(inner.database.clone(), inner.collections.clone(), inner.changed.clone());
            tokio::spawn(listen).abort_handle()
        });
        hints
    }

    pub async fn ping(&self) -> Result<()> {
        let database = self.0.database.clone();
        within(READ_PATIENCE, async move {
            let answer = database.run_command(doc! { "ping": 1 }).await;
            answer.map(|_| ()).map_err(|error| failed(database.name(), &error))
        })
        .await
    }

    /// How MongoDB would find a page: the stages of its plan.
    pub async fn explain(
        &self,
        collection: &'static Collection,
        filter: &Expr,
        order: &[(FieldRef, Direction)],
        page: &Page,
    ) -> Result<Vec<String>> {
        let plan = Plan::new(collection, filter, order, page);
        let limit = i64::try_from(plan.limit).unwrap_or(i64::MAX);
        let mut stages = Vec::new();
        for stretch in &plan.stretches {
            let (filter, sort) = (render::filter(&stretch.filter), sort(&stretch.order));
            let mut find = doc! { "find": collection.name, "filter": filter, "sort": sort, "limit": limit };
            find.extend(plan.index.map(|index| ("hint".to_owned(), indexes::name_of(index).into())));
            let database = self.0.database.clone();
            let explained = within(READ_PATIENCE, async move {
                let explain = doc! { "explain": find, "verbosity": "queryPlanner" };
                database.run_command(explain).await.map_err(|error| failed(collection.name, &error))
            });
            let explained = explained.await?;
            let planner = explained.get_document("queryPlanner").cloned().unwrap_or_default();
            stages_of(planner.get("winningPlan").unwrap_or(&Bson::Null), &mut stages);
        }
        Ok(stages)
    }

    pub async fn close(&self) {
        if let Some(watcher) = self.0.watcher.get() {
            watcher.abort();
        }
        let shutdown = self.0.database.client().clone().shutdown().immediate(true);
        tokio::spawn(async move { shutdown.await }).await.ok();
    }
}

/// One question to the server.
struct Find {
    filter: Fields,
    sort: Fields,
    /// The index to use: MongoDB would try several, and remember the one that won that day.
    index: Option<String>,
    limit: usize,
}

impl Find {
    async fn run(
        mut self,
        collection: &mongodb::Collection<RawDocumentBuf>,
    ) -> mongodb::error::Result<RawBatchCursor> {
        let found = self.once(collection).await;
        match &found {
            // Another version of this program, which is being rolled out, declares other indexes.
            Err(error) if self.index.is_some() && is_missing_index(error) => {
                self.index = None;
                self.once(collection).await
            }
            _ => found,
        }
    }

    async fn once(
        &self,
        collection: &mongodb::Collection<RawDocumentBuf>,
    ) -> mongodb::error::Result<RawBatchCursor> {
        let mut find = collection
            .find(self.filter.clone())
            .sort(self.sort.clone())
            .limit(i64::try_from(self.limit).unwrap_or(i64::MAX))
            .max_time(READ_WORK);
        if let Some(index) = &self.index {
            find = find.hint(Hint::Name(index.clone()));
        }
        // All of them in the first answer: one more than asked for, as the server keeps a cursor open
        // that has given exactly what a batch holds.
        if let Ok(limit) = u32::try_from(self.limit)
            && limit < 10_000
        {
            find = find.batch_size(limit + 1);
        }
        find.batch().await
    }
}

/// A filter, unless nothing can satisfy it.
fn possible(expr: &Expr) -> Option<Fields> {
    match fold(expr) {
        Expr::Or(any) if any.is_empty() => None,
        expr => Some(filter(&expr)),
    }
}

/// Reads documents out of an answer as it came, without a copy in between.
fn read<D: Document>(batch: &RawBatch, found: &mut Vec<D>) -> Result<()> {
    let name = D::collection().name;
    let broken = |error: &dyn std::fmt::Display| StoreError::Failed(format!("{name} can't be read: {error}"));
    for element in batch.doc_slices().map_err(|error| broken(&error))? {
        let element = element.map_err(|error| broken(&error))?;
        let Some(document) = element.as_document() else {
            return Err(broken(&"something is not a document"));
        };
        found.push(bson::deserialize_from_slice(document.as_bytes()).map_err(|error| {
            let id = document.get_str("_id").unwrap_or("?");
            StoreError::Failed(format!("{name}/{id} can't be read: {error}"))
        })?);
    }
    Ok(())
}

fn stages_of(plan: &Bson, stages: &mut Vec<String>) {
    match plan {
        Bson::Document(fields) => {
            if let Ok(stage) = fields.get_str("stage") {
                stages.push(stage.to_owned());
            }
            fields
                .iter()
                .filter(|(key, _)| *key != "indexBounds")
                .for_each(|(_, part)| stages_of(part, stages));
        }
        Bson::Array(parts) => parts.iter().for_each(|part| stages_of(part, stages)),
        _ => {}
    }
}

/// Runs a call to its end in a task of its own, and waits for it for as long as callers are promised.
async fn within<T: Send + 'static>(
    patience: Duration,
    call: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match timeout(patience, tokio::spawn(call)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(late(patience)),
    }
}

fn broken(error: &JoinError) -> StoreError {
    StoreError::Failed(format!("a call of the store did not end well: {error}"))
}
