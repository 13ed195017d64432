//! Live updates: subscriptions over a real WebSocket, on both stores.

mod access_tokens;
mod limits;
mod protocol;
mod told;

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{SinkExt, StreamExt};
use hope_exchange::config::Config;
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use crate::{
    app::{Person, TestApp},
    process::until,
};

const THREAD: &str = "subscription($id: ID!) { threadActivity(threadId: $id) {
    kind thread { id commentCount subject { title } } comment { id body { text } deleted accepted author { name } } } }";
const PUBLISHED: &str =
    "subscription($filter: PublishedFilterInput! = {}) { contributionPublished(filter: $filter) {
    __typename title state author { name } viewerCanEdit } }";

/// What came from the service.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Said(Json),
    Closed(u16, String),
    /// Without a word; why.
    Gone(String),
}

impl Heard {
    /// The code that the socket was closed with.
    pub fn code(&self) -> u16 {
        match self {
            Self::Closed(code, _) => *code,
            heard => panic!("it is not closed: {heard:?}"),
        }
    }
}

pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a socket with these headers, or says with which status it was refused.
    async fn open(app: &TestApp, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let address = app.url.trim_start_matches("http://").to_owned();
        Self::open_on(TcpStream::connect(&address).await.unwrap(), &address, headers).await
    }

    async fn open_on(
        stream: TcpStream,
        address: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A socket on which nobody has said yet who they are.
    pub async fn fresh(app: &TestApp) -> Self {
        Self::open(app, &[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    /// A member's socket.
    pub async fn of(app: &TestApp, person: &Person) -> Self {
        let mut socket = Self::fresh(app).await;
        assert_eq!(socket.init(&person.token).await["type"], "connection_ack");
        socket
    }

    pub async fn init(&mut self, token: &str) -> Json {
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
        self.said().await
    }

    pub async fn say(&mut self, message: Json) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    pub async fn hear(&mut self) -> Heard {
        loop {
            let heard = tokio::time::timeout(Duration::from_secs(20), self.0.next());
            return match heard.await.expect("something comes within 20 seconds") {
                Some(Ok(Message::Text(text))) => Heard::Said(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    Heard::Closed(frame.code.into(), frame.reason.to_string())
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(error)) => Heard::Gone(error.to_string()),
                None => Heard::Gone("nothing more comes".to_owned()),
            };
        }
    }

    pub async fn said(&mut self) -> Json {
        match self.hear().await {
            Heard::Said(said) => said,
            heard => panic!("{heard:?}"),
        }
    }

    /// Asks for an operation. What happens after this is heard by it.
    async fn subscribe(&mut self, id: &str, query: &str, variables: Json) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
        self.say(json!({ "type": "ping" })).await;
        assert_eq!(self.said().await, json!({ "type": "pong" }));
    }

    /// Asks for an operation and returns what comes of it first.
    async fn ask(&mut self, id: &str, query: &str, variables: Json) -> Json {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
        self.said().await
    }

    /// The field of the next result of an operation.
    async fn next(&mut self, id: &str) -> Json {
        let said = self.said().await;
        assert_eq!((&said["type"], &said["id"]), (&json!("next"), &json!(id)), "{said}");
        assert_eq!(said["payload"]["errors"], Json::Null, "{said}");
        let data = said["payload"]["data"].as_object().unwrap();
        data.values().next().unwrap().clone()
    }
}

/// Waits until the service has forgotten everybody who looked on.
async fn nobody_looks_on(app: &TestApp) {
    let live = app.app.live();
    until("nobody looks on", async || {
        live.listeners() == 0 && live.sockets().taken() == 0 && live.subscriptions().taken() == 0
    })
    .await;
}

/// Another process on the same store, with settings of its own.
async fn beside(app: &TestApp, configure: impl FnOnce(&mut Config), test: impl AsyncFnOnce(&TestApp)) {
    let folder = tempfile::tempdir().unwrap();
    let outcome = TestApp::run_at(app.app.config.store.expose(), folder, configure, test).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// A question of this member, published, and its thread.
async fn question(app: &TestApp, person: &Person) -> (String, String) {
    let id = app.create_post(person, post("QUESTION", "Do soft-close bins help?", "top_volunteering")).await;
    let thread = id.replacen("pst", "thr", 1);
    (id, thread)
}

fn post(kind: &str, title: &str, topic: &str) -> Json {
    json!({ "kind": kind, "title": title, "body": "At night.", "topicIds": [topic], "publish": true })
}

/// Does something a moment later, so that it is told in this order, and returns what came of it.
async fn act(app: &TestApp, person: &Person, mutation: &str, input: Json) -> Json {
    app.advance(TimeDelta::milliseconds(2));
    let name = mutation.split([' ', '{']).next().unwrap();
    let type_name = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let mutation = mutation.replacen(name, &format!("{name}(input: $input)"), 1);
    let query = format!("mutation($input: {type_name}!) {{ {mutation} }}");
    let answer = app.graphql(&person.token, &query, json!({ "input": input })).await;
    let payload = answer["data"][name].clone();
    assert_eq!(payload["userErrors"], json!([]), "{answer}");
    payload
}

async fn comment(app: &TestApp, person: &Person, thread: &str, body: &str) -> String {
    let input = json!({ "threadId": thread, "body": body });
    let added = act(app, person, "addComment { comment { id } userErrors { code } }", input).await;
    added["comment"]["id"].as_str().unwrap().to_owned()
}
