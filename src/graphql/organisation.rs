//! Organisations.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::{context::Ask, follow::stance, payload::top};
use crate::{
    domain::{
        calendar::Date,
        follow::{Stance, Target},
        organisation::{self as domain, region_name},
    },
    ids::Id,
};

/// A trust, an integrated care board or another organisation.
#[derive(Clone)]
pub struct Organisation(pub Arc<domain::Organisation>);

/// A trust, an integrated care board or another organisation.
#[Object]
impl Organisation {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Its code in the Organisation Data Service.
    async fn code(&self) -> &str {
        self.0.code.as_str()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    /// None for organisations outside England.
    async fn region(&self) -> Option<Region> {
        let code = self.0.region.clone()?;
        let name = region_name(&code).unwrap_or(&code).to_owned();
        Some(Region { code, name })
    }

    /// The code of its integrated care board.
    async fn icb_code(&self) -> Option<&str> {
        self.0.icb.as_deref()
    }

    async fn opened(&self) -> Option<Date> {
        self.0.opened.map(Date)
    }

    async fn closed(&self) -> Option<Date> {
        self.0.closed.map(Date)
    }

    /// Whether the viewer hears of what is new here, and finds it in the feed `FOLLOWING`.
    async fn viewer_following(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Organisation(self.0.id.clone())).await? == Stance::Following)
    }

    /// Whether the viewer hears nothing of it but mentions, and does not find it in the feed.
    async fn viewer_muted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Organisation(self.0.id.clone())).await? == Stance::Muted)
    }
}

impl Organisation {
    pub async fn load(ctx: &Context<'_>, id: Option<&Id<domain::Organisation>>) -> Result<Option<Self>> {
        match id {
            None => Ok(None),
            Some(id) => Ok(ctx.loaders().organisation(id).await.map_err(top)?.map(Self)),
        }
    }
}

/// One of the seven NHS regions of England.
#[derive(SimpleObject)]
pub struct Region {
    pub code: String,
    pub name: String,
}
