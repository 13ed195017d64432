//! Collections and indexes, as declared.

use std::time::Duration;

use bson::{Bson, DateTime, Document as Doc, doc};
use futures_util::TryStreamExt;
use mongodb::{Database, IndexModel, error::ErrorKind, options::IndexOptions};

use super::{Collection, Result, render::sign, within};
use crate::query::{Direction, FieldRef, ID, Index, Kind};

/// An index over a large collection takes its time, and the service waits for it.
const CREATE_WITHIN: Duration = Duration::from_secs(600);

const NAMESPACE_EXISTS: i32 = 48;
const NAMESPACE_NOT_FOUND: i32 = 26;
const INDEX_NOT_FOUND: i32 = 27;

/// Creates what is missing and drops indexes that are not declared any more. Safe to do twice, and by
/// two processes at once.
pub(super) async fn create(database: &Database, collections: &[&'static Collection]) -> Result<()> {
    for collection in collections {
        within(CREATE_WITHIN, create_collection(database, collection)).await?;
    }
    Ok(())
}

async fn create_collection(database: &Database, collection: &Collection) -> mongodb::error::Result<()> {
    // A collection that a transaction would have to create makes concurrent ones fail.
    ignoring(database.create_collection(collection.name).await, &[NAMESPACE_EXISTS])?;
    let stored = database.collection::<Doc>(collection.name);
    let present: Vec<IndexModel> = match stored.list_indexes().await {
        Ok(cursor) => cursor.try_collect().await?,
        Err(error) if is_one_of(&error, &[NAMESPACE_NOT_FOUND]) => Vec::new(),
        Err(error) => return Err(error),
    };
    let declared: Vec<IndexModel> = collection.indexes.iter().map(model).collect();
    let is_declared = |present: &IndexModel| {
        let same = |declared: &IndexModel| declared.keys == present.keys && name(declared) == name(present);
        declared.iter().any(same)
    };
    for index in present.iter().filter(|index| name(index) != "_id_" && !is_declared(index)) {
        ignoring(stored.drop_index(name(index)).await, &[INDEX_NOT_FOUND, NAMESPACE_NOT_FOUND])?;
    }
    if !declared.is_empty() {
        stored.create_indexes(declared).await?;
    }
    Ok(())
}

fn name(index: &IndexModel) -> String {
    index.options.as_ref().and_then(|options| options.name.clone()).unwrap_or_default()
}

fn ignoring(result: mongodb::error::Result<()>, codes: &[i32]) -> mongodb::error::Result<()> {
    match result {
        Err(error) if is_one_of(&error, codes) => Ok(()),
        result => result,
    }
}

fn is_one_of(error: &mongodb::error::Error, codes: &[i32]) -> bool {
    matches!(&*error.kind, ErrorKind::Command(command) if codes.contains(&command.code))
}

fn model(index: &Index) -> IndexModel {
    let key =
        |(field, direction): &(FieldRef, Direction)| (field.name.to_owned(), Bson::Int32(sign(*direction)));
    let mut keys: Doc = index.keys.iter().map(key).collect();
    let name = index.name.to_owned();
    if index.unique {
        let present =
            index.keys.iter().map(|(field, _)| (field.name.to_owned(), Bson::Document(not_null(*field))));
        let options = IndexOptions::builder()
            .name(name)
            .unique(true)
            .partial_filter_expression(present.collect::<Doc>());
        return IndexModel::builder().keys(keys).options(options.build()).build();
    }
    let last = index.keys.last().map_or(Direction::Asc, |(_, direction)| *direction);
    keys.insert(ID.name, sign(last));
    IndexModel::builder().keys(keys).options(IndexOptions::builder().name(name).build()).build()
}

/// What every value of a field but null satisfies, in a form that the planner sees to follow from
/// equality: the index then answers questions for a value.
fn not_null(field: FieldRef) -> Doc {
    match field.kind {
        Kind::Bool => doc! { "$gte": false },
        Kind::Int => doc! { "$gte": i64::MIN },
        Kind::Text => doc! { "$gte": "" },
        Kind::Time => doc! { "$gte": DateTime::MIN },
    }
}
