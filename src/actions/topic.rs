//! Topics: the taxonomy that an installation starts with.

use crate::{
    app::App,
    domain::{taxonomy::Taxonomy, topic::Topic},
    error::{Error, Result},
    query::{Filter, Page},
    store::{Batch, Guard, StoreError},
};

/// More topics than this would be no help to anybody.
const MAX: usize = 500;

/// Brings the store's topics in line with the taxonomy: adds what is missing, renames what changed,
/// removes nothing, as contributions may refer to it.
///
/// # Errors
/// When the taxonomy can't be read, or the store fails.
pub async fn seed(app: &App) -> Result<()> {
    let taxonomy = Taxonomy::read().map_err(Error::Fault)?;
    let topics: Vec<Topic> =
        taxonomy.topics.iter().map(|entry| Topic::new(&entry.slug, &entry.name)).collect();
    let ids: Vec<_> = topics.iter().map(|topic| topic.id.clone()).collect();
    let mut batch = Batch::new();
    for (topic, stored) in topics.iter().zip(app.store.get(&ids).await?) {
        batch = match stored {
            None => batch.insert(topic),
            Some(stored) if stored.name != topic.name => {
                batch.patch(&stored.id, Guard::Present, [Topic::NAME.set(topic.name.clone())])
            }
            Some(_) => batch,
        };
    }
    match app.store.commit(batch).await {
        // Another process that started at the same moment seeded them.
        Err(StoreError::Conflict { .. }) => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Every topic, by name.
///
/// # Errors
/// When the store fails.
pub async fn all(app: &App) -> Result<Vec<Topic>> {
    Ok(app.store.find(Filter::all(), Topic::NAME.asc(), Page::first(MAX)).await?)
}
