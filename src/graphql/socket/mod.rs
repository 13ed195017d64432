//! GraphQL over a WebSocket, for subscriptions: the protocol `graphql-transport-ws`
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).
//!
//! This file decides who may open one, [`connection`] speaks with them, [`operation`] runs what they
//! ask for, [`message`] has the words. Written here and not taken from the GraphQL library, whose own
//! knows neither limits nor the end of a token.

mod connection;
mod message;
mod operation;

use poem::{
    FromRequest, IntoResponse, Request, Response, handler,
    http::header,
    web::{
        Data,
        websocket::{WebSocket, WebSocketConfig},
    },
};

use self::connection::Connection;
use super::{Schema, http::refusal};
use crate::{
    app::App,
    error::{Code, Error, Result, forbidden},
    http::{BODY_MAX, Open},
    web::session::token_from_cookie,
};

/// What both sides must speak.
const PROTOCOL: &str = "graphql-transport-ws";

/// Bytes that every open socket holds, however quiet it is. The library's own measure is 128 kB.
const READ_BUFFER: usize = 4 * 1024;
/// A message longer than `BODY_MAX` is refused, and one that is not much longer is read to its end
/// before: otherwise the other end is cut off while it sends, and may not learn why.
const READ_MAX: usize = 4 * BODY_MAX;

/// `GET /graphql/ws`.
#[handler]
pub async fn socket(
    request: &Request,
    app: Data<&App>,
    schema: Data<&Schema>,
    open: Data<&Open>,
) -> Response {
    let (upgrade, cookie) = match admit(&app, request).await {
        Ok(admitted) => admitted,
        Err(error) => return refusal(&error, "application/json"),
    };
    let limits = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(READ_MAX))
        .max_frame_size(Some(READ_MAX));
    let connection = Connection::new(app.clone(), schema.clone(), cookie);
    let open = open.clone();
    upgrade
        .protocols([PROTOCOL])
        .config(limits)
        .on_upgrade(move |stream| connection.run(stream, open))
        .into_response()
}

/// The socket to be, and the access token that the browser sent along.
///
/// Browsers let any site's page open a socket to here, with the cookies of whoever looks at it, and
/// say in `Origin` which page it was. Only ours may; and only where it is certain that it was ours
/// does a cookie count. A program sends no `Origin` and brings a token.
async fn admit(app: &App, request: &Request) -> Result<(WebSocket, Option<String>)> {
    let origin = request.header(header::ORIGIN);
    if origin.is_some_and(|origin| origin != app.config.public_url.origin().ascii_serialization()) {
        return Err(forbidden("Pages of other sites can't open a socket here."));
    }
    let unfit = || {
        let message = format!("This address takes WebSockets (RFC 6455) with the sub-protocol {PROTOCOL}.");
        Error::Coded(Code::BadRequest, message)
    };
    let upgrade = WebSocket::from_request_without_body(request).await.map_err(|_| unfit())?;
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    if !offered.any(|name| name.trim() == PROTOCOL) {
        return Err(unfit());
    }
    let cookie = origin.and_then(|_| token_from_cookie(app, request)).map(str::to_owned);
    Ok((upgrade, cookie))
}
