//! Members' roles. They hold from the next request on, as every request loads its member.

use super::{
    access::Administrator,
    audit::{Act, Concerned, Reason, acted, acted_by_operator},
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{
        administrators::Administrators,
        audit::{AuditAction, Facts},
        member::{Member, Role},
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    query::{Order, Page},
    store::Batch,
};

/// Administrators that are looked at for one who stays.
const LOOKED_AT: usize = 100;

/// Gives a member a role. Whoever has it already keeps it.
///
/// # Errors
/// Not found; refused for the last administrator.
pub async fn set(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    role: Role,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, administrator, request, || async {
        let member = app.store.one(id).await?.ok_or_else(|| not_found("member"))?;
        if member.is_former() {
            let message = "There is nobody behind this account any more.";
            return Err(Error::refused("memberId", Code::WrongState, message));
        }
        if member.role == role {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        let told = acted(app, administrator, act(&member, role, Some(reason)), &Concerned::member(id));
        changed(app, member, role, told).await
    })
    .await
}

/// The same, done by an operator of the installation. Not written yet.
pub(super) async fn granted(app: &App, member: Member, role: Role) -> Result<Decision<Member>> {
    let told = acted_by_operator(app, act(&member, role, None), &Concerned::member(&member.id));
    changed(app, member, role, told).await
}

async fn changed(app: &App, mut member: Member, role: Role, told: Batch) -> Result<Decision<Member>> {
    let kept = match role {
        Role::Administrator => Batch::new(),
        _ => without(app, &member, "role").await?,
    };
    member.role = role;
    let batch = Batch::new().replace(&member).and(kept).and(told);
    Ok(Decision { result: member, batch })
}

fn act<'a>(member: &'a Member, role: Role, reason: Option<&'a Reason>) -> Act<'a> {
    let act = Act::new(AuditAction::SetRole, member.id.as_str());
    let act = act.changed(Facts::role(member.role), Facts::role(role));
    match reason {
        Some(reason) => act.because(reason),
        None => act,
    }
}

/// What belongs into the commit in which somebody stops being an administrator, or is kept out: that
/// somebody else runs the service then.
///
/// # Errors
/// Refused for the last administrator who may use the service.
pub(super) async fn without(app: &App, member: &Member, field: &str) -> Result<Batch> {
    if member.role != Role::Administrator {
        return Ok(Batch::new());
    }
    // Before the look at who is left, so that whatever is committed after that look is noticed.
    let guard = app.store.one(&Administrators::all()).await?;
    let filter = Member::ROLE.eq(Role::Administrator);
    let all = app.store.find(filter, Order::by_id(), Page::first(LOOKED_AT)).await?;
    let now = app.clock.now();
    if !all.iter().any(|other| other.id != member.id && other.suspended(now).is_none()) {
        let why = "There has to be an administrator. Make somebody else one first.";
        return Err(Error::refused(field, Code::WrongState, why));
    }
    Ok(match guard {
        Some(guard) => Batch::new().replace(&guard),
        None => Batch::new().insert(&Administrators::first()),
    })
}
