//! Reactions: add one, take it back.

use super::{
    access::Viewer,
    case_study, comment,
    once::{Decision, Request, once},
    post,
};
use crate::{
    app::App,
    domain::{
        case_study::CaseStudy,
        comment::Comment,
        contribution::{ContributionId, State},
        entry::Entry,
        post::{Post, PostState},
        reaction::{Reactable, ReactionKind, Reactions},
    },
    error::{Error, Result, not_found},
    ids::{Id, Identified},
    query::Document,
    store::{Batch, Guard, when},
};

/// What can be reacted to.
pub enum Target {
    Post(Id<Post>),
    CaseStudy(Id<CaseStudy>),
    Comment(Id<Comment>),
}

impl Target {
    /// What `id` names, when it is something that can be reacted to.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let contribution = ContributionId::parse(id).map(|id| match id {
            ContributionId::Post(id) => Self::Post(id),
            ContributionId::CaseStudy(id) => Self::CaseStudy(id),
        });
        contribution.or_else(|| Id::parse(id).map(Self::Comment))
    }
}

/// Adds a reaction of the viewer, or takes it back. One that is there already, or is not there, is
/// left as it is: clients may repeat themselves.
///
/// # Errors
/// Not found when the viewer may not see the thing.
pub async fn react(
    app: &App,
    viewer: &Viewer,
    target: &Target,
    kind: ReactionKind,
    on: bool,
    request: &Request,
) -> Result<Reactions> {
    once(app, viewer, request, || async {
        match target {
            Target::Post(id) => {
                let found = post::visible(app, viewer, std::slice::from_ref(id)).await?.pop().flatten();
                found.filter(|post| post.state == PostState::Published).ok_or_else(missing)?;
                changed(app, viewer, id, id, when(Post::published()), (kind, on)).await
            }
            Target::CaseStudy(id) => {
                let found = case_study::visible(app, viewer, id).await?;
                found.filter(|found| found.state == State::Published).ok_or_else(missing)?;
                let entry = Entry::id_of(&ContributionId::from(id));
                changed(app, viewer, id, &entry, when(Entry::published()), (kind, on)).await
            }
            Target::Comment(id) => {
                let found = comment::visible(app, viewer, id).await?;
                found.filter(Comment::is_readable).ok_or_else(missing)?;
                let mut decision = changed(app, viewer, id, id, Guard::Present, (kind, on)).await?;
                if !decision.batch.is_empty() {
                    let by = if on { 1 } else { -1 };
                    decision.batch = decision.batch.increment(id, Guard::Present, Comment::SCORE, by);
                }
                Ok(decision)
            }
        }
    })
    .await
}

fn missing() -> Error {
    not_found("thing to react to")
}

/// The change of a member's reactions, and of the counts where they are kept, as long as `still` holds
/// there.
async fn changed<T: Identified, D: Reactable>(
    app: &App,
    viewer: &Viewer,
    target: &Id<T>,
    counts: &Id<D>,
    still: Guard,
    (kind, on): (ReactionKind, bool),
) -> Result<Decision<Reactions>> {
    let now = app.clock.now();
    let earlier = app.store.one(&Reactions::id_of(&viewer.id, target)).await?;
    let mut reactions = earlier.unwrap_or_else(|| Reactions::none(&viewer.id, target, now));
    if !reactions.set(kind, on) {
        return Ok(Decision { result: reactions, batch: Batch::new() });
    }
    reactions.updated_at = now;
    let by = if on { 1 } else { -1 };
    let batch = match reactions.version() {
        0 => {
            reactions.version = 1;
            Batch::new().insert(&reactions)
        }
        _ => Batch::new().replace(&reactions),
    };
    let batch = batch.increment(counts, still, D::reactions_of(kind), by);
    Ok(Decision { result: reactions, batch })
}
