//! What is said on a socket, and how it ends.

use std::borrow::Cow;

use poem::web::websocket::{CloseCode, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{clock::Timestamp, graphql::call::Call, http::BODY_MAX};

/// The longest name of an operation: room for a UUID and a prefix.
const ID_MAX: usize = 100;

/// What clients say.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    ConnectionInit {
        payload: Option<Json>,
    },
    /// With a token, which takes the place of the one before.
    Ping {
        payload: Option<Json>,
    },
    Pong {},
    Subscribe {
        id: String,
        payload: Call,
    },
    Complete {
        id: String,
    },
}

impl Said {
    /// # Errors
    /// For what is too long or no message of the protocol.
    pub fn read(message: &Message) -> Result<Self, Close> {
        let Message::Text(text) = message else {
            return Err(Close::invalid("Messages are text."));
        };
        if text.len() > BODY_MAX {
            return Err(Close::TOO_LONG);
        }
        let said =
            serde_json::from_str(text).map_err(|_| Close::invalid("This is no message of the protocol."));
        match said? {
            Self::Subscribe { id, .. } if id.is_empty() || id.len() > ID_MAX => {
                Err(Close::invalid("The id of an operation has 1 to 100 bytes."))
            }
            said => Ok(said),
        }
    }
}

/// The access token in the payload of a message: `{"Authorization": "Bearer …"}` or `{"token": "…"}`.
pub(super) fn token(payload: Option<&Json>) -> Option<&str> {
    let payload: &Map<String, Json> = payload?.as_object()?;
    let named = |name: &str| {
        let found = payload.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str())
    };
    let bearer = named("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer.or_else(|| named("token"))
}

/// What the service says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Says<'a> {
    ConnectionAck {
        payload: Session,
    },
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Session>,
    },
    Next {
        id: &'a str,
        payload: &'a async_graphql::Response,
    },
    Error {
        id: &'a str,
        payload: Json,
    },
    Complete {
        id: &'a str,
    },
}

/// Until when a client may stay with the token that it has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    pub expires_at: Timestamp,
}

/// How a socket ends: a code of the protocol (44…), or of WebSockets (RFC 6455, and IANA's registry).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub code: u16,
    reason: Cow<'static, str>,
}

impl Close {
    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }
    /// The process stops; another one, or the next, takes over.
    pub const RESTARTS: Self = Self::new(1012, "The service restarts. Connect again.");
    pub const TOO_LONG: Self = Self::new(1009, "A message is longer than 64 kB, or malformed.");
    pub const FAULT: Self = Self::new(1011, "The service failed.");
    /// Something that happened could not be told.
    pub const AWAY: Self = Self::new(1013, "The service can't reach its store. Connect again later.");
    pub const TOO_SLOW: Self =
        Self::new(1013, "More happens than this client takes. Connect again and read the lists anew.");
    pub const SILENT: Self = Self::new(1001, "No answer to a ping.");
    pub const UNAUTHORIZED: Self = Self::new(4401, "Unauthorized");
    /// Clients may connect again with another token.
    pub const FORBIDDEN: Self = Self::new(4403, "Forbidden: the access token is not good (any more).");
    pub const INIT_TIMEOUT: Self = Self::new(4408, "Connection initialisation timeout");
    pub const INIT_AGAIN: Self = Self::new(4429, "Too many initialisation requests");
    pub const TOO_MANY: Self = Self::new(4429, "You have too many sockets open. Close one first.");

    pub const fn invalid(reason: &'static str) -> Self {
        Self::new(4400, reason)
    }
    /// The protocol wants the id repeated. It is short, see [`ID_MAX`].
    pub fn taken(id: &str) -> Self {
        Self { code: 4409, reason: format!("Subscriber for {id} already exists").into() }
    }

    pub fn message(&self) -> Message {
        // What a reason may hold, in bytes (RFC 6455, 5.5). Only an id that is not ASCII gets there.
        let mut end = self.reason.len().min(123);
        while !self.reason.is_char_boundary(end) {
            end -= 1;
        }
        Message::close_with(CloseCode::from(self.code), &self.reason[..end])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_are_found_where_clients_put_them() {
        for (payload, found) in [
            (json!({ "Authorization": "Bearer abc" }), Some("abc")),
            (json!({ "authorization": "bearer  abc " }), Some("abc")),
            (json!({ "token": "abc" }), Some("abc")),
            (json!({ "Authorization": "Basic abc" }), None),
            (json!({ "Authorization": ["Bearer abc"] }), None),
            (json!("abc"), None),
            (json!(null), None),
        ] {
            assert_eq!(token(Some(&payload)), found, "{payload}");
        }
    }

    #[test]
    fn only_messages_of_the_protocol_are_read() {
        let read = |text: &str| Said::read(&Message::text(text));
        for text in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"pong","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":null,"extensions":{}}}"#,
        ] {
            assert!(read(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "[]",
            r#"{"type":"start","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"complete"}"#,
        ] {
            assert_eq!(read(text).err().map(|close| close.code), Some(4400), "{text}");
        }
        assert!(Said::read(&Message::binary(b"{\"type\":\"ping\"}")).is_err());
    }

    #[test]
    fn reasons_fit_into_a_close_frame() {
        let Message::Close(Some((code, reason))) = Close::taken(&"é".repeat(50)).message() else { panic!() };
        assert_eq!(u16::from(code), 4409);
        assert!((120..=123).contains(&reason.len()), "{reason}");
    }
}
