//! Random documents and random questions: every engine answers as `query::matches` and
//! `query::compare` say.

use std::collections::BTreeMap;

use hope_exchange::{
    clock::Timestamp,
    error::StoreError,
    ids::Id,
    query::{self, Direction, Field, Filter, Order, Page, Scalar},
    store::{Batch, Guard, Store},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use serde_json::Value as Json;

use crate::{
    place::Here,
    samples::{Inner, Maybe, Sample},
};

/// Few and big: what costs is talking to the store, and a question is asked of all documents at once.
const CASES: u32 = 24;
const DOCUMENTS: usize = 110;
const QUESTIONS: usize = 40;

/// Values come from short lists, so that documents and questions meet; the lists are of everything
/// that might be taken for something else.
const TEXTS: [&str; 26] = [
    "",
    "a",
    "A",
    "ab",
    "a\0",
    "a\0b",
    "\0",
    "\u{1}",
    "\n",
    "\u{7f}",
    " ",
    "'",
    "\"",
    "\\",
    "\\u0000",
    "$a",
    "$.a",
    "%",
    "é",
    "e\u{301}",
    "日本",
    "\u{ffff}",
    "😀",
    "\u{10ffff}",
    "2026-03-02T09:00:00.000Z",
    "0",
];
const COUNTS: [i64; 10] = [0, 1, -1, 2, 42, 1 << 31, -(1 << 31) - 1, (1 << 53) - 1, 1 << 53, -(1 << 53)];
const MILLIS: [i64; 7] = [i64::MIN, i64::MAX, 0, 1, -1, 1_772_442_000_000, -62_135_596_800_000];

fn text() -> impl Strategy<Value = String> + Clone {
    select(&TEXTS[..]).prop_map(str::to_owned)
}
fn count() -> impl Strategy<Value = i64> + Clone {
    select(&COUNTS[..])
}
fn time() -> impl Strategy<Value = Timestamp> + Clone {
    select(&MILLIS[..]).prop_map(Timestamp::from_millis)
}

fn maybe<T: Clone + std::fmt::Debug>(values: impl Strategy<Value = T>) -> impl Strategy<Value = Maybe<T>> {
    prop_oneof![1 => Just(Maybe::Missing), 1 => Just(Maybe::Null), 5 => values.prop_map(Maybe::Is)]
}

fn document() -> impl Strategy<Value = Sample> {
    let inner = (maybe(count()), maybe(text())).prop_map(|(rank, label)| Inner { rank, label });
    let tags = vec(proptest::option::weighted(0.9, text()), 0..4);
    (
        maybe(count()),
        maybe(text()),
        maybe(time()),
        maybe(any::<bool>()),
        maybe(tags),
        maybe(vec(time(), 0..3)),
        maybe(inner),
    )
        .prop_map(|(count, name, at, flag, tags, times, inner)| Sample {
            count,
            name,
            at,
            flag,
            tags,
            times,
            inner,
            ..Sample::empty(Id::of("unnamed"))
        })
}

/// One question to one field.
fn leaf() -> impl Strategy<Value = Filter<Sample>> {
    macro_rules! asked {
        ($field:expr, $values:expr) => {{
            let field = $field;
            let value = proptest::option::weighted(0.9, $values);
            prop_oneof![
                4 => value.clone().prop_map(move |value| field.eq(value)),
                1 => value.clone().prop_map(move |value| field.ne(value)),
                1 => value.clone().prop_map(move |value| field.lt(value)),
                1 => value.clone().prop_map(move |value| field.lte(value)),
                1 => value.clone().prop_map(move |value| field.gt(value)),
                1 => value.clone().prop_map(move |value| field.gte(value)),
                2 => vec(value, 0..12).prop_map(move |values| field.is_in(values)),
            ]
            .boxed()
        }};
    }
    prop_oneof![
        asked!(Sample::COUNT, count()),
        asked!(Sample::NAME, text()),
        asked!(Sample::AT, time()),
        asked!(Sample::FLAG, any::<bool>()),
        asked!(Sample::RANK, count()),
        asked!(Sample::LABEL, text()),
        proptest::option::weighted(0.9, text()).prop_map(|tag| Sample::TAGS.contains(tag)),
        vec(proptest::option::weighted(0.9, text()), 0..5).prop_map(|tags| Sample::TAGS.contains_any(tags)),
        time().prop_map(|time| Sample::TIMES.contains(time)),
        vec(time(), 0..5).prop_map(|times| Sample::TIMES.contains_any(times)),
        (0..DOCUMENTS).prop_map(|n| Field::<Sample, Id<Sample>>::new("_id").gte(id(n))),
    ]
}

fn filter() -> impl Strategy<Value = Filter<Sample>> {
    let tree = leaf().prop_recursive(3, 12, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            4 => pair.clone().prop_map(|(left, right)| left.and(right)),
            2 => pair.prop_map(|(left, right)| left.or(right)),
            1 => inner.prop_map(Filter::not),
        ]
    });
    prop_oneof![8 => tree, 1 => Just(Filter::all()), 1 => indexed()]
}

/// What the indexes of samples are for.
fn indexed() -> impl Strategy<Value = Filter<Sample>> {
    let flag = proptest::option::of(any::<bool>());
    let flags = vec(flag, 0..4);
    prop_oneof![
        (proptest::option::weighted(0.7, text()), flags.clone())
            .prop_map(|(tag, flags)| Sample::TAGS.contains(tag).and(Sample::FLAG.is_in(flags))),
        (vec(proptest::option::weighted(0.7, text()), 0..140), flags.clone())
            .prop_map(|(tags, flags)| Sample::TAGS.contains_any(tags).and(Sample::FLAG.is_in(flags))),
        (vec(proptest::option::of(count()), 0..5), time())
            .prop_map(|(counts, time)| Sample::COUNT.is_in(counts).and(Sample::TIMES.contains(time))),
        flags.prop_map(|flags| Sample::FLAG.is_in(flags)),
        vec(text(), 0..70).prop_map(|labels| Sample::LABEL.is_in(labels.into_iter().map(Some))),
    ]
}

fn order() -> impl Strategy<Value = Order<Sample>> {
    prop_oneof![
        Just(Order::by_id()),
        Just(Sample::COUNT.asc()),
        Just(Sample::COUNT.desc().asc(Sample::NAME)),
        Just(Sample::COUNT.desc().desc(Sample::NAME)),
        Just(Sample::NAME.desc()),
        Just(Sample::AT.asc().desc(Sample::FLAG).asc(Sample::LABEL)),
        Just(Sample::FLAG.asc().desc(Sample::AT)),
        Just(Sample::AT.desc()),
        Just(Sample::LABEL.asc().asc(Sample::RANK)),
        Just(Sample::RANK.asc()),
    ]
    .prop_flat_map(|order| {
        any::<bool>().prop_map(move |back| if back { order.clone().reversed() } else { order.clone() })
    })
}

#[derive(Debug)]
struct Question {
    filter: Filter<Sample>,
    order: Order<Sample>,
    size: usize,
}

fn question() -> impl Strategy<Value = Question> {
    let parts = (filter(), order(), 1..40_usize);
    parts.prop_map(|(filter, order, size)| Question { filter, order, size })
}

fn id(n: usize) -> Id<Sample> {
    Id::of(&format!("s{n:03}"))
}

pub async fn every_filter_order_and_page_means_what_it_says(here: Here) {
    let store = here.open().await;
    let runtime = tokio::runtime::Handle::current();
    let cases = (vec(document(), 0..DOCUMENTS), vec(question(), QUESTIONS));
    let property = move || {
        let config =
            Config { cases: CASES, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
        // Repeatable: a failure in CI is one here.
        let seed = crate::place::variable("HOPE_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(7);
        let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..config });
        runner.run(&cases, |(documents, questions)| {
            runtime.block_on(async {
                clear(&store).await;
                let documents = fill(&store, documents).await;
                for question in &questions {
                    ask(&store, &documents, question).await?;
                }
                Ok(())
            })
        })
    };
    tokio::task::block_in_place(property).unwrap();
}

async fn clear(store: &Store) {
    let left = store.find(Filter::<Sample>::all(), Order::by_id(), Page::first(DOCUMENTS)).await.unwrap();
    let batch = left.iter().fold(Batch::new(), |batch, sample| batch.delete(&sample.id, Guard::Present));
    store.commit(batch).await.unwrap();
}

async fn fill(store: &Store, documents: Vec<Sample>) -> Vec<Json> {
    let mut batch = Batch::new();
    let mut stored = Vec::new();
    for (n, document) in documents.into_iter().enumerate() {
        let document = Sample { id: id(n), ..document };
        batch = batch.insert(&document);
        stored.push(serde_json::to_value(&document).unwrap());
    }
    store.commit(batch).await.unwrap();
    stored
}

type Outcome = Result<(), TestCaseError>;

/// Asks for the first page, for all pages, for how many, and for how many of each.
async fn ask(store: &Store, documents: &[Json], question: &Question) -> Outcome {
    let keys = question.order.keys();
    let expr = question.filter.expr();
    let mut expected: Vec<&Json> = documents.iter().filter(|json| query::matches(expr, json)).collect();
    expected.sort_by(|left, right| query::compare(left, right, &keys));

    let mut found: Vec<Json> = Vec::new();
    let mut page = Page::first(question.size);
    loop {
        let find = async || store.find(question.filter.clone(), question.order.clone(), page.clone()).await;
        let next = patiently(find).await;
        let next: Vec<Json> = next.iter().map(|document| serde_json::to_value(document).unwrap()).collect();
        let until = expected.len().min(found.len() + question.size);
        prop_assert_eq!(names(&next), names_of(&expected[found.len().min(until)..until]), "{:?}", question);
        prop_assert_eq!(&next.iter().collect::<Vec<_>>(), &expected[found.len()..until], "{:?}", question);
        let Some(last) = next.last() else { break };
        page = Page::first(question.size).after(Some(query::position(last, &keys)));
        found.extend(next);
    }

    let at_most = question.size as u64;
    let count = patiently(async || store.count(question.filter.clone(), at_most).await).await;
    prop_assert_eq!(count, at_most.min(expected.len() as u64), "{:?}", question);

    match question.size % 4 {
        0 => tally(store, &expected, question, Sample::FLAG).await,
        1 => tally(store, &expected, question, Sample::AT).await,
        2 => tally(store, &expected, question, Sample::NAME).await,
        _ => tally(store, &expected, question, Sample::RANK).await,
    }
}

async fn tally<V: Scalar>(
    store: &Store,
    documents: &[&Json],
    question: &Question,
    field: Field<Sample, V>,
) -> Outcome {
    let mut expected = BTreeMap::new();
    for json in documents {
        let value = query::position(json, &[(field.erased(), Direction::Asc)]).remove(0);
        *expected.entry(value).or_default() += 1;
    }
    let tally = patiently(async || store.tally(question.filter.clone(), field).await).await;
    prop_assert_eq!(tally, expected, "{:?} of {:?}", field.erased(), question);
    Ok(())
}

/// An answer. On a busy machine a store may need longer than a request is given, which is not what this is about.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, StoreError>) -> T {
    for _ in 0..4 {
        match ask().await {
            Err(StoreError::Unavailable(_)) => {}
            answer => return answer.unwrap(),
        }
    }
    ask().await.unwrap()
}

/// Shorter to read in a failure than documents are.
fn names(documents: &[Json]) -> Vec<String> {
    documents.iter().map(|json| json["_id"].to_string()).collect()
}

fn names_of(documents: &[&Json]) -> Vec<String> {
    documents.iter().map(|json| json["_id"].to_string()).collect()
}
