//! Staying signed in, and leaving.

use super::{ROUNDS, access::Viewer, lost_every_round};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        member::Member,
        session::{Presented, Session},
    },
    error::{Result, StoreError, forbidden, unauthenticated},
    ids::Id,
    store::{Batch, Guard},
    tokens,
};

/// What somebody who signed in holds. Never logged, so it has no `Debug`.
#[derive(Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    /// Seconds that the access token works for.
    pub expires_in: i64,
}

impl Tokens {
    /// For a session as it is stored.
    ///
    /// # Errors
    /// `Fault`, when there is no key to sign with.
    pub fn of(app: &App, session: &Session) -> Result<Self> {
        Ok(Self {
            access: tokens::access::issue(app, &session.member, &session.id)?,
            refresh: tokens::refresh::issue(app, session),
            expires_in: tokens::access::SECONDS,
        })
    }
}

/// A new session of a member. Not written yet.
#[must_use]
pub fn starting(app: &App, member: &Member) -> Session {
    Session::new(app.ids.fresh(), member.id.clone(), app.config.sign_in.session_days, app.clock.now())
}

/// New tokens for a refresh token, which stops working: whoever presents it again, other than to
/// retry at once, shows that it was copied, and ends the session for everybody who holds a part of
/// it (RFC 9700, 4.14.2).
///
/// # Errors
/// `Unauthenticated`; forbidden while the member is suspended: the session goes on afterwards.
pub async fn refresh(app: &App, token: &str) -> Result<Tokens> {
    let (id, generation) = tokens::refresh::read(app, token).ok_or_else(unauthenticated)?;
    for _ in 0..ROUNDS {
        let mut session = app.store.one(&id).await?.ok_or_else(unauthenticated)?;
        let now = app.clock.now();
        let presented = session.presented(generation, now);
        if matches!(presented, Presented::Reused | Presented::Expired) {
            return Err(end(app, &id, generation).await);
        }
        let member = app.store.one(&session.member).await?.ok_or_else(unauthenticated)?;
        check_suspension(app, &member)?;
        if presented == Presented::Retry {
            // However many retry, all get the same successor.
            return Tokens::of(app, &session);
        }
        session.rotate(app.config.sign_in.session_days, now);
        match app.store.commit(Batch::new().replace(&session)).await {
            Ok(()) => return Tokens::of(app, &session),
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

async fn end(app: &App, id: &Id<Session>, generation: i64) -> crate::error::Error {
    tracing::warn!(session = %id, generation, "a refresh token was used again, or too late: the session is ended");
    delete(app, id).await.map_or_else(|error| error, |()| unauthenticated())
}

/// Ends the session that a refresh token is of. A token that is of none is as good: nobody is
/// signed in with it afterwards.
pub async fn sign_out(app: &App, token: &str) -> Result<()> {
    match tokens::refresh::read(app, token) {
        Some((id, _)) => delete(app, &id).await,
        None => Ok(()),
    }
}

/// Ends the session that an access token is of.
///
/// # Errors
/// `Unauthenticated`, when the token is not good (any more).
pub async fn sign_out_by_access(app: &App, token: &str) -> Result<()> {
    let claims = tokens::access::verify(app, token)?;
    delete(app, &Id::parse(&claims.sid).ok_or_else(unauthenticated)?).await
}

async fn delete(app: &App, id: &Id<Session>) -> Result<()> {
    match app.store.commit(Batch::new().delete(id, Guard::Present)).await {
        Ok(()) | Err(StoreError::Stale { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// When an access token ends.
///
/// # Errors
/// `Unauthenticated`, when the token is not good (any more).
pub fn ends_at(app: &App, token: &str) -> Result<Timestamp> {
    let claims = tokens::access::verify(app, token)?;
    Ok(Timestamp::from_millis(claims.exp.saturating_mul(1000)))
}

/// The member who holds this access token.
///
/// One call to the store a request: the member is loaded, the session is not, so a token of a
/// session that was ended works until it expires, ten minutes at most.
///
/// # Errors
/// `Unauthenticated`, whatever is wrong with the token, and when the member is gone. Forbidden, with the
/// reason, while the member is suspended.
pub async fn authenticate(app: &App, token: &str) -> Result<Viewer> {
    let claims = tokens::access::verify(app, token)?;
    let id = Id::<Member>::parse(&claims.sub).ok_or_else(unauthenticated)?;
    let member = app.store.one(&id).await?.ok_or_else(unauthenticated)?;
    check_suspension(app, &member)?;
    Ok(Viewer::proven(member))
}

/// Whoever holds a member's tokens is told why they don't work. Nobody else is: asking for a code, and
/// coming back with it, is the same for all.
fn check_suspension(app: &App, member: &Member) -> Result<()> {
    match member.suspended(app.clock.now()) {
        None => Ok(()),
        Some(suspension) => Err(forbidden(&suspension.sentence(&app.config.network.contact))),
    }
}
