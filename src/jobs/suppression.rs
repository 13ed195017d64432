//! Telling the team whose mailboxes were suppressed: one mail for all within an hour, so that a morning on which
//! a trust changes its addresses is one letter and not fifty.

use super::Failure;
use crate::{
    app::App,
    domain::{
        email::EmailAddress,
        job::{Job, Task},
        member::Member,
    },
    error::{Error, Result, StoreError},
    ids::Id,
    mail::{
        Message,
        suppression::{Suppressed, SuppressionMail},
    },
    query::Page,
    store::{Batch, Guard},
};

/// Told of in one mail.
const PAGE: usize = 100;

/// Plans the mails that are due and returns how many those are. Any number of workers may do so at once: the
/// members' versions let one plan through.
///
/// # Errors
/// When the store is away.
pub async fn plan(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let first = app.store.find(Member::to_tell_of(now), Member::TELL_SUPPRESSED_AT.asc(), Page::first(1));
    if first.await?.is_empty() {
        return Ok(0);
    }
    // With those of which it would be told a little later.
    let later = now.plus(app.config.mail_from.tell_after());
    let all = app
        .store
        .find(Member::to_tell_of(later), Member::TELL_SUPPRESSED_AT.asc(), Page::first(PAGE))
        .await?;
    let task = Task::SendSuppressions { members: all.iter().map(|member| member.id.clone()).collect() };
    let batch = all.iter().fold(Batch::new(), |batch, member| {
        let told = [Member::TELL_SUPPRESSED_AT.set(None)];
        batch.patch(&member.id, Guard::Version(member.version), told)
    });
    match app.store.commit(batch.insert(&Job::new(app.ids.fresh(), task, now))).await {
        Ok(()) => Ok(1),
        // Somebody else plans it, or one of them signed in: the next look sees it as it is then.
        Err(StoreError::Stale { .. }) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Tells of those that are still suppressed.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, job: &Id<Job>, members: &[Id<Member>]) -> Result<Batch, Failure> {
    let found = app.store.get(members).await?.into_iter().flatten();
    let all: Vec<Suppressed> = found.filter_map(|member| suppressed(&member)).collect();
    if all.is_empty() {
        return Ok(Batch::new());
    }
    let network = &app.config.network;
    let mail = SuppressionMail {
        network: network.name.clone(),
        team: network.team.clone(),
        all,
        home_url: app.config.link("/"),
    };
    let to = EmailAddress::parse(&network.contact)
        .map_err(|problem| Error::Fault(format!("network.contact is no e-mail address: {problem}")))?;
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    app.mailer
        .send(&Message {
            to,
            to_name: network.team.clone(),
            subject: mail.subject(),
            text,
            html,
            message_id: format!("{job}-suppressed@{}", app.config.host()),
            list: None,
        })
        .await?;
    Ok(Batch::new())
}

fn suppressed(member: &Member) -> Option<Suppressed> {
    let mailbox = &member.mailbox;
    let since = mailbox.suppressed_at?;
    Some(Suppressed {
        name: member.name.clone(),
        email: member.email.as_str().to_owned(),
        reason: mailbox.reason?.words(),
        code: mailbox.code.clone().map(|code| format!(" ({code})")).unwrap_or_default(),
        since: format!("{} at {}", since.date_in_words(), since.london().format("%H:%M")),
        id: member.id.to_string(),
    })
}
