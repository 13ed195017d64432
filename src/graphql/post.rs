//! Posts.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    attachment::Attachment,
    audit::OverridePersonalDataInput,
    bookmark::bookmarked,
    comment::Comment,
    connection::{Connection, connect},
    context::{Ask, request},
    contribution::{RichText, hidden_because, is_pinned, topics_of},
    member::Member,
    organisation::Organisation,
    payload::{UserError, outcome, payload, top},
    reaction::Reaction,
    revision::Revision,
    tag::Tag,
    thread::Thread,
    topic::Topic,
};
use crate::{
    actions::{
        access::Viewer,
        page::Wanted,
        post::{self as action, NewPost, PostChanges, Publishing},
        revision,
    },
    clock::Timestamp,
    domain::{
        bookmark::Bookmarkable,
        contribution::{ShownState, State, tombstone},
        event::{Event, TypedEvent},
        post::{self as domain, PostKind, PostState},
        sight::Seen,
    },
    error::{Error, not_found},
    ids::Id,
};

/// An idea, a question, an update or an event.
#[derive(Clone)]
pub struct Post(pub Arc<domain::Post>);

/// An idea, a question, an update or an event.
#[Object]
impl Post {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Where people read it.
    pub async fn url(&self, ctx: &Context<'_>) -> String {
        ctx.app().config.link(&format!("/posts/{}", self.0.id))
    }

    pub async fn kind(&self) -> PostKind {
        self.0.kind
    }

    pub async fn state(&self) -> ShownState {
        State::from(self.0.state).into()
    }

    pub async fn title(&self) -> &str {
        &self.0.title
    }

    pub async fn body(&self) -> RichText {
        (&self.0.body).into()
    }

    /// The beginning of the text, on one line of at most 240 characters.
    pub async fn summary(&self) -> &str {
        &self.0.body.summary
    }

    pub async fn author(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.author).await
    }

    /// Where the author worked when they wrote it.
    pub async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.0.organisation.as_ref()).await
    }

    pub async fn topics(&self, ctx: &Context<'_>) -> Result<Vec<Topic>> {
        topics_of(ctx, &self.0.topics).await
    }

    /// Words that its author chose freely.
    pub async fn tags(&self, ctx: &Context<'_>) -> Result<Vec<Tag>> {
        Tag::all(ctx, &self.0.tags).await
    }

    /// When and where an event is; null for other kinds.
    async fn event(&self) -> Option<Event> {
        let is_event = self.0.kind == PostKind::Event;
        is_event.then(|| self.0.event.clone().unwrap_or_default())
    }

    /// Members whose attention the text calls for.
    async fn mentions(&self, ctx: &Context<'_>) -> Result<Vec<Member>> {
        Member::load_all(ctx, &self.0.mentions).await
    }

    /// Files that belong to it, in its order.
    pub async fn attachments(&self, ctx: &Context<'_>) -> Result<Vec<Attachment>> {
        Attachment::load_all(ctx, &self.0.attachments).await
    }

    /// The comment that answers a question, once its author or a moderator has said so.
    async fn accepted_answer(&self, ctx: &Context<'_>) -> Result<Option<Comment>> {
        match &self.0.accepted_answer {
            None => Ok(None),
            Some(id) => {
                let answer = ctx.loaders().comment(id).await.map_err(top)?;
                Ok(answer.filter(|answer| answer.is_readable()).map(Comment))
            }
        }
    }

    /// Whether the viewer wants to find it again.
    pub async fn bookmarked(&self, ctx: &Context<'_>) -> Result<bool> {
        bookmarked(ctx, Bookmarkable::Contribution((&self.0.id).into())).await
    }

    /// How often members reacted, a kind each.
    pub async fn reactions(&self) -> Vec<Reaction> {
        Reaction::all(&self.0.id, self.0.reactions)
    }

    /// What it said before and after each edit, latest first; none when it was never edited since it
    /// was published.
    pub async fn revisions(
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

    /// The discussion under it.
    pub async fn thread(&self, ctx: &Context<'_>) -> Result<Thread> {
        Thread::load(ctx, &self.0.thread).await
    }

    pub async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When it was first published; a draft has none.
    pub async fn published_at(&self) -> Option<Timestamp> {
        self.0.published_at
    }

    pub async fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }

    /// What `expectedVersion` is compared with.
    pub async fn version(&self) -> i64 {
        self.0.edition
    }

    pub async fn viewer_can_edit(&self, ctx: &Context<'_>) -> bool {
        self.0.can_edit(ctx.viewer())
    }

    /// Among the few that moderators want everybody to see first.
    pub async fn pinned(&self, ctx: &Context<'_>) -> Result<bool> {
        is_pinned(ctx, &(&self.0.id).into()).await
    }

    /// What stands in its place when it was hidden or deleted: a sentence for a person.
    pub async fn tombstone(&self) -> Option<String> {
        tombstone(self.0.state.into(), self.0.removed.as_ref())
    }

    /// Why it is hidden: for its authors and moderators.
    pub async fn hidden_because(&self) -> Option<&str> {
        hidden_because(self.0.removed.as_ref())
    }

    /// Whether moderators' acts on it are open to the viewer.
    pub async fn viewer_can_moderate(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().moderates() && self.0.state != PostState::Draft
    }
}

impl Post {
    /// The post as the viewer sees it, when they do.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Post>) -> Result<Option<Self>> {
        Ok(ctx.loaders().post(id).await.map_err(top)?.map(Self))
    }
}

impl Post {
    /// What an action made of it, as far as the viewer sees it.
    pub fn left(ctx: &Context<'_>, post: domain::Post) -> Self {
        post.left_for(ctx.viewer()).into()
    }
}

impl From<domain::Post> for Post {
    fn from(post: domain::Post) -> Self {
        Self(Arc::new(post))
    }
}

#[derive(Clone, InputObject)]
pub struct CreatePostInput {
    pub kind: PostKind,
    /// At most 100 characters.
    pub title: String,
    /// Markdown, at most 10,000 characters. A draft may do without. `@[Jo Taylor](mbr_01J…)` mentions
    /// a member.
    #[graphql(default)]
    pub body: String,
    /// 1 to 5 topics. A draft may do without.
    #[graphql(default)]
    pub topic_ids: Vec<ID>,
    /// At most 5 tags, each a word or two of 1 to 30 characters, as people would type them.
    #[graphql(default)]
    pub tags: Vec<String>,
    /// When and where it is, for the kind `EVENT` alone. To be published, an event needs its start, and a
    /// location or a link to join.
    pub event: Option<TypedEvent>,
    /// At most 10 files that the viewer uploaded and nothing uses yet.
    #[graphql(default)]
    pub attachment_ids: Vec<ID>,
    /// Whether every member sees it at once; otherwise it is a draft.
    #[graphql(default)]
    pub publish: bool,
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
pub struct UpdatePostInput {
    pub id: ID,
    /// The version that was read; a later one is not overwritten.
    pub expected_version: i64,
    pub kind: Option<PostKind>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub topic_ids: Option<Vec<ID>>,
    /// All that it is to have.
    pub tags: Option<Vec<String>>,
    /// Taken as a whole. It goes when the kind becomes another.
    pub event: Option<TypedEvent>,
    /// All that it is to have: any of those that it has, and others as in `CreatePostInput`. What is left
    /// out is forgotten after a day, unless its uploader attaches it again.
    pub attachment_ids: Option<Vec<ID>>,
    /// As in `CreatePostInput`. Text that stays as it is stored is not asked about again.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    /// For moderators: takes it whatever is found.
    pub override_personal_data: Option<OverridePersonalDataInput>,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct PublishPostInput {
    pub id: ID,
    pub expected_version: Option<i64>,
    /// As in `CreatePostInput`, of the override's reason. Text that is stored is not asked about again.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    /// For moderators: takes it whatever is found.
    pub override_personal_data: Option<OverridePersonalDataInput>,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct DeletePostInput {
    pub id: ID,
    pub expected_version: Option<i64>,
    pub client_mutation_id: Option<String>,
}

payload!(CreatePostPayload { post: Post });
payload!(UpdatePostPayload { post: Post });
payload!(PublishPostPayload { post: Post });

#[derive(SimpleObject)]
pub struct DeletePostPayload {
    pub deleted_post_id: Option<ID>,
    /// The post as it is when it could not be deleted because it had changed.
    pub post: Option<Post>,
    pub user_errors: Vec<UserError>,
    pub client_mutation_id: Option<String>,
}

#[derive(Default)]
pub struct PostMutation;

#[Object]
impl PostMutation {
    /// Writes a post, as a draft or for every member.
    async fn create_post(&self, ctx: &Context<'_>, input: CreatePostInput) -> Result<CreatePostPayload> {
        let request = request("createPost", &input, input.client_mutation_id.as_ref());
        let new = NewPost {
            kind: input.kind,
            title: input.title,
            body: input.body,
            topics: strings(input.topic_ids),
            tags: input.tags,
            event: input.event,
            attachments: strings(input.attachment_ids),
            publish: input.publish,
            acknowledged: input.acknowledge_personal_data.into(),
            overridden: input.override_personal_data.map(Into::into),
        };
        let post = action::create(ctx.app(), ctx.viewer(), new, &request).await;
        CreatePostPayload::of(post, input.client_mutation_id, |done| Post::left(ctx, done))
    }

    /// Changes a post. When it was changed since `expectedVersion`, nothing happens: the payload
    /// has the error `STALE` and the post as it is now.
    async fn update_post(&self, ctx: &Context<'_>, input: UpdatePostInput) -> Result<UpdatePostPayload> {
        let request = request("updatePost", &input, input.client_mutation_id.as_ref());
        let id = post_id(&input.id)?;
        let changes = PostChanges {
            kind: input.kind,
            title: input.title,
            body: input.body,
            topics: input.topic_ids.map(strings),
            tags: input.tags,
            event: input.event,
            attachments: input.attachment_ids.map(strings),
            acknowledged: input.acknowledge_personal_data.into(),
            overridden: input.override_personal_data.map(Into::into),
        };
        let changed =
            action::update(ctx.app(), ctx.viewer(), &id, input.expected_version, changes, &request).await;
        let current = current(ctx, &id, &changed).await?;
        let mut payload =
            UpdatePostPayload::of(changed, input.client_mutation_id, |done| Post::left(ctx, done))?;
        payload.post = payload.post.or(current);
        Ok(payload)
    }

    /// Shows a draft to every member.
    async fn publish_post(&self, ctx: &Context<'_>, input: PublishPostInput) -> Result<PublishPostPayload> {
        let request = request("publishPost", &input, input.client_mutation_id.as_ref());
        let id = post_id(&input.id)?;
        let publishing = Publishing {
            expected_version: input.expected_version,
            acknowledged: input.acknowledge_personal_data.into(),
            overridden: input.override_personal_data.map(Into::into),
        };
        let published = action::publish(ctx.app(), ctx.viewer(), &id, &publishing, &request).await;
        let current = current(ctx, &id, &published).await?;
        let mut payload =
            PublishPostPayload::of(published, input.client_mutation_id, |done| Post::left(ctx, done))?;
        payload.post = payload.post.or(current);
        Ok(payload)
    }

    /// Takes a post's words away. What others have seen of it leaves a tombstone.
    async fn delete_post(&self, ctx: &Context<'_>, input: DeletePostInput) -> Result<DeletePostPayload> {
        let request = request("deletePost", &input, input.client_mutation_id.as_ref());
        let id = post_id(&input.id)?;
        let deleted = action::delete(ctx.app(), ctx.viewer(), &id, input.expected_version, &request).await;
        let post = current(ctx, &id, &deleted).await?;
        let (deleted, user_errors) = outcome(deleted)?;
        let deleted_post_id = deleted.map(|post| post.id.as_str().into());
        Ok(DeletePostPayload {
            deleted_post_id,
            post,
            user_errors,
            client_mutation_id: input.client_mutation_id,
        })
    }
}

fn strings(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

fn post_id(id: &ID) -> Result<Id<domain::Post>> {
    Id::parse(id).ok_or_else(|| top(not_found("post")))
}

/// The post as it is now, for an answer to a stale request.
async fn current<T>(
    ctx: &Context<'_>,
    id: &Id<domain::Post>,
    outcome: &crate::error::Result<T>,
) -> Result<Option<Post>> {
    if !matches!(outcome, Err(Error::Stale)) {
        return Ok(None);
    }
    visible(ctx.app(), ctx.viewer(), id).await
}

async fn visible(app: &crate::app::App, viewer: &Viewer, id: &Id<domain::Post>) -> Result<Option<Post>> {
    let mut posts = action::visible(app, viewer, std::slice::from_ref(id)).await.map_err(top)?;
    Ok(posts.pop().flatten().map(Post::from))
}
