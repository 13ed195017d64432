//! Forgetting what has expired: sign-ins, wrong attempts, sessions and receipts.

use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        receipt::Receipt,
        session::Session,
        sign_in::{Attempts, SignIn},
    },
    error::{Result, StoreError},
    query::{Document, Field, Page},
    store::{Batch, when},
};

/// Documents of one commit: enough to be quick, few enough to hold nobody up.
const AT_ONCE: usize = 100;
/// Commits a collection and hour: what is left waits for the next hour.
const ROUNDS: usize = 200;

/// Deletes what has expired and returns how many documents that were.
///
/// # Errors
/// When the store is away.
pub async fn purge(app: &App) -> Result<usize> {
    Ok(expired(app, SignIn::EXPIRES_AT).await?
        + expired(app, Attempts::EXPIRES_AT).await?
        + expired(app, Session::EXPIRES_AT).await?
        + expired(app, Receipt::EXPIRES_AT).await?)
}

async fn expired<D: Document>(app: &App, expires: Field<D, Timestamp>) -> Result<usize> {
    let now = app.clock.now();
    let mut deleted = 0;
    for _ in 0..ROUNDS {
        let found: Vec<D> = app.store.find(expires.lt(now), expires.asc(), Page::first(AT_ONCE)).await?;
        let last = found.len() < AT_ONCE;
        // Guarded, because a session in use or an address tried again is kept longer meanwhile.
        let batch = found
            .iter()
            .fold(Batch::new(), |batch, document| batch.delete(document.id(), when(expires.lt(now))));
        match app.store.commit(batch).await {
            Ok(()) => deleted += found.len(),
            // Another worker was here, or something is used again: look anew.
            Err(StoreError::Stale { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        if last {
            break;
        }
    }
    Ok(deleted)
}
