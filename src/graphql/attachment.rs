//! Attachments.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{context::Ask, contribution::Contribution, node::visible_comment, payload::top};
use crate::{
    clock::Timestamp,
    domain::{
        attachment::{self as domain, AttachedTo},
        sight::Seen,
    },
    ids::Id,
    rest::attachment::path,
};

/// A file that a member added to a post, a comment or a case study, or their photo. It is uploaded with REST.
#[derive(Clone)]
pub struct Attachment(pub Arc<domain::Attachment>);

/// A file that a member added to a post, a comment or a case study, or their photo. It is uploaded with REST.
#[Object]
impl Attachment {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// With the extension of what it is.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// For example `application/pdf`.
    async fn media_type(&self) -> &str {
        self.0.media_type.name()
    }

    /// In bytes.
    async fn size(&self) -> i64 {
        self.0.size
    }

    /// Of a picture, in pixels.
    async fn width(&self) -> Option<i64> {
        self.0.width
    }

    /// Of a picture, in pixels.
    async fn height(&self) -> Option<i64> {
        self.0.height
    }

    /// Where those who may see it get it, signed in as here.
    async fn url(&self, ctx: &Context<'_>) -> String {
        ctx.app().config.link(&path(&self.0.id))
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}

impl Attachment {
    /// The attachment, when there is one and the viewer may read what it belongs to.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Attachment>) -> Result<Option<Self>> {
        let Some(found) = ctx.loaders().attachment(id).await.map_err(top)? else { return Ok(None) };
        let is_visible = match &found.used_by {
            None => found.is_unused_of(&ctx.viewer().id, ctx.app().clock.now()),
            Some(AttachedTo::Contribution(id)) => {
                Contribution::visible(ctx, id).await?.is_some_and(|subject| subject.is_readable(ctx))
            }
            Some(AttachedTo::Comment(id)) => {
                let comment = visible_comment(ctx, Some(id.clone())).await?;
                comment.is_some_and(|comment| comment.can_see(ctx.viewer()))
            }
            Some(AttachedTo::Member(member)) => {
                let member = ctx.loaders().member(member).await.map_err(top)?;
                member.is_some_and(|member| member.photo_for(ctx.viewer()) == Some(&found.id))
            }
        };
        Ok(is_visible.then_some(Self(found)))
    }

    /// A member's photo.
    pub async fn photo(ctx: &Context<'_>, id: Option<&Id<domain::Attachment>>) -> Result<Option<Self>> {
        let Some(id) = id else { return Ok(None) };
        Ok(ctx.loaders().attachment(id).await.map_err(top)?.map(Self))
    }

    /// Those of something that the viewer was shown, in its order.
    pub async fn load_all(ctx: &Context<'_>, ids: &[Id<domain::Attachment>]) -> Result<Vec<Self>> {
        let found = ids.iter().map(|id| ctx.loaders().attachment(id));
        let found = futures_util::future::try_join_all(found).await.map_err(top)?;
        Ok(found.into_iter().flatten().map(Self).collect())
    }
}
