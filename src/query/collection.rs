//! Documents, their collections, and the indexes that make questions cheap.

use serde::{Serialize, de::DeserializeOwned};

use super::{Direction, Expr, Field, FieldRef, ID, Op, Scalar, Value};
use crate::ids::{Id, Identified};

/// A struct that is stored: serde says how, the collection says what can be asked of it.
///
/// Its serde form has the id as `_id` and the version as `version`, and is read with fields that it
/// does not know ignored: an engine may keep marks of its own beside them.
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

impl Index {
    /// How many of the first keys a filter that fixes these fields fixes.
    fn lead(&self, fixed: &[FieldRef]) -> usize {
        self.keys.iter().take_while(|(field, _)| fixed.contains(field)).count()
    }

    fn answers(&self, filter: &Expr, fixed: &[FieldRef], order: &[(FieldRef, Direction)]) -> bool {
        let (lead, rest) = self.keys.split_at(self.lead(fixed));
        let holds_what_is_asked = self.keys.iter().all(|(field, _)| {
            (!field.many || fixed.contains(field))
                && (!self.unique || !field.nullable || fixed_to_a_value(filter, *field))
        });
        let starts_and_stops = || {
            let bounded = bounded_fields(filter);
            !lead.is_empty() || rest.first().is_some_and(|(field, _)| bounded.contains(field))
        };
        holds_what_is_asked
            && match order {
                [] => starts_and_stops(),
                // At most one document for each combination of values: any order will do.
                _ if self.unique && rest.is_empty() => true,
                _ => self.follows(rest, fixed, order),
            }
    }

    /// Whether reading this index, forwards or backwards, from where its first keys are fixed gives
    /// `order` to the last key. It has to: a page of 20 in a similar order would sort everything.
    fn follows(
        &self,
        rest: &[(FieldRef, Direction)],
        fixed: &[FieldRef],
        order: &[(FieldRef, Direction)],
    ) -> bool {
        let id_at = order.iter().position(|(field, _)| *field == ID).unwrap_or(order.len());
        let wanted: Vec<_> = order[..id_at].iter().filter(|(field, _)| !fixed.contains(field)).collect();
        let mut forwards = wanted.iter().zip(rest).map(|(left, right)| left.1 == right.1);
        let forward = forwards.next();
        let id_fits = match (order.get(id_at), self.keys.last(), forward) {
            (Some((_, id)), Some((_, last)), Some(forward)) if !self.unique => (id == last) == forward,
            _ => true,
        };
        wanted.len() == rest.len()
            && wanted.iter().zip(rest).all(|(left, right)| left.0 == right.0)
            && forwards.all(|next| Some(next) == forward)
            && id_fits
    }
}

impl Collection {
    /// The index that answers a filter in an order: its first keys are fields that the filter fixes
    /// to a value, and the rest is the order, or the order backwards. `None` means that the engine
    /// would have to walk, or sort, documents that are not asked for.
    ///
    /// Without an order (for counting), the filter has to fix or bound the index's first key.
    #[must_use]
    pub fn index_for(&self, filter: &Expr, order: &[(FieldRef, Direction)]) -> Option<&Index> {
        let fixed = fixed_fields(filter);
        self.indexes
            .iter()
            .filter(|index| index.answers(filter, &fixed, order))
            .max_by_key(|index| index.lead(&fixed))
    }
}

/// The fields that a filter fixes: equal to a value, one of several, or containing one or one of several.
pub(crate) fn fixed_fields(expr: &Expr) -> Vec<FieldRef> {
    match expr {
        Expr::Compare(field, Op::Eq, _)
        | Expr::In(field, _)
        | Expr::Contains(field, _)
        | Expr::ContainsAny(field, _) => {
            vec![*field]
        }
        Expr::And(all) => all.iter().flat_map(fixed_fields).collect(),
        Expr::Compare(..) | Expr::Or(_) | Expr::Not(_) => Vec::new(),
    }
}

/// Whether a filter fixes a field to something else than null. A unique index does not hold nulls.
fn fixed_to_a_value(expr: &Expr, wanted: FieldRef) -> bool {
    match expr {
        Expr::Compare(field, Op::Eq, value) | Expr::Contains(field, value) => {
            *field == wanted && *value != Value::Null
        }
        Expr::In(field, values) | Expr::ContainsAny(field, values) => {
            *field == wanted && !values.contains(&Value::Null)
        }
        Expr::And(all) => all.iter().any(|expr| fixed_to_a_value(expr, wanted)),
        Expr::Compare(..) | Expr::Or(_) | Expr::Not(_) => false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Filter, Order};

    struct Doc;
    const STATE: Field<Doc, String> = Field::new("state");
    const AT: Field<Doc, Option<i64>> = Field::new("at");
    const TITLE: Field<Doc, String> = Field::new("title");
    const EMAIL: Field<Doc, Option<String>> = Field::new("email");
    const TOPICS: Field<Doc, Vec<String>> = Field::new("topics");

    fn index_for(filter: &Filter<Doc>, order: Option<Order<Doc>>) -> Option<&'static str> {
        let collection = Collection {
            name: "docs",
            indexes: vec![
                Index::named("newest").asc(STATE).desc(AT),
                Index::named("topic").each(TOPICS).desc(AT),
                Index::named("title").asc(TITLE),
                Index::named("email").asc(EMAIL).unique(),
            ],
            may_scan: false,
        };
        let keys = order.map(|order| order.keys()).unwrap_or_default();
        collection.index_for(filter.expr(), &keys).map(|index| index.name)
    }

    #[test]
    fn an_index_is_read_forwards_or_backwards_but_never_sorted() {
        let published = STATE.eq("published".to_owned());
        assert_eq!(index_for(&published, Some(AT.desc())), Some("newest"));
        assert_eq!(index_for(&published, Some(AT.asc())), Some("newest"));
        assert_eq!(index_for(&published, Some(Order::by_id())), None);
        assert_eq!(index_for(&published, Some(AT.desc().desc(TITLE))), None);
        assert_eq!(index_for(&published, Some(AT.desc().asc(Field::<_, String>::new("_id")))), None);
        assert_eq!(index_for(&Filter::all(), Some(TITLE.desc())), Some("title"));
        assert_eq!(index_for(&TITLE.eq("a".to_owned()), Some(Order::by_id().reversed())), Some("title"));
    }

    #[test]
    fn a_count_needs_the_first_key() {
        assert_eq!(index_for(&STATE.eq("published".to_owned()), None), Some("newest"));
        assert_eq!(index_for(&STATE.gt("published".to_owned()), None), Some("newest"));
        assert_eq!(index_for(&AT.gt(3), None), None);
    }

    #[test]
    fn elements_are_found_by_what_an_array_contains() {
        let topic = TOPICS.contains("a".to_owned());
        assert_eq!(index_for(&topic, Some(AT.desc())), Some("topic"));
        let any = TOPICS.contains_any(["a".to_owned(), "b".to_owned()]);
        assert_eq!(index_for(&any, Some(AT.desc())), Some("topic"));
        assert_eq!(index_for(&Filter::all(), Some(AT.desc())), None);
    }

    #[test]
    fn a_unique_index_does_not_answer_for_nulls() {
        assert_eq!(index_for(&EMAIL.eq("a".to_owned()), Some(Order::by_id())), Some("email"));
        assert_eq!(index_for(&EMAIL.eq("a".to_owned()), Some(AT.desc())), Some("email"));
        assert_eq!(index_for(&EMAIL.eq(None), Some(Order::by_id())), None);
        assert_eq!(index_for(&Filter::all(), Some(EMAIL.asc())), None);
    }
}
