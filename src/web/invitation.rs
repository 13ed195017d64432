//! Accepting an invitation: a page with a button, then the code that the button sends to the invited address.
//!
//! Mail scanners open every link and may send every form they find. So a GET only remembers that this
//! browser opened the page; a POST from elsewhere shows the page and does nothing; and nobody accepts
//! without the code.

use askama::Template;
use chrono::TimeDelta;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::{
    cookies::Cookie,
    forms::Form,
    page::{Site, show},
    sign_in::{CodePage, Email, go_on, verify},
};
use crate::{
    actions::{
        invitation,
        sign_in::{self, Asking},
    },
    app::App,
    domain::invitation::Invitation,
    error::{Code, Error, Result},
    http::{Refusal, caller},
    tokens,
};

#[derive(Template)]
#[template(path = "pages/invitation.html")]
struct InvitationPage {
    site: Site,
    /// Who is invited, and where the button posts to. None: the link does not work (any more).
    invited: Option<Invited>,
}

struct Invited {
    name: String,
    action: String,
    until: String,
}

/// `GET /invitations/{token}`: changes nothing.
#[handler]
pub(super) async fn open(app: Data<&App>, token: Path<String>) -> Result<Response, Refusal> {
    match invitation::by_link(&app, &token).await {
        Ok(invitation) => button(&app, &invitation),
        Err(error) => over(&app, error),
    }
}

/// `POST /invitations/{token}`: sends a code to the invited address.
#[handler]
pub(super) async fn accept(
    app: Data<&App>,
    request: &Request,
    token: Path<String>,
) -> Result<Response, Refusal> {
    let invitation = match invitation::by_link(&app, &token).await {
        Ok(invitation) => invitation,
        Err(error) => return over(&app, error),
    };
    if !opened_here(&app, request, &invitation) {
        return button(&app, &invitation);
    }
    let asking = Asking::from(&app, &caller(&app, request))?;
    let sign_in = sign_in::request(&app, invitation.email.as_str(), &asking).await?;
    let mut response = code_page(&app, &invitation).show(StatusCode::OK)?;
    let kept = TimeDelta::minutes(app.config.sign_in.code_minutes);
    Cookie::SignIn.set(&app, &mut response, &tokens::sign_in::browser(&app, &sign_in), kept);
    Ok(response)
}

/// `POST /invitations/{token}/code`: with the code, whoever is invited signs in, and has accepted.
#[handler]
pub(super) async fn check(
    app: Data<&App>,
    request: &Request,
    token: Path<String>,
    form: Form,
) -> Result<Response, Refusal> {
    let invitation = match invitation::by_link(&app, &token).await {
        Ok(invitation) => invitation,
        Err(error) => return over(&app, error),
    };
    if !opened_here(&app, request, &invitation) {
        return button(&app, &invitation);
    }
    match verify(&app, request, invitation.email.as_str(), form.text("code")).await {
        Ok(verified) => {
            let mut response = go_on(&app, &verified);
            Cookie::Invitation.clear(&app, &mut response);
            Ok(response)
        }
        Err(error) => code_page(&app, &invitation).with(error),
    }
}

fn opened_here(app: &App, request: &Request, invitation: &Invitation) -> bool {
    let cookie = Cookie::Invitation.read(app, request);
    let opened = cookie.and_then(|cookie| tokens::invitation::read_browser(app, cookie));
    opened.as_ref() == Some(&invitation.id)
}

fn path(app: &App, invitation: &Invitation) -> String {
    format!("/invitations/{}", tokens::invitation::link(app, &invitation.id))
}

fn button(app: &App, invitation: &Invitation) -> Result<Response, Refusal> {
    let invited = Invited {
        name: invitation.name.clone(),
        action: path(app, invitation),
        until: invitation.expires_at.date_in_words(),
    };
    let page = InvitationPage { site: Site::of(app), invited: Some(invited) };
    let mut response = show(StatusCode::OK, &page)?;
    let left = invitation.expires_at.since(app.clock.now()).min(TimeDelta::days(1));
    let browser = tokens::invitation::browser(app, &invitation.id);
    Cookie::Invitation.set(app, &mut response, &browser, left);
    Ok(response)
}

fn code_page(app: &App, invitation: &Invitation) -> CodePage {
    CodePage::new(app, Email::OfInvitation).at(format!("{}/code", path(app, invitation)))
}

/// A link that does not work (any more), and what to do.
fn over(app: &App, error: Error) -> Result<Response, Refusal> {
    if error.code() != Code::NotFound {
        return Err(error.into());
    }
    show(StatusCode::NOT_FOUND, &InvitationPage { site: Site::of(app), invited: None })
}
