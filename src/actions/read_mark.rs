//! Read marks: remember what a member has seen.

use super::{
    access::Viewer,
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{read_mark::ReadMark, thread::Thread},
    error::{Error, Result, not_found},
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
    let mark = async || {
        once(app, viewer, request, async || {
            let missing = || not_found("thread");
            let thread = app.store.one(thread).await?.ok_or_else(missing)?;
            let subject = app.store.one(&thread.subject).await?;
            subject.filter(|post| post.can_see(viewer)).ok_or_else(missing)?;
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
            let batch = match earlier {
                None => Batch::new().insert(&mark),
                Some(_) => {
                    let batch = Batch::new().replace(&mark);
                    mark.version += 1;
                    batch
                }
            };
            Ok(Decision { result: mark, batch })
        })
        .await
    };
    match mark().await {
        // Two windows of one member marked at the same moment: the second try sees the first mark.
        Err(error) if error.code() == crate::error::Code::Stale && !matches!(error, Error::Refused(_)) => {
            mark().await
        }
        outcome => outcome,
    }
}
