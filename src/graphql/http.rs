//! GraphQL over HTTP: what is taken in, and how it is answered.
//!
//! Stricter than the protocol has to be: POST and JSON only, one operation a request, nothing
//! without a signed-in member. That leaves a browser no way to be tricked into sending something.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use poem::{
    Body, Request, Response, handler,
    http::{HeaderMap, Method, StatusCode, header},
    web::Data,
};

use super::{
    Schema,
    call::{Call, errors, in_time, plain},
};
use crate::{
    actions::access::Viewer,
    app::App,
    error::{Code, Error, Result},
    http::{BODY_MAX, tell, tell_to_wait},
    limits::Allowance,
    web,
};

/// A body that takes longer to arrive is not waited for.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Most answers are shorter, in bytes: their buffer need not grow.
const USUAL: usize = 16 * 1024;

const RESPONSE_JSON: &str = "application/graphql-response+json";

type Answer = (async_graphql::Response, Allowance);

/// `POST /graphql`.
#[handler]
pub async fn graphql(request: &Request, body: Body, app: Data<&App>, schema: Data<&Schema>) -> Response {
    let media = answer_media(request.headers());
    match serve(request, body, &app, &schema).await {
        Ok((response, allowance)) => {
            // Nothing was executed when there is no data at all: the request itself was wrong.
            let refused = response.data == async_graphql::Value::Null && !response.errors.is_empty();
            let status =
                if refused && media == RESPONSE_JSON { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            let mut body = Vec::with_capacity(USUAL);
            if let Err(error) = serde_json::to_writer(&mut body, &response) {
                return refusal(&Error::Fault(format!("an answer could not be written: {error}")), media);
            }
            let mut answer = json(status, media, body);
            tell(&allowance, answer.headers_mut());
            answer
        }
        Err(error) => refusal(&error, media),
    }
}

/// `GET /graphql`: GraphiQL for people, nothing for programs.
#[handler]
pub fn graphiql(request: &Request) -> Response {
    let accept = request.header(header::ACCEPT).unwrap_or_default();
    if accept.contains("text/html") && request.uri().query().is_none() {
        return web::graphiql::page();
    }
    method_not_allowed(request.method())
}

/// Every other method.
fn method_not_allowed(method: &Method) -> Response {
    let message = format!("{method} is not allowed here. Send queries with POST.");
    let mut response = refusal(&Error::Coded(Code::MethodNotAllowed, message), "application/json");
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"));
    response
}

async fn serve(request: &Request, body: Body, app: &App, schema: &Schema) -> Result<Answer> {
    require_json(request.headers())?;
    let viewer = web::session::viewer(app, request).await?;
    let body = read(body).await?;
    let _turn = app.limits.turn(&viewer.id).await?;
    let call: Call = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("The body is not a GraphQL request: {}", plain(&error.to_string()));
        Error::Coded(Code::BadRequest, message)
    })?;
    execute(app, schema, viewer, call).await
}

async fn read(body: Body) -> Result<Vec<u8>> {
    match tokio::time::timeout(BODY_WITHIN, body.into_bytes_limit(BODY_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(poem::error::ReadBodyError::PayloadTooLarge)) => {
            Err(Error::Coded(Code::TooLarge, format!("The body has more than {BODY_MAX} bytes.")))
        }
        Ok(Err(_)) | Err(_) => {
            Err(Error::Coded(Code::BadRequest, "The body did not arrive whole in time.".to_owned()))
        }
    }
}

async fn execute(app: &App, schema: &Schema, viewer: Viewer, call: Call) -> Result<Answer> {
    let checked = call.check()?;
    if checked.kind == OperationType::Subscription {
        let message = "Subscriptions are served over a WebSocket, at /graphql/ws.".to_owned();
        return Err(Error::Coded(Code::BadRequest, message));
    }
    let allowance = checked.admit(app, &viewer)?;
    let request = checked.request(app, viewer, allowance);
    Ok((in_time(app, schema.execute(request)).await?, allowance))
}

fn require_json(headers: &HeaderMap) -> Result<()> {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = content.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = "Send the query as JSON, with Content-Type: application/json.".to_owned();
    Err(Error::Coded(Code::UnsupportedMediaType, message))
}

/// The media type that the client asked for: the newer one when it names it.
fn answer_media(headers: &HeaderMap) -> &'static str {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains(RESPONSE_JSON) { RESPONSE_JSON } else { "application/json" }
}

pub(super) fn refusal(error: &Error, media: &'static str) -> Response {
    let code = error.code();
    let body = serde_json::json!({ "errors": errors(error) });
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, media, body.to_string().into_bytes());
    if let Error::RateLimited { seconds } = error {
        tell_to_wait(*seconds, response.headers_mut());
    }
    if code == Code::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    }
    response
}

fn json(status: StatusCode, media: &'static str, body: Vec<u8>) -> Response {
    Response::builder()
        .status(status)
        .content_type(format!("{media}; charset=utf-8"))
        .header(header::CACHE_CONTROL, "no-store")
        .body(body)
}
