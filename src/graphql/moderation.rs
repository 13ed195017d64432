//! What moderators do. Each act needs a reason, which those concerned and other moderators read.

use async_graphql::{Context, ID, Object, Result, Union};

use super::{
    case_study::CaseStudy,
    comment::Comment,
    context::{Ask, request},
    contribution::Contribution,
    member::Member,
    node,
    payload::{payload, top},
    post::Post,
    thread::Thread,
};
use crate::{
    actions::{access::Moderator, audit::Reason, moderation as action, once::Request, pin, removal},
    clock::Timestamp,
    domain::{self, contribution::ContributionId, moderation::ContentId},
    error::{self, not_found},
    ids::Id,
};

/// The viewer as a moderator.
///
/// # Errors
/// Forbidden.
pub fn moderator(ctx: &Context<'_>) -> Result<Moderator> {
    Moderator::of(ctx.viewer()).map_err(top)
}

/// What can be hidden.
#[derive(Union)]
pub enum Content {
    Post(Post),
    CaseStudy(CaseStudy),
    Comment(Comment),
}

/// Declares the input of an act with its reason.
macro_rules! act {
    ($input:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        #[derive(Clone, async_graphql::InputObject)]
        pub struct $input {
            $($(#[$meta])* pub $field: $type,)*
            /// Why; at most 500 characters. Those concerned and other moderators read it.
            pub reason: String,
            /// Says that the reason's author has looked at the places that seem to identify a person (the
            /// error `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant.
            #[graphql(default)]
            pub acknowledge_personal_data: bool,
            pub client_mutation_id: Option<String>,
        }

        impl $input {
            fn why(&self) -> $crate::error::Result<$crate::actions::audit::Reason> {
                $crate::actions::audit::Reason::parse("reason", &self.reason, self.acknowledge_personal_data.into())
            }
        }
    };
}

pub(super) use act;

act!(HideContentInput {
    /// A post, a case study or a comment.
    subject_id: ID
});
act!(RestoreContentInput { subject_id: ID });
act!(LockThreadInput { thread_id: ID });
act!(UnlockThreadInput { thread_id: ID });
act!(PinContributionInput { contribution_id: ID });
act!(UnpinContributionInput { contribution_id: ID });
act!(WarnMemberInput {
    member_id: ID,
    /// What it is about: a post, a case study or a comment of that member's.
    subject_id: Option<ID>
});
act!(SuspendMemberInput {
    member_id: ID,
    /// Without it, until the member is reinstated.
    until: Option<Timestamp>
});
act!(ReinstateMemberInput { member_id: ID });

payload!(HideContentPayload { content: Result<Content> });
payload!(RestoreContentPayload { content: Result<Content> });
payload!(LockThreadPayload { thread: Result<Thread> });
payload!(UnlockThreadPayload { thread: Result<Thread> });
payload!(PinContributionPayload { contribution: Result<Contribution> });
payload!(UnpinContributionPayload { contribution: Result<Contribution> });
payload!(WarnMemberPayload { member: Member });
payload!(SuspendMemberPayload { member: Member });
payload!(ReinstateMemberPayload { member: Member });

#[derive(Default)]
pub struct ModerationMutation;

#[Object]
impl ModerationMutation {
    /// Takes something from members' sight, until it is restored. Its author sees it, and why.
    async fn hide_content(&self, ctx: &Context<'_>, input: HideContentInput) -> Result<HideContentPayload> {
        let request = request("hideContent", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, content_id(&input.subject_id)?);
        let done = async { removal::hide(ctx.app(), &moderator, &id, &input.why()?, &request).await }.await;
        let content = content(ctx, &id).await;
        HideContentPayload::of(done, input.client_mutation_id, |_| content)
    }

    /// Brings back what was hidden, as it was.
    async fn restore_content(
        &self,
        ctx: &Context<'_>,
        input: RestoreContentInput,
    ) -> Result<RestoreContentPayload> {
        let request = request("restoreContent", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, content_id(&input.subject_id)?);
        let done =
            async { removal::restore(ctx.app(), &moderator, &id, &input.why()?, &request).await }.await;
        let content = content(ctx, &id).await;
        RestoreContentPayload::of(done, input.client_mutation_id, |_| content)
    }

    /// Nobody can add to a locked thread, nor change what they said in it; moderators can.
    async fn lock_thread(&self, ctx: &Context<'_>, input: LockThreadInput) -> Result<LockThreadPayload> {
        let request = request("lockThread", &input, input.client_mutation_id.as_ref());
        let done = lock(ctx, &input.thread_id, true, input.why(), &request).await?;
        LockThreadPayload::of(done, input.client_mutation_id, |done| thread(ctx, done))
    }

    async fn unlock_thread(
        &self,
        ctx: &Context<'_>,
        input: UnlockThreadInput,
    ) -> Result<UnlockThreadPayload> {
        let request = request("unlockThread", &input, input.client_mutation_id.as_ref());
        let done = lock(ctx, &input.thread_id, false, input.why(), &request).await?;
        UnlockThreadPayload::of(done, input.client_mutation_id, |done| thread(ctx, done))
    }

    /// Puts a contribution among the few that everybody is to see first: at most 3.
    async fn pin_contribution(
        &self,
        ctx: &Context<'_>,
        input: PinContributionInput,
    ) -> Result<PinContributionPayload> {
        let request = request("pinContribution", &input, input.client_mutation_id.as_ref());
        let id = contribution_id(&input.contribution_id)?;
        let done = pinned(ctx, &id, true, input.why(), &request).await?;
        let contribution = contribution(ctx, &id).await;
        PinContributionPayload::of(done, input.client_mutation_id, |_| contribution)
    }

    async fn unpin_contribution(
        &self,
        ctx: &Context<'_>,
        input: UnpinContributionInput,
    ) -> Result<UnpinContributionPayload> {
        let request = request("unpinContribution", &input, input.client_mutation_id.as_ref());
        let id = contribution_id(&input.contribution_id)?;
        let done = pinned(ctx, &id, false, input.why(), &request).await?;
        let contribution = contribution(ctx, &id).await;
        UnpinContributionPayload::of(done, input.client_mutation_id, |_| contribution)
    }

    /// Tells a member that something they did is not right here.
    async fn warn_member(&self, ctx: &Context<'_>, input: WarnMemberInput) -> Result<WarnMemberPayload> {
        let request = request("warnMember", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, member_id(&input.member_id)?);
        let about = input.subject_id.as_ref().map(content_id).transpose()?;
        let done =
            async { action::warn(ctx.app(), &moderator, &id, about.as_ref(), &input.why()?, &request).await }
                .await;
        WarnMemberPayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }

    /// Keeps a member out: their requests are refused from now on. Administrators are suspended by
    /// administrators, and nobody suspends themself.
    async fn suspend_member(
        &self,
        ctx: &Context<'_>,
        input: SuspendMemberInput,
    ) -> Result<SuspendMemberPayload> {
        let request = request("suspendMember", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, member_id(&input.member_id)?);
        let done =
            async { action::suspend(ctx.app(), &moderator, &id, input.until, &input.why()?, &request).await }
                .await;
        SuspendMemberPayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }

    /// Lets a suspended member in again.
    async fn reinstate_member(
        &self,
        ctx: &Context<'_>,
        input: ReinstateMemberInput,
    ) -> Result<ReinstateMemberPayload> {
        let request = request("reinstateMember", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, member_id(&input.member_id)?);
        let done =
            async { action::reinstate(ctx.app(), &moderator, &id, &input.why()?, &request).await }.await;
        ReinstateMemberPayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }
}

async fn lock(
    ctx: &Context<'_>,
    id: &ID,
    locked: bool,
    why: error::Result<Reason>,
    request: &Request,
) -> Result<error::Result<domain::thread::Thread>> {
    let moderator = moderator(ctx)?;
    let id = Id::parse(id).ok_or_else(|| top(not_found("thread")))?;
    Ok(async { action::lock(ctx.app(), &moderator, &id, locked, &why?, request).await }.await)
}

async fn pinned(
    ctx: &Context<'_>,
    id: &ContributionId,
    wanted: bool,
    why: error::Result<Reason>,
    request: &Request,
) -> Result<error::Result<domain::pin::Board>> {
    let moderator = moderator(ctx)?;
    Ok(async { pin::pin(ctx.app(), &moderator, id, wanted, &why?, request).await }.await)
}

fn content_id(id: &ID) -> Result<ContentId> {
    ContentId::parse(id).ok_or_else(|| top(not_found("content")))
}

fn contribution_id(id: &ID) -> Result<ContributionId> {
    ContributionId::parse(id).ok_or_else(|| top(not_found("contribution")))
}

pub fn member_id(id: &ID) -> Result<Id<domain::member::Member>> {
    Id::parse(id).ok_or_else(|| top(not_found("member")))
}

/// The thread as it is after an act.
fn thread(ctx: &Context<'_>, done: domain::thread::Thread) -> Result<Thread> {
    ctx.viewer().may_read::<domain::thread::Thread>().map_err(top)?;
    Ok(Thread(done.into()))
}

/// The contribution as it is after an act.
async fn contribution(ctx: &Context<'_>, id: &ContributionId) -> Result<Contribution> {
    Contribution::visible(ctx, id).await?.ok_or_else(|| top(not_found("contribution")))
}

/// The content as it is after an act.
async fn content(ctx: &Context<'_>, id: &ContentId) -> Result<Content> {
    let missing = || top(not_found("content"));
    match id {
        ContentId::Contribution(id) => {
            Ok(match Contribution::visible(ctx, id).await?.ok_or_else(missing)? {
                Contribution::Post(post) => Content::Post(post),
                Contribution::CaseStudy(case_study) => Content::CaseStudy(case_study),
            })
        }
        ContentId::Comment(id) => {
            let comment = node::visible_comment(ctx, Some(id.clone())).await?;
            comment.map(Comment).map(Content::Comment).ok_or_else(missing)
        }
    }
}
