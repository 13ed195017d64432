//! Turning the digest off and on again, from a link in a mail, without signing in.
//!
//! The token in the link is the member's id and a tag that only this installation can make, so it is
//! checked without asking the store, never expires (mail is read years later), and can do nothing
//! else. It is in every digest; whoever was forwarded one can stop the digests of the member who
//! forwarded it, and the page offers to turn them on again.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    app::App,
    domain::member::{DigestFrequency, Member},
    error::{Result, not_found},
    ids::{Id, Identified},
    store::Batch,
};

/// What the tag of these tokens is for. Another list gets another purpose.
const PURPOSE: &str = "unsubscribe-digest";
/// Bytes of the tag: 128 bits can't be guessed.
const TAG: usize = 16;

/// The address that stops a member's digests.
#[must_use]
pub fn unsubscribe_link(app: &App, member: &Id<Member>) -> String {
    app.config.link(&format!("unsubscribe/{}", token(app, member)))
}

/// The token of a member for the digest.
#[must_use]
pub fn token(app: &App, member: &Id<Member>) -> String {
    let tag = app.keys.tag(PURPOSE, member.as_str());
    let own = member.as_str().trim_start_matches(Member::PREFIX).trim_start_matches('_');
    URL_SAFE_NO_PAD.encode([&tag[..TAG], own.as_bytes()].concat())
}

/// Whose token it is.
///
/// # Errors
/// Not found, whatever is wrong with it.
pub fn bearer(app: &App, token: &str) -> Result<Id<Member>> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, own) = bytes.split_at_checked(TAG)?;
        let member = Id::<Member>::parse(&format!("{}_{}", Member::PREFIX, str::from_utf8(own).ok()?))?;
        app.keys.is_tag(PURPOSE, member.as_str(), tag).then_some(member)
    };
    read().ok_or_else(|| not_found("link"))
}

/// No more digests for the token's bearer. Doing it again changes nothing.
///
/// # Errors
/// Not found, or the store is away.
pub async fn unsubscribe(app: &App, token: &str) -> Result<()> {
    set(app, token, DigestFrequency::Off).await
}

/// Digests again, on the weekday they came before.
///
/// # Errors
/// Not found, or the store is away.
pub async fn resubscribe(app: &App, token: &str) -> Result<()> {
    set(app, token, DigestFrequency::Weekly).await
}

async fn set(app: &App, token: &str, frequency: DigestFrequency) -> Result<()> {
    let id = bearer(app, token)?;
    let member = app.store.one(&id).await?.ok_or_else(|| not_found("link"))?;
    if member.digest.frequency == frequency
        && member.digest_due_at.is_some() == (frequency != DigestFrequency::Off)
    {
        return Ok(());
    }
    let now = app.clock.now();
    let change = |member: &mut Member| -> Result<((), Batch)> {
        let mut preferences = member.digest.clone();
        preferences.frequency = frequency;
        member.choose_digest(preferences, now);
        Ok(((), Batch::new()))
    };
    app.store.change(&id, change).await?.ok_or_else(|| not_found("link"))
}
