//! Accepted answers.

use super::{
    access::Viewer,
    activity::happened,
    audit::{Act, Concerned, acted_on_others},
    comment::visible,
    contribution::discussed,
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{
        activity::What,
        audit::{AuditAction, Facts},
        comment::{ACCEPTED_SCORE, Comment},
        contribution::Contribution,
        post::{Post, PostKind},
    },
    error::{Code, Error, Result, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard},
};

/// Says which comment answers a question, in place of any other; or that this one does not.
///
/// # Errors
/// Not found; forbidden; `WRONG_STATE` when it is not a question.
pub async fn accept(
    app: &App,
    viewer: &Viewer,
    id: &Id<Comment>,
    accepted: bool,
    request: &Request,
) -> Result<Post> {
    once(app, viewer, request, || async {
        let comment = visible(app, viewer, id).await?.filter(Comment::is_readable);
        let comment = comment.ok_or_else(|| not_found("comment"))?;
        let (_, subject) = discussed(app, viewer, &comment.thread).await?;
        let Some(mut post) = question(subject) else {
            let message = "Only a question has an answer to accept.";
            return Err(Error::refused("commentId", Code::WrongState, message));
        };
        if !post.can_accept(viewer) {
            return Err(forbidden("Only its author and moderators can say what answers a question."));
        }
        if (post.accepted_answer.as_ref() == Some(id)) == accepted {
            return Ok(Decision { result: post, batch: Batch::new() });
        }
        let before = std::mem::replace(&mut post.accepted_answer, accepted.then(|| id.clone()));
        post.answered |= accepted;
        let mut batch = Batch::new().replace(&post);
        if let Some(before) = before {
            batch = batch.and(marked(&before, false));
        }
        if accepted {
            let told = What::AnswerAccepted { comment: id.clone() };
            batch = batch.and(marked(id, true)).and(happened(app, viewer, told, &post.thread, Vec::new()));
        }
        let action = if accepted { AuditAction::AcceptAnswer } else { AuditAction::UnacceptAnswer };
        let act =
            Act::new(action, id.as_str()).changed(Facts::accepted(!accepted), Facts::accepted(accepted));
        let audited = acted_on_others(app, viewer, act, &Concerned::post(&post));
        Ok(Decision { result: post, batch: batch.and(audited) })
    })
    .await
}

fn question(subject: Contribution) -> Option<Post> {
    match subject {
        Contribution::Post(post) if post.kind == PostKind::Question => Some(*post),
        Contribution::Post(_) | Contribution::CaseStudy(_) => None,
    }
}

/// The mark on a comment, and its place among the best.
pub(super) fn marked(id: &Id<Comment>, accepted: bool) -> Batch {
    let by = if accepted { ACCEPTED_SCORE } else { -ACCEPTED_SCORE };
    Batch::new().patch(id, Guard::Present, [Comment::ACCEPTED.set(accepted)]).increment(
        id,
        Guard::Present,
        Comment::SCORE,
        by,
    )
}
