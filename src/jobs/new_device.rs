//! The mail about a sign-in from a device and place that a member has not signed in from before.

use super::Failure;
use crate::{
    app::App,
    domain::session::Session,
    error::Error,
    ids::Id,
    mail::{Message, new_device::NewDeviceMail},
    store::Batch,
};

/// Sends the mail. Done twice, it sends the same message twice, with the same Message-ID.
///
/// # Errors
/// See [`Failure`].
pub async fn send(app: &App, id: &Id<Session>) -> Result<Batch, Failure> {
    let Some(session) = app.store.one(id).await? else {
        tracing::info!(session = %id, "no mail: the session is over");
        return Ok(Batch::new());
    };
    let Some(member) = app.store.one(&session.member).await? else {
        tracing::info!(session = %id, "no mail: the member is gone");
        return Ok(Batch::new());
    };
    let at = session.created_at;
    let mail = NewDeviceMail {
        network: app.config.network.name.clone(),
        team: app.config.network.team.clone(),
        contact: app.config.network.contact.clone(),
        name: member.name.clone(),
        device: session.origin.device,
        place: session.origin.place,
        at: format!("{} at {}", at.date_in_words(), at.london().format("%H:%M")),
        sessions_url: app.config.link("/sessions"),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let message = Message {
        to: member.email,
        to_name: member.name,
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{id}@{}", app.config.host()),
        list: None,
    };
    app.mailer.send(&message).await?;
    tracing::info!(session = %id, "the mail about a new device is sent");
    Ok(Batch::new())
}
