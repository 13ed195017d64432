//! What goes with a question to a provider of single sign-on: the state, the nonce, the verifier of PKCE and the
//! cookie of the browser that asked. All are derived from the id of the sign-on.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::sign_in::{read, tagged};
use crate::{app::App, domain::single_sign_on::SignOn, ids::Id, single_sign_on::Question};

const STATE: &str = "single-sign-on-state";
const NONCE: &str = "single-sign-on-nonce";
const VERIFIER: &str = "single-sign-on-verifier";
const BROWSER: &str = "single-sign-on-browser";

/// What the provider is asked with.
#[must_use]
pub fn question(app: &App, id: &Id<SignOn>) -> Question {
    let tag = |purpose| BASE64_URL_SAFE_NO_PAD.encode(app.keys.tag(purpose, id.as_str()));
    Question { state: tagged(app, STATE, id), nonce: tag(NONCE), verifier: tag(VERIFIER) }
}

/// The sign-on that a state is of.
#[must_use]
pub fn read_state(app: &App, state: &str) -> Option<Id<SignOn>> {
    read(app, STATE, state)
}

/// What the browser that asked keeps in a cookie.
#[must_use]
pub fn browser(app: &App, id: &Id<SignOn>) -> String {
    tagged(app, BROWSER, id)
}

/// The sign-on that this browser began.
#[must_use]
pub fn read_browser(app: &App, cookie: &str) -> Option<Id<SignOn>> {
    read(app, BROWSER, cookie)
}
