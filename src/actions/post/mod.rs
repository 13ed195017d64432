//! Posts: write, change, publish, delete, list.

mod content;
mod list;

use self::content::{content, keep, names};
pub use self::list::{PostFilter, PostOrder, published, unanswered};
use super::{
    access::Viewer,
    activity::{happened, newly},
    answer, attachment,
    audit::{Act, Concerned, Override, Taken, acted_on_others},
    follow, legal_hold,
    once::{Decision, Request, once},
    revision, tag,
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

/// How a draft is shown to others.
pub struct Publishing {
    pub expected_version: Option<i64>,
    /// What the author said about the guard's warnings in the reason. Those in the draft were acknowledged
    /// when it was stored.
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
        let mut found = taken.found([("title", new.title.as_str()), ("body", &new.body)]);
        found.extend(problems.overridden());
        let now = app.clock.now();
        let id: Id<Post> = app.ids.fresh();
        let attached = attachment::attach(app, viewer, &(&id).into(), &[], Some(&new.attachments)).await?;
        let content = content(app, viewer, title, body, &new.topics, new.publish, problems.into_vec()).await;
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
        let mut found = overridden(&taken, &post, &changes);
        let title = Written::change(changes.title.as_deref(), &post.title, acknowledged);
        let body = Written::change(changes.body.as_deref(), &post.body.markdown, acknowledged);
        let (complete, carried) = (post.state != PostState::Draft, post.carried());
        let mut problems = Problems::with(acknowledged);
        let tagged = changes.tags.as_ref().map(|typed| TagName::read(typed, &post.tags, &mut problems));
        let kind = changes.kind.unwrap_or(post.kind);
        let event = Event::read(kind, changes.event.as_ref(), post.event.as_ref(), complete, &mut problems);
        found.extend(problems.overridden());
        let wanted = changes.attachments.as_deref();
        let attached = attachment::attach(app, viewer, &(&post.id).into(), &post.attachments, wanted).await?;
        let content = content(app, viewer, title, body, &topics, complete, problems.into_vec()).await;
        let (content, attached) = attached.with(content)?;
        let before = post.clone();
        post.title = content.title;
        post.body = content.body;
        post.topics = content.topics;
        let mentioned = newly(&content.mentions, &post.mentions);
        post.mentions = content.mentions;
        (post.kind, post.event) = (kind, event);
        if let Some(tagged) = &tagged {
            post.tags = tagged.iter().map(|tag| tag.id.clone()).collect();
        }
        let tagged = tagged.unwrap_or_default();
        let tags = tag::followed(app, &carried, &post.carried(), &tagged).await?;
        post.attachments = attached.ids;
        let (kept, revisions) = keep(app, viewer, &before, &post, &tagged).await?;
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
    let (before, after) = (facts(before, post.edition), facts(post.state, post.edition + 1));
    let act = Act::new(action, post.id.as_str()).changed(before, after);
    acted_on_others(app, viewer, act, &Concerned::post(post))
}

/// Shows a draft to every member. One that is published already stays as it is.
///
/// # Errors
/// What the draft still lacks, all at once; not found.
pub async fn publish(
    app: &App,
    viewer: &Viewer,
    id: &Id<Post>,
    publishing: &Publishing,
    request: &Request,
) -> Result<Post> {
    once(app, viewer, request, || async {
        let mut post = editable(app, viewer, id).await?;
        if post.state != PostState::Draft {
            return Ok(Decision { result: post, batch: Batch::new() });
        }
        current(&post, publishing.expected_version)?;
        let taken = Taken::of(viewer, publishing.acknowledged, publishing.overridden.as_ref())?;
        // Warnings were acknowledged when the draft was stored. What blocks is looked for again: the
        // guard may have learned since.
        let acknowledged = taken.acknowledged.max(Acknowledged::Warnings);
        let written = |text| Written::new(text, acknowledged);
        let (title, body) = (written(&post.title), written(&post.body.markdown));
        let mut problems = Problems::with(acknowledged);
        let event = post.event.clone().map(TypedEvent::from);
        Event::read(post.kind, event.as_ref(), None, true, &mut problems);
        let mut found = taken.found([("title", post.title.as_str()), ("body", &post.body.markdown)]);
        found.extend(problems.overridden());
        content(app, viewer, title, body, &names(&post.topics), true, problems.into_vec()).await?;
        let (now, carried) = (app.clock.now(), post.carried());
        post.state = PostState::Published;
        post.published_at = Some(now);
        post.updated_at = now;
        let told = published_now(app, viewer, &post);
        let tags = tag::followed(app, &carried, &post.carried(), &[]).await?;
        let overridden = taken.audited(app, viewer, post.id.as_str(), found);
        let mut decision = replaced(app, post).await?;
        decision.batch = decision.batch.and(tags).and(told).and(overridden);
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
        legal_hold::not_held(app, [&post.author].into_iter()).await?;
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
