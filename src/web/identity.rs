//! Accounts elsewhere that are linked with a member's, on the page of their sessions.

use poem::{
    Request, Response, handler,
    web::{Data, Path},
};

use super::{page::see_other, session::Visitor, sessions::words};
use crate::{
    actions::{access::Viewer, identity as action, once},
    app::App,
    domain::identity::Identity,
    error::{Code, Result, not_found, unauthenticated},
    http::Refusal,
    ids::Id,
};

/// One of them.
pub(super) struct Linked {
    pub provider: String,
    /// By which it was linked.
    pub email: String,
    /// "2 March 2026 at 09:00", in London.
    pub linked: String,
    pub last_used: String,
    /// Where the button posts to.
    pub action: String,
}

pub(super) async fn linked(app: &App, viewer: &Viewer) -> Result<Vec<Linked>> {
    let identities = action::of(app, viewer).await?;
    let linked = |identity: &Identity| Linked {
        provider: action::provider_name(app, identity).to_owned(),
        email: identity.email.as_str().to_owned(),
        linked: words(identity.created_at),
        last_used: words(identity.last_used_at),
        action: format!("/identities/{}/unlink", identity.id),
    };
    Ok(identities.iter().map(linked).collect())
}

/// `POST /identities/{id}/unlink`
#[handler]
pub(super) async fn unlink(
    app: Data<&App>,
    request: &Request,
    id: Path<String>,
) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let viewer = visitor.viewer.as_ref().ok_or_else(unauthenticated)?;
    let id = Id::parse(&id).ok_or_else(|| not_found("linked account"))?;
    match action::unlink(&app, viewer, &id, &once::Request::unnamed("unlinkIdentity")).await {
        // The button was pressed twice, or elsewhere too.
        Err(error) if error.code() != Code::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut response = see_other("/sessions");
    visitor.keep(&app, &mut response);
    Ok(response)
}
