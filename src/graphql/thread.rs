//! Threads.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    comment::Comment,
    connection::{Connection, connect_seen},
    context::{Ask, request},
    contribution::Contribution,
    payload::{payload, top},
};
use crate::{
    actions::{
        comment::{self as comments, CommentOrder},
        page::Wanted,
        read_mark,
    },
    clock::Timestamp,
    domain::thread as domain,
    error::not_found,
    ids::Id,
};

/// The discussion under a contribution.
#[derive(Clone)]
pub struct Thread(pub Arc<domain::Thread>);

/// The discussion under a contribution.
#[Object]
impl Thread {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// What is discussed.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Contribution> {
        let subject = Contribution::visible(ctx, &self.0.subject).await?;
        subject.ok_or_else(|| top(not_found("contribution")))
    }

    /// All comments; unless ordered otherwise, each after the one that it answers, with its depth.
    async fn comments(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] order_by: CommentOrder,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Comment>> {
        let wanted = Wanted { first, last, after, before };
        connect_seen(ctx, comments::in_thread(&self.0, order_by), wanted, Comment).await
    }

    /// Comments that are there to be read.
    async fn comment_count(&self) -> i64 {
        self.0.comment_count
    }

    async fn last_activity_at(&self) -> Timestamp {
        self.0.last_activity_at
    }

    /// Nobody can add to a locked thread: a moderator locked it, or what is discussed was hidden or
    /// deleted.
    async fn locked(&self) -> bool {
        !self.0.is_open()
    }
}

impl Thread {
    /// A thread that something visible refers to.
    pub async fn load(ctx: &Context<'_>, id: &Id<domain::Thread>) -> Result<Self> {
        let thread = ctx.loaders().thread(id).await.map_err(top)?;
        thread.map(Self).ok_or_else(|| top(not_found("thread")))
    }
}

#[derive(Clone, InputObject)]
pub struct MarkReadInput {
    pub thread_id: ID,
    pub client_mutation_id: Option<String>,
}

payload!(MarkReadPayload { thread: Thread });

#[derive(Default)]
pub struct ThreadMutation;

#[Object]
impl ThreadMutation {
    /// Marks a thread, and what it discusses, as read up to now. The digest leaves it out then.
    async fn mark_read(&self, ctx: &Context<'_>, input: MarkReadInput) -> Result<MarkReadPayload> {
        let request = request("markRead", &input, input.client_mutation_id.as_ref());
        let id = Id::parse(&input.thread_id).ok_or_else(|| top(not_found("thread")))?;
        let marked = read_mark::mark_read(ctx.app(), ctx.viewer(), &id, &request).await;
        let thread = Thread::load(ctx, &id).await?;
        MarkReadPayload::of(marked, input.client_mutation_id, |_| thread)
    }
}
