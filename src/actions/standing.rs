//! Accepting the rules, and letting those in who await approval.

use chrono::TimeDelta;

use super::{
    access::{Moderator, Viewer},
    audit::{Act, Concerned, Reason, acted},
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        audit::{AuditAction, Facts},
        job::{Job, Task},
        member::Member,
        standing::MemberState,
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    store::Batch,
};

/// The viewer accepts the rules of this version, with the notice on freedom of information.
///
/// # Errors
/// `WRONG_STATE` when the rules have another version now.
pub async fn accept_rules(app: &App, viewer: &Viewer, version: &str, request: &Request) -> Result<Member> {
    once(app, viewer, request, || async {
        if version != app.config.rules.version {
            let message = "These are not the rules that hold now. Read those, and accept them.";
            return Err(Error::refused("version", Code::WrongState, message));
        }
        let mut member = app.store.one(&viewer.id).await?.ok_or_else(|| not_found("member"))?;
        if member.standing.has_accepted(version) {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        member.standing.accept(version, app.clock.now());
        let batch = Batch::new().replace(&member);
        member.version += 1;
        Ok(Decision { result: member, batch })
    })
    .await
}

/// Those who await approval, who has waited longest first.
#[must_use]
pub fn awaiting(_moderator: &Moderator) -> Listing<Member> {
    Listing {
        name: "membersAwaitingApproval",
        filter: Member::awaiting_approval(),
        order: Member::ASKED_AT.asc(),
    }
}

/// Lets somebody take part who asked to join, also when they were refused before. Who takes part already
/// goes on.
///
/// # Errors
/// Not found.
pub async fn approve(
    app: &App,
    moderator: &Moderator,
    id: &Id<Member>,
    reason: Option<&Reason>,
    request: &Request,
) -> Result<Member> {
    once(app, moderator, request, || async {
        let mut member = member(app, id).await?;
        let before = member.standing.state;
        if before == MemberState::Active {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        member.standing.state = MemberState::Active;
        member.standing.refused_until = None;
        Ok(decided(app, moderator, member, before, AuditAction::ApproveMember, reason))
    })
    .await
}

/// Refuses somebody who asked to join. For some time, they can't ask again.
///
/// # Errors
/// Not found; `WRONG_STATE` for who takes part.
pub async fn refuse(
    app: &App,
    moderator: &Moderator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, moderator, request, || async {
        let mut member = member(app, id).await?;
        let before = member.standing.state;
        match before {
            MemberState::AwaitingApproval => {}
            MemberState::Refused => return Ok(Decision { result: member, batch: Batch::new() }),
            MemberState::Active => {
                let message = "They take part already. Suspend them, if they must not.";
                return Err(Error::refused("memberId", Code::WrongState, message));
            }
        }
        let days = TimeDelta::days(app.config.sign_in.refused_days);
        member.standing.state = MemberState::Refused;
        member.standing.refused_until = Some(app.clock.now().plus(days));
        Ok(decided(app, moderator, member, before, AuditAction::RefuseMember, Some(reason)))
    })
    .await
}

/// The decision with its entry in the audit log. Who it is about is told by e-mail: they may not be let in
/// to read it here.
fn decided(
    app: &App,
    moderator: &Moderator,
    mut member: Member,
    before: MemberState,
    action: AuditAction,
    reason: Option<&Reason>,
) -> Decision<Member> {
    let (before, after) = (Facts::membership(before), Facts::membership(member.standing.state));
    let act = Act::new(action, member.id.as_str()).changed(before, after);
    let act = match reason {
        Some(reason) => act.because(reason),
        None => act,
    };
    let mail = Task::SendDecision { member: member.id.clone() };
    let batch = Batch::new()
        .replace(&member)
        .and(acted(app, moderator, act, &Concerned::nobody()))
        .insert(&Job::new(app.ids.fresh(), mail, app.clock.now()));
    member.version += 1;
    Decision { result: member, batch }
}

async fn member(app: &App, id: &Id<Member>) -> Result<Member> {
    app.store.one(id).await?.ok_or_else(|| not_found("member"))
}
