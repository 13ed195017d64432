//! Second factors: register, show, remove. What a session showed lasts as long as the session does.

mod adding;
mod removing;
mod showing;

use chrono::TimeDelta;

pub(super) use self::showing::asking;
pub use self::{
    adding::{Added, Wish, add_passkey, add_totp, enrolment, renew_codes, start_passkey, start_totp},
    removing::{remove, reset, reset_by_operator},
    showing::{Answer, Asked, Method, answer, asked, show, start_showing},
};
use super::{
    access::{SignedIn, Viewer, second_factor_required},
    audit::{Act, Concerned, acted},
};
use crate::{
    app::App,
    domain::{
        audit::{AuditAction, Facts},
        job::{Job, Task},
        member::{Member, Role},
        second_factor::{FRESH_MINUTES, FactorNews, SecondFactors},
    },
    error::{Error, Result, forbidden, unauthenticated},
    ids::Id,
    store::Batch,
};

/// What the viewer has registered; none, where that is nothing.
///
/// # Errors
/// When the store is away.
pub async fn of(app: &App, viewer: &Viewer) -> Result<Option<SecondFactors>> {
    of_member(app, &viewer.id).await
}

async fn of_member(app: &App, member: &Id<Member>) -> Result<Option<SecondFactors>> {
    Ok(app.store.one(&SecondFactors::id_of(member)).await?)
}

/// The session by which the viewer may change their factors: one that showed a factor a short while ago. For
/// the first factor any will do.
///
/// # Errors
/// Forbidden for programs; `SECOND_FACTOR_REQUIRED`.
fn changing<'a>(app: &App, viewer: &'a Viewer, known: Option<&SecondFactors>) -> Result<&'a SignedIn> {
    let session =
        viewer.signed_in().ok_or_else(|| forbidden("Second factors are for people: no token is enough."))?;
    let now = app.clock.now();
    let fresh = |at| now.since(at) < TimeDelta::minutes(FRESH_MINUTES);
    if known.is_none() || session.factor_at.is_some_and(fresh) { Ok(session) } else { Err(show_again()) }
}

fn show_again() -> Error {
    second_factor_required(&format!(
        "Your factors are changed within {FRESH_MINUTES} minutes of showing one. Show your second factor \
         first, at /second-factor or with showSecondFactor."
    ))
}

/// The mail about what happened to a member's factors.
fn told(app: &App, member: &Member, news: FactorNews) -> Batch {
    let now = app.clock.now();
    let task = Task::SendSecondFactorMail { member: member.id.clone(), news, at: now };
    Batch::new().insert(&Job::new(app.ids.fresh(), task, now))
}

/// The entry of what somebody who looks after others did to their own factors.
fn audited(app: &App, viewer: &Viewer, action: AuditAction, before: usize, after: usize) -> Batch {
    if viewer.role < Role::Moderator {
        return Batch::new();
    }
    let act = Act::new(action, viewer.id.as_str());
    let act = act.changed(Facts::second_factors(before), Facts::second_factors(after));
    acted(app, viewer, act, &Concerned::nobody())
}

/// The viewer as they are stored.
async fn stored(app: &App, viewer: &Viewer) -> Result<Member> {
    app.store.one(&viewer.id).await?.ok_or_else(unauthenticated)
}
