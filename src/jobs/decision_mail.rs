//! The mail that tells somebody what became of their request to join.

use super::Failure;
use crate::{
    actions::audit,
    app::App,
    clock::Timestamp,
    domain::{audit::AuditAction, member::Member},
    error::Error,
    ids::Id,
    mail::{Message, decision::DecisionMail},
    store::Batch,
};

const DECISIONS: [AuditAction; 2] = [AuditAction::ApproveMember, AuditAction::RefuseMember];

/// Tells of the latest decision. Who took it is told to nobody.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, id: &Id<Member>) -> Result<Batch, Failure> {
    let act = audit::latest(app, id.as_str(), &DECISIONS).await?;
    let (Some(member), Some(act)) = (app.store.one(id).await?, act) else {
        tracing::info!(member = %id, "skipped: the member is gone");
        return Ok(Batch::new());
    };
    let network = &app.config.network;
    let mail = DecisionMail {
        network: network.name.clone(),
        team: network.team.clone(),
        contact: network.contact.clone(),
        name: member.name.clone(),
        approved: act.action == AuditAction::ApproveMember,
        reason: act.reason.unwrap_or_default(),
        again: member.standing.refused_until.map(Timestamp::date_in_words).unwrap_or_default(),
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
            message_id: format!("{}@{}", act.id, app.config.host()),
            list: None,
        })
        .await?;
    Ok(Batch::new())
}
