//! What every page has: the frame around it, the headers, and a page for what goes wrong.

use std::sync::Arc;

use askama::Template;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};

use super::forms;
use crate::{
    app::App,
    error::{Code, Error},
    http::{self, Refusal, RequestId},
    mail::Mailer,
};

/// Only our own style, and forms that stay here. There are no scripts…
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// …but where a browser is asked for a passkey, which nothing else can do. It is a file of ours.
const SCRIPTED: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                        form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the frame of a page says.
pub struct Site {
    pub network: String,
    pub team: String,
    pub contact: String,
}

impl Site {
    #[must_use]
    pub fn of(app: &App) -> Self {
        let network = &app.config.network;
        Self { network: network.name.clone(), team: network.team.clone(), contact: network.contact.clone() }
    }
}

/// Whether `/dev/mail` shows mails instead of a mailbox.
#[must_use]
pub fn mail_is_shown(app: &App) -> bool {
    matches!(app.mailer, Mailer::Directory(_)) && !app.config.is_https()
}

/// A template as an answer.
///
/// # Errors
/// A fault, for a template that can't be filled in.
pub fn show(status: StatusCode, template: &impl Template) -> Result<Response, Refusal> {
    let html = template.render().map_err(|error| Error::Fault(error.to_string()))?;
    Ok(Response::builder().status(status).content_type("text/html; charset=utf-8").body(html))
}

/// The same for a page that has a script.
///
/// # Errors
/// As [`show`].
pub fn show_scripted(status: StatusCode, template: &impl Template) -> Result<Response, Refusal> {
    let mut page = show(status, template)?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SCRIPTED));
    Ok(page)
}

/// To another page, which is fetched with GET.
#[must_use]
pub fn see_other(path: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, path).finish()
}

#[derive(Template)]
#[template(path = "pages/problem.html")]
struct ProblemPage {
    site: Site,
    title: &'static str,
    message: String,
    request_id: String,
}

/// Middleware of every page: refuses other sites' forms, shows what goes wrong, sets the headers.
pub async fn framed<E: Endpoint>(inner: Arc<E>, request: Request) -> poem::Result<Response> {
    let id = RequestId::of(&request);
    let app = request.data::<App>().cloned();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let refused = app.as_ref().filter(|_| !safe).and_then(|app| forms::ours(app, &request).err());
    let answer = match refused {
        Some(error) => Err(Refusal(error).into()),
        None => inner.call(request).await.map(IntoResponse::into_response),
    };
    dressed(app.as_ref(), &id, answer)
}

/// The same for pages whose address is all that it takes: mail programs post to them from anywhere.
pub async fn open<E: Endpoint>(inner: Arc<E>, request: Request) -> poem::Result<Response> {
    let id = RequestId::of(&request);
    let app = request.data::<App>().cloned();
    let answer = inner.call(request).await.map(IntoResponse::into_response);
    dressed(app.as_ref(), &id, answer)
}

/// An answer with the headers of pages. They are made for one person, so nobody is to keep them.
///
/// # Errors
/// A fault, for a template that can't be filled in.
pub fn dressed(app: Option<&App>, id: &RequestId, answer: poem::Result<Response>) -> poem::Result<Response> {
    let mut response = match answer {
        Ok(response) => response,
        Err(error) => problem(app, &http::meaning(error, id), id)?,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.entry("x-request-id").or_insert(id);
    }
    Ok(response)
}

/// The page that tells of `error`.
fn problem(app: Option<&App>, error: &Error, id: &RequestId) -> Result<Response, Refusal> {
    let Some(app) = app else { return Ok(http::status(error).into_response()) };
    let title = match error.code() {
        Code::NotFound => "Page not found",
        Code::RateLimited => "Too many requests",
        Code::Internal | Code::Unavailable => "Sorry, there is a problem with the service",
        _ => "This did not work",
    };
    let page =
        ProblemPage { site: Site::of(app), title, message: error.public_message(), request_id: id.0.clone() };
    let mut response = show(http::status(error), &page)?;
    if let Error::RateLimited { seconds } = error {
        response.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
    }
    Ok(response)
}
