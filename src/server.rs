//! The HTTP server: puts the three surfaces together.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::{
    Endpoint, EndpointExt, IntoResponse, Request, Response, Route, get,
    http::{HeaderValue, uri::Scheme},
    middleware::CatchPanic,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tracing::Instrument;

use crate::{
    app::App,
    graphql,
    http::{Open, RequestId},
    rest::{self, health::Stopping},
    web,
};

/// A client that has not sent its whole request head by then is cut off. The framework's own server
/// waits for ever, which lets a few half-open connections starve everybody.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
const HEADERS_MAX: usize = 100;
/// Requests in hand have this long to end when the process stops.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Every route of the service.
pub fn routes(app: &App, stopping: &Stopping) -> impl Endpoint<Output = Response> + use<> {
    let route: Route = web::routes(rest::routes(app), app);
    let schema = graphql::schema();
    let socket = get(graphql::socket::socket.data(schema.clone()));
    route
        .at("/graphql", get(graphql::http::graphiql).post(graphql::http::graphql.data(schema)))
        .at("/graphql/ws", socket)
        .around(rest::as_asked)
        .with(CatchPanic::new())
        .around(named)
        .data(app.clone())
        .data(stopping.clone())
        .map_to_response()
}

/// Gives every request a name, by which its answer, its log lines and its errors are found together.
/// The address is not logged: it may hold a token.
async fn named<E: Endpoint>(inner: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let id = RequestId::of(&request);
    request.set_data(id.clone());
    let span = tracing::info_span!("request", id = %id.0);
    let mut response = inner.call(request).instrument(span).await?.into_response();
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert("x-request-id", value);
    }
    Ok(response)
}

/// Serves on `listener` until `stop` is done, and then lets requests in hand end.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
    let stopping = Stopping::default();
    let endpoint = Arc::new(routes(&app, &stopping).boxed());
    let places = Arc::new(Semaphore::new(app.config.limits.connections));
    let (stops, _) = watch::channel(false);
    tokio::pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut stop => break,
            (connection, place) = accepted => match (connection, place) {
                (Ok((stream, peer)), Ok(place)) => {
                    let local = listener.local_addr()?;
                    let addresses = (LocalAddr(local.into()), RemoteAddr(peer.into()));
                    let open = Open::new(stops.subscribe(), place);
                    serve_connection(stream, addresses, Arc::clone(&endpoint), open);
                }
                // One connection's fault, or a moment without file descriptors: no reason to stop.
                (Err(error), _) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                (_, Err(_)) => break,
            },
        }
    }
    stopping.0.store(true, Ordering::SeqCst);
    drop(listener);
    stops.send_replace(true);
    if tokio::time::timeout(DRAIN_WITHIN, stops.closed()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

fn serve_connection(
    stream: TcpStream,
    (local, remote): (LocalAddr, RemoteAddr),
    endpoint: Arc<impl Endpoint<Output = Response> + 'static>,
    open: Open,
) {
    stream.set_nodelay(true).ok();
    let kept = open.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
        request.set_data(open.clone());
        let endpoint = Arc::clone(&endpoint);
        async move {
            let response = endpoint.get_response(request).await;
            Ok::<_, Infallible>(hyper::Response::<_>::from(response))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::spawn(async move {
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = kept.stops() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
