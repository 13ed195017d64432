//! What leads to an invitation: the link in its mail, and the cookie of a browser that opened it.

use super::sign_in::{read, tagged};
use crate::{app::App, domain::invitation::Invitation, ids::Id};

const LINK: &str = "invitation-link";
const BROWSER: &str = "invitation-browser";

/// The last part of the link's address.
#[must_use]
pub fn link(app: &App, invitation: &Id<Invitation>) -> String {
    tagged(app, LINK, invitation)
}

/// The invitation that a link is of.
#[must_use]
pub fn read_link(app: &App, token: &str) -> Option<Id<Invitation>> {
    read(app, LINK, token)
}

/// What a browser that opened the link keeps in a cookie.
#[must_use]
pub fn browser(app: &App, invitation: &Id<Invitation>) -> String {
    tagged(app, BROWSER, invitation)
}

/// The invitation that this browser opened.
#[must_use]
pub fn read_browser(app: &App, cookie: &str) -> Option<Id<Invitation>> {
    read(app, BROWSER, cookie)
}
