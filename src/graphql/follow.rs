//! Follows and mutes.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    context::{Ask, request},
    node::{self, Node},
    payload::{payload, top},
};
use crate::{
    actions::follow::{self as action, Wish},
    clock::Timestamp,
    domain::follow::{self as domain, Stance, Target},
    error::not_found,
};

/// Where a member stands to a topic, a tag, a member, an organisation or a thread.
pub struct Follow(pub Arc<domain::Follow>);

/// Where a member stands to a topic, a tag, a member, an organisation or a thread.
#[Object]
impl Follow {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// The id of what is followed or muted, also when it can no longer be seen.
    async fn subject_id(&self) -> ID {
        self.0.target.as_str().into()
    }

    /// What is followed or muted; none when it can no longer be seen.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Node>> {
        node::find(ctx, self.0.target.as_str()).await
    }

    /// Whether the member hears of what is new there.
    async fn following(&self) -> bool {
        self.0.stance == Stance::Following
    }

    /// Whether the member hears of nothing there but mentions.
    async fn muted(&self) -> bool {
        self.0.stance == Stance::Muted
    }

    /// Since when.
    async fn since(&self) -> Timestamp {
        self.0.since
    }
}

/// Where the viewer stands to something; one call for all that a request asks about.
pub async fn stance(ctx: &Context<'_>, target: Target) -> Result<Stance> {
    let id = domain::Follow::id_of(&ctx.viewer().id, &target);
    let follow = ctx.loaders().follow(&id).await.map_err(top)?;
    Ok(follow.map_or(Stance::Neither, |follow| follow.stance))
}

/// Declares the inputs, which are the same.
macro_rules! inputs {
    ($($name:ident),*) => {
        $(#[derive(Clone, InputObject)]
        pub struct $name {
            /// A topic, a tag, a member, an organisation or a thread.
            pub subject_id: ID,
            pub client_mutation_id: Option<String>,
        })*
    };
}
inputs!(FollowInput, UnfollowInput, MuteInput, UnmuteInput);

payload!(FollowPayload { follow: Follow });
payload!(UnfollowPayload { follow: Follow });
payload!(MutePayload { follow: Follow });
payload!(UnmutePayload { follow: Follow });

#[derive(Default)]
pub struct FollowMutation;

#[Object]
impl FollowMutation {
    /// Tells the viewer of what is new there, and shows it in the feed `FOLLOWING`. At most 100 topics,
    /// tags, members and organisations, and 1,000 threads. What was muted is no longer.
    async fn follow(&self, ctx: &Context<'_>, input: FollowInput) -> Result<FollowPayload> {
        let request = request("follow", &input, input.client_mutation_id.as_ref());
        let target = target(&input.subject_id)?;
        let done = action::set(ctx.app(), ctx.viewer(), &target, Wish::Follow, &request).await;
        FollowPayload::of(done, input.client_mutation_id, Follow::from)
    }

    /// No longer. A thread is then not followed again by taking part in it.
    async fn unfollow(&self, ctx: &Context<'_>, input: UnfollowInput) -> Result<UnfollowPayload> {
        let request = request("unfollow", &input, input.client_mutation_id.as_ref());
        let target = target(&input.subject_id)?;
        let done = action::set(ctx.app(), ctx.viewer(), &target, Wish::Unfollow, &request).await;
        UnfollowPayload::of(done, input.client_mutation_id, Follow::from)
    }

    /// Tells the viewer of nothing there but mentions, and keeps it out of the feed. At most 100 topics,
    /// tags, members and organisations, and 1,000 threads.
    async fn mute(&self, ctx: &Context<'_>, input: MuteInput) -> Result<MutePayload> {
        let request = request("mute", &input, input.client_mutation_id.as_ref());
        let target = target(&input.subject_id)?;
        let done = action::set(ctx.app(), ctx.viewer(), &target, Wish::Mute, &request).await;
        MutePayload::of(done, input.client_mutation_id, Follow::from)
    }

    /// No longer. It is not followed either.
    async fn unmute(&self, ctx: &Context<'_>, input: UnmuteInput) -> Result<UnmutePayload> {
        let request = request("unmute", &input, input.client_mutation_id.as_ref());
        let target = target(&input.subject_id)?;
        let done = action::set(ctx.app(), ctx.viewer(), &target, Wish::Unmute, &request).await;
        UnmutePayload::of(done, input.client_mutation_id, Follow::from)
    }
}

impl From<domain::Follow> for Follow {
    fn from(follow: domain::Follow) -> Self {
        Self(Arc::new(follow))
    }
}

fn target(id: &ID) -> Result<Target> {
    Target::parse(id).ok_or_else(|| top(not_found("thing to follow")))
}
