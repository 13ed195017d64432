//! Tags.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{context::Ask, follow::stance, payload::top};
use crate::{
    domain::{
        follow::{Stance, Target},
        tag::{self as domain, TagName},
    },
    ids::Id,
};

/// A word or two that members choose freely to find contributions by.
#[derive(Clone)]
pub struct Tag(pub Arc<domain::Tag>);

/// A word or two that members choose freely to find contributions by.
#[Object]
impl Tag {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// As it was first typed.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How many published contributions have it; 0 for partners who were invited to a part of them.
    async fn uses(&self, ctx: &Context<'_>) -> i64 {
        if ctx.viewer().scope().is_some() { 0 } else { self.0.uses }
    }

    /// Whether the viewer hears of what is new here, and finds it in the feed `FOLLOWING`.
    async fn viewer_following(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Tag(self.0.id.clone())).await? == Stance::Following)
    }

    /// Whether the viewer hears nothing of it but mentions, and does not find it in the feed.
    async fn viewer_muted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Tag(self.0.id.clone())).await? == Stance::Muted)
    }
}

impl Tag {
    /// The tag, when there is one and something published has it: what members type in their drafts is
    /// theirs alone. None for partners who were invited to a part.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Tag>) -> Result<Option<Self>> {
        let tag = ctx.loaders().tag(id).await.map_err(top)?;
        Ok(tag.filter(|tag| tag.is_used() && ctx.viewer().scope().is_none()).map(Self))
    }

    /// The tags of a contribution that the viewer was shown, in its order.
    pub async fn all(ctx: &Context<'_>, ids: &[Id<domain::Tag>]) -> Result<Vec<Self>> {
        let tags = ids.iter().map(|id| ctx.loaders().tag(id));
        let tags = futures_util::future::try_join_all(tags).await.map_err(top)?;
        Ok(tags.into_iter().flatten().map(Self).collect())
    }

    /// The same by name, so that those are there, too, which were typed and not stored.
    pub async fn all_named(ctx: &Context<'_>, names: &[TagName]) -> Result<Vec<Self>> {
        let tags = names.iter().map(|name| ctx.loaders().tag(&name.id));
        let tags = futures_util::future::try_join_all(tags).await.map_err(top)?;
        let typed = |name| Arc::new(domain::Tag::new(name, 0));
        Ok(names.iter().zip(tags).map(|(name, tag)| Self(tag.unwrap_or_else(|| typed(name)))).collect())
    }
}
