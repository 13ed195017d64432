//! Pages for people. They work without JavaScript, at 320 pixels, and by keyboard.

mod cookies;
mod dev_mail;
mod forms;
pub mod graphiql;
pub mod page;
pub mod session;
mod sign_in;
mod start;
mod unsubscribe;

use poem::{EndpointExt, Response, Route, get, handler, post};

use crate::app::App;

/// Adds the pages to the routes.
pub fn routes(route: Route, _app: &App) -> Route {
    route
        .at("/", get(start::show_start).around(page::framed))
        .at("/sign-in", get(sign_in::ask).post(sign_in::send).around(page::framed))
        .at("/sign-in/code", get(sign_in::enter).post(sign_in::check).around(page::framed))
        .at("/sign-in/:token", get(sign_in::open_link).post(sign_in::use_link).around(page::framed))
        .at("/sign-out", post(session::sign_out).around(page::framed))
        .at("/unsubscribe/:token", get(unsubscribe::ask).post(unsubscribe::stop).around(page::open))
        .at("/unsubscribe/:token/undo", post(unsubscribe::undo).around(page::framed))
        .at("/dev/mail", get(dev_mail::list).around(page::framed))
        .at("/dev/mail/:name", get(dev_mail::message).around(page::framed))
        .at("/dev/mail/:name/html", get(dev_mail::html).around(page::framed))
        .at("/assets/page.css", get(style))
        .at("/assets/graphiql/:file", get(graphiql::asset))
}

#[handler]
fn style() -> Response {
    let response = Response::builder().content_type("text/css; charset=utf-8");
    let response = response.header("cache-control", "public, max-age=3600");
    response.header("x-content-type-options", "nosniff").body(include_str!("assets/page.css"))
}
