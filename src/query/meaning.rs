//! What filters, orders and pages mean, on documents in memory. Every engine is tested against it.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::{Direction, Expr, FieldRef, Kind, Op, Value};

/// The filter that lets through what comes after `position` in the order `keys`.
#[must_use]
pub fn after(keys: &[(FieldRef, Direction)], position: &[Value]) -> Expr {
    Expr::Or(after_each(keys, position))
}

/// What comes after `position` in the order `keys`, as filters of documents that follow each other:
/// all that satisfy the first come before those that satisfy the second, and so on.
///
/// Each is one unbroken stretch of an index on `keys`. An engine that reads one after the other starts
/// each at its first document, so that page 1,000 costs what page 1 costs, whatever nulls and ties
/// there are.
pub(crate) fn after_each(keys: &[(FieldRef, Direction)], position: &[Value]) -> Vec<Expr> {
    let pairs: Vec<_> = keys.iter().zip(position).collect();
    let mut stretches = Vec::with_capacity(pairs.len());
    // The longer two documents agree in their keys, the closer they stand.
    for (differs, ((field, direction), value)) in pairs.iter().enumerate().rev() {
        let same = pairs[..differs]
            .iter()
            .map(|((field, _), value)| Expr::Compare(*field, Op::Eq, (*value).clone()))
            .collect::<Vec<_>>();
        for beyond in beyond(*field, *direction, value) {
            stretches.push(Expr::And([same.as_slice(), &[beyond]].concat()));
        }
    }
    stretches
}

/// In the order of the direction: null comes first, or last.
fn beyond(field: FieldRef, direction: Direction, value: &Value) -> Vec<Expr> {
    let is_null = || Expr::Compare(field, Op::Eq, Value::Null);
    match (direction, value) {
        (Direction::Asc, Value::Null) => vec![Expr::Not(Box::new(is_null()))],
        (Direction::Asc, value) => vec![Expr::Compare(field, Op::Gt, value.clone())],
        (Direction::Desc, Value::Null) => Vec::new(),
        (Direction::Desc, value) if field.nullable => {
            vec![Expr::Compare(field, Op::Lt, value.clone()), is_null()]
        }
        (Direction::Desc, value) => vec![Expr::Compare(field, Op::Lt, value.clone())],
    }
}

/// The value at a field's path in a stored document, as readable JSON has it.
#[must_use]
pub fn value_at<'a>(document: &'a Json, path: &str) -> &'a Json {
    path.split('.').fold(document, |json, key| json.get(key).unwrap_or(&Json::Null))
}

/// Where a document stands in an order: what [`Page::after`] takes.
#[must_use]
pub fn position(document: &Json, keys: &[(FieldRef, Direction)]) -> Vec<Value> {
    keys.iter().map(|(field, _)| from_json(*field, value_at(document, field.name))).collect()
}

/// The value of `field` that a document's JSON spells. A time is text in JSON, and has to become a
/// time again: an engine may keep it as something else.
pub(crate) fn from_json(field: FieldRef, json: &Json) -> Value {
    match json {
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => number.as_i64().map_or(Value::Null, Value::Int),
        Json::String(text) if field.kind == Kind::Time => {
            text.parse().map_or_else(|_| Value::Text(text.clone()), Value::Time)
        }
        Json::String(text) => Value::Text(text.clone()),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}

/// Whether a document satisfies a filter. The definition that every engine is tested against, and
/// the filter of live events.
#[must_use]
pub fn matches(expr: &Expr, document: &Json) -> bool {
    match expr {
        Expr::Compare(field, op, value) => {
            let ordering = compare_json(value_at(document, field.name), value);
            match op {
                Op::Eq => ordering == Some(Ordering::Equal),
                Op::Lt => ordering == Some(Ordering::Less),
                Op::Lte => {
                    matches!(ordering, Some(Ordering::Less | Ordering::Equal)) && *value != Value::Null
                }
                Op::Gt => ordering == Some(Ordering::Greater),
                Op::Gte => {
                    matches!(ordering, Some(Ordering::Greater | Ordering::Equal)) && *value != Value::Null
                }
            }
        }
        Expr::In(field, values) => {
            let found = value_at(document, field.name);
            values.iter().any(|value| compare_json(found, value) == Some(Ordering::Equal))
        }
        Expr::Contains(field, value) => value_at(document, field.name)
            .as_array()
            .is_some_and(|items| items.iter().any(|item| compare_json(item, value) == Some(Ordering::Equal))),
        Expr::ContainsAny(field, values) => {
            values.iter().any(|value| matches(&Expr::Contains(*field, value.clone()), document))
        }
        Expr::And(all) => all.iter().all(|expr| matches(expr, document)),
        Expr::Or(any) => any.iter().any(|expr| matches(expr, document)),
        Expr::Not(expr) => !matches(expr, document),
    }
}

/// How a stored value compares with one asked for; `None` where they can't be compared (null with
/// anything but null, or values of different types).
fn compare_json(json: &Json, value: &Value) -> Option<Ordering> {
    match (json, value) {
        (Json::Null, Value::Null) => Some(Ordering::Equal),
        (Json::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Json::Number(left), Value::Int(right)) => Some(left.as_i64()?.cmp(right)),
        (Json::String(left), Value::Text(right)) => Some(left.as_str().cmp(right)),
        (Json::String(left), Value::Time(right)) => Some(left.as_str().cmp(&right.to_string())),
        _ => None,
    }
}

/// The order of two documents under `keys`: null first, then by value.
#[must_use]
pub fn compare(left: &Json, right: &Json, keys: &[(FieldRef, Direction)]) -> Ordering {
    keys.iter().fold(Ordering::Equal, |ordering, (field, direction)| {
        ordering.then_with(|| {
            let of = |document| from_json(*field, value_at(document, field.name));
            let pair = (of(left), of(right));
            match direction {
                Direction::Asc => pair.0.cmp(&pair.1),
                Direction::Desc => pair.1.cmp(&pair.0),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::*, *};

    struct Doc;
    const COUNT: Field<Doc, Option<i64>> = Field::new("count");
    const NAME: Field<Doc, String> = Field::new("name");
    const TAGS: Field<Doc, Vec<String>> = Field::new("tags");

    #[test]
    fn null_and_missing_are_the_same_and_never_compared() {
        for document in [json!({}), json!({"count": null})] {
            let holds = |filter: Filter<Doc>| matches(filter.expr(), &document);
            assert!(holds(COUNT.eq(None)));
            assert!(holds(COUNT.ne(Some(3))));
            assert!(!holds(COUNT.lt(Some(3))));
            assert!(holds(COUNT.lt(Some(3)).not()));
            assert!(!holds(COUNT.gte(None)));
            assert!(!holds(COUNT.is_in([])));
            assert!(!holds(TAGS.contains("a".to_owned())));
        }
    }

    #[test]
    fn a_page_starts_after_its_position_in_both_directions() {
        let documents: Vec<Json> = [None, Some(1), Some(1), Some(2), None]
            .iter()
            .enumerate()
            .map(|(id, count)| json!({"_id": format!("d{id}"), "count": count}))
            .collect();
        for order in [COUNT.asc(), COUNT.desc(), Order::by_id(), COUNT.asc().reversed()] {
            let keys = order.keys();
            let mut sorted = documents.clone();
            sorted.sort_by(|left, right| compare(left, right, &keys));
            for (index, document) in sorted.iter().enumerate() {
                let position = position(document, &keys);
                let rest = after(&keys, &position);
                let found: Vec<&Json> = sorted.iter().filter(|document| matches(&rest, document)).collect();
                assert_eq!(found, sorted[index + 1..].iter().collect::<Vec<_>>());
                let stretches = after_each(&keys, &position);
                let one_by_one = stretches
                    .iter()
                    .flat_map(|stretch| sorted.iter().filter(|document| matches(stretch, document)));
                assert_eq!(one_by_one.collect::<Vec<_>>(), found);
            }
        }
    }

    #[test]
    fn a_position_knows_times_from_texts() {
        const AT: Field<Doc, Option<crate::clock::Timestamp>> = Field::new("at");
        let text = "2026-03-02T09:00:00.000Z";
        let document = json!({"_id": "d", "at": text, "name": text});
        let keys = AT.asc().asc(NAME).keys();
        let expected =
            [Value::Time(text.parse().unwrap()), Value::Text(text.into()), Value::Text("d".into())];
        assert_eq!(position(&document, &keys), expected);
    }

    #[test]
    fn text_compares_by_bytes() {
        let document = json!({"name": "é"});
        assert!(matches(NAME.gt("z".to_owned()).expr(), &document));
    }
}
