//! Collections and indexes, made to be what is declared.
//!
//! Only indexes whose names start with [`PREFIX`] are ours. What an operator has added by hand stays.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{
    Database, IndexModel,
    error::{Error, ErrorKind, Result},
    options::IndexOptions,
};

use super::render::directed;
use crate::query::{Collection, Direction, FieldRef, ID, Index, Kind};

pub(super) const PREFIX: &str = "hope_";
/// How long building the indexes of one collection may take: a big one may have millions of documents.
pub(super) const PATIENCE: Duration = Duration::from_mins(10);

/// Of `create`: it is there already.
const NAMESPACE_EXISTS: i32 = 48;
/// Of `dropIndexes`: another process was faster.
const INDEX_NOT_FOUND: i32 = 27;

/// Makes a collection and its indexes. Two processes may do so at once.
pub(super) async fn create(database: &Database, declared: &Collection) -> Result<()> {
    // A transaction should not have to make its collection.
    unless(NAMESPACE_EXISTS, database.create_collection(declared.name).await)?;
    let collection = database.collection::<Document>(declared.name);
    let found: Vec<IndexModel> = collection.list_indexes().await?.try_collect().await?;
    let wanted: Vec<IndexModel> = declared.indexes.iter().map(model).collect();
    for index in &found {
        let ours = name(index).starts_with(PREFIX);
        if ours && !wanted.iter().any(|wanted| same(wanted, index)) {
            unless(INDEX_NOT_FOUND, collection.drop_index(name(index)).await)?;
        }
    }
    let missing: Vec<IndexModel> =
        wanted.into_iter().filter(|wanted| !found.iter().any(|index| same(wanted, index))).collect();
    if !missing.is_empty() {
        collection.create_indexes(missing).await?;
    }
    Ok(())
}

fn unless<T>(code: i32, outcome: Result<T>) -> Result<()> {
    match outcome.as_ref().map_err(|error: &Error| &*error.kind) {
        Err(ErrorKind::Command(command)) if command.code == code => Ok(()),
        _ => outcome.map(|_| ()),
    }
}

/// What an index is called in MongoDB.
pub(super) fn name_of(index: &Index) -> String {
    format!("{PREFIX}{}", index.name)
}

fn name(index: &IndexModel) -> &str {
    index.options.as_ref().and_then(|options| options.name.as_deref()).unwrap_or_default()
}

/// Whether two indexes are one. The order of keys matters, which comparing documents ignores.
fn same(left: &IndexModel, right: &IndexModel) -> bool {
    let options = |index: &IndexModel| {
        let options = index.options.as_ref();
        let unique = options.and_then(|options| options.unique).unwrap_or(false);
        (unique, options.and_then(|options| options.partial_filter_expression.clone()))
    };
    name(left) == name(right) && left.keys.iter().eq(right.keys.iter()) && options(left) == options(right)
}

fn model(index: &Index) -> IndexModel {
    let mut keys: Document =
        index.keys.iter().map(|(field, direction)| (field.name.to_owned(), directed(*direction))).collect();
    let mut options = IndexOptions::builder().name(name_of(index)).build();
    if index.unique {
        options.unique = Some(true);
        let present: Document = index.keys.iter().filter_map(|(field, _)| present(*field)).collect();
        options.partial_filter_expression = (!present.is_empty()).then_some(present);
    } else if !keys.contains_key(ID.name) {
        let last = index.keys.last().map_or(Direction::Asc, |(_, direction)| *direction);
        keys.insert(ID.name, directed(last));
    }
    IndexModel::builder().keys(keys).options(options).build()
}

/// What holds for every value of a field but null, in a form that MongoDB recognises to follow from
/// `{field: value}`: a bound below all values of the type. It recognises no `$type`.
fn present(field: FieldRef) -> Option<(String, Bson)> {
    let least = match field.kind {
        Kind::Bool => Bson::Boolean(false),
        Kind::Int => Bson::Double(f64::NEG_INFINITY),
        Kind::Text => Bson::String(String::new()),
        Kind::Time => Bson::DateTime(bson::DateTime::MIN),
    };
    (field.nullable || field.many).then(|| (field.name.to_owned(), Bson::Document(doc! { "$gte": least })))
}
