//! Comments.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    attachment::Attachment,
    audit::OverridePersonalDataInput,
    bookmark::bookmarked,
    connection::{Connection, connect, connect_seen},
    context::{Ask, request},
    contribution::{RichText, hidden_because},
    member::Member,
    organisation::Organisation,
    payload::{payload, top},
    post::Post,
    reaction::Reaction,
    revision::Revision,
    thread::Thread,
};
use crate::{
    actions::{
        answer,
        comment::{self as action, CommentChanges, NewComment, NewQuote},
        page::Wanted,
        revision,
    },
    clock::Timestamp,
    domain::{bookmark::Bookmarkable, comment as domain, contribution::tombstone, post, sight::Seen},
    error::{Code, Error, not_found},
    ids::Id,
};

/// What a member says in a thread.
#[derive(Clone)]
pub struct Comment(pub Arc<domain::Comment>);

/// What a member says in a thread.
#[Object]
impl Comment {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn thread(&self, ctx: &Context<'_>) -> Result<Thread> {
        Thread::load(ctx, &self.0.thread).await
    }

    /// The comment that it answers; none on the first level.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Comment>> {
        match &self.0.parent {
            None => Ok(None),
            Some(id) => Ok(ctx.loaders().comment(id).await.map_err(top)?.map(Comment)),
        }
    }

    /// 0 on the first level, 4 on the last.
    async fn depth(&self) -> i64 {
        self.0.depth
    }

    /// The direct replies, in reading order. A whole thread is read with fewer calls through
    /// `Thread.comments`.
    async fn replies(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Comment>> {
        let wanted = Wanted { first, last, after, before };
        connect_seen(ctx, action::replies(&self.0), wanted, Comment).await
    }

    /// Words of another comment that it takes up; none when that one is hidden or deleted.
    async fn quote(&self, ctx: &Context<'_>) -> Result<Option<CommentQuote>> {
        let Some(quote) = &self.0.quote else { return Ok(None) };
        let quoted = ctx.loaders().comment(&quote.comment).await.map_err(top)?;
        let quoted = quoted.filter(|comment| comment.body.is_some());
        Ok(quoted.map(|comment| CommentQuote { comment: Comment(comment), text: quote.text.clone() }))
    }

    /// Members whose attention the text calls for.
    async fn mentions(&self, ctx: &Context<'_>) -> Result<Vec<Member>> {
        Member::load_all(ctx, &self.0.mentions).await
    }

    /// Files that belong to it, in its order.
    async fn attachments(&self, ctx: &Context<'_>) -> Result<Vec<Attachment>> {
        Attachment::load_all(ctx, &self.0.attachments).await
    }

    /// Whether it is the accepted answer of a question.
    async fn accepted(&self) -> bool {
        self.0.accepted
    }

    /// Whether the viewer wants to find it again.
    async fn bookmarked(&self, ctx: &Context<'_>) -> Result<bool> {
        bookmarked(ctx, Bookmarkable::Comment(self.0.id.clone())).await
    }

    /// How often members reacted, a kind each.
    pub async fn reactions(&self) -> Vec<Reaction> {
        Reaction::all(&self.0.id, self.0.reactions)
    }

    /// What it said before and after each edit, latest first; none when it was never edited.
    async fn revisions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Revision>> {
        connect(ctx, revision::of(ctx.viewer(), &*self.0), Wanted { first, last, after, before }, Revision)
            .await
    }

    /// None once it is deleted, or while it is hidden from the viewer.
    async fn body(&self) -> Option<RichText> {
        self.0.body.as_ref().map(Into::into)
    }

    async fn deleted(&self) -> bool {
        self.0.is_deleted()
    }

    /// Hidden by a moderator, or until one has looked at it. Its author and moderators read it.
    async fn hidden(&self) -> bool {
        self.0.is_hidden()
    }

    /// What stands in its place when it was hidden or deleted: a sentence for a person.
    async fn tombstone(&self) -> Option<String> {
        tombstone(self.0.state(), self.0.removed.as_ref())
    }

    /// Why it is hidden: for its author and moderators.
    async fn hidden_because(&self) -> Option<&str> {
        hidden_because(self.0.removed.as_ref())
    }

    async fn author(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.author).await
    }

    /// Where the author worked when they wrote it.
    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.0.organisation.as_ref()).await
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    async fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }

    /// What `expectedVersion` is compared with.
    async fn version(&self) -> i64 {
        self.0.edition
    }

    async fn viewer_can_edit(&self, ctx: &Context<'_>) -> bool {
        self.0.can_edit(ctx.viewer())
    }

    /// Whether moderators' acts on it are open to the viewer.
    async fn viewer_can_moderate(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().moderates()
    }
}

/// Words of a comment, as they stood in it when they were quoted.
#[derive(SimpleObject)]
pub struct CommentQuote {
    pub comment: Comment,
    pub text: String,
}

impl Comment {
    /// What an action made of it, as far as the viewer sees it.
    fn left(ctx: &Context<'_>, comment: domain::Comment) -> Self {
        comment.left_for(ctx.viewer()).into()
    }
}

impl From<domain::Comment> for Comment {
    fn from(comment: domain::Comment) -> Self {
        Self(Arc::new(comment))
    }
}

#[derive(Clone, InputObject)]
pub struct AddCommentInput {
    pub thread_id: ID,
    /// The comment to answer; without it, the comment answers the contribution. A reply to a
    /// comment on the last level joins it there.
    pub parent_id: Option<ID>,
    /// Markdown, at most 5,000 characters. `@[Jo Taylor](mbr_01J…)` mentions a member.
    pub body: String,
    /// Words of another comment of the thread that this one takes up.
    pub quote: Option<CommentQuoteInput>,
    /// At most 10 files that the viewer uploaded and nothing uses yet.
    #[graphql(default)]
    pub attachment_ids: Vec<ID>,
    /// Says that the author has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant. What is `BLOCK`ed stays
    /// refused.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    /// For moderators: takes it whatever is found.
    pub override_personal_data: Option<OverridePersonalDataInput>,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct CommentQuoteInput {
    pub comment_id: ID,
    /// As the comment has them, without markup; at most 500 characters.
    pub text: String,
}

#[derive(Clone, InputObject)]
pub struct UpdateCommentInput {
    pub id: ID,
    /// The version that was read; a later one is not overwritten.
    pub expected_version: i64,
    pub body: String,
    /// All that it is to have: any of those that it has, and others as in `AddCommentInput`. What is left
    /// out is forgotten after a day, unless its uploader attaches it again.
    pub attachment_ids: Option<Vec<ID>>,
    /// As in `AddCommentInput`. Text that stays as it is stored is not asked about again.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    /// For moderators: takes it whatever is found.
    pub override_personal_data: Option<OverridePersonalDataInput>,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct DeleteCommentInput {
    pub id: ID,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct AcceptAnswerInput {
    /// The comment that answers the question.
    pub comment_id: ID,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct UnacceptAnswerInput {
    pub comment_id: ID,
    pub client_mutation_id: Option<String>,
}

payload!(AcceptAnswerPayload { post: Result<Post> });
payload!(UnacceptAnswerPayload { post: Result<Post> });
payload!(AddCommentPayload { comment: Comment });
payload!(UpdateCommentPayload { comment: Comment });
payload!(DeleteCommentPayload { comment: Comment });

#[derive(Default)]
pub struct CommentMutation;

#[Object]
impl CommentMutation {
    /// Adds a comment to a thread, or a reply to a comment.
    async fn add_comment(&self, ctx: &Context<'_>, input: AddCommentInput) -> Result<AddCommentPayload> {
        let request = request("addComment", &input, input.client_mutation_id.as_ref());
        let added = match parse_new(&input)? {
            Ok(new) => action::add(ctx.app(), ctx.viewer(), new, &request).await,
            Err(problem) => Err(problem),
        };
        AddCommentPayload::of(added, input.client_mutation_id, |done| Comment::left(ctx, done))
    }

    /// Changes the text of a comment. When it was changed since `expectedVersion`, nothing happens:
    /// the payload has the error `STALE` and the comment as it is now.
    async fn update_comment(
        &self,
        ctx: &Context<'_>,
        input: UpdateCommentInput,
    ) -> Result<UpdateCommentPayload> {
        let request = request("updateComment", &input, input.client_mutation_id.as_ref());
        let id = comment_id(&input.id)?;
        let changes = CommentChanges {
            body: input.body,
            attachments: input.attachment_ids.map(strings),
            acknowledged: input.acknowledge_personal_data.into(),
            overridden: input.override_personal_data.map(Into::into),
        };
        let changed =
            action::update(ctx.app(), ctx.viewer(), &id, input.expected_version, changes, &request).await;
        let current = match &changed {
            Err(Error::Stale) => ctx.loaders().comment(&id).await.map_err(top)?.map(Comment),
            _ => None,
        };
        let mut payload =
            UpdateCommentPayload::of(changed, input.client_mutation_id, |done| Comment::left(ctx, done))?;
        payload.comment = payload.comment.or(current);
        Ok(payload)
    }

    /// Takes the text of a comment away. Its place stays, so that answers to it still make sense.
    async fn delete_comment(
        &self,
        ctx: &Context<'_>,
        input: DeleteCommentInput,
    ) -> Result<DeleteCommentPayload> {
        let request = request("deleteComment", &input, input.client_mutation_id.as_ref());
        let id = comment_id(&input.id)?;
        let deleted = action::delete(ctx.app(), ctx.viewer(), &id, &request).await;
        DeleteCommentPayload::of(deleted, input.client_mutation_id, |done| Comment::left(ctx, done))
    }

    /// Says which comment answers a question, in place of any other. The question's author and
    /// moderators may.
    async fn accept_answer(
        &self,
        ctx: &Context<'_>,
        input: AcceptAnswerInput,
    ) -> Result<AcceptAnswerPayload> {
        let request = request("acceptAnswer", &input, input.client_mutation_id.as_ref());
        let id = comment_id(&input.comment_id)?;
        let post = answer::accept(ctx.app(), ctx.viewer(), &id, true, &request).await;
        AcceptAnswerPayload::of(post, input.client_mutation_id, |done| question(ctx, done))
    }

    /// Says that a comment does not answer the question after all.
    async fn unaccept_answer(
        &self,
        ctx: &Context<'_>,
        input: UnacceptAnswerInput,
    ) -> Result<UnacceptAnswerPayload> {
        let request = request("unacceptAnswer", &input, input.client_mutation_id.as_ref());
        let id = comment_id(&input.comment_id)?;
        let post = answer::accept(ctx.app(), ctx.viewer(), &id, false, &request).await;
        UnacceptAnswerPayload::of(post, input.client_mutation_id, |done| question(ctx, done))
    }
}

/// The question as it is after an act.
fn question(ctx: &Context<'_>, done: post::Post) -> Result<Post> {
    ctx.viewer().may_read::<post::Post>().map_err(top)?;
    Ok(Post::left(ctx, done))
}

fn strings(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

fn comment_id(id: &ID) -> Result<Id<domain::Comment>> {
    Id::parse(id).ok_or_else(|| top(not_found("comment")))
}

fn parse_new(input: &AddCommentInput) -> Result<crate::error::Result<NewComment>> {
    let thread = Id::parse(&input.thread_id).ok_or_else(|| top(not_found("thread")))?;
    let unknown =
        |field| Err(Error::refused(field, Code::Unknown, "There is no such comment in this thread."));
    let parent = match input.parent_id.as_ref().map(|id| Id::parse(id)) {
        Some(None) => return Ok(unknown("parentId")),
        parent => parent.flatten(),
    };
    let quote = match &input.quote {
        None => None,
        Some(quote) => match Id::parse(&quote.comment_id) {
            None => return Ok(unknown("quote.commentId")),
            Some(comment) => Some(NewQuote { comment, text: quote.text.clone() }),
        },
    };
    Ok(Ok(NewComment {
        thread,
        parent,
        body: input.body.clone(),
        quote,
        attachments: strings(input.attachment_ids.clone()),
        acknowledged: input.acknowledge_personal_data.into(),
        overridden: input.override_personal_data.clone().map(Into::into),
    }))
}
