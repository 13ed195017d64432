//! Legal holds: what must not be erased.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{
    context::{Ask, request},
    member::Member,
    moderation::{act, member_id},
    payload::{payload, top},
};
use crate::{
    actions::{access::Administrator, legal_hold as action},
    clock::Timestamp,
    domain::legal_hold as domain,
};

/// That nothing of a member's may be erased or forgotten.
pub struct LegalHold(pub Arc<domain::LegalHold>);

/// That nothing of a member's may be erased or forgotten.
#[Object]
impl LegalHold {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn member(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.member).await
    }

    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The administrator who set it.
    async fn set_by(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.by).await
    }

    async fn set_at(&self) -> Timestamp {
        self.0.at
    }
}

act!(SetLegalHoldInput { member_id: ID });
act!(LiftLegalHoldInput { member_id: ID });

payload!(SetLegalHoldPayload { member: Member });
payload!(LiftLegalHoldPayload { member: Member });

#[derive(Default)]
pub struct LegalHoldMutation;

#[Object]
impl LegalHoldMutation {
    /// Keeps everything of a member's until the hold is lifted: an erasure waits, and nothing of theirs is
    /// forgotten. They are not told why.
    async fn set_legal_hold(
        &self,
        ctx: &Context<'_>,
        input: SetLegalHoldInput,
    ) -> Result<SetLegalHoldPayload> {
        let request = request("setLegalHold", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done = async { action::set(ctx.app(), &administrator, &id, &input.why()?, &request).await };
        SetLegalHoldPayload::of(done.await, input.client_mutation_id, |member| Member(member.into()))
    }

    /// Lifts a hold. An erasure that waited for that goes on.
    async fn lift_legal_hold(
        &self,
        ctx: &Context<'_>,
        input: LiftLegalHoldInput,
    ) -> Result<LiftLegalHoldPayload> {
        let request = request("liftLegalHold", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done = async { action::lift(ctx.app(), &administrator, &id, &input.why()?, &request).await };
        LiftLegalHoldPayload::of(done.await, input.client_mutation_id, |member| Member(member.into()))
    }
}
