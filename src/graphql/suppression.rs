//! Mailboxes from which mail comes back, for administrators.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{
    context::{Ask, request},
    member::Member,
    moderation::{act, member_id},
    payload::{payload, top},
};
use crate::{
    actions::{access::Administrator, mailbox as action},
    clock::Timestamp,
    domain::{mailbox::SuppressionReason, member as domain},
};

/// That a member gets nothing of what is sent to many, since mail to them comes back.
pub struct Suppression(pub Arc<domain::Member>);

/// That a member gets nothing of what is sent to many, since mail to them comes back. It ends when they sign in
/// with a code that was mailed to them, or when an administrator lifts it (`liftSuppression`).
#[Object]
impl Suppression {
    async fn member(&self) -> Member {
        Member(Arc::clone(&self.0))
    }

    async fn reason(&self) -> SuppressionReason {
        self.0.mailbox.reason.unwrap_or(SuppressionReason::Administrator)
    }

    /// What the mail server answered, where it did: a status such as `5.1.1`, or its reply code.
    async fn code(&self) -> Option<&str> {
        self.0.mailbox.code.as_deref()
    }

    async fn since(&self) -> Option<Timestamp> {
        self.0.mailbox.suppressed_at
    }
}

act!(SuppressMemberInput { member_id: ID });
act!(LiftSuppressionInput { member_id: ID });

payload!(SuppressMemberPayload { member: Member });
payload!(LiftSuppressionPayload { member: Member });

#[derive(Default)]
pub struct SuppressionMutation;

#[Object]
impl SuppressionMutation {
    /// Sends a member nothing more of what is sent to many: for administrators.
    async fn suppress_member(
        &self,
        ctx: &Context<'_>,
        input: SuppressMemberInput,
    ) -> Result<SuppressMemberPayload> {
        let request = request("suppressMember", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done = async { action::suppress(ctx.app(), &administrator, &id, &input.why()?, &request).await };
        SuppressMemberPayload::of(done.await, input.client_mutation_id, |member| Member(member.into()))
    }

    /// Sends a member mail again: for administrators.
    async fn lift_suppression(
        &self,
        ctx: &Context<'_>,
        input: LiftSuppressionInput,
    ) -> Result<LiftSuppressionPayload> {
        let request = request("liftSuppression", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done = async { action::lift(ctx.app(), &administrator, &id, &input.why()?, &request).await };
        LiftSuppressionPayload::of(done.await, input.client_mutation_id, |member| Member(member.into()))
    }
}
