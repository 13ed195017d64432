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
    clock::Timestamp,
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
        let (result, batch) =
            read_up_to(app, viewer, &thread.id, thread.added, Some(app.clock.now())).await?;
        Ok(Decision { result, batch })
    })
    .await
}

/// The mark of a member who has seen a thread as far as it had `seen` comments, with the notifications of
/// it. `read_at`: they say that they have read it all, what it discusses included.
///
/// # Errors
/// When the store fails.
pub async fn read_up_to(
    app: &App,
    viewer: &Viewer,
    thread: &Id<Thread>,
    seen: i64,
    read_at: Option<Timestamp>,
) -> Result<(ReadMark, Batch)> {
    let id = ReadMark::id_of(&viewer.id, thread);
    let notified = notification::read_in(app, viewer, thread);
    let (earlier, notified) = try_join(async { Ok(app.store.one(&id).await?) }, notified).await?;
    let (mark, moved) = moved(viewer, thread, earlier.as_ref(), seen, read_at);
    Ok((mark, moved.and(notified)))
}

/// The mark of a member who begins to follow a thread, unless they have one. They are told of what comes
/// from then on; they have not read it for that.
///
/// # Errors
/// When the store fails.
pub async fn begin(app: &App, viewer: &Viewer, thread: &Thread) -> Result<Batch> {
    let id = ReadMark::id_of(&viewer.id, &thread.id);
    Ok(match app.store.one(&id).await? {
        Some(_) => Batch::new(),
        None => moved(viewer, &thread.id, None, thread.added, None).1,
    })
}

fn moved(
    viewer: &Viewer,
    thread: &Id<Thread>,
    earlier: Option<&ReadMark>,
    seen: i64,
    read_at: Option<Timestamp>,
) -> (ReadMark, Batch) {
    let mut mark = ReadMark {
        id: ReadMark::id_of(&viewer.id, thread),
        version: earlier.map_or(1, |mark| mark.version),
        member: viewer.id.clone(),
        thread: thread.clone(),
        read_at: read_at.or_else(|| earlier.and_then(|mark| mark.read_at)),
        // Another device may have seen more meanwhile.
        seen: earlier.map_or(seen, |mark| mark.seen.max(seen)),
    };
    if earlier.is_none() {
        return (mark.clone(), Batch::new().insert(&mark));
    }
    let batch = Batch::new().replace(&mark);
    mark.version += 1;
    (mark, batch)
}
