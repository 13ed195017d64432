//! Staying signed in, and leaving.

mod ending;
mod starting;

pub(super) use self::ending::bounded;
pub use self::{
    ending::{end_all, ending_all, revoke, sign_out, sign_out_by_access, sign_out_everywhere},
    starting::starting,
};
use super::{
    ROUNDS,
    access::{Credential, SignedIn, Viewer, let_in},
    access_token, lost_every_round,
    page::Listing,
};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        device::Caller,
        member::Member,
        session::{Presented, Session},
    },
    error::{Code, Error, Result, StoreError, unauthenticated},
    ids::Id,
    store::Batch,
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
            access: tokens::access::issue(app, session)?,
            refresh: tokens::refresh::issue(app, session),
            expires_in: tokens::access::SECONDS,
        })
    }
}

/// The viewer's sessions, latest first. Some may be over and not forgotten yet.
#[must_use]
pub fn all(viewer: &Viewer) -> Listing<Session> {
    Listing {
        name: "sessions",
        filter: Session::MEMBER.eq(viewer.id.clone()),
        order: Session::CREATED_AT.desc(),
    }
}

/// New tokens for a refresh token, which stops working: whoever presents it again, other than to
/// retry at once, shows that it was copied, and ends the session for everybody who holds a part of
/// it (RFC 9700, 4.14.2).
///
/// # Errors
/// `Unauthenticated`, also when the member has not signed in by a code or link for so long that they have
/// to; forbidden while the member is suspended: the session goes on afterwards.
pub async fn refresh(app: &App, token: &str, caller: &Caller) -> Result<Tokens> {
    let (id, generation) = tokens::refresh::read(app, token).ok_or_else(unauthenticated)?;
    for _ in 0..ROUNDS {
        let mut session = app.store.one(&id).await?.ok_or_else(unauthenticated)?;
        let now = app.clock.now();
        let presented = session.presented(generation, now);
        if matches!(presented, Presented::Reused | Presented::Expired) {
            return Err(reused(app, &id, generation).await);
        }
        let member = app.store.one(&session.member).await?.ok_or_else(unauthenticated)?;
        let_in(app, &member)?;
        still_verified(app, &member)?;
        if presented == Presented::Retry {
            // However many retry, all get the same successor.
            return Tokens::of(app, &session);
        }
        session.rotate(caller.origin.clone(), app.config.sign_in.session_days, now);
        match app.store.commit(Batch::new().replace(&session)).await {
            Ok(()) => return Tokens::of(app, &session),
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

async fn reused(app: &App, id: &Id<Session>, generation: i64) -> crate::error::Error {
    tracing::warn!(session = %id, generation, "a refresh token was used again, or too late: the session is ended");
    ending::end(app, id).await.map_or_else(|error| error, |()| unauthenticated())
}

/// When an access token ends.
///
/// # Errors
/// `Unauthenticated`, when the token is not good (any more).
pub async fn ends_at(app: &App, token: &str) -> Result<Timestamp> {
    if tokens::access_token::is_meant(token) {
        return access_token::ends_at(app, token).await;
    }
    let claims = tokens::access::verify(app, token)?;
    Ok(Timestamp::from_millis(claims.exp.saturating_mul(1000)))
}

/// The member who holds this access token.
///
/// One call to the store a request: the member is loaded, who knows which of their sessions were ended
/// while a token of them may be about. So whatever ends a session, changes a role or suspends somebody
/// holds for the next request, whichever process it comes to.
///
/// # Errors
/// `Unauthenticated`, whatever is wrong with the token, and when the member is gone. Forbidden, with the
/// reason, when the member is not let in.
pub async fn authenticate(app: &App, token: &str) -> Result<Viewer> {
    if tokens::access_token::is_meant(token) {
        return access_token::authenticate(app, token).await;
    }
    let claims = tokens::access::verify(app, token)?;
    let id = Id::<Member>::parse(&claims.sub).ok_or_else(unauthenticated)?;
    let session = Id::parse(&claims.sid).ok_or_else(unauthenticated)?;
    let member = app.store.one(&id).await?.ok_or_else(unauthenticated)?;
    if member.has_ended(&session) {
        return Err(unauthenticated());
    }
    let factor_at = claims.factor_at.map(Timestamp::from_millis).filter(|at| member.still_has(*at));
    let strong = factor_at.is_some() || !app.config.second_factor.required;
    Viewer::proven(app, member, Credential::Session(SignedIn { session, factor_at, strong }))
}

/// A session or a token alone does not show that somebody still reads their address's mail: they may have
/// left.
pub(super) fn still_verified(app: &App, member: &Member) -> Result<()> {
    if !member.standing.is_lapsed(app.clock.now()) {
        return Ok(());
    }
    let sentence = "Sign in again with a code: we have to see from time to time that this is still your e-mail \
                    address.";
    Err(Error::Coded(Code::Unauthenticated, sentence.to_owned()))
}
