//! Erasures: ask for one, call it off, and begin it when its time has come. A [job](crate::jobs) does the
//! rest.

use super::{
    access::{Administrator, Moderator, Viewer},
    audit::{Act, Concerned, Reason, acted, audited_of_erased},
    once::{Decision, Request, once},
    page::Listing,
    role,
};
use crate::{
    app::App,
    domain::{
        audit::AuditAction,
        erasure::{Erasure, Stage, Traces},
        job::{Job, Task},
        legal_hold::LegalHold,
        member::Member,
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    query::{Filter, Page},
    store::{Batch, Guard},
};

/// Has the viewer's account erased, after the days that the installation leaves to think again. They are
/// told by e-mail. What was asked for already stays so.
///
/// # Errors
/// `INVALID` unless the address is their own; `WRONG_STATE` for the last administrator.
pub async fn request(app: &App, viewer: &Viewer, email: &str, request: &Request) -> Result<Erasure> {
    once(app, viewer, request, || async {
        if !email.trim().eq_ignore_ascii_case(viewer.email.as_str()) {
            let message = "Enter the e-mail address of your account, so that it is not erased by mistake.";
            return Err(Error::refused("confirmEmail", Code::Invalid, message));
        }
        let member = app.store.one(&viewer.id).await?.ok_or_else(|| not_found("member"))?;
        let kept = role::without(app, &member, "confirmEmail").await?;
        let Decision { result, batch } =
            requested(app, &member, &viewer.id, app.config.retention.erasure_days).await?;
        let batch = if batch.is_empty() {
            batch
        } else {
            let mail = Task::SendErasureMail { erasure: result.id.clone() };
            batch.and(kept).insert(&Job::new(app.ids.fresh(), mail, app.clock.now()))
        };
        Ok(Decision { result, batch })
    })
    .await
}

/// Has somebody's account erased. What an administrator asked for already stays so; what the member asked
/// for is not theirs to call off any more.
///
/// # Errors
/// Not found; `WRONG_STATE` for the last administrator; `INVALID` for oneself.
pub async fn request_for(
    app: &App,
    administrator: &Administrator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Erasure> {
    once(app, administrator, request, || async {
        if *id == administrator.id {
            return Err(Error::refused("memberId", Code::Invalid, "Use eraseMyAccount for your own."));
        }
        let there = |member: &Member| member.owner.is_none();
        let member = app.store.one(id).await?.filter(there).ok_or_else(|| not_found("member"))?;
        let days = app.config.retention.erasure_by_administrator_days;
        let own = |erasure: &Erasure| erasure.waits() && erasure.by == *id;
        let earlier = app.store.one(&Erasure::id_of(id)).await?.filter(own);
        let Decision { result, batch } = match earlier {
            Some(mut erasure) => {
                erasure.taken_over(&administrator.id, days, app.clock.now());
                let batch = Batch::new().replace(&erasure).insert(&job(app, &erasure));
                Decision { result: erasure, batch }
            }
            None => requested(app, &member, &administrator.id, days).await?,
        };
        if batch.is_empty() {
            return Ok(Decision { result, batch });
        }
        let kept = role::without(app, &member, "memberId").await?;
        let act = Act::new(AuditAction::EraseMember, id.as_str()).because(reason);
        let told = acted(app, administrator, act, &Concerned::member(id));
        Ok(Decision { result, batch: batch.and(kept).and(told) })
    })
    .await
}

/// Nothing to write, when it was asked for before.
async fn requested(app: &App, member: &Member, by: &Id<Member>, days: i64) -> Result<Decision<Erasure>> {
    if let Some(result) = app.store.one(&Erasure::id_of(&member.id)).await? {
        return Ok(Decision { result, batch: Batch::new() });
    }
    let erasure = Erasure::requested(&member.id, by, days, app.clock.now());
    let batch = Batch::new().insert(&erasure).insert(&job(app, &erasure));
    Ok(Decision { result: erasure, batch })
}

/// What does it, once it is due.
pub(super) fn job(app: &App, erasure: &Erasure) -> Job {
    let task = Task::Erase { erasure: erasure.id.clone() };
    Job::new(app.ids.fresh(), task, app.clock.now()).at(erasure.due_at)
}

/// Calls the viewer's erasure off. Whoever has asked for none, or is to be erased by an administrator, finds
/// none.
///
/// # Errors
/// Not found.
pub async fn cancel(app: &App, viewer: &Viewer, request: &Request) -> Result<Member> {
    once(app, viewer, request, || async {
        let missing = || not_found("erasure to call off");
        let own = |erasure: &Erasure| erasure.by == viewer.id && erasure.waits();
        let found = app.store.one(&Erasure::id_of(&viewer.id)).await?;
        let erasure = found.filter(own).ok_or_else(missing)?;
        let member = app.store.one(&viewer.id).await?.ok_or_else(missing)?;
        let unbegun = Guard::Version(erasure.version);
        Ok(Decision { result: member, batch: Batch::new().delete(&erasure.id, unbegun) })
    })
    .await
}

/// The viewer's, and whether it has to wait.
///
/// # Errors
/// When the store fails.
pub async fn of_viewer(app: &App, viewer: &Viewer) -> Result<Option<(Erasure, bool)>> {
    let (erasure, hold) =
        futures_util::future::try_join(async { app.store.one(&Erasure::id_of(&viewer.id)).await }, async {
            app.store.one(&LegalHold::id_of(&viewer.id)).await
        })
        .await?;
    Ok(erasure.map(|erasure| (erasure, hold.is_some())))
}

/// All, latest first.
#[must_use]
pub fn all(_moderator: &Moderator) -> Listing<Erasure> {
    Listing { name: "erasures", filter: Filter::all(), order: Erasure::REQUESTED_AT.desc() }
}

/// Makes the member a former one, when nothing stands in the way: from this commit on nobody signs in as
/// them, and nothing of theirs is shown. `None`: it has to wait.
///
/// # Errors
/// When the store fails.
pub async fn begin(app: &App, mut erasure: Erasure) -> Result<Option<Batch>> {
    if app.store.one(&LegalHold::id_of(&erasure.member)).await?.is_some() {
        return Ok(None);
    }
    let now = app.clock.now();
    let Some(member) = app.store.one(&erasure.member).await? else {
        erasure.stage = Stage::Done;
        erasure.finished_at = Some(now);
        return Ok(Some(Batch::new().replace(&erasure)));
    };
    let kept = match role::without(app, &member, "memberId").await {
        Ok(kept) => kept,
        Err(Error::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let former = member.former(now).map_err(|problem| Error::Fault(problem.to_owned()))?;
    erasure.traces = Some(Traces::of(&member, shares_name(app, &member).await?));
    let own = erasure.by == erasure.member;
    erasure.advance(now);
    // Replaced at the version that it was looked at: a hold that is set at this moment writes it, too.
    let batch = Batch::new().replace(&former).replace(&erasure).and(kept);
    Ok(Some(if own { batch.and(audited_of_erased(app, &erasure.member)) } else { batch }))
}

/// Whether somebody else's name is, or begins with, this one.
async fn shares_name(app: &App, member: &Member) -> Result<bool> {
    let same = Member::named(&member.name);
    let found = app.store.find(same, Member::FOLDED_NAME.asc(), Page::first(2)).await?;
    Ok(found.iter().any(|other| other.id != member.id))
}
