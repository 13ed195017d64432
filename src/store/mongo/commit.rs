//! How a batch happens.
//!
//! One step is one write, guarded by its filter; the server remembers what came of it, so that the
//! driver may safely send it again when the answer is lost. Several steps are a transaction:
//!
//! - Nothing of it is visible until it commits. What another transaction got in the way of is tried
//!   again from the start.
//! - When it is not known whether a commit succeeded, only the *commit* is tried again, which does
//!   nothing if it had. The steps are not: they might find their own changes, and call them somebody
//!   else's.
//! - A requirement writes, too, or else two transactions could each change what the other requires:
//!   snapshots alone allow that. It adds to [`TOUCH`], which documents ignore.

use std::time::Duration;

use bson::{Document, RawDocumentBuf, doc};
use mongodb::{
    ClientSession, Database,
    error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT},
    options::ReadConcern,
};
use tokio::time::Instant;

use super::{
    super::{Batch, Guard, Result, Step, StoreError, Write, plan::fold},
    errors::failed,
    open::durable,
    render::{filter, to_bson},
    turns::Turns,
};

/// A field that requirements write and nobody reads.
const TOUCH: &str = "_touch";
/// The first pause before a transaction is tried again, at most; later ones double.
const PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How long to go on when nobody answers: callers are promised to be told soon. A little less than
/// the driver looks for a server.
const SILENCE: Duration = Duration::from_millis(1_900);

/// One command to the server.
pub(super) struct Command {
    collection: &'static str,
    id: String,
    kind: Kind,
}

enum Kind {
    Insert(Vec<RawDocumentBuf>),
    Replace(Document, RawDocumentBuf),
    Update(Document, Document),
    Delete(Document),
}

/// The commands of a batch. Inserts into one collection that follow each other are one.
pub(super) fn commands(batch: &Batch) -> Result<Vec<Command>> {
    let mut commands: Vec<Command> = Vec::with_capacity(batch.steps.len());
    for step in &batch.steps {
        let next = command(step)?;
        match (commands.last_mut(), next) {
            (
                Some(Command { collection, kind: Kind::Insert(documents), .. }),
                Command { collection: also, kind: Kind::Insert(more), .. },
            ) if *collection == also => documents.extend(more),
            (_, next) => commands.push(next),
        }
    }
    Ok(commands)
}

fn command(step: &Step) -> Result<Command> {
    let which = || guarded(&step.id, &step.guard);
    let kind = match &step.write {
        Write::Insert(document) => Kind::Insert(vec![raw(step, &**document)?]),
        Write::Replace(document) => Kind::Replace(which(), raw(step, &**document)?),
        Write::Patch(fields) => {
            let set: Document =
                fields.iter().map(|(field, value)| (field.name.to_owned(), to_bson(*field, value))).collect();
            let mut update = doc! { "$inc": { "version": 1_i64 } };
            if !set.is_empty() {
                update.insert("$set", set);
            }
            Kind::Update(which(), update)
        }
        Write::Increment(fields) => {
            let mut inc = doc! { "version": 1_i64 };
            for (field, by) in fields {
                inc.insert(field.name, *by);
            }
            Kind::Update(which(), doc! { "$inc": inc })
        }
        Write::Delete => Kind::Delete(which()),
        Write::Require => Kind::Update(which(), doc! { "$inc": { TOUCH: 1_i64 } }),
    };
    Ok(Command { collection: step.collection.name, id: step.id.clone(), kind })
}

fn guarded(id: &str, guard: &Guard) -> Document {
    match guard {
        Guard::Present => doc! { "_id": id },
        Guard::Version(version) => doc! { "_id": id, "version": *version },
        Guard::Matches(expr) => doc! { "_id": id, "$and": [filter(&fold(expr))] },
    }
}

fn raw(step: &Step, document: &dyn erased_serde::Serialize) -> Result<RawDocumentBuf> {
    bson::serialize_to_raw_document_buf(&document).map_err(|error| {
        StoreError::Failed(format!("{}/{} can't be written: {error}", step.collection.name, step.id))
    })
}

/// Makes a batch happen, trying until `deadline`.
pub(super) async fn run(
    database: &Database,
    turns: &Turns,
    commands: Vec<Command>,
    deadline: Instant,
) -> Result<()> {
    if let [Command { kind, .. }] = commands.as_slice()
        && kind.is_one_write()
    {
        return commands[0].run(database, None).await.map_err(Refusal::into_error);
    }
    let _held = turns.of(commands.iter().filter_map(Command::changes)).await;
    let mut pause = PAUSE;
    loop {
        let began = Instant::now();
        let refusal = match transaction(database, &commands, deadline).await {
            Ok(()) => return Ok(()),
            Err(refusal) => refusal,
        };
        if !refusal.is_passing(began) || Instant::now() + pause >= deadline {
            return Err(refusal.into_error());
        }
        tokio::time::sleep(pause.mul_f64(chance())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// One try, in a session of its own: the driver ends what a dropped session has left open, and nobody
/// has to wait for that.
async fn transaction(database: &Database, commands: &[Command], deadline: Instant) -> Result<(), Refusal> {
    let lost = |error| Refusal::Driver(database.name().to_owned(), error);
    let mut session = database.client().start_session().await.map_err(lost)?;
    let start = session.start_transaction().read_concern(ReadConcern::snapshot()).write_concern(durable());
    start.await.map_err(lost)?;
    for command in commands {
        command.run(database, Some(&mut session)).await?;
    }
    let began = Instant::now();
    loop {
        match session.commit_transaction().await {
            Err(error) if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) => {
                if is_silence(&error, began) || Instant::now() >= deadline {
                    return Err(lost(unlabelled(&error)));
                }
                tokio::time::sleep(PAUSE.mul_f64(chance())).await;
            }
            outcome => return outcome.map_err(lost),
        }
    }
}

/// Why a command did not do what it should.
enum Refusal {
    Stale(StoreError),
    /// What the driver says, and on which collection.
    Driver(String, Error),
}

impl Refusal {
    /// Whether nothing has happened in a try that `began` then, and the same may succeed now.
    fn is_passing(&self, began: Instant) -> bool {
        matches!(self, Self::Driver(_, error)
            if error.contains_label(TRANSIENT_TRANSACTION_ERROR) && !is_silence(error, began))
    }

    fn into_error(self) -> StoreError {
        match self {
            Self::Stale(error) => error,
            Self::Driver(collection, error) => failed(&collection, &error),
        }
    }
}

/// Whether nobody has answered since then, not even with an error, for as long as to make it likely
/// that nobody will.
fn is_silence(error: &Error, since: Instant) -> bool {
    let answered =
        matches!(*error.kind, ErrorKind::Command(_) | ErrorKind::Write(_) | ErrorKind::InsertMany(_));
    !answered && since.elapsed() >= SILENCE
}

/// The same error without its labels: its transaction must not be tried again, as it may have
/// happened.
fn unlabelled(error: &Error) -> Error {
    Error::from((*error.kind).clone())
}

impl Kind {
    fn is_one_write(&self) -> bool {
        !matches!(self, Self::Insert(documents) if documents.len() != 1)
    }
}

impl Command {
    /// The document it changes; nobody else can be changing one that it inserts.
    fn changes(&self) -> Option<(&'static str, &str)> {
        let inserts = matches!(self.kind, Kind::Insert(_));
        (!inserts).then_some((self.collection, self.id.as_str()))
    }

    async fn run(&self, database: &Database, session: Option<&mut ClientSession>) -> Result<(), Refusal> {
        let found = self.found(database, session).await;
        match found.map_err(|error| Refusal::Driver(self.collection.to_owned(), error))? {
            0 => {
                let (collection, id) = (self.collection, self.id.clone());
                Err(Refusal::Stale(StoreError::Stale { collection, id }))
            }
            _ => Ok(()),
        }
    }

    /// How many documents were as expected, and are changed.
    async fn found(
        &self,
        database: &Database,
        session: Option<&mut ClientSession>,
    ) -> mongodb::error::Result<u64> {
        let collection = database.collection::<RawDocumentBuf>(self.collection);
        macro_rules! run {
            ($action:expr) => {
                match session {
                    Some(session) => $action.session(session).await,
                    None => $action.await,
                }
            };
        }
        Ok(match &self.kind {
            Kind::Insert(documents) => match documents.as_slice() {
                [document] => run!(collection.insert_one(document)).map(|_| 1)?,
                documents => run!(collection.insert_many(documents)).map(|_| 1)?,
            },
            Kind::Replace(which, document) => {
                run!(collection.replace_one(which.clone(), document))?.matched_count
            }
            Kind::Update(which, update) => {
                run!(collection.update_one(which.clone(), update.clone()))?.matched_count
            }
            Kind::Delete(which) => run!(collection.delete_one(which.clone()))?.deleted_count,
        })
    }
}

/// A number from 0 to 1, so that those who got into each other's way do not do so again. Nothing but
/// politeness hangs on it.
fn chance() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::hash::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
