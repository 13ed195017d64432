//! The store on MongoDB: a replica set, majority writes that are in the journal, and multi-document
//! transactions.

mod commit;
mod errors;
mod render;
mod schema;
mod watch;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bson::{Bson, Document as Doc, doc};
use futures_util::TryStreamExt;
use mongodb::{
    Client, Collection as Stored, Database,
    options::{Acknowledgment, ClientOptions, ReadConcern, WriteConcern},
};
use tokio::{sync::broadcast, task::JoinHandle};

use self::errors::{failed, store_error};
use super::{Batch, Collection, Document, Result, StoreError, plan::Plan};
use crate::{
    ids::Id,
    query::{Direction, Expr, FieldRef, Page, Value},
};

/// How long a server may take to be found, and to be connected to.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long a read may take. The driver has no timeout on sockets, so that a server that went silent
/// would hold a request for ever.
const READ_WITHIN: Duration = Duration::from_millis(2_500);

#[derive(Clone)]
pub(super) struct Mongo(Arc<Inner>);

struct Inner {
    client: Client,
    database: Database,
    changes: broadcast::Sender<&'static str>,
    watcher: JoinHandle<()>,
    closed: AtomicBool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl Mongo {
    pub async fn open(uri: &str, collections: &[&'static Collection]) -> Result<Self> {
        let wrong = |error: mongodb::error::Error| {
            StoreError::Unavailable(format!(
                "the address is not one of MongoDB: {}",
                errors::sentence(&error)
            ))
        };
        let mut options = ClientOptions::parse(uri).await.map_err(wrong)?;
        options.app_name = Some("hope".to_owned());
        options.server_selection_timeout = Some(CONNECT_WITHIN);
        options.connect_timeout = Some(CONNECT_WITHIN);
        // Without `j`, a server that is killed forgets what it acknowledged.
        options.write_concern =
            Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
        options.read_concern = Some(ReadConcern::majority());
        let client = Client::with_options(options).map_err(wrong)?;
        let database = client.default_database().ok_or_else(|| {
            StoreError::Unavailable(
                "the address names no database: mongodb://host/DATABASE?replicaSet=rs0".to_owned(),
            )
        })?;
        within(READ_WITHIN * 2, require_replica_set(&database)).await?;
        schema::create(&database, collections).await?;
        let (changes, _) = broadcast::channel(1_024);
        let names = collections.iter().map(|collection| collection.name).collect();
        let watcher = tokio::spawn(watch::run(database.clone(), names, changes.clone()));
        Ok(Self(Arc::new(Inner { client, database, changes, watcher, closed: AtomicBool::new(false) })))
    }

    pub async fn get<D: Document>(&self, ids: &[Id<D>]) -> Result<Vec<D>> {
        let ids: Vec<&str> = ids.iter().map(Id::as_str).collect();
        let batch = batch_size(ids.len());
        let stored = self.collection::<D>()?;
        let found = async {
            let cursor = stored.find(doc! { "_id": { "$in": ids } }).batch_size(batch).await?;
            cursor.try_collect().await
        };
        within(READ_WITHIN, found).await
    }

    pub async fn find<D: Document>(
        &self,
        filter: &Expr,
        order: &[(FieldRef, Direction)],
        page: &Page,
    ) -> Result<Vec<D>> {
        let plan = Plan::new(D::collection(), filter, order, page);
        if plan.arms.is_empty() {
            return Ok(Vec::new());
        }
        let limit = i64::try_from(plan.limit).unwrap_or(i64::MAX);
        // One answer holds the whole page: a second question for its rest would double the time.
        let batch = batch_size(plan.limit);
        let stored = self.collection::<D>()?;
        let found = async {
            let filter = render::any(&plan.arms);
            let mut find = stored.find(filter).limit(limit).batch_size(batch);
            if !plan.order.is_empty() {
                find = find.sort(render::sort(&plan.order));
            }
            find.await?.try_collect().await
        };
        within(READ_WITHIN, found).await
    }

    pub async fn count<D: Document>(&self, filter: &Expr, at_most: u64) -> Result<u64> {
        if at_most == 0 {
            return Ok(0);
        }
        let stored = self.collection::<D>()?;
        let count = stored.count_documents(render::filter(filter)).limit(at_most.min(i64::MAX as u64));
        within(READ_WITHIN, count.into_future()).await
    }

    pub async fn tally<D: Document>(&self, filter: &Expr, field: FieldRef) -> Result<BTreeMap<Value, u64>> {
        let group = doc! { "$group": { "_id": format!("${}", field.name), "count": { "$sum": 1_i64 } } };
        let stages = [doc! { "$match": render::filter(filter) }, group];
        let stored = self.collection::<D>()?;
        let groups = async { stored.aggregate(stages).await?.try_collect().await };
        let groups: Vec<Doc> = within(READ_WITHIN, groups).await?;
        let mut tally = BTreeMap::new();
        for group in groups {
            let value = group.get("_id").map_or(Some(Value::Null), render::value_of);
            let value =
                value.ok_or_else(|| failed(format!("{} is no value that can be counted", field.name)))?;
            let count = group.get("count").and_then(Bson::as_i64).unwrap_or_default();
            *tally.entry(value).or_default() += u64::try_from(count).unwrap_or_default();
        }
        Ok(tally)
    }

    pub async fn commit(&self, batch: Batch) -> Result<()> {
        commit::commit(&self.0.client, self.database()?, batch).await
    }

    pub fn watch(&self) -> broadcast::Receiver<&'static str> {
        self.0.changes.subscribe()
    }

    pub async fn ping(&self) -> Result<()> {
        within(READ_WITHIN, self.database()?.run_command(doc! { "ping": 1 }).into_future()).await.map(drop)
    }

    pub async fn explain(
        &self,
        collection: &'static Collection,
        filter: &Expr,
        order: &[(FieldRef, Direction)],
        page: &Page,
    ) -> Result<Vec<String>> {
        let plan = Plan::new(collection, filter, order, page);
        if plan.arms.is_empty() {
            return Ok(vec!["NOTHING".to_owned()]);
        }
        let limit = i64::try_from(plan.limit).unwrap_or(i64::MAX);
        let find = doc! {
            "find": collection.name,
            "filter": render::any(&plan.arms),
            "sort": render::sort(&plan.order),
            "limit": limit,
        };
        let command = doc! { "explain": find, "verbosity": "queryPlanner" };
        let answer = within(READ_WITHIN, self.database()?.run_command(command).into_future()).await?;
        let planner = answer.get_document("queryPlanner").map_err(|error| failed(error.to_string()))?;
        let winning = planner.get_document("winningPlan").map_err(|error| failed(error.to_string()))?;
        let mut stages = Vec::new();
        collect_stages(winning, &mut stages);
        Ok(stages)
    }

    /// Connections end with the last handle; the driver panics in its own tasks when it is told to.
    pub async fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.watcher.abort();
    }

    fn database(&self) -> Result<&Database> {
        if self.0.closed.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        Ok(&self.0.database)
    }

    fn collection<D: Document>(&self) -> Result<Stored<D>> {
        Ok(self.database()?.collection(D::collection().name))
    }
}

/// So many documents in one answer, and the word that there are no more.
fn batch_size(documents: usize) -> u32 {
    const MOST: u32 = 10_000;
    u32::try_from(documents).unwrap_or(MOST).min(MOST) + 1
}

fn collect_stages(plan: &Doc, stages: &mut Vec<String>) {
    if let Ok(stage) = plan.get_str("stage") {
        stages.push(stage.to_owned());
    }
    for value in plan.values() {
        match value {
            Bson::Document(inner) => collect_stages(inner, stages),
            Bson::Array(inner) => {
                inner.iter().filter_map(Bson::as_document).for_each(|inner| collect_stages(inner, stages))
            }
            _ => {}
        }
    }
}

/// The answer, or `Unavailable` when it takes longer than `time`.
async fn within<T>(time: Duration, answer: impl Future<Output = mongodb::error::Result<T>>) -> Result<T> {
    match tokio::time::timeout(time, answer).await {
        Ok(answer) => answer.map_err(|error| store_error(&error)),
        Err(_) => Err(StoreError::Unavailable("MongoDB did not answer in time".to_owned())),
    }
}

/// A standalone server has no transactions, and forgets acknowledged writes when it is killed.
async fn require_replica_set(database: &Database) -> mongodb::error::Result<()> {
    let hello = database.run_command(doc! { "hello": 1 }).await?;
    let is_set = hello.contains_key("setName") || hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid");
    if is_set {
        return Ok(());
    }
    Err(mongodb::error::Error::custom(
        "this MongoDB is a standalone server, which has no transactions. Start it as a replica set: \
         mongod --replSet rs0, then once rs.initiate() in mongosh, and add ?replicaSet=rs0 to the address. \
         docker-compose.yml shows how."
            .to_owned(),
    ))
}
