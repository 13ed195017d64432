//! What follows to a successor.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{
    context::{Ask, request},
    member::Member,
    moderation::act,
    organisation::{Organisation, administrator, organisation_id},
    payload::{payload, top},
};
use crate::{
    actions::{
        access::Administrator,
        succession::{self as action, Wish},
    },
    clock::Timestamp,
    domain::succession::{self as domain, Moved},
    ids::Id,
};

/// People of an organisation, and what they wrote, on their way to a successor: for administrators.
pub struct Succession(pub Arc<domain::Succession>);

/// People of an organisation, and what they wrote, on their way to a successor: for administrators.
#[Object]
impl Succession {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, Some(&self.0.from)).await
    }

    async fn successor(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, Some(&self.0.to)).await
    }

    /// How much has followed so far.
    async fn moved(&self) -> Moved {
        self.0.moved
    }

    /// Who asked for it.
    async fn by(&self, ctx: &Context<'_>) -> Result<Member> {
        Member::load(ctx, &self.0.by).await
    }

    async fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    /// None while something may still follow.
    async fn finished_at(&self) -> Option<Timestamp> {
        self.0.finished_at
    }
}

impl Succession {
    /// The succession, for administrators.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Succession>) -> Result<Option<Self>> {
        let Ok(administrator) = Administrator::of(ctx.viewer()) else { return Ok(None) };
        Ok(action::of_id(ctx.app(), &administrator, id).await.map_err(top)?.map(Self::from))
    }
}

impl From<domain::Succession> for Succession {
    fn from(succession: domain::Succession) -> Self {
        Self(Arc::new(succession))
    }
}

act!(MoveToSuccessorInput {
    organisation_id: ID,
    /// One of its successors.
    successor_id: ID,
    /// Whether its people follow.
    #[graphql(default = true)]
    people: bool,
    /// Only these of its people follow, for an organisation that was split; at most 100.
    member_ids: Option<Vec<ID>>,
    /// Whether its posts, case studies and records of adoption follow.
    #[graphql(default = true)]
    content: bool
});

payload!(MoveToSuccessorPayload { succession: Succession });

#[derive(Default)]
pub struct SuccessionMutation;

#[Object]
impl SuccessionMutation {
    /// Has the people of an organisation, and what they wrote, follow to one of its successors, in the
    /// background. For administrators. Asked for again, it moves what has come since.
    async fn move_to_successor(
        &self,
        ctx: &Context<'_>,
        input: MoveToSuccessorInput,
    ) -> Result<MoveToSuccessorPayload> {
        let request = request("moveToSuccessor", &input, input.client_mutation_id.as_ref());
        let (administrator, from) = (administrator(ctx)?, organisation_id(&input.organisation_id)?);
        let members: Option<Vec<String>> =
            input.member_ids.as_ref().map(|ids| ids.iter().map(|id| id.0.clone()).collect());
        let wish = Wish {
            from: &from,
            to: &input.successor_id,
            people: input.people,
            members: members.as_deref(),
            content: input.content,
        };
        let begun = match input.why() {
            Ok(why) => action::begin(ctx.app(), &administrator, &wish, &why, &request).await,
            Err(problem) => Err(problem),
        };
        MoveToSuccessorPayload::of(begun, input.client_mutation_id, Succession::from)
    }
}
