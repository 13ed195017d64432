//! What a request to sign in is answered with: a code to type anywhere, a link, and the cookie of
//! the browser that asked, in which alone the link works.
//!
//! All three are derived from the request's id. So the job that sends the mail carries only that id,
//! and a job that runs twice sends the very same mail.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    app::App,
    domain::sign_in::SignIn,
    ids::{Id, Identified},
};

/// Characters of a code: none that looks like another (0 O, 1 I L), and no vowel, so that no code is
/// a word. 27^8 is about 280 thousand million.
const ALPHABET: &[u8; 27] = b"BCDFGHJKMNPQRSTVWXZ23456789";
pub const CODE_LENGTH: usize = 8;
/// 144 bits of the MAC, so that the link stays short in a mail's text.
const LINK_BYTES: usize = 18;

const CODE: &str = "sign-in-code";
const LINK: &str = "sign-in-link";
const BROWSER: &str = "sign-in-browser";

/// The code that is sent.
#[must_use]
pub fn code(app: &App, sign_in: &Id<SignIn>) -> String {
    let tag = app.keys.tag(CODE, sign_in.as_str());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&tag[..16]);
    spelled(u128::from_be_bytes(bytes), CODE_LENGTH)
}

/// So many random characters that nobody mistakes for others: at most 20, which leaves none likelier than
/// others by more than one in 10^9.
#[must_use]
pub fn random_characters(app: &App, length: usize) -> String {
    spelled(u128::from_be_bytes(app.ids.bytes()), length)
}

fn spelled(mut number: u128, length: usize) -> String {
    let base = ALPHABET.len() as u128;
    let mut code = String::with_capacity(length);
    for _ in 0..length {
        let index = usize::try_from(number % base).unwrap_or_default();
        code.push(char::from(ALPHABET[index]));
        number /= base;
    }
    code
}

/// A code as somebody typed or pasted it, without spaces and hyphens and in capitals. `None` when
/// it can't be one of ours.
#[must_use]
pub fn tidy(typed: &str) -> Option<String> {
    let tidied = tidied(typed);
    let ours = |c: char| u8::try_from(c).is_ok_and(|byte| ALPHABET.contains(&byte));
    (tidied.len() == CODE_LENGTH && tidied.chars().all(ours)).then_some(tidied)
}

fn tidied(typed: &str) -> String {
    let kept = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'));
    kept.take(CODE_LENGTH + 1).collect::<String>().to_ascii_uppercase()
}

/// Whether this is the request's code, in constant time.
#[must_use]
pub fn is_code(app: &App, sign_in: &Id<SignIn>, typed: &str) -> bool {
    let (expected, typed) = (code(app, sign_in), tidied(typed));
    aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), typed.as_bytes()).is_ok()
}

/// The last part of the link's address.
#[must_use]
pub fn link(app: &App, sign_in: &Id<SignIn>) -> String {
    tagged(app, LINK, sign_in)
}

/// The request that a link is of.
#[must_use]
pub fn read_link(app: &App, token: &str) -> Option<Id<SignIn>> {
    read(app, LINK, token)
}

/// What the browser that asked keeps in a cookie.
#[must_use]
pub fn browser(app: &App, sign_in: &Id<SignIn>) -> String {
    tagged(app, BROWSER, sign_in)
}

/// The request that this browser made.
#[must_use]
pub fn read_browser(app: &App, cookie: &str) -> Option<Id<SignIn>> {
    read(app, BROWSER, cookie)
}

pub(super) fn tagged<T: Identified>(app: &App, purpose: &str, id: &Id<T>) -> String {
    let tag = app.keys.tag(purpose, id.as_str());
    format!("{id}.{}", BASE64_URL_SAFE_NO_PAD.encode(&tag[..LINK_BYTES]))
}

pub(super) fn read<T: Identified>(app: &App, purpose: &str, token: &str) -> Option<Id<T>> {
    let (id, tag) = token.split_once('.')?;
    let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok().filter(|tag| tag.len() == LINK_BYTES)?;
    Id::parse(id).filter(|_| app.keys.is_tag(purpose, id, &tag))
}
