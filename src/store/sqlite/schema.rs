//! Tables and indexes, made to be what the collections declare.
//!
//! - A collection is a table of ids and JSONB documents.
//! - An index is an index on expressions of the document.
//! - An index of an array's elements is a table of its own, kept by triggers: a row for each element
//!   of each document, in the order of the index. A page of "posts on this topic, newest first" is
//!   then one stretch of that table. Its keys can't be null; [`NULL_KEY`] stands for null.
//!
//! What exists is recognised by its SQL, so that a changed declaration is made anew, and what is not
//! declared any more goes. All of it happens in one transaction: two processes that open a file at
//! once do it one after the other, and the second finds nothing left to do.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::render::{NULL_KEY, array_of, directed, extract, index_name, keys_of, quoted};
use crate::query::{Collection, Direction, FieldRef, Index};

/// Something in the schema: its SQL, and what fills it when it is new.
struct Object {
    sql: String,
    fill: Option<String>,
}

/// Makes the collections' tables and indexes. To be called within a transaction.
pub(super) fn create(connection: &Connection, collections: &[&Collection]) -> rusqlite::Result<()> {
    for collection in collections {
        let table = quoted(collection.name);
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {table} (id TEXT NOT NULL PRIMARY KEY, doc BLOB NOT NULL) STRICT"
        ))?;
        let wanted = objects(collection);
        let found = existing(connection, collection)?;
        for (name, (kind, _)) in found.iter().filter(|(name, (_, sql))| {
            wanted.iter().all(|(wanted, object)| wanted != *name || object.sql != *sql)
        }) {
            connection.execute_batch(&format!("DROP {kind} IF EXISTS {}", quoted(name)))?;
        }
        let kept = existing(connection, collection)?;
        for (_, object) in wanted.iter().filter(|(name, _)| !kept.contains_key(name)) {
            connection.execute_batch(&object.sql)?;
            if let Some(fill) = &object.fill {
                connection.execute_batch(fill)?;
            }
        }
    }
    Ok(())
}

/// What there is of a collection, besides its table: `posts.newest`, `posts.topic.insert`.
fn existing(
    connection: &Connection,
    collection: &Collection,
) -> rusqlite::Result<BTreeMap<String, (String, String)>> {
    let prefix = format!("{}.", collection.name);
    let mut statement = connection.prepare(
        "SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND substr(name, 1, length(?1)) = ?1",
    )?;
    let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    rows.collect()
}

/// What there should be, tables before what is on them.
fn objects(collection: &Collection) -> Vec<(String, Object)> {
    let of_index = |index| match array_of(index) {
        Some(array) => elements(collection, index, array),
        None => vec![expressions(collection, index)],
    };
    collection.indexes.iter().flat_map(of_index).collect()
}

fn expressions(collection: &Collection, index: &Index) -> (String, Object) {
    let name = index_name(collection, index);
    let mut keys: Vec<String> =
        keys_of(index).map(|(field, direction)| directed(&extract("", field), direction)).collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    if !index.unique {
        keys.push(directed("id", last_direction(index)));
    }
    let sql =
        format!("CREATE {unique}INDEX {} ON {} ({})", quoted(&name), quoted(collection.name), keys.join(","));
    (name, Object { sql, fill: None })
}

fn elements(collection: &Collection, index: &Index, array: FieldRef) -> Vec<(String, Object)> {
    let name = index_name(collection, index);
    let (table, documents) = (quoted(&name), quoted(collection.name));
    let columns: Vec<String> = (0..keys_of(index).count()).map(|key| format!("k{key}")).collect();
    let mut ordered: Vec<String> = columns
        .iter()
        .zip(keys_of(index))
        .map(|(column, (_, direction))| directed(column, direction))
        .collect();
    ordered.push(directed("id", last_direction(index)));
    let columns = columns.join(",");
    // The rows of one document, which is `row` in a trigger or a query. DISTINCT: an array may hold a
    // value twice. The type: a null has a row in `json_each` too.
    let rows = |row: &str| {
        let value = |field: FieldRef| {
            let value = if field.many { "e.value".to_owned() } else { extract(row, field) };
            format!("coalesce({value},{NULL_KEY})")
        };
        let keys: Vec<String> = keys_of(index).map(|(field, _)| value(field)).collect();
        let path = format!("{row}.doc,'$.{}'", array.name);
        let from = if row == "d" { format!("{documents} AS d, ") } else { String::new() };
        format!(
            "SELECT DISTINCT {},{row}.id FROM {from}json_each({path}) AS e WHERE json_type({path}) = 'array'",
            keys.join(",")
        )
    };
    let add = |row: &str| format!("INSERT INTO {table} ({columns},id) {}", rows(row));
    let remove = format!("DELETE FROM {table} WHERE ({columns},id) IN ({})", rows("OLD"));
    let differs: Vec<String> = keys_of(index)
        .map(|(field, _)| format!("{} IS NOT {}", extract("OLD", field), extract("NEW", field)))
        .collect();
    let trigger = |event: &str, on: &str, body: String| {
        let name = format!("{name}.{event}");
        let sql = format!("CREATE TRIGGER {} AFTER {on} BEGIN {body}; END", quoted(&name));
        (name, Object { sql, fill: None })
    };
    let rows_table = format!(
        "CREATE TABLE {table} ({columns},id TEXT NOT NULL,PRIMARY KEY ({})) WITHOUT ROWID",
        ordered.join(",")
    );
    let mut objects = vec![
        (name.clone(), Object { sql: rows_table, fill: Some(add("d")) }),
        trigger("insert", &format!("INSERT ON {documents}"), add("NEW")),
        trigger("delete", &format!("DELETE ON {documents}"), remove.clone()),
        trigger(
            "update",
            &format!("UPDATE OF doc ON {documents} WHEN {}", differs.join(" OR ")),
            format!("{remove}; {}", add("NEW")),
        ),
    ];
    if index.unique {
        objects.push(unique_elements(&name, index));
    }
    objects
}

/// One document for each combination of keys, as far as none of them is null.
fn unique_elements(table: &str, index: &Index) -> (String, Object) {
    let name = format!("{table}.unique");
    let columns: Vec<String> = (0..keys_of(index).count()).map(|key| format!("k{key}")).collect();
    let present: Vec<String> = columns.iter().map(|column| format!("{column} > {NULL_KEY}")).collect();
    let sql = format!(
        "CREATE UNIQUE INDEX {} ON {} ({}) WHERE {}",
        quoted(&name),
        quoted(table),
        columns.join(","),
        present.join(" AND ")
    );
    (name, Object { sql, fill: None })
}

/// The id goes the way of the last key, as it does in every order.
fn last_direction(index: &Index) -> Direction {
    index.keys.last().map_or(Direction::Asc, |(_, direction)| *direction)
}
