//! Topics.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{context::Ask, follow::stance, payload::top};
use crate::{
    domain::{
        follow::{Stance, Target},
        topic as domain,
    },
    ids::Id,
};

/// What contributions are about.
#[derive(Clone)]
pub struct Topic(pub Arc<domain::Topic>);

impl Topic {
    /// Those of them that are there.
    pub async fn load_all(ctx: &Context<'_>, ids: &[Id<domain::Topic>]) -> Result<Vec<Self>> {
        let topics = ids.iter().map(|id| ctx.loaders().topic(id));
        let topics = futures_util::future::try_join_all(topics).await.map_err(top)?;
        Ok(topics.into_iter().flatten().map(Self).collect())
    }
}

/// What contributions are about.
#[Object]
impl Topic {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Its name in addresses.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether the viewer hears of what is new here, and finds it in the feed `FOLLOWING`.
    async fn viewer_following(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Topic(self.0.id.clone())).await? == Stance::Following)
    }

    /// Whether the viewer hears nothing of it but mentions, and does not find it in the feed.
    async fn viewer_muted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Topic(self.0.id.clone())).await? == Stance::Muted)
    }
}
