//! Each verb, and each way in which a commit may fail.

use std::collections::BTreeMap;

use hope_exchange::{
    clock::Timestamp,
    ids::Id,
    query::{Collection, Field, Filter, Index, Order, Page, Value},
    store::{Batch, Guard, Store, StoreError, when},
};

use crate::{
    place::Here,
    samples::{Account, Address, Inner, Maybe, Note, Odd, Sample, ids},
};

pub fn conflict(outcome: Result<(), StoreError>) -> String {
    match outcome {
        Err(StoreError::Conflict { constraint }) => constraint,
        other => panic!("expected a conflict, not {other:?}"),
    }
}

pub fn stale(outcome: Result<(), StoreError>) -> String {
    match outcome {
        Err(StoreError::Stale { collection, id }) => format!("{collection}/{id}"),
        other => panic!("expected it to be stale, not {other:?}"),
    }
}

pub fn failure<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Failed(message)) => message,
        other => panic!("expected a failure, not {other:?}"),
    }
}

async fn insert(store: &Store, account: &Account) {
    store.commit(Batch::new().insert(account)).await.unwrap();
}

pub async fn a_document_is_read_as_it_was_written(here: Here) {
    let store = here.open().await;
    let sample = Sample {
        version: 3,
        count: Maybe::Is(-(1 << 53)),
        name: Maybe::Is("NUL \0, \u{1}, \u{7f}, \"quoted\", \\, $set, a.b, é, 😀, \u{ffff}".to_owned()),
        at: Maybe::Is(Timestamp::MAX),
        flag: Maybe::Null,
        tags: Maybe::Is(vec![Some(String::new()), None]),
        times: Maybe::Is(vec![Timestamp::MIN]),
        inner: Maybe::Is(Inner { rank: Maybe::Missing, label: Maybe::Null }),
        ..Sample::empty(ids().fresh())
    };
    store.commit(Batch::new().insert(&sample)).await.unwrap();
    assert_eq!(store.one(&sample.id).await.unwrap(), Some(sample.clone()));

    let changed = Sample { at: Maybe::Missing, flag: Maybe::Is(true), ..sample.clone() };
    store.commit(Batch::new().replace(&changed)).await.unwrap();
    assert_eq!(store.one(&sample.id).await.unwrap(), Some(Sample { version: 4, ..changed }));

    store.commit(Batch::new().delete(&sample.id, Guard::Version(4))).await.unwrap();
    assert_eq!(store.one(&sample.id).await.unwrap(), None);
    store.ping().await.unwrap();
}

pub async fn ids_are_answered_in_the_order_asked(here: Here) {
    let store = here.open().await;
    let accounts = ["a", "b", "c"].map(Account::new);
    let batch = accounts.iter().fold(Batch::new(), Batch::insert);
    store.commit(batch).await.unwrap();

    let asked: Vec<Id<Account>> = ["c", "nobody", "a", "c"].map(Id::of).into();
    let found = store.get(&asked).await.unwrap();
    let owners: Vec<_> = found.iter().map(|account| account.as_ref().map(|a| a.owner.as_str())).collect();
    assert_eq!(owners, [Some("c"), None, Some("a"), Some("c")]);

    let many: Vec<Id<Account>> = (0..2_000).map(|n| Id::of(&format!("n{n}"))).chain([Id::of("b")]).collect();
    assert_eq!(store.get(&many).await.unwrap().iter().flatten().count(), 1);
    assert!(store.get::<Account>(&[]).await.unwrap().is_empty());
}

pub async fn a_page_has_a_limit_and_a_beginning(here: Here) {
    let store = here.open().await;
    let accounts: Vec<Account> =
        (0..25).map(|n| Account { balance: n / 5, ..Account::new(&format!("a{n:02}")) }).collect();
    let batch = accounts.iter().fold(Batch::new(), Batch::insert);
    store.commit(batch).await.unwrap();

    let open = || Account::OPEN.eq(true);
    let first = store.find(open(), Account::BALANCE.desc(), Page::first(3)).await.unwrap();
    assert_eq!(first.iter().map(|a| a.owner.as_str()).collect::<Vec<_>>(), ["a24", "a23", "a22"]);
    let position = vec![Value::Int(4), Value::Text("acc_a22".into())];
    let page = Page::first(3).after(Some(position));
    let next = store.find(open(), Account::BALANCE.desc(), page).await.unwrap();
    assert_eq!(next.iter().map(|a| a.owner.as_str()).collect::<Vec<_>>(), ["a21", "a20", "a19"]);
    let back = store.find(open(), Account::BALANCE.desc().reversed(), Page::first(2)).await.unwrap();
    assert_eq!(back.iter().map(|a| a.owner.as_str()).collect::<Vec<_>>(), ["a00", "a01"]);
    let none = store.find(Account::OPEN.eq(false), Account::BALANCE.desc(), Page::first(9)).await.unwrap();
    assert!(none.is_empty());
    assert!(store.find(open(), Account::BALANCE.desc(), Page::first(0)).await.unwrap().is_empty());
    let all = store.find(Filter::<Account>::all(), Order::by_id(), Page::first(usize::MAX)).await.unwrap();
    assert_eq!(all, accounts);
}

pub async fn counting_stops(here: Here) {
    let store = here.open().await;
    assert_eq!(store.count(Filter::<Account>::all(), 10).await.unwrap(), 0);
    let batch = (0..20)
        .fold(Batch::new(), |batch, n| batch.insert(&Account { balance: n, ..Account::new(&n.to_string()) }));
    store.commit(batch).await.unwrap();
    assert_eq!(store.count(Filter::<Account>::all(), 1_000).await.unwrap(), 20);
    assert_eq!(store.count(Filter::<Account>::all(), u64::MAX).await.unwrap(), 20);
    assert_eq!(store.count(Account::OPEN.eq(true), 7).await.unwrap(), 7);
    assert_eq!(store.count(Account::BALANCE.gte(15), 100).await.unwrap(), 5);
    assert_eq!(store.count(Account::OPEN.is_in([]), 100).await.unwrap(), 0);
    assert_eq!(store.count(Account::OPEN.eq(true), 0).await.unwrap(), 0);
}

pub async fn a_tally_has_typed_values(here: Here) {
    let store = here.open().await;
    let seen = Timestamp::from_millis(1);
    let account = |n: i64| Account {
        balance: n % 3,
        open: n % 4 == 0,
        seen: (n % 2 == 0).then_some(seen),
        ..Account::new(&n.to_string())
    };
    store.commit((0..12).fold(Batch::new(), |batch, n| batch.insert(&account(n)))).await.unwrap();

    let all = Filter::<Account>::all;
    let tally = store.tally(all(), Account::OPEN).await.unwrap();
    assert_eq!(tally, BTreeMap::from([(Value::Bool(true), 3), (Value::Bool(false), 9)]));
    let tally = store.tally(all(), Account::SEEN).await.unwrap();
    assert_eq!(tally, BTreeMap::from([(Value::Time(seen), 6), (Value::Null, 6)]));
    let tally = store.tally(Account::OPEN.eq(true), Account::BALANCE).await.unwrap();
    assert_eq!(tally, BTreeMap::from([0, 1, 2].map(|n| (Value::Int(n), 1))));
    let tally = store.tally(all(), Account::TOWN).await.unwrap();
    assert_eq!(tally, BTreeMap::from([(Value::Null, 12)]));
    assert_eq!(store.tally(Account::OPEN.is_in([]), Account::OPEN).await.unwrap(), BTreeMap::new());
}

pub async fn a_patch_changes_what_it_names_and_the_version(here: Here) {
    let store = here.open().await;
    let account = Account { address: Some(Address { town: "Leeds".into() }), ..Account::new("a") };
    insert(&store, &account).await;
    let seen = Timestamp::from_millis(-1);
    let changes = [
        Account::OPEN.set(false),
        Account::EMAIL.set("it's\0 $set \"a\"".to_owned()),
        Account::SEEN.set(seen),
        Account::SLOT.set(1_i64 << 53),
        Account::SLOT.set(7),
        Account::TOWN.set("Hull".to_owned()),
    ];
    store.commit(Batch::new().patch(&account.id, Guard::Version(0), changes)).await.unwrap();
    let expected = Account {
        version: 1,
        open: false,
        email: Some("it's\0 $set \"a\"".to_owned()),
        seen: Some(seen),
        slot: 7,
        address: Some(Address { town: "Hull".into() }),
        ..account
    };
    assert_eq!(store.one(&expected.id).await.unwrap(), Some(expected.clone()));
    // What was patched is found by its type.
    assert_eq!(store.count(Account::OPEN.eq(false), 9).await.unwrap(), 1);
    let found = Account::OWNER.eq("a".to_owned()).and(Account::OPEN.eq(false)).and(Account::SEEN.eq(seen));
    assert_eq!(store.count(found, 9).await.unwrap(), 1);

    let changes = [Account::EMAIL.set(None), Account::SEEN.set(None)];
    store.commit(Batch::new().patch(&expected.id, Guard::Present, changes)).await.unwrap();
    let expected = Account { version: 2, email: None, seen: None, ..expected };
    assert_eq!(store.one(&expected.id).await.unwrap(), Some(expected));
}

pub async fn a_missing_counter_counts_from_zero(here: Here) {
    const COUNT: Field<Sample, i64> = Field::new("count");
    const RANK: Field<Sample, i64> = Field::new("inner.rank");
    let store = here.open().await;
    let sample = Sample::empty(ids().fresh());
    store.commit(Batch::new().insert(&sample)).await.unwrap();
    let batch = Batch::new()
        .increment(&sample.id, Guard::Present, COUNT, 3)
        .increment(&sample.id, Guard::Version(1), COUNT, -5)
        .increment(&sample.id, Guard::Present, RANK, 1);
    store.commit(batch).await.unwrap();
    let found = store.one(&sample.id).await.unwrap().unwrap();
    assert_eq!((found.count, found.version), (Maybe::Is(-2), 3));
    assert_eq!(found.inner, Maybe::Is(Inner { rank: Maybe::Is(1), label: Maybe::Missing }));
}

pub async fn guards_hold_or_the_batch_is_stale(here: Here) {
    let store = here.open().await;
    let account = Account { balance: 5, ..Account::new("a") };
    insert(&store, &account).await;
    let (id, nobody) = (account.id.clone(), Id::<Account>::of("nobody"));
    let shut = || [Account::OPEN.set(false)];
    let rich = || when(Account::BALANCE.gte(5).and(Account::OPEN.eq(true)));
    let poor = || when(Account::BALANCE.lt(5).or(Account::EMAIL.ne(None)));

    for batch in [
        Batch::new().patch(&nobody, Guard::Present, shut()),
        Batch::new().increment(&nobody, Guard::Present, Account::BALANCE, 1),
        Batch::new().delete(&nobody, Guard::Present),
        Batch::new().require(&nobody, Guard::Present),
        Batch::new().replace(&Account::new("nobody")),
    ] {
        assert_eq!(stale(store.commit(batch).await), "accounts/acc_nobody");
    }
    for guard in
        [Guard::Version(1), poor(), when(Account::BALANCE.is_in([])), when(Filter::<Account>::all().not())]
    {
        for batch in [
            Batch::new().patch(&id, guard.clone(), shut()),
            Batch::new().increment(&id, guard.clone(), Account::BALANCE, 1),
            Batch::new().delete(&id, guard.clone()),
            Batch::new().require(&id, guard.clone()),
            Batch::new().require(&id, guard.clone()).insert(&Account::new("b")),
        ] {
            assert_eq!(stale(store.commit(batch).await), "accounts/acc_a");
        }
    }
    assert_eq!(
        stale(store.commit(Batch::new().replace(&Account { version: 7, ..account.clone() })).await),
        "accounts/acc_a"
    );
    assert_eq!(store.one(&id).await.unwrap(), Some(account.clone()), "nothing has changed it");

    // A requirement that holds changes nothing, not even the version.
    for guard in [Guard::Present, Guard::Version(0), rich(), when(Filter::<Account>::all())] {
        store.commit(Batch::new().require(&id, guard.clone())).await.unwrap();
        let other = Account::new(&format!("b{}", ids().below(u64::MAX)));
        store.commit(Batch::new().require(&id, guard).insert(&other)).await.unwrap();
    }
    assert_eq!(store.one(&id).await.unwrap(), Some(account.clone()));
    store.commit(Batch::new().patch(&id, rich(), shut())).await.unwrap();
    assert_eq!(stale(store.commit(Batch::new().patch(&id, rich(), shut())).await), "accounts/acc_a");
    store.commit(Batch::new()).await.unwrap();
}

pub async fn taken_values_conflict_and_nulls_do_not(here: Here) {
    let store = here.open().await;
    let account = Account {
        email: Some("a@nhs.net".into()),
        slot: 1,
        aliases: vec!["x".into(), "y".into(), "x".into()],
        ..Account::new("a")
    };
    insert(&store, &account).await;
    let mut taken = vec![
        (Account::new("a"), "accounts._id"),
        (Account { email: Some("a@nhs.net".into()), ..Account::new("b") }, "accounts.email"),
        (Account { owner: "a".into(), slot: 1, ..Account::new("b") }, "accounts.slot"),
        (Account { aliases: vec!["z".into(), "y".into()], ..Account::new("b") }, "accounts.alias"),
    ];
    for (account, constraint) in &taken {
        assert_eq!(conflict(store.commit(Batch::new().insert(account)).await), *constraint);
        let with_others = Batch::new().insert(&Account::new("c")).insert(account).insert(&Account::new("d"));
        assert_eq!(conflict(store.commit(with_others).await), *constraint);
    }
    // None of these holds what the first holds; two of them have no e-mail address.
    let free = [
        Account { email: Some("A@nhs.net".into()), ..Account::new("b") },
        Account { owner: "a".into(), slot: 2, aliases: vec!["z".into()], ..Account::new("c") },
        Account::new("d"),
    ];
    store.commit(free.iter().fold(Batch::new(), Batch::insert)).await.unwrap();

    // The same holds for changes.
    taken.remove(0);
    for (account, constraint) in taken {
        let batch = Batch::new().replace(&Account { id: Id::of("b"), ..account });
        assert_eq!(conflict(store.commit(batch).await), constraint);
    }
    let patch = |key: &str, email: &str| {
        Batch::new().patch(&Id::of(key), Guard::Present, [Account::EMAIL.set(email.to_owned())])
    };
    assert_eq!(conflict(store.commit(patch("b", "a@nhs.net")).await), "accounts.email");
    // What a batch frees, it may take.
    let freed = Batch::new().patch(&account.id, Guard::Present, [Account::EMAIL.set(None)]);
    store.commit(freed.and(patch("b", "a@nhs.net"))).await.unwrap();
    store
        .commit(Batch::new().delete(&account.id, Guard::Present).insert(&account_without_email(&account)))
        .await
        .unwrap();
    assert_eq!(conflict(store.commit(patch("a", "a@nhs.net")).await), "accounts.email");
}

fn account_without_email(account: &Account) -> Account {
    Account { email: None, ..account.clone() }
}

pub async fn a_batch_happens_in_order_or_not_at_all(here: Here) {
    let store = here.open().await;
    let account = Account::new("a");
    insert(&store, &account).await;
    let note = Note::new(ids().fresh(), "a", 1);

    let start = || {
        Batch::new()
            .insert(&note)
            .insert(&Account::new("b"))
            .increment(&account.id, Guard::Version(0), Account::BALANCE, 1)
            .patch(&Id::of("b"), Guard::Version(0), [Account::OPEN.set(false)])
    };
    let too_late = start().require(&account.id, Guard::Version(0));
    assert_eq!(stale(store.commit(too_late).await), "accounts/acc_a");
    assert_eq!(conflict(store.commit(start().insert(&note)).await), "notes._id");
    assert_eq!(
        conflict(store.commit(start().insert(&Account::new("c")).insert(&Account::new("b"))).await),
        "accounts._id"
    );
    assert_eq!(
        stale(store.commit(start().delete(&Id::<Account>::of("x"), Guard::Present)).await),
        "accounts/acc_x"
    );
    assert_eq!(store.one(&account.id).await.unwrap(), Some(account.clone()));
    assert_eq!(store.count(Filter::<Account>::all(), 9).await.unwrap(), 1);
    assert_eq!(store.count(Filter::<Note>::all(), 9).await.unwrap(), 0);

    // Each step sees what those before it did.
    let batch = start()
        .patch(&Id::of("b"), when(Account::OPEN.eq(false)), [Account::OPEN.set(true)])
        .delete(&note.id, Guard::Version(0))
        .insert(&Note { likes: 5, ..note.clone() })
        .replace(&Account { version: 1, balance: 9, ..account.clone() });
    store.commit(batch).await.unwrap();
    let found = store.get(&[Id::of("a"), Id::of("b")]).await.unwrap();
    assert_eq!(found[0], Some(Account { version: 2, balance: 9, ..account }));
    assert_eq!(found[1], Some(Account { version: 2, ..Account::new("b") }));
    assert_eq!(store.one(&note.id).await.unwrap().map(|note| note.likes), Some(5));
}

pub async fn a_question_without_an_index_is_refused(here: Here) {
    let store = here.open().await;
    let secret = "a@nhs.net".to_owned();
    let filter = || Account::OWNER.lt(secret.clone()).and(Account::ALIASES.contains("x".to_owned()).not());
    let found = store.find(filter(), Account::BALANCE.asc().asc(Account::OPEN), Page::first(9)).await;
    let message = failure(found);
    assert!(message.contains("accounts has no index") && !message.contains(&secret), "{message}");
    failure(store.count(Account::TOWN.eq("Hull".to_owned()), 9).await);
    failure(store.tally(Account::SEEN.eq(None), Account::OPEN).await);
    failure(store.find(Account::EMAIL.eq(None), Order::by_id(), Page::first(9)).await);
    // By its ids, anything is found.
    let known = Field::<Account, Id<Account>>::new("_id").is_in([Id::of("a")]).and(filter());
    store.find(known, Account::BALANCE.asc(), Page::first(9)).await.unwrap();
}

pub async fn a_place_inside_null_is_an_error(here: Here) {
    let store = here.open().await;
    let account = Account::new("a");
    insert(&store, &account).await;
    let change = [Account::TOWN.set("Hull".to_owned())];
    failure(store.commit(Batch::new().patch(&account.id, Guard::Present, change)).await);
    assert_eq!(store.one(&account.id).await.unwrap(), Some(account));
}

/// Keys of maps are the one kind of text that MongoDB can't hold with a NUL in it.
pub async fn what_cannot_be_stored_is_refused(here: Here) {
    let store = here.open().await;
    let odd = |key: &str| Odd { id: Id::of("a"), version: 0, map: BTreeMap::from([(key.to_owned(), 1)]) };
    let message = failure(store.commit(Batch::new().insert(&odd("a\0b"))).await);
    assert!(message.contains("odd/odd_a"), "{message}");
    for key in ["$set", "a.b", "", "é", "_id", "\u{1}"] {
        let odd = odd(key);
        store.commit(Batch::new().insert(&odd)).await.unwrap();
        assert_eq!(store.one(&odd.id).await.unwrap().as_ref(), Some(&odd), "{key}");
        store.commit(Batch::new().replace(&odd).delete(&odd.id, Guard::Present)).await.unwrap();
    }
}

/// The accounts with other indexes, as a later version of the program has them.
static LATER: std::sync::LazyLock<Collection> = std::sync::LazyLock::new(|| Collection {
    name: "accounts",
    indexes: vec![
        Index::named("email").asc(Account::EMAIL),
        Index::named("balance").desc(Account::OPEN).desc(Account::BALANCE),
        Index::named("alias").each(Account::ALIASES).asc(Account::OPEN),
        Index::named("owner").asc(Account::OWNER),
    ],
    may_scan: false,
});

pub async fn an_index_that_changed_is_made_anew(here: Here) {
    let account = Account { email: Some("a@nhs.net".into()), aliases: vec!["x".into()], ..Account::new("a") };
    let twin = Account { email: account.email.clone(), ..Account::new("b") };
    let before = here.open().await;
    insert(&before, &account).await;
    conflict(before.commit(Batch::new().insert(&twin)).await);
    let open = || Account::OPEN.eq(true);
    let found = before.find(open(), Account::BALANCE.desc(), Page::first(9)).await.unwrap();
    assert_eq!(found.len(), 1);

    let after = here.open_with(&[&*LATER]).await;
    insert(&after, &twin).await;
    // Who still runs the version before is answered, if more slowly.
    let found = before.find(open(), Account::BALANCE.desc(), Page::first(9)).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(before.count(Account::EMAIL.eq("a@nhs.net".to_owned()), 9).await.unwrap(), 2);

    after.commit(Batch::new().delete(&twin.id, Guard::Present)).await.unwrap();
    after.close().await;
    before.close().await;
    let again = here.open().await;
    conflict(again.commit(Batch::new().insert(&twin)).await);
    let found =
        again.find(Account::ALIASES.contains("x".to_owned()), Order::by_id(), Page::first(9)).await.unwrap();
    assert_eq!(found, [account]);
}

pub async fn a_closed_store_says_so(here: Here) {
    let store = here.open().await;
    insert(&store, &Account::new("a")).await;
    store.close().await;
    store.close().await;
    assert!(matches!(
        store.commit(Batch::new().insert(&Account::new("b"))).await,
        Err(StoreError::Unavailable(_))
    ));
    assert!(matches!(store.one(&Id::<Account>::of("a")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    let again = here.open().await;
    assert_eq!(again.count(Filter::<Account>::all(), 9).await.unwrap(), 1);
}
