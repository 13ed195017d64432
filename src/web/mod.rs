//! Pages for people.

use poem::Route;

use crate::app::App;

/// Adds the pages to the routes.
pub fn routes(route: Route, _app: &App) -> Route {
    route
}

pub mod graphiql;
