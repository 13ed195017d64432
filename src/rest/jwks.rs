//! The public keys, for whoever checks access tokens without asking us.

use poem::{
    IntoResponse, Response, handler,
    web::{Data, Json},
};

use crate::app::App;

/// Kept for a minute: a new key is here for some minutes before it signs, and whoever meets an unknown
/// `kid` should ask again.
#[handler]
pub fn jwks(app: Data<&App>) -> Response {
    let json = Json(app.keys.jwks()).with_header("cache-control", "public, max-age=60");
    json.into_response().set_content_type("application/jwk-set+json")
}
