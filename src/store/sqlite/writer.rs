//! The one thread that writes, and how it shares the price of durability.
//!
//! A commit costs a flush to the disk, however little it holds. So the writer takes every batch that
//! is waiting, runs each in a savepoint of its own, and flushes once for all of them. Nobody is
//! answered before that flush: not those that succeeded, and not those that were refused either, as
//! what refused them may have been written in the same transaction.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::{broadcast, oneshot};

use super::{
    super::{Result, StoreError},
    changes::Change,
    errors::failed,
    queue::Queue,
    render::Sql,
};

/// Batches that share a flush, at most: the last of them waits for all of them.
const GROUP: usize = 256;
/// How often to look whether another process has written.
const POLL: Duration = Duration::from_millis(200);
/// How often the log of changes is emptied, which still has what was deleted: when nothing is being written.
const EMPTIED_EVERY: Duration = Duration::from_secs(3600);
/// How long readers may take to end what they are doing.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);
/// How long a writer that never pauses keeps the file to itself before others have a chance.
const TURN: Duration = Duration::from_millis(100);

/// A batch on its way to the writer.
pub(super) struct Job {
    pub changes: Vec<Change>,
    /// Collections that it changes.
    pub collections: BTreeSet<&'static str>,
    pub answer: oneshot::Sender<Result<()>>,
}

pub(super) struct Writer {
    pub connection: Connection,
    pub jobs: Arc<Queue<Job>>,
    /// Told of collections after they changed.
    pub changed: broadcast::Sender<&'static str>,
    /// Whether anybody ever asked to be told.
    pub watched: Arc<AtomicBool>,
    /// Every collection: another process's writes could be anywhere.
    pub collections: Vec<&'static str>,
    /// Held by each reader as long as its connection is open.
    pub readers: Arc<()>,
}

/// Closes the queue also when the thread ends by panicking, so that nobody waits for it.
struct Closes(Arc<Queue<Job>>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// Writes until the queue is closed and empty.
    pub fn run(mut self) {
        let jobs = Arc::clone(&self.jobs);
        let _closes = Closes(Arc::clone(&jobs));
        let mut seen = None;
        let mut looked = Instant::now();
        let mut turn = Instant::now();
        let mut emptied = Instant::now();
        loop {
            let asked = Instant::now();
            let Some(group) = jobs.several(GROUP, POLL) else { return self.close_last() };
            if asked.elapsed() > Duration::from_millis(1) {
                turn = Instant::now();
            } else if turn.elapsed() > TURN {
                let_others_in();
                turn = Instant::now();
            }
            if !group.is_empty() {
                self.write(group);
            } else if emptied.elapsed() >= EMPTIED_EVERY {
                self.empty_log();
                emptied = Instant::now();
            }
            if self.watched.load(Ordering::Relaxed) && looked.elapsed() >= POLL {
                seen = self.look_for_others(seen);
                looked = Instant::now();
            }
        }
    }

    /// Waits for the readers, though not for ever: whoever closes last takes the log of changes along, and of
    /// two who close at once neither does.
    fn close_last(&self) {
        let began = Instant::now();
        while Arc::strong_count(&self.readers) > 1 && began.elapsed() < CLOSED_WITHIN {
            super::wait_for_lock(0);
        }
    }

    /// Moves the log of changes into the file. While somebody reads an older state it stays for the next time.
    fn empty_log(&self) {
        let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = emptied {
            tracing::warn!(%error, "the store's log of changes was not emptied");
        }
    }

    fn write(&mut self, group: Vec<Job>) {
        let outcomes = self.transaction(&group);
        for (job, outcome) in group.into_iter().zip(outcomes) {
            let written = outcome.is_ok();
            // Whoever asked may have gone; what they asked for has happened all the same.
            job.answer.send(outcome).ok();
            if written {
                for collection in job.collections {
                    self.changed.send(collection).ok();
                }
            }
        }
    }

    /// What became of each job, which is certain only after the last line.
    fn transaction(&mut self, group: &[Job]) -> Vec<Result<()>> {
        let all_in_one = || -> Result<Vec<Result<()>>> {
            self.statement("BEGIN IMMEDIATE")?;
            let mut outcomes = Vec::with_capacity(group.len());
            for job in group {
                let outcome = self.savepoint(&job.changes);
                // SQLite gives a transaction up when the disk is full or fails.
                if let (Err(error), true) = (&outcome, self.connection.is_autocommit()) {
                    return Err(error.clone());
                }
                outcomes.push(outcome);
            }
            self.statement("COMMIT")?;
            Ok(outcomes)
        };
        all_in_one().unwrap_or_else(|error| {
            if !self.connection.is_autocommit() {
                self.statement("ROLLBACK").ok();
            }
            group.iter().map(|_| Err(error.clone())).collect()
        })
    }

    fn savepoint(&self, changes: &[Change]) -> Result<()> {
        self.statement("SAVEPOINT batch")?;
        let outcome = changes.iter().try_for_each(|change| self.run_change(change));
        if outcome.is_err() && !self.connection.is_autocommit() {
            self.statement("ROLLBACK TO batch")?;
        }
        if !self.connection.is_autocommit() {
            self.statement("RELEASE batch")?;
        }
        outcome
    }

    fn run_change(&self, change: &Change) -> Result<()> {
        match self.affects_one(&change.sql, change.only_looks) {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::Stale { collection: change.collection, id: change.id.clone() }),
            Err(error) => Err(self.id_before_values(change, failed(error))),
        }
    }

    fn affects_one(&self, sql: &Sql, only_looks: bool) -> rusqlite::Result<bool> {
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let params = rusqlite::params_from_iter(&sql.params);
        if only_looks { statement.exists(params) } else { Ok(statement.execute(params)? > 0) }
    }

    /// Of a document that is there already, SQLite may name the first value that is taken. It is the
    /// id that matters: the caller has inserted it before.
    fn id_before_values(&self, change: &Change, error: StoreError) -> StoreError {
        let StoreError::Conflict { .. } = error else { return error };
        match &change.exists {
            Some(exists) if self.affects_one(exists, true).unwrap_or(false) => {
                StoreError::Conflict { constraint: format!("{}._id", change.collection) }
            }
            _ => error,
        }
    }

    fn statement(&self, sql: &str) -> Result<()> {
        let run = || self.connection.prepare_cached(sql)?.raw_execute();
        run().map(|_| ()).map_err(failed)
    }

    /// `data_version` changes when another connection than this one has written, and this one
    /// writes everything that this process does.
    fn look_for_others(&self, seen: Option<i64>) -> Option<i64> {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0)).ok();
        if version.is_some() && version != seen {
            for collection in &self.collections {
                self.changed.send(collection).ok();
            }
        }
        version.or(seen)
    }
}

/// SQLite has no queue for its write lock: whoever waits looks again every millisecond (see
/// [`wait_for_lock`](super::wait_for_lock)), and would never find it free.
#[expect(clippy::disallowed_methods, reason = "a thread of its own, on which no task runs")]
fn let_others_in() {
    std::thread::sleep(Duration::from_millis(3));
}
