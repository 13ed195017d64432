//! Posts: write, change, publish, delete, list.

use super::{
    access::Viewer,
    activity::{happened, newly},
    answer, attachment, mention,
    once::{Decision, Request, once},
    page::Listing,
    revision::{self, Edit},
};
use crate::{
    app::App,
    domain::{
        activity::What,
        contribution::{ContributionId, State},
        entry::Entry,
        guard::Acknowledged,
        member::Member,
        mention::named,
        organisation::Organisation,
        post::{Post, PostContent, PostKind, PostState},
        reaction::ReactionCounts,
        revision::difference,
        text::{RichText, Written},
        thread::Thread,
        topic::Topic,
    },
    error::{Code, Error, Problem, Result, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard},
};

/// A post as its author sends it.
pub struct NewPost {
    pub kind: PostKind,
    pub title: String,
    pub body: String,
    pub topics: Vec<String>,
    /// Ids of the author's own unused ones.
    pub attachments: Vec<String>,
    /// Whether others see it at once; otherwise it is a draft.
    pub publish: bool,
    /// What the author said about the guard's warnings. Drafts are guarded, too: they are stored.
    pub acknowledged: Acknowledged,
}

/// What an author changes; `None` leaves it as it is.
pub struct PostChanges {
    pub title: Option<String>,
    pub body: Option<String>,
    pub topics: Option<Vec<String>>,
    /// All that it is to have from now on.
    pub attachments: Option<Vec<String>>,
    pub kind: Option<PostKind>,
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// Writes a post and opens its thread.
///
/// # Errors
/// Every problem of the content at once, each with its field.
pub async fn create(app: &App, viewer: &Viewer, new: NewPost, request: &Request) -> Result<Post> {
    once(app, viewer, request, || async {
        let title = Written::new(&new.title, new.acknowledged);
        let body = Written::new(&new.body, new.acknowledged);
        let now = app.clock.now();
        let id: Id<Post> = app.ids.fresh();
        let attached = attachment::attach(app, viewer, &(&id).into(), &[], Some(&new.attachments)).await?;
        let content = content(app, title, body, &new.topics, new.publish).await;
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
        };
        let mut batch = Batch::new().insert(&post).insert(&thread).insert(&Entry::of_post(&post));
        batch = batch.and(attached.batch);
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
        let acknowledged = changes.acknowledged;
        let title = Written::change(changes.title.as_deref(), &post.title, acknowledged);
        let body = Written::change(changes.body.as_deref(), &post.body.markdown, acknowledged);
        let wanted = changes.attachments.as_deref();
        let attached = attachment::attach(app, viewer, &(&post.id).into(), &post.attachments, wanted).await?;
        let content = content(app, title, body, &topics, post.state == PostState::Published).await;
        let (content, attached) = attached.with(content)?;
        let (kept, revisions) = keep(app, viewer, &post, &content);
        post.title = content.title;
        post.body = content.body;
        post.topics = content.topics;
        let mentioned = newly(&content.mentions, &post.mentions);
        post.mentions = content.mentions;
        post.attachments = attached.ids;
        post.kind = changes.kind.unwrap_or(post.kind);
        post.revisions = revisions;
        post.updated_at = app.clock.now();
        let answer = post.accepted_answer.take_if(|_| post.kind != PostKind::Question);
        let told = match post.state {
            PostState::Published => changed(app, viewer, &post, mentioned),
            PostState::Draft | PostState::Deleted => Batch::new(),
        };
        let mut decision = replaced(post);
        decision.batch = decision.batch.and(kept).and(attached.batch).and(told);
        if let Some(answer) = answer {
            decision.batch = decision.batch.and(answer::marked(&answer, false));
        }
        Ok(decision)
    })
    .await
}

/// What readers of a published post saw before an edit.
fn keep(app: &App, viewer: &Viewer, post: &Post, edited: &Content) -> (Batch, i64) {
    let Some(published) = post.published_at else {
        return (Batch::new(), 0);
    };
    let changes = [
        difference("title", &post.title, &edited.title),
        difference("body", &post.body.markdown, &edited.body.markdown),
    ];
    let edit = Edit {
        of: &post.id,
        kept: post.revisions,
        written: (&post.author, published),
        changes: changes.into_iter().flatten().collect(),
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
        if post.state == PostState::Published {
            return Ok(Decision { result: post, batch: Batch::new() });
        }
        current(&post, expected_version)?;
        // Warnings were acknowledged when the draft was stored. What blocks is looked for again: the
        // guard may have learned since.
        let written = |text| Written::new(text, Acknowledged::Warnings);
        let (title, body) = (written(&post.title), written(&post.body.markdown));
        content(app, title, body, &names(&post.topics), true).await?;
        let now = app.clock.now();
        post.state = PostState::Published;
        post.published_at = Some(now);
        post.updated_at = now;
        let told = published_now(app, viewer, &post);
        let mut decision = replaced(post);
        decision.batch = decision.batch.and(told);
        Ok(decision)
    })
    .await
}

/// Takes a post away from everybody's sight, its thread with it.
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
        let files = std::mem::take(&mut post.attachments);
        let released = attachment::release(app, &(&post.id).into(), &files);
        post.state = PostState::Deleted;
        post.revisions = 0;
        post.updated_at = app.clock.now();
        let told = changed(app, viewer, &post, Vec::new());
        let mut decision = replaced(post);
        decision.batch = decision.batch.and(forgotten).and(released).and(told);
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
fn replaced(mut post: Post) -> Decision<Post> {
    post.edition += 1;
    let entry = Entry::id_of(&ContributionId::from(&post.id));
    let listed = [Entry::STATE.set(State::from(post.state)), Entry::UPDATED_AT.set(post.updated_at)];
    let published = post.published_at.map(|at| Entry::PUBLISHED_AT.set(at));
    let batch =
        Batch::new().replace(&post).patch(&entry, Guard::Present, listed.into_iter().chain(published));
    Decision { result: post, batch }
}

async fn editable(app: &App, viewer: &Viewer, id: &Id<Post>) -> Result<Post> {
    let post =
        app.store.one(id).await?.filter(|post| post.can_see(viewer)).ok_or_else(|| not_found("post"))?;
    if !post.can_edit(viewer) {
        return Err(forbidden("Only its author and moderators can change a post."));
    }
    Ok(post)
}

/// What an author wrote, once it is known to be right.
struct Content {
    title: String,
    body: RichText,
    topics: Vec<Id<Topic>>,
    mentions: Vec<Id<Member>>,
}

/// Parses what an author wrote and checks that its topics and the members that it mentions exist.
async fn content(
    app: &App,
    title: Written<'_>,
    body: Written<'_>,
    topics: &[String],
    complete: bool,
) -> Result<Content> {
    let (ids, places, mut problems) = topic_ids(topics);
    let (mentioned, problem) = mention::look_up(app, "body", body.text()).await?;
    problems.extend(problem);
    let parsed = PostContent::parse(title, body, ids.clone(), complete);
    let known = app.store.get(&ids).await?;
    let missing = places.iter().zip(known).filter(|(_, topic)| topic.is_none());
    problems.extend(missing.map(|(place, _)| unknown_topic(*place)));
    match parsed {
        Ok(PostContent { title, body, topics }) if problems.is_empty() => {
            Ok(Content { title, body: named(body, &mentioned.names), topics, mentions: mentioned.members })
        }
        Ok(_) => Err(Error::Refused(problems)),
        Err(more) => Err(Error::Refused([more, problems].concat())),
    }
}

/// The ids among what was sent, their places in it, and the problems with the rest.
fn topic_ids(names: &[String]) -> (Vec<Id<Topic>>, Vec<usize>, Vec<Problem>) {
    let (mut ids, mut places, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    // Far more than allowed is refused by the content's own rule; no need to look all of them up.
    for (place, name) in names.iter().take(100).enumerate() {
        match Id::parse(name) {
            None => problems.push(unknown_topic(place)),
            Some(id) => {
                ids.push(id);
                places.push(place);
            }
        }
    }
    (ids, places, problems)
}

/// The field says which one. What was sent is not repeated: it may be anything.
fn unknown_topic(index: usize) -> Problem {
    let message = "There is no such topic. The query `topics` lists them.";
    Problem::new(&format!("topicIds.{index}"), Code::Unknown, message)
}

fn names(topics: &[Id<Topic>]) -> Vec<String> {
    topics.iter().map(|topic| topic.as_str().to_owned()).collect()
}

/// The post, when the viewer may see it.
///
/// # Errors
/// When the store fails.
pub async fn visible(app: &App, viewer: &Viewer, ids: &[Id<Post>]) -> Result<Vec<Option<Post>>> {
    let posts = app.store.get(ids).await?;
    Ok(posts.into_iter().map(|post| post.filter(|post| post.can_see(viewer))).collect())
}

/// In which order posts are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, async_graphql::Enum)]
pub enum PostOrder {
    /// Latest published first.
    #[default]
    Newest,
    /// Earliest published first.
    Oldest,
}

/// Which posts are listed; every part narrows.
#[derive(Clone, Debug, Default)]
pub struct PostFilter {
    pub kind: Option<PostKind>,
    pub author: Option<Id<Member>>,
    pub organisation: Option<Id<Organisation>>,
    pub topic: Option<Id<Topic>>,
}

/// Published posts. A proof of membership is all that seeing them takes.
#[must_use]
pub fn published(_viewer: &Viewer, wanted: PostFilter, order: PostOrder) -> Listing<Post> {
    let mut filter = Post::published();
    if let Some(kind) = wanted.kind {
        filter = filter.and(Post::KIND.eq(kind));
    }
    if let Some(author) = wanted.author {
        filter = filter.and(Post::AUTHOR.eq(author));
    }
    if let Some(organisation) = wanted.organisation {
        filter = filter.and(Post::ORGANISATION.eq(organisation));
    }
    if let Some(topic) = wanted.topic {
        filter = filter.and(Post::TOPICS.contains(topic));
    }
    match order {
        PostOrder::Newest => Listing { name: "posts:newest", filter, order: Post::PUBLISHED_AT.desc() },
        PostOrder::Oldest => Listing { name: "posts:oldest", filter, order: Post::PUBLISHED_AT.asc() },
    }
}

/// Questions that nobody has taken up yet.
#[must_use]
pub fn unanswered(_viewer: &Viewer, order: PostOrder) -> Listing<Post> {
    let filter = Post::unanswered();
    match order {
        PostOrder::Newest => Listing { name: "unanswered:newest", filter, order: Post::PUBLISHED_AT.desc() },
        PostOrder::Oldest => Listing { name: "unanswered:oldest", filter, order: Post::PUBLISHED_AT.asc() },
    }
}
