//! Filters and orders as MongoDB's.
//!
//! MongoDB compares only values of one type, takes missing for null when it compares with null, and
//! `$nor` is two-valued: the meaning of our filters, where arrays are asked with `$elemMatch` alone.

use bson::{Bson, DateTime, Document as Doc, doc};

use crate::{
    clock::Timestamp,
    query::{Direction, Expr, FieldRef, Op, Value},
};

pub(super) fn bson(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(bool) => Bson::Boolean(*bool),
        Value::Int(int) => Bson::Int64(*int),
        Value::Text(text) => Bson::String(text.clone()),
        Value::Time(time) => Bson::DateTime(DateTime::from_millis(time.millis())),
    }
}

/// The value that a stored field has; `None` for what no declared field holds.
pub(super) fn value_of(bson: &Bson) -> Option<Value> {
    Some(match bson {
        Bson::Null => Value::Null,
        Bson::Boolean(bool) => Value::Bool(*bool),
        Bson::Int32(int) => Value::Int(i64::from(*int)),
        Bson::Int64(int) => Value::Int(*int),
        Bson::String(text) => Value::Text(text.clone()),
        Bson::DateTime(time) => Value::Time(Timestamp::from_millis(time.timestamp_millis())),
        _ => return None,
    })
}

pub(super) fn filter(expr: &Expr) -> Doc {
    match expr {
        // Null is not less or greater than anything, itself included.
        Expr::Compare(_, op, Value::Null) if *op != Op::Eq => nothing(),
        Expr::Compare(field, op, value) => {
            let operator = match op {
                Op::Eq => "$eq",
                Op::Lt => "$lt",
                Op::Lte => "$lte",
                Op::Gt => "$gt",
                Op::Gte => "$gte",
            };
            doc! { field.name: { operator: bson(value) } }
        }
        Expr::In(field, values) => {
            doc! { field.name: { "$in": values.iter().map(bson).collect::<Vec<_>>() } }
        }
        Expr::Contains(field, value) => doc! { field.name: { "$elemMatch": { "$eq": bson(value) } } },
        Expr::And(all) if all.is_empty() => doc! {},
        Expr::And(all) => doc! { "$and": all.iter().map(filter).collect::<Vec<_>>() },
        Expr::Or(any) => self::any(any),
        Expr::Not(inner) => doc! { "$nor": [filter(inner)] },
    }
}

pub(super) fn any(arms: &[Expr]) -> Doc {
    match arms {
        [] => nothing(),
        [only] => filter(only),
        arms => doc! { "$or": arms.iter().map(filter).collect::<Vec<_>>() },
    }
}

fn nothing() -> Doc {
    doc! { "_id": { "$in": [] } }
}

pub(super) fn sort(order: &[(FieldRef, Direction)]) -> Doc {
    order.iter().map(|(field, direction)| (field.name.to_owned(), Bson::Int32(sign(*direction)))).collect()
}

pub(super) const fn sign(direction: Direction) -> i32 {
    match direction {
        Direction::Asc => 1,
        Direction::Desc => -1,
    }
}
