//! The mail about an account elsewhere that was linked with a member, or unlinked.

use super::Failure;
use crate::{
    app::App,
    clock::Timestamp,
    domain::{identity::IdentityNews, member::Member},
    error::Error,
    ids::Id,
    mail::{Message, identity::IdentityMail},
    store::Batch,
};

/// Sends the mail. Done twice, it sends the same message twice, with the same Message-ID.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(
    app: &App,
    id: &Id<Member>,
    provider: &str,
    news: IdentityNews,
    at: Timestamp,
) -> Result<Batch, Failure> {
    let Some(member) = app.store.one(id).await? else {
        tracing::info!(member = %id, "no mail: the member is gone");
        return Ok(Batch::new());
    };
    let mail = IdentityMail {
        network: app.config.network.name.clone(),
        team: app.config.network.team.clone(),
        contact: app.config.network.contact.clone(),
        name: member.name.clone(),
        provider: provider.to_owned(),
        news,
        at: format!("{} at {}", at.date_in_words(), at.london().format("%H:%M")),
        sessions_url: app.config.link("/sessions"),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let what = match news {
        IdentityNews::Linked => "linked",
        IdentityNews::Unlinked => "unlinked",
    };
    let message = Message {
        to: member.email,
        to_name: member.name,
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{id}-identity-{what}-{}@{}", at.millis(), app.config.host()),
        list: None,
    };
    app.mailer.send(&message).await?;
    tracing::info!(member = %id, what, "the mail about an account elsewhere is sent");
    Ok(Batch::new())
}
