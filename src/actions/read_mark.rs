//! Read marks: remember what a member has seen.

use futures_util::future::try_join;

use super::{
    access::Viewer,
    contribution::discussed,
    notification,
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{read_mark::ReadMark, thread::Thread},
    error::Result,
    ids::Id,
    store::Batch,
};

/// Marks a thread, and what it discusses, as read up to now, with the notifications of it.
///
/// # Errors
/// Not found when the viewer may not see what is discussed.
pub async fn mark_read(
    app: &App,
    viewer: &Viewer,
    thread: &Id<Thread>,
    request: &Request,
) -> Result<ReadMark> {
    once(app, viewer, request, || async {
        let (thread, _) = discussed(app, viewer, thread).await?;
        let (result, batch) = read_up_to(app, viewer, &thread.id, thread.added).await?;
        Ok(Decision { result, batch })
    })
    .await
}

/// The mark of a member who has read a thread as far as it had `seen` comments.
///
/// # Errors
/// When the store fails.
pub async fn read_up_to(
    app: &App,
    viewer: &Viewer,
    thread: &Id<Thread>,
    seen: i64,
) -> Result<(ReadMark, Batch)> {
    let id = ReadMark::id_of(&viewer.id, thread);
    let notified = notification::read_in(app, viewer, thread);
    let (earlier, notified) = try_join(async { Ok(app.store.one(&id).await?) }, notified).await?;
    let seen_before = earlier.as_ref().map_or(0, |mark| mark.seen);
    let mut mark = ReadMark {
        id,
        version: earlier.as_ref().map_or(1, |mark| mark.version),
        member: viewer.id.clone(),
        thread: thread.clone(),
        read_at: app.clock.now(),
        // Another device may have seen more meanwhile.
        seen: seen.max(seen_before),
    };
    if earlier.is_none() {
        return Ok((mark.clone(), Batch::new().insert(&mark).and(notified)));
    }
    let batch = Batch::new().replace(&mark).and(notified);
    mark.version += 1;
    Ok((mark, batch))
}

/// The mark of a member who begins to follow a thread, unless they have read it before.
///
/// # Errors
/// When the store fails.
pub async fn begin(app: &App, viewer: &Viewer, thread: &Thread) -> Result<Batch> {
    let id = ReadMark::id_of(&viewer.id, &thread.id);
    if app.store.one(&id).await?.is_some() {
        return Ok(Batch::new());
    }
    Ok(read_up_to(app, viewer, &thread.id, thread.added).await?.1)
}
