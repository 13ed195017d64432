//! Identities: by what providers of single sign-on know the member, and how they unlink one.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    context::{Ask, request},
    member::Viewer,
    payload::{payload, top},
};
use crate::{
    actions::identity as action, clock::Timestamp, domain::identity as domain, error::not_found, ids::Id,
};

/// An account elsewhere: whoever signs in there is signed in here as the member.
pub struct Identity(domain::Identity);

/// An account elsewhere: whoever signs in there is signed in here as the member.
#[Object]
impl Identity {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// What people know the provider by.
    async fn provider(&self, ctx: &Context<'_>) -> String {
        action::provider_name(ctx.app(), &self.0).to_owned()
    }

    /// The provider, as OpenID Connect names it.
    async fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The address that the provider had verified when it was linked.
    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    /// When it was linked.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When it was last signed in with.
    async fn last_used_at(&self) -> Timestamp {
        self.0.last_used_at
    }
}

impl Identity {
    /// The viewer's.
    pub async fn of_viewer(ctx: &Context<'_>) -> Result<Vec<Self>> {
        let identities = action::of(ctx.app(), ctx.viewer()).await.map_err(top)?;
        Ok(identities.into_iter().map(Self).collect())
    }
}

#[derive(Clone, InputObject)]
pub struct UnlinkIdentityInput {
    pub id: ID,
    pub client_mutation_id: Option<String>,
}

payload!(UnlinkIdentityPayload { viewer: Viewer });

#[derive(Default)]
pub struct IdentityMutation;

#[Object]
impl IdentityMutation {
    /// Unlinks an account elsewhere. It is linked again when somebody signs in there with the member's verified
    /// address, of which they are told by mail.
    async fn unlink_identity(
        &self,
        ctx: &Context<'_>,
        input: UnlinkIdentityInput,
    ) -> Result<UnlinkIdentityPayload> {
        let request = request("unlinkIdentity", &input, input.client_mutation_id.as_ref());
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("linked account")))?;
        let done = action::unlink(ctx.app(), ctx.viewer(), &id, &request).await;
        UnlinkIdentityPayload::of(done, input.client_mutation_id, |member| Viewer(member.into()))
    }
}
