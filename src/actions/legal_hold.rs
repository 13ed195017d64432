//! Legal holds: set one, lift it, list them.

use super::{
    access::{Administrator, Moderator},
    audit::{Act, Concerned, Reason, acted},
    erasure,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{audit::AuditAction, erasure::Erasure, legal_hold::LegalHold, member::Member},
    error::{Code, Error, Result, not_found},
    ids::Id,
    query::Filter,
    store::{Batch, Guard},
};

/// Keeps everything of a member's until it is lifted: an erasure waits, and nothing of theirs is forgotten.
/// Nobody but administrators and moderators is told. A hold that is set already stays as it is.
///
/// # Errors
/// Not found; `WRONG_STATE` when the member is being erased already.
pub async fn set(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, administrator, request, || async {
        let member = app.store.one(id).await?.ok_or_else(|| not_found("member"))?;
        let hold_id = LegalHold::id_of(id);
        let erasure = app.store.one(&Erasure::id_of(id)).await?;
        if app.store.one(&hold_id).await?.is_some() {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        if erasure.as_ref().is_some_and(|erasure| !erasure.waits()) {
            let message = "The member is erased, or is being erased at this moment.";
            return Err(Error::refused("memberId", Code::WrongState, message));
        }
        let (by, at) = (administrator.id.clone(), app.clock.now());
        let reason_of_it = reason.as_str().to_owned();
        let hold = LegalHold { id: hold_id, version: 1, member: id.clone(), reason: reason_of_it, by, at };
        let act = Act::new(AuditAction::SetLegalHold, id.as_str()).because(reason);
        let batch = Batch::new().insert(&hold).and(acted(app, administrator, act, &Concerned::nobody()));
        // Written, so that an erasure that begins at this moment looks again.
        let batch = erasure.iter().fold(batch, Batch::replace);
        Ok(Decision { result: member, batch })
    })
    .await
}

/// Lifts a hold. An erasure that waited for that is looked at again. Where there is none, it stays so.
///
/// # Errors
/// Not found.
pub async fn lift(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, administrator, request, || async {
        let member = app.store.one(id).await?.ok_or_else(|| not_found("member"))?;
        let Some(hold) = app.store.one(&LegalHold::id_of(id)).await? else {
            return Ok(Decision { result: member, batch: Batch::new() });
        };
        let act = Act::new(AuditAction::LiftLegalHold, id.as_str()).because(reason);
        let batch = Batch::new().delete(&hold.id, Guard::Version(hold.version)).and(acted(
            app,
            administrator,
            act,
            &Concerned::nobody(),
        ));
        let erasure = app.store.one(&Erasure::id_of(id)).await?;
        let due = erasure.filter(Erasure::waits).map(|erasure| erasure::job(app, &erasure));
        Ok(Decision { result: member, batch: due.iter().fold(batch, Batch::insert) })
    })
    .await
}

/// Whether what these wrote may be deleted.
///
/// # Errors
/// `WRONG_STATE` while one of them is under a hold.
pub(super) async fn not_held(app: &App, authors: impl Iterator<Item = &Id<Member>>) -> Result<()> {
    let holds: Vec<Id<LegalHold>> = authors.map(LegalHold::id_of).collect();
    match app.store.get(&holds).await?.into_iter().flatten().next() {
        None => Ok(()),
        Some(_) => {
            let message = "This has to be kept for now, for legal reasons. A moderator can hide it.";
            Err(Error::refused("id", Code::WrongState, message))
        }
    }
}

/// All, latest first.
#[must_use]
pub fn all(_moderator: &Moderator) -> Listing<LegalHold> {
    Listing { name: "legalHolds", filter: Filter::all(), order: LegalHold::AT.desc() }
}
