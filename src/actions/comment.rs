//! Comments: answer, change, delete, list.

use super::{
    access::Viewer,
    activity::{happened, newly},
    contribution::discussed,
    follow, mention,
    once::{Decision, Request, once},
    page::Listing,
    read_mark,
    revision::{self, Edit},
};
use crate::{
    app::App,
    domain::{
        activity::What,
        comment::{Comment, Place, QUOTE_MAX, Quote},
        contribution::Contribution,
        guard::Acknowledged,
        member::Member,
        mention::named,
        post::{Post, PostKind},
        reaction::ReactionCounts,
        revision::difference,
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
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// Words of another comment of the thread.
pub struct NewQuote {
    pub comment: Id<Comment>,
    pub text: String,
}

/// What an author changes.
pub struct CommentChanges {
    pub body: String,
    /// What the author said about the guard's warnings.
    pub acknowledged: Acknowledged,
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
        let body = Written::new(&new.body, new.acknowledged);
        let text = text_of(app, body).await?.map_err(|more| problems.extend(more)).ok();
        let Some((body, mentions)) = text.filter(|_| problems.is_empty()) else {
            return Err(Error::Refused(problems));
        };
        if thread.locked {
            return Err(locked());
        }
        let now = app.clock.now();
        let id = app.ids.fresh();
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
            accepted: false,
            reactions: ReactionCounts::default(),
            score: 0,
            revisions: 0,
            created_at: now,
            updated_at: now,
        };
        let added = What::CommentAdded { comment: comment.id.clone() };
        let open = || when(Thread::LOCKED.eq(false));
        let mut batch = Batch::new()
            .increment(&thread.id, open(), Thread::COMMENT_COUNT, 1)
            .increment(&thread.id, open(), Thread::ADDED, 1)
            .patch(&thread.id, open(), [Thread::LAST_ACTIVITY_AT.set(now)])
            .insert(&comment)
            .and(happened(app, viewer, added, &thread.id, comment.mentions.clone()))
            .and(attending(app, viewer, &comment).await?);
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
        Some(parent) if parent.thread == new.thread && !parent.is_deleted() => Ok(Some(parent)),
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
    let comment = app.store.one(&wanted.comment).await?.filter(|comment| comment.thread == new.thread);
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
        if thread.locked && !viewer.moderates() {
            return Err(locked());
        }
        let before = comment.body.as_ref().map_or("", |body| body.markdown.as_str());
        let body = Written::change(Some(&changes.body), before, changes.acknowledged);
        let (body, mentions) = text_of(app, body).await?.map_err(Error::Refused)?;
        let now = app.clock.now();
        let edit = Edit {
            of: &comment.id,
            kept: comment.revisions,
            written: (&comment.author, comment.created_at),
            changes: difference("body", before, &body.markdown).into_iter().collect(),
        };
        let (kept, revisions) = revision::keep(viewer, now, edit);
        comment.body = Some(body);
        let mentioned = newly(&mentions, &comment.mentions);
        comment.mentions = mentions;
        comment.revisions = revisions;
        comment.edition += 1;
        comment.updated_at = now;
        let changed = What::CommentChanged { comment: comment.id.clone() };
        let told = happened(app, viewer, changed, &comment.thread, mentioned);
        let batch = Batch::new().replace(&comment).and(kept).and(told);
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
        let (mut comment, mut thread, subject) = editable(app, viewer, id).await?;
        let forgotten = revision::forget(&comment.id, comment.revisions);
        let was_answer = std::mem::take(&mut comment.accepted);
        comment.body = None;
        comment.quote = None;
        comment.mentions = Vec::new();
        comment.revisions = 0;
        comment.reactions = ReactionCounts::default();
        comment.score = 0;
        comment.updated_at = app.clock.now();
        thread.remove(comment.number);
        let mut batch = Batch::new().replace(&comment).and(forgotten).replace(&thread);
        let gone = What::CommentChanged { comment: comment.id.clone() };
        batch = batch.and(happened(app, viewer, gone, &comment.thread, Vec::new()));
        if let Contribution::Post(post) = &subject {
            let mut changes = Vec::new();
            if was_answer {
                changes.push(Post::ACCEPTED_ANSWER.set(None));
            }
            // The last one to go leaves the question as it was.
            if post.answered && thread.comment_count == 0 {
                changes.push(Post::ANSWERED.set(false));
            }
            if !changes.is_empty() {
                batch = batch.patch(&post.id, Guard::Present, changes);
            }
        }
        Ok(Decision { result: comment, batch })
    })
    .await
}

/// The comment, when the viewer may see what it is said about.
///
/// # Errors
/// When the store fails.
pub async fn visible(app: &App, viewer: &Viewer, id: &Id<Comment>) -> Result<Option<Comment>> {
    let Some(comment) = app.store.one(id).await? else {
        return Ok(None);
    };
    match discussed(app, viewer, &comment.thread).await {
        Ok(_) => Ok(Some(comment)),
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
    if !comment.can_edit(viewer) {
        return Err(forbidden("Only its author and moderators can change a comment."));
    }
    Ok((comment, thread, subject))
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
