//! A request as clients send it, over HTTP or over a socket, and what it may ask for.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use async_graphql::{
    Variables,
    parser::{
        parse_query,
        types::{
            DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
            SelectionSet,
        },
    },
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use super::{cost, loaders::Loaders};
use crate::{
    actions::access::Viewer,
    app::App,
    domain::permission::{Permission, is_for_newcomers},
    error::{Code, Error, Result},
    limits::Allowance,
};

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
    document: Arc<ExecutableDocument>,
    operation_name: Option<String>,
    variables: Variables,
    /// What the operation that would run is.
    pub kind: OperationType,
    /// What it needs permission for.
    permissions: Vec<&'static Permission>,
    /// Whether it is for those, too, who don't take part yet.
    for_newcomers: bool,
    /// What running it costs.
    points: u32,
}

/// What the name of a field begins with that no permission is called by.
const ELSEWHERE: &str = "…";

/// Texts that were parsed. Programs send the same few again and again, and parsing a page's takes as long as
/// a call of the store.
static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);

#[derive(Default)]
struct Known(Mutex<HashMap<Box<str>, Arc<ExecutableDocument>>>);

impl Known {
    /// Forgotten all at once, so that texts that are made up each time can't fill the memory.
    const MAX: usize = 256;
    /// Longer texts are not remembered, in bytes.
    const LENGTH_MAX: usize = 4_096;

    fn parse(&self, text: &str) -> Result<Arc<ExecutableDocument>> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = known().get(text) {
            return Ok(Arc::clone(document));
        }
        cost::scan(text)?;
        let document = parse_query(text).map_err(|error| {
            let message = format!("The query can't be parsed: {}", plain(&error.to_string()));
            Error::Coded(Code::BadRequest, message)
        })?;
        let document = Arc::new(document);
        if text.len() <= Self::LENGTH_MAX {
            let mut known = known();
            if known.len() >= Self::MAX {
                known.clear();
            }
            known.insert(text.into(), Arc::clone(&document));
        }
        Ok(document)
    }
}

impl Call {
    /// Parses and measures what is asked for.
    ///
    /// # Errors
    /// `BAD_REQUEST`, `QUERY_TOO_COMPLEX`.
    pub fn check(self) -> Result<Checked> {
        let document = KNOWN.parse(&self.query)?;
        let variables = Variables::from_json(Json::Object(self.variables.unwrap_or_default()));
        let operation = operation(&document, self.operation_name.as_deref())?;
        let cost = cost::measure(&document, operation, &variables)?;
        cost.check()?;
        let points = u32::try_from(cost.points.max(1)).unwrap_or(u32::MAX);
        let kind = operation.ty;
        let mut fields = fields(&document, &operation.selection_set.node, "");
        fields.retain(|name| !name.starts_with(ELSEWHERE));
        let permissions = fields.iter().filter_map(|name| Permission::named(name)).collect();
        let for_newcomers = fields.iter().all(|name| is_for_newcomers(name));
        let (query, operation_name) = (self.query, self.operation_name);
        Ok(Checked { query, document, operation_name, variables, kind, permissions, for_newcomers, points })
    }
}

impl Checked {
    /// Checks that the viewer may run it, and pays for one execution.
    ///
    /// # Errors
    /// `FORBIDDEN`, `RATE_LIMITED`.
    pub fn admit(&self, app: &App, viewer: &Viewer) -> Result<Allowance> {
        if !self.for_newcomers {
            viewer.takes_part()?;
        }
        self.permissions.iter().try_for_each(|permission| viewer.admit(permission))?;
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
        request.set_parsed_query((*self.document).clone());
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

/// What an operation asks for, wherever it is, fragments expanded, by what permissions are called: the name
/// alone at the root, after `viewer.` of the viewer (payloads have one, too), and after [`ELSEWHERE`] of all
/// else. Fragments that contain themselves were refused before, and those that would be too much when they
/// are expanded.
fn fields(document: &ExecutableDocument, set: &SelectionSet, prefix: &str) -> Vec<String> {
    let inside = |set: &SelectionSet| fields(document, set, prefix);
    let names = set.items.iter().flat_map(|item| match &item.node {
        Selection::Field(field) => {
            let name = field.node.name.node.as_str();
            let of = if name == "viewer" { "viewer." } else { ELSEWHERE };
            let mut names = vec![format!("{prefix}{name}")];
            names.extend(fields(document, &field.node.selection_set.node, of));
            names
        }
        Selection::InlineFragment(fragment) => inside(&fragment.node.selection_set.node),
        Selection::FragmentSpread(spread) => document
            .fragments
            .get(&spread.node.fragment_name.node)
            .map(|fragment| inside(&fragment.node.selection_set.node))
            .unwrap_or_default(),
    });
    names.collect()
}

/// What a query answers; one that takes too long is given up.
pub async fn in_time<T>(app: &App, answer: impl Future<Output = T>) -> Result<T> {
    let seconds = app.config.limits.query_seconds;
    timeout(Duration::from_secs(seconds), answer).await.map_err(|_| {
        let slow = format!("The query took longer than {seconds} seconds. Ask for less at once.");
        Error::Coded(Code::QueryTooComplex, slow)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_parsed_is_remembered_within_bounds() {
        let known = Known::default();
        let count = || known.0.lock().unwrap().len();
        let first = known.parse("{ viewer { id } }").unwrap();
        assert!(Arc::ptr_eq(&first, &known.parse("{ viewer { id } }").unwrap()));
        assert!(known.parse("{ viewer { id }").is_err() && known.parse("{ viewer { id }").is_err());
        known.parse(&format!("{{ viewer {{ id }} }} # {}", "x".repeat(Known::LENGTH_MAX))).unwrap();
        assert_eq!(count(), 1, "neither what can't be parsed nor what is long");
        for number in 0..3 * Known::MAX {
            known.parse(&format!("{{ a{number}: viewer {{ id }} }}")).unwrap();
            assert!(count() <= Known::MAX);
        }
    }
}
