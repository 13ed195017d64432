//! Turning e-mails off and on again, from a link in one of them, without signing in: the digest, or
//! notifications of one kind.
//!
//! The token in the link is the member's id and a tag that only this installation can make, so it is
//! checked without asking the store, never expires (mail is read years later), and can do nothing
//! else. Whoever was forwarded a mail can stop those of the member who forwarded it, and the page offers
//! to turn them on again. It also offers digests less often, for whom a week is too short.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::super::notification;
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        member::{DigestFrequency, DigestPreferences, Member},
        notification::Kind,
    },
    error::{Result, not_found},
    ids::{Id, Identified},
    store::Batch,
};

/// What one can unsubscribe from. The tag of a token is for one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscription {
    Digest,
    Notifications(Kind),
}

impl Subscription {
    fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Digest).chain(Kind::ALL.map(Self::Notifications))
    }

    fn purpose(self) -> String {
        match self {
            Self::Digest => "unsubscribe-digest".to_owned(),
            Self::Notifications(kind) => format!("unsubscribe-{}", kind.slug()),
        }
    }
}

/// Bytes of the tag: 128 bits can't be guessed.
const TAG: usize = 16;

/// The address that stops a member's digests.
#[must_use]
pub fn unsubscribe_link(app: &App, member: &Id<Member>) -> String {
    app.config.link(&format!("unsubscribe/{}", token(app, member)))
}

/// The address that stops a member's e-mails of one kind.
#[must_use]
pub fn unsubscribe_link_of(app: &App, member: &Id<Member>, kind: Kind) -> String {
    let token = token_of(app, member, Subscription::Notifications(kind));
    app.config.link(&format!("unsubscribe/{token}"))
}

/// The token of a member for the digest.
#[must_use]
pub fn token(app: &App, member: &Id<Member>) -> String {
    token_of(app, member, Subscription::Digest)
}

fn token_of(app: &App, member: &Id<Member>, subscription: Subscription) -> String {
    let tag = app.keys.tag(&subscription.purpose(), member.as_str());
    let own = member.as_str().trim_start_matches(Member::PREFIX).trim_start_matches('_');
    URL_SAFE_NO_PAD.encode([&tag[..TAG], own.as_bytes()].concat())
}

/// Whose token it is, and for what.
///
/// # Errors
/// Not found, whatever is wrong with it.
pub fn bearer(app: &App, token: &str) -> Result<(Id<Member>, Subscription)> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (tag, own) = bytes.split_at_checked(TAG)?;
        let member = Id::<Member>::parse(&format!("{}_{}", Member::PREFIX, str::from_utf8(own).ok()?))?;
        let is_for = |of: &Subscription| app.keys.is_tag(&of.purpose(), member.as_str(), tag);
        let subscription = Subscription::all().find(is_for)?;
        Some((member, subscription))
    };
    read().ok_or_else(|| not_found("link"))
}

/// A subscription as it is, for the page that a link leads to.
pub enum Held {
    /// When digests come, and when the next one does.
    Digest(DigestPreferences, Option<Timestamp>),
    Notifications(Kind),
}

/// What the token's bearer gets.
///
/// # Errors
/// Not found, or the store is away.
pub async fn held(app: &App, token: &str) -> Result<Held> {
    Ok(match bearer(app, token)? {
        (member, Subscription::Digest) => {
            let member = digest_of(app, &member).await?;
            Held::Digest(member.digest, member.digest_due_at)
        }
        (_, Subscription::Notifications(kind)) => Held::Notifications(kind),
    })
}

/// No more of these e-mails for the token's bearer. Doing it again changes nothing.
///
/// # Errors
/// Not found, or the store is away.
pub async fn unsubscribe(app: &App, token: &str) -> Result<()> {
    match bearer(app, token)? {
        (member, Subscription::Digest) => set_digest(app, &member, DigestFrequency::Off).await,
        (member, Subscription::Notifications(kind)) => notification::by_mail(app, &member, kind, false).await,
    }
}

/// These e-mails again: digests as often as is said, weekly if nothing is, on the weekday they came before.
///
/// # Errors
/// Not found, or the store is away.
pub async fn resubscribe(app: &App, token: &str, frequency: Option<DigestFrequency>) -> Result<()> {
    match bearer(app, token)? {
        (member, Subscription::Digest) => {
            set_digest(app, &member, frequency.unwrap_or(DigestFrequency::Weekly)).await
        }
        (member, Subscription::Notifications(kind)) => notification::by_mail(app, &member, kind, true).await,
    }
}

async fn digest_of(app: &App, id: &Id<Member>) -> Result<Member> {
    app.store.one(id).await?.ok_or_else(|| not_found("link"))
}

async fn set_digest(app: &App, id: &Id<Member>, frequency: DigestFrequency) -> Result<()> {
    let member = digest_of(app, id).await?;
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
    app.store.change(id, change).await?.ok_or_else(|| not_found("link"))
}
