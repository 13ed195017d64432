//! Forgetting what has expired: attachments that nothing uses, sign-ins, wrong attempts, sessions,
//! receipts, notifications, and jobs that were given up long ago (anybody can cause some by asking for a
//! code to a mailbox that does not exist).

use chrono::TimeDelta;

use super::attachment;
use crate::{
    app::App,
    domain::{
        activity::Activity,
        attachment::Attachment,
        job::{Job, Lane},
        notification::Notification,
        receipt::Receipt,
        session::Session,
        sign_in::{Attempts, SignIn},
    },
    error::{Result, StoreError},
    query::{Document, Filter, Order, Page},
    store::{Batch, when},
};

/// Documents of one commit: enough to be quick, few enough to hold nobody up.
const AT_ONCE: usize = 100;
/// Commits a collection and hour: what is left waits for the next hour.
const ROUNDS: usize = 200;
/// How long a job that was given up is kept for an operator to look at.
const FAILED_DAYS: i64 = 30;

/// Deletes what has expired and returns how many documents that were.
///
/// # Errors
/// When the store is away.
pub async fn purge(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let unused = (Attachment::expired(now), Attachment::EXPIRES_AT.asc());
    let mut deleted = expired_with(app, unused.0, &unused.1, |one| attachment::with(app, one)).await?
        + expired(app, SignIn::EXPIRES_AT.lt(now), &SignIn::EXPIRES_AT.asc()).await?
        + expired(app, Attempts::EXPIRES_AT.lt(now), &Attempts::EXPIRES_AT.asc()).await?
        + expired(app, Session::EXPIRES_AT.lt(now), &Session::EXPIRES_AT.asc()).await?
        + expired(app, Activity::EXPIRES_AT.lt(now), &Activity::EXPIRES_AT.asc()).await?
        + expired(app, Notification::EXPIRES_AT.lt(now), &Notification::EXPIRES_AT.asc()).await?
        + expired(app, Receipt::EXPIRES_AT.lt(now), &Receipt::EXPIRES_AT.asc()).await?;
    let long_ago = now.minus(TimeDelta::days(FAILED_DAYS));
    for lane in Lane::ALL {
        let given_up = Job::failed(lane).and(Job::DUE_AT.lt(long_ago));
        deleted += expired(app, given_up, &Job::DUE_AT.asc()).await?;
    }
    Ok(deleted)
}

async fn expired<D: Document>(app: &App, filter: Filter<D>, order: &Order<D>) -> Result<usize> {
    expired_with(app, filter, order, |_| Batch::new()).await
}

/// The same, with what belongs to the deletion of each.
async fn expired_with<D: Document>(
    app: &App,
    filter: Filter<D>,
    order: &Order<D>,
    with: impl Fn(&D) -> Batch,
) -> Result<usize> {
    let mut deleted = 0;
    for _ in 0..ROUNDS {
        let found: Vec<D> = app.store.find(filter.clone(), order.clone(), Page::first(AT_ONCE)).await?;
        let last = found.len() < AT_ONCE;
        // Guarded, because a session in use or an address tried again is kept longer meanwhile.
        let batch = found.iter().fold(Batch::new(), |batch, document| {
            batch.delete(document.id(), when(filter.clone())).and(with(document))
        });
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
