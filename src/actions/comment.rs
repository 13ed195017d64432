//! Comments: answer, change, delete, list.

use super::{
    access::Viewer,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        comment::{Comment, Place},
        guard::Acknowledged,
        post::Post,
        text::{COMMENT_MAX, RichText, Written},
        thread::Thread,
    },
    error::{Code, Error, Result, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard, when},
};

/// A comment as its author sends it.
pub struct NewComment {
    pub thread: Id<Thread>,
    /// The comment that it answers, if not the contribution itself.
    pub parent: Option<Id<Comment>>,
    pub body: String,
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// What an author changes.
pub struct CommentChanges {
    pub body: String,
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// Adds a comment to a thread, and counts it there in the same commit.
///
/// # Errors
/// Problems of the text; `LOCKED`; not found when the viewer may not see what is discussed.
pub async fn add(app: &App, viewer: &Viewer, new: NewComment, request: &Request) -> Result<Comment> {
    let outcome = once(app, viewer, request, async || {
        let (thread, subject) = discussed(app, viewer, &new.thread).await?;
        let parent = parent_of(app, &new).await?;
        let body = parse(Written::new(&new.body, new.acknowledged))?;
        if thread.locked {
            return Err(locked());
        }
        let now = app.clock.now();
        let id = app.ids.fresh();
        let place = Place::of(&id, parent.as_ref());
        let comment = Comment {
            id,
            version: 1,
            thread: thread.id.clone(),
            parent: place.parent,
            depth: place.depth,
            path: place.path,
            author: viewer.id.clone(),
            organisation: viewer.organisation.clone(),
            answers: Some(parent.map_or(subject.author, |parent| parent.author)),
            body: Some(body),
            created_at: now,
            updated_at: now,
        };
        let open = || when(Thread::LOCKED.eq(false));
        let batch = Batch::new()
            .increment(&thread.id, open(), Thread::COMMENT_COUNT, 1)
            .patch(&thread.id, open(), [Thread::LAST_ACTIVITY_AT.set(now)])
            .insert(&comment);
        Ok(Decision { result: comment, batch })
    })
    .await;
    match outcome {
        // Only the guard on the lock can be stale here.
        Err(Error::Stale) => Err(locked()),
        outcome => outcome,
    }
}

fn parse(body: Written<'_>) -> Result<RichText> {
    RichText::parse("body", body, COMMENT_MAX).map_err(|problem| Error::Refused(vec![problem]))
}

fn locked() -> Error {
    Error::refused("threadId", Code::Locked, "This thread is locked. Nobody can add to it.")
}

async fn parent_of(app: &App, new: &NewComment) -> Result<Option<Comment>> {
    let Some(id) = &new.parent else {
        return Ok(None);
    };
    match app.store.one(id).await? {
        Some(parent) if parent.thread == new.thread && !parent.is_deleted() => Ok(Some(parent)),
        _ => Err(Error::refused("parentId", Code::Unknown, "There is no such comment in this thread.")),
    }
}

/// A thread and what it discusses, when the viewer may see that.
async fn discussed(app: &App, viewer: &Viewer, id: &Id<Thread>) -> Result<(Thread, Post)> {
    let thread = app.store.one(id).await?.ok_or_else(|| not_found("thread"))?;
    let subject = app.store.one(&thread.subject).await?.filter(|post| post.can_see(viewer));
    let subject = subject.ok_or_else(|| not_found("thread"))?;
    Ok((thread, subject))
}

/// Changes the text of a comment that has not changed since `expected_version`.
///
/// # Errors
/// `Stale`, problems of the text, not found, forbidden.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: &Id<Comment>,
    expected_version: i64,
    changes: CommentChanges,
    request: &Request,
) -> Result<Comment> {
    once(app, viewer, request, async || {
        let mut comment = editable(app, viewer, id).await?;
        if comment.version != expected_version {
            return Err(Error::Stale);
        }
        let stored = comment.body.as_ref().map_or("", |body| body.markdown.as_str());
        let body = parse(Written::change(Some(&changes.body), stored, changes.acknowledged))?;
        comment.body = Some(body);
        comment.updated_at = app.clock.now();
        let batch = Batch::new().replace(&comment);
        comment.version += 1;
        Ok(Decision { result: comment, batch })
    })
    .await
}

/// Takes the text of a comment away. Its place stays, so that answers to it still make sense.
///
/// # Errors
/// `Stale`, not found, forbidden.
pub async fn delete(app: &App, viewer: &Viewer, id: &Id<Comment>, request: &Request) -> Result<Comment> {
    once(app, viewer, request, async || {
        let mut comment = editable(app, viewer, id).await?;
        comment.body = None;
        comment.updated_at = app.clock.now();
        let batch = Batch::new().replace(&comment).increment(
            &comment.thread,
            Guard::Present,
            Thread::COMMENT_COUNT,
            -1,
        );
        comment.version += 1;
        Ok(Decision { result: comment, batch })
    })
    .await
}

async fn editable(app: &App, viewer: &Viewer, id: &Id<Comment>) -> Result<Comment> {
    let missing = || not_found("comment");
    let comment = app.store.one(id).await?.filter(|comment| !comment.is_deleted()).ok_or_else(missing)?;
    discussed(app, viewer, &comment.thread).await.map_err(|error| match error {
        Error::Coded(Code::NotFound, _) => missing(),
        error => error,
    })?;
    if !comment.can_edit(viewer) {
        return Err(forbidden("Only its author and moderators can change a comment."));
    }
    Ok(comment)
}

/// The comments of a thread in reading order. Only for threads that the viewer was shown.
#[must_use]
pub fn in_thread(thread: &Thread) -> Listing<Comment> {
    Listing { name: "comments", filter: Comment::in_thread(&thread.id), order: Comment::PATH.asc() }
}

/// The direct replies to a comment, in reading order.
#[must_use]
pub fn replies(comment: &Comment) -> Listing<Comment> {
    Listing { name: "replies", filter: Comment::PARENT.eq(comment.id.clone()), order: Comment::PATH.asc() }
}
