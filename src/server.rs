//! The HTTP server: puts the three surfaces together.

use std::future::Future;

use poem::{Endpoint, EndpointExt, Route, get};
use tokio::net::TcpListener;

use crate::{app::App, graphql, rest, web};

/// Every route of the service.
pub fn routes(app: &App) -> impl Endpoint + use<> {
    let route: Route = web::routes(rest::routes(app), app);
    route
        .at("/graphql", get(graphql::http::graphiql).post(graphql::http::graphql.data(graphql::schema())))
        .data(app.clone())
}

/// Serves on `listener` until `stop` is done, and then lets open requests end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let acceptor = poem::listener::TcpAcceptor::from_tokio(listener)?;
    poem::Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(routes(&app), stop, None).await
}
