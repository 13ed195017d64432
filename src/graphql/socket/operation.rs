//! One operation of a client: a query, or a subscription until one of both sides ends it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_graphql::{Response, parser::types::OperationType};
use futures_util::StreamExt;
use poem::web::websocket::Message;
use serde_json::Value as Json;
use tokio::sync::{broadcast::error::RecvError, mpsc, watch};

use super::message::{Close, Says};
use crate::{
    actions::session,
    app::App,
    error::{Code, Error, Result},
    graphql::{
        Schema,
        activity::{Interest, Occasion},
        call::{Checked, errors, in_time},
    },
    live::{Listener, Seat},
};

/// What waits to be sent. There is room for a few messages; whoever takes none for a while is given up.
#[derive(Clone)]
pub(super) struct Outbox {
    pub messages: mpsc::Sender<Message>,
    pub patience: Duration,
}

impl Outbox {
    pub async fn send(&self, says: &Says<'_>) -> Result<(), Close> {
        let text = serde_json::to_string(says).map_err(|_| Close::FAULT)?;
        let sent = self.messages.send_timeout(Message::text(text), self.patience).await;
        sent.map_err(|_| Close::TOO_SLOW)
    }
}

pub(super) struct Operation {
    pub app: App,
    pub schema: Schema,
    pub id: String,
    pub call: Checked,
    /// The client's present token.
    pub token: watch::Receiver<String>,
    /// What happens since the client subscribed. A query has none.
    pub listener: Option<Listener>,
    pub outbox: Outbox,
    /// Kept as long as the operation runs.
    pub _seat: Seat,
}

/// What there is to say at the end of an operation. Said by the connection, which first makes the
/// operation's name free: the client may use it again at once.
pub(super) enum Last {
    Complete,
    /// Errors as GraphQL lists them.
    Error(Json),
}

impl Last {
    pub fn says(self, id: &str) -> Says<'_> {
        match self {
            Self::Complete => Says::Complete { id },
            Self::Error(payload) => Says::Error { id, payload },
        }
    }
}

impl Operation {
    /// Runs to its end.
    ///
    /// # Errors
    /// When the socket has to be closed.
    pub async fn run(mut self) -> Result<Last, Close> {
        let ended = match self.listener.take() {
            None => self.answer().await,
            Some(listener) => self.follow(listener).await,
        };
        ended.unwrap_or_else(|error| Ok(Last::Error(errors(&error))))
    }

    async fn answer(&self) -> Result<Result<Last, Close>> {
        let viewer = session::authenticate(&self.app, &self.token()).await?;
        let _turn = self.app.limits.turn(&viewer.id).await?;
        let allowance = self.call.admit(&self.app, &viewer)?;
        let request = self.call.request(&self.app, viewer, allowance);
        let response = in_time(&self.app, self.schema.execute(request)).await?;
        Ok(self.next(&response).await.map(|()| Last::Complete))
    }

    /// Passes on what the viewer waits for and may see when it happens.
    async fn follow(&self, mut listener: Listener) -> Result<Result<Last, Close>> {
        let interest = match self.begin().await? {
            Ok(interest) => interest,
            Err(refused) => {
                return Ok(Ok(Last::Error(serde_json::to_value(&refused.errors).unwrap_or_default())));
            }
        };
        loop {
            let activity = match listener.recv().await {
                Ok(activity) if interest.may_be(&activity) => activity,
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => return Ok(Err(Close::TOO_SLOW)),
                Err(RecvError::Closed) => return Ok(Err(Close::RESTARTS)),
            };
            match self.execute(Occasion::Happened(activity)).await {
                Ok(None) => {}
                Ok(Some(response)) => {
                    if let Err(close) = self.next(&response).await {
                        return Ok(Err(close));
                    }
                }
                // Signed out, or suspended.
                Err(error) if matches!(error.code(), Code::Unauthenticated | Code::Forbidden) => {
                    return Ok(Err(Close::FORBIDDEN));
                }
                Err(error) if error.code() == Code::Unavailable => return Ok(Err(Close::AWAY)),
                Err(error) => return Err(error),
            }
        }
    }

    /// What the subscription waits for, or why there can't be one.
    async fn begin(&self) -> Result<Result<Interest, Response>> {
        let place = Arc::new(OnceLock::new());
        if let Some(response) = self.execute(Occasion::Begins(Arc::clone(&place))).await? {
            return Ok(Err(response));
        }
        // Fragments are not looked into by the library, and `__typename` is nothing to wait for.
        let nothing = || {
            let message = "Name the field that you subscribe to.".to_owned();
            Error::Coded(Code::BadRequest, message)
        };
        Arc::into_inner(place).and_then(OnceLock::into_inner).map(Ok).ok_or_else(nothing)
    }

    /// Executes the subscription for one occasion, as the viewer is now.
    async fn execute(&self, occasion: Occasion) -> Result<Option<Response>> {
        let viewer = session::authenticate(&self.app, &self.token()).await?;
        let allowance = self.call.admit(&self.app, &viewer)?;
        let request = self.call.request(&self.app, viewer, allowance).data(occasion);
        let mut responses = self.schema.execute_stream(request);
        in_time(&self.app, responses.next()).await
    }

    async fn next(&self, response: &Response) -> Result<(), Close> {
        self.outbox.send(&Says::Next { id: &self.id, payload: response }).await
    }

    fn token(&self) -> String {
        self.token.borrow().clone()
    }
}

/// Whether an operation of this kind may be asked for on a socket.
///
/// # Errors
/// `BAD_REQUEST` for mutations: over HTTP they can be sent again when the answer is lost, and no other
/// site's page can send one.
pub(super) fn may_run(kind: OperationType) -> Result<()> {
    match kind {
        OperationType::Query | OperationType::Subscription => Ok(()),
        OperationType::Mutation => {
            let message = "Mutations are not taken on a socket. POST them to /graphql.".to_owned();
            Err(Error::Coded(Code::BadRequest, message))
        }
    }
}
