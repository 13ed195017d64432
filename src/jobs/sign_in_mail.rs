//! The mail with a sign-in code. Here, where nobody waits for the answer, it is decided whether an
//! address gets one.

use super::Failure;
use crate::{
    actions::member::{may_sign_in, with_address},
    app::App,
    domain::{member::Member, sign_in::SignIn},
    error::Error,
    ids::Id,
    mail::{Message, sign_in::SignInMail},
    store::Batch,
    tokens,
};

/// Sends the mail to whoever may sign in. Done twice, it sends the same message twice, with the same
/// Message-ID.
///
/// # Errors
/// See [`Failure`].
pub async fn run(app: &App, sign_in: &Id<SignIn>) -> Result<Batch, Failure> {
    let Some(request) = app.store.one(sign_in).await?.filter(|request| request.is_live(app.clock.now()))
    else {
        tracing::info!(%sign_in, "no mail: the request is gone, used or too old");
        return Ok(Batch::new());
    };
    let member = with_address(app, &request.email_key).await?;
    if !may_sign_in(app, &request.email, member.as_ref()).await? {
        tracing::info!(%sign_in, "no mail: the address may not sign in");
        return Ok(Batch::new());
    }
    let message = message(app, &request, member.as_ref())?;
    app.mailer.send(&message).await?;
    tracing::info!(%sign_in, "the sign-in mail is sent");
    Ok(Batch::new())
}

/// A member's mail goes to the address they joined with, whatever plus-tag was typed now: where a mail
/// server knows no plus-tags, the address with one may be somebody else's.
fn message(app: &App, request: &SignIn, member: Option<&Member>) -> Result<Message, Error> {
    let mail = SignInMail {
        network: app.config.network.name.clone(),
        team: app.config.network.team.clone(),
        code: tokens::sign_in::code(app, &request.id),
        link: app.config.link(&format!("sign-in/{}", tokens::sign_in::link(app, &request.id))),
        minutes: app.config.sign_in.code_minutes,
        until: request.expires_at.london().format("%H:%M").to_string(),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    Ok(Message {
        to: member.map_or(&request.email, |member| &member.email).clone(),
        to_name: member.map_or_else(|| Member::name_from(&request.email), |member| member.name.clone()),
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{}@{}", request.id, app.config.host()),
        list: None,
    })
}
