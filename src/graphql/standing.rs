//! Who takes part: the rules that everybody accepts, and those whom a moderator has yet to let in.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{
    context::{Ask, request},
    member::Member,
    moderation::{act, member_id, moderator},
    payload::payload,
};
use crate::{
    actions::{audit::Reason, standing as action},
    app::App,
    clock::Timestamp,
    domain::{member as domain, standing::MemberState},
};

/// What everybody reads and accepts before they take part, in Markdown.
#[derive(SimpleObject)]
pub struct Rules {
    /// What `acceptRules` takes. Another version has to be accepted anew.
    pub version: String,
    /// The rules of the community.
    pub community: String,
    /// What the Freedom of Information Act means for what members write.
    pub freedom_of_information: String,
}

impl Rules {
    #[must_use]
    pub fn of(app: &App) -> Self {
        let rules = app.config.rules.clone();
        Self {
            version: rules.version,
            community: rules.community,
            freedom_of_information: rules.freedom_of_information,
        }
    }
}

/// Somebody who asked to join.
pub struct Applicant(pub Arc<domain::Member>);

/// Somebody who asked to join. For moderators.
#[Object]
impl Applicant {
    async fn member(&self) -> Member {
        Member(Arc::clone(&self.0))
    }

    /// The address that they have shown to read the mail of.
    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    async fn asked_at(&self) -> Option<Timestamp> {
        self.0.standing.asked_at
    }
}

#[derive(Clone, InputObject)]
pub struct AcceptRulesInput {
    /// Of the rules that were read.
    pub version: String,
    pub client_mutation_id: Option<String>,
}

payload!(AcceptRulesPayload { state: MemberState });

#[derive(Clone, InputObject)]
pub struct ApproveMemberInput {
    pub member_id: async_graphql::ID,
    /// Why, if there is something to say; at most 500 characters. The member and other moderators read it.
    pub reason: Option<String>,
    /// Says that the reason's author has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

act!(RefuseMemberInput { member_id: async_graphql::ID });

payload!(ApproveMemberPayload { member: Member });
payload!(RefuseMemberPayload { member: Member });

#[derive(Default)]
pub struct StandingMutation;

#[Object]
impl StandingMutation {
    /// Accepts the community rules, and the notice on freedom of information. The payload says whether
    /// the viewer takes part now, or awaits approval.
    async fn accept_rules(&self, ctx: &Context<'_>, input: AcceptRulesInput) -> Result<AcceptRulesPayload> {
        let request = request("acceptRules", &input, input.client_mutation_id.as_ref());
        let done = action::accept_rules(ctx.app(), ctx.viewer(), &input.version, &request).await;
        AcceptRulesPayload::of(done, input.client_mutation_id, |member| member.standing.state)
    }

    /// Lets somebody take part who asked to join, also when they were refused before. They get an e-mail.
    async fn approve_member(
        &self,
        ctx: &Context<'_>,
        input: ApproveMemberInput,
    ) -> Result<ApproveMemberPayload> {
        let request = request("approveMember", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, member_id(&input.member_id)?);
        let acknowledged = input.acknowledge_personal_data.into();
        let why = input.reason.as_deref().map(|reason| Reason::parse("reason", reason, acknowledged));
        let done = match why.transpose() {
            Ok(why) => action::approve(ctx.app(), &moderator, &id, why.as_ref(), &request).await,
            Err(problem) => Err(problem),
        };
        ApproveMemberPayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }

    /// Refuses somebody who asked to join. They get an e-mail with the reason, and without who decided; for
    /// some time they can't ask again.
    async fn refuse_member(
        &self,
        ctx: &Context<'_>,
        input: RefuseMemberInput,
    ) -> Result<RefuseMemberPayload> {
        let request = request("refuseMember", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, member_id(&input.member_id)?);
        let done = match input.why() {
            Ok(why) => action::refuse(ctx.app(), &moderator, &id, &why, &request).await,
            Err(problem) => Err(problem),
        };
        RefuseMemberPayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }
}
