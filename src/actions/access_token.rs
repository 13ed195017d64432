//! Access tokens: make, show, revoke, and tell who holds one.

use super::{
    access::{Administrator, Credential, Moderator, Viewer, let_in},
    audit::{Act, Concerned, acted},
    once::{Decision, Request, once},
    page::Listing,
    session::still_verified,
};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        access_token::{AccessToken, EACH_MAX, NAME_MAX, NewAccessToken, TokenNews, role_for},
        audit::AuditAction,
        guard::Acknowledged,
        job::{Job, Task},
        member::{Member, Role},
        permission::Scope,
        service_account,
        text::{Written, line},
    },
    error::{Code, Error, Problem, Result, not_found, unauthenticated},
    ids::Id,
    query::{Order, Page},
    store::{Batch, Guard, StoreError},
    tokens::access_token as secrets,
};

/// A token to be made, as it was asked for.
pub struct Wish {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub expires_at: Timestamp,
    /// The service account that it is for; none: for oneself.
    pub service_account: Option<Id<Member>>,
    pub acknowledged: Acknowledged,
}

/// A token and, for whoever made it just now, its secret. Never logged, so it has no `Debug`.
pub struct Made {
    pub token: AccessToken,
    /// None when the same request was served before: it is nowhere to be had any more.
    pub secret: Option<String>,
}

/// Makes a token and tells its owner by e-mail.
///
/// # Errors
/// Problems of what was asked for; not found, when the service account is not the viewer's; forbidden for
/// scopes that are for roles which the viewer does not act in.
pub async fn create(app: &App, viewer: &Viewer, wish: &Wish, request: &Request) -> Result<Made> {
    for role in wish.scopes.iter().filter_map(|scope| role_for(*scope)) {
        match role {
            Role::Administrator => Administrator::of(viewer).map(drop)?,
            _ => Moderator::of(viewer).map(drop)?,
        }
    }
    let of = wish.service_account.as_ref().map_or(secrets::Of::Member, |_| secrets::Of::ServiceAccount);
    let secret = secrets::fresh(app, of);
    let hash = secrets::hash(app, &secret).ok_or_else(|| Error::Fault("a secret is mistyped".to_owned()))?;
    let token = once(app, viewer, request, || async {
        let now = app.clock.now();
        let new = NewAccessToken {
            member: member(app, viewer, wish.service_account.as_ref()).await?,
            owner: viewer.id.clone(),
            name: checked(wish, now)?,
            scopes: wish.scopes.clone(),
            expires_at: wish.expires_at,
        };
        // Before the tokens are counted: of several that are made at once, each is counted by the next.
        let parent = app.store.one(&new.member).await?.ok_or_else(unauthenticated)?;
        if app.store.count(AccessToken::MEMBER.eq(new.member.clone()), EACH_MAX).await? >= EACH_MAX {
            let message = format!(
                "There are {EACH_MAX} tokens already. Revoke some; they count for 30 days after their end."
            );
            return Err(Error::refused("name", Code::TooMany, message));
        }
        let token = AccessToken::new(app.ids.fresh(), hash.clone(), new, now);
        let mail = Task::SendAccessTokenMail { token: token.id.clone(), news: TokenNews::Made };
        let batch = Batch::new().replace(&parent).insert(&token);
        let batch = batch.insert(&Job::new(app.ids.fresh(), mail, now));
        Ok(Decision { result: token, batch })
    })
    .await?;
    let secret = (token.hash == hash).then_some(secret);
    Ok(Made { token, secret })
}

/// The name, when everything else is right, too.
fn checked(wish: &Wish, now: Timestamp) -> Result<String> {
    let mut problems = Vec::new();
    let name = line("name", Written::new(&wish.name, wish.acknowledged), NAME_MAX);
    if wish.scopes.is_empty() {
        problems.push(Problem::new("scopes", Code::Required, "Choose what the token is for."));
    }
    let latest = AccessToken::latest_end(now);
    if wish.expires_at <= now || wish.expires_at > latest {
        let message = format!("Choose a time that is to come, {latest} at the latest.");
        problems.push(Problem::new("expiresAt", Code::Invalid, message));
    }
    match name {
        Ok(name) if problems.is_empty() => Ok(name),
        Ok(_) => Err(Error::Refused(problems)),
        Err(problem) => Err(Error::Refused([vec![problem], problems].concat())),
    }
}

/// As whom the token is to act.
async fn member(app: &App, viewer: &Viewer, account: Option<&Id<Member>>) -> Result<Id<Member>> {
    let Some(id) = account else { return Ok(viewer.id.clone()) };
    let account = app.store.one(id).await?;
    let mine = account.and_then(|account| service_account::acting_for(account, viewer));
    mine.map(|account| account.id).ok_or_else(|| not_found("service account"))
}

/// Makes a token useless, at once. One that is revoked already stays so.
///
/// # Errors
/// Not found, unless it is the viewer's or they act as administrator.
pub async fn revoke(
    app: &App,
    viewer: &Viewer,
    id: &Id<AccessToken>,
    request: &Request,
) -> Result<AccessToken> {
    once(app, viewer, request, || async {
        let found = app.store.one(id).await?;
        let reached = |token: &AccessToken| token.owner == viewer.id || Administrator::of(viewer).is_ok();
        let mut token = found.filter(reached).ok_or_else(|| not_found("access token"))?;
        if token.revoked_at.is_some() {
            return Ok(Decision { result: token, batch: Batch::new() });
        }
        token.revoke(app.clock.now());
        let batch = Batch::new().replace(&token).and(audited(app, viewer, &token));
        Ok(Decision { result: token, batch })
    })
    .await
}

/// Nothing of what people do to their own.
fn audited(app: &App, viewer: &Viewer, token: &AccessToken) -> Batch {
    if token.owner == viewer.id {
        return Batch::new();
    }
    let act = Act::new(AuditAction::RevokeAccessToken, token.id.as_str());
    acted(app, viewer, act, &Concerned::member(&token.owner))
}

/// The viewer's own, latest first.
#[must_use]
pub fn own(viewer: &Viewer) -> Listing<AccessToken> {
    let filter = AccessToken::MEMBER.eq(viewer.id.clone());
    Listing { name: "accessTokens", filter, order: AccessToken::CREATED_AT.desc() }
}

/// Those of a member or a service account, latest first: all for administrators, for others what is theirs.
#[must_use]
pub fn of(viewer: &Viewer, member: &Id<Member>) -> Listing<AccessToken> {
    let mut filter = AccessToken::MEMBER.eq(member.clone());
    if Administrator::of(viewer).is_err() {
        filter = filter.and(AccessToken::OWNER.eq(viewer.id.clone()));
    }
    Listing { name: "accessTokens:of", filter, order: AccessToken::CREATED_AT.desc() }
}

/// The holder of a secret: two calls to the store, and none for a secret that is mistyped.
///
/// # Errors
/// `Unauthenticated`, whatever is wrong with the secret, and when somebody on whom it hangs is gone, has not
/// shown for too long that their address is theirs, or is a service account's owner and not let in. Forbidden,
/// with the reason, while the member is not let in.
pub(super) async fn authenticate(app: &App, secret: &str) -> Result<Viewer> {
    let token = live(app, secret).await?;
    let members = [token.member.clone(), token.owner.clone()];
    let mut found = app.store.get(&members).await?.into_iter().flatten();
    let (Some(member), Some(owner)) = (found.next(), found.next()) else {
        return Err(unauthenticated());
    };
    still_verified(app, &owner)?;
    let member = if token.is_of_service_account() {
        let_in(app, &owner).map_err(|_| unauthenticated())?;
        service_account::acting_for(member, &owner).ok_or_else(unauthenticated)?
    } else {
        member
    };
    let viewer = Viewer::proven(app, member, Credential::Token(token.scopes.clone().into()))?;
    note_use(app, &token);
    Ok(viewer)
}

/// When a token ends.
///
/// # Errors
/// `Unauthenticated`.
pub(super) async fn ends_at(app: &App, secret: &str) -> Result<Timestamp> {
    live(app, secret).await.map(|token| token.expires_at)
}

async fn live(app: &App, secret: &str) -> Result<AccessToken> {
    let hash = secrets::hash(app, secret).ok_or_else(unauthenticated)?;
    let found = app.store.find(AccessToken::HASH.eq(hash), Order::by_id(), Page::first(1)).await?.pop();
    found.filter(|token| token.is_live(app.clock.now())).ok_or_else(unauthenticated)
}

/// Writes down that a token was used, at most once an hour and while its holder is answered: nobody waits
/// for it, and one that is lost is made up for by the next use.
fn note_use(app: &App, token: &AccessToken) {
    let now = app.clock.now();
    if !token.is_news(now) {
        return;
    }
    let changes = [AccessToken::LAST_USED_AT.set(now), AccessToken::LOOK_AT.set(token.look_after_use(now))];
    let batch = Batch::new().patch(&token.id, Guard::Version(token.version), changes);
    let (app, id) = (app.clone(), token.id.clone());
    tokio::spawn(async move {
        match app.store.commit(batch).await {
            // Another request of the same moment wrote it, or the token was revoked.
            Ok(()) | Err(StoreError::Stale { .. }) => {}
            Err(error) => tracing::warn!(token = %id, %error, "the use of a token was not written down"),
        }
    });
}
