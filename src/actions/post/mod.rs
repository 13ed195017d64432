//! Posts: write, change, publish, delete, list.

mod content;
mod list;

use self::content::{Content, content, names};
pub use self::list::{PostFilter, PostOrder, published, unanswered};
use super::{
    access::Viewer,
    activity::{happened, newly},
    answer, attachment,
    audit::{Act, Concerned, Override, Taken, acted_on_others},
    follow,
    once::{Decision, Request, once},
    revision::{self, Edit},
    tag,
};
use crate::{
    app::App,
    domain::{
        activity::What,
        audit::{AuditAction, Facts, Place},
        case_study::problems::Problems,
        contribution::ContributionId,
        entry::Entry,
        event::{Event, TypedEvent},
        guard::Acknowledged,
        member::Member,
        post::{Post, PostKind, PostState},
        reaction::ReactionCounts,
        revision::difference,
        sight::{Removal, Seen},
        tag::{Carried, TagName},
        text::Written,
        thread::Thread,
    },
    error::{Error, Result, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard},
};

/// A post as its author sends it.
pub struct NewPost {
    pub kind: PostKind,
    pub title: String,
    pub body: String,
    pub topics: Vec<String>,
    pub tags: Vec<String>,
    pub event: Option<TypedEvent>,
    /// Ids of the author's own unused ones.
    pub attachments: Vec<String>,
    /// Whether others see it at once; otherwise it is a draft.
    pub publish: bool,
    /// What the author said about the guard's warnings. Drafts are guarded, too: they are stored.
    pub acknowledged: Acknowledged,
    /// A moderator's reason to take it whatever the guard finds.
    pub overridden: Option<Override>,
}

/// What an author changes; `None` leaves it as it is.
pub struct PostChanges {
    pub title: Option<String>,
    pub body: Option<String>,
    pub topics: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub event: Option<TypedEvent>,
    /// All that it is to have from now on.
    pub attachments: Option<Vec<String>>,
    pub kind: Option<PostKind>,
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
    /// A moderator's reason to take it whatever the guard finds.
    pub overridden: Option<Override>,
}

/// Writes a post and opens its thread.
///
/// # Errors
/// Every problem of the content at once, each with its field.
pub async fn create(app: &App, viewer: &Viewer, new: NewPost, request: &Request) -> Result<Post> {
    once(app, viewer, request, || async {
        let taken = Taken::of(viewer, new.acknowledged, new.overridden.as_ref())?;
        let title = Written::new(&new.title, taken.acknowledged);
        let body = Written::new(&new.body, taken.acknowledged);
        let mut problems = Problems::with(taken.acknowledged);
        let tagged = TagName::read(&new.tags, &[], &mut problems);
        let event = Event::read(new.kind, new.event.as_ref(), None, new.publish, &mut problems);
        let found = taken.found([("title", new.title.as_str()), ("body", &new.body)]);
        let now = app.clock.now();
        let id: Id<Post> = app.ids.fresh();
        let attached = attachment::attach(app, viewer, &(&id).into(), &[], Some(&new.attachments)).await?;
        let content = content(app, title, body, &new.topics, new.publish, problems.into_vec()).await;
        let (content, attached) = attached.with(content)?;
        let thread = Thread::opened(&id, now);
        let post = Post {
            id,
            version: 1,
            edition: 1,
            kind: new.kind,
            state: if new.publish { PostState::Published } else { PostState::Draft },
            title: content.title,
            body: content.body,
            author: viewer.id.clone(),
            organisation: viewer.organisation.clone(),
            topics: content.topics,
            tags: tagged.iter().map(|tag| tag.id.clone()).collect(),
            event,
            mentions: content.mentions,
            attachments: attached.ids,
            thread: thread.id.clone(),
            accepted_answer: None,
            answered: false,
            reactions: ReactionCounts::default(),
            revisions: 0,
            created_at: now,
            published_at: new.publish.then_some(now),
            updated_at: now,
            removed: None,
        };
        let tags = tag::followed(app, &Carried::none(), &post.carried(), &tagged).await?;
        let mut batch = Batch::new()
            .insert(&post)
            .insert(&thread)
            .insert(&Entry::of_post(&post))
            .and(follow::begun(app, viewer, &thread.id))
            .and(tags)
            .and(attached.batch)
            .and(taken.audited(app, viewer, post.id.as_str(), found));
        if new.publish {
            batch = batch.and(published_now(app, viewer, &post));
        }
        Ok(Decision { result: post, batch })
    })
    .await
}

/// Changes a post that has not changed since `expected_version`.
///
/// # Errors
/// `Stale` when somebody else was faster; problems of the content; not found, forbidden.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: &Id<Post>,
    expected_version: i64,
    changes: PostChanges,
    request: &Request,
) -> Result<Post> {
    once(app, viewer, request, || async {
        let mut post = editable(app, viewer, id).await?;
        current(&post, Some(expected_version))?;
        let topics = changes.topics.clone().unwrap_or_else(|| names(&post.topics));
        let taken = Taken::of(viewer, changes.acknowledged, changes.overridden.as_ref())?;
        let acknowledged = taken.acknowledged;
        let found = overridden(&taken, &post, &changes);
        let title = Written::change(changes.title.as_deref(), &post.title, acknowledged);
        let body = Written::change(changes.body.as_deref(), &post.body.markdown, acknowledged);
        let (complete, carried) = (post.state != PostState::Draft, post.carried());
        let mut problems = Problems::with(acknowledged);
        let tagged = changes.tags.as_ref().map(|typed| TagName::read(typed, &post.tags, &mut problems));
        let kind = changes.kind.unwrap_or(post.kind);
        let event = Event::read(kind, changes.event.as_ref(), post.event.as_ref(), complete, &mut problems);
        let wanted = changes.attachments.as_deref();
        let attached = attachment::attach(app, viewer, &(&post.id).into(), &post.attachments, wanted).await?;
        let content = content(app, title, body, &topics, complete, problems.into_vec()).await;
        let (content, attached) = attached.with(content)?;
        let (kept, revisions) = keep(app, viewer, &post, &content, event.as_ref());
        post.title = content.title;
        post.body = content.body;
        post.topics = content.topics;
        let mentioned = newly(&content.mentions, &post.mentions);
        post.mentions = content.mentions;
        (post.kind, post.event) = (kind, event);
        if let Some(tagged) = &tagged {
            post.tags = tagged.iter().map(|tag| tag.id.clone()).collect();
        }
        let tags = tag::followed(app, &carried, &post.carried(), &tagged.unwrap_or_default()).await?;
        post.attachments = attached.ids;
        post.revisions = revisions;
        post.updated_at = app.clock.now();
        let answer = post.accepted_answer.take_if(|_| post.kind != PostKind::Question);
        let told = match post.state {
            PostState::Published => changed(app, viewer, &post, mentioned),
            PostState::Draft | PostState::Hidden | PostState::Deleted => Batch::new(),
        };
        let audited = audited(app, viewer, &post, AuditAction::EditContent, post.state);
        let overridden = taken.audited(app, viewer, post.id.as_str(), found);
        let mut decision = replaced(app, post).await?;
        let others = kept.and(attached.batch).and(told).and(audited).and(overridden);
        decision.batch = decision.batch.and(tags).and(others);
        if let Some(answer) = answer {
            decision.batch = decision.batch.and(answer::marked(&answer, false));
        }
        Ok(decision)
    })
    .await
}

/// The places in what changes that nobody but a moderator could have taken.
fn overridden(taken: &Taken, post: &Post, changes: &PostChanges) -> Vec<Place> {
    let title = changes.title.as_deref().filter(|title| *title != post.title);
    let body = changes.body.as_deref().filter(|body| *body != post.body.markdown);
    taken.found(title.map(|text| ("title", text)).into_iter().chain(body.map(|text| ("body", text))))
}

/// The audit log's entry of what a moderator did to somebody else's post.
fn audited(app: &App, viewer: &Viewer, post: &Post, action: AuditAction, before: PostState) -> Batch {
    let facts = |state: PostState, version| Facts { version: Some(version), ..Facts::state(state.into()) };
    let act = Act {
        action,
        subject: post.id.as_str(),
        reason: None,
        before: facts(before, post.edition),
        after: facts(post.state, post.edition + 1),
    };
    acted_on_others(app, viewer, act, &Concerned::post(post))
}

/// What readers of a published post saw before an edit. Of a hidden one nothing is kept: what a
/// moderator takes out of it is what nobody may read.
fn keep(app: &App, viewer: &Viewer, post: &Post, edited: &Content, event: Option<&Event>) -> (Batch, i64) {
    let Some(published) = post.published_at else {
        return (Batch::new(), 0);
    };
    if post.state == PostState::Hidden {
        return (revision::forget(&post.id, post.revisions), 0);
    }
    let changes = [
        difference("title", &post.title, &edited.title),
        difference("body", &post.body.markdown, &edited.body.markdown),
    ];
    let edit = Edit {
        of: &post.id,
        kept: post.revisions,
        written: (&post.author, published),
        changes: changes.into_iter().flatten().chain(Event::changes(post.event.as_ref(), event)).collect(),
    };
    revision::keep(viewer, app.clock.now(), edit)
}

/// Shows a draft to every member. One that is published already stays as it is.
///
/// # Errors
/// What the draft still lacks, all at once; not found.
pub async fn publish(
    app: &App,
    viewer: &Viewer,
    id: &Id<Post>,
    expected_version: Option<i64>,
    request: &Request,
) -> Result<Post> {
    once(app, viewer, request, || async {
        let mut post = editable(app, viewer, id).await?;
        if post.state != PostState::Draft {
            return Ok(Decision { result: post, batch: Batch::new() });
        }
        current(&post, expected_version)?;
        // Warnings were acknowledged when the draft was stored. What blocks is looked for again: the
        // guard may have learned since.
        let written = |text| Written::new(text, Acknowledged::Warnings);
        let (title, body) = (written(&post.title), written(&post.body.markdown));
        let mut problems = Problems::with(Acknowledged::Warnings);
        let event = post.event.clone().map(TypedEvent::from);
        Event::read(post.kind, event.as_ref(), None, true, &mut problems);
        content(app, title, body, &names(&post.topics), true, problems.into_vec()).await?;
        let (now, carried) = (app.clock.now(), post.carried());
        post.state = PostState::Published;
        post.published_at = Some(now);
        post.updated_at = now;
        let told = published_now(app, viewer, &post);
        let tags = tag::followed(app, &carried, &post.carried(), &[]).await?;
        let mut decision = replaced(app, post).await?;
        decision.batch = decision.batch.and(tags).and(told);
        Ok(decision)
    })
    .await
}

/// Takes a post's words away. What is left of one that others have seen is a tombstone, with its thread
/// to read.
///
/// # Errors
/// `Stale`, not found, forbidden.
pub async fn delete(
    app: &App,
    viewer: &Viewer,
    id: &Id<Post>,
    expected_version: Option<i64>,
    request: &Request,
) -> Result<Post> {
    once(app, viewer, request, || async {
        let mut post = editable(app, viewer, id).await?;
        current(&post, expected_version)?;
        let forgotten = revision::forget(&post.id, post.revisions);
        let (before, carried) = (post.state, post.carried());
        let now = app.clock.now();
        let released = attachment::release(app, &(&post.id).into(), &post.attachments);
        post.delete(Removal::deleted(post.author == viewer.id, now, before.into()));
        post.updated_at = now;
        let told = changed(app, viewer, &post, Vec::new());
        let audited = audited(app, viewer, &post, AuditAction::DeleteContent, before);
        let tags = tag::followed(app, &carried, &post.carried(), &[]).await?;
        let mut decision = replaced(app, post).await?;
        let closed = [Thread::CLOSED.set(true)];
        let thread = Batch::new().patch(&decision.result.thread, Guard::Present, closed);
        let others = forgotten.and(released).and(told).and(audited).and(thread);
        decision.batch = decision.batch.and(tags).and(others);
        Ok(decision)
    })
    .await
}

/// What is told of a post that every member sees from now on.
fn published_now(app: &App, viewer: &Viewer, post: &Post) -> Batch {
    let what = What::Published { contribution: (&post.id).into() };
    happened(app, viewer, what, &post.thread, post.mentions.clone())
}

fn changed(app: &App, viewer: &Viewer, post: &Post, mentioned: Vec<Id<Member>>) -> Batch {
    happened(app, viewer, What::Changed { contribution: (&post.id).into() }, &post.thread, mentioned)
}

/// Refuses an edit of something older than what is there.
fn current(post: &Post, expected_version: Option<i64>) -> Result<()> {
    match expected_version {
        Some(version) if version != post.edition => Err(Error::Stale),
        _ => Ok(()),
    }
}

/// The change of a post that was read and changed in memory.
async fn replaced(app: &App, mut post: Post) -> Result<Decision<Post>> {
    post.edition += 1;
    let batch = Batch::new().replace(&post);
    let batch = match app.store.one(&Entry::id_of(&ContributionId::from(&post.id))).await? {
        Some(mut entry) => {
            entry.follow_post(&post);
            batch.replace(&entry)
        }
        None => batch.insert(&Entry::of_post(&post)),
    };
    Ok(Decision { result: post, batch })
}

async fn editable(app: &App, viewer: &Viewer, id: &Id<Post>) -> Result<Post> {
    let post =
        app.store.one(id).await?.filter(|post| post.can_see(viewer)).ok_or_else(|| not_found("post"))?;
    if post.can_edit(viewer) {
        return Ok(post);
    }
    Err(forbidden(match post.state {
        PostState::Hidden => "It is hidden. Its author can change it once a moderator has restored it.",
        _ => "Only its author and moderators can change a post.",
    }))
}

/// The posts as the viewer sees them.
///
/// # Errors
/// When the store fails.
pub async fn visible(app: &App, viewer: &Viewer, ids: &[Id<Post>]) -> Result<Vec<Option<Post>>> {
    let posts = app.store.get(ids).await?;
    Ok(posts.into_iter().map(|post| post.and_then(|post| post.as_seen_by(viewer))).collect())
}
