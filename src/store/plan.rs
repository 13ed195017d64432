//! How a `find` is answered, decided once for all engines.
//!
//! An engine's own planner guesses from statistics, and guesses anew when they change. Ours does not
//! guess: the index is the one that [`Collection::index_for`] names, and what is asked for is cut into
//! [stretches](Stretch) of it that follow each other. An engine reads them one after the other until
//! it has enough: nothing is sorted, and nothing before the page is read.

use crate::query::{Collection, Direction, Expr, FieldRef, ID, Index, Op, Page, Value, after_each};

/// More arms than this cost more to plan than they save; the engine then sorts what it finds.
const MAX_ARMS: usize = 64;
/// The same where an array has one of several values. Documents may have many of them, so sorting what is
/// found would cost more with every document: as many arms as members may follow things.
const MAX_ELEMENT_ARMS: usize = 128;

/// How a page of documents is found.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// `None` where the id finds the documents, or where scanning is allowed.
    pub index: Option<&'a Index>,
    /// In the order asked for. None at all: nothing can satisfy the filter.
    pub stretches: Vec<Stretch>,
    pub limit: usize,
}

/// Documents that stand next to each other in the order asked for.
#[derive(Debug)]
pub(super) struct Stretch {
    /// Which documents they are.
    pub filter: Expr,
    /// The same, cut further where a field has one of several values: each is one unbroken stretch of
    /// the index, and they have to be merged. A document whose array has two of the values satisfies two
    /// of them, and is then found twice in a row.
    pub arms: Vec<Expr>,
    /// What they are in, and merged by: the order asked for, without keys that change nothing.
    pub order: Vec<(FieldRef, Direction)>,
}

impl<'a> Plan<'a> {
    pub fn new(
        collection: &'a Collection,
        filter: &Expr,
        order: &[(FieldRef, Direction)],
        page: &Page,
    ) -> Self {
        let index = collection.index_for(filter, order);
        let base = conjuncts(fold(filter));
        let filters: Vec<Vec<Expr>> = match (&page.after, base) {
            (_, None) => Vec::new(),
            (None, Some(base)) => vec![base],
            (Some(position), Some(base)) => after_each(order, position)
                .iter()
                .filter_map(|stretch| Some([base.clone(), conjuncts(fold(stretch))?].concat()))
                .collect(),
        };
        let possible = filters.into_iter().filter(|filter| !contradicts_itself(filter));
        let stretches = possible.map(|filter| Stretch::new(filter, index, order)).collect();
        Self { index, stretches, limit: page.limit }
    }
}

impl Stretch {
    fn new(filter: Vec<Expr>, index: Option<&Index>, order: &[(FieldRef, Direction)]) -> Self {
        let fields = index.map_or(&[][..], |index| &index.keys).iter();
        let arms = fields.fold(vec![filter.clone()], |arms, (field, _)| one_value_each(arms, *field));
        Self {
            order: needed(order, index, &filter),
            filter: Expr::And(filter),
            arms: arms.into_iter().map(Expr::And).collect(),
        }
    }
}

/// An arm for each of the values that `field` may have, so that each is in the index's order.
fn one_value_each(arms: Vec<Vec<Expr>>, field: FieldRef) -> Vec<Vec<Expr>> {
    let choice = |expr: &Expr| match expr {
        Expr::In(chosen, _) | Expr::ContainsAny(chosen, _) => *chosen == field,
        _ => false,
    };
    let values_in = |arm: &Vec<Expr>| match arm.iter().find(|expr| choice(expr)) {
        Some(Expr::In(_, values) | Expr::ContainsAny(_, values)) => values.len(),
        _ => 1,
    };
    let most = if field.many { MAX_ELEMENT_ARMS } else { MAX_ARMS };
    if arms.iter().map(values_in).sum::<usize>() > most {
        return arms;
    }
    let split = |mut arm: Vec<Expr>| match arm.iter().position(choice) {
        None => vec![arm],
        Some(at) => {
            let (Expr::In(_, values) | Expr::ContainsAny(_, values)) = arm.swap_remove(at) else {
                return vec![arm];
            };
            let with = |value| {
                let mut arm = arm.clone();
                arm.push(if field.many {
                    Expr::Contains(field, value)
                } else {
                    Expr::Compare(field, Op::Eq, value)
                });
                arm
            };
            values.into_iter().map(with).collect()
        }
    };
    arms.into_iter().flat_map(split).collect()
}

/// Whether a conjunction fixes a field to a value, and elsewhere excludes that value. The stretch of
/// nulls after a page of times since yesterday does: there is no need to look for it.
fn contradicts_itself(filter: &[Expr]) -> bool {
    let allows = |expr: &Expr, field: FieldRef, value: &Value| match expr {
        Expr::Compare(other, op, bound) if *other == field => compares(value, *op, bound),
        Expr::In(other, values) if *other == field => values.contains(value),
        Expr::Not(inner) => !matches!(&**inner, Expr::Compare(other, op, bound)
            if *other == field && compares(value, *op, bound)),
        _ => true,
    };
    filter.iter().any(|expr| match expr {
        Expr::Compare(field, Op::Eq, value) => !filter.iter().all(|other| allows(other, *field, value)),
        _ => false,
    })
}

/// As [`matches`](crate::query::matches) compares values of one type.
fn compares(value: &Value, op: Op, bound: &Value) -> bool {
    let present = *value != Value::Null && *bound != Value::Null;
    match op {
        Op::Eq => value == bound,
        Op::Lt => present && value < bound,
        Op::Lte => present && value <= bound,
        Op::Gt => present && value > bound,
        Op::Gte => present && value >= bound,
    }
}

/// The one value that a field has wherever a conjunction holds.
pub(super) fn fixed_value(expr: &Expr, field: FieldRef) -> Option<&Value> {
    match expr {
        Expr::Compare(fixed, Op::Eq, value) if *fixed == field => Some(value),
        Expr::And(all) => all.iter().find_map(|expr| fixed_value(expr, field)),
        _ => None,
    }
}

/// The keys of an order that tell any two of the documents apart: not those with the same value in
/// all of them, and nothing after the last key of a unique index.
fn needed(
    order: &[(FieldRef, Direction)],
    index: Option<&Index>,
    filter: &[Expr],
) -> Vec<(FieldRef, Direction)> {
    let constant = |field: FieldRef| filter.iter().any(|expr| fixed_value(expr, field).is_some());
    let mut keys: Vec<_> = order.iter().copied().filter(|(field, _)| !constant(*field)).collect();
    if let Some(id) = keys.iter().position(|(field, _)| *field == ID) {
        keys.truncate(id + 1);
    }
    if let Some(index) = index.filter(|index| index.unique) {
        let place = |key: &(FieldRef, Direction)| keys.iter().position(|(field, _)| *field == key.0);
        let found = |field: FieldRef| {
            constant(field)
                || filter.iter().any(|expr| matches!(expr, Expr::Contains(asked, _) if *asked == field))
        };
        let varying = index.keys.iter().filter(|(field, _)| !found(*field));
        if let Some(places) = varying.map(place).collect::<Option<Vec<_>>>() {
            keys.truncate(places.into_iter().max().map_or(0, |last| last + 1));
        }
    }
    keys
}

/// The same filter without parts that always or never hold: `And([])` and `Or([])` are left only
/// where they are all there is, conjunctions hold no conjunctions, and choices are of different
/// values.
pub(super) fn fold(expr: &Expr) -> Expr {
    match expr {
        Expr::Compare(_, op, Value::Null) if *op != Op::Eq => never(),
        Expr::In(field, values) => {
            let mut distinct = distinct(values);
            match distinct.len() {
                0 => never(),
                1 => Expr::Compare(*field, Op::Eq, distinct.remove(0)),
                _ => Expr::In(*field, distinct),
            }
        }
        Expr::ContainsAny(field, values) => {
            let mut distinct = distinct(values);
            match distinct.len() {
                0 => never(),
                1 => Expr::Contains(*field, distinct.remove(0)),
                _ => Expr::ContainsAny(*field, distinct),
            }
        }
        Expr::And(all) => fold_and(all),
        Expr::Or(any) => fold_or(any),
        Expr::Not(inner) => match fold(inner) {
            Expr::And(all) if all.is_empty() => never(),
            Expr::Or(any) if any.is_empty() => always(),
            Expr::Not(twice) => *twice,
            inner => Expr::Not(Box::new(inner)),
        },
        other => other.clone(),
    }
}

fn distinct(values: &[Value]) -> Vec<Value> {
    let mut distinct = values.to_vec();
    distinct.sort();
    distinct.dedup();
    distinct
}

const fn always() -> Expr {
    Expr::And(Vec::new())
}

const fn never() -> Expr {
    Expr::Or(Vec::new())
}

fn fold_and(all: &[Expr]) -> Expr {
    let mut parts = Vec::with_capacity(all.len());
    for expr in all {
        match fold(expr) {
            Expr::And(inner) => parts.extend(inner),
            Expr::Or(any) if any.is_empty() => return never(),
            part => parts.push(part),
        }
    }
    only(parts, Expr::And)
}

fn fold_or(any: &[Expr]) -> Expr {
    let mut parts = Vec::with_capacity(any.len());
    for expr in any {
        match fold(expr) {
            Expr::Or(inner) => parts.extend(inner),
            Expr::And(all) if all.is_empty() => return always(),
            part => parts.push(part),
        }
    }
    only(parts, Expr::Or)
}

fn only(mut parts: Vec<Expr>, otherwise: fn(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() == 1 { parts.remove(0) } else { otherwise(parts) }
}

/// The parts of a folded filter that must all hold; `None` when it never holds.
fn conjuncts(expr: Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::And(all) => Some(all),
        Expr::Or(any) if any.is_empty() => None,
        other => Some(vec![other]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Field, Filter, Order};

    struct Doc;
    const STATE: Field<Doc, String> = Field::new("state");
    const AT: Field<Doc, Option<i64>> = Field::new("at");
    const EMAIL: Field<Doc, String> = Field::new("email");

    fn collection() -> Collection {
        Collection {
            name: "docs",
            indexes: vec![
                Index::named("newest").asc(STATE).desc(AT),
                Index::named("email").asc(EMAIL).unique(),
            ],
            may_scan: false,
        }
    }

    /// The arms of each stretch, and the order of the first.
    fn plan(filter: &Filter<Doc>, order: &Order<Doc>, page: &Page) -> (Vec<usize>, Vec<&'static str>) {
        let collection = collection();
        let plan = Plan::new(&collection, filter.expr(), &order.keys(), page);
        let order = plan.stretches.first().map_or(&[][..], |stretch| &stretch.order);
        let order = order.iter().map(|(field, _)| field.name).collect();
        (plan.stretches.iter().map(|stretch| stretch.arms.len()).collect(), order)
    }

    #[test]
    fn a_page_is_cut_where_the_index_has_gaps() {
        let states = STATE.is_in(["a".to_owned(), "b".to_owned(), "a".to_owned()]);
        let position = Some(vec![Value::Int(3), Value::Text("d1".into())]);
        let (arms, order) = plan(&states, &AT.desc(), &Page::first(20).after(position));
        // 3 with a smaller id, less than 3, and null: of two states each.
        assert_eq!(arms, [2, 2, 2]);
        assert_eq!(order, ["_id"]);
        let position = Some(vec![Value::Int(3), Value::Text("d1".into())]);
        let since = states.and(AT.gte(1));
        assert_eq!(plan(&since, &AT.desc(), &Page::first(20).after(position)).0, [2, 2]);
    }

    #[test]
    fn a_bound_that_the_position_touches_leaves_those_beside_it() {
        let page = || Page::first(20).after(Some(vec![Value::Int(3), Value::Text("d1".into())]));
        let open = STATE.eq("a".to_owned());
        for (bound, stretches) in [(AT.lte(3), 2), (AT.gte(3), 2), (AT.lt(3), 1), (AT.gt(3), 1)] {
            assert_eq!(plan(&open.clone().and(bound), &AT.asc(), &page()).0.len(), stretches);
        }
    }

    #[test]
    fn keys_that_are_the_same_everywhere_are_not_sorted_by() {
        let (_, order) = plan(&STATE.eq("a".to_owned()), &STATE.asc().desc(AT), &Page::first(20));
        assert_eq!(order, ["at", "_id"]);
        let (_, order) = plan(&EMAIL.eq("a".to_owned()), &AT.desc(), &Page::first(20));
        assert!(order.is_empty());
        let both = EMAIL.is_in(["a".to_owned(), "b".to_owned()]);
        assert_eq!(plan(&both, &EMAIL.asc(), &Page::first(20)), (vec![2], vec!["email"]));
    }

    #[test]
    fn what_never_holds_has_no_stretches() {
        for never in [STATE.is_in([]), AT.lt(None), Filter::all().not(), STATE.is_in([]).and(AT.eq(1))] {
            assert!(plan(&never, &AT.desc(), &Page::first(20)).0.is_empty());
        }
        assert_eq!(fold(STATE.is_in([]).not().expr()), always());
    }
}
