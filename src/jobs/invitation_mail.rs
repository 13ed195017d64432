//! The mail that invites a lived experience partner.

use super::Failure;
use crate::{
    app::App,
    domain::{invitation::Invitation, standing::PartnerScope},
    error::{Error, Result},
    ids::Id,
    mail::{Message, invitation::InvitationMail},
    store::Batch,
    tokens,
};

/// Invites, unless the invitation was taken back, accepted or ran out meanwhile. Done twice, it sends the
/// same message twice, with the same Message-ID.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, id: &Id<Invitation>) -> Result<Batch, Failure> {
    let open = |found: &Invitation| found.is_open(app.clock.now());
    let Some(invitation) = app.store.one(id).await?.filter(open) else {
        tracing::info!(invitation = %id, "skipped: it can't be accepted any more");
        return Ok(Batch::new());
    };
    let sponsor = app.store.one(&invitation.sponsor).await?.map(|sponsor| sponsor.name);
    let network = &app.config.network;
    let mail = InvitationMail {
        network: network.name.clone(),
        team: network.team.clone(),
        contact: network.contact.clone(),
        name: invitation.name.clone(),
        sponsor: sponsor.unwrap_or_else(|| network.team.clone()),
        about: match &invitation.scope {
            Some(scope) => named(app, scope).await?,
            None => Vec::new(),
        },
        link: app.config.link(&format!("invitations/{}", tokens::invitation::link(app, &invitation.id))),
        until: invitation.expires_at.date_in_words(),
        access_until: invitation.access_ends_at.date_in_words(),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    app.mailer
        .send(&Message {
            to: invitation.email,
            to_name: invitation.name,
            subject: mail.subject(),
            text,
            html,
            message_id: format!("{id}@{}", app.config.host()),
            list: None,
        })
        .await?;
    Ok(Batch::new())
}

/// What somebody is invited to, by name.
async fn named(app: &App, scope: &PartnerScope) -> Result<Vec<String>> {
    let topics = app.store.get(&scope.topics).await?.into_iter().flatten().map(|topic| topic.name);
    let case_studies = app.store.get(&scope.case_studies).await?.into_iter().flatten();
    let titles = case_studies.map(|found| found.content.title).filter(|title| !title.is_empty());
    Ok(topics.chain(titles).collect())
}
