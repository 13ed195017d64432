//! Where a member is signed in, with a button to end each: mails about new devices lead here.

use askama::Template;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::{
    identity::{Linked, linked},
    page::{Site, see_other, show},
    session::Visitor,
};
use crate::{
    actions::{access::Viewer, once, page, session as action},
    app::App,
    clock::Timestamp,
    domain::session::Session,
    error::{Code, Result, not_found, unauthenticated},
    http::Refusal,
    ids::Id,
};

#[derive(Template)]
#[template(path = "pages/sessions.html")]
struct SessionsPage {
    site: Site,
    /// None: nobody is signed in here.
    sessions: Option<Vec<Row>>,
    identities: Vec<Linked>,
}

struct Row {
    device: String,
    place: String,
    /// "2 March 2026 at 09:00", in London.
    signed_in: String,
    last_used: String,
    current: bool,
    /// Where the button posts to.
    action: String,
}

impl Row {
    fn of(session: Session, current: Option<&Id<Session>>) -> Self {
        Self {
            current: current == Some(&session.id),
            action: format!("/sessions/{}/end", session.id),
            device: session.origin.device,
            place: session.origin.place,
            signed_in: words(session.created_at),
            last_used: words(session.rotated_at),
        }
    }
}

pub(super) fn words(at: Timestamp) -> String {
    format!("{} at {}", at.date_in_words(), at.london().format("%H:%M"))
}

/// `GET /sessions`: changes nothing.
#[handler]
pub(super) async fn list(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let (sessions, identities) = match &visitor.viewer {
        Some(viewer) => (Some(rows(&app, viewer).await?), linked(&app, viewer).await?),
        None => (None, Vec::new()),
    };
    let mut response = show(StatusCode::OK, &SessionsPage { site: Site::of(&app), sessions, identities })?;
    visitor.keep(&app, &mut response);
    Ok(response)
}

async fn rows(app: &App, viewer: &Viewer) -> Result<Vec<Row>> {
    let wanted = page::Wanted { first: Some(100), ..page::Wanted::default() };
    let sessions = page::page(app, &action::all(viewer), &wanted).await?.documents;
    let lasting = sessions.into_iter().filter(|session| session.lasts(app.clock.now()));
    Ok(lasting.map(|session| Row::of(session, viewer.session())).collect())
}

/// `POST /sessions/{id}/end`
#[handler]
pub(super) async fn end(app: Data<&App>, request: &Request, id: Path<String>) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let viewer = visitor.viewer.as_ref().ok_or_else(unauthenticated)?;
    let id = Id::parse(&id).ok_or_else(|| not_found("session"))?;
    match action::revoke(&app, viewer, &id, &once::Request::unnamed("revokeSession")).await {
        // The button was pressed twice, or elsewhere too.
        Err(error) if error.code() != Code::NotFound => return Err(error.into()),
        _ => {}
    }
    back(&app, &visitor)
}

/// `POST /sessions/end`: all but the present one.
#[handler]
pub(super) async fn end_others(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let viewer = visitor.viewer.as_ref().ok_or_else(unauthenticated)?;
    action::sign_out_everywhere(&app, viewer, true, &once::Request::unnamed("signOutEverywhere")).await?;
    back(&app, &visitor)
}

fn back(app: &App, visitor: &Visitor) -> Result<Response, Refusal> {
    let mut response = see_other("/sessions");
    visitor.keep(app, &mut response);
    Ok(response)
}
