//! Problem documents (RFC 9457): how REST says what went wrong. `code` is stable and from the table
//! in [`crate::error`]; `errors` names each field to put right; `requestId` finds the request in the
//! logs. Nothing that was sent is repeated, as it may be a secret.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    error::ContentTypeError,
    payload::{Json, Payload},
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
};

use super::allowed::Allowed;
use crate::{
    error::{Code, Error, Problem},
    http::{self, Left, Refusal, RequestId},
};

const MEDIA_TYPE: &str = "application/problem+json";

/// A problem document.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ProblemDocument {
    /// Always `about:blank`: `code` tells problems apart.
    #[oai(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    status: u16,
    /// A sentence for a person.
    detail: String,
    /// A stable name, for programs.
    code: String,
    /// What to put right, field by field.
    #[oai(skip_serializing_if_is_empty)]
    errors: Vec<FieldProblem>,
    /// To be quoted when asking for help.
    request_id: String,
}

/// What to put right in one field.
#[derive(Object)]
pub struct FieldProblem {
    /// The field's name; with dots, its path.
    field: String,
    code: String,
    message: String,
}

impl From<&Problem> for FieldProblem {
    fn from(problem: &Problem) -> Self {
        let code = problem.code.name().to_owned();
        Self { field: problem.field.join("."), code, message: problem.message.clone() }
    }
}

/// The answer that tells of `error`.
pub fn response(error: &Error, request: &RequestId) -> Response {
    let code = error.code();
    let status = http::status(error);
    let errors =
        if let Error::Refused(problems) = error { problems.iter().map(Into::into).collect() } else { vec![] };
    let document = ProblemDocument {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail: error.public_message(),
        code: code.name().to_owned(),
        errors,
        request_id: request.0.clone(),
    };
    let mut response = Json(document).into_response().set_content_type(MEDIA_TYPE);
    response.set_status(status);
    let headers = response.headers_mut();
    match error {
        Error::RateLimited { seconds } => {
            http::tell_to_wait(*seconds, headers);
        }
        _ if code == Code::Unavailable => {
            headers.insert(header::RETRY_AFTER, 2.into());
        }
        _ if status == StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    response
}

/// Middleware: turns whatever went wrong inside into a problem document. What REST answers is for
/// one person and one moment, so it is not to be kept.
pub async fn documents<E: Endpoint>(inner: Arc<E>, mut request: Request) -> poem::Result<Response> {
    let (id, methods) = (RequestId::of(&request), methods(&request));
    let left = Left::default();
    request.set_data(left.clone());
    let answer = inner.call(request).await.map(IntoResponse::into_response);
    let mut response = dressed(&id, answer);
    left.tell(response.headers_mut());
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Ok(methods) = header::HeaderValue::from_str(&methods)
    {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    Ok(response)
}

/// An answer with the headers that REST's have.
pub fn dressed(id: &RequestId, answer: poem::Result<Response>) -> Response {
    let mut response = match answer {
        Ok(response) => response,
        Err(error) if error.is_from_response() => error.into_response(),
        Err(error) => self::response(&meaning(error, id), id),
    };
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    if let Ok(id) = header::HeaderValue::from_str(&id.0) {
        headers.entry("x-request-id").or_insert(id);
    }
    response
}

/// What the address takes. What is not in the specification is there to be read.
fn methods(request: &Request) -> String {
    let path = request.original_uri().path();
    let specified = request.data::<Allowed>().zip(path.strip_prefix("/api"));
    let methods = specified.and_then(|(allowed, path)| allowed.methods(path));
    methods.unwrap_or("GET, HEAD").to_owned()
}

fn meaning(error: poem::Error, request: &RequestId) -> Error {
    if error.is::<ContentTypeError>() {
        let sentence = "Send the body as JSON, with the header Content-Type: application/json.";
        return Error::Coded(Code::UnsupportedMediaType, sentence.to_owned());
    }
    http::meaning(error, request)
}

/// The specification's part: any of these may come instead of what was asked for.
impl ApiResponse for Refusal {
    fn meta() -> MetaResponses {
        let statuses: [(u16, &'static str); 11] = [
            (400, "The request is malformed, or has fields that are not known."),
            (401, "The code or the token does not work, or does not work any more."),
            (403, "You may not do this; of a suspended account, `detail` says until when and why."),
            (404, "There is no such thing, or you may not see it."),
            (413, "The body is too large."),
            (415, "The body is not of a type that is taken here."),
            (422, "A field is missing or can't be taken; `errors` says which and why."),
            (429, "Too many requests; the header Retry-After says for how many seconds to wait."),
            (500, "The service failed."),
            (503, "The service can't reach its store."),
            (507, "The service has no room left."),
        ];
        let response = |(status, description)| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: MEDIA_TYPE,
                schema: <Json<ProblemDocument> as Payload>::schema_ref(),
            }],
            headers: vec![],
        };
        MetaResponses { responses: statuses.into_iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        <Json<ProblemDocument> as Payload>::register(registry);
    }
}
