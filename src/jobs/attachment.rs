//! Forgetting attachments that nothing uses.

use super::Failure;
use crate::{
    app::App,
    blobs::BlobError,
    domain::{
        attachment::Attachment,
        job::{Job, Task},
    },
    ids::Id,
    store::Batch,
};

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        Self::Later(error.to_string())
    }
}

/// What goes with an attachment: its blob. By a job, as it may be out of reach; and after the document,
/// so that nothing that is being attached at this moment loses its bytes.
pub(super) fn with(app: &App, attachment: &Attachment) -> Batch {
    let task = Task::DeleteBlob { attachment: attachment.id.clone() };
    Batch::new().insert(&Job::new(app.ids.fresh(), task, app.clock.now()))
}

/// Deletes the blob of an attachment that is gone.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn delete_blob(app: &App, id: &Id<Attachment>) -> Result<Batch, Failure> {
    app.blobs.delete(id).await?;
    Ok(Batch::new())
}
