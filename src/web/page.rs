//! What all pages have in common: HTML that runs no script and loads nothing from elsewhere.

use askama::Template;
use poem::{
    Response, handler,
    http::{StatusCode, header},
};

use crate::error::{Code, Error};

/// No script, no frames, nothing from other servers, forms to this service alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page. Addresses of pages may hold tokens, so they are told to nobody and kept nowhere.
pub fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Response::builder()
            .status(status)
            .content_type("text/html; charset=utf-8")
            .header(header::CONTENT_SECURITY_POLICY, POLICY)
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::REFERRER_POLICY, "no-referrer")
            .header(header::CACHE_CONTROL, "no-store")
            .body(html),
        Err(error) => problem(&Error::Fault(error.to_string())),
    }
}

/// What went wrong, as plain words.
pub fn problem(error: &Error) -> Response {
    if error.code() == Code::Internal {
        tracing::error!(%error, "a page failed");
    }
    let status = StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Response::builder()
        .status(status)
        .content_type("text/plain; charset=utf-8")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(error.public_message())
}

/// `GET /assets/page.css`
#[handler]
pub fn style() -> Response {
    Response::builder()
        .content_type("text/css; charset=utf-8")
        .header(header::CACHE_CONTROL, "public, max-age=3600")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(include_str!("assets/page.css"))
}
