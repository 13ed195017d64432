//! The life of a member from the first e-mail to the last byte, as one story, told by a real process: so the
//! log that is looked through is the one that an operator has.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, TryStreamExt};
use hope_exchange::clock::Clock;
use mongodb::bson::RawDocumentBuf;
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    app::{On, client, drop_database, mongodb, random},
    attachments::photos,
    auth::second_factor::code,
    process::{emls, free_address, hope, terminate, until},
};

const ZOE: &str = "zephyrine.quillfeather@picker.org";
/// What a suspension has to reach within.
const EVERYWHERE_WITHIN: Duration = Duration::from_secs(60);

/// A service with its own folder, and what it has said.
struct Service {
    folder: tempfile::TempDir,
    settings: Vec<(&'static str, String)>,
    store: String,
    address: String,
    process: Child,
    http: reqwest::Client,
}

impl Service {
    async fn start(store: String, folder: tempfile::TempDir) -> Self {
        let (address, data) = (free_address(), folder.path().join("data"));
        let settings = vec![
            ("HOPE_STORE", store.clone()),
            ("HOPE_DATA", data.display().to_string()),
            ("HOPE_MAIL", format!("dir://{}", folder.path().join("mail").display())),
            ("HOPE_PUBLIC_URL", format!("http://{address}")),
            ("HOPE_LISTEN", address.clone()),
            ("HOPE_LOG", "debug,hope_exchange=trace,poem=trace".to_owned()),
        ];
        let log = File::create(folder.path().join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_hope"))
            .arg("serve")
            .env_clear()
            .envs(settings.clone())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let service = Self { folder, settings, store, address, process, http: client() };
        let ready = service.url("/health/ready");
        until("it is ready", async || {
            service.http.get(&ready).send().await.is_ok_and(|ready| ready.status() == 200)
        })
        .await;
        service
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn post(&self, path: &str, body: Json) -> (u16, Json) {
        let response = self.http.post(self.url(path)).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or(Json::Null))
    }

    async fn ask(&self, token: &str, query: &str, variables: Json) -> Json {
        let body = json!({ "query": query, "variables": variables });
        let request = self.http.post(self.url("/graphql")).bearer_auth(token).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What a mutation answers that is taken.
    async fn does(&self, token: &str, name: &str, input: Json, fields: &str) -> Json {
        let upper = name[..1].to_uppercase() + &name[1..];
        let query = format!(
            "mutation($input: {upper}Input!) {{ {name}(input: $input) {{ {fields} userErrors {{ field code message }} }} }}"
        );
        let answer = self.ask(token, &query, json!({ "input": input })).await;
        let payload = &answer["data"][name];
        assert_eq!(payload["userErrors"], json!([]), "{name}: {answer}");
        payload.clone()
    }

    /// The code that the token is refused with.
    async fn refusal(&self, token: &str) -> Json {
        self.ask(token, "{ viewer { name } }", json!({})).await["errors"][0]["extensions"]["code"].clone()
    }

    /// Mails to an address with these words, once there are so many.
    async fn mails(&self, to: &str, words: &str, count: usize) -> Vec<String> {
        let folder = self.folder.path().join("mail");
        let theirs = || {
            let mut mails = emls(&folder);
            mails.retain(|mail| mail.contains(to) && mail.contains(words));
            mails
        };
        until(&format!("{count} mails say {words}"), async || theirs().len() >= count).await;
        theirs()
    }

    /// Comes with the code from the mail, the `nth` one; what that answers.
    async fn comes(&self, email: &str, nth: usize) -> (u16, Json) {
        assert_eq!(self.post("/api/v1/auth/sign-in", json!({ "email": email })).await.0, 202);
        let mail = self.mails(email, "Your code to sign in", nth).await.pop().unwrap();
        let is_code =
            |line: &&str| hope_exchange::tokens::sign_in::tidy(line).as_deref() == Some(line.trim());
        let code = mail.lines().find(is_code).unwrap_or_else(|| panic!("a code: {mail}")).trim();
        self.post("/api/v1/auth/verify", json!({ "email": email, "code": code })).await
    }

    async fn accepts_the_rules(&self, token: &str) {
        let rules = self.ask(token, "{ rules { version } }", json!({})).await;
        let version = &rules["data"]["rules"]["version"];
        self.does(token, "acceptRules", json!({ "version": version }), "state").await;
    }

    /// Registers an authenticator app: the session's new token, the app's secret and the recovery codes.
    async fn adds_factor(&self, token: &str, name: &str) -> (String, String, Vec<String>) {
        let started = self.does(token, "startTotp", json!({}), "challengeId secret").await;
        let secret = text(&started["secret"]).replace(' ', "");
        let now = Clock::System { offset: chrono::TimeDelta::zero() }.now();
        let input =
            json!({ "challengeId": started["challengeId"], "code": code(&secret, now, 0), "name": name });
        let added = self.does(token, "addTotp", input, "accessToken recoveryCodes").await;
        let codes = added["recoveryCodes"].as_array().unwrap().iter().map(text).collect();
        (text(&added["accessToken"]), secret, codes)
    }

    /// Somebody with a role, who has shown that it is them.
    async fn with_role(&self, email: &str, role: &str) -> String {
        let (status, tokens) = self.comes(email, 1).await;
        assert_eq!(status, 200, "{tokens}");
        let token = text(&tokens["accessToken"]);
        self.accepts_the_rules(&token).await;
        let granted = hope(&["member", "grant", email, role], &self.settings).wait().await.unwrap();
        assert!(granted.success(), "{role}");
        self.adds_factor(&token, "An app").await.0
    }

    async fn uploads(&self, token: &str, method: Method, path: &str, name: &str, bytes: &[u8]) -> Json {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, b"\r\n--x--\r\n"].concat();
        let request = self.http.request(method, self.url(path)).bearer_auth(token);
        let request = request.header("content-type", "multipart/form-data; boundary=x").body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 201);
        response.json().await.unwrap()
    }

    async fn gets(&self, token: &str, path: &str) -> (u16, Vec<u8>) {
        let response = self.http.get(self.url(path)).bearer_auth(token).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    /// A socket that hears of what happens in a thread.
    async fn listens(&self, token: &str, thread: &str) -> WebSocketStream<TcpStream> {
        let mut request = format!("ws://{}/graphql/ws", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let mut socket = client_async(request, stream).await.unwrap().0;
        let payload = json!({ "query": "subscription($id: ID!) { threadActivity(threadId: $id) { kind } }", "variables": { "id": thread } });
        for message in [
            json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } }),
            json!({ "type": "subscribe", "id": "1", "payload": payload }),
        ] {
            socket.send(Message::text(message.to_string())).await.unwrap();
        }
        let first = socket.next().await.unwrap().unwrap();
        assert!(first.to_string().contains("connection_ack"), "{first}");
        socket
    }

    /// Ends the process, and returns all bytes that it leaves: the store, files, and the log. What is in
    /// people's mailboxes is theirs.
    async fn leaves(mut self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        assert!(terminate(&mut self.process).await.success());
        files_in(&self.data(), &mut found);
        found.push(("the log".to_owned(), std::fs::read(self.folder.path().join("log")).unwrap()));
        if self.store.starts_with("mongodb") {
            let database =
                mongodb::Client::with_uri_str(&self.store).await.unwrap().default_database().unwrap();
            for name in database.list_collection_names().await.unwrap() {
                let collection = database.collection::<RawDocumentBuf>(&name);
                let documents = collection.find(Default::default());
                let documents: Vec<RawDocumentBuf> = documents.await.unwrap().try_collect().await.unwrap();
                let bytes = documents.iter().flat_map(|one| one.as_bytes().to_vec()).collect();
                found.push((name, bytes));
            }
            drop_database(&self.store).await;
        }
        found
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

fn files_in(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_in(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// Where something of it is.
fn places(everything: &[(String, Vec<u8>)], part: &[u8]) -> Vec<String> {
    everything.iter().filter(|(_, bytes)| has(bytes, part)).map(|(place, _)| place.clone()).collect()
}

fn unzipped(bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut read = |name: String| {
        let mut bytes = Vec::new();
        zip.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    names.into_iter().map(&mut read).collect()
}

/// Waits until something holds, which has to be within what a suspension may take.
async fn soon(what: &str, holds: impl AsyncFn() -> bool) {
    tokio::time::timeout(EVERYWHERE_WITHIN, until(what, holds))
        .await
        .unwrap_or_else(|_| panic!("not {what}"));
}

async fn the_life_of_a_member(on: On) {
    let folder = tempfile::tempdir().unwrap();
    let store = match on {
        On::Sqlite => format!("sqlite://{}", folder.path().join("data/hope.db").display()),
        On::Mongo => {
            let Some(server) = mongodb() else { return };
            server.replacen("/?", &format!("/hope_{:032x}?", u128::from_be_bytes(random())), 1)
        }
    };
    let service = Service::start(store, folder).await;
    let mary = service.with_role("mary.ward@nhs.net", "moderator").await;
    let edith = service.with_role("edith.cave@nhs.net", "administrator").await;

    // Zoe asks to join, waits, and is let in.
    let (status, tokens) = service.comes(ZOE, 1).await;
    assert_eq!(status, 200, "{tokens}");
    let zoe = text(&tokens["accessToken"]);
    let me = service.ask(&zoe, "{ viewer { id state } }", json!({})).await["data"]["viewer"].clone();
    assert_eq!(me["state"], "AWAITING_APPROVAL");
    service.accepts_the_rules(&zoe).await;
    let topics = "{ topics { id } }";
    assert_eq!(service.ask(&zoe, topics, json!({})).await["errors"][0]["extensions"]["code"], "FORBIDDEN");
    service.does(&mary, "approveMember", json!({ "memberId": me["id"] }), "").await;
    assert!(service.ask(&zoe, topics, json!({})).await["data"]["topics"].is_array());

    // They say who they are, with a photo.
    let profile = json!({ "expectedVersion": 1, "name": "Zephyrine Quillfeather", "jobTitle": "Head of Quiddity", "pronouns": "zhe/zher", "phone": "0161 496 0123" });
    service.does(&zoe, "updateProfile", profile, "").await;
    let photo =
        service.uploads(&zoe, Method::PUT, "/api/v1/me/photo", "Zephyrine.png", &photos::photo()).await;
    let photo_path = format!("/api/v1/attachments/{}", text(&photo["id"]));
    let (status, photo_bytes) = service.gets(&mary, &photo_path).await;
    assert_eq!(status, 200);

    // A second factor, which they are asked for when they come again.
    let (zoe, totp, recovery) = service.adds_factor(&zoe, "Quiddity phone").await;
    let shows = async |nth: usize| {
        let (status, needed) = service.comes(ZOE, nth).await;
        assert_eq!(status, 202, "{needed}");
        let shown = json!({ "challenge": needed["challenge"], "code": recovery[nth] });
        let (status, tokens) = service.post("/api/v1/auth/second-factor", shown).await;
        assert_eq!(status, 200, "{tokens}");
        text(&tokens["accessToken"])
    };
    let at_home = shows(2).await;

    // A program of theirs.
    let end = Clock::System { offset: chrono::TimeDelta::days(60) }.now().to_string();
    let input =
        json!({ "name": "Sync of Quillfeather", "scopes": ["POSTS_READ", "ACCOUNT_READ"], "expiresAt": end });
    let program = text(&service.does(&at_home, "createAccessToken", input, "secret").await["secret"]);
    assert!(service.ask(&program, "{ posts { totalCount } }", json!({})).await["data"]["posts"].is_object());

    // What they contribute, and what others say of them.
    let file = service
        .uploads(&zoe, Method::POST, "/api/v1/attachments", "ward-map.pdf", crate::attachments::PDF)
        .await;
    let input = json!({ "kind": "QUESTION", "title": "Soft-close bins?", "body": "Do they help?", "topicIds": ["top_volunteering"], "attachmentIds": [file["id"]], "publish": true });
    let post = text(&service.does(&zoe, "createPost", input, "post { id }").await["post"]["id"]);
    let input = json!({ "title": "Quiet nights on the wards", "summary": "Noise kept people awake. Now it is quiet.", "contact": { "memberId": me["id"] } });
    service.does(&zoe, "createCaseStudy", input, "").await;
    let thread = post.replacen("pst", "thr", 1);
    let input = json!({ "threadId": thread, "body": "We close them at nine." });
    let said = text(&service.does(&zoe, "addComment", input, "comment { id }").await["comment"]["id"]);
    let input =
        json!({ "threadId": thread, "parentId": said, "body": format!("Good, @[x]({}).", text(&me["id"])) });
    let answer = text(&service.does(&mary, "addComment", input, "comment { id }").await["comment"]["id"]);

    // Suspended: everywhere, within a minute.
    let mut socket = service.listens(&zoe, &thread).await;
    let input = json!({ "memberId": me["id"], "reason": "Zephyrine Quillfeather was curt." });
    service.does(&mary, "suspendMember", input, "").await;
    for token in [&zoe, &at_home, &program] {
        soon("the token is refused", async || service.refusal(token).await.is_string()).await;
    }
    let closed = async {
        while let Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) = socket.next().await {}
    };
    tokio::time::timeout(EVERYWHERE_WITHIN, closed).await.expect("the socket is closed");

    // Reinstated: all is as it was.
    let input = json!({ "memberId": me["id"], "reason": "They said sorry." });
    service.does(&mary, "reinstateMember", input, "").await;
    let zoe = shows(3).await;
    assert!(service.ask(&program, "{ posts { totalCount } }", json!({})).await["data"]["posts"].is_object());

    // Everything that is theirs, asked for, mailed, and complete.
    service.does(&zoe, "requestDataExport", json!({}), "").await;
    let mail = service.mails(ZOE, "Your data from", 1).await.pop().unwrap();
    assert!(mail.contains("/data-exports/"), "{mail}");
    let (status, zip) = service.gets(&zoe, "/api/v1/me/export").await;
    assert_eq!(status, 200);
    let export = unzipped(zip);
    for part in [
        "Zephyrine Quillfeather",
        "Head of Quiddity",
        "zhe/zher",
        "0161 496 0123",
        ZOE,
        "Sync of Quillfeather",
        "Soft-close bins?",
        "Quiet nights on the wards",
        "We close them at nine.",
        "Quiddity phone",
        "was curt",
    ] {
        assert_ne!(places(&export, part.as_bytes()), [] as [&str; 0], "{part} is not in the export");
    }
    let is_in = |bytes: &[u8]| export.iter().any(|(_, other)| other == bytes);
    assert!(is_in(&photo_bytes) && is_in(crate::attachments::PDF), "the files themselves");

    // Erased.
    let input = json!({ "memberId": me["id"], "reason": "They asked us to." });
    service.does(&edith, "eraseMember", input, "").await;
    let erasures = "{ erasures { nodes { finishedAt } } }";
    until("it is done", async || {
        service.ask(&edith, erasures, json!({})).await["data"]["erasures"]["nodes"][0]["finishedAt"]
            .is_string()
    })
    .await;
    for token in [&zoe, &program] {
        assert_eq!(service.refusal(token).await, "UNAUTHENTICATED");
    }
    assert_eq!(service.gets(&mary, &photo_path).await.0, 404);
    let show = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Post { title author { name photo { id } } } ... on Comment { author { name } body { text } } } }";
    let left = service.ask(&mary, show, json!({ "ids": [post, said, answer] })).await;
    let former = json!({ "name": "A former member", "photo": null });
    assert_eq!(left["data"]["nodes"][0], json!({ "title": "Soft-close bins?", "author": former }), "{left}");
    assert_eq!(
        left["data"]["nodes"][1],
        json!({ "author": { "name": "A former member" }, "body": { "text": "We close them at nine." } })
    );
    assert_eq!(left["data"]["nodes"][2]["body"]["text"], "Good, a former member.");
    let log = "{ auditLog { nodes { action reason } } }";
    let log = service.ask(&mary, log, json!({})).await.to_string();
    assert!(log.contains("a former member was curt.") && log.contains("ERASE_MEMBER"), "{log}");

    // No blob outlives it: of four files the one is left that a post still has.
    let blobs = service.data().join("attachments");
    let names = || {
        std::fs::read_dir(&blobs)
            .unwrap()
            .map(|one| one.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    until("the blobs are gone", async || names() == [text(&file["id"])]).await;

    let everything = service.leaves().await;
    assert_ne!(places(&everything, b"a former member"), [] as [&str; 0], "the search finds what is there");
    let middle = &photo_bytes[photo_bytes.len() / 2..][..32];
    let mut traces: Vec<(&str, &[u8])> =
        vec![("the photo", middle), ("the photo's id", photo["id"].as_str().unwrap().as_bytes())];
    traces.extend(
        [
            "zephyrine",
            "quillfeather",
            "picker.org",
            "head of quiddity",
            "zhe/zher",
            "0161 496 0123",
            "quiddity phone",
        ]
        .map(|part| (part, part.as_bytes())),
    );
    traces.extend([
        ("a token", program.as_bytes()),
        ("a session", zoe.as_bytes()),
        ("an app's secret", totp.as_bytes()),
    ]);
    traces.extend(recovery.iter().map(|code| ("a recovery code", code.as_bytes())));
    let found: Vec<(&str, Vec<String>)> = traces
        .into_iter()
        .map(|(what, part)| (what, places(&everything, part)))
        .filter(|(_, places)| !places.is_empty())
        .collect();
    assert_eq!(found, [], "something is left of them");
}

#[tokio::test]
async fn the_life_of_a_member_on_sqlite() {
    the_life_of_a_member(On::Sqlite).await;
}

#[tokio::test]
async fn the_life_of_a_member_on_mongodb() {
    the_life_of_a_member(On::Mongo).await;
}
