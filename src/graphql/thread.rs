//! Threads.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{
    comment::Comment,
    connection::{Connection, connect_seen},
    context::Ask,
    contribution::Contribution,
    follow::stance,
    payload::top,
};
use crate::{
    actions::{
        comment::{self as comments, CommentOrder},
        page::Wanted,
    },
    clock::Timestamp,
    domain::{
        follow::{Stance, Target},
        read_mark::ReadMark,
        thread as domain,
    },
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

    /// Comments that others added since the viewer read the thread (`markRead`), said something in it or
    /// began to follow it; 100 means more than 99. Until then, a thread that was opened after the viewer
    /// joined counts from its first comment, and an older one not at all.
    async fn viewer_unread_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let viewer = ctx.viewer();
        let mark = ctx.loaders().read_mark(&ReadMark::id_of(&viewer.id, &self.0.id)).await.map_err(top)?;
        Ok(self.0.unread(mark.as_deref(), viewer))
    }

    /// Whether the viewer is told of what is new here. Taking part is enough, unless they said otherwise.
    async fn viewer_following(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Thread(self.0.id.clone())).await? == Stance::Following)
    }

    /// Whether the viewer is told of nothing here but mentions.
    async fn viewer_muted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Thread(self.0.id.clone())).await? == Stance::Muted)
    }
}

impl Thread {
    /// A thread that something visible refers to.
    pub async fn load(ctx: &Context<'_>, id: &Id<domain::Thread>) -> Result<Self> {
        let thread = ctx.loaders().thread(id).await.map_err(top)?;
        thread.map(Self).ok_or_else(|| top(not_found("thread")))
    }
}
