//! Bookmarks.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use futures_util::future::try_join_all;

use super::{
    context::{Ask, request},
    node::{self, Node},
    payload::{UserError, outcome, top},
};
use crate::{
    actions::bookmark as action,
    clock::Timestamp,
    domain::{
        bookmark::{self as domain, Bookmarkable},
        sight::Seen,
    },
    error::not_found,
};

/// A contribution or comment that the viewer wants to find again.
pub struct Bookmark {
    bookmark: Arc<domain::Bookmark>,
    subject: Node,
}

/// A contribution or comment that the viewer wants to find again.
#[Object]
impl Bookmark {
    async fn id(&self) -> ID {
        self.bookmark.id.as_str().into()
    }

    /// A post, a case study or a comment.
    async fn subject(&self) -> &Node {
        &self.subject
    }

    /// When it was kept.
    async fn created_at(&self) -> Timestamp {
        self.bookmark.created_at
    }
}

impl Bookmark {
    /// Those of things that are still there to be read, loaded together.
    pub async fn visible(
        ctx: &Context<'_>,
        bookmarks: &[Arc<domain::Bookmark>],
    ) -> Result<Vec<Option<Self>>> {
        let subjects = bookmarks.iter().map(|bookmark| node::find(ctx, bookmark.subject.as_str()));
        let subjects = try_join_all(subjects).await?.into_iter();
        Ok(subjects
            .zip(bookmarks)
            .map(|(subject, bookmark)| {
                let subject = subject.filter(|subject| is_there(ctx, subject))?;
                Some(Self { bookmark: Arc::clone(bookmark), subject })
            })
            .collect())
    }
}

/// Tombstones are there to be seen by those who follow a link, and in threads.
fn is_there(ctx: &Context<'_>, node: &Node) -> bool {
    match node {
        Node::Comment(comment) => comment.0.can_see(ctx.viewer()),
        Node::Post(post) => post.0.can_see(ctx.viewer()),
        Node::CaseStudy(case_study) => case_study.0.can_see(ctx.viewer()),
        _ => true,
    }
}

/// Whether the viewer has a bookmark of something; one call for all that a request asks about.
pub async fn bookmarked(ctx: &Context<'_>, subject: Bookmarkable) -> Result<bool> {
    let id = domain::Bookmark::id_of(&ctx.viewer().id, &subject);
    Ok(ctx.loaders().bookmark(&id).await.map_err(top)?.is_some())
}

#[derive(Clone, InputObject)]
pub struct BookmarkInput {
    /// A post, a case study or a comment.
    pub subject_id: ID,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct UnbookmarkInput {
    pub subject_id: ID,
    pub client_mutation_id: Option<String>,
}

#[derive(SimpleObject)]
pub struct BookmarkPayload {
    /// What was bookmarked.
    pub subject: Option<Result<Node>>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(SimpleObject)]
pub struct UnbookmarkPayload {
    /// What was bookmarked; none when it can no longer be seen.
    pub subject: Option<Result<Node>>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(Default)]
pub struct BookmarkMutation;

#[Object]
impl BookmarkMutation {
    /// Keeps a post, a case study or a comment to be found again.
    async fn bookmark(&self, ctx: &Context<'_>, input: BookmarkInput) -> Result<BookmarkPayload> {
        let request = request("bookmark", &input, input.client_mutation_id.as_ref());
        let subject = subject(&input.subject_id)?;
        let done = action::set(ctx.app(), ctx.viewer(), &subject, true, &request).await;
        let (_, user_errors) = outcome(done)?;
        let subject = node::find(ctx, &input.subject_id).await.transpose();
        Ok(BookmarkPayload { subject, user_errors, client_mutation_id: input.client_mutation_id })
    }

    /// Takes a bookmark back.
    async fn unbookmark(&self, ctx: &Context<'_>, input: UnbookmarkInput) -> Result<UnbookmarkPayload> {
        let request = request("unbookmark", &input, input.client_mutation_id.as_ref());
        let subject = subject(&input.subject_id)?;
        let done = action::set(ctx.app(), ctx.viewer(), &subject, false, &request).await;
        let (_, user_errors) = outcome(done)?;
        let subject = node::find(ctx, &input.subject_id).await.transpose();
        Ok(UnbookmarkPayload { subject, user_errors, client_mutation_id: input.client_mutation_id })
    }
}

fn subject(id: &ID) -> Result<Bookmarkable> {
    Bookmarkable::parse(id).ok_or_else(|| top(not_found("thing to bookmark")))
}
