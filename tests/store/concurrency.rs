//! Many at once: nothing is lost, nothing happens twice, and what must exclude each other does.

use std::time::Duration;

use futures_util::future::join_all;
use hope_exchange::{
    ids::Id,
    query::Filter,
    store::{Batch, Guard, StoreError, when},
};
use tokio::time::timeout;

use crate::{
    place::Here,
    samples::{Account, Note, ids},
};

const WRITERS: usize = 32;
const ROUNDS: usize = 10;

pub async fn no_increment_is_lost(here: Here) {
    let stores = [here.open().await, here.open().await];
    let counter = Account::new("counter");
    stores[0].commit(Batch::new().insert(&counter)).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let (store, id) = (stores[writer % 2].clone(), counter.id.clone());
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let mut batch = Batch::new().increment(&id, Guard::Present, Account::BALANCE, 1);
                if round % 5 == 0 {
                    batch = batch.insert(&Note::new(ids().fresh(), "counter", 0));
                }
                store.commit(batch).await.unwrap();
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    let counted = stores[1].one(&counter.id).await.unwrap().unwrap();
    let expected = i64::try_from(WRITERS * ROUNDS).unwrap();
    assert_eq!((counted.balance, counted.version), (expected, expected));
    assert_eq!(stores[1].count(Filter::<Note>::all(), 1_000).await.unwrap(), WRITERS as u64 * 2);
}

pub async fn no_change_is_lost(here: Here) {
    let stores = [here.open().await, here.open().await];
    let account = Account::new("a");
    stores[0].commit(Batch::new().insert(&account)).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let (store, id) = (stores[writer % 2].clone(), account.id.clone());
        tokio::spawn(async move {
            store
                .change(&id, |account: &mut Account| {
                    account.balance += 1;
                    account.aliases.push(format!("writer {writer}"));
                    let with = Batch::new().insert(&Note::new(ids().fresh(), "a", account.balance));
                    Ok::<_, StoreError>((account.balance, with))
                })
                .await
                .unwrap()
                .unwrap()
        })
    });
    let mut results: Vec<i64> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    results.sort_unstable();
    let expected = i64::try_from(WRITERS).unwrap();
    assert_eq!(results, (1..=expected).collect::<Vec<_>>());
    let changed = stores[0].one(&account.id).await.unwrap().unwrap();
    assert_eq!((changed.version, changed.aliases.len()), (expected, WRITERS));
    assert_eq!(stores[0].count(Filter::<Note>::all(), 1_000).await.unwrap(), WRITERS as u64);

    let nobody = Id::<Account>::of("nobody");
    let changed = stores[0].change(&nobody, |_| Ok::<_, StoreError>(((), Batch::new()))).await;
    assert_eq!(changed.unwrap(), None);
}

pub async fn a_value_is_taken_once(here: Here) {
    let stores = [here.open().await, here.open().await];
    for round in 0..5 {
        let writers = (0..16).map(|writer| {
            let store = stores[writer % 2].clone();
            let account = Account {
                email: Some(format!("{round}@nhs.net")),
                ..Account::new(&format!("r{round}w{writer}"))
            };
            tokio::spawn(async move {
                let with = Note::new(ids().fresh(), &account.owner, round);
                store.commit(Batch::new().insert(&with).insert(&account)).await
            })
        });
        let outcomes: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for refused in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(crate::verbs::conflict(refused), "accounts.email");
        }
    }
    assert_eq!(stores[0].count(Filter::<Note>::all(), 100).await.unwrap(), 5);
}

/// Write skew: each of two batches reads what the other changes. Snapshots alone allow both.
pub async fn batches_that_require_each_other_s_documents_never_both_happen(here: Here) {
    let stores = [here.open().await, here.open().await];
    for round in 0..20 {
        let pair = [Account::new(&format!("l{round}")), Account::new(&format!("r{round}"))];
        stores[0].commit(Batch::new().insert(&pair[0]).insert(&pair[1])).await.unwrap();
        let shut = |store: usize, own: &Account, other: &Account| {
            let batch = Batch::new().require(&other.id, when(Account::OPEN.eq(true))).patch(
                &own.id,
                Guard::Present,
                [Account::OPEN.set(false)],
            );
            let store = stores[store].clone();
            tokio::spawn(async move { store.commit(batch).await })
        };
        let outcomes = [shut(0, &pair[0], &pair[1]), shut(1, &pair[1], &pair[0])];
        let outcomes: Vec<_> = join_all(outcomes).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(
            outcomes.iter().any(|outcome| matches!(outcome, Err(StoreError::Stale { .. }))),
            "{outcomes:?}"
        );
    }
}

pub async fn watch_tells_of_another_handle_s_changes(here: Here) {
    let (watcher, writer) = (here.open().await, here.open().await);
    let mut changes = watcher.watch();
    // Until it is quiet: a watch begins by naming everything, as it can't know what came before.
    while timeout(Duration::from_millis(700), changes.recv()).await.is_ok() {}
    for _ in 0..2 {
        writer.commit(Batch::new().insert(&Note::new(ids().fresh(), "a", 0))).await.unwrap();
        let told = async { while changes.recv().await.unwrap() != "notes" {} };
        timeout(Duration::from_secs(5), told).await.expect("a change of another handle is told of");
    }
    let account = Account::new("a");
    watcher.commit(Batch::new().insert(&account)).await.unwrap();
    let told = async { while changes.recv().await.unwrap() != "accounts" {} };
    timeout(Duration::from_secs(5), told).await.expect("a change of this handle is told of");
}
