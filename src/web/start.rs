//! The start page: what is running here.

use askama::Template;
use poem::{Request, Response, handler, http::StatusCode, web::Data};

use super::{
    page::{Site, mail_is_shown, show},
    session::Visitor,
};
use crate::{app::App, http::Refusal};

#[derive(Template)]
#[template(path = "pages/start.html")]
struct StartPage {
    site: Site,
    /// Whom to greet.
    name: Option<String>,
    version: &'static str,
    /// Whether mails are files that can be looked at here.
    mail_is_shown: bool,
}

#[handler]
pub(super) async fn show_start(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let page = StartPage {
        site: Site::of(&app),
        name: visitor.viewer.as_ref().map(|viewer| viewer.name.clone()),
        version: env!("CARGO_PKG_VERSION"),
        mail_is_shown: mail_is_shown(&app),
    };
    let mut response = show(StatusCode::OK, &page)?;
    visitor.keep(&app, &mut response);
    Ok(response)
}
