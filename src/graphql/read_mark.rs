//! Marking threads and notifications as read.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::{Ask, request},
    member::Viewer,
    payload::{UserError, outcome, top},
    thread::Thread,
};
use crate::{
    actions::{
        notification::{mark_all_read, mark_these_read},
        read_mark::mark_read,
    },
    clock::Timestamp,
    error::{Code, Error, not_found},
    ids::Id,
};

/// What was read: exactly one of the three.
#[derive(Clone, InputObject)]
pub struct MarkReadInput {
    /// A thread with what it discusses, up to now, and the notifications of it.
    pub thread_id: Option<ID>,
    /// These notifications (at most 100).
    pub notification_ids: Option<Vec<ID>>,
    /// All notifications of what happened up to this time.
    pub notifications_until: Option<Timestamp>,
    pub client_mutation_id: Option<String>,
}

#[derive(SimpleObject)]
pub struct MarkReadPayload {
    /// The thread, when one was marked.
    pub thread: Option<Result<Thread>>,
    /// The viewer, with what is left to read.
    pub viewer: Option<Viewer>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(Default)]
pub struct ReadMarkMutation;

#[Object]
impl ReadMarkMutation {
    /// Marks a thread, notifications, or all notifications up to a time as read. The digest leaves out
    /// threads that were read.
    async fn mark_read(&self, ctx: &Context<'_>, input: MarkReadInput) -> Result<MarkReadPayload> {
        let request = request("markRead", &input, input.client_mutation_id.as_ref());
        let (app, viewer) = (ctx.app(), ctx.viewer());
        let mut thread = None;
        let marked = match (&input.thread_id, &input.notification_ids, input.notifications_until) {
            (Some(id), None, None) => {
                let id = Id::parse(id).ok_or_else(|| top(not_found("thread")))?;
                let marked = mark_read(app, viewer, &id, &request).await;
                thread = Some(Thread::load(ctx, &id).await);
                marked.map(drop)
            }
            (None, Some(ids), None) => {
                let ids: Option<Vec<_>> = ids.iter().map(|id| Id::parse(id)).collect();
                let ids = ids.ok_or_else(|| top(not_found("notification")))?;
                mark_these_read(app, viewer, &ids, &request).await.map(drop)
            }
            (None, None, Some(until)) => mark_all_read(app, viewer, until, &request).await.map(drop),
            _ => {
                let message = "Say what was read: a thread, notifications, or all up to a time.";
                Err(Error::refused("threadId", Code::Required, message))
            }
        };
        let (marked, user_errors) = outcome(marked)?;
        let thread = thread.filter(|_| marked.is_some());
        let viewer = marked.map(|()| Viewer::of(ctx));
        Ok(MarkReadPayload { thread, viewer, user_errors, client_mutation_id: input.client_mutation_id })
    }
}
