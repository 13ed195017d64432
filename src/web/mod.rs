//! Pages for people.

use poem::{Route, get, post};

use crate::app::App;

pub mod dev_mail;
pub mod graphiql;
mod page;
pub mod unsubscribe;

/// Adds the pages to the routes.
pub fn routes(route: Route, _app: &App) -> Route {
    route
        .at("/assets/page.css", get(page::style))
        .at("/unsubscribe/:token", get(unsubscribe::show).post(unsubscribe::stop))
        .at("/unsubscribe/:token/undo", post(unsubscribe::undo))
        .at("/dev/mail", get(dev_mail::list))
        .at("/dev/mail/:name", get(dev_mail::show))
        .at("/dev/mail/:name/html", get(dev_mail::html))
}
