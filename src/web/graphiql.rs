//! GraphiQL, for trying the API in a browser.

use poem::{Response, handler, http::header, web::Path};

/// Everything the page loads comes from this service. GraphiQL's editor sets styles on its elements,
/// so they are allowed here and only here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("assets/graphiql.html");

/// The page.
#[must_use]
pub fn page() -> Response {
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "same-origin")
        .body(PAGE)
}

macro_rules! package {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/node_modules/", $path)).as_slice()
    };
}

/// `GET /assets/graphiql/{file}`: its parts, from npm by lock file.
#[handler]
pub fn asset(Path(file): Path<String>) -> Response {
    let (media, bytes): (&str, &[u8]) = match file.as_str() {
        "graphiql.js" => ("text/javascript", package!("graphiql/graphiql.min.js")),
        "graphiql.css" => ("text/css", package!("graphiql/graphiql.min.css")),
        "react.js" => ("text/javascript", package!("react/umd/react.production.min.js")),
        "react-dom.js" => ("text/javascript", package!("react-dom/umd/react-dom.production.min.js")),
        "start.js" => ("text/javascript", include_bytes!("assets/graphiql.js")),
        _ => return poem::http::StatusCode::NOT_FOUND.into(),
    };
    Response::builder()
        .content_type(format!("{media}; charset=utf-8"))
        .header(header::CACHE_CONTROL, "public, max-age=3600")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(bytes)
}
