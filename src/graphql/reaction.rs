//! Reactions.

use async_graphql::{Context, ID, InputObject, Interface, Object, Result};

use super::{
    case_study::CaseStudy,
    comment::Comment,
    context::{Ask, request},
    payload::{payload, top},
    post::Post,
};
use crate::{
    actions::{
        case_study, comment, post,
        reaction::{Target, react},
    },
    domain::{
        self,
        member::Member,
        reaction::{ReactionCounts, ReactionKind, Reactions},
    },
    error::not_found,
    ids::{Id, Identified},
};

/// Where a member's reactions to something are.
type Own = Box<dyn Fn(&Id<Member>) -> Id<Reactions> + Send + Sync>;

/// How often members reacted to something in one way.
pub struct Reaction {
    kind: ReactionKind,
    count: i64,
    /// They tell whether the viewer is among them.
    own: Own,
}

/// How often members reacted to something in one way.
#[Object]
impl Reaction {
    async fn kind(&self) -> ReactionKind {
        self.kind
    }

    async fn count(&self) -> i64 {
        self.count
    }

    /// Whether the viewer is among them.
    async fn viewer_reacted(&self, ctx: &Context<'_>) -> Result<bool> {
        let own = ctx.loaders().reactions(&(self.own)(&ctx.viewer().id)).await.map_err(top)?;
        Ok(own.is_some_and(|own| own.kinds.contains(&self.kind)))
    }
}

impl Reaction {
    /// All kinds, also those that nobody has used.
    pub fn all<T: Identified + 'static>(target: &Id<T>, counts: ReactionCounts) -> Vec<Self> {
        let each = |kind: ReactionKind| {
            let target = target.clone();
            let own: Own = Box::new(move |member: &Id<Member>| Reactions::id_of(member, &target));
            Self { kind, count: counts.of(kind), own }
        };
        ReactionKind::ALL.into_iter().map(each).collect()
    }
}

/// Something that members can react to.
#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "reactions", ty = "Vec<Reaction>", desc = "How often members reacted, a kind each.")
)]
pub enum Reactable {
    Post(Post),
    CaseStudy(CaseStudy),
    Comment(Comment),
}

#[derive(Clone, InputObject)]
pub struct ReactInput {
    /// A post, a case study or a comment.
    pub subject_id: ID,
    pub kind: ReactionKind,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct UnreactInput {
    pub subject_id: ID,
    pub kind: ReactionKind,
    pub client_mutation_id: Option<String>,
}

payload!(ReactPayload { subject: Result<Reactable> });
payload!(UnreactPayload { subject: Result<Reactable> });

#[derive(Default)]
pub struct ReactionMutation;

#[Object]
impl ReactionMutation {
    /// Reacts to a post, a case study or a comment. A reaction that is there already stays.
    async fn react(&self, ctx: &Context<'_>, input: ReactInput) -> Result<ReactPayload> {
        let request = request("react", &input, input.client_mutation_id.as_ref());
        let target = target(&input.subject_id)?;
        let done = react(ctx.app(), ctx.viewer(), &target, input.kind, true, &request).await;
        let subject = subject(ctx, &target).await;
        ReactPayload::of(done, input.client_mutation_id, |_| subject)
    }

    /// Takes a reaction back.
    async fn unreact(&self, ctx: &Context<'_>, input: UnreactInput) -> Result<UnreactPayload> {
        let request = request("unreact", &input, input.client_mutation_id.as_ref());
        let target = target(&input.subject_id)?;
        let done = react(ctx.app(), ctx.viewer(), &target, input.kind, false, &request).await;
        let subject = subject(ctx, &target).await;
        UnreactPayload::of(done, input.client_mutation_id, |_| subject)
    }
}

fn target(id: &ID) -> Result<Target> {
    Target::parse(id).ok_or_else(|| top(not_found("thing to react to")))
}

/// The thing as it is after the reaction.
async fn subject(ctx: &Context<'_>, target: &Target) -> Result<Reactable> {
    let missing = || top(not_found("thing to react to"));
    match target {
        Target::Post(id) => {
            ctx.viewer().may_read::<domain::post::Post>().map_err(top)?;
            let found =
                post::visible(ctx.app(), ctx.viewer(), std::slice::from_ref(id)).await.map_err(top)?;
            found.into_iter().flatten().next().map(|post| Reactable::Post(post.into())).ok_or_else(missing)
        }
        Target::CaseStudy(id) => {
            ctx.viewer().may_read::<domain::case_study::CaseStudy>().map_err(top)?;
            let found = case_study::visible(ctx.app(), ctx.viewer(), id).await.map_err(top)?;
            found.map(|case_study| Reactable::CaseStudy(case_study.into())).ok_or_else(missing)
        }
        Target::Comment(id) => {
            let found = comment::visible(ctx.app(), ctx.viewer(), id).await.map_err(top)?;
            found.map(|comment| Reactable::Comment(comment.into())).ok_or_else(missing)
        }
    }
}
