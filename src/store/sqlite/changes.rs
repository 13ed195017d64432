//! SQL for the steps of a batch. Made before the batch queues for the writer, whose time is the one
//! thing that all commits share.

use super::{
    super::{Batch, Guard, Result, Step, StoreError, Write, plan::fold},
    render::{Source, Sql, extract, param, quoted},
};
use crate::query::{Expr, FieldRef, Kind, Op, Value};

/// One step of a batch, ready to run.
pub(super) struct Change {
    pub sql: Sql,
    /// It only looks whether its document is as expected.
    pub only_looks: bool,
    /// Of an insert: finds a document with its id.
    pub exists: Option<Sql>,
    pub collection: &'static str,
    pub id: String,
}

/// The version is a field like any other to a guard.
const VERSION: FieldRef = FieldRef { name: "version", nullable: false, many: false, kind: Kind::Int };

pub(super) fn changes(batch: &Batch) -> Result<Vec<Change>> {
    batch.steps.iter().map(change).collect()
}

fn change(step: &Step) -> Result<Change> {
    let table = quoted(step.collection.name);
    let mut sql = Sql::default();
    match &step.write {
        Write::Insert(document) => {
            sql.push(&format!("INSERT INTO {table}(id,doc) VALUES (")).bind(step.id.clone());
            sql.push(",jsonb(").bind(json(step, &**document)?).push("))");
        }
        Write::Replace(document) => {
            sql.push(&format!("UPDATE {table} SET doc = jsonb(")).bind(json(step, &**document)?).push(")");
        }
        Write::Patch(fields) => {
            sql.push(&format!("UPDATE {table} SET doc = jsonb_set(doc"));
            for (field, value) in fields {
                sql.push(",").push(&place(*field)).push(",");
                match value {
                    Value::Bool(bool) => sql.push(&format!("json('{bool}')")),
                    value => sql.bind(param(value)),
                };
            }
            next_version(&mut sql);
        }
        Write::Increment(fields) => {
            sql.push(&format!("UPDATE {table} SET doc = jsonb_set(doc"));
            for (field, by) in fields {
                let now = extract("", *field);
                sql.push(&format!(",{},coalesce({now},0)+", place(*field))).bind(*by);
            }
            next_version(&mut sql);
        }
        Write::Delete => {
            sql.push(&format!("DELETE FROM {table}"));
        }
        Write::Require => {
            sql.push(&format!("SELECT 1 FROM {table}"));
        }
    }
    let mut exists = None;
    if let Write::Insert(_) = step.write {
        let found = exists.insert(Sql::new(format!("SELECT 1 FROM {table}")));
        found.push(" WHERE id = ").bind(step.id.clone());
    } else {
        sql.push(" WHERE id = ").bind(step.id.clone());
        guard(&mut sql, &step.guard);
    }
    let only_looks = matches!(step.write, Write::Require);
    Ok(Change { sql, only_looks, exists, collection: step.collection.name, id: step.id.clone() })
}

fn guard(sql: &mut Sql, guard: &Guard) {
    let expr = match guard {
        Guard::Present => return,
        Guard::Version(version) => Expr::Compare(VERSION, Op::Eq, Value::Int(*version)),
        Guard::Matches(expr) => fold(expr),
    };
    sql.push(" AND ").condition(Source::Target, &expr);
}

fn next_version(sql: &mut Sql) {
    let now = extract("", VERSION);
    sql.push(&format!(",'$.version',coalesce({now},0)+1)"));
}

/// Where a field is to be set. `jsonb_set` ignores a place inside something that is not an object;
/// a place that it can't read makes it fail instead, as MongoDB does.
fn place(field: FieldRef) -> String {
    let Some((parent, _)) = field.name.rsplit_once('.') else {
        return format!("'$.{}'", field.name);
    };
    format!(
        "CASE coalesce(json_type(doc,'$.{parent}'),'object') WHEN 'object' THEN '$.{}' \
         ELSE '{parent} is not an object' END",
        field.name
    )
}

fn json(step: &Step, document: &dyn erased_serde::Serialize) -> Result<String> {
    let refuse = |why: String| {
        StoreError::Failed(format!("{}/{} can't be written: {why}", step.collection.name, step.id))
    };
    let json = serde_json::to_string(document).map_err(|error| refuse(error.to_string()))?;
    // MongoDB can't hold such a key, and both engines hold the same. Parsed again only where there is
    // a NUL at all, which a text may have.
    if json.contains("\\u0000") && serde_json::from_str(&json).is_ok_and(|json| has_nul_in_a_key(&json)) {
        return Err(refuse("a key has a NUL in it".to_owned()));
    }
    Ok(json)
}

fn has_nul_in_a_key(json: &serde_json::Value) -> bool {
    match json {
        serde_json::Value::Object(map) => {
            map.iter().any(|(key, value)| key.contains('\0') || has_nul_in_a_key(value))
        }
        serde_json::Value::Array(items) => items.iter().any(has_nul_in_a_key),
        _ => false,
    }
}
