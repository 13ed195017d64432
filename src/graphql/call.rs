//! A request as clients send it, over HTTP or over a socket, and what it may ask for.

use std::time::Duration;

use async_graphql::{
    Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{cost, loaders::Loaders};
use crate::{
    actions::access::Viewer,
    app::App,
    error::{Code, Error, Result},
    limits::Allowance,
};

/// A query that takes longer is given up.
pub const TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Call {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Map<String, Json>>,
    /// Part of the protocol; nothing here uses it.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted because clients may send it")]
    extensions: Option<Json>,
}

/// A call that asks for no more than it may.
pub struct Checked {
    query: String,
    document: ExecutableDocument,
    operation_name: Option<String>,
    variables: Variables,
    /// What the operation that would run is.
    pub kind: OperationType,
    /// What running it costs.
    points: u32,
}

impl Call {
    /// Parses and measures what is asked for.
    ///
    /// # Errors
    /// `BAD_REQUEST`, `QUERY_TOO_COMPLEX`.
    pub fn check(self) -> Result<Checked> {
        cost::scan(&self.query)?;
        let document = parse_query(&self.query).map_err(|error| {
            let message = format!("The query can't be parsed: {}", plain(&error.to_string()));
            Error::Coded(Code::BadRequest, message)
        })?;
        let variables = Variables::from_json(Json::Object(self.variables.unwrap_or_default()));
        let operation = operation(&document, self.operation_name.as_deref())?;
        let cost = cost::measure(&document, operation, &variables)?;
        cost.check()?;
        let points = u32::try_from(cost.points.max(1)).unwrap_or(u32::MAX);
        let kind = operation.ty;
        let (query, operation_name) = (self.query, self.operation_name);
        Ok(Checked { query, document, operation_name, variables, kind, points })
    }
}

impl Checked {
    /// Pays for one execution.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn pay(&self, app: &App, viewer: &Viewer) -> Result<Allowance> {
        app.limits.points(&viewer.id, self.points, app.clock.now())
    }

    /// One execution, with loaders that know nothing yet.
    #[must_use]
    pub fn request(&self, app: &App, viewer: Viewer, allowance: Allowance) -> async_graphql::Request {
        let mut request = async_graphql::Request::new(self.query.as_str())
            .variables(self.variables.clone())
            .data(Loaders::new(app.clone(), &viewer))
            .data(app.clone())
            .data(viewer)
            .data(allowance);
        if let Some(name) = &self.operation_name {
            request = request.operation_name(name);
        }
        request.set_parsed_query(self.document.clone());
        request
    }
}

/// The operation that would run.
fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Single(operation), Some(_)) => Some(operation),
        (DocumentOperations::Multiple(_), None) => None,
    };
    let operation = operation.map(|operation| &operation.node);
    operation.ok_or_else(|| {
        Error::Coded(Code::BadRequest, "Name the operation to run with operationName.".to_owned())
    })
}

/// What to say when `TIME_MAX` has passed.
#[must_use]
pub fn too_slow() -> Error {
    let slow = "The query took longer than 5 seconds. Ask for less at once.";
    Error::Coded(Code::QueryTooComplex, slow.to_owned())
}

/// An error of a request that could not be served, as GraphQL lists them. Faults are logged here, once.
#[must_use]
pub fn errors(error: &Error) -> Json {
    let code = error.code();
    if matches!(code, Code::Internal | Code::Unavailable) {
        tracing::error!(code = code.name(), %error, "a GraphQL request could not be served");
    }
    json!([{ "message": error.public_message(), "extensions": { "code": code.name() } }])
}

/// A parser's words without control characters, and not so long that they repeat the query.
#[must_use]
pub fn plain(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
