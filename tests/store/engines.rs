//! What only one engine can get wrong.

use std::{fs, time::Duration};

use bson::doc;
use hope_exchange::{
    query::{Filter, Page},
    store::{Batch, Store, StoreError},
};

use crate::{
    place::{Place, mongod, mongodb, variable},
    process::{Mongod, Twin, can_mount, end_with_parent},
    samples::{Account, Note, collections, ids},
};

async fn sentence(uri: &str) -> String {
    match Store::open(uri, &collections()).await.map(|_| ()) {
        Err(StoreError::Unavailable(sentence)) => sentence,
        other => panic!("expected a sentence, not {other:?}"),
    }
}

#[tokio::test]
async fn an_address_is_of_one_of_the_engines() {
    for uri in ["", "hope.db", "postgres://localhost/hope", "mongo://localhost"] {
        assert!(sentence(uri).await.contains("sqlite://"), "{uri}");
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_written_is_named() {
    let place = Place::sqlite();
    fs::write(place.path(), "this is not a database, but it is longer than a header of one".repeat(9))
        .unwrap();
    let said = sentence(&place.uri).await;
    assert!(said.contains("hope.db") && said.contains("not an SQLite database"), "{said}");
    let said = sentence(&format!("{}/below/a/file.db", place.uri)).await;
    assert!(said.contains("below/a/file.db") && said.contains("folder"), "{said}");
    let folder = place.path().parent().unwrap().display().to_string();
    let said = sentence(&format!("sqlite://{folder}")).await;
    assert!(said.contains(&folder), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_its_owner_s_alone_and_folders_are_made() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::sqlite();
    let folder = place.path().with_file_name("new");
    let uri = format!("sqlite://{}/folder/hope.db", folder.display());
    let store = Store::open(&uri, &collections()).await.unwrap();
    store.commit(Batch::new().insert(&Account::new("a"))).await.unwrap();
    for name in ["hope.db", "hope.db-wal", "hope.db-shm"] {
        let mode = fs::metadata(folder.join("folder").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // The last connection tidies up.
    store.close().await;
    let left: Vec<_> = fs::read_dir(folder.join("folder")).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left, ["hope.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_store_ends_its_threads() {
    let place = Place::sqlite();
    let store = place.open().await;
    store.commit(Batch::new().insert(&Account::new("a"))).await.unwrap();
    drop(store);
    let log = place.path().with_file_name("hope.db-wal");
    let ended = async {
        while log.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("the connections are closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_one_file_at_once() {
    let place = Place::sqlite();
    let opened = (0..8).map(|_| {
        let uri = place.uri.clone();
        tokio::spawn(async move { Store::open(&uri, &collections()).await.unwrap() })
    });
    let stores: Vec<Store> =
        futures_util::future::join_all(opened).await.into_iter().map(Result::unwrap).collect();
    let writes = stores.iter().map(|store| async {
        for _ in 0..20 {
            store.commit(Batch::new().insert(&Note::new(ids().fresh(), "a", 0))).await.unwrap();
        }
    });
    futures_util::future::join_all(writes).await;
    assert_eq!(stores[0].count(Filter::<Note>::all(), 1_000).await.unwrap(), 160);
}

/// A store that never pauses must not keep another one from writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_busy_store_lets_another_write() {
    let place = Place::sqlite();
    let (busy, quiet) = (place.open().await, place.open().await);
    let load: Vec<_> = (0..8)
        .map(|_| {
            let busy = busy.clone();
            tokio::spawn(async move {
                loop {
                    busy.commit(Batch::new().insert(&Note::new(ids().fresh(), "a", 0))).await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..10 {
        let write = quiet.commit(Batch::new().insert(&Note::new(ids().fresh(), "b", 0)));
        tokio::time::timeout(Duration::from_secs(2), write).await.expect("it gets its turn").unwrap();
    }
    load.iter().for_each(tokio::task::JoinHandle::abort);
}

const FULL_DISK: &str = "HOPE_TEST_FULL_DISK";

/// What the test below runs where the disk is small.
#[tokio::test(flavor = "multi_thread")]
async fn full_disk_process() {
    let Some(folder) = variable(FULL_DISK) else { return };
    end_with_parent();
    let store = Store::open(&format!("sqlite://{folder}/hope.db"), &collections()).await.unwrap();
    let (mut written, mut refused) = (0, None);
    while refused.is_none() {
        let note = Note { body: "x".repeat(20_000), ..Note::new(ids().fresh(), "a", 0) };
        match store.commit(Batch::new().insert(&note)).await {
            Ok(()) => written += 1,
            Err(error) => refused = Some(error),
        }
    }
    // Reading goes on, and what was written is there.
    assert_eq!(store.count(Filter::<Note>::all(), 1_000).await.unwrap(), written);
    let some = Note::AUTHOR.eq(hope_exchange::ids::Id::of("a")).and(Note::STATE.eq("published".to_owned()));
    assert!(!store.find(some, Note::PUBLISHED.desc(), Page::first(3)).await.unwrap().is_empty());
    println!("\nrefused {}", refused.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_to_be_full() {
    if !can_mount() {
        eprintln!("SKIPPED: no small disk can be mounted here.");
        return;
    }
    let folder = tempfile::Builder::new().prefix("hope-full-").tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size=2m tmpfs {0} && exec \"$@\"", folder.path().display());
    let value = folder.path().display().to_string();
    let said = tokio::task::block_in_place(|| {
        let mut twin = Twin::start_in(&script, "engines::full_disk_process", FULL_DISK, &value);
        twin.lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("refused"))
    });
    assert!(said.as_ref().is_some_and(|said| said.contains("the disk is full")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mongodb_without_transactions_is_refused_with_advice() {
    let Some(program) = mongod() else { return };
    let standalone = Mongod::start(&program, None).await;
    for uri in [format!("mongodb://127.0.0.1:{}/hope", standalone.port), standalone.uri()] {
        let said = sentence(&uri).await;
        for advice in ["is a standalone MongoDB", "--replSet rs0", "rs.initiate()", "docker-compose.yml"] {
            assert!(said.contains(advice), "{uri}: {said}");
        }
    }
    let idle = Mongod::start(&program, Some("rs0")).await;
    for uri in [format!("mongodb://127.0.0.1:{}/hope", idle.port), idle.uri()] {
        let said = sentence(&uri).await;
        assert!(said.contains("rs.initiate()"), "{uri}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_address_is_said_without_the_password() {
    let said = sentence("mongodb://ann:s3cret@127.0.0.1:1/hope?replicaSet=rs0").await;
    assert!(said.contains("No MongoDB answers at 127.0.0.1:1"), "{said}");
    let Some(server) = mongodb() else { return };
    let wrong = server.replace("mongodb://", "mongodb://ann:s3cret@");
    let refused = sentence(&wrong).await;
    assert!(refused.contains("user name and password"), "{refused}");
    let other = sentence(&server.replace("rs0", "rs7")).await;
    assert!(other.contains("is called rs0, not rs7"), "{other}");
    for sentence in [said, refused, other] {
        assert!(!sentence.contains("s3cret") && !sentence.contains("ann"), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_s_own_index_stays() {
    let Some(place) = Place::mongo() else { return };
    place
        .run(async |here| {
            let store = here.open().await;
            store.commit(Batch::new().insert(&Account::new("a"))).await.unwrap();
            let client = mongodb::Client::with_uri_str(&here.uri).await.unwrap();
            let accounts = client.default_database().unwrap().collection::<bson::Document>("accounts");
            let index = mongodb::IndexModel::builder().keys(doc! { "address.town": 1 }).build();
            accounts.create_index(index).await.unwrap();
            let before = accounts.list_index_names().await.unwrap();
            here.open().await;
            assert_eq!(accounts.list_index_names().await.unwrap(), before);
            assert!(before.contains(&"address.town_1".to_owned()), "{before:?}");
        })
        .await;
}

/// A requirement has to write, and what it writes must not be seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_requirement_leaves_no_trace_in_documents() {
    let Some(place) = Place::mongo() else { return };
    place
        .run(async |here| {
            let store = here.open().await;
            let account = Account::new("a");
            store.commit(Batch::new().insert(&account)).await.unwrap();
            let required = Batch::new().require(&account.id, hope_exchange::store::Guard::Version(0));
            store.commit(required.insert(&Account::new("b"))).await.unwrap();
            assert_eq!(store.one(&account.id).await.unwrap(), Some(account));
        })
        .await;
}
