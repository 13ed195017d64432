//! Reminding members to sign in by a code or link, so that it is seen that they still read their address's
//! mail: planned in one commit each, then sent.

use super::Failure;
use crate::{
    app::App,
    domain::{
        job::{Job, Task},
        member::Member,
    },
    error::{Error, Result, StoreError},
    ids::Id,
    mail::{Message, verify_reminder::VerifyReminder},
    query::Page,
    store::{Batch, Guard},
};

/// Members planned for before looking again.
const PAGE: usize = 100;

/// Plans the reminders that are due and returns how many those are. Any number of workers may do so at
/// once: the member's version lets one plan through.
///
/// # Errors
/// When the store is away.
pub async fn plan(app: &App) -> Result<usize> {
    let mut planned = 0;
    loop {
        let now = app.clock.now();
        let due = app.store.find(Member::to_remind(now), Member::REMIND_AT.asc(), Page::first(PAGE)).await?;
        let before = planned;
        for member in &due {
            let done = [Member::REMIND_AT.set(None)];
            let mail = Task::SendVerifyReminder { member: member.id.clone() };
            let batch = Batch::new()
                .patch(&member.id, Guard::Version(member.version), done)
                .insert(&Job::new(app.ids.fresh(), mail, now));
            match app.store.commit(batch).await {
                Ok(()) => planned += 1,
                // Somebody else plans it, or they signed in.
                Err(StoreError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // None are left, or other workers have them.
        if due.len() < PAGE || planned == before {
            return Ok(planned);
        }
    }
}

/// Sends a planned reminder, unless they signed in meanwhile, or it is too late.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, id: &Id<Member>) -> Result<Batch, Failure> {
    let now = app.clock.now();
    let due = |member: &Member| {
        member.gets_mail(now) && member.suspended(now).is_none() && member.standing.remind_at.is_none()
    };
    let member = app.store.one(id).await?.filter(due);
    let until =
        member.as_ref().and_then(|member| member.standing.verified_until).filter(|until| now < *until);
    let (Some(member), Some(until)) = (member, until) else {
        tracing::info!(member = %id, "skipped: there is nothing to remind of any more");
        return Ok(Batch::new());
    };
    let date = until.date_in_words();
    let mail = VerifyReminder {
        network: app.config.network.name.clone(),
        team: app.config.network.team.clone(),
        name: member.name.clone(),
        until: date,
        sign_in_url: app.config.link("/sign-in"),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    app.mailer
        .send(&Message {
            to: member.email,
            to_name: member.name,
            subject: mail.subject(),
            text,
            html,
            message_id: format!("{id}-verify-{}@{}", until.millis(), app.config.host()),
            list: None,
        })
        .await?;
    Ok(Batch::new())
}
