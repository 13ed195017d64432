//! Comments: answer, change, delete, list.

use super::{
    access::Viewer,
    activity::{happened, newly},
    attachment,
    audit::{Act, Concerned, Override, Taken, acted_on_others},
    contribution::discussed,
    follow, legal_hold, mention,
    once::{Decision, Request, once},
    page::Listing,
    read_mark,
    removal::uncounted,
    revision::{self, Edit},
};
use crate::{
    app::App,
    domain::{
        activity::What,
        attachment::AttachedTo,
        audit::{AuditAction, Facts},
        comment::{Comment, Place, QUOTE_MAX, Quote},
        contribution::{Contribution, State},
        guard::Acknowledged,
        member::Member,
        mention::named,
        post::{Post, PostKind},
        reaction::ReactionCounts,
        revision::difference,
        sight::{Removal, Seen},
        text::{COMMENT_MAX, RichText, Written},
        thread::Thread,
    },
    error::{Code, Error, Problem, Result, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard, when},
};

/// A comment as its author sends it.
pub struct NewComment {
    pub thread: Id<Thread>,
    /// The comment that it answers, if not the contribution itself.
    pub parent: Option<Id<Comment>>,
    pub body: String,
    pub quote: Option<NewQuote>,
    /// Ids of the author's own unused ones.
    pub attachments: Vec<String>,
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
    /// A moderator's reason to take it whatever the guard finds.
    pub overridden: Option<Override>,
}

/// Words of another comment of the thread.
pub struct NewQuote {
    pub comment: Id<Comment>,
    pub text: String,
}

/// What an author changes.
pub struct CommentChanges {
    pub body: String,
    /// All that it is to have from now on; `None` leaves them as they are.
    pub attachments: Option<Vec<String>>,
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
    /// A moderator's reason to take it whatever the guard finds.
    pub overridden: Option<Override>,
}

/// Adds a comment to a thread, and counts it there in the same commit.
///
/// # Errors
/// Problems of the text; `LOCKED`; not found when the viewer may not see what is discussed.
pub async fn add(app: &App, viewer: &Viewer, new: NewComment, request: &Request) -> Result<Comment> {
    once(app, viewer, request, || async {
        let (thread, subject) = discussed(app, viewer, &new.thread).await?;
        let parent = parent_of(app, &new).await?;
        let mut problems = Vec::new();
        let quote = quoted(app, &new).await?.map_err(|problem| problems.push(problem)).ok().flatten();
        let taken = Taken::of(viewer, new.acknowledged, new.overridden.as_ref())?;
        let body = Written::new(&new.body, taken.acknowledged);
        let text = text_of(app, body).await?.map_err(|more| problems.extend(more)).ok();
        let text = text.filter(|_| problems.is_empty()).ok_or(Error::Refused(problems));
        let id = app.ids.fresh();
        let to = AttachedTo::Comment(id.clone());
        let attached = attachment::attach(app, viewer, &to, &[], Some(&new.attachments)).await?;
        let ((body, mentions), attached) = attached.with(text)?;
        if !thread.is_open() || subject.is_removed() {
            return Err(locked());
        }
        let now = app.clock.now();
        let place = Place::of(&id, parent.as_ref());
        let comment = Comment {
            id,
            version: 1,
            edition: 1,
            thread: thread.id.clone(),
            number: thread.added + 1,
            parent: place.parent,
            depth: place.depth,
            path: place.path,
            author: viewer.id.clone(),
            organisation: viewer.organisation.clone(),
            answers: Some(parent.map_or_else(|| subject.author().clone(), |parent| parent.author)),
            body: Some(body),
            quote,
            mentions,
            attachments: attached.ids,
            accepted: false,
            reactions: ReactionCounts::default(),
            score: 0,
            revisions: 0,
            created_at: now,
            updated_at: now,
            removed: None,
        };
        let found = taken.found([("body", new.body.as_str())]);
        let added = What::CommentAdded { comment: comment.id.clone() };
        let open = || when(Thread::open());
        let mut batch = Batch::new()
            .increment(&thread.id, open(), Thread::COMMENT_COUNT, 1)
            .increment(&thread.id, open(), Thread::ADDED, 1)
            .patch(&thread.id, open(), [Thread::LAST_ACTIVITY_AT.set(now)])
            .insert(&comment)
            .and(attached.batch)
            .and(happened(app, viewer, added, &thread.id, comment.mentions.clone()))
            .and(attending(app, viewer, &comment).await?)
            .and(taken.audited(app, viewer, comment.id.as_str(), found));
        if let Contribution::Post(post) = &subject
            && post.kind == PostKind::Question
            && !post.answered
            && post.author != viewer.id
        {
            batch = batch.patch(&post.id, when(Post::published()), [Post::ANSWERED.set(true)]);
        }
        Ok(Decision { result: comment, batch })
    })
    .await
}

/// Whoever says something in a thread follows it, and has read it up to there.
async fn attending(app: &App, viewer: &Viewer, comment: &Comment) -> Result<Batch> {
    let follows = follow::taking_part(app, viewer, &comment.thread);
    let reads = read_mark::read_up_to(app, viewer, &comment.thread, comment.number, None);
    let (follows, (_, reads)) = futures_util::future::try_join(follows, reads).await?;
    Ok(follows.and(reads))
}

fn locked() -> Error {
    Error::refused("threadId", Code::Locked, "This thread is locked. Nobody can add to it.")
}

/// What an author wrote, with the members that it mentions, or all that is wrong with it.
async fn text_of(
    app: &App,
    body: Written<'_>,
) -> Result<std::result::Result<(RichText, Vec<Id<Member>>), Vec<Problem>>> {
    let (mentioned, problem) = mention::look_up(app, "body", body.text()).await?;
    Ok(match (RichText::parse("body", body, COMMENT_MAX), problem) {
        (Ok(body), None) => Ok((named(body, &mentioned.names), mentioned.members)),
        (body, problem) => Err(body.err().into_iter().chain(problem).collect()),
    })
}

async fn parent_of(app: &App, new: &NewComment) -> Result<Option<Comment>> {
    let Some(id) = &new.parent else {
        return Ok(None);
    };
    match app.store.one(id).await? {
        Some(parent) if parent.thread == new.thread && parent.is_readable() => Ok(Some(parent)),
        _ => Err(Error::refused("parentId", Code::Unknown, "There is no such comment in this thread.")),
    }
}

/// The words that are quoted, when the other comment really has them.
async fn quoted(app: &App, new: &NewComment) -> Result<std::result::Result<Option<Quote>, Problem>> {
    let Some(wanted) = &new.quote else {
        return Ok(Ok(None));
    };
    if wanted.text.chars().count() > QUOTE_MAX {
        let message = format!("Quote at most {QUOTE_MAX} characters.");
        return Ok(Err(Problem::new("quote.text", Code::TooLong, message)));
    }
    let comment = app
        .store
        .one(&wanted.comment)
        .await?
        .filter(|comment| comment.thread == new.thread && !comment.is_hidden());
    let Some(comment) = comment else {
        let message = "There is no such comment in this thread.";
        return Ok(Err(Problem::new("quote.commentId", Code::Unknown, message)));
    };
    let message = "The comment does not say this. Quote its words as they are.";
    Ok(match comment.quoted(&wanted.text) {
        Some(quote) => Ok(Some(quote)),
        None => Err(Problem::new("quote.text", Code::Invalid, message)),
    })
}

/// Changes the text of a comment that has not changed since `expected_version`. What it said before
/// is kept.
///
/// # Errors
/// `Stale`, problems of the text, `LOCKED`, not found, forbidden.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: &Id<Comment>,
    expected_version: i64,
    changes: CommentChanges,
    request: &Request,
) -> Result<Comment> {
    once(app, viewer, request, || async {
        let (mut comment, thread, _) = editable(app, viewer, id).await?;
        if comment.edition != expected_version {
            return Err(Error::Stale);
        }
        if !thread.is_open() && !viewer.moderates() {
            return Err(locked());
        }
        let taken = Taken::of(viewer, changes.acknowledged, changes.overridden.as_ref())?;
        let before = comment.body.as_ref().map_or("", |body| body.markdown.as_str());
        let found = taken.found((changes.body != before).then_some(("body", changes.body.as_str())));
        let body = Written::change(Some(&changes.body), before, taken.acknowledged);
        let text = text_of(app, body).await?.map_err(Error::Refused);
        let (to, wanted) = (AttachedTo::Comment(comment.id.clone()), changes.attachments.as_deref());
        let attached = attachment::attach(app, viewer, &to, &comment.attachments, wanted).await?;
        let ((body, mentions), attached) = attached.with(text)?;
        let now = app.clock.now();
        let changes = [
            difference("body", before, &body.markdown),
            revision::attachments(app, &comment.attachments, &attached.ids).await?,
        ];
        let edit = Edit {
            of: &comment.id,
            kept: comment.revisions,
            written: (&comment.author, comment.created_at),
            changes: changes.into_iter().flatten().collect(),
        };
        // What a moderator takes out of what is hidden is what nobody may read.
        let (kept, revisions) = if comment.is_hidden() {
            (revision::forget(&comment.id, comment.revisions), 0)
        } else {
            revision::keep(viewer, now, edit)
        };
        comment.body = Some(body);
        let mentioned = newly(&mentions, &comment.mentions);
        comment.mentions = mentions;
        comment.attachments = attached.ids;
        comment.revisions = revisions;
        comment.edition += 1;
        comment.updated_at = now;
        let changed = What::CommentChanged { comment: comment.id.clone() };
        let told = happened(app, viewer, changed, &comment.thread, mentioned);
        let audited = audited(app, viewer, &comment, AuditAction::EditContent, comment.state())
            .and(taken.audited(app, viewer, comment.id.as_str(), found));
        let mut batch = Batch::new().replace(&comment).and(kept).and(attached.batch).and(told).and(audited);
        if !viewer.moderates() {
            batch = batch.require(&thread.id, when(Thread::open()));
        }
        Ok(Decision { result: comment, batch })
    })
    .await
}

/// Takes the text of a comment away, and what it said before. Its place stays, so that answers to it
/// still make sense.
///
/// # Errors
/// `Stale`, not found, forbidden.
pub async fn delete(app: &App, viewer: &Viewer, id: &Id<Comment>, request: &Request) -> Result<Comment> {
    once(app, viewer, request, || async {
        let (mut comment, thread, subject) = editable(app, viewer, id).await?;
        legal_hold::not_held(app, [&comment.author].into_iter()).await?;
        let forgotten = revision::forget(&comment.id, comment.revisions);
        let (before, was_readable, was_answer) = (comment.state(), comment.is_readable(), comment.accepted);
        let to = AttachedTo::Comment(comment.id.clone());
        let released = attachment::release(app, &to, &comment.attachments);
        comment.updated_at = app.clock.now();
        let own = comment.author == viewer.id;
        comment.delete(Removal::deleted(own, comment.updated_at, before));
        let gone = What::CommentChanged { comment: comment.id.clone() };
        let mut batch = Batch::new()
            .replace(&comment)
            .and(forgotten)
            .and(released)
            .and(happened(app, viewer, gone, &comment.thread, Vec::new()))
            .and(audited(app, viewer, &comment, AuditAction::DeleteContent, before));
        if was_readable {
            batch = batch.and(uncounted(&thread, &comment, &subject));
        }
        if let (Contribution::Post(post), true) = (&subject, was_answer) {
            batch = batch.patch(&post.id, Guard::Present, [Post::ACCEPTED_ANSWER.set(None)]);
        }
        Ok(Decision { result: comment, batch })
    })
    .await
}

/// The audit log's entry of what a moderator did to somebody else's comment.
fn audited(app: &App, viewer: &Viewer, comment: &Comment, action: AuditAction, before: State) -> Batch {
    let after = Facts { version: Some(comment.edition), ..Facts::state(comment.state()) };
    let act = Act::new(action, comment.id.as_str()).changed(Facts::state(before), after);
    acted_on_others(app, viewer, act, &Concerned::comment(comment))
}

/// The comment as the viewer sees it, when they may see what it is said about.
///
/// # Errors
/// When the store fails.
pub async fn visible(app: &App, viewer: &Viewer, id: &Id<Comment>) -> Result<Option<Comment>> {
    let Some(comment) = app.store.one(id).await? else {
        return Ok(None);
    };
    match discussed(app, viewer, &comment.thread).await {
        Ok(_) => Ok(comment.as_seen_by(viewer)),
        Err(Error::Coded(Code::NotFound, _)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn editable(app: &App, viewer: &Viewer, id: &Id<Comment>) -> Result<(Comment, Thread, Contribution)> {
    let missing = || not_found("comment");
    let comment = app.store.one(id).await?.filter(|comment| !comment.is_deleted()).ok_or_else(missing)?;
    let (thread, subject) = discussed(app, viewer, &comment.thread).await.map_err(|error| match error {
        Error::Coded(Code::NotFound, _) => missing(),
        error => error,
    })?;
    if comment.can_edit(viewer) {
        return Ok((comment, thread, subject));
    }
    if !comment.can_see(viewer) {
        return Err(missing());
    }
    Err(forbidden(if comment.is_hidden() {
        "It is hidden. Its author can change it once a moderator has restored it."
    } else {
        "Only its author and moderators can change a comment."
    }))
}

/// In which order the comments of a thread are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, async_graphql::Enum)]
pub enum CommentOrder {
    /// Each after the one that it answers, with its depth.
    #[default]
    Thread,
    /// Earliest first.
    Oldest,
    /// Latest first.
    Newest,
    /// The accepted answer, then those with the most reactions.
    Best,
}

/// The comments of a thread. Only for threads that the viewer was shown.
#[must_use]
pub fn in_thread(thread: &Thread, order: CommentOrder) -> Listing<Comment> {
    let (name, order) = match order {
        CommentOrder::Thread => ("comments", Comment::PATH.asc()),
        CommentOrder::Oldest => ("comments:oldest", Comment::CREATED_AT.asc()),
        CommentOrder::Newest => ("comments:newest", Comment::CREATED_AT.desc()),
        CommentOrder::Best => ("comments:best", Comment::SCORE.desc()),
    };
    Listing { name, filter: Comment::in_thread(&thread.id), order }
}

/// The direct replies to a comment, in reading order.
#[must_use]
pub fn replies(comment: &Comment) -> Listing<Comment> {
    Listing { name: "replies", filter: Comment::PARENT.eq(comment.id.clone()), order: Comment::PATH.asc() }
}
