//! SQL for filters, orders and changes.
//!
//! A value in a document is `json_extract(d.doc,'$.a.b')`, word for word as the indexes have it:
//! that is how SQLite recognises that an index holds it. Where an array's elements are indexed, the
//! question is put to the index's own table instead (see [`schema`](super::schema)).

use rusqlite::types::Value as Param;

use super::super::plan::{Plan, Stretch, fixed_value, fold};
use crate::query::{Collection, Direction, Expr, FieldRef, ID, Index, Kind, Op, Value};

/// What stands for null in the tables of array indexes, whose keys SQLite does not allow to be null:
/// negative infinity, which comes before every integer and every text, as null has to, and which no
/// document has.
pub(super) const NULL_KEY: &str = "-9e999";

/// From this many values on, a list is one parameter, so that lists of all lengths share a statement.
const LONG_LIST: usize = 8;

/// A statement and its parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    pub text: String,
    pub params: Vec<Param>,
}

/// Where a statement finds the values of fields.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The table of documents, as `d`.
    Documents,
    /// The table of an array index as `x`, and the documents as `d`.
    Elements(&'a Index),
    /// The table of documents, as the statement's only table: `UPDATE` and `DELETE`.
    Target,
}

/// `"a.b"` as an SQL name.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The name of an index, or of the table that is one. A conflict reports it as it is.
pub(super) fn index_name(collection: &Collection, index: &Index) -> String {
    format!("{}.{}", collection.name, index.name)
}

/// The array that an index is of, if it is one.
pub(super) fn array_of(index: &Index) -> Option<FieldRef> {
    index.keys.iter().map(|(field, _)| *field).find(|field| field.many)
}

/// The keys of an index without the id, which every index ends in anyway.
pub(super) fn keys_of(index: &Index) -> impl Iterator<Item = (FieldRef, Direction)> + '_ {
    index.keys.iter().copied().filter(|(field, _)| *field != ID)
}

/// The value of a field in the document `row.doc`.
pub(super) fn extract(row: &str, field: FieldRef) -> String {
    match (field == ID, row.is_empty()) {
        (true, true) => "id".to_owned(),
        (true, false) => format!("{row}.id"),
        (false, true) => format!("json_extract(doc,'$.{}')", field.name),
        (false, false) => format!("json_extract({row}.doc,'$.{}')", field.name),
    }
}

impl Source<'_> {
    fn row(self) -> &'static str {
        match self {
            Self::Documents | Self::Elements(_) => "d",
            Self::Target => "",
        }
    }

    fn column(self, field: FieldRef) -> String {
        match self {
            Self::Elements(_) if field == ID => "x.id".to_owned(),
            Self::Elements(index) => match keys_of(index).position(|(key, _)| key == field) {
                Some(key) => format!("x.k{key}"),
                None => extract("d", field),
            },
            Self::Documents | Self::Target => extract(self.row(), field),
        }
    }

    fn is_key_of_elements(self, field: FieldRef) -> bool {
        matches!(self, Self::Elements(index) if keys_of(index).any(|(key, _)| key == field))
    }
}

impl Sql {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), params: Vec::new() }
    }

    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub fn bind(&mut self, value: impl Into<Param>) -> &mut Self {
        self.params.push(value.into());
        self.push("?")
    }

    /// A condition that is true where `expr` holds, and false or null where it does not.
    pub fn condition(&mut self, source: Source<'_>, expr: &Expr) -> &mut Self {
        match expr {
            Expr::Compare(field, op, value) => self.compare(source, *field, *op, value),
            Expr::In(field, values) => self.is_in(source, *field, values),
            Expr::Contains(field, value) => self.contains(source, *field, value),
            Expr::ContainsAny(field, values) => {
                let each: Vec<Expr> =
                    values.iter().map(|value| Expr::Contains(*field, value.clone())).collect();
                self.joined(source, &each, " OR ", "0")
            }
            Expr::And(all) => self.joined(source, all, " AND ", "1"),
            Expr::Or(any) => self.joined(source, any, " OR ", "0"),
            Expr::Not(inner) => match &**inner {
                // A bound of an index, unlike IS NOT NULL; nulls of both kinds are outside.
                Expr::Compare(field, Op::Eq, Value::Null) => {
                    let column = source.column(*field);
                    self.push(&format!("{column} > {NULL_KEY}"))
                }
                // What is null here does not hold, so its negation does.
                inner => self.push("((").condition(source, inner).push(") IS NOT TRUE)"),
            },
        }
    }

    fn joined(&mut self, source: Source<'_>, parts: &[Expr], with: &str, none: &str) -> &mut Self {
        if parts.is_empty() {
            return self.push(none);
        }
        for (index, part) in parts.iter().enumerate() {
            self.push(if index == 0 { "(" } else { with }).condition(source, part);
        }
        self.push(")")
    }

    fn compare(&mut self, source: Source<'_>, field: FieldRef, op: Op, value: &Value) -> &mut Self {
        let column = source.column(field);
        let null_key = source.is_key_of_elements(field);
        let symbol = match (op, value) {
            (Op::Eq, Value::Null) if null_key => return self.push(&format!("{column} = {NULL_KEY}")),
            (Op::Eq, Value::Null) => return self.push(&format!("{column} IS NULL")),
            (_, Value::Null) => return self.push("0"),
            (Op::Eq, _) => "=",
            (Op::Lt, _) => "<",
            (Op::Lte, _) => "<=",
            (Op::Gt, _) => ">",
            (Op::Gte, _) => ">=",
        };
        self.push(&format!("{column} {symbol} ")).bind(param(value));
        if null_key && matches!(op, Op::Lt | Op::Lte) {
            self.push(&format!(" AND {column} > {NULL_KEY}"));
        }
        self
    }

    fn is_in(&mut self, source: Source<'_>, field: FieldRef, values: &[Value]) -> &mut Self {
        let present: Vec<&Value> = values.iter().filter(|value| **value != Value::Null).collect();
        let with_null = present.len() < values.len();
        let column = source.column(field);
        self.push(&format!("({column} IN ("));
        if present.len() >= LONG_LIST {
            self.push("SELECT value FROM json_each(").bind(json_list(&present)).push(")");
        } else {
            for (index, value) in present.into_iter().enumerate() {
                self.push(if index == 0 { "" } else { "," }).bind(param(value));
            }
        }
        self.push(")");
        if with_null {
            self.push(" OR ").compare(source, field, Op::Eq, &Value::Null);
        }
        self.push(")")
    }

    /// Asks the document's array itself. A null in an array is only in an array: `json_each` of null
    /// has one row as well.
    fn contains(&mut self, source: Source<'_>, field: FieldRef, value: &Value) -> &mut Self {
        let array = extract_args(source.row(), field);
        self.push(&format!("EXISTS (SELECT 1 FROM json_each({array}) AS e WHERE e.value IS "));
        self.bind(param(value)).push(&format!(" AND json_type({array}) = 'array')"))
    }

    /// The statement that reads one arm of a stretch: documents in the first column, and in the others
    /// what they are merged by.
    pub fn arm(collection: &Collection, plan: &Plan<'_>, stretch: &Stretch, arm: usize) -> Self {
        let expr = &stretch.arms[arm];
        let source = source_of(plan.index, expr);
        let distinct = if finds_twice(source, expr) { "DISTINCT " } else { "" };
        let mut sql = Self::new(format!("SELECT {distinct}json(d.doc)"));
        let mut varying = Vec::new();
        for (field, direction) in &stretch.order {
            sql.push(",");
            // SQLite does not see that an expression is constant because it is equal to a constant,
            // and would sort by it.
            match fixed_value(expr, *field) {
                Some(Value::Null) if source.is_key_of_elements(*field) => sql.push(NULL_KEY),
                Some(value) => sql.bind(param(value)),
                None => {
                    let column = source.column(*field);
                    varying.push(directed(&column, *direction));
                    sql.push(&column)
                }
            };
        }
        sql.from(collection, source, plan.index, expr);
        for (index, key) in varying.iter().enumerate() {
            sql.push(if index == 0 { " ORDER BY " } else { "," }).push(key);
        }
        sql.push(" LIMIT ").bind(i64::try_from(plan.limit).unwrap_or(i64::MAX));
        if arm > 0 {
            // A text of its own, so that arms of one form are prepared at the same time.
            sql.push(&format!(" -- {arm}"));
        }
        sql
    }

    /// `FROM … WHERE …` for documents that satisfy one conjunction.
    fn from(&mut self, collection: &Collection, source: Source<'_>, index: Option<&Index>, expr: &Expr) {
        let documents = quoted(collection.name);
        let Source::Elements(elements) = source else {
            self.push(&format!(" FROM {documents} AS d"));
            if let Some(index) = index {
                self.push(" INDEXED BY ").push(&quoted(&index_name(collection, index)));
            }
            self.push(" WHERE ").condition(source, expr);
            return;
        };
        // CROSS JOIN: the index leads, whatever the planner thinks of it.
        let table = quoted(&index_name(collection, elements));
        self.push(&format!(" FROM {table} AS x CROSS JOIN {documents} AS d ON d.id = x.id WHERE "));
        let (element, rest) = element_and_rest(elements, expr);
        match element {
            Some((field, Element::Is(value))) => {
                self.compare(source, field, Op::Eq, &value).push(" AND ");
            }
            Some((field, Element::IsOneOf(values))) => {
                self.is_in(source, field, &values).push(" AND ");
            }
            None => {}
        }
        self.condition(source, &rest);
    }

    /// The statement that counts, `at_most` at most; `None` when there is nothing to count.
    pub fn count(collection: &Collection, filter: &Expr, at_most: u64) -> Option<Self> {
        let mut sql = Self::new("SELECT count(*) FROM (SELECT ");
        let filter = fold(filter);
        let source = source_of(collection.index_for(&filter, &[]), &filter);
        sql.push(if finds_twice(source, &filter) { "DISTINCT d.id" } else { "1" });
        sql.matching(collection, &filter)?;
        sql.push(" LIMIT ").bind(i64::try_from(at_most).unwrap_or(i64::MAX)).push(")");
        Some(sql)
    }

    /// The statement that counts by value of a field; `None` when there is nothing to count.
    pub fn tally(collection: &Collection, filter: &Expr, field: FieldRef) -> Option<Self> {
        let filter = fold(filter);
        let source = source_of(collection.index_for(&filter, &[]), &filter);
        let each = if finds_twice(source, &filter) { "DISTINCT d.id" } else { "*" };
        let mut sql = Self::new(format!("SELECT {},count({each})", extract("d", field)));
        sql.matching(collection, &filter)?;
        sql.push(" GROUP BY 1");
        Some(sql)
    }

    /// Of a folded filter.
    fn matching(&mut self, collection: &Collection, filter: &Expr) -> Option<()> {
        if matches!(filter, Expr::Or(any) if any.is_empty()) {
            return None;
        }
        let index = collection.index_for(filter, &[]);
        self.from(collection, source_of(index, filter), index, filter);
        Some(())
    }
}

/// Where to look for what satisfies `expr` with the help of `index`.
fn source_of<'a>(index: Option<&'a Index>, expr: &Expr) -> Source<'a> {
    match index {
        Some(index) if element_and_rest(index, expr).0.is_some() => Source::Elements(index),
        _ => Source::Documents,
    }
}

/// What is asked of an array's elements.
enum Element {
    Is(Value),
    IsOneOf(Vec<Value>),
}

/// Whether a document comes as often as its array has one of several values.
fn finds_twice(source: Source<'_>, expr: &Expr) -> bool {
    let Source::Elements(index) = source else { return false };
    matches!(element_and_rest(index, expr).0, Some((_, Element::IsOneOf(_))))
}

/// Takes the question that an array index answers out of a conjunction. Another question to the same
/// array has to be put to the documents.
fn element_and_rest(index: &Index, expr: &Expr) -> (Option<(FieldRef, Element)>, Expr) {
    let mut rest = match expr {
        Expr::And(all) => all.clone(),
        other => vec![other.clone()],
    };
    let of_index = |field: FieldRef| Some(field) == array_of(index);
    let one = |expr: &Expr| matches!(expr, Expr::Contains(field, _) if of_index(*field));
    let any = |expr: &Expr| matches!(expr, Expr::ContainsAny(field, _) if of_index(*field));
    // One value leads to fewer documents than several.
    let asks = rest.iter().position(one).or_else(|| rest.iter().position(any));
    let element = asks.and_then(|at| match rest.swap_remove(at) {
        Expr::Contains(field, value) => Some((field, Element::Is(value))),
        Expr::ContainsAny(field, values) => Some((field, Element::IsOneOf(values))),
        _ => None,
    });
    (element, Expr::And(rest))
}

pub(super) fn directed(key: &str, direction: Direction) -> String {
    match direction {
        Direction::Asc => key.to_owned(),
        Direction::Desc => format!("{key} DESC"),
    }
}

fn extract_args(row: &str, field: FieldRef) -> String {
    let doc = if row.is_empty() { "doc".to_owned() } else { format!("{row}.doc") };
    format!("{doc},'$.{}'", field.name)
}

/// As `json_extract` gives it: a bool is 1 or 0.
pub(super) fn param(value: &Value) -> Param {
    match value {
        Value::Null => Param::Null,
        Value::Bool(bool) => Param::Integer(i64::from(*bool)),
        Value::Int(int) => Param::Integer(*int),
        Value::Text(text) => Param::Text(text.clone()),
        Value::Time(time) => Param::Text(time.to_string()),
    }
}

/// A column's value, as its field has it: the opposite of [`param`].
pub(super) fn value(field: FieldRef, param: Param) -> Value {
    match (param, field.kind) {
        (Param::Integer(int), Kind::Bool) => Value::Bool(int != 0),
        (Param::Integer(int), _) => Value::Int(int),
        (Param::Text(text), Kind::Time) => text.parse().map_or(Value::Text(text), Value::Time),
        (Param::Text(text), _) => Value::Text(text),
        (Param::Null | Param::Real(_) | Param::Blob(_), _) => Value::Null,
    }
}

fn json_list(values: &[&Value]) -> String {
    let json = |value: &&Value| match *value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Int(int) => (*int).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Time(time) => time.to_string().into(),
    };
    values.iter().map(json).collect::<serde_json::Value>().to_string()
}
