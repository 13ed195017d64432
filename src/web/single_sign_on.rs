//! Single sign-on, for people: to a provider, and back from it.
//!
//! The way back is a GET that signs in, as OpenID Connect has it. It is no link that a scanner could open for
//! somebody: it works only in the browser that was sent, once, with a code that the provider gave to it.

use std::collections::HashMap;

use askama::Template;
use chrono::TimeDelta;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path, Query},
};

use super::{
    cookies::Cookie,
    page::{Site, see_other, show},
    sign_in, sign_in_factor,
};
use crate::{
    actions::{
        sign_in::{Answering, Asking, Verified},
        single_sign_on::{self as action, Brought},
    },
    app::App,
    domain::{local_path::LocalPath, single_sign_on::SIGN_ON_MINUTES},
    error::{Code, Error},
    http::{self, Left, Refusal, caller},
    tokens::single_sign_on as tokens,
};

/// A provider on the page for signing in.
pub(super) struct Button {
    pub name: String,
    pub path: String,
}

pub(super) fn buttons(app: &App) -> Vec<Button> {
    let button = |provider: &crate::single_sign_on::Provider| Button {
        name: provider.name().to_owned(),
        path: path(provider.id()),
    };
    app.providers.all().map(button).collect()
}

/// Where signing in at a provider begins.
#[must_use]
pub fn path(provider: &str) -> String {
    format!("/sign-in/with/{provider}")
}

#[derive(Template)]
#[template(path = "pages/single_sign_on.html")]
struct RefusedPage {
    site: Site,
    message: String,
    /// To try again.
    path: String,
}

type Parameters = Query<HashMap<String, String>>;

/// `GET /sign-in/with/{provider}`: signs nobody in.
#[handler]
pub(super) async fn begin(
    app: Data<&App>,
    request: &Request,
    provider: Path<String>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    let next = parameters.get("next").map(String::as_str);
    sent(&app, request, &provider, next).await.or_else(|refusal| refused(&app, &provider, refusal.0))
}

/// To the provider, with a cookie for the way back.
///
/// # Errors
/// Those of [`action::start`], and `RateLimited`.
pub async fn sent(
    app: &App,
    request: &Request,
    provider: &str,
    next: Option<&str>,
) -> Result<Response, Refusal> {
    let asking = Asking::from(app, &caller(app, request))?;
    Left::note(request, asking.allowance());
    let sent = action::start(app, provider, next, &asking).await?;
    let mut response = see_other(sent.address.as_str());
    let kept = TimeDelta::minutes(SIGN_ON_MINUTES);
    Cookie::SignOn.set(app, &mut response, &tokens::browser(app, &sent.sign_on), kept);
    Ok(response)
}

/// `GET /sign-in/with/{provider}/callback`
#[handler]
pub(super) async fn come_back(
    app: Data<&App>,
    request: &Request,
    provider: Path<String>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    let text = |name: &str| parameters.get(name).map(String::as_str);
    let (code, issuer, error) = (text("code"), text("iss"), text("error"));
    let brought =
        Brought { state: text("state").unwrap_or_default(), code, issuer, error, ..Brought::default() };
    match back(&app, request, &provider, brought).await {
        Ok((verified, next)) => {
            let next = next.as_ref().map_or("/", LocalPath::as_str);
            let mut response = match &verified {
                Verified::SignedIn(tokens) => sign_in::signed_in(&app, tokens, next),
                Verified::Asked(asked) => sign_in_factor::go_on(&app, asked),
            };
            Cookie::SignOn.clear(&app, &mut response);
            Ok(response)
        }
        Err(refusal) => refused(&app, &provider, refusal.0),
    }
}

/// What comes of what a browser, whose cookie is in the request, brings back.
///
/// # Errors
/// Those of [`action::finish`], and `RateLimited`.
pub async fn back(
    app: &App,
    request: &Request,
    provider: &str,
    brought: Brought<'_>,
) -> Result<(Verified, Option<LocalPath>), Refusal> {
    let from = Answering::from(app, caller(app, request))?;
    Left::note(request, from.allowance());
    let browser = Cookie::SignOn.read(app, request).unwrap_or_default();
    Ok(action::finish(app, provider, Brought { browser, ..brought }, &from).await?)
}

/// Why nobody is signed in, and what to do; other errors pass.
fn refused(app: &App, provider: &str, error: Error) -> Result<Response, Refusal> {
    if !matches!(error.code(), Code::WrongCode | Code::Forbidden | Code::ProviderUnavailable) {
        return Err(error.into());
    }
    let status: StatusCode = http::status(&error);
    let page = RefusedPage { site: Site::of(app), message: error.public_message(), path: path(provider) };
    show(status, &page)
}
