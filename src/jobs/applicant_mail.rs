//! The mail that tells the team that somebody asked to join: to its mailbox, as it is its business and no
//! single moderator's.

use super::Failure;
use crate::{
    app::App,
    domain::{email::EmailAddress, member::Member, standing::MemberState},
    error::Error,
    ids::Id,
    mail::{Message, applicant::ApplicantMail},
    store::Batch,
};

/// Tells of somebody who still waits.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, id: &Id<Member>) -> Result<Batch, Failure> {
    let waits = |member: &Member| member.standing.state == MemberState::AwaitingApproval;
    let member = app.store.one(id).await?.filter(waits);
    let asked = member.as_ref().and_then(|member| member.standing.asked_at);
    let (Some(member), Some(asked)) = (member, asked) else {
        tracing::info!(member = %id, "skipped: nobody waits any more");
        return Ok(Batch::new());
    };
    let network = &app.config.network;
    let to = EmailAddress::parse(&network.contact)
        .map_err(|problem| Error::Fault(format!("network.contact is no e-mail address: {problem}")))?;
    let mail = ApplicantMail {
        network: network.name.clone(),
        team: network.team.clone(),
        name: member.name,
        email: member.email.as_str().to_owned(),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    app.mailer
        .send(&Message {
            to,
            to_name: network.team.clone(),
            subject: mail.subject(),
            text,
            html,
            message_id: format!("{id}-asked-{}@{}", asked.millis(), app.config.host()),
            list: None,
        })
        .await?;
    Ok(Batch::new())
}
