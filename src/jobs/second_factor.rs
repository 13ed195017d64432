//! The mail about what happened to a member's second factors.

use super::Failure;
use crate::{
    app::App,
    clock::Timestamp,
    domain::{member::Member, second_factor::FactorNews},
    error::Error,
    ids::Id,
    mail::{Message, second_factor::SecondFactorMail},
    store::Batch,
};

/// Sends the mail. Done twice, it sends the same message twice, with the same Message-ID.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(
    app: &App,
    id: &Id<Member>,
    news: FactorNews,
    at: Timestamp,
) -> Result<Batch, Failure> {
    let Some(member) = app.store.one(id).await? else {
        tracing::info!(member = %id, "no mail: the member is gone");
        return Ok(Batch::new());
    };
    let mail = SecondFactorMail {
        network: app.config.network.name.clone(),
        team: app.config.network.team.clone(),
        contact: app.config.network.contact.clone(),
        name: member.name.clone(),
        news,
        at: format!("{} at {}", at.date_in_words(), at.london().format("%H:%M")),
        sessions_url: app.config.link("/sessions"),
        factors_url: app.config.link("/second-factor"),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let what = match news {
        FactorNews::Added(_) => "added",
        FactorNews::Removed(_) => "removed",
        FactorNews::CodesRenewed => "renewed",
        FactorNews::CodeUsed(_) => "used",
        FactorNews::Copied => "copied",
        FactorNews::Reset => "reset",
    };
    let message = Message {
        to: member.email,
        to_name: member.name,
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{id}-factor-{what}-{}@{}", at.millis(), app.config.host()),
        list: None,
    };
    app.mailer.send(&message).await?;
    tracing::info!(member = %id, what, "the mail about second factors is sent");
    Ok(Batch::new())
}
