//! Where the mail about an export leads: its member gets it here, everybody else learns nothing.

use askama::Template;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::{
    page::{Site, show},
    session::Visitor,
};
use crate::{actions::data_export as action, app::App, error::not_found, http::Refusal, ids::Id};

#[derive(Template)]
#[template(path = "pages/data_export.html")]
struct DataExportPage {
    site: Site,
    /// None: nobody is signed in here.
    export: Option<Shown>,
}

struct Shown {
    url: String,
    /// "9 March 2026"
    until: String,
}

/// `GET /data-exports/{id}`: changes nothing.
#[handler]
pub(super) async fn show_export(
    app: Data<&App>,
    request: &Request,
    id: Path<String>,
) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let export = match &visitor.viewer {
        None => None,
        Some(viewer) => {
            let missing = || not_found("export any more");
            let id = Id::parse(&id).ok_or_else(missing)?;
            let export = action::of_id(&app, viewer, &id).await?.ok_or_else(missing)?;
            let url = format!("/api/v1/data-exports/{id}");
            Some(Shown { url, until: export.expires_at.date_in_words() })
        }
    };
    let mut response = show(StatusCode::OK, &DataExportPage { site: Site::of(&app), export })?;
    visitor.keep(&app, &mut response);
    Ok(response)
}
