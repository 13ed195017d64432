//! What moderators do to threads and to members. Each act has a reason, an entry in the audit log, and
//! is told to whom it concerns.

use super::{
    access::Moderator,
    audit::{Act, Concerned, Reason, acted},
    contribution::discussed,
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        audit::{AuditAction, Facts},
        member::Member,
        moderation::{Suspension, out_of_reach},
        thread::Thread,
    },
    error::{Code, Error, Result, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard},
};

/// Locks a thread, so that nobody adds to it, or unlocks it. One that is so already stays so.
///
/// # Errors
/// Not found.
pub async fn lock(
    app: &App,
    moderator: &Moderator,
    id: &Id<Thread>,
    locked: bool,
    reason: &Reason,
    request: &Request,
) -> Result<Thread> {
    once(app, moderator, request, || async {
        let (mut thread, subject) = discussed(app, moderator, id).await?;
        if thread.locked == locked {
            return Ok(Decision { result: thread, batch: Batch::new() });
        }
        let act = Act {
            action: if locked { AuditAction::LockThread } else { AuditAction::UnlockThread },
            subject: thread.id.as_str(),
            reason: Some(reason.as_str()),
            before: Facts::locked(thread.locked),
            after: Facts::locked(locked),
        };
        let told = acted(app, moderator, act, &Concerned::contribution(&subject));
        let unchanged = Guard::Version(thread.version);
        let batch = Batch::new().patch(&thread.id, unchanged, [Thread::LOCKED.set(locked)]).and(told);
        thread.locked = locked;
        Ok(Decision { result: thread, batch })
    })
    .await
}

/// Tells a member that something they did is not right here.
///
/// # Errors
/// Not found.
pub async fn warn(
    app: &App,
    moderator: &Moderator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, moderator, request, || async {
        let member = member(app, id).await?;
        let (before, after) = (Facts::default(), Facts::default());
        let act = Act {
            action: AuditAction::WarnMember,
            subject: id.as_str(),
            reason: Some(reason.as_str()),
            before,
            after,
        };
        let batch = acted(app, moderator, act, &Concerned::member(&member.id));
        Ok(Decision { result: member, batch })
    })
    .await
}

/// Keeps a member out, until a moment or until they are reinstated. Whoever is kept out as long
/// already stays so.
///
/// # Errors
/// Not found; forbidden for oneself and, unless by administrators, for administrators; `INVALID` when
/// the moment has passed.
pub async fn suspend(
    app: &App,
    moderator: &Moderator,
    id: &Id<Member>,
    until: Option<Timestamp>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, moderator, request, || async {
        let mut member = within_reach(app, moderator, id).await?;
        let now = app.clock.now();
        if until.is_some_and(|until| until <= now) {
            return Err(Error::refused("until", Code::Invalid, "Choose a time that is to come."));
        }
        let before = member.suspended(now).cloned();
        if before.as_ref().is_some_and(|before| before.until == until) {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        let after =
            Suspension { until, reason: reason.as_str().to_owned(), by: moderator.id.clone(), at: now };
        let act = Act {
            action: AuditAction::SuspendMember,
            subject: id.as_str(),
            reason: Some(reason.as_str()),
            before: suspension(before.as_ref()),
            after: suspension(Some(&after)),
        };
        let told = acted(app, moderator, act, &Concerned::member(id));
        member.suspension = Some(after);
        let batch = Batch::new().replace(&member).and(told);
        Ok(Decision { result: member, batch })
    })
    .await
}

/// Lets a suspended member in again. Whoever is not suspended stays so.
///
/// # Errors
/// Not found; forbidden for oneself and, unless by administrators, for administrators.
pub async fn reinstate(
    app: &App,
    moderator: &Moderator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, moderator, request, || async {
        let mut member = within_reach(app, moderator, id).await?;
        let before = member.suspended(app.clock.now()).cloned();
        let Some(before) = before else {
            return Ok(Decision { result: member, batch: Batch::new() });
        };
        let act = Act {
            action: AuditAction::ReinstateMember,
            subject: id.as_str(),
            reason: Some(reason.as_str()),
            before: suspension(Some(&before)),
            after: suspension(None),
        };
        let told = acted(app, moderator, act, &Concerned::member(id));
        member.suspension = None;
        let batch = Batch::new().replace(&member).and(told);
        Ok(Decision { result: member, batch })
    })
    .await
}

fn suspension(suspension: Option<&Suspension>) -> Facts {
    Facts {
        suspended: Some(suspension.is_some()),
        suspended_until: suspension.and_then(|suspension| suspension.until),
        ..Facts::default()
    }
}

async fn member(app: &App, id: &Id<Member>) -> Result<Member> {
    app.store.one(id).await?.ok_or_else(|| not_found("member"))
}

async fn within_reach(app: &App, moderator: &Moderator, id: &Id<Member>) -> Result<Member> {
    let member = member(app, id).await?;
    match out_of_reach(moderator, &member) {
        None => Ok(member),
        Some(why) => Err(forbidden(why)),
    }
}
