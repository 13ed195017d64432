//! Telling members of what happened and concerns them.

use super::Failure;
use crate::{app::App, domain::activity::Activity, ids::Id, store::Batch};

/// Notifies those whom an activity concerns.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn run(app: &App, id: &Id<Activity>) -> Result<Batch, Failure> {
    if app.store.one(id).await?.is_none() {
        tracing::info!(activity = %id, "skipped: it was too long ago");
    }
    Ok(Batch::new())
}
