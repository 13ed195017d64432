//! What the surfaces share of HTTP: where a request comes from, what it is called, what it may be.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use poem::{
    Request,
    error::{MethodNotAllowedError, NotFoundError, ReadBodyError, ResponseError},
    http::StatusCode,
};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::{
    app::App,
    error::{Code, Error},
    ids::Identified,
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

/// Where a request comes from: the other end of its connection, never a header, which anybody can
/// write. Behind a proxy, all requests have the proxy's address.
#[must_use]
pub fn client_address(request: &Request) -> IpAddr {
    let socket = request.remote_addr().as_socket_addr();
    socket.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), std::net::SocketAddr::ip)
}
