//! How much is taken, from whom, and how fast.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hope_exchange::domain::attachment::{SIZE_MAX, UNUSED_MAX};
use serde_json::json;

use super::{BOUNDARY, PDF, answered, blobs, file, form, got, post_with, send, stored, try_upload, upload};
use crate::{app::TestApp, on_both_stores};

/// A PDF of so many bytes.
fn pdf(size: usize) -> Vec<u8> {
    let mut bytes = PDF.to_vec();
    bytes.splice(9..9, std::iter::repeat_n(b'%', size - PDF.len()));
    bytes
}

on_both_stores! {
    async fn ten_megabytes_are_taken_and_no_more(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let largest = pdf(SIZE_MAX);
        let kept = upload(app, &ada, "largest.pdf", &largest).await;
        assert_eq!(kept["size"], 10 * 1024 * 1024);
        assert_eq!(super::get(app, &ada, kept["id"].as_str().unwrap()).await.bytes, largest);

        for size in [SIZE_MAX + 1, SIZE_MAX * 3] {
            // With its length said before, and without.
            let body = form("larger.pdf", &pdf(size), "");
            let pieces: Vec<std::io::Result<Vec<u8>>> = body.chunks(100_000).map(|piece| Ok(piece.to_vec())).collect();
            let streamed = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
            for body in [body.into(), streamed] {
                let (status, problem) = send(app, &ada.token, body).await;
                assert_eq!((status, &problem["code"]), (413, &json!("TOO_LARGE")), "{problem}");
                assert!(problem["detail"].as_str().unwrap().contains("10 MB"));
            }
        }
        assert_eq!((stored(app).await.len(), blobs(app).len()), (1, 1));
    }

    async fn fifty_can_wait_to_be_used(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let first = file(app, &ada).await;
        for _ in 1..UNUSED_MAX - 1 {
            file(app, &ada).await;
        }
        // For the last place there are eight at once.
        let uploads = join_all((0..8).map(|_| try_upload(app, &ada, "notes.pdf", PDF))).await;
        let mut statuses: Vec<u16> = uploads.iter().map(|(status, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422, 422, 422, 422, 422, 422, 422]);
        let (_, refused) = uploads.iter().find(|(status, _)| *status == 422).unwrap();
        assert_eq!((&refused["errors"][0]["field"], &refused["code"]), (&json!("file"), &json!("TOO_MANY")));
        assert_eq!((stored(app).await.len(), blobs(app).len()), (UNUSED_MAX, UNUSED_MAX));
        // Others are not concerned, and using one makes room.
        file(app, &app.person("Grace Hill").await).await;
        post_with(app, &ada, &[&first], false).await;
        file(app, &ada).await;
    }

    async fn a_hundred_megabytes_can_wait_to_be_used(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let large = pdf(SIZE_MAX);
        for _ in 0..10 {
            upload(app, &ada, "large.pdf", &large).await;
        }
        let (status, problem) = try_upload(app, &ada, "small.pdf", PDF).await;
        assert_eq!((status, &problem["code"]), (422, &json!("TOO_MANY")));
    }

    async fn only_members_send_and_no_other_sites_page(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let url = format!("{}/api/v1/attachments", app.url);
        let post = || {
            let request = app.http.post(&url).header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
            request.body(form("notes.pdf", PDF, ""))
        };
        let cookie = format!("hope_access={}", ada.token);
        let (status, problem) = answered(post().send().await.unwrap()).await;
        assert_eq!((status, &problem["code"]), (401, &json!("UNAUTHENTICATED")));
        let (status, problem) = answered(post().header("cookie", &cookie).send().await.unwrap()).await;
        assert_eq!((status, &problem["code"]), (403, &json!("FORBIDDEN")));
        assert_eq!(stored(app).await, []);
        let response = post().header("cookie", &cookie).header("x-requested-with", "hope").send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let (status, kept) = answered(response).await;
        assert_eq!((status, format!("{}{location}", app.url)), (201, kept["url"].as_str().unwrap().to_owned()));
        // A picture on a page is got with the cookie alone.
        let given = got(app.http.get(kept["url"].as_str().unwrap()).header("cookie", &cookie).send().await.unwrap()).await;
        assert_eq!((given.status, given.bytes), (200, PDF.to_vec()));
    }
}

/// Somebody who is refused hears it, however much they were about to send.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_refused_hears_it_at_once() {
    TestApp::run(crate::app::On::Sqlite, async |app| {
        let body = form("film.mp4", &vec![7; 60_000_000], "");
        for _ in 0..5 {
            let (status, _) = send(app, "nonsense", body.clone()).await;
            assert_eq!(status, 401);
        }
        let ada = app.person("Ada Moore").await;
        let asked = Instant::now();
        let (status, _) = send(app, &ada.token, body).await;
        assert_eq!(status, 413);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    })
    .await;
}
