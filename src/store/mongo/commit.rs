//! Batches as MongoDB writes them: one guarded write as it is, several in a transaction.

use std::time::Duration;

use bson::{Document as Doc, RawDocumentBuf, doc};
use mongodb::{Client, ClientSession, Database, error::Error};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    super::{Batch, Guard, Result, Step, StoreError, Write},
    errors::{code, store_error},
    render,
};

/// How long a commit may take, all attempts together.
const COMMIT_WITHIN: Duration = Duration::from_secs(10);
/// While the store is away, who waits is told so within three seconds.
const ANSWER_WITHIN: Duration = Duration::from_millis(2_500);

/// One write, ready to be sent as often as it takes.
struct Prepared {
    collection: &'static str,
    id: String,
    change: Change,
}

enum Change {
    /// One or more new documents of a collection.
    Insert(Vec<RawDocumentBuf>),
    Replace(Doc, RawDocumentBuf),
    Update(Doc, Doc),
    Delete(Doc),
}

/// Why an attempt ended.
enum Ended {
    Driver(Error),
    /// A guard did not hold.
    Stale {
        collection: &'static str,
        id: String,
    },
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<Ended> for StoreError {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Driver(error) => store_error(&error),
            Ended::Stale { collection, id } => Self::Stale { collection, id },
        }
    }
}

pub(super) async fn commit(client: &Client, database: &Database, batch: Batch) -> Result<()> {
    let writes = prepare(batch.steps)?;
    let deadline = Instant::now() + COMMIT_WITHIN;
    let outcome = match writes.as_slice() {
        // One document's change is atomic by itself, and the driver sends it again when the
        // connection breaks, under a number by which the server knows it.
        [only] if only.is_single() => {
            timeout_at(deadline, only.run(database, None)).await.map(|done| done.map_err(Into::into))
        }
        writes => timeout_at(deadline, transaction(client, database, writes)).await,
    };
    outcome.unwrap_or_else(|_| {
        Err(StoreError::Unavailable("MongoDB did not take the changes in time".to_owned()))
    })
}

/// Runs the writes in a transaction until it is committed, or refused for a reason that lasts.
async fn transaction(client: &Client, database: &Database, writes: &[Prepared]) -> Result<()> {
    let started = Instant::now();
    let mut session = client.start_session().await.map_err(|error| store_error(&error))?;
    let mut round = 0;
    loop {
        let ended = match attempt(&mut session, database, writes).await {
            Ok(()) => return Ok(()),
            Err(ended) => ended,
        };
        let retry = match &ended {
            Ended::Driver(error) => error.contains_label("TransientTransactionError"),
            Ended::Stale { .. } => false,
        };
        let conflict = matches!(&ended, Ended::Driver(error) if code(error) == Some(WRITE_CONFLICT));
        // Others in the way go away; a server that is gone is told of sooner.
        if !retry || (!conflict && started.elapsed() > ANSWER_WITHIN) {
            return Err(ended.into());
        }
        sleep(pause(round)).await;
        round += 1;
    }
}

const WRITE_CONFLICT: i32 = 112;

/// A pause that grows with the number of attempts, and differs between those who were in each
/// other's way.
fn pause(round: u32) -> Duration {
    let most = 1_u64 << round.min(6);
    let mut byte = [0_u8; 2];
    // Without randomness all wait alike, which is slower and not wrong.
    aws_lc_rs::rand::fill(&mut byte).ok();
    Duration::from_micros(500 + 1_000 * most * u64::from(u16::from_be_bytes(byte)) / u64::from(u16::MAX))
}

async fn attempt(session: &mut ClientSession, database: &Database, writes: &[Prepared]) -> Result<(), Ended> {
    session.start_transaction().await?;
    for write in writes {
        if let Err(ended) = write.run(database, Some(session)).await {
            // It ends by itself when this fails.
            session.abort_transaction().await.ok();
            return Err(ended);
        }
    }
    loop {
        match session.commit_transaction().await {
            Ok(()) => return Ok(()),
            // Nobody knows whether it was committed. Committing again is answered the same way, where
            // running the writes again would find them done and call them stale.
            Err(error) if error.contains_label("UnknownTransactionCommitResult") => sleep(pause(5)).await,
            Err(error) => return Err(error.into()),
        }
    }
}

impl Prepared {
    fn is_single(&self) -> bool {
        !matches!(&self.change, Change::Insert(documents) if documents.len() > 1)
    }

    async fn run(&self, database: &Database, session: Option<&mut ClientSession>) -> Result<(), Ended> {
        macro_rules! send {
            ($action:expr) => {
                match session {
                    Some(session) => $action.session(session).await?,
                    None => $action.await?,
                }
            };
        }
        let stored = database.collection::<RawDocumentBuf>(self.collection);
        let found = match &self.change {
            Change::Insert(documents) if documents.len() == 1 => {
                send!(stored.insert_one(&documents[0]));
                return Ok(());
            }
            Change::Insert(documents) => {
                send!(stored.insert_many(documents));
                return Ok(());
            }
            Change::Replace(filter, document) => {
                send!(stored.replace_one(filter.clone(), document)).matched_count
            }
            Change::Update(filter, update) => {
                send!(stored.update_one(filter.clone(), update.clone())).matched_count
            }
            Change::Delete(filter) => send!(stored.delete_one(filter.clone())).deleted_count,
        };
        if found == 0 {
            return Err(Ended::Stale { collection: self.collection, id: self.id.clone() });
        }
        Ok(())
    }
}

/// The steps in their order, with neighbouring inserts into one collection as one write.
fn prepare(steps: Vec<Step>) -> Result<Vec<Prepared>> {
    let mut writes: Vec<Prepared> = Vec::with_capacity(steps.len());
    for step in steps {
        let change = change(&step)?;
        match (writes.last_mut(), change) {
            (Some(Prepared { collection, change: Change::Insert(before), .. }), Change::Insert(more))
                if *collection == step.collection.name =>
            {
                before.extend(more);
            }
            (_, change) => writes.push(Prepared { collection: step.collection.name, id: step.id, change }),
        }
    }
    Ok(writes)
}

fn change(step: &Step) -> Result<Change> {
    let raw = |document: &dyn erased_serde::Serialize| {
        bson::serialize_to_raw_document_buf(&document).map_err(|error| {
            StoreError::Failed(format!("{}/{} can't be written: {error}", step.collection.name, step.id))
        })
    };
    Ok(match &step.write {
        Write::Insert(document) => Change::Insert(vec![raw(&**document)?]),
        Write::Replace(document) => Change::Replace(target(step), raw(&**document)?),
        Write::Patch(fields) => {
            let set: Doc =
                fields.iter().map(|(field, value)| (field.name.to_owned(), render::bson(value))).collect();
            let mut update = doc! { "$inc": { "version": 1_i64 } };
            if !set.is_empty() {
                update.insert("$set", set);
            }
            Change::Update(target(step), update)
        }
        Write::Increment(fields) => {
            let mut add = doc! { "version": 1_i64 };
            add.extend(fields.iter().map(|(field, by)| (field.name.to_owned(), (*by).into())));
            Change::Update(target(step), doc! { "$inc": add })
        }
        Write::Delete => Change::Delete(target(step)),
        // Only a write is seen by other transactions: two that only looked could both go on. Documents
        // don't know of the field.
        Write::Require => Change::Update(target(step), doc! { "$inc": { "_touched": 1_i64 } }),
    })
}

/// The document that a step is about, when its guard holds.
fn target(step: &Step) -> Doc {
    let mut filter = doc! { "_id": &step.id };
    match &step.guard {
        Guard::Present => {}
        Guard::Version(version) => {
            filter.insert("version", version);
        }
        Guard::Matches(expr) => {
            filter.insert("$and", vec![render::filter(expr)]);
        }
    }
    filter
}
