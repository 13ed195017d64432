//! Exports: everything of a member, for them alone, for a week.

use std::{collections::BTreeMap, io::Read};

use chrono::TimeDelta;
use hope_exchange::domain::{
    data_export::DataExport,
    data_right::{Export, TABLE},
    job::Task,
    permission::Scope,
};
use reqwest::Response;

use super::*;
use crate::{
    community::{all, waiting},
    on_both_stores,
};

const LIST: &str = "{ viewer { dataExports { totalCount nodes { id state size url expiresAt } } } }";

async fn request(app: &TestApp, by: &Person) -> Json {
    asks(app, by, "requestDataExport", json!({}), "dataExport { id state url }").await
}

async fn listed(app: &TestApp, by: &Person) -> Json {
    app.graphql(&by.token, LIST, json!({})).await["data"]["viewer"]["dataExports"]["nodes"].clone()
}

/// The address of a new export that is ready.
async fn made(app: &TestApp, by: &Person) -> String {
    let asked = request(app, by).await;
    assert_eq!(asked["dataExport"]["state"], "WAITING", "{asked}");
    // Made, then told.
    jobs::run_due(&app.app).await.unwrap();
    jobs::run_due(&app.app).await.unwrap();
    listed(app, by).await[0]["url"].as_str().unwrap().to_owned()
}

async fn got(app: &TestApp, by: &Person, url: &str) -> Response {
    app.http.get(url).bearer_auth(&by.token).send().await.unwrap()
}

/// The files of a ZIP.
async fn files(response: Response) -> BTreeMap<String, Vec<u8>> {
    let bytes = response.bytes().await.unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut files = BTreeMap::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let mut bytes = Vec::new();
        let name = file.name().unwrap().into_owned();
        file.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    files
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Json {
    serde_json::from_slice(&files[name]).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn blobs(app: &TestApp) -> Vec<String> {
    let entries = std::fs::read_dir(app.folder.path().join("attachments")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

on_both_stores! {
    /// Every collection that holds something of a member's is in it: a new noun has to be, too.
    async fn a_member_gets_everything_that_is_theirs(app: &TestApp) {
        let Life { ada, attachment, .. } = life(app).await;
        let files = files(got(app, &ada, &made(app, &ada).await).await).await;
        for row in TABLE {
            if let Export::File(name) = row.export {
                let json = json_of(&files, name);
                let is_there = json.as_array().is_none_or(|list| !list.is_empty());
                assert!(is_there, "{}: there is nothing in {name}, of a member who has done everything", row.collection);
            }
        }
        let account = json_of(&files, "account.json");
        assert_eq!(account["serviceAccounts"][0]["name"], "Sync of Zephyrine Quillfeather");
        for (pointer, value) in [("/name", "Zephyrine Quillfeather"), ("/email", "ada-moore@ada-moore.nhs.uk"), ("/jobTitle", "Head of Quiddity"), ("/profile/phone", "0161 496 0123"), ("/digest/frequency", "weekly")] {
            assert_eq!(account.pointer(pointer), Some(&json!(value)), "{pointer}");
        }
        let titles = |name: &str| -> Vec<Json> {
            let mut titles: Vec<Json> = json_of(&files, name).as_array().unwrap().iter().map(|one| one["title"].clone()).collect();
            titles.sort_by_key(Json::to_string);
            titles
        };
        assert_eq!(titles("posts.json"), ["A draft of mine", "Soft-close bins?"]);
        let revisions = json_of(&files, "revisions.json").to_string();
        assert!(revisions.contains("really ") && revisions.contains("nine") && revisions.contains("every"), "{revisions}");
        assert_eq!(json_of(&files, "comments.json")[0]["body"]["markdown"], "We close them at nine.");
        assert_eq!(json_of(&files, "case-studies.json")[0]["content"]["title"], "Quiet nights on the wards");
        assert_eq!(json_of(&files, "adoptions.json")[0]["record"]["whatChanged"]["markdown"], "Smaller plates.");
        assert_eq!(json_of(&files, "reports.json")[0]["note"], "It sells bins.");
        assert_eq!(json_of(&files, "moderation.json")[0]["reason"], "Zephyrine Quillfeather was curt.");
        assert_eq!(json_of(&files, "attachments.json").as_array().unwrap().len(), 3);
        assert_eq!(files[&format!("attachments/{attachment}-ward-map.pdf")], PDF);
        assert_eq!(files.keys().filter(|name| name.starts_with("attachments/")).count(), 3);
        let photo = account.pointer("/profile/photo").and_then(Json::as_str).unwrap();
        assert!(files[&format!("attachments/{photo}-photo.jpg")].starts_with(b"\xFF\xD8\xFF"));
    }

    /// As on the pages: n under 5 is shown to nobody, in what is said now and in what was said before.
    async fn small_numbers_are_suppressed_in_exports_too(app: &TestApp) {
        let Life { ada, .. } = life(app).await;
        let files = files(got(app, &ada, &made(app, &ada).await).await).await;
        let study = json_of(&files, "case-studies.json")[0].clone();
        let editions = json_of(&files, "case-study-editions.json");
        assert!(editions.as_array().unwrap().len() > 1);
        for content in editions.as_array().unwrap().iter().chain([&study]).map(|one| &one["content"]) {
            assert_eq!(content["measures"][0]["before"], json!({ "date": "2025-01", "suppressed": true }));
            assert_eq!(content["measures"][0]["after"], json!({ "date": "2025-01", "value": 27.5, "n": 20 }));
        }
        for (name, bytes) in &files {
            assert!(!String::from_utf8_lossy(bytes).contains("61.803"), "{name} has what three people answered");
        }
    }

    async fn neither_secrets_nor_other_people_are_in_it(app: &TestApp) {
        let Life { ada, grace, mary, .. } = life(app).await;
        let tokens: Vec<hope_exchange::domain::access_token::AccessToken> = all(&app.app.store).await;
        let devices: Vec<hope_exchange::domain::device::Device> = all(&app.app.store).await;
        let sign_ins: Vec<hope_exchange::domain::sign_in::SignIn> = all(&app.app.store).await;
        let files = files(got(app, &ada, &made(app, &ada).await).await).await;
        let mut secrets = vec![tokens[0].hash.clone(), devices[0].id.to_string(), sign_ins[0].id.to_string()];
        secrets.extend(["Grace Hill", "grace-hill", "Mary Ward", "They help us.", "for it."].map(str::to_owned));
        secrets.extend([grace.id, mary.id]);
        for (name, bytes) in &files {
            let text = String::from_utf8_lossy(bytes);
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{secret} is in {name}");
            }
        }
    }

    async fn it_is_for_its_member_alone_and_asks_who_they_are(app: &TestApp) {
        let Life { ada, grace, mary, .. } = life(app).await;
        app.take_mail();
        let url = made(app, &ada).await;
        let mail = app.take_mail().pop().unwrap();
        assert_eq!(mail.subject, "Your data from HOPE Network");
        let path = url.replace("/api/v1", "");
        assert!(mail.text.contains(&path) && !mail.text.contains("/api/"), "{}", mail.text);

        for (person, status) in [(&ada, 200), (&grace, 404), (&mary, 404)] {
            assert_eq!(got(app, person, &url).await.status(), status);
        }
        assert_eq!(app.http.get(&url).send().await.unwrap().status(), 401);
        let program = app.token(&ada, &Scope::ALL).await;
        assert_eq!(got(app, &program, &url).await.status(), 403);
        let latest = format!("{}/api/v1/me/export", app.url);
        assert_eq!((got(app, &ada, &latest).await.status(), got(app, &grace, &latest).await.status()), (200.try_into().unwrap(), 404.try_into().unwrap()));

        // The page that the mail leads to: by cookie, as browsers do.
        let page = async |person: Option<&Person>, url: &str| {
            let request = app.http.get(url).header("accept", "text/html");
            let request = match person {
                Some(person) => request.header("cookie", format!("hope_access={}", person.token)),
                None => request,
            };
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.headers()["cache-control"].clone(), response.text().await.unwrap())
        };
        let (status, kept, text) = page(None, &path).await;
        assert!(status == 200 && kept == "no-store" && text.contains("Sign in first") && !text.contains("exp_"), "{text}");
        let (status, _, text) = page(Some(&ada), &path).await;
        assert!(status == 200 && text.contains("Get your data") && text.contains("until 9 March 2026"), "{text}");
        assert_eq!(page(Some(&grace), &path).await.0, 404);
        assert_eq!(page(Some(&ada), &format!("{}/data-exports/exp_01J0", app.url)).await.0, 404);
        let response = app.http.get(&url).header("cookie", format!("hope_access={}", ada.token)).send().await.unwrap();
        let headers = response.headers();
        assert_eq!((&headers["content-type"], &headers["cache-control"]), (&"application/zip".parse().unwrap(), &"no-store".parse().unwrap()));
        assert_eq!(headers["content-disposition"], "attachment; filename=\"my-data.zip\"");
        assert_eq!(headers["content-length"], *listed(app, &ada).await[0]["size"].to_string());
        assert!(files(response).await.contains_key("account.json"));
    }

    async fn there_is_one_at_a_time_and_one_a_day(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let all_at_once = (0..20).map(|_| request(app, &ada));
        let answers = futures_util::future::join_all(all_at_once).await;
        let taken = answers.iter().filter(|answer| answer["dataExport"].is_object()).count();
        assert_eq!((taken, all::<DataExport>(&app.app.store).await.len()), (1, 1));
        assert!(answers.iter().any(|answer| answer["userErrors"][0]["code"] == "WRONG_STATE"), "{answers:?}");
        let tasks: Vec<Task> = waiting(&app.app.store).await.into_iter().map(|job| job.task).collect();
        assert!(matches!(tasks[..], [Task::MakeDataExport { .. }]), "{tasks:?}");
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(request(app, &ada).await["userErrors"][0]["code"], "WRONG_STATE", "on the same day");
        app.advance(TimeDelta::days(1));
        let ada = app.sign_in_again(&ada);
        assert_eq!(request(app, &ada).await["userErrors"], json!([]));
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!(listed(app, &ada).await.as_array().unwrap().len(), 2);
    }

    async fn it_is_gone_after_a_week(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let url = made(app, &ada).await;
        assert_eq!(blobs(app).len(), 1);
        app.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
        jobs::purge(&app.app).await.unwrap();
        let ada = app.sign_in_again(&ada);
        assert_eq!(got(app, &ada, &url).await.status(), 200);
        app.advance(TimeDelta::seconds(2));
        assert_eq!(got(app, &ada, &url).await.status(), 404, "before it is purged");
        jobs::purge(&app.app).await.unwrap();
        jobs::run_due(&app.app).await.unwrap();
        assert_eq!((listed(app, &ada).await, blobs(app)), (json!([]), Vec::new()));
    }

    /// What a worker that died has left of it is written anew, and what is missing does not stop it.
    async fn a_worker_that_died_leaves_nothing_behind(app: &TestApp) {
        let Life { ada, attachment, .. } = life(app).await;
        let asked = request(app, &ada).await;
        let id = asked["dataExport"]["id"].as_str().unwrap();
        let folder = app.folder.path().join("attachments");
        std::fs::write(folder.join(format!("{id}#1")), "half of it").unwrap();
        std::fs::remove_file(folder.join(&attachment)).unwrap();
        jobs::run_due(&app.app).await.unwrap();
        let url = listed(app, &ada).await[0]["url"].as_str().unwrap().to_owned();
        let files = files(got(app, &ada, &url).await).await;
        assert_eq!(files.keys().filter(|name| name.starts_with("attachments/")).count(), 2);
        assert_eq!(blobs(app).into_iter().filter(|name| name.starts_with("exp_")).collect::<Vec<_>>(), [id]);
    }
}
