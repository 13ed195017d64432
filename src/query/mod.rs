//! What can be asked of a store: a closed, typed language with one meaning on every engine.
//!
//! [`matches`] and [`compare`] *are* that meaning. The engines render the same [`Expr`] to their
//! own tongue, and property tests hold them to what these functions say:
//!
//! - A missing field equals null. Null is less than everything else.
//! - `lt`, `lte`, `gt`, `gte` never hold for null. `ne` holds for null. `not` is two-valued: what
//!   does not hold, holds negated.
//! - `is_in([])` holds for nothing. `contains` holds when an array has the value; a missing array
//!   has none. `contains_any` holds when an array has one of the values, so `contains_any([])` never.
//! - Text compares by its UTF-8 bytes, times by the millisecond, integers within ±2^53.
//! - Every order ends in the id, in the direction of the last field named, so that it is total.
//!
//! The language is the system's largest risk when it grows: a new operator brings its meaning
//! here, a rendering for each engine, cases in the property tests, and says how it is indexed.

mod collection;
mod meaning;

use std::{fmt, marker::PhantomData};

pub(crate) use collection::fixed_fields;
pub use collection::{Collection, Document, Index};
pub(crate) use meaning::after_each;
pub use meaning::{after, compare, matches, position, value_at};

use crate::{clock::Timestamp, ids::Id};

/// A value that can be stored in a declared field and compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    Null,
    Bool(bool),
    /// Within ±2^53, so that every client reads it exactly.
    Int(i64),
    Text(String),
    Time(Timestamp),
}

/// What a field's values are, besides null. Engines keep a time apart from a text, and a field tells
/// them which it is when no value is at hand: for an index, a tally, a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Bool,
    Int,
    Text,
    Time,
}

impl Value {
    /// `None` for null, which every field may be compared with.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Null => None,
            Self::Bool(_) => Some(Kind::Bool),
            Self::Int(_) => Some(Kind::Int),
            Self::Text(_) => Some(Kind::Text),
            Self::Time(_) => Some(Kind::Time),
        }
    }
}

/// The value of a scalar whose type says truly what it is.
fn checked<V: Scalar>(scalar: &V) -> Value {
    let value = scalar.value();
    debug_assert!(value.kind().is_none_or(|kind| kind == V::KIND), "Scalar::KIND is not what {value:?} is");
    value
}

/// Types that a field may have.
pub trait Scalar {
    /// Whether the field may be null or missing.
    const NULLABLE: bool = false;
    /// What [`value`](Self::value) gives, besides null.
    const KIND: Kind = Kind::Text;
    fn value(&self) -> Value;
}

impl Scalar for bool {
    const KIND: Kind = Kind::Bool;
    fn value(&self) -> Value {
        Value::Bool(*self)
    }
}
impl Scalar for i64 {
    const KIND: Kind = Kind::Int;
    fn value(&self) -> Value {
        Value::Int(*self)
    }
}
impl Scalar for String {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }
}
impl Scalar for Timestamp {
    const KIND: Kind = Kind::Time;
    fn value(&self) -> Value {
        Value::Time(*self)
    }
}
impl<T> Scalar for Id<T> {
    fn value(&self) -> Value {
        Value::Text(self.as_str().to_owned())
    }
}
impl<T: Scalar> Scalar for Option<T> {
    const NULLABLE: bool = true;
    const KIND: Kind = T::KIND;
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Scalar::value)
    }
}

/// Implements [`Scalar`] for an enum of unit variants: the text that serde gives it.
#[macro_export]
macro_rules! scalar_enum {
    ($type:ty) => {
        impl $crate::query::Scalar for $type {
            fn value(&self) -> $crate::query::Value {
                match serde_json::to_value(self) {
                    Ok(serde_json::Value::String(text)) => $crate::query::Value::Text(text),
                    other => unreachable!("a unit variant is text, not {other:?}"),
                }
            }
        }
    };
}

/// A declared field of documents `D`, holding `V`. The name is the path in the stored document.
pub struct Field<D, V> {
    name: &'static str,
    types: PhantomData<fn(D) -> V>,
}

impl<D, V> Clone for Field<D, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D, V> Copy for Field<D, V> {}

/// A field with its types worn off, as engines see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldRef {
    pub name: &'static str,
    pub nullable: bool,
    /// An array, of which `contains` is the only question.
    pub many: bool,
    pub kind: Kind,
}

/// The id of a document is a field of it like any other.
pub const ID: FieldRef = FieldRef { name: "_id", nullable: false, many: false, kind: Kind::Text };

impl<D, V> Field<D, V> {
    /// Declares a field. Only documents do this, beside their struct.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }
}

impl<D, V: Scalar> Field<D, V> {
    #[must_use]
    pub const fn erased(self) -> FieldRef {
        FieldRef { name: self.name, nullable: V::NULLABLE, many: false, kind: V::KIND }
    }

    fn compare(self, op: Op, value: &V) -> Filter<D> {
        Filter::new(Expr::Compare(self.erased(), op, checked(value)))
    }

    pub fn eq(self, value: impl Into<V>) -> Filter<D> {
        self.compare(Op::Eq, &value.into())
    }
    pub fn ne(self, value: impl Into<V>) -> Filter<D> {
        self.eq(value).not()
    }
    pub fn lt(self, value: impl Into<V>) -> Filter<D> {
        self.compare(Op::Lt, &value.into())
    }
    pub fn lte(self, value: impl Into<V>) -> Filter<D> {
        self.compare(Op::Lte, &value.into())
    }
    pub fn gt(self, value: impl Into<V>) -> Filter<D> {
        self.compare(Op::Gt, &value.into())
    }
    pub fn gte(self, value: impl Into<V>) -> Filter<D> {
        self.compare(Op::Gte, &value.into())
    }
    pub fn is_in(self, values: impl IntoIterator<Item = V>) -> Filter<D> {
        let values = values.into_iter().map(|value| checked(&value)).collect();
        Filter::new(Expr::In(self.erased(), values))
    }
    #[must_use]
    pub fn asc(self) -> Order<D> {
        Order::default().asc(self)
    }
    #[must_use]
    pub fn desc(self) -> Order<D> {
        Order::default().desc(self)
    }
    /// This field set to `value`, for a patch.
    pub fn set(self, value: impl Into<V>) -> Change<D> {
        Change { field: self.erased(), value: checked(&value.into()), document: PhantomData }
    }
}

impl<D, V: Scalar> Field<D, Vec<V>> {
    #[must_use]
    pub const fn erased(self) -> FieldRef {
        FieldRef { name: self.name, nullable: true, many: true, kind: V::KIND }
    }

    pub fn contains(self, value: impl Into<V>) -> Filter<D> {
        Filter::new(Expr::Contains(self.erased(), checked(&value.into())))
    }
    /// Found by the index of the array's elements, as `contains` is: a page is merged from a place in it
    /// for each value.
    pub fn contains_any(self, values: impl IntoIterator<Item = V>) -> Filter<D> {
        let values = values.into_iter().map(|value| checked(&value)).collect();
        Filter::new(Expr::ContainsAny(self.erased(), values))
    }
}

/// One field of a patch.
pub struct Change<D> {
    pub field: FieldRef,
    pub value: Value,
    document: PhantomData<fn(D)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// A filter with its document type worn off. Built only through [`Field`] and [`Filter`].
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Compare(FieldRef, Op, Value),
    In(FieldRef, Vec<Value>),
    Contains(FieldRef, Value),
    ContainsAny(FieldRef, Vec<Value>),
    /// All of them; none to satisfy is satisfied.
    And(Vec<Expr>),
    /// Any of them; none to choose from is not satisfied.
    Or(Vec<Expr>),
    Not(Box<Expr>),
}

/// Which documents `D` are meant.
pub struct Filter<D> {
    expr: Expr,
    document: PhantomData<fn(D)>,
}

impl<D> Clone for Filter<D> {
    fn clone(&self) -> Self {
        Self::new(self.expr.clone())
    }
}

impl<D> fmt::Debug for Filter<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl<D> Filter<D> {
    const fn new(expr: Expr) -> Self {
        Self { expr, document: PhantomData }
    }

    /// Every document.
    #[must_use]
    pub const fn all() -> Self {
        Self::new(Expr::And(Vec::new()))
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::new(match (self.expr, other.expr) {
            (Expr::And(mut left), Expr::And(right)) => {
                left.extend(right);
                Expr::And(left)
            }
            (Expr::And(mut list), expr) | (expr, Expr::And(mut list)) => {
                list.push(expr);
                Expr::And(list)
            }
            (left, right) => Expr::And(vec![left, right]),
        })
    }

    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::new(Expr::Or(vec![self.expr, other.expr]))
    }

    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "reads as the query language does")]
    pub fn not(self) -> Self {
        Self::new(Expr::Not(Box::new(self.expr)))
    }

    #[must_use]
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    #[must_use]
    pub fn into_expr(self) -> Expr {
        self.expr
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Asc,
    Desc,
}

impl Direction {
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// A total order of documents `D`: the fields named, then the id.
pub struct Order<D> {
    keys: Vec<(FieldRef, Direction)>,
    document: PhantomData<fn(D)>,
}

impl<D> Default for Order<D> {
    fn default() -> Self {
        Self { keys: Vec::new(), document: PhantomData }
    }
}

impl<D> Clone for Order<D> {
    fn clone(&self) -> Self {
        Self { keys: self.keys.clone(), document: PhantomData }
    }
}

impl<D> fmt::Debug for Order<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.keys.fmt(f)
    }
}

impl<D> Order<D> {
    /// By id alone, which is by time of creation.
    #[must_use]
    pub fn by_id() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn asc<V: Scalar>(mut self, field: Field<D, V>) -> Self {
        self.keys.push((field.erased(), Direction::Asc));
        self
    }

    #[must_use]
    pub fn desc<V: Scalar>(mut self, field: Field<D, V>) -> Self {
        self.keys.push((field.erased(), Direction::Desc));
        self
    }

    /// The same documents, last first: how a page before a cursor is read.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        if self.keys.is_empty() {
            self.keys.push((ID, Direction::Desc));
        } else {
            for (_, direction) in &mut self.keys {
                *direction = direction.reversed();
            }
        }
        self
    }

    /// The fields named, and the id at the end.
    #[must_use]
    pub fn keys(&self) -> Vec<(FieldRef, Direction)> {
        let mut keys = self.keys.clone();
        if keys.last().is_none_or(|(field, _)| *field != ID) {
            keys.push((ID, keys.last().map_or(Direction::Asc, |(_, direction)| *direction)));
        }
        keys
    }
}

/// How many documents, starting after which.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub limit: usize,
    /// The values of the order's keys (the id included) in the document before the page.
    pub after: Option<Vec<Value>>,
}

impl Page {
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }

    #[must_use]
    pub fn after(mut self, position: Option<Vec<Value>>) -> Self {
        self.after = position;
        self
    }
}
