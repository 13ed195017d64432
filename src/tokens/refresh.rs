//! Refresh tokens: `hrt_<session>_<generation>_<mac>`, opaque to whoever holds one. The start is a
//! fixed prefix, so that scanners of leaked secrets find them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{app::App, domain::session::Session, ids::Id};

const PREFIX: &str = "hrt_";
const PURPOSE: &str = "refresh";
/// A MAC of 32 bytes in base64 without padding.
const MAC_CHARACTERS: usize = 43;

/// The token of a session's present generation.
#[must_use]
pub fn issue(app: &App, session: &Session) -> String {
    let subject = format!("{}_{}", session.id, session.generation);
    let mac = BASE64_URL_SAFE_NO_PAD.encode(app.keys.tag(PURPOSE, &subject));
    format!("{PREFIX}{subject}_{mac}")
}

/// The session and the generation of a token that this installation gave out.
#[must_use]
pub fn read(app: &App, token: &str) -> Option<(Id<Session>, i64)> {
    let rest = token.strip_prefix(PREFIX)?;
    // The MAC may hold an underscore itself.
    let (subject, mac) = rest.split_at_checked(rest.len().checked_sub(MAC_CHARACTERS)?)?;
    let subject = subject.strip_suffix('_')?;
    let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).ok()?;
    if !app.keys.is_tag(PURPOSE, subject, &mac) {
        return None;
    }
    let (session, generation) = subject.rsplit_once('_')?;
    Some((Id::parse(session)?, generation.parse().ok()?))
}
