//! Erasures: members are forgotten, and what they wrote stays.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::{Ask, request},
    member::{Member, Viewer},
    moderation::{act, member_id},
    payload::{payload, top},
};
use crate::{
    actions::{access::Administrator, erasure as action},
    clock::Timestamp,
    domain::erasure as domain,
};

/// That an account is to be erased: what was written stays readable, by "A former member"; everything else
/// goes.
pub struct Erasure(pub Arc<domain::Erasure>);

/// That an account is to be erased: what was written stays readable, by "A former member"; everything else
/// goes.
#[Object]
impl Erasure {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    /// Whose account it is; a former member, once it has begun.
    async fn member(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.member).await
    }

    async fn requested_at(&self) -> Timestamp {
        self.0.requested_at
    }

    /// When it begins, unless it is called off or has to wait.
    async fn due_at(&self) -> Timestamp {
        self.0.due_at
    }

    /// None until everything is done.
    async fn finished_at(&self) -> Option<Timestamp> {
        self.0.finished_at
    }
}

/// The viewer's own erasure.
#[derive(SimpleObject)]
pub struct ViewerErasure {
    pub requested_at: Timestamp,
    /// When it begins, unless it is called off or has to wait.
    pub due_at: Timestamp,
    /// Whether it has to wait longer, as the account must be kept for legal reasons.
    pub is_held: bool,
}

impl ViewerErasure {
    pub async fn of(ctx: &Context<'_>) -> Result<Option<Self>> {
        let found = action::of_viewer(ctx.app(), ctx.viewer()).await.map_err(top)?;
        Ok(found.map(|(erasure, is_held)| Self {
            requested_at: erasure.requested_at,
            due_at: erasure.due_at,
            is_held,
        }))
    }
}

#[derive(Clone, InputObject)]
pub struct EraseMyAccountInput {
    /// The e-mail address of the account, so that it is not erased by mistake.
    pub confirm_email: String,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct CancelErasureInput {
    pub client_mutation_id: Option<String>,
}

act!(EraseMemberInput { member_id: ID });

payload!(EraseMyAccountPayload { erasure: Erasure });
payload!(CancelErasurePayload { viewer: Viewer });
payload!(EraseMemberPayload { erasure: Erasure });

#[derive(Default)]
pub struct ErasureMutation;

#[Object]
impl ErasureMutation {
    /// Has the member's account erased. It can be called off for some days: `dueAt` says how long, and an
    /// e-mail does.
    async fn erase_my_account(
        &self,
        ctx: &Context<'_>,
        input: EraseMyAccountInput,
    ) -> Result<EraseMyAccountPayload> {
        let request = request("eraseMyAccount", &input, input.client_mutation_id.as_ref());
        let done = action::request(ctx.app(), ctx.viewer(), &input.confirm_email, &request).await;
        EraseMyAccountPayload::of(done, input.client_mutation_id, |erasure| Erasure(erasure.into()))
    }

    /// Calls off the erasure that the member asked for.
    async fn cancel_erasure(
        &self,
        ctx: &Context<'_>,
        input: CancelErasureInput,
    ) -> Result<CancelErasurePayload> {
        let request = request("cancelErasure", &input, input.client_mutation_id.as_ref());
        let done = action::cancel(ctx.app(), ctx.viewer(), &request).await;
        CancelErasurePayload::of(done, input.client_mutation_id, |member| Viewer(member.into()))
    }

    /// Has somebody's account erased. There is always an administrator: the last one can't be.
    async fn erase_member(&self, ctx: &Context<'_>, input: EraseMemberInput) -> Result<EraseMemberPayload> {
        let request = request("eraseMember", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done =
            async { action::request_for(ctx.app(), &administrator, &id, &input.why()?, &request).await };
        EraseMemberPayload::of(done.await, input.client_mutation_id, |erasure| Erasure(erasure.into()))
    }
}
