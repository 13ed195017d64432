//! What a query may ask for, decided before any of it runs.
//!
//! Two passes. [`scan`] reads the text before the parser does, because a parser that recurses can be
//! brought down by nesting alone. [`measure`] walks the parsed query with fragments expanded (each
//! walked once, as they can double at every level) and counts what it would cost.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{
        ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    },
};

use crate::{
    actions::page::{DEFAULT_SIZE, MAX_SIZE},
    error::{Code, Error, Result},
};

/// Longer queries are written by programs that should ask twice.
pub const TEXT_MAX: usize = 16 * 1024;
pub const TOKENS_MAX: usize = 2_000;
pub const NESTING_MAX: usize = 40;
/// Levels of fields. The deepest useful query (a page, its thread, replies in replies, their
/// authors' organisations) has 11.
pub const DEPTH_MAX: usize = 12;
/// Nodes that one query may ask for.
pub const POINTS_MAX: u64 = 300;
pub const ALIASES_MAX: u64 = 15;
pub const DIRECTIVES_MAX: u64 = 10;
/// Fields with fragments expanded.
pub const FIELDS_MAX: u64 = 2_000;

fn too_complex(message: impl Into<String>) -> Error {
    Error::Coded(Code::QueryTooComplex, message.into())
}

/// Refuses a query text that is too long or nested too deeply to be parsed safely.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`.
pub fn scan(query: &str) -> Result<()> {
    if query.len() > TEXT_MAX {
        return Err(too_complex(format!("The query has {} bytes; {TEXT_MAX} is the most.", query.len())));
    }
    let bytes = query.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_usize, 0_usize);
    while at < bytes.len() {
        let (next, is_token) = token_end(bytes, at);
        match bytes[at] {
            b'{' | b'[' | b'(' => nesting += 1,
            b'}' | b']' | b')' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        tokens += usize::from(is_token);
        if nesting > NESTING_MAX {
            return Err(too_complex(format!("The query nests brackets deeper than {NESTING_MAX}.")));
        }
        if tokens > TOKENS_MAX {
            return Err(too_complex(format!("The query has more than {TOKENS_MAX} tokens.")));
        }
        at = next;
    }
    Ok(())
}

/// Where what starts at `at` ends, and whether it is a token (white space, commas and comments are
/// not). Brackets inside strings and comments don't nest.
fn token_end(bytes: &[u8], at: usize) -> (usize, bool) {
    let is_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'@');
    match bytes[at] {
        b' ' | b'\t' | b'\n' | b'\r' | b',' => (at + 1, false),
        b'#' => (
            bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length),
            false,
        ),
        b'"' => (string_end(bytes, at), true),
        byte if is_name(&byte) => (
            bytes[at..].iter().position(|byte| !is_name(byte)).map_or(bytes.len(), |length| at + length),
            true,
        ),
        _ => (at + 1, true),
    }
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let block = bytes[at..].starts_with(b"\"\"\"");
    let mut at = at + if block { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' if !block => return at + 1,
            b'"' if bytes[at..].starts_with(b"\"\"\"") => return at + 3,
            b'\n' if !block => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// What an operation asks for, fragments expanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Nodes, lists weighted by how many items they may give.
    pub points: u64,
    pub fields: u64,
    pub aliases: u64,
    pub directives: u64,
    pub depth: usize,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.points = self.points.saturating_add(other.points);
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
    }

    /// # Errors
    /// `QUERY_TOO_COMPLEX` with the limit that was passed.
    pub fn check(&self) -> Result<()> {
        let limits = [
            (self.points, POINTS_MAX, "nodes"),
            (self.fields, FIELDS_MAX, "fields"),
            (self.aliases, ALIASES_MAX, "aliases"),
            (self.directives, DIRECTIVES_MAX, "directives"),
            (self.depth as u64, DEPTH_MAX as u64, "levels"),
        ];
        match limits.iter().find(|(asked, limit, _)| asked > limit) {
            None => Ok(()),
            Some((asked, limit, what)) => Err(too_complex(format!(
                "The query asks for {asked} {what}; {limit} is the most. Ask for less at once."
            ))),
        }
    }
}

/// Measures the operation that would run.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` for fragments that contain themselves.
pub fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<Cost> {
    let mut meter = Meter { fragments: &document.fragments, operation, variables, measured: HashMap::new() };
    let mut cost = meter.selection(&operation.selection_set.node)?;
    cost.directives += operation.directives.len() as u64;
    Ok(cost)
}

struct Meter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// `None` while a fragment is being walked.
    measured: HashMap<&'a Name, Option<Cost>>,
}

impl<'a> Meter<'a> {
    fn selection(&mut self, selection: &'a SelectionSet) -> Result<Cost> {
        let mut cost = Cost::default();
        for item in &selection.items {
            cost.add(match &item.node {
                Selection::Field(field) => self.field(&field.node)?,
                Selection::InlineFragment(fragment) => {
                    let mut cost = self.selection(&fragment.node.selection_set.node)?;
                    cost.directives += fragment.node.directives.len() as u64;
                    cost
                }
                Selection::FragmentSpread(spread) => {
                    let mut cost = self.fragment(&spread.node.fragment_name.node)?;
                    cost.directives += spread.node.directives.len() as u64;
                    cost
                }
            });
        }
        Ok(cost)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<Cost> {
        match self.measured.get(name) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(too_complex("A fragment contains itself.")),
            None => {}
        }
        let Some(fragment) = self.fragments.get(name) else {
            // Validation says so in better words.
            return Ok(Cost::default());
        };
        self.measured.insert(name, None);
        let cost = self.selection(&fragment.node.selection_set.node)?;
        self.measured.insert(name, Some(cost));
        Ok(cost)
    }

    fn field(&mut self, field: &'a Field) -> Result<Cost> {
        let mut cost = self.selection(&field.selection_set.node)?;
        let name = field.name.node.as_str();
        let inside = !field.selection_set.node.items.is_empty();
        if name == "__schema" || name == "__type" {
            // Describes the schema, not the community: bounded by its fields alone.
            cost.depth = 0;
            cost.points = 0;
        } else if inside {
            cost.points = self.nodes(field, cost.points);
        }
        cost.depth += 1;
        cost.fields = cost.fields.saturating_add(1);
        cost.aliases += u64::from(field.alias.is_some());
        cost.directives += field.directives.len() as u64;
        Ok(cost)
    }

    /// The nodes of a field whose selection asks for `inner` in each.
    fn nodes(&self, field: &Field, inner: u64) -> u64 {
        match field.name.node.as_str() {
            // Parts of a connection: the connection itself weighs them.
            "edges" | "pageInfo" => inner,
            "nodes" if field.arguments.is_empty() => inner.saturating_add(1),
            "nodes" => inner.saturating_add(1).saturating_mul(self.list_length(field, "ids")),
            _ => match self.page_size(field) {
                Some(size) => inner.saturating_mul(size).max(1),
                None => inner.saturating_add(1),
            },
        }
    }

    /// How many items a connection may give; `None` for what is no connection.
    fn page_size(&self, field: &Field) -> Option<u64> {
        if field.get_argument("first").is_some() || field.get_argument("last").is_some() {
            let asked = self.argument(field, "first").or_else(|| self.argument(field, "last"));
            return Some(match asked {
                Some(Value::Number(number)) => number.as_u64().unwrap_or(MAX_SIZE as u64),
                Some(Value::Null) | None => DEFAULT_SIZE as u64,
                Some(_) => MAX_SIZE as u64,
            });
        }
        let is_part = |selection: &Positioned<Selection>| match &selection.node {
            Selection::Field(field) => {
                matches!(field.node.name.node.as_str(), "edges" | "nodes" | "pageInfo" | "totalCount")
            }
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        };
        field.selection_set.node.items.iter().any(is_part).then_some(DEFAULT_SIZE as u64)
    }

    fn list_length(&self, field: &Field, argument: &str) -> u64 {
        match self.argument(field, argument) {
            Some(Value::List(items)) => items.len() as u64,
            _ => 1,
        }
    }

    /// An argument with its variables filled in.
    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        let value = field.get_argument(name)?.node.clone();
        value.into_const_with(|name| self.variable(&name).ok_or(())).ok()
    }

    fn variable(&self, name: &Name) -> Option<Value> {
        let default = || {
            let definition = self
                .operation
                .variable_definitions
                .iter()
                .find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| value.node.clone())
        };
        self.variables.get(name).cloned().or_else(default)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{parse_query, types::DocumentOperations};
    use serde_json::json;

    use super::*;

    fn cost_with(query: &str, variables: serde_json::Value) -> Result<Cost> {
        scan(query)?;
        let document = parse_query(query).unwrap();
        let DocumentOperations::Single(operation) = &document.operations else { panic!("one operation") };
        let cost = measure(&document, &operation.node, &Variables::from_json(variables))?;
        cost.check().map(|()| cost)
    }

    fn cost(query: &str) -> Result<Cost> {
        cost_with(query, json!({}))
    }

    #[test]
    fn nodes_are_weighted_by_the_size_of_their_page() {
        assert_eq!(cost("{ viewer { name } }").unwrap().points, 1);
        assert_eq!(
            cost("{ feed(first: 20) { nodes { title author { name organisation { name } } } } }")
                .unwrap()
                .points,
            60
        );
        assert_eq!(cost("{ feed(last: 5) { edges { cursor node { title } } } }").unwrap().points, 5);
        assert_eq!(cost("{ feed { nodes { title } } }").unwrap().points, 20);
        assert_eq!(cost("{ nodes(ids: [\"a\", \"b\"]) { id } }").unwrap().points, 2);
        let variable = "query($n: Int = 7) { feed(first: $n) { nodes { title } } }";
        assert_eq!(cost(variable).unwrap().points, 7);
        assert_eq!(cost_with(variable, json!({"n": 30})).unwrap().points, 30);
    }

    #[test]
    fn pages_within_pages_multiply() {
        assert!(
            cost("{ feed(first: 50) { nodes { thread { comments(first: 50) { nodes { id } } } } } }")
                .is_err()
        );
        assert!(cost("{ feed(first: 100) { nodes { title author { name } topics { name } } } }").is_ok());
        assert!(
            cost("{ feed(first: 100) { nodes { author { name } topics { name } thread { locked } } } }")
                .is_err()
        );
    }

    #[test]
    fn introspection_is_bounded_by_its_fields() {
        let deep = "{ __schema { types { fields { type { ofType { ofType { ofType { ofType { ofType { ofType { ofType \
                    { ofType { ofType { name } } } } } } } } } } } } } }".replace('\\', "");
        assert_eq!(cost(&deep).unwrap().points, 0);
    }

    #[test]
    fn bombs_are_refused_before_they_cost_anything() {
        let doubling: String = (0..40)
            .map(|n| format!("fragment f{n} on Q {{ a {{ ...f{m} }} b {{ ...f{m} }} }} ", m = n + 1))
            .collect();
        let doubling = format!("{{ ...f0 }} {doubling} fragment f40 on Q {{ id }}");
        let aliases =
            format!("{{ {} }}", (0..200).map(|n| format!("a{n}: viewer {{ id }} ")).collect::<String>());
        let directives = format!("{{ viewer {{ name {} }} }}", "@skip(if: false) ".repeat(50));
        let deep = format!("{{ {} id {} }}", "a { ".repeat(30), "} ".repeat(30));
        let nested = format!("{{ a(x: {}", "[".repeat(1_500));
        let cyclic = "{ ...a } fragment a on Q { b { ...c } } fragment c on Q { b { ...a } }";
        let wide = format!("{{ {} }}", "id ".repeat(3_000));
        let long = format!("{{ id }} # {}", "x".repeat(TEXT_MAX));
        for bomb in [doubling.as_str(), &aliases, &directives, &deep, &nested, cyclic, &wide, &long] {
            // The quickest of a few: what else the machine does is no fault of the guard's.
            let times = (0..5).map(|_| {
                let started = std::time::Instant::now();
                assert_eq!(cost(bomb).unwrap_err().code(), Code::QueryTooComplex, "{}", &bomb[..60]);
                started.elapsed().as_millis()
            });
            assert!(times.min().is_some_and(|quickest| quickest < 10), "{}", &bomb[..60]);
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        let brackets = "[".repeat(100);
        assert!(scan(&format!("{{ a(x: \"{brackets}\\\"{brackets}\") }}")).is_ok());
        assert!(scan(&format!("{{ a(x: \"\"\"{brackets}\"{brackets}\"\"\") }} # {brackets}")).is_ok());
        assert!(scan(&format!("{{ a(x: \"\") {brackets}")).is_err());
    }
}
