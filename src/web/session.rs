//! Being signed in, in a browser: both tokens are cookies that scripts can't read.

use chrono::TimeDelta;
use poem::{Request, Response, handler, web::Data};

use super::{cookies::Cookie, page::see_other};
use crate::{
    actions::{
        access::Viewer,
        session::{self, Tokens},
    },
    app::App,
    error::{Code, Error, Result, forbidden, unauthenticated},
    http::{Refusal, bearer, caller},
    tokens::{access, access_token},
};

/// The member whose browser sent the request, by its access cookie; `None` when it has none.
///
/// Nothing is renewed here. When the access token has expired, the start page's GET brings a new
/// one, as long as the session lasts.
///
/// # Errors
/// `Unauthenticated`, when the cookie is not good.
pub async fn viewer_from_cookie(app: &App, request: &Request) -> Result<Option<Viewer>> {
    match token_from_cookie(app, request) {
        Some(token) => session::authenticate(app, token).await.map(Some),
        None => Ok(None),
    }
}

/// The access token of the browser that sent the request. Nobody has looked yet whether it is good. One of
/// a program is none: pages are for people, who may do more.
#[must_use]
pub fn token_from_cookie<'a>(app: &App, request: &'a Request) -> Option<&'a str> {
    Cookie::Access.read(app, request).filter(|token| !access_token::is_meant(token))
}

/// The member who sent a request, by token or by a browser's cookie: only for what changes nothing.
///
/// # Errors
/// `Unauthenticated`.
pub async fn reader(app: &App, request: &Request) -> Result<Viewer> {
    match bearer(request) {
        Some(token) => session::authenticate(app, token).await,
        None => viewer_from_cookie(app, request).await?.ok_or_else(unauthenticated),
    }
}

/// The member who sent a request that may change something. A cookie goes with every request to this
/// service, whoever's page sends it, so it counts only with a header that other sites' pages can't add.
///
/// # Errors
/// `Unauthenticated`; `Forbidden` without that header.
pub async fn viewer(app: &App, request: &Request) -> Result<Viewer> {
    let viewer = reader(app, request).await?;
    if bearer(request).is_some() || request.header("x-requested-with").is_some() {
        return Ok(viewer);
    }
    Err(forbidden("Requests by cookie need the header X-Requested-With."))
}

/// Who looks at a page, and what their cookies become.
pub(super) struct Visitor {
    pub viewer: Option<Viewer>,
    renewed: Renewed,
}

enum Renewed {
    No,
    With(Tokens),
    /// The session is over.
    Ended,
}

impl Visitor {
    /// Reads the cookies. Where the access token has expired, new tokens are got with the refresh
    /// token. Two pages opened at once are a retry, which is allowed for.
    pub async fn of(app: &App, request: &Request) -> Result<Self> {
        match viewer_from_cookie(app, request).await {
            Ok(Some(viewer)) => return Ok(Self { viewer: Some(viewer), renewed: Renewed::No }),
            Ok(None) => {}
            Err(error) => expected(error)?,
        }
        let Some(token) = Cookie::Refresh.read(app, request) else {
            return Ok(Self { viewer: None, renewed: Renewed::No });
        };
        let renewed = async {
            let tokens = session::refresh(app, token, &caller(app, request)).await?;
            Ok((session::authenticate(app, &tokens.access).await?, tokens))
        };
        match renewed.await {
            Ok((viewer, tokens)) => Ok(Self { viewer: Some(viewer), renewed: Renewed::With(tokens) }),
            Err(error) => expected(error).map(|()| Self { viewer: None, renewed: Renewed::Ended }),
        }
    }

    /// Adds the cookies that changed.
    pub fn keep(&self, app: &App, response: &mut Response) {
        match &self.renewed {
            Renewed::No => {}
            Renewed::With(tokens) => keep(app, response, tokens),
            Renewed::Ended => forget(app, response),
        }
    }
}

/// Not being signed in is no failure; a store that is away is.
fn expected(error: Error) -> Result<()> {
    if error.code() == Code::Unauthenticated { Ok(()) } else { Err(error) }
}

pub(super) fn keep(app: &App, response: &mut Response, tokens: &Tokens) {
    let days = TimeDelta::days(app.config.sign_in.session_days);
    Cookie::Access.set(app, response, &tokens.access, TimeDelta::seconds(access::SECONDS));
    Cookie::Refresh.set(app, response, &tokens.refresh, days);
}

fn forget(app: &App, response: &mut Response) {
    Cookie::Access.clear(app, response);
    Cookie::Refresh.clear(app, response);
}

/// Ends the session, and shows the start page.
#[handler]
pub(super) async fn sign_out(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    if let Some(token) = Cookie::Refresh.read(&app, request) {
        session::sign_out(&app, token).await?;
    }
    let mut response = see_other("/");
    forget(&app, &mut response);
    Ok(response)
}
