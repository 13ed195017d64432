//! Documents, their collections, and the indexes that make questions cheap.

use serde::{Serialize, de::DeserializeOwned};

use super::{Direction, Expr, Field, FieldRef, ID, Op, Scalar};
use crate::ids::{Id, Identified};

/// A struct that is stored: serde says how, the collection says what can be asked of it.
///
/// Its serde form has the id as `_id` and the version as `version`.
pub trait Document: Identified + Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Name and indexes; the same value at every call.
    fn collection() -> &'static Collection;
    fn id(&self) -> &Id<Self>;
    fn version(&self) -> i64;
    fn set_version(&mut self, version: i64);
}

/// Implements [`Identified`] and [`Document`] for a struct with the fields `id` and `version`.
#[macro_export]
macro_rules! document {
    ($type:ty, $prefix:literal, $collection:literal, [$($index:expr),* $(,)?]) => {
        impl $crate::ids::Identified for $type {
            const PREFIX: &'static str = $prefix;
        }
        impl $crate::query::Document for $type {
            fn collection() -> &'static $crate::query::Collection {
                static COLLECTION: std::sync::LazyLock<$crate::query::Collection> =
                    std::sync::LazyLock::new(|| $crate::query::Collection {
                        name: $collection,
                        indexes: vec![$($index),*],
                        may_scan: false,
                    });
                &COLLECTION
            }
            fn id(&self) -> &$crate::ids::Id<Self> {
                &self.id
            }
            fn version(&self) -> i64 {
                self.version
            }
            fn set_version(&mut self, version: i64) {
                self.version = version;
            }
        }
    };
}

/// A named set of documents and the questions that it answers quickly.
#[derive(Debug)]
pub struct Collection {
    pub name: &'static str,
    pub indexes: Vec<Index>,
    /// Whether queries without an index are answered. Only the engines' own tests say yes.
    pub may_scan: bool,
}

/// An index, kept in the order of its keys and then the id. Created when the store opens.
#[derive(Clone, Debug)]
pub struct Index {
    pub name: &'static str,
    pub keys: Vec<(FieldRef, Direction)>,
    /// No two documents share these values; documents with a null among them don't take part.
    pub unique: bool,
}

impl Index {
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self { name, keys: Vec::new(), unique: false }
    }
    #[must_use]
    pub fn asc<D, V: Scalar>(mut self, field: Field<D, V>) -> Self {
        self.keys.push((field.erased(), Direction::Asc));
        self
    }
    #[must_use]
    pub fn desc<D, V: Scalar>(mut self, field: Field<D, V>) -> Self {
        self.keys.push((field.erased(), Direction::Desc));
        self
    }
    /// An array's elements, each of which finds the document. At most one array an index.
    #[must_use]
    pub fn each<D, V: Scalar>(mut self, field: Field<D, Vec<V>>) -> Self {
        self.keys.push((field.erased(), Direction::Asc));
        self
    }
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}

impl Collection {
    /// The index that answers a filter in an order: its first keys are fields that the filter fixes
    /// to a value, and the rest follows the order. `None` means that the engine would have to walk
    /// documents that are not asked for.
    #[must_use]
    pub fn index_for(&self, filter: &Expr, order: &[(FieldRef, Direction)]) -> Option<&Index> {
        let fixed = fixed_fields(filter);
        let bounded = bounded_fields(filter);
        let suits = |index: &&Index| {
            let lead = index.keys.iter().take_while(|(field, _)| fixed.contains(field)).count();
            let rest = &index.keys[lead..];
            let wanted: Vec<_> =
                order.iter().filter(|(field, _)| *field != ID && !fixed.contains(field)).collect();
            let follows =
                wanted.len() <= rest.len() && wanted.iter().zip(rest).all(|(left, right)| left.0 == right.0);
            follows
                && (lead > 0
                    || rest.first().is_some_and(|(field, _)| bounded.contains(field) || !wanted.is_empty()))
        };
        let arrays: Vec<FieldRef> = fixed.iter().copied().filter(|field| field.many).collect();
        let has_arrays = |index: &&Index| {
            index.keys.iter().filter(|(field, _)| field.many).all(|(field, _)| arrays.contains(field))
        };
        let leads = |index: &&Index| index.keys.iter().take_while(|(field, _)| fixed.contains(field)).count();
        self.indexes.iter().filter(suits).filter(has_arrays).max_by_key(leads)
    }
}

/// The fields that a filter fixes: equal to a value, one of several, or containing one.
pub(crate) fn fixed_fields(expr: &Expr) -> Vec<FieldRef> {
    match expr {
        Expr::Compare(field, Op::Eq, _) | Expr::In(field, _) | Expr::Contains(field, _) => {
            vec![*field]
        }
        Expr::And(all) => all.iter().flat_map(fixed_fields).collect(),
        Expr::Compare(..) | Expr::Or(_) | Expr::Not(_) => Vec::new(),
    }
}

/// The fields that a filter bounds from one side or both.
fn bounded_fields(expr: &Expr) -> Vec<FieldRef> {
    match expr {
        Expr::Compare(field, op, _) if *op != Op::Eq => vec![*field],
        Expr::And(all) => all.iter().flat_map(bounded_fields).collect(),
        _ => Vec::new(),
    }
}
