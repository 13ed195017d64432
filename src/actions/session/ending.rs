//! The end of a session, whoever wants it: it is gone, and with it what its refresh tokens work with; and
//! the member knows of it as long as an access token of it may be about.

use chrono::TimeDelta;

use super::super::{
    ROUNDS,
    access::Viewer,
    lost_every_round,
    once::{Decision, Request, once},
    pause,
};
use crate::{
    app::App,
    domain::{
        member::Member,
        session::{EACH_MAX, Session, TOKENS_LAST_SECONDS},
    },
    error::{Error, Result, StoreError, not_found, unauthenticated},
    ids::Id,
    query::Page,
    store::{Batch, Guard},
    tokens,
};

/// Sessions beyond the limit that one sign-in ends.
const SURPLUS: usize = 20;
/// Sessions that one commit ends.
const AT_ONCE: usize = 100;

/// Ends the session that a refresh token is of. A token that is of none is as good: nobody is
/// signed in with it afterwards.
///
/// # Errors
/// When the store is away.
pub async fn sign_out(app: &App, token: &str) -> Result<()> {
    match tokens::refresh::read(app, token) {
        Some((id, _)) => end(app, &id).await,
        None => Ok(()),
    }
}

/// Ends the session that an access token is of.
///
/// # Errors
/// `Unauthenticated`, when the token is not good (any more).
pub async fn sign_out_by_access(app: &App, token: &str) -> Result<()> {
    let claims = tokens::access::verify(app, token)?;
    end(app, &Id::parse(&claims.sid).ok_or_else(unauthenticated)?).await
}

/// Ends a session. One that is gone already is as good.
pub(super) async fn end(app: &App, id: &Id<Session>) -> Result<()> {
    for round in 0..ROUNDS {
        let Some(session) = app.store.one(id).await? else { return Ok(()) };
        let batch = match app.store.one(&session.member).await? {
            Some(member) => ending(app, &member, [id]),
            None => Batch::new().delete(id, Guard::Present),
        };
        match app.store.commit(batch).await {
            Ok(()) => {
                tracing::info!(member = %session.member, session = %id, "signed out");
                return Ok(());
            }
            Err(StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// Ends those of a member's sessions that were not used for longest, where they have become too many. After the
/// commit that started one, so that of any number started at once the last look counts them all. Whoever has
/// just signed in is not kept waiting by what goes wrong here: the next sign-in looks again.
pub(in crate::actions) async fn bounded(app: &App, member: &Id<Member>) {
    let theirs = Session::MEMBER.eq(member.clone());
    let page = Page::first(EACH_MAX + SURPLUS);
    let ended = async {
        let mut found = app.store.find(theirs, Session::CREATED_AT.desc(), page).await?;
        found.sort_by_key(|session| session.rotated_at);
        for session in &found[..found.len().saturating_sub(EACH_MAX)] {
            end(app, &session.id).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = ended.await {
        tracing::warn!(member = %member, %error, "sessions beyond the limit are not ended yet");
    }
}

/// Ends one of the viewer's sessions, the present one too if they like. Returns the viewer.
///
/// # Errors
/// Not found, when it is not theirs or is over.
pub async fn revoke(app: &App, viewer: &Viewer, id: &Id<Session>, request: &Request) -> Result<Member> {
    let revoked = once(app, viewer, request, || async {
        let session = app.store.one(id).await?.filter(|session| session.member == viewer.id);
        session.ok_or_else(|| not_found("session"))?;
        let member = app.store.one(&viewer.id).await?.ok_or_else(unauthenticated)?;
        let batch = ending(app, &member, [id]);
        Ok(Decision { result: member, batch })
    });
    let member = revoked.await?;
    tracing::info!(member = %member.id, session = %id, "a session is revoked");
    Ok(member)
}

/// Ends all sessions of the viewer, or all but the present one. Returns the viewer.
///
/// # Errors
/// When the store is away.
pub async fn sign_out_everywhere(
    app: &App,
    viewer: &Viewer,
    keep_current: bool,
    request: &Request,
) -> Result<Member> {
    let member =
        once(app, viewer, request, || all_but(app, &viewer.id, viewer.session(), keep_current, |_| {}))
            .await?;
    tracing::info!(member = %member.id, keep_current, "signed out everywhere");
    Ok(member)
}

/// Ends all sessions of a member. For operators, who need no permission of ours.
///
/// # Errors
/// When the store is away.
pub async fn end_all(app: &App, id: &Id<Member>) -> Result<()> {
    for round in 0..ROUNDS {
        let decision = ending_all(app, id, |_| {}).await?;
        match app.store.commit(decision.batch).await {
            Ok(()) => {
                tracing::info!(member = %id, "an operator ended all sessions of a member");
                return Ok(());
            }
            Err(StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// The end of all sessions of a member, who changes with it. Of more than a hundred, all but the last hundred
/// end at once; those with the batch that it returns.
///
/// # Errors
/// When the store is away.
pub async fn ending_all(
    app: &App,
    id: &Id<Member>,
    change: impl Fn(&mut Member),
) -> Result<Decision<Member>> {
    all_but(app, id, None, false, change).await
}

/// The same for all sessions but perhaps the present one.
async fn all_but(
    app: &App,
    id: &Id<Member>,
    current: Option<&Id<Session>>,
    keep_current: bool,
    change: impl Fn(&mut Member),
) -> Result<Decision<Member>> {
    for _ in 0..ROUNDS {
        let mut member = app.store.one(id).await?.ok_or_else(unauthenticated)?;
        let theirs = Session::MEMBER.eq(id.clone());
        let found = app.store.find(theirs, Session::CREATED_AT.desc(), Page::first(AT_ONCE + 1)).await?;
        let all = found.len() <= AT_ONCE;
        if all {
            change(&mut member);
        }
        let goes = |session: &&Session| !(keep_current && Some(&session.id) == current);
        let going = found.iter().filter(goes).take(AT_ONCE);
        let batch =
            going.clone().fold(Batch::new(), |batch, session| batch.delete(&session.id, Guard::Present));
        // Tokens of the others have all expired.
        let lately = app.clock.now().minus(TimeDelta::seconds(TOKENS_LAST_SECONDS));
        let going = going.filter(|session| session.rotated_at > lately).map(|session| &session.id);
        let batch = batch.and(known(app, &member, going.chain(current.filter(|_| !keep_current))));
        if all {
            return Ok(Decision { result: member, batch });
        }
        match app.store.commit(batch).await {
            Ok(()) | Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

fn ending<'a>(app: &App, member: &Member, ids: impl IntoIterator<Item = &'a Id<Session>> + Clone) -> Batch {
    let deleted = |batch: Batch, id| batch.delete(id, Guard::Present);
    ids.clone().into_iter().fold(Batch::new(), deleted).and(known(app, member, ids))
}

/// That the member knows of it.
fn known<'a>(app: &App, member: &Member, ids: impl IntoIterator<Item = &'a Id<Session>>) -> Batch {
    let mut member = member.clone();
    member.end_sessions(ids, app.clock.now());
    Batch::new().replace(&member)
}
