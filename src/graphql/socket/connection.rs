//! A socket from its first message to its last.

use std::{collections::HashMap, time::Duration};

use async_graphql::parser::types::OperationType;
use chrono::TimeDelta;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use poem::web::websocket::{Message, WebSocketStream};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};

use super::{
    message::{self, Close, Said, Says, Session},
    operation::{Last, Operation, Outbox, may_run},
};
use crate::{
    actions::session,
    app::App,
    clock::Timestamp,
    domain::member::Member,
    error::{Code, Error, Result},
    graphql::{
        Schema,
        call::{self, Call},
    },
    http::Open,
    ids::Id,
    live::Seat,
};

/// Messages that wait to be sent. Operations wait when there is no room.
const OUTBOX: usize = 32;
/// How long the other end has to take the last message and to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) struct Connection {
    app: App,
    schema: Schema,
    /// The access token that the browser sent along.
    cookie: Option<String>,
    /// Who is at the other end, once they have said so.
    client: Option<Client>,
    /// What runs, by the names that the client gave.
    operations: HashMap<String, AbortHandle>,
    running: JoinSet<Result<Last, Close>>,
    /// When the client is asked whether it is still there.
    ping_at: Instant,
    /// When it must have answered; before it has said who it is, when it must have.
    answer_by: Option<Instant>,
    /// When it is looked whether the member may still be here.
    look_at: Instant,
}

struct Client {
    member: Id<Member>,
    token: watch::Sender<String>,
    ends_at: Timestamp,
    _seat: Seat,
}

impl Connection {
    pub fn new(app: App, schema: Schema, cookie: Option<String>) -> Self {
        let settings = &app.config.live;
        let now = Instant::now();
        let answer_by = Some(now + Duration::from_secs(settings.init_seconds));
        let ping_at = now + Duration::from_secs(settings.ping_seconds);
        let look_at = now + Duration::from_secs(settings.look_seconds);
        let (operations, running) = (HashMap::new(), JoinSet::new());
        Self { app, schema, cookie, client: None, operations, running, ping_at, answer_by, look_at }
    }

    /// Serves until either side has enough, or the process stops.
    pub async fn run(mut self, socket: WebSocketStream, open: Open) {
        let (sink, mut stream) = socket.split();
        let (messages, outbox) = mpsc::channel(OUTBOX);
        let (close, closing) = oneshot::channel();
        let mut writer = tokio::spawn(write(sink, outbox, closing));
        let outbox = Outbox { messages, patience: Duration::from_secs(self.app.config.live.answer_seconds) };
        let closed = tokio::select! {
            closed = self.serve(&mut stream, &outbox) => closed,
            () = open.stops() => Some(Close::RESTARTS),
        };
        // Before the outbox goes: without one, the writer would end without a word.
        if let Some(reason) = closed {
            tracing::debug!(code = reason.code, "a socket is closed");
            close.send(reason).ok();
        }
        // Its operations end, and its seats are free.
        drop((self, outbox));
        let goodbye = async {
            (&mut writer).await.ok();
            loop {
                match stream.next().await {
                    Some(Ok(_)) => {}
                    None => return,
                    // After what was too long, nothing more is read. Closing while something is unread cuts
                    // the connection, and the last message with it: the other end has time to take it.
                    Some(Err(_)) => return std::future::pending().await,
                }
            }
        };
        if timeout(GOODBYE, goodbye).await.is_err() {
            writer.abort();
        }
    }

    /// `None` when the other end is gone.
    async fn serve(&mut self, stream: &mut SplitStream<WebSocketStream>, outbox: &Outbox) -> Option<Close> {
        loop {
            let due = self.due();
            let step = tokio::select! {
                frame = stream.next() => match frame {
                    None | Some(Ok(Message::Close(_))) => return None,
                    // What the protocol forbids comes as an error of no particular kind.
                    Some(Err(error)) if error.kind() == std::io::ErrorKind::Other => Err(Close::TOO_LONG),
                    Some(Err(_)) => return None,
                    Some(Ok(frame)) => self.hear(&frame, outbox).await,
                },
                Some(ended) = self.running.join_next_with_id() => self.end(ended, outbox).await,
                () = sleep_until(due) => self.tick(outbox).await,
            };
            if let Err(close) = step {
                return Some(close);
            }
        }
    }

    async fn hear(&mut self, frame: &Message, outbox: &Outbox) -> Result<(), Close> {
        if self.client.is_some() {
            self.answer_by = None;
        }
        if frame.is_ping() || frame.is_pong() {
            return Ok(());
        }
        match Said::read(frame)? {
            Said::ConnectionInit { payload } => {
                let session = self.begin(message::token(payload.as_ref())).await?;
                outbox.send(&Says::ConnectionAck { payload: session }).await
            }
            Said::Ping { payload } => {
                let renewed = match message::token(payload.as_ref()) {
                    Some(token) => Some(self.renew(token).await?),
                    None => None,
                };
                outbox.send(&Says::Pong { payload: renewed }).await
            }
            Said::Pong {} => Ok(()),
            Said::Subscribe { id, payload } => self.subscribe(id, payload, outbox).await,
            Said::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    /// The client says who it is.
    async fn begin(&mut self, token: Option<&str>) -> Result<Session, Close> {
        if self.client.is_some() {
            return Err(Close::INIT_AGAIN);
        }
        let token = token.map(str::to_owned).or_else(|| self.cookie.take()).ok_or(Close::FORBIDDEN)?;
        let (member, ends_at) = who(&self.app, &token).await?;
        let seat = self.app.live().sockets().take(&member).ok_or(Close::TOO_MANY)?;
        let (token, _) = watch::channel(token);
        self.client = Some(Client { member, token, ends_at, _seat: seat });
        self.answer_by = None;
        Ok(Session { expires_at: ends_at })
    }

    /// The same member goes on with another token.
    async fn renew(&mut self, token: &str) -> Result<Session, Close> {
        let client = self.client.as_mut().ok_or(Close::UNAUTHORIZED)?;
        let (member, ends_at) = who(&self.app, token).await?;
        if member != client.member {
            return Err(Close::FORBIDDEN);
        }
        client.token.send_replace(token.to_owned());
        client.ends_at = ends_at;
        Ok(Session { expires_at: ends_at })
    }

    async fn subscribe(&mut self, id: String, call: Call, outbox: &Outbox) -> Result<(), Close> {
        let client = self.client.as_ref().ok_or(Close::UNAUTHORIZED)?;
        if self.operations.contains_key(&id) {
            return Err(Close::taken(&id));
        }
        match self.operation(client, &id, call, outbox).await {
            Ok(operation) => {
                let running = self.running.spawn(operation.run());
                self.operations.insert(id, running);
                Ok(())
            }
            Err(error) => outbox.send(&Says::Error { id: &id, payload: call::errors(&error) }).await,
        }
    }

    async fn operation(&self, client: &Client, id: &str, call: Call, outbox: &Outbox) -> Result<Operation> {
        let call = call.check()?;
        may_run(call.kind)?;
        let live = self.app.live();
        let seat = live.subscriptions().take(&client.member).ok_or_else(|| {
            let most = self.app.config.live.subscriptions;
            let message = format!("You have {most} subscriptions already. End one first.");
            Error::Coded(Code::RateLimited, message)
        })?;
        // Here and not in the operation's own time: whatever happens after the client's next message
        // was answered is heard.
        let listener = match call.kind {
            OperationType::Subscription => Some(live.listen(&self.app.store, &self.app.clock).await?),
            OperationType::Query | OperationType::Mutation => None,
        };
        let (app, schema) = (self.app.clone(), self.schema.clone());
        let (id, token, outbox) = (id.to_owned(), client.token.subscribe(), outbox.clone());
        Ok(Operation { app, schema, id, call, token, listener, outbox, _seat: seat })
    }

    /// An operation has ended by itself, or was ended by the client.
    async fn end(
        &mut self,
        ended: Result<(tokio::task::Id, Result<Last, Close>), JoinError>,
        outbox: &Outbox,
    ) -> Result<(), Close> {
        let (task, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_cancelled() => return Ok(()),
            Err(error) => {
                tracing::error!(%error, "an operation on a socket panicked");
                return Err(Close::FAULT);
            }
        };
        let last = outcome?;
        // None, when the client ended it at the same moment. Its name may be another one's by now.
        let id = self.operations.iter().find(|(_, running)| running.id() == task).map(|(id, _)| id.clone());
        let Some(id) = id else { return Ok(()) };
        self.operations.remove(&id);
        outbox.send(&last.says(&id)).await
    }

    /// When there is next something to do.
    fn due(&self) -> Instant {
        let ends_at = self.client.as_ref().map(|client| {
            let left = client.ends_at.since(self.app.clock.now()).max(TimeDelta::zero());
            Instant::now() + left.to_std().unwrap_or_default()
        });
        let soonest = self.ping_at.min(self.look_at);
        [self.answer_by, ends_at].into_iter().flatten().fold(soonest, Instant::min)
    }

    async fn tick(&mut self, outbox: &Outbox) -> Result<(), Close> {
        let now = Instant::now();
        if self.answer_by.is_some_and(|by| now >= by) {
            return Err(if self.client.is_some() { Close::SILENT } else { Close::INIT_TIMEOUT });
        }
        if self.client.as_ref().is_some_and(|client| self.app.clock.now() >= client.ends_at) {
            return Err(Close::FORBIDDEN);
        }
        if now >= self.look_at {
            self.look_at = now + Duration::from_secs(self.app.config.live.look_seconds);
            self.look().await?;
        }
        if now >= self.ping_at {
            let settings = &self.app.config.live;
            self.ping_at = now + Duration::from_secs(settings.ping_seconds);
            if self.client.is_some() {
                // Where there is no room, the client takes nothing, and will hardly answer.
                outbox.messages.try_send(Message::ping(Vec::new())).ok();
                let by = now + Duration::from_secs(settings.answer_seconds);
                self.answer_by = self.answer_by.or(Some(by));
            }
        }
        Ok(())
    }
}

impl Connection {
    /// Closes the socket of somebody who has signed out or was suspended. Nothing is told without another
    /// look of its own; this is for sockets on which nothing happens.
    async fn look(&self) -> Result<(), Close> {
        let Some(client) = &self.client else { return Ok(()) };
        let token = client.token.borrow().clone();
        match session::authenticate(&self.app, &token).await {
            Err(error) if matches!(error.code(), Code::Unauthenticated | Code::Forbidden) => {
                Err(Close::FORBIDDEN)
            }
            // Where the store can't be asked, nothing can be told from it either: the next look decides.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Whose token it is, and when it ends.
async fn who(app: &App, token: &str) -> Result<(Id<Member>, Timestamp), Close> {
    let known = async {
        let viewer = session::authenticate(app, token).await?;
        Ok::<_, Error>((viewer.id.clone(), session::ends_at(app, token).await?))
    };
    known.await.map_err(|error| match error.code() {
        Code::Unavailable => Close::AWAY,
        _ => Close::FORBIDDEN,
    })
}

/// Sends what waits, until the last message: what waits then is not waited for.
async fn write(
    mut sink: SplitSink<WebSocketStream, Message>,
    mut outbox: mpsc::Receiver<Message>,
    mut closing: oneshot::Receiver<Close>,
) {
    let sending = async {
        while let Some(message) = outbox.recv().await {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    };
    let close = tokio::select! {
        biased;
        close = &mut closing => close.ok(),
        // It may have been said between the looks at the one and at the other.
        () = sending => closing.try_recv().ok(),
    };
    if let Some(close) = close {
        sink.send(close.message()).await.ok();
    }
}
