//! Where the bytes are, and what becomes of those that nobody uses.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use hope_exchange::{
    blobs::Blobs,
    config::Secret,
    domain::job::{Job, Task},
    ids::Id,
    jobs,
    query::{Filter, Order, Page},
};
use poem::http::StatusCode;
use serde_json::json;

use super::{PDF, blobs, document, file, get, post_with, stored, try_upload};
use crate::{
    app::{On, TestApp},
    on_both_stores,
    processes::{Twin, can_mount, end_with_parent},
};

async fn deletions(app: &TestApp) -> usize {
    let jobs: Vec<Job> = app.app.store.find(Filter::all(), Order::by_id(), Page::first(100)).await.unwrap();
    jobs.iter().filter(|job| matches!(job.task, Task::DeleteBlob { .. })).count()
}

on_both_stores! {
    async fn what_nobody_uses_goes_after_a_day(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let (used, unused, taken_off) = (file(app, &ada).await, file(app, &ada).await, file(app, &ada).await);
        let post = post_with(app, &ada, &[&used, &taken_off], false).await;
        app.advance(TimeDelta::hours(12));
        let ada = app.sign_in_again(&ada);
        let update = json!({ "id": post, "expectedVersion": 1, "attachmentIds": [used] });
        app.mutate(&ada, "updatePost", &update, "post { id }").await;
        app.advance(TimeDelta::hours(12));
        jobs::purge(&app.app).await.unwrap();
        assert_eq!(stored(app).await.len(), 3, "not before a day is over");

        app.advance(TimeDelta::minutes(1));
        let (first, second) = tokio::join!(jobs::purge(&app.app), jobs::purge(&app.app));
        assert_eq!((first.is_ok(), second.is_ok()), (true, true));
        assert_eq!(document(app, &unused).await, None);
        assert_eq!(deletions(app).await, 1, "whichever worker it was");
        jobs::run_due(&app.app).await.unwrap();
        let mut left = vec![used.clone(), taken_off];
        left.sort();
        assert_eq!((blobs(app), deletions(app).await), (left, 0));

        app.advance(TimeDelta::hours(12));
        jobs::purge(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(blobs(app), std::slice::from_ref(&used));
        app.advance(TimeDelta::days(400));
        jobs::purge(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        let ada = app.sign_in_again(&ada);
        assert_eq!(get(app, &ada, &used).await.bytes, PDF);
    }

    /// A crash between the document and its blob leaves a document without one.
    async fn what_a_crash_leaves_goes_as_well(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = file(app, &ada).await;
        let folder = app.folder.path().join("attachments");
        std::fs::rename(folder.join(&id), folder.join(format!("{id}#1"))).unwrap();
        let missing = get(app, &ada, &id).await;
        assert_eq!(missing.status, 500);
        app.advance(TimeDelta::hours(25));
        jobs::purge(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!((blobs(app), stored(app).await), (vec![], vec![]));
    }
}

/// Nothing listens at this port.
const NOWHERE: &str = "s3://key:s3cr3t@hope-files/prefix?endpoint=http%3A%2F%2F127.0.0.1%3A1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_told_of() {
    let configure = |config: &mut hope_exchange::config::Config| config.attachments = Secret::new(NOWHERE);
    TestApp::run_with(On::Sqlite, configure, async |app| {
        let ada = app.person("Ada Moore").await;
        let asked = std::time::Instant::now();
        let (status, problem) = try_upload(app, &ada, "notes.pdf", PDF).await;
        assert_eq!((status, &problem["code"]), (503, &json!("UNAVAILABLE")), "{problem}");
        assert!(asked.elapsed() < std::time::Duration::from_secs(20), "{:?}", asked.elapsed());
        assert!(!problem.to_string().contains("127.0.0.1") && !problem.to_string().contains("s3cr3t"));
        assert_eq!((stored(app).await, deletions(app).await), (vec![], 1));
        // What may have arrived after all is deleted, as soon as that is possible.
        assert_eq!(jobs::run_due(&app.app).await.unwrap(), 0);
        app.advance(TimeDelta::hours(1));
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(deletions(app).await, 1);
        // Everything else goes on.
        post_with(app, &app.sign_in_again(&ada), &[], true).await;
    })
    .await;
}

/// What speaks S3 as far as blobs need it, and remembers what it holds. Everything else it refuses.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Bucket {
    fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// Serves it, and says where.
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = poem::listener::TcpAcceptor::from_tokio(listener).unwrap();
        let bucket = self.clone();
        let answer = poem::endpoint::make(move |request| bucket.clone().answer(request));
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(answer));
        format!("http://{address}")
    }

    async fn answer(self, mut request: poem::Request) -> poem::Result<poem::Response> {
        let signed = request.header("authorization").unwrap_or_default();
        if !signed.starts_with("AWS4-HMAC-SHA256 Credential=key/")
            || !signed.contains("/eu-west-1/s3/aws4_request")
        {
            return Ok(StatusCode::FORBIDDEN.into());
        }
        let key = request.uri().path().to_owned();
        let asked = request.uri().query().unwrap_or_default().to_owned();
        let body = request.take_body().into_vec().await?;
        let mut objects = self.0.lock().unwrap();
        let response = poem::Response::builder()
            .header("etag", "\"x\"")
            .header("last-modified", "Mon, 02 Mar 2026 09:00:00 GMT");
        Ok(match (request.method().as_str(), objects.get(&key).cloned()) {
            // An object that comes in parts: begun, a part, the end.
            ("POST", _) if asked.starts_with("uploads") => response.body(
                "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
            ),
            ("PUT", _) if asked.contains("uploadId=u") => {
                objects.insert(format!("{key}?{asked}"), body);
                response.finish()
            }
            ("POST", _) if asked == "uploadId=u" => {
                let parts = objects.extract_if(.., |name, _| name.starts_with(&format!("{key}?")));
                let whole = parts.flat_map(|(_, part)| part).collect();
                objects.insert(key, whole);
                response
                    .body("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>")
            }
            ("PUT", _) => {
                objects.insert(key, body);
                response.finish()
            }
            ("GET", Some(bytes)) => response.body(bytes),
            ("DELETE", _) => {
                objects.remove(&key);
                response.status(StatusCode::NO_CONTENT).finish()
            }
            _ => StatusCode::NOT_FOUND.into(),
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_as_good_as_a_folder() {
    let bucket = Bucket::default();
    let endpoint = bucket.serve().await;
    let uri = format!("s3://key:s3%2Fcr3t@hope-files/of/hope?region=eu-west-1&endpoint={endpoint}");
    TestApp::run_with(
        On::Sqlite,
        |config| config.attachments = Secret::new(uri),
        async |app| {
            let ada = app.person("Ada Moore").await;
            let (used, unused) = (file(app, &ada).await, file(app, &ada).await);
            post_with(app, &ada, &[&used], true).await;
            assert_eq!(get(app, &ada, &used).await.bytes, PDF);
            let key = |id: &str| format!("/hope-files/of/hope/{id}");
            let mut keys = vec![key(&used), key(&unused)];
            keys.sort();
            assert_eq!(bucket.keys(), keys);
            app.advance(TimeDelta::hours(25));
            jobs::purge(&app.app).await.unwrap();
            jobs::run_due(&app.app).await.unwrap();
            assert_eq!((bucket.keys(), deletions(app).await), (vec![key(&used)], 0));
            bucket.0.lock().unwrap().clear();
            assert_eq!(get(app, &app.sign_in_again(&ada), &used).await.status, 500);
        },
    )
    .await;
}

/// More than is ever held in memory at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_takes_what_comes_piece_by_piece() {
    let bucket = Bucket::default();
    let endpoint = bucket.serve().await;
    let uri = format!("s3://key:s3%2Fcr3t@hope-files/of/hope?region=eu-west-1&endpoint={endpoint}");
    let blobs = Blobs::open(&Secret::new(uri), std::path::Path::new("unused")).unwrap();
    let id: Id<hope_exchange::domain::data_export::DataExport> = Id::of("large");
    let mut writer = blobs.begin(&id).await.unwrap();
    let piece: Vec<u8> = (0..=255).cycle().take(1_000_003).collect();
    for _ in 0..20 {
        writer.write(&piece).await.unwrap();
    }
    let parts: Vec<usize> = bucket.0.lock().unwrap().values().map(Vec::len).collect();
    assert_eq!(parts, [8 << 20, 8 << 20], "all but the last are of one size, and sent as they are full");
    assert_eq!(writer.finish().await.unwrap(), 20 * 1_000_003);
    assert_eq!(bucket.keys(), ["/hope-files/of/hope/exp_large"]);
    assert_eq!(bucket.0.lock().unwrap().values().next(), Some(&piece.repeat(20)));
}

#[test]
fn settings_that_can_t_work_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let in_the_way = format!("dir://{}/file/attachments", folder.path().display());
    for (uri, part) in [
        ("data/attachments", "dir://PATH or s3://"),
        ("ftp://key:s3cr3t@host", "dir://PATH or s3://"),
        ("s3://key@bucket", "a key without a secret"),
        ("s3://key:s3cr3t@bucket?acl=public", "only region and endpoint"),
        (&in_the_way, "can't be used"),
    ] {
        let said = Blobs::open(&Secret::new(uri), folder.path()).unwrap_err();
        assert!(said.contains(part) && !said.contains("s3cr3t"), "{uri}: {said}");
    }
}

const FULL_DISK: &str = "HOPE_TEST_FULL_FOLDER";

/// What the test below runs where the disk is small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_process() {
    #[expect(clippy::disallowed_methods, reason = "how the process is told of its folder")]
    let Ok(folder) = std::env::var(FULL_DISK) else { return };
    end_with_parent();
    let setting = Secret::new(format!("dir://{folder}"));
    TestApp::run_with(
        On::Sqlite,
        |config| config.attachments = setting,
        async |app| {
            let ada = app.person("Ada Moore").await;
            let kept = file(app, &ada).await;
            let noise: Vec<u8> = (0..2_000_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
            let (status, problem) = try_upload(app, &ada, "large.txt", &noise).await;
            // No part of it is left, and what fits is still taken and given.
            let names: Vec<_> =
                std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(names, [kept.as_str()]);
            assert_eq!(stored(app).await.len(), 1);
            file(app, &ada).await;
            assert_eq!(get(app, &ada, &kept).await.bytes, PDF);
            println!("\nrefused {status} {}", problem["code"]);
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_to_be_full() {
    if !can_mount() {
        #[expect(clippy::disallowed_methods, reason = "in CI nothing is skipped")]
        let ci = std::env::var("CI");
        assert!(ci.is_err(), "no small disk can be mounted here: in CI this test must run");
        eprintln!("SKIPPED: no small disk can be mounted here.");
        return;
    }
    let folder = tempfile::Builder::new().prefix("hope-full-").tempdir().unwrap();
    let script = format!("mount -t tmpfs -o size=1m tmpfs {0} && exec \"$@\"", folder.path().display());
    let value = folder.path().display().to_string();
    let said = tokio::task::block_in_place(|| {
        let mut twin = Twin::start_in(&script, "attachments::store::full_disk_process", FULL_DISK, &value);
        let said = twin.lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("refused"));
        // Until it ends: it tidies up after itself.
        twin.lines.by_ref().map_while(Result::ok).for_each(drop);
        said
    });
    assert_eq!(said.as_deref(), Some("refused 507 \"NO_SPACE\""));
}
