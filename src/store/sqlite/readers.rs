//! Threads that read. Each has a connection of its own, and so a snapshot of its own.

use std::{
    cmp::Ordering,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rusqlite::{
    CachedStatement, Connection, Row, Rows, fallible_streaming_iterator::FallibleStreamingIterator as _,
    params_from_iter, types::Value,
};

use super::{
    super::{Result, StoreError},
    errors::{failed, is_missing_index},
    queue::Queue,
    render::Sql,
};
use crate::query::Direction;

/// A query, and what to do with its rows.
pub(super) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Reads until the queue is closed and empty.
pub(super) fn run(connection: &Connection, reads: &Queue<Read>) {
    while let Some(read) = reads.next() {
        // A document's own deserialiser could panic: that is its reader's failure, not the thread's.
        // Whoever waits for the answer sees it go.
        catch_unwind(AssertUnwindSafe(|| read(connection))).ok();
    }
}

/// What one stretch of an index takes to read: several queries, whose rows are to be merged by their
/// columns after the first, or only one.
pub(super) struct Arms {
    pub queries: Vec<Sql>,
    pub order: Vec<Direction>,
}

/// The first `limit` rows of stretches that follow each other.
pub(super) fn page<T>(
    connection: &Connection,
    mut stretches: Vec<Arms>,
    limit: usize,
    row: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    match read(connection, &stretches, limit, &row) {
        // Another version of this program, which is being rolled out, declares other indexes.
        Err(StoreError::Failed(message)) if is_missing_index(&message) => {
            // Prepared statements would find out one by one.
            connection.flush_prepared_statement_cache();
            for sql in stretches.iter_mut().flat_map(|arms| &mut arms.queries) {
                sql.text = without_index(&sql.text);
            }
            read(connection, &stretches, limit, &row)
        }
        outcome => outcome,
    }
}

fn read<T>(
    connection: &Connection,
    stretches: &[Arms],
    limit: usize,
    row: &impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let queries: usize = stretches.iter().map(|arms| arms.queries.len()).sum();
    // One snapshot for all of them.
    let snapshot = (queries > 1).then(|| connection.unchecked_transaction()).transpose();
    let _snapshot = snapshot.map_err(failed)?;
    let mut found = Vec::new();
    for stretch in stretches {
        match stretch.queries.as_slice() {
            [only] => add_rows(connection, only, limit, row, &mut found)?,
            several => merge_rows(connection, several, &stretch.order, limit, row, &mut found)?,
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

fn add_rows<T>(
    connection: &Connection,
    sql: &Sql,
    limit: usize,
    row: &impl Fn(&Row<'_>) -> Result<T>,
    found: &mut Vec<T>,
) -> Result<()> {
    let mut statement = prepare(connection, sql)?;
    let mut rows = statement.query(params_from_iter(&sql.params)).map_err(failed)?;
    while found.len() < limit
        && let Some(next) = rows.next().map_err(failed)?
    {
        found.push(row(next)?);
    }
    Ok(())
}

fn merge_rows<T>(
    connection: &Connection,
    arms: &[Sql],
    order: &[Direction],
    limit: usize,
    row: &impl Fn(&Row<'_>) -> Result<T>,
    found: &mut Vec<T>,
) -> Result<()> {
    let mut statements = arms.iter().map(|sql| prepare(connection, sql)).collect::<Result<Vec<_>>>()?;
    let mut waiting = Vec::with_capacity(arms.len());
    for (statement, sql) in statements.iter_mut().zip(arms) {
        let rows = statement.query(params_from_iter(&sql.params)).map_err(failed)?;
        waiting.extend(Arm::next(rows, order.len())?);
    }
    let mut last: Option<Vec<Value>> = None;
    while found.len() < limit {
        let first = (0..waiting.len()).min_by(|left, right| waiting[*left].cmp(&waiting[*right], order));
        let Some(first) = first else { break };
        let arm = waiting.swap_remove(first);
        // Keys tell documents apart: the same ones again are of a document that two arms have.
        if last.as_ref() != Some(&arm.keys) {
            found.push(row(arm.rows.get().ok_or_else(lost)?)?);
        }
        waiting.extend(Arm::next(arm.rows, order.len())?);
        last = Some(arm.keys);
    }
    Ok(())
}

/// A query that stands at a row, and the keys of that row.
struct Arm<'a> {
    rows: Rows<'a>,
    keys: Vec<Value>,
}

impl<'a> Arm<'a> {
    /// The query at its next row, if it has one.
    fn next(mut rows: Rows<'a>, keys: usize) -> Result<Option<Self>> {
        let Some(row) = rows.next().map_err(failed)? else { return Ok(None) };
        let keys = (1..=keys).map(|key| row.get(key)).collect::<rusqlite::Result<_>>().map_err(failed)?;
        Ok(Some(Self { rows, keys }))
    }

    fn cmp(&self, other: &Self, order: &[Direction]) -> Ordering {
        let pairs = self.keys.iter().zip(&other.keys).zip(order);
        pairs.fold(Ordering::Equal, |ordering, ((left, right), direction)| {
            ordering.then_with(|| match direction {
                Direction::Asc => compare(left, right),
                Direction::Desc => compare(right, left),
            })
        })
    }
}

/// As SQLite sorts: null, in both of its forms, before everything.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null | Value::Real(_) => 0,
        Value::Integer(_) => 1,
        Value::Text(_) | Value::Blob(_) => 2,
    }
}

fn lost() -> StoreError {
    StoreError::Failed("a row was lost while it was read".to_owned())
}

fn prepare<'a>(connection: &'a Connection, sql: &Sql) -> Result<CachedStatement<'a>> {
    connection.prepare_cached(&sql.text).map_err(failed)
}

/// The same query without saying which index to use.
fn without_index(sql: &str) -> String {
    let mut parts = sql.split(" INDEXED BY \"");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    plain
}
