//! The start page: what is running here.

use askama::Template;
use poem::{Request, Response, handler, http::StatusCode, web::Data};

use super::{
    page::{Site, mail_is_shown, show},
    session::Visitor,
};
use crate::{
    actions::{access::Viewer, data_export},
    app::App,
    domain::standing::Pending,
    http::Refusal,
};

#[derive(Template)]
#[template(path = "pages/start.html")]
struct StartPage {
    site: Site,
    /// Whom to greet.
    name: Option<String>,
    /// What they have to wait for or do before they take part.
    pending: Option<Pending>,
    /// Whether they look after others, and have not shown a second factor yet.
    factor_needed: bool,
    /// Where an export of theirs can be got, if one is ready.
    export: Option<String>,
    version: &'static str,
    /// Whether mails are files that can be looked at here.
    mail_is_shown: bool,
}

#[handler]
pub(super) async fn show_start(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let viewer = visitor.viewer.as_ref();
    let export = match viewer {
        Some(viewer) => data_export::latest(&app, viewer).await?,
        None => None,
    };
    let page = StartPage {
        export: export.map(|export| format!("/data-exports/{}", export.id)),
        site: Site::of(&app),
        factor_needed: viewer.is_some_and(|viewer| viewer.acts_as() != viewer.role),
        name: viewer.map(|viewer| viewer.name.clone()),
        pending: viewer.and_then(Viewer::pending),
        version: env!("CARGO_PKG_VERSION"),
        mail_is_shown: mail_is_shown(&app),
    };
    let mut response = show(StatusCode::OK, &page)?;
    visitor.keep(&app, &mut response);
    Ok(response)
}
