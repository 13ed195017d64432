//! Every declared question is answered by its index: nothing is scanned, nothing is sorted.

use hope_exchange::{
    clock::Timestamp,
    ids::Id,
    query::{Filter, Order, Page, Value, position},
    store::{Batch, Store},
};

use crate::{
    place::Here,
    samples::{Account, Note},
};

pub async fn declared_questions_are_answered_by_their_index(here: Here) {
    let store = here.open().await;
    fill(&store).await;
    let published = || Note::STATE.eq("published".to_owned());
    let food = || Note::TOPICS.contains("food".to_owned());
    let either = || Note::TOPICS.contains_any(["food".to_owned(), "waiting".to_owned(), "noise".to_owned()]);
    // As many as a member may follow, of which most find nothing.
    let many = || Note::TOPICS.contains_any((0..99).map(|n| format!("t{n}")).chain(["food".to_owned()]));
    let author = || Note::AUTHOR.eq(Id::of("a3"));
    let states = || Note::STATE.is_in(["published".to_owned(), "draft".to_owned(), "odd".to_owned()]);
    let since = || Note::PUBLISHED.gte(Timestamp::from_millis(20));

    let questions = [
        (published(), Note::PUBLISHED.desc()),
        (states(), Note::PUBLISHED.desc()),
        (published().and(since()), Note::PUBLISHED.desc()),
        (published().and(author().not()), Note::PUBLISHED.asc()),
        (author().and(published()), Note::PUBLISHED.desc()),
        (author().and(states()), Note::PUBLISHED.asc()),
        (food().and(published()), Note::PUBLISHED.desc()),
        (food().and(published()).and(since()), Note::PUBLISHED.asc()),
        (food().and(states()), Note::PUBLISHED.desc()),
        (either().and(published()), Note::PUBLISHED.desc()),
        (either().and(published()).and(since()), Note::PUBLISHED.asc()),
        (either().and(states()), Note::PUBLISHED.desc()),
        (many().and(published()), Note::PUBLISHED.desc()),
        (food().and(Note::TOPICS.contains("waiting".to_owned())).and(published()), Note::PUBLISHED.desc()),
        (food().and(published()), Note::LIKES.desc().asc(Note::PUBLISHED)),
        (Note::PARENT.eq(None), Note::LIKES.asc()),
        (Note::PARENT.eq(Id::of("n1")), Note::LIKES.desc()),
        (Note::PARENT.is_in([None, Some(Id::of("n1")), Some(Id::of("n2"))]), Note::LIKES.asc()),
        (Note::PARENT.eq(None), Order::by_id()),
        (Note::PARENT.is_in([Id::of("n1"), Id::of("n2")].map(Some)), Order::by_id()),
        (Note::PARENT.eq(None), Order::by_id().reversed()),
        (Filter::all(), Note::LIKES.desc()),
        (Note::LIKES.gt(2), Note::LIKES.asc()),
        (Filter::all(), Order::by_id()),
        (Filter::all(), Order::by_id().reversed()),
    ];
    for (filter, order) in questions {
        let keys = order.keys();
        let found = store.find(filter.clone(), order.clone(), Page::first(7)).await.unwrap();
        let last = serde_json::to_value(found.last().unwrap()).unwrap();
        let mut pages = vec![Page::first(7), Page::first(7).after(Some(position(&last, &keys)))];
        let mut nowhere = position(&last, &keys);
        for (value, (field, _)) in nowhere.iter_mut().zip(&keys) {
            if field.nullable {
                *value = Value::Null;
            }
        }
        pages.push(Page::first(7).after(Some(nowhere)));
        for page in pages {
            let plan = store.explain(filter.clone(), order.clone(), page.clone()).await.unwrap();
            check(&here, &plan, &format!("{filter:?} in {keys:?} {page:?}"));
            // Among nulls there is nothing of a question for what is not null.
            assert!(!plan.is_empty() || page.after.is_some());
        }
    }

    let owner = || Account::OWNER.eq("o".to_owned());
    let email = |email: &str| Account::EMAIL.eq(email.to_owned());
    for (filter, order) in [
        (email("1@nhs.net"), Order::by_id()),
        (email("1@nhs.net"), Account::BALANCE.desc()),
        (
            Account::EMAIL.is_in([Some("1@nhs.net".to_owned()), Some("2@nhs.net".to_owned())]),
            Account::EMAIL.asc(),
        ),
        (owner().and(Account::SLOT.eq(3)), Order::by_id()),
        (owner(), Account::SLOT.desc()),
        (owner().and(Account::OPEN.eq(true)), Account::SEEN.desc()),
        (Account::ALIASES.contains("x".to_owned()), Order::by_id()),
        (Account::OPEN.eq(true), Account::BALANCE.desc()),
    ] {
        let plan = store.explain(filter.clone(), order.clone(), Page::first(7)).await.unwrap();
        check(&here, &plan, &format!("{filter:?} in {order:?}"));
        assert!(!plan.is_empty());
    }
}

/// What engines call the work that an index is there to save.
fn check(here: &Here, plan: &[String], question: &str) {
    let wrong: &[&str] = if here.is_mongo() { &["COLLSCAN", "SORT"] } else { &["TEMP B-TREE"] };
    for step in plan {
        assert!(
            wrong.iter().all(|word| step != word && !step.contains("TEMP B-TREE")),
            "{question}\n{plan:#?}"
        );
        let scans_rows = step.starts_with("SCAN") && !step.contains("USING");
        // `json_each` of one document's array, for a second question to it.
        assert!(!scans_rows || step.contains("VIRTUAL TABLE"), "{question}\n{plan:#?}");
    }
}

async fn fill(store: &Store) {
    let mut batch = Batch::new();
    for n in 0..400_i64 {
        let note = Note::new(Id::of(&format!("n{n:03}")), &format!("a{}", n % 10), n / 3);
        batch = batch.insert(&Note {
            state: if n % 7 == 0 { "draft" } else { "published" }.to_owned(),
            parent: (n % 3 == 0).then(|| Id::of(&format!("n{}", n % 5))),
            published: (n % 11 != 0).then(|| Timestamp::from_millis(n / 3)),
            topics: if n % 2 == 0 { vec!["food".into(), "waiting".into()] } else { vec!["noise".into()] },
            likes: n % 13,
            ..note
        });
        batch = batch.insert(&Account {
            owner: "o".into(),
            slot: n,
            email: (n % 2 == 0).then(|| format!("{n}@nhs.net")),
            open: n % 5 != 0,
            balance: n % 17,
            aliases: if n == 0 { vec!["x".into()] } else { Vec::new() },
            ..Account::new(&format!("a{n}"))
        });
    }
    store.commit(batch).await.unwrap();
}
