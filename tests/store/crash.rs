//! What `kill -9` does: nothing that was acknowledged is lost, and nothing happens by half.
//!
//! Eight tasks commit batches and note each one that is acknowledged. A batch writes three notes and
//! adds one to its task's account, so that afterwards the account knows how many batches there are,
//! and each note how many there should be of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use hope_exchange::{
    ids::Id,
    query::{Filter, Order, Page, position},
    store::{Batch, Guard, Store, StoreError},
};

use crate::{
    place::{Here, Place, mongod, variable},
    process::{Mongod, Twin, end_with_parent},
    samples::{Account, Note, collections},
};

const TASKS: usize = 8;
const NOTES: usize = 3;
/// Tells the test binary to be the writer that is killed, and on which store.
const WRITER: &str = "HOPE_TEST_WRITER";

/// Which batch: the run of the writer, its task, and its number there.
type Key = (usize, usize, usize);

fn rounds() -> usize {
    variable("HOPE_CRASH_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap())
}

fn account(task: usize) -> Account {
    Account::new(&format!("t{task}"))
}

fn batch((run, task, number): Key) -> Batch {
    let counted = Batch::new().increment(&account(task).id, Guard::Present, Account::BALANCE, 1);
    (0..NOTES).fold(counted, |batch, note| {
        let id = Id::of(&format!("{run}-{task}-{number}-{note}"));
        batch.insert(&Note { likes: i64::try_from(run).unwrap(), ..Note::new(id, &format!("t{task}"), 0) })
    })
}

async fn prepare(store: &Store) {
    let accounts = (0..TASKS).fold(Batch::new(), |batch, task| batch.insert(&account(task)));
    store.commit(accounts).await.unwrap();
}

/// Every batch that is stored, all of it, and nothing else.
async fn stored(store: &Store) -> BTreeSet<Key> {
    let mut notes: BTreeMap<Key, usize> = BTreeMap::new();
    let mut page = Page::first(1_000);
    loop {
        let found = store.find(Filter::<Note>::all(), Order::by_id(), page).await.unwrap();
        let Some(last) = found.last() else { break };
        let at = position(&serde_json::to_value(last).unwrap(), &Order::<Note>::by_id().keys());
        page = Page::first(1_000).after(Some(at));
        for note in &found {
            let numbers = note.id.as_str().trim_start_matches("nte_").split('-');
            let numbers: Vec<usize> = numbers.map(|number| number.parse().unwrap()).collect();
            *notes.entry((numbers[0], numbers[1], numbers[2])).or_default() += 1;
        }
    }
    for (key, count) in &notes {
        assert_eq!(*count, NOTES, "batch {key:?} is there by half");
    }
    for task in 0..TASKS {
        let counted = store.one(&account(task).id).await.unwrap().unwrap();
        let there = notes.keys().filter(|key| key.1 == task).count();
        assert_eq!(counted.balance, i64::try_from(there).unwrap(), "batches of task {task} were counted");
        assert_eq!(counted.version, counted.balance);
    }
    notes.into_keys().collect()
}

/// What the writer is, when it is started as one. It is a test so that it needs no other binary.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writer_process() {
    let Some(assignment) = variable(WRITER) else { return };
    end_with_parent();
    let (run, uri) = assignment.split_once(' ').unwrap();
    let run: usize = run.parse().unwrap();
    let store = Store::open(uri, &collections()).await.unwrap();
    let writers = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0.. {
                store.commit(batch((run, task, number))).await.unwrap();
                // One write of one line: what the parent has read was acknowledged.
                let line = format!("\nack {run} {task} {number}\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        })
    });
    join_all(writers).await;
}

pub async fn a_killed_service_loses_nothing(here: Here) {
    let store = here.open().await;
    prepare(&store).await;
    let mut acknowledged = BTreeSet::new();
    for run in 0..rounds() {
        let enough = 60 + 37 * run;
        let heard = tokio::task::block_in_place(|| {
            let mut writer = Twin::start("crash::writer_process", WRITER, &format!("{run} {}", here.uri));
            let mut heard: Vec<Key> = writer.lines.by_ref().filter_map(ack).take(enough).collect();
            writer.kill();
            // What it still said before it died.
            heard.extend(writer.lines.by_ref().filter_map(ack));
            heard
        });
        assert!(heard.len() >= enough, "the writer ended by itself");
        // What the dead process was about to change is soon free for others.
        for task in 0..TASKS {
            let touch = store.commit(Batch::new().require(&account(task).id, Guard::Present));
            tokio::time::timeout(Duration::from_secs(5), touch).await.expect("it is ready again").unwrap();
        }
        acknowledged.extend(heard);
        // A handle that was open all the time, and one that recovers the file.
        for store in [store.clone(), here.open().await] {
            let stored = stored(&store).await;
            let lost: Vec<_> = acknowledged.difference(&stored).collect();
            assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        }
    }
}

fn ack(line: std::io::Result<String>) -> Option<Key> {
    let line = line.ok()?;
    let mut numbers = line.strip_prefix("ack ")?.split(' ').map(|number| number.parse().unwrap());
    Some((numbers.next()?, numbers.next()?, numbers.next()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_mongod_loses_nothing_and_is_found_again() {
    let Some(program) = mongod() else { return };
    let mut mongod = Mongod::primary(&program).await;
    let store = Place::on(&mongod.uri()).open().await;
    prepare(&store).await;
    let mut hints = store.watch();
    let acknowledged: Arc<Mutex<BTreeSet<Key>>> = Arc::default();
    for run in 0..rounds() {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..TASKS)
            .map(|task| tokio::spawn(write(store.clone(), run, task, acknowledged.clone(), stop.clone())))
            .collect();
        let before = acknowledged.lock().unwrap().len();
        while acknowledged.lock().unwrap().len() < before + 40 + 13 * run {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::task::block_in_place(|| mongod.kill());
        calls_fail_soon(&store).await;

        let restarted = Instant::now();
        mongod.restart();
        let probe = Account::new(&format!("probe{run}"));
        loop {
            match store.commit(Batch::new().insert(&probe)).await {
                // A try that failed may have happened.
                Ok(()) | Err(StoreError::Conflict { .. }) => break,
                Err(StoreError::Unavailable(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
            assert!(restarted.elapsed() < Duration::from_secs(10), "it does not find MongoDB again");
        }
        assert!(restarted.elapsed() < Duration::from_secs(10), "it found MongoDB again too late");
        stop.store(true, Ordering::Relaxed);
        join_all(writers).await.into_iter().for_each(Result::unwrap);

        let stored = stored(&store).await;
        let acknowledged = acknowledged.lock().unwrap();
        let lost: Vec<_> = acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
    // Those who watch are told again, too.
    while hints.try_recv().is_ok() {}
    let told = async {
        loop {
            let note = Note::new(Id::of(&format!("9-0-{}-0", crate::samples::ids().below(1 << 40))), "t0", 0);
            store.commit(Batch::new().insert(&note)).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(500), hints.recv()).await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), told).await.expect("the watch has come back");
}

/// Writes until told to stop. What fails because the server is away is not acknowledged, and
/// everything else that fails is wrong.
async fn write(
    store: Store,
    run: usize,
    task: usize,
    acknowledged: Arc<Mutex<BTreeSet<Key>>>,
    stop: Arc<AtomicBool>,
) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let asked = Instant::now();
        let outcome = store.commit(batch((run, task, number))).await;
        assert!(asked.elapsed() < Duration::from_secs(3), "it took {:?}: {outcome:?}", asked.elapsed());
        match outcome {
            Ok(()) => {
                acknowledged.lock().unwrap().insert((run, task, number));
            }
            Err(StoreError::Unavailable(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// While the server is away, every verb says so, soon enough for a caller to be told.
async fn calls_fail_soon(store: &Store) {
    async fn timed<T: std::fmt::Debug>(call: impl Future<Output = Result<T, StoreError>>) {
        let asked = Instant::now();
        let outcome = call.await;
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        assert!(asked.elapsed() < Duration::from_secs(3), "it took {:?}: {outcome:?}", asked.elapsed());
    }
    let account = account(0);
    tokio::join!(
        timed(store.ping()),
        timed(store.one(&account.id)),
        timed(store.count(Filter::<Note>::all(), 10)),
        timed(store.find(Filter::<Note>::all(), Order::by_id(), Page::first(10))),
        timed(store.tally(Account::OPEN.eq(true), Account::OPEN)),
        timed(store.commit(Batch::new().insert(&Account::new("x")))),
        timed(store.commit(Batch::new().insert(&Account::new("y")).insert(&Account::new("z")))),
        timed(store.change(&account.id, |_| Ok(((), Batch::new())))),
    );
}
