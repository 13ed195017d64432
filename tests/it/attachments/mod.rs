//! Attachments: what is taken, who gets it, and what becomes of what nobody uses.

mod files;
mod limits;
pub mod photos;
mod pictures;
mod store;
mod uses;

use hope_exchange::{
    domain::attachment::Attachment,
    ids::Id,
    query::{Filter, Order, Page},
};
use reqwest::{Response, header::HeaderMap};
use serde_json::{Value as Json, json};

use crate::app::{Person, TestApp};

pub const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n";
const BOUNDARY: &str = "----hope-test";

/// The body of a form with one file, and `more` parts after it.
fn form(name: &str, bytes: &[u8], more: &str) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/html\r\n\r\n"
    );
    [head.as_bytes(), bytes, format!("\r\n{more}--{BOUNDARY}--\r\n").as_bytes()].concat()
}

fn acknowledging(said: &str) -> String {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"acknowledgePersonalData\"\r\n\r\n{said}\r\n"
    )
}

async fn send(app: &TestApp, token: &str, body: impl Into<reqwest::Body>) -> (u16, Json) {
    let request = app.http.post(format!("{}/api/v1/attachments", app.url)).bearer_auth(token);
    let request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    answered(request.body(body).send().await.unwrap()).await
}

async fn answered(response: Response) -> (u16, Json) {
    let status = response.status().as_u16();
    if status >= 400 {
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    (status, response.json().await.unwrap())
}

async fn try_upload(app: &TestApp, by: &Person, name: &str, bytes: &[u8]) -> (u16, Json) {
    send(app, &by.token, form(name, bytes, "")).await
}

/// What the upload of a file that is taken answers.
pub async fn upload(app: &TestApp, by: &Person, name: &str, bytes: &[u8]) -> Json {
    let (status, kept) = try_upload(app, by, name, bytes).await;
    assert_eq!(status, 201, "{kept}");
    kept
}

/// The id of a new file that nothing uses yet.
async fn file(app: &TestApp, by: &Person) -> String {
    upload(app, by, "notes.pdf", PDF).await["id"].as_str().unwrap().to_owned()
}

struct Got {
    status: u16,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

async fn get(app: &TestApp, by: &Person, id: &str) -> Got {
    let request = app.http.get(format!("{}/api/v1/attachments/{id}", app.url)).bearer_auth(&by.token);
    got(request.send().await.unwrap()).await
}

async fn got(response: Response) -> Got {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Got { status, headers, bytes: response.bytes().await.unwrap().to_vec() }
}

/// Whether a member gets it, and finds it by its id, which is never one without the other.
async fn sees(app: &TestApp, person: &Person, id: &str) -> bool {
    let status = get(app, person, id).await.status;
    let found =
        app.graphql(&person.token, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    let is_found = found["data"]["node"]["id"] == id;
    assert_eq!(status, if is_found { 200 } else { 404 }, "{found}");
    is_found
}

/// A post with these files.
async fn post_with(app: &TestApp, author: &Person, files: &[&str], publish: bool) -> String {
    let input = json!({ "kind": "IDEA", "title": "With files", "body": "Look.", "topicIds": ["top_volunteering"],
        "publish": publish, "attachmentIds": files });
    app.create_post(author, input).await
}

/// Every attachment that is stored.
async fn stored(app: &TestApp) -> Vec<Attachment> {
    app.app.store.find(Filter::all(), Order::by_id(), Page::first(200)).await.unwrap()
}

async fn document(app: &TestApp, id: &str) -> Option<Attachment> {
    app.app.store.one(&Id::parse(id).unwrap()).await.unwrap()
}

/// The files of the folder, whole ones and parts.
fn blobs(app: &TestApp) -> Vec<String> {
    let entries = std::fs::read_dir(app.folder.path().join("attachments")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
