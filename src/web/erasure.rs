//! That one's account is to be erased, with a button to call it off: the mail about it leads here.

use askama::Template;
use poem::{Request, Response, handler, http::StatusCode, web::Data};

use super::{
    page::{Site, see_other, show},
    session::Visitor,
};
use crate::{
    actions::{erasure as action, once},
    app::App,
    error::{Code, unauthenticated},
    http::Refusal,
};

#[derive(Template)]
#[template(path = "pages/erasure.html")]
struct ErasurePage {
    site: Site,
    is_signed_in: bool,
    /// "9 March 2026"; none when nothing is to be erased.
    on: Option<String>,
}

/// `GET /erasure`: changes nothing.
#[handler]
pub(super) async fn show_erasure(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let found = match &visitor.viewer {
        Some(viewer) => action::of_viewer(&app, viewer).await?,
        None => None,
    };
    let on = found.map(|(erasure, _)| erasure.due_at.date_in_words());
    let page = ErasurePage { site: Site::of(&app), is_signed_in: visitor.viewer.is_some(), on };
    let mut response = show(StatusCode::OK, &page)?;
    visitor.keep(&app, &mut response);
    Ok(response)
}

/// `POST /erasure/cancel`
#[handler]
pub(super) async fn cancel(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let viewer = visitor.viewer.as_ref().ok_or_else(unauthenticated)?;
    match action::cancel(&app, viewer, &once::Request::unnamed("cancelErasure")).await {
        // The button was pressed twice, or elsewhere too.
        Err(error) if error.code() != Code::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut response = see_other("/erasure");
    visitor.keep(&app, &mut response);
    Ok(response)
}
