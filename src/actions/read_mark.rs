//! Read marks: remember what a member has seen.

use super::{
    access::Viewer,
    contribution::discussed,
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{read_mark::ReadMark, thread::Thread},
    error::Result,
    ids::Id,
    store::Batch,
};

/// Marks a thread, and what it discusses, as read up to now.
///
/// # Errors
/// Not found when the viewer may not see what is discussed.
pub async fn mark_read(
    app: &App,
    viewer: &Viewer,
    thread: &Id<Thread>,
    request: &Request,
) -> Result<ReadMark> {
    once(app, viewer, request, || decide(app, viewer, thread)).await
}

async fn decide(app: &App, viewer: &Viewer, thread: &Id<Thread>) -> Result<Decision<ReadMark>> {
    let (thread, _) = discussed(app, viewer, thread).await?;
    let id = ReadMark::id_of(&viewer.id, &thread.id);
    let earlier = app.store.one(&id).await?;
    let mut mark = ReadMark {
        id,
        version: earlier.as_ref().map_or(1, |mark| mark.version),
        member: viewer.id.clone(),
        thread: thread.id,
        read_at: app.clock.now(),
        comment_count: thread.comment_count,
    };
    if earlier.is_none() {
        return Ok(Decision { batch: Batch::new().insert(&mark), result: mark });
    }
    let batch = Batch::new().replace(&mark);
    mark.version += 1;
    Ok(Decision { result: mark, batch })
}
