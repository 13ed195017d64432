//! Service accounts: members that are programs.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    context::{Ask, request},
    member::Member,
    moderation::moderator,
    payload::{payload, top},
};
use crate::{
    actions::service_account as action, clock::Timestamp, domain::member as domain, error::not_found, ids::Id,
};

/// A program that takes part as a member: it belongs to an organisation, somebody answers for it, and it
/// can do no more than they.
pub struct ServiceAccount(pub Arc<domain::Member>);

/// A program that takes part as a member: it belongs to an organisation, somebody answers for it, and it
/// can do no more than they.
#[Object]
impl ServiceAccount {
    /// The account, as others see it.
    async fn member(&self) -> Member {
        Member(Arc::clone(&self.0))
    }

    /// Who answers for it. When they are suspended or leave the organisation, its tokens work no more.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Member> {
        let owner = self.0.owner.as_ref().ok_or_else(|| top(not_found("member")))?;
        Member::load(ctx, owner).await
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}

#[derive(Clone, InputObject)]
pub struct CreateServiceAccountInput {
    /// What others see where a person's name stands; at most 100 characters.
    pub name: String,
    /// What it does, in a few words, where a person's job title stands; at most 100 characters.
    pub purpose: String,
    pub organisation_id: ID,
    /// A member of the organisation. They alone make its tokens.
    pub owner_id: ID,
    /// As in `CreatePostInput`, of the name and the purpose.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct HandOverServiceAccountInput {
    /// The account's member.
    pub id: ID,
    /// A member of the same organisation.
    pub owner_id: ID,
    pub client_mutation_id: Option<String>,
}

payload!(CreateServiceAccountPayload { service_account: ServiceAccount });
payload!(HandOverServiceAccountPayload { service_account: ServiceAccount });

#[derive(Default)]
pub struct ServiceAccountMutation;

#[Object]
impl ServiceAccountMutation {
    /// Makes a service account, for which a member of its organisation answers. For moderators; kept in the
    /// audit log.
    async fn create_service_account(
        &self,
        ctx: &Context<'_>,
        input: CreateServiceAccountInput,
    ) -> Result<CreateServiceAccountPayload> {
        let request = request("createServiceAccount", &input, input.client_mutation_id.as_ref());
        let moderator = moderator(ctx)?;
        let wish = action::Wish {
            name: input.name,
            purpose: input.purpose,
            organisation: Id::parse(&input.organisation_id),
            owner: Id::parse(&input.owner_id),
            acknowledged: input.acknowledge_personal_data.into(),
        };
        let made = action::create(ctx.app(), &moderator, &wish, &request).await;
        CreateServiceAccountPayload::of(made, input.client_mutation_id, |account| {
            ServiceAccount(Arc::new(account))
        })
    }

    /// Has another member of its organisation answer for a service account. Its tokens end, as whoever made them
    /// knows them. For who answers for it, and for administrators; kept in the audit log.
    async fn hand_over_service_account(
        &self,
        ctx: &Context<'_>,
        input: HandOverServiceAccountInput,
    ) -> Result<HandOverServiceAccountPayload> {
        let request = request("handOverServiceAccount", &input, input.client_mutation_id.as_ref());
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("service account")))?;
        let to = Id::parse(&input.owner_id);
        let done = action::hand_over(ctx.app(), ctx.viewer(), &id, to.as_ref(), &request).await;
        HandOverServiceAccountPayload::of(done, input.client_mutation_id, |account| {
            ServiceAccount(Arc::new(account))
        })
    }
}
