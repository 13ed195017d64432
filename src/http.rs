//! What the surfaces share of HTTP: where a request comes from, what it is called, what it may be.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
};

use poem::{
    Request,
    error::{MethodNotAllowedError, NotFoundError, ReadBodyError, ResponseError},
    http::{HeaderMap, StatusCode, header},
};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::{
    app::App,
    config::ProxyHeader,
    domain::device::{Caller, Origin},
    error::{Code, Error},
    ids::Identified,
    limits::Allowance,
    network,
};

/// The longest body, in bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// Names a request in logs and answers. Middleware may set it as the request's data; where it has
/// not, one is made when it is needed.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl Identified for RequestId {
    const PREFIX: &'static str = "req";
}

impl RequestId {
    /// This request's id.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let fresh = || request.data::<App>().map(|app| app.ids.fresh::<Self>().to_string());
        let set = request.data::<Self>().cloned();
        set.unwrap_or_else(|| Self(fresh().unwrap_or_default()))
    }
}

/// An open connection, as data of its requests. Whoever goes on with the connection, when it is no
/// longer HTTP, keeps this until they are done: it is its place among those that may be open at the
/// same time, and a process that stops waits until all are gone.
#[derive(Clone)]
pub struct Open {
    stopping: watch::Receiver<bool>,
    _place: Arc<OwnedSemaphorePermit>,
}

impl Open {
    #[must_use]
    pub fn new(stopping: watch::Receiver<bool>, place: OwnedSemaphorePermit) -> Self {
        Self { stopping, _place: Arc::new(place) }
    }

    /// Until the process is asked to stop.
    pub async fn stops(&self) {
        self.stopping.clone().wait_for(|stops| *stops).await.ok();
    }
}

/// What went wrong, on its way out of a handler to the surface's middleware, which shows it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Refusal(#[from] pub Error);

impl ResponseError for Refusal {
    fn status(&self) -> StatusCode {
        status(&self.0)
    }
}

/// The status that goes with an error.
#[must_use]
pub fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Our error for poem's, with sentences of our own: poem's repeat parts of what was sent. Faults are
/// logged here, once.
pub fn meaning(error: poem::Error, request: &RequestId) -> Error {
    let error = match error.downcast::<Refusal>() {
        Ok(refusal) => refusal.0,
        Err(error) => meaning_of_poem(&error),
    };
    if matches!(error.code(), Code::Internal | Code::Unavailable) {
        tracing::error!(request = %request.0, %error, "a request failed");
    }
    error
}

fn meaning_of_poem(error: &poem::Error) -> Error {
    let coded = |code: Code, sentence: &str| Error::Coded(code, sentence.to_owned());
    if error.is::<NotFoundError>() {
        coded(Code::NotFound, "There is nothing at this address.")
    } else if error.is::<MethodNotAllowedError>() {
        coded(Code::MethodNotAllowed, "This address does not take this method.")
    } else if error.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        coded(Code::UnsupportedMediaType, "The body is not of the type that is read here.")
    } else if matches!(error.downcast_ref(), Some(ReadBodyError::PayloadTooLarge)) {
        coded(Code::TooLarge, Code::TooLarge.meaning().trim())
    } else if error.status().is_client_error() {
        coded(Code::BadRequest, "The request is malformed.")
    } else {
        Error::Fault(error.to_string())
    }
}

/// The access token of an `Authorization: Bearer` header (RFC 6750).
#[must_use]
pub fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who is at the other end of a request.
#[must_use]
pub fn caller(app: &App, request: &Request) -> Caller {
    let address = client_address(app, request);
    let user_agent = request.header(header::USER_AGENT).unwrap_or_default();
    Caller { address, origin: Origin::of(user_agent, address, &app.config.places) }
}

/// Where a request comes from: the other end of its connection. A header, which anybody can write, counts
/// only where a proxy of ours set it.
fn client_address(app: &App, request: &Request) -> IpAddr {
    let socket = request.remote_addr().as_socket_addr();
    let peer = socket.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), std::net::SocketAddr::ip);
    let ours = &app.config.trusted_proxies;
    let lines = |name| request.headers().get_all(name).iter().filter_map(|line| line.to_str().ok());
    match app.config.proxy_header {
        ProxyHeader::XForwardedFor => {
            network::client(peer, lines("x-forwarded-for").flat_map(|line| line.split(',')), ours)
        }
        ProxyHeader::Forwarded => {
            network::client(peer, lines("forwarded").flat_map(network::forwarded), ours)
        }
    }
}

/// What is left of a limit that a request counts for: said by its handler, as data of the request, and
/// put into the answer's headers by the surface's middleware.
#[derive(Clone, Default)]
pub struct Left(Arc<Mutex<Option<Allowance>>>);

impl Left {
    /// Notes what is left after this request.
    pub fn note(request: &Request, allowance: Option<Allowance>) {
        if let Some(left) = request.data::<Self>() {
            *left.0.lock().unwrap_or_else(PoisonError::into_inner) = allowance;
        }
    }

    /// Tells what was noted.
    pub fn tell(&self, headers: &mut HeaderMap) {
        if let Some(allowance) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            tell(&allowance, headers);
        }
    }
}

/// What is left of a limit, as headers.
pub fn tell(allowance: &Allowance, headers: &mut HeaderMap) {
    let seconds = allowance.reset_at.millis().div_euclid(1_000);
    headers.insert("x-ratelimit-limit", allowance.limit.into());
    headers.insert("x-ratelimit-cost", allowance.cost.into());
    headers.insert("x-ratelimit-remaining", allowance.remaining.into());
    headers.insert("x-ratelimit-reset", seconds.into());
}

/// That nothing is left, and how many seconds to wait.
pub fn tell_to_wait(seconds: u64, headers: &mut HeaderMap) {
    headers.insert(header::RETRY_AFTER, seconds.into());
    headers.insert("x-ratelimit-remaining", 0.into());
}
