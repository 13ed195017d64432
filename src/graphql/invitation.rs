//! Invitations of lived experience partners.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    case_study::CaseStudy,
    context::{Ask, request},
    contribution::topics_of,
    member::Member,
    moderation::{act, moderator},
    payload::{payload, top},
    topic::Topic,
};
use crate::{
    actions::{
        access::Moderator,
        invitation::{self as action, NewInvitation},
    },
    clock::Timestamp,
    domain::{
        invitation::{self as domain, ShownState},
        standing,
    },
    error::not_found,
    ids::Id,
};

/// What a lived experience partner was invited to: what is about one of these topics, and these case
/// studies. What is outside is not there for them.
pub struct PartnerScope(pub standing::PartnerScope);

/// What a lived experience partner was invited to: what is about one of these topics, and these case
/// studies. What is outside is not there for them.
#[Object]
impl PartnerScope {
    async fn topics(&self, ctx: &Context<'_>) -> Result<Vec<Topic>> {
        topics_of(ctx, &self.0.topics).await
    }

    /// Those that can be seen now.
    async fn case_studies(&self, ctx: &Context<'_>) -> Result<Vec<CaseStudy>> {
        let found = self.0.case_studies.iter().map(|id| CaseStudy::visible(ctx, id));
        Ok(futures_util::future::try_join_all(found).await?.into_iter().flatten().collect())
    }
}

/// Somebody of the team invited a named person, at whatever address.
pub struct Invitation(pub Arc<domain::Invitation>);

/// Somebody of the team invited a named person, at whatever address. For moderators.
#[Object]
impl Invitation {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Who invites.
    async fn sponsor(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.sponsor).await
    }

    /// To what; none: to everything.
    async fn scope(&self) -> Option<PartnerScope> {
        self.0.scope.clone().map(PartnerScope)
    }

    async fn state(&self, ctx: &Context<'_>) -> ShownState {
        self.0.shown_state(ctx.app().clock.now())
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Until when it can be accepted.
    async fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// Until when who accepts takes part.
    async fn access_ends_at(&self) -> Timestamp {
        self.0.access_ends_at
    }

    async fn accepted_at(&self) -> Option<Timestamp> {
        self.0.accepted_at
    }

    /// The partner that whoever accepted it became.
    async fn accepted_by(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match &self.0.accepted_by {
            None => Ok(None),
            Some(id) => Member::visible(ctx, id).await,
        }
    }

    async fn revoked_at(&self) -> Option<Timestamp> {
        self.0.revoked_at
    }
}

impl Invitation {
    /// The invitation, for moderators.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Invitation>) -> Result<Option<Self>> {
        if Moderator::of(ctx.viewer()).is_err() {
            return Ok(None);
        }
        Ok(ctx.loaders().invitation(id).await.map_err(top)?.map(Self))
    }
}

impl From<domain::Invitation> for Invitation {
    fn from(invitation: domain::Invitation) -> Self {
        Self(Arc::new(invitation))
    }
}

#[derive(Clone, InputObject)]
pub struct CreateInvitationInput {
    /// Any address, of somebody who is no member.
    pub email: String,
    /// As everybody will see it; at most 100 characters.
    pub name: String,
    /// What is about one of these topics, at most 20. Without topics and case studies, everything.
    pub topic_ids: Option<Vec<ID>>,
    /// These case studies, at most 20.
    pub case_study_ids: Option<Vec<ID>>,
    /// Until when it can be accepted, at most 90 days; by default as the installation says.
    pub expires_at: Option<Timestamp>,
    /// Until when who accepts takes part, at most 3 years; by default as the installation says.
    pub access_ends_at: Option<Timestamp>,
    /// Says that whoever invites has looked at the places in the name that seem to identify a person (the
    /// error `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

act!(RevokeInvitationInput { id: async_graphql::ID });

payload!(CreateInvitationPayload { invitation: Invitation });
payload!(RevokeInvitationPayload { invitation: Invitation });

#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites a lived experience partner: the viewer is their sponsor. They get an e-mail in plain language,
    /// with a link that one can accept with once.
    async fn create_invitation(
        &self,
        ctx: &Context<'_>,
        input: CreateInvitationInput,
    ) -> Result<CreateInvitationPayload> {
        let request = request("createInvitation", &input, input.client_mutation_id.as_ref());
        let ids = |ids: Option<Vec<ID>>| ids.map(|ids| ids.into_iter().map(|id| id.0).collect());
        let new = NewInvitation {
            email: input.email,
            name: input.name,
            topics: ids(input.topic_ids),
            case_studies: ids(input.case_study_ids),
            expires_at: input.expires_at,
            access_ends_at: input.access_ends_at,
            acknowledged: input.acknowledge_personal_data.into(),
        };
        let done = action::create(ctx.app(), &moderator(ctx)?, &new, &request).await;
        CreateInvitationPayload::of(done, input.client_mutation_id, Invitation::from)
    }

    /// Takes an invitation back. The access of whoever has accepted it ends at once.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload> {
        let request = request("revokeInvitation", &input, input.client_mutation_id.as_ref());
        let moderator = moderator(ctx)?;
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("invitation")))?;
        let done = match input.why() {
            Ok(why) => action::revoke(ctx.app(), &moderator, &id, &why, &request).await,
            Err(problem) => Err(problem),
        };
        RevokeInvitationPayload::of(done, input.client_mutation_id, Invitation::from)
    }
}
