//! Pages for people. They work without JavaScript, at 320 pixels, and by keyboard.

mod cookies;
mod data_export;
mod dev_mail;
mod digest;
mod erasure;
mod forms;
pub mod graphiql;
mod identity;
mod invitation;
pub mod page;
mod rules;
mod second_factor;
pub mod session;
mod sessions;
mod sign_in;
mod sign_in_factor;
pub mod single_sign_on;
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
        .at(
            "/sign-in/second-factor",
            get(sign_in_factor::ask).post(sign_in_factor::check).around(page::framed),
        )
        .at("/sign-in/with/:provider", get(single_sign_on::begin).around(page::framed))
        .at("/sign-in/with/:provider/callback", get(single_sign_on::come_back).around(page::framed))
        .at("/sign-in/:token", get(sign_in::open_link).post(sign_in::use_link).around(page::framed))
        .at("/rules", get(rules::read).post(rules::accept).around(page::framed))
        .at("/invitations/:token", get(invitation::open).post(invitation::accept).around(page::framed))
        .at("/invitations/:token/code", post(invitation::check).around(page::framed))
        .at("/sign-out", post(session::sign_out).around(page::framed))
        .at("/sessions", get(sessions::list).around(page::framed))
        .at("/sessions/end", post(sessions::end_others).around(page::framed))
        .at("/sessions/:id/end", post(sessions::end).around(page::framed))
        .at("/identities/:id/unlink", post(identity::unlink).around(page::framed))
        .at("/data-exports/:id", get(data_export::show_export).around(page::framed))
        .at("/digests/:id", get(digest::show_digest).around(page::framed))
        .at("/erasure", get(erasure::show_erasure).around(page::framed))
        .at("/erasure/cancel", post(erasure::cancel).around(page::framed))
        .at("/second-factor", get(second_factor::list).around(page::framed))
        .at("/second-factor/show/new", post(second_factor::ask).around(page::framed))
        .at("/second-factor/show", post(second_factor::prove).around(page::framed))
        .at("/second-factor/app/new", post(second_factor::new_app).around(page::framed))
        .at("/second-factor/app", post(second_factor::add_app).around(page::framed))
        .at("/second-factor/passkey/new", post(second_factor::new_passkey).around(page::framed))
        .at("/second-factor/passkey", post(second_factor::add_passkey).around(page::framed))
        .at("/second-factor/codes", post(second_factor::renew_codes).around(page::framed))
        .at("/second-factor/:id/remove", post(second_factor::remove).around(page::framed))
        .at("/unsubscribe/:token", get(unsubscribe::ask).post(unsubscribe::stop).around(page::open))
        .at("/unsubscribe/:token/again", post(unsubscribe::again).around(page::framed))
        .at("/dev/mail", get(dev_mail::list).around(page::framed))
        .at("/dev/mail/:name", get(dev_mail::message).around(page::framed))
        .at("/dev/mail/:name/html", get(dev_mail::html).around(page::framed))
        .at("/assets/page.css", get(style))
        .at("/assets/passkey.js", get(passkey_script))
        .at("/assets/graphiql/:file", get(graphiql::asset))
}

#[handler]
fn style() -> Response {
    asset("text/css", include_str!("assets/page.css"))
}

#[handler]
fn passkey_script() -> Response {
    asset("text/javascript", include_str!("assets/passkey.js"))
}

fn asset(media: &str, text: &'static str) -> Response {
    let response = Response::builder().content_type(format!("{media}; charset=utf-8"));
    let response = response.header("cache-control", "public, max-age=3600");
    response.header("x-content-type-options", "nosniff").body(text)
}
