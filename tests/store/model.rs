//! Random batches against a model in memory: what happens, what is refused and why, and what is
//! stored afterwards.

use std::{cell::RefCell, collections::BTreeMap};

use hope_exchange::{
    ids::Id,
    query::{Filter, Page},
    store::{Batch, Guard, StoreError, when},
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};

use crate::{place::Here, samples::Account};

const CASES: u32 = 6;
const BATCHES: usize = 60;

#[derive(Clone, Debug)]
enum Step {
    Insert(Account),
    Replace(Account),
    Open(u8, Only, bool),
    Email(u8, Only, Option<String>),
    Add(u8, Only, i64),
    Delete(u8, Only),
    Require(u8, Only),
}

#[derive(Clone, Copy, Debug)]
enum Only {
    Present,
    Version(i64),
    Open(bool),
    Richer(i64),
}

impl Only {
    fn guard(self) -> Guard {
        match self {
            Self::Present => Guard::Present,
            Self::Version(version) => Guard::Version(version),
            Self::Open(open) => when(Account::OPEN.eq(open)),
            Self::Richer(than) => when(Account::BALANCE.lte(than).not()),
        }
    }

    fn holds(self, account: &Account) -> bool {
        match self {
            Self::Present => true,
            Self::Version(version) => account.version == version,
            Self::Open(open) => account.open == open,
            Self::Richer(than) => account.balance > than,
        }
    }
}

fn id(n: u8) -> Id<Account> {
    Id::of(&format!("a{n}"))
}

type Model = BTreeMap<Id<Account>, Account>;

#[derive(Debug, PartialEq)]
enum Refused {
    Stale(String),
    /// Which constraint is named is not defined where several are broken, but the id comes first.
    Conflict(Vec<&'static str>),
}

fn expected(model: &mut Model, n: u8, only: Only) -> Result<&mut Account, Refused> {
    let found = model.get_mut(&id(n)).filter(|account| only.holds(account));
    found.ok_or_else(|| Refused::Stale(id(n).to_string()))
}

/// What the step does to the model.
fn apply(model: &mut Model, step: &Step) -> Result<(), Refused> {
    let changed = match step {
        Step::Insert(account) => {
            if model.contains_key(&account.id) {
                return Err(Refused::Conflict(vec!["accounts._id"]));
            }
            model.insert(account.id.clone(), account.clone());
            account.id.clone()
        }
        Step::Replace(account) => {
            let found = model.get_mut(&account.id).filter(|found| found.version == account.version);
            let found = found.ok_or_else(|| Refused::Stale(account.id.to_string()))?;
            *found = Account { version: account.version + 1, ..account.clone() };
            account.id.clone()
        }
        Step::Open(n, only, open) => {
            let account = expected(model, *n, *only)?;
            (account.open, account.version) = (*open, account.version + 1);
            id(*n)
        }
        Step::Email(n, only, email) => {
            let account = expected(model, *n, *only)?;
            (account.email, account.version) = (email.clone(), account.version + 1);
            id(*n)
        }
        Step::Add(n, only, by) => {
            let account = expected(model, *n, *only)?;
            (account.balance, account.version) = (account.balance + by, account.version + 1);
            id(*n)
        }
        Step::Delete(n, only) => {
            expected(model, *n, *only)?;
            model.remove(&id(*n));
            return Ok(());
        }
        Step::Require(n, only) => return expected(model, *n, *only).map(|_| ()),
    };
    let account = &model[&changed];
    let clashes = |same: fn(&Account, &Account) -> bool| {
        model.values().any(|other| other.id != account.id && same(account, other))
    };
    let broken = [
        ("accounts.email", clashes(|account, other| account.email.is_some() && account.email == other.email)),
        (
            "accounts.slot",
            clashes(|account, other| (&account.owner, account.slot) == (&other.owner, other.slot)),
        ),
        (
            "accounts.alias",
            clashes(|account, other| account.aliases.iter().any(|alias| other.aliases.contains(alias))),
        ),
    ];
    let broken: Vec<_> = broken.into_iter().filter(|(_, broken)| *broken).map(|(name, _)| name).collect();
    if broken.is_empty() { Ok(()) } else { Err(Refused::Conflict(broken)) }
}

fn add(batch: Batch, step: &Step) -> Batch {
    match step {
        Step::Insert(account) => batch.insert(account),
        Step::Replace(account) => batch.replace(account),
        Step::Open(n, only, open) => batch.patch(&id(*n), only.guard(), [Account::OPEN.set(*open)]),
        Step::Email(n, only, email) => {
            batch.patch(&id(*n), only.guard(), [Account::EMAIL.set(email.clone())])
        }
        Step::Add(n, only, by) => batch.increment(&id(*n), only.guard(), Account::BALANCE, *by),
        Step::Delete(n, only) => batch.delete(&id(*n), only.guard()),
        Step::Require(n, only) => batch.require(&id(*n), only.guard()),
    }
}

fn account() -> impl Strategy<Value = Account> {
    let alias = prop_oneof![Just("x".to_owned()), Just("y".to_owned()), Just("z".to_owned())];
    (0..5_u8, 0..4_i64, email(), vec(alias, 0..3), 0..40_i64).prop_map(
        |(n, version, email, aliases, slot)| {
            // Whoever has it, a version that it may be at.
            Account { version, email, aliases, slot, owner: "same".into(), ..Account::new(&format!("a{n}")) }
        },
    )
}

fn email() -> impl Strategy<Value = Option<String>> {
    prop_oneof![3 => Just(None), 1 => Just(Some("a@nhs.net".into())), 1 => Just(Some("b@nhs.net".into()))]
}

fn step() -> impl Strategy<Value = Step> {
    let only = || {
        prop_oneof![
            4 => Just(Only::Present),
            2 => (0..6_i64).prop_map(Only::Version),
            1 => any::<bool>().prop_map(Only::Open),
            1 => (-3..3_i64).prop_map(Only::Richer),
        ]
    };
    let at = || (0..5_u8, only());
    prop_oneof![
        4 => account().prop_map(|account| Step::Insert(Account { version: 0, ..account })),
        2 => account().prop_map(Step::Replace),
        1 => (at(), any::<bool>()).prop_map(|((n, only), open)| Step::Open(n, only, open)),
        1 => (at(), email()).prop_map(|((n, only), email)| Step::Email(n, only, email)),
        1 => (at(), -3..3_i64).prop_map(|((n, only), by)| Step::Add(n, only, by)),
        1 => at().prop_map(|(n, only)| Step::Delete(n, only)),
        1 => at().prop_map(|(n, only)| Step::Require(n, only)),
    ]
}

pub async fn batches_do_what_they_say(here: Here) {
    let store = here.open().await;
    let runtime = tokio::runtime::Handle::current();
    let config =
        Config { cases: CASES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(7), ..config });
    let left_over = RefCell::new(Model::new());
    let property = || {
        runner.run(&vec(vec(step(), 1..4), BATCHES), |batches| {
            let mut model = left_over.take();
            let clear = model.keys().fold(Batch::new(), |batch, id| batch.delete(id, Guard::Present));
            runtime.block_on(store.commit(clear)).unwrap();
            model.clear();
            for steps in &batches {
                let mut next = model.clone();
                let expected = steps.iter().try_for_each(|step| apply(&mut next, step));
                let outcome = runtime.block_on(store.commit(steps.iter().fold(Batch::new(), add)));
                if outcome.is_ok() {
                    model = next;
                }
                *left_over.borrow_mut() = model.clone();
                let as_expected = match (&outcome, &expected) {
                    (Ok(()), Ok(())) => true,
                    (Err(StoreError::Stale { id, .. }), Err(Refused::Stale(expected))) => id == expected,
                    (Err(StoreError::Conflict { constraint }), Err(Refused::Conflict(broken))) => {
                        broken.contains(&constraint.as_str())
                    }
                    _ => false,
                };
                prop_assert!(as_expected, "{:?}, not {:?}, of {:?}", outcome, expected, steps);
                let stored = runtime.block_on(all(&store));
                prop_assert_eq!(stored, model.values().cloned().collect::<Vec<_>>(), "{:?}", steps);
            }
            Ok(())
        })
    };
    tokio::task::block_in_place(property).unwrap();
}

async fn all(store: &hope_exchange::store::Store) -> Vec<Account> {
    let order = hope_exchange::query::Order::by_id();
    store.find(Filter::all(), order, Page::first(100)).await.unwrap()
}
