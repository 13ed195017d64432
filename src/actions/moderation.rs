//! What moderators do to threads and to members. Each act has a reason, an entry in the audit log, and
//! is told to whom it concerns.

use super::{
    access::Moderator,
    audit::{Act, Concerned, Reason, acted},
    contribution::discussed,
    once::{Decision, Request, once},
    removal::Content,
    role,
};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        audit::{AuditAction, Facts},
        member::Member,
        moderation::{ContentId, Suspension, out_of_reach},
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
        let action = if locked { AuditAction::LockThread } else { AuditAction::UnlockThread };
        let act = Act::new(action, id.as_str()).because(reason);
        let act = act.changed(Facts::locked(thread.locked), Facts::locked(locked));
        let told = acted(app, moderator, act, &Concerned::contribution(&subject));
        let unchanged = Guard::Version(thread.version);
        let batch = Batch::new().patch(&thread.id, unchanged, [Thread::LOCKED.set(locked)]).and(told);
        thread.locked = locked;
        Ok(Decision { result: thread, batch })
    })
    .await
}

/// Tells a member that something they did is not right here: perhaps `about` something that they wrote.
///
/// # Errors
/// Not found; `INVALID` when somebody else wrote it.
pub async fn warn(
    app: &App,
    moderator: &Moderator,
    id: &Id<Member>,
    about: Option<&ContentId>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, moderator, request, || async {
        let member = member(app, id).await?;
        let mut concerned = Concerned::member(id);
        if let Some(about) = about {
            let content = Content::find(app, moderator, about).await?;
            if !content.concerned().members.contains(&id) {
                let message = "The member did not write this. Choose something of theirs.";
                return Err(Error::refused("subjectId", Code::Invalid, message));
            }
            concerned.thread = content.thread.id;
        }
        let about = about.map(ContentId::as_str);
        let act = Act::new(AuditAction::WarnMember, id.as_str()).about(about).because(reason);
        let batch = acted(app, moderator, act, &concerned);
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
        let member = within_reach(app, moderator, id).await?;
        let now = app.clock.now();
        if until.is_some_and(|until| until <= now) {
            return Err(Error::refused("until", Code::Invalid, "Choose a time that is to come."));
        }
        if member.suspended(now).is_some_and(|before| before.until == until) {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        let after =
            Suspension { until, reason: reason.as_str().to_owned(), by: moderator.id.clone(), at: now };
        let act = Act::new(AuditAction::SuspendMember, id.as_str()).because(reason);
        let kept = role::without(app, &member, "memberId").await?;
        let mut decision = with_suspension(app, moderator, member, Some(after), act);
        decision.batch = decision.batch.and(kept);
        Ok(decision)
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
        let member = within_reach(app, moderator, id).await?;
        if member.suspended(app.clock.now()).is_none() {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        let act = Act::new(AuditAction::ReinstateMember, id.as_str()).because(reason);
        Ok(with_suspension(app, moderator, member, None, act))
    })
    .await
}

/// The member with this suspension in place of the one that holds.
fn with_suspension(
    app: &App,
    moderator: &Moderator,
    mut member: Member,
    after: Option<Suspension>,
    act: Act<'_>,
) -> Decision<Member> {
    let act = act.changed(facts(member.suspended(app.clock.now())), facts(after.as_ref()));
    let told = acted(app, moderator, act, &Concerned::member(&member.id));
    member.suspension = after;
    let batch = Batch::new().replace(&member).and(told);
    Decision { result: member, batch }
}

fn facts(suspension: Option<&Suspension>) -> Facts {
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
