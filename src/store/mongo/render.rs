//! MongoDB's form of filters, orders and values.
//!
//! What MongoDB means is close to what we mean, and where it is not, the rendering says what we mean:
//! comparisons with null, which hold for null in MongoDB, and an empty choice, which is an error.

use bson::{Bson, Document, doc};

use crate::query::{Direction, Expr, FieldRef, Kind, Op, Value};

/// A filter that holds where `expr` does.
pub(super) fn filter(expr: &Expr) -> Document {
    match expr {
        Expr::Compare(field, op, value) => compare(*field, *op, value),
        Expr::In(field, values) => {
            let values: Vec<Bson> = values.iter().map(|value| to_bson(*field, value)).collect();
            doc! { field.name: { "$in": values } }
        }
        // Of elements, MongoDB says that null is one of a missing array.
        Expr::Contains(field, Value::Null) => doc! { field.name: { "$elemMatch": { "$eq": Bson::Null } } },
        Expr::Contains(field, value) => doc! { field.name: to_bson(*field, value) },
        Expr::ContainsAny(field, values) if values.contains(&Value::Null) => {
            let each = values.iter().map(|value| filter(&Expr::Contains(*field, value.clone())));
            doc! { "$or": each.collect::<Vec<_>>() }
        }
        Expr::ContainsAny(field, values) => {
            let values: Vec<Bson> = values.iter().map(|value| to_bson(*field, value)).collect();
            doc! { field.name: { "$in": values } }
        }
        Expr::And(all) if all.is_empty() => doc! {},
        Expr::And(all) => doc! { "$and": all.iter().map(filter).collect::<Vec<_>>() },
        Expr::Or(any) if any.is_empty() => never(),
        Expr::Or(any) => doc! { "$or": any.iter().map(filter).collect::<Vec<_>>() },
        Expr::Not(inner) => match &**inner {
            // A bound of an index, unlike $nor.
            Expr::Compare(field, Op::Eq, Value::Null) => doc! { field.name: { "$ne": Bson::Null } },
            inner => doc! { "$nor": [filter(inner)] },
        },
    }
}

fn compare(field: FieldRef, op: Op, value: &Value) -> Document {
    let symbol = match (op, value) {
        (Op::Eq, _) => "$eq",
        (_, Value::Null) => return never(),
        (Op::Lt, _) => "$lt",
        (Op::Lte, _) => "$lte",
        (Op::Gt, _) => "$gt",
        (Op::Gte, _) => "$gte",
    };
    doc! { field.name: { symbol: to_bson(field, value) } }
}

fn never() -> Document {
    doc! { "$alwaysFalse": 1 }
}

/// A value as documents have it. Times are dates, also those that come as text out of a cursor.
pub(super) fn to_bson(field: FieldRef, value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(bool) => Bson::Boolean(*bool),
        Value::Int(int) => Bson::Int64(*int),
        Value::Time(time) => Bson::DateTime(bson::DateTime::from_millis(time.millis())),
        Value::Text(text) => match text.parse::<crate::clock::Timestamp>() {
            Ok(time) if field.kind == Kind::Time => to_bson(field, &Value::Time(time)),
            _ => Bson::String(text.clone()),
        },
    }
}

/// The opposite of [`to_bson`].
pub(super) fn to_value(bson: &Bson) -> Value {
    match bson {
        Bson::Boolean(bool) => Value::Bool(*bool),
        Bson::Int32(int) => Value::Int(i64::from(*int)),
        Bson::Int64(int) => Value::Int(*int),
        Bson::String(text) => Value::Text(text.clone()),
        Bson::DateTime(time) => Value::Time(crate::clock::Timestamp::from_millis(time.timestamp_millis())),
        _ => Value::Null,
    }
}

pub(super) fn sort(order: &[(FieldRef, Direction)]) -> Document {
    order.iter().map(|(field, direction)| (field.name.to_owned(), directed(*direction))).collect()
}

pub(super) fn directed(direction: Direction) -> Bson {
    Bson::Int32(match direction {
        Direction::Asc => 1,
        Direction::Desc => -1,
    })
}
