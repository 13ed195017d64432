//! Removing factors: one by oneself, or all of somebody who has lost theirs.

use super::{audited, changing, of_member, stored, told};
use crate::{
    actions::{
        ROUNDS,
        access::{Administrator, Viewer},
        audit::{Act, Concerned, Reason, acted, acted_by_operator},
        lost_every_round, member,
        once::{Decision, Request, once},
        pause, session,
    },
    app::App,
    domain::{
        audit::{AuditAction, Facts},
        email::EmailAddress,
        member::Member,
        second_factor::{Factor, FactorNews},
    },
    error::{Code, Error, Result, StoreError, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard},
};

/// Removes a factor of the viewer. With the last one their recovery codes go, and sessions are none that
/// have shown one. Returns the viewer.
///
/// # Errors
/// `SECOND_FACTOR_REQUIRED`; not found.
pub async fn remove(app: &App, viewer: &Viewer, id: &Id<Factor>, request: &Request) -> Result<Member> {
    let member = once(app, viewer, request, || async {
        let gone = || not_found("second factor");
        let mut factors = of_member(app, &viewer.id).await?.ok_or_else(gone)?;
        changing(app, viewer, Some(&factors))?;
        let removed = factors.remove(id).ok_or_else(gone)?;
        let left = factors.factors.len();
        let mut member = stored(app, viewer).await?;
        let batch = if left == 0 {
            member.second_factor = None;
            Batch::new().delete(&factors.id, Guard::Version(factors.version)).replace(&member)
        } else {
            Batch::new().replace(&factors)
        };
        let batch = batch.and(told(app, &member, FactorNews::Removed(removed.kind()))).and(audited(
            app,
            viewer,
            AuditAction::RemoveSecondFactor,
            left + 1,
            left,
        ));
        Ok(Decision { result: member, batch })
    })
    .await?;
    tracing::info!(member = %viewer.id, factor = %id, "a second factor is removed");
    Ok(member)
}

/// Takes all factors off a member who has lost them, and ends their sessions: they sign in by e-mail alone,
/// and register new ones.
///
/// # Errors
/// Not found; forbidden for oneself: whoever can show a factor removes the others.
pub async fn reset(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    if administrator.id == *id {
        return Err(forbidden("Remove your own second factors one by one, at /second-factor."));
    }
    let member = once(app, administrator, request, || async {
        app.store.one(id).await?.ok_or_else(|| not_found("member"))?;
        let act = Act::new(AuditAction::ResetSecondFactor, id.as_str()).because(reason);
        without(app, id, |act, concerned| acted(app, administrator, act, concerned), act).await
    })
    .await?;
    tracing::info!(member = %id, "the second factors of a member are reset");
    Ok(member)
}

/// The same, done by an operator of the installation: for an administrator whom no other can help.
///
/// # Errors
/// `Refused` for an address that is malformed or no member's.
pub async fn reset_by_operator(app: &App, email: &str) -> Result<Member> {
    let refused = |code, problem: &str| Error::refused("email", code, problem);
    let email = EmailAddress::parse(email).map_err(|problem| refused(Code::Invalid, problem))?;
    for round in 0..ROUNDS {
        let found = member::with_address(app, &email.key()).await?;
        let id = found.ok_or_else(|| refused(Code::Unknown, "No member has this address."))?.id;
        let act = Act::new(AuditAction::ResetSecondFactor, id.as_str());
        let told = |act: Act<'_>, concerned: &Concerned<'_>| acted_by_operator(app, act, concerned);
        let Decision { result, batch } = without(app, &id, told, act).await?;
        match app.store.commit(batch).await {
            Ok(()) => return Ok(result),
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// The member without factors and sessions. Whoever has no factor keeps their sessions.
async fn without(
    app: &App,
    id: &Id<Member>,
    audited: impl Fn(Act<'_>, &Concerned<'_>) -> Batch,
    act: Act<'_>,
) -> Result<Decision<Member>> {
    let known = of_member(app, id).await?;
    let Some(factors) = known else {
        let member = app.store.one(id).await?.ok_or_else(|| not_found("member"))?;
        return Ok(Decision { result: member, batch: Batch::new() });
    };
    let act = act.changed(Facts::second_factors(factors.factors.len()), Facts::second_factors(0));
    let ended = session::ending_all(app, id, |member| member.second_factor = None).await?;
    let batch = ended
        .batch
        .delete(&factors.id, Guard::Version(factors.version))
        .and(told(app, &ended.result, FactorNews::Reset))
        .and(audited(act, &Concerned::member(id)));
    Ok(Decision { result: ended.result, batch })
}
