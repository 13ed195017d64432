//! REST, where it fits: signing in, files, feeds, health.
//!
//! The service's own routes are at `/api/v1`, with what they take and give in `/api/openapi.json`.
//! Whatever goes wrong at any of them is a problem document (RFC 9457), see [`problem`].

mod allowed;
pub mod attachment;
pub mod auth;
pub mod body;
pub mod data_export;
mod docs;
pub mod health;
mod jwks;
pub mod mail_events;
pub mod problem;
pub mod second_factor;
pub mod session;
pub mod single_sign_on;
mod upload;

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get};
use poem_openapi::OpenApiService;

use crate::{
    actions::access::Viewer,
    app::App,
    error::Result,
    http::{Left, RequestId},
    web::page,
};

/// Everything of REST, to be put together with the other surfaces.
pub fn routes(_app: &App) -> Route {
    let service = service();
    let (spec, page) = (service.spec(), docs::Page::of(&service.swagger_ui_html()));
    let allowed = allowed::Allowed::of(&spec);
    let api = Route::new()
        .at("/docs", get(page))
        .at("/openapi.json", get(docs::Spec(spec)))
        .nest("/", service)
        .around(problem::documents)
        .data(allowed);
    let health = Route::new()
        .at("/live", get(health::live))
        .at("/ready", get(health::ready))
        .around(problem::documents);
    Route::new()
        .nest("/api", api)
        .nest("/health", health)
        .at("/.well-known/jwks.json", get(jwks::jwks).around(problem::documents))
}

/// Middleware around all surfaces: what has no route, and whatever else nobody answered, is a page
/// for browsers and a problem document for programs.
///
/// # Errors
/// None that is not an answer already.
pub async fn as_asked<E: Endpoint>(inner: Arc<E>, request: Request) -> poem::Result<Response> {
    let browser = request.header("accept").is_some_and(|accepted| accepted.contains("text/html"));
    let (id, app) = (RequestId::of(&request), request.data::<App>().cloned());
    match inner.call(request).await {
        Ok(response) => Ok(response.into_response()),
        Err(error) if error.is_from_response() => Ok(error.into_response()),
        Err(error) if browser => page::dressed(app.as_ref(), &id, Err(error)),
        Err(error) => Ok(problem::dressed(&id, Err(error))),
    }
}

/// A request of a member counts for as much as the least of GraphQL's, and its answer says what is left.
fn pay(app: &App, request: &Request, viewer: &Viewer) -> Result<()> {
    Left::note(request, Some(app.limits.points(&viewer.id, 1, app.clock.now())?));
    Ok(())
}

type Api = (
    auth::AuthApi,
    second_factor::SecondFactorApi,
    session::SessionApi,
    single_sign_on::SingleSignOnApi,
    attachment::AttachmentApi,
    data_export::DataExportApi,
    mail_events::MailEventsApi,
);

fn service() -> OpenApiService<Api, ()> {
    OpenApiService::new(
        (
            auth::AuthApi,
            second_factor::SecondFactorApi,
            session::SessionApi,
            single_sign_on::SingleSignOnApi,
            attachment::AttachmentApi,
            data_export::DataExportApi,
            mail_events::MailEventsApi,
        ),
        "HOPE exchange",
        env!("CARGO_PKG_VERSION"),
    )
    .description(
        "Signing in, files and feeds. Everything else is GraphQL, at /graphql. What counts for a limit is \
         answered with the headers x-ratelimit-limit, x-ratelimit-remaining and x-ratelimit-reset (in \
         seconds since 1970), as GraphQL is.",
    )
    .server("/api")
}

/// The OpenAPI specification, as `schema/openapi.json` keeps it.
#[must_use]
pub fn spec() -> String {
    service().spec()
}
