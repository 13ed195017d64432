//! Hiding and restoring: what takes something from members' sight, and brings it back as it was.

use super::{
    access::{Moderator, Viewer},
    activity::happened_by,
    audit::{Act, Concerned, Reason, acted},
    contribution::{discussed, find},
    once::{Decision, Request, once},
    tag,
};
use crate::{
    app::App,
    domain::{
        activity::What,
        audit::{AuditAction, Facts},
        case_study::{CaseStudy, Edition},
        comment::Comment,
        contribution::{Contribution, ContributionId, State},
        entry::Entry,
        member::Member,
        moderation::ContentId,
        post::{Post, PostKind},
        sight::{Removal, RemovedBy, Seen, Sight},
        tag::Carried,
        thread::Thread,
    },
    error::{Result, not_found},
    ids::Id,
    store::{Batch, Guard},
};

/// Something that can be hidden, as it is stored, with the thread that it has or stands in.
pub(super) struct Content {
    pub what: Words,
    pub thread: Thread,
}

pub(super) enum Words {
    Contribution(Contribution),
    /// And what it is said about.
    Comment(Box<Comment>, Contribution),
}

impl Content {
    /// What others than its author can see, or could before it was hidden, when `viewer` sees it, too.
    ///
    /// # Errors
    /// Not found.
    pub async fn find(app: &App, viewer: &Viewer, id: &ContentId) -> Result<Self> {
        let missing = || not_found("content");
        match id {
            ContentId::Contribution(id) => {
                let shown = |found: &Contribution| {
                    !matches!(found.state(), State::Draft | State::Deleted)
                        && found.sight(viewer) != Sight::Nothing
                };
                let found = find(app, id).await?.filter(shown).ok_or_else(missing)?;
                let thread = app.store.one(found.thread()).await?.ok_or_else(missing)?;
                Ok(Self { what: Words::Contribution(found), thread })
            }
            ContentId::Comment(id) => {
                let comment = app.store.one(id).await?.ok_or_else(missing)?;
                let (thread, subject) = discussed(app, viewer, &comment.thread).await?;
                if comment.is_deleted() || subject.state() == State::Draft {
                    return Err(missing());
                }
                Ok(Self { what: Words::Comment(Box::new(comment), subject), thread })
            }
        }
    }

    pub fn state(&self) -> State {
        match &self.what {
            Words::Contribution(contribution) => contribution.state(),
            Words::Comment(comment, _) => comment.state(),
        }
    }

    pub fn can_see(&self, viewer: &Member) -> bool {
        match &self.what {
            Words::Contribution(contribution) => contribution.can_see(viewer),
            Words::Comment(comment, _) => comment.can_see(viewer),
        }
    }

    /// Why it is hidden, if it is.
    pub fn hidden(&self) -> Option<&Removal> {
        let removed = match &self.what {
            Words::Contribution(contribution) => contribution.removed(),
            Words::Comment(comment, _) => comment.removed.as_ref(),
        };
        removed.filter(|removal| removal.is_hidden())
    }

    pub fn concerned(&self) -> Concerned<'_> {
        match &self.what {
            Words::Contribution(contribution) => Concerned::contribution(contribution),
            Words::Comment(comment, _) => Concerned::comment(comment),
        }
    }

    /// What those are told who look on.
    pub fn changed(&self, app: &App, actor: &Id<Member>) -> Batch {
        let what = match &self.what {
            Words::Contribution(Contribution::Post(post)) => {
                What::Changed { contribution: (&post.id).into() }
            }
            Words::Contribution(Contribution::CaseStudy(case_study)) => {
                What::Changed { contribution: (&case_study.id).into() }
            }
            Words::Comment(comment, _) => What::CommentChanged { comment: comment.id.clone() },
        };
        happened_by(app, actor, what, &self.thread.id, Vec::new())
    }

    /// Takes it from members' sight or, with no removal, brings it back as it was. What is hidden already is
    /// so for another reason from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn with_removal(&self, app: &App, removal: Option<&Removal>) -> Result<Batch> {
        match &self.what {
            Words::Contribution(Contribution::Post(post)) => {
                let (mut post, carried) = (post.clone(), post.carried());
                match removal {
                    Some(removal) => post.hide(removal.clone()),
                    None => post.restore(),
                }
                self.rewritten_post(app, &post, &carried).await
            }
            Words::Contribution(Contribution::CaseStudy(case_study)) => {
                let (mut case_study, carried) = (case_study.clone(), case_study.carried());
                match removal {
                    Some(removal) => case_study.hide(removal.clone()),
                    None => case_study.restore(),
                }
                self.rewritten_case_study(app, *case_study, &carried).await
            }
            Words::Comment(comment, subject) => {
                let after = Comment { removed: removal.cloned(), ..Comment::clone(comment) };
                let batch = Batch::new().replace(&after);
                Ok(match removal {
                    Some(_) if comment.is_readable() => batch.and(uncounted(&self.thread, &after, subject)),
                    Some(_) => batch,
                    None => {
                        let mut thread = self.thread.clone();
                        thread.bring_back(after.number);
                        batch.replace(&thread).and(answered(&after, subject))
                    }
                })
            }
        }
    }

    /// A post as it stands now, with its entry, its tags' counts, and its thread closed unless members see
    /// it.
    async fn rewritten_post(&self, app: &App, post: &Post, carried: &Carried) -> Result<Batch> {
        let tags = tag::followed(app, carried, &post.carried(), &[]).await?;
        let listed = listed(&(&post.id).into(), post.state.into());
        Ok(Batch::new().replace(post).and(listed).and(tags).and(self.closed(post.state.into())))
    }

    /// The same of a case study, with the edition that belongs to its version.
    async fn rewritten_case_study(
        &self,
        app: &App,
        mut case_study: CaseStudy,
        carried: &Carried,
    ) -> Result<Batch> {
        let tags = tag::followed(app, carried, &case_study.carried(), &[]).await?;
        let batch = Batch::new().replace(&case_study);
        case_study.version += 1;
        let listed = listed(&(&case_study.id).into(), case_study.state);
        Ok(batch.insert(&Edition::of(&case_study)).and(listed).and(tags).and(self.closed(case_study.state)))
    }

    fn closed(&self, state: State) -> Batch {
        let closed = [Thread::CLOSED.set(state == State::Hidden)];
        Batch::new().patch(&self.thread.id, Guard::Present, closed)
    }
}

/// A comment less that is there to be read. The last one to go leaves a question as it was.
pub(super) fn uncounted(thread: &Thread, comment: &Comment, subject: &Contribution) -> Batch {
    let mut thread = thread.clone();
    thread.remove(comment.number);
    let batch = Batch::new().replace(&thread);
    match subject {
        Contribution::Post(post) if post.answered && thread.comment_count == 0 => {
            batch.patch(&post.id, Guard::Present, [Post::ANSWERED.set(false)])
        }
        Contribution::Post(_) | Contribution::CaseStudy(_) => batch,
    }
}

fn answered(comment: &Comment, subject: &Contribution) -> Batch {
    match subject {
        Contribution::Post(post)
            if post.kind == PostKind::Question && !post.answered && post.author != comment.author =>
        {
            Batch::new().patch(&post.id, Guard::Present, [Post::ANSWERED.set(true)])
        }
        Contribution::Post(_) | Contribution::CaseStudy(_) => Batch::new(),
    }
}

fn listed(id: &ContributionId, state: State) -> Batch {
    Batch::new().patch(&Entry::id_of(id), Guard::Present, [Entry::STATE.set(state)])
}

/// Takes something from members' sight; its author still sees it, with the reason. What a moderator
/// hid already stays as it is.
///
/// # Errors
/// Not found.
pub async fn hide(
    app: &App,
    moderator: &Moderator,
    id: &ContentId,
    reason: &Reason,
    request: &Request,
) -> Result<Thread> {
    once(app, moderator, request, || async {
        let content = Content::find(app, moderator, id).await?;
        let batch = hidden_by_moderator(app, moderator, id, &content, reason).await?;
        Ok(Decision { result: content.thread, batch })
    })
    .await
}

/// Nothing, when a moderator hid it already.
pub(super) async fn hidden_by_moderator(
    app: &App,
    moderator: &Moderator,
    id: &ContentId,
    content: &Content,
    reason: &Reason,
) -> Result<Batch> {
    let hidden = content.hidden();
    if hidden.is_some_and(|removal| !removal.awaits_review()) {
        return Ok(Batch::new());
    }
    let before = content.state();
    let was = hidden.map_or(before, |removal| removal.before);
    let removal = Removal::hidden(RemovedBy::Moderator, app.clock.now(), was, reason.as_str());
    let act = Act::new(AuditAction::HideContent, id.as_str())
        .because(reason)
        .changed(Facts::state(before), Facts::state(State::Hidden));
    let told = acted(app, moderator, act, &content.concerned());
    Ok(content.with_removal(app, Some(&removal)).await?.and(content.changed(app, &moderator.id)).and(told))
}

/// Brings back what was hidden, as it was. What is not hidden stays as it is.
///
/// # Errors
/// Not found.
pub async fn restore(
    app: &App,
    moderator: &Moderator,
    id: &ContentId,
    reason: &Reason,
    request: &Request,
) -> Result<Thread> {
    once(app, moderator, request, || async {
        let content = Content::find(app, moderator, id).await?;
        let batch = restored(app, moderator, id, &content, reason).await?;
        Ok(Decision { result: content.thread, batch })
    })
    .await
}

/// Nothing, when it is not hidden.
pub(super) async fn restored(
    app: &App,
    moderator: &Moderator,
    id: &ContentId,
    content: &Content,
    reason: &Reason,
) -> Result<Batch> {
    let Some(hidden) = content.hidden() else { return Ok(Batch::new()) };
    let act = Act::new(AuditAction::RestoreContent, id.as_str())
        .because(reason)
        .changed(Facts::state(State::Hidden), Facts::state(hidden.before));
    let told = acted(app, moderator, act, &content.concerned());
    Ok(content.with_removal(app, None).await?.and(content.changed(app, &moderator.id)).and(told))
}
