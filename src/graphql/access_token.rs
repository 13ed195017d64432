//! Access tokens: what programs show to act in a member's name, or as a service account.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::{Ask, request},
    member::Member,
    payload::{UserError, outcome, payload, top},
};
use crate::{
    actions::access_token as action,
    clock::Timestamp,
    domain::{access_token as domain, permission::Scope},
    error::not_found,
    ids::Id,
};

/// What a program shows, as `Authorization: Bearer …`, to act in a member's name or as a service account.
/// It can do what its scopes are for and its owner may do at that moment; it makes no other tokens.
pub struct AccessToken(pub Arc<domain::AccessToken>);

/// What a program shows, as `Authorization: Bearer …`, to act in a member's name or as a service account.
/// It can do what its scopes are for and its owner may do at that moment; it makes no other tokens.
#[Object]
impl AccessToken {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Which program it is for.
    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn scopes(&self) -> &[Scope] {
        &self.0.scopes
    }

    /// As whom it acts.
    async fn member(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.member).await
    }

    /// The person who made it.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.owner).await
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    async fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// To the hour. A token that nobody uses for 90 days is warned of by e-mail, and revoked after 180.
    async fn last_used_at(&self) -> Option<Timestamp> {
        self.0.last_used_at
    }

    async fn revoked_at(&self) -> Option<Timestamp> {
        self.0.revoked_at
    }

    /// Whether it is neither revoked nor expired.
    async fn works(&self, ctx: &Context<'_>) -> bool {
        self.0.is_live(ctx.app().clock.now())
    }
}

#[derive(Clone, InputObject)]
pub struct CreateAccessTokenInput {
    /// Which program it is for; at most 100 characters.
    pub name: String,
    /// What it is for. `MODERATION` and `ADMINISTRATION` can be given by those who act as such.
    pub scopes: Vec<Scope>,
    /// At most a year from now.
    pub expires_at: Timestamp,
    /// A service account that the viewer answers for, by the id of its `member`; none: for oneself.
    pub service_account_id: Option<ID>,
    /// As in `CreatePostInput`, of the name.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

/// Never logged, so it has no `Debug`.
#[derive(SimpleObject)]
pub struct CreateAccessTokenPayload {
    /// The token; none when it could not be made.
    pub access_token: Option<AccessToken>,
    /// What the program shows. It is given this once and stored nowhere: none in the answer to a repeat of
    /// the same `clientMutationId`. If the first answer was lost, revoke the token and make another.
    pub secret: Option<String>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct RevokeAccessTokenInput {
    pub id: ID,
    pub client_mutation_id: Option<String>,
}

payload!(RevokeAccessTokenPayload { access_token: AccessToken });

#[derive(Default)]
pub struct AccessTokenMutation;

#[Object]
impl AccessTokenMutation {
    /// Makes a token for a program, and tells its owner by e-mail. For people: no token is enough.
    async fn create_access_token(
        &self,
        ctx: &Context<'_>,
        input: CreateAccessTokenInput,
    ) -> Result<CreateAccessTokenPayload> {
        let request = request("createAccessToken", &input, input.client_mutation_id.as_ref());
        let service_account = match &input.service_account_id {
            None => None,
            Some(id) => Some(Id::parse(id).ok_or_else(|| top(not_found("service account")))?),
        };
        let wish = action::Wish {
            name: input.name,
            scopes: input.scopes,
            expires_at: input.expires_at,
            service_account,
            acknowledged: input.acknowledge_personal_data.into(),
        };
        let made = action::create(ctx.app(), ctx.viewer(), &wish, &request).await;
        let (made, user_errors) = outcome(made)?;
        let (access_token, secret) = match made {
            Some(action::Made { token, secret }) => (Some(AccessToken(Arc::new(token))), secret),
            None => (None, None),
        };
        let client_mutation_id = input.client_mutation_id;
        Ok(CreateAccessTokenPayload { access_token, secret, user_errors, client_mutation_id })
    }

    /// Makes a token useless at once: the viewer's own, or one of a service account that they answer for;
    /// administrators anybody's. For people: no token is enough.
    async fn revoke_access_token(
        &self,
        ctx: &Context<'_>,
        input: RevokeAccessTokenInput,
    ) -> Result<RevokeAccessTokenPayload> {
        let request = request("revokeAccessToken", &input, input.client_mutation_id.as_ref());
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("access token")))?;
        let revoked = action::revoke(ctx.app(), ctx.viewer(), &id, &request).await;
        RevokeAccessTokenPayload::of(revoked, input.client_mutation_id, |token| AccessToken(Arc::new(token)))
    }
}
