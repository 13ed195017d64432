//! Who may do what: members' roles.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    context::{Ask, request},
    member::Member,
    moderation::member_id,
    payload::{payload, top},
};
use crate::{
    actions::{access::Administrator, audit::Reason, role as action},
    domain::member::Role,
};

#[derive(Clone, InputObject)]
pub struct SetRoleInput {
    pub member_id: ID,
    pub role: Role,
    /// Why; at most 500 characters. The member and moderators read it.
    pub reason: String,
    /// Says that the reason's author has looked at the places that seem to identify a person (the
    /// error `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

payload!(SetRolePayload { member: Member });

#[derive(Default)]
pub struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Gives a member another role, from their next request on. There is always an administrator: the
    /// last one can't be made something else.
    async fn set_role(&self, ctx: &Context<'_>, input: SetRoleInput) -> Result<SetRolePayload> {
        let request = request("setRole", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done = match Reason::parse("reason", &input.reason, input.acknowledge_personal_data.into()) {
            Ok(why) => action::set(ctx.app(), &administrator, &id, input.role, &why, &request).await,
            Err(problem) => Err(problem),
        };
        SetRolePayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }
}
