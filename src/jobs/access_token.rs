//! What the owners of access tokens are told by e-mail, and the end of tokens that nobody uses.

use super::Failure;
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        access_token::{AccessToken, REVOKED_AFTER, TokenNews, WARNED_AFTER},
        job::{Job, Task},
        member::Member,
        permission::Scope,
    },
    error::{Error, Result, StoreError},
    ids::Id,
    mail::{Message, access_token::AccessTokenMail},
    query::Page,
    store::{Batch, Guard},
};

/// Tokens looked at before looking again.
const PAGE: usize = 100;

/// Warns of tokens that nobody has used for 90 days, revokes those that nobody has for 180, and returns how
/// many those are. Any number of workers may do so at once: the token's version lets one through.
///
/// # Errors
/// When the store is away.
pub async fn plan(app: &App) -> Result<usize> {
    let mut planned = 0;
    loop {
        let due = AccessToken::to_look_at(app.clock.now());
        let tokens = app.store.find(due, AccessToken::LOOK_AT.asc(), Page::first(PAGE)).await?;
        let before = planned;
        for token in &tokens {
            planned += usize::from(look_at(app, token).await?);
        }
        // None are left, or other workers have them.
        if tokens.len() < PAGE || planned == before {
            return Ok(planned);
        }
    }
}

async fn look_at(app: &App, token: &AccessToken) -> Result<bool> {
    let now = app.clock.now();
    let unused = now.since(token.unused_since());
    let (batch, news) = if unused >= REVOKED_AFTER {
        let mut revoked = token.clone();
        revoked.revoke(now);
        (Batch::new().replace(&revoked), Some(TokenNews::Revoked))
    } else {
        // Nobody tells of one that is used: it is due early only by a clock that runs ahead.
        let (news, look_at) = if unused >= WARNED_AFTER {
            (Some(TokenNews::Unused), token.look_after_warning())
        } else {
            (None, token.look_after_use(token.unused_since()))
        };
        let unchanged = Guard::Version(token.version);
        (Batch::new().patch(&token.id, unchanged, [AccessToken::LOOK_AT.set(look_at)]), news)
    };
    let task = |news| Task::SendAccessTokenMail { token: token.id.clone(), news };
    let batch =
        news.map(task).map(|task| Job::new(app.ids.fresh(), task, now)).iter().fold(batch, Batch::insert);
    match app.store.commit(batch).await {
        Ok(()) => Ok(true),
        // Somebody else looks at it, or uses it.
        Err(StoreError::Stale { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Tells a token's owner something of it.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, id: &Id<AccessToken>, news: TokenNews) -> Result<Batch, Failure> {
    let now = app.clock.now();
    let Some(token) = app.store.one(id).await?.filter(|token| is_true_still(token, news, now)) else {
        tracing::info!(token = %id, "skipped: it is gone, or used again");
        return Ok(Batch::new());
    };
    let members = app.store.get(&[token.owner.clone(), token.member.clone()]).await?;
    let [Some(owner), Some(member)] = &members[..] else {
        tracing::info!(token = %id, "skipped: its owner is gone");
        return Ok(Batch::new());
    };
    app.mailer.send(&message(app, &token, news, owner, member)?).await?;
    tracing::info!(token = %id, ?news, "the owner of an access token is told");
    Ok(Batch::new())
}

fn is_true_still(token: &AccessToken, news: TokenNews, now: Timestamp) -> bool {
    match news {
        TokenNews::Made => true,
        TokenNews::Unused => token.is_live(now) && now.since(token.unused_since()) >= WARNED_AFTER,
        TokenNews::Revoked => token.revoked_at.is_some(),
    }
}

fn message(
    app: &App,
    token: &AccessToken,
    news: TokenNews,
    owner: &Member,
    member: &Member,
) -> Result<Message, Error> {
    let mail = AccessTokenMail {
        network: app.config.network.name.clone(),
        team: app.config.network.team.clone(),
        contact: app.config.network.contact.clone(),
        to_name: owner.name.clone(),
        news,
        name: token.name.clone(),
        service_account: token.is_of_service_account().then(|| member.name.clone()),
        scopes: token.scopes.iter().map(|scope: &Scope| scope.name()).collect::<Vec<_>>().join(", "),
        expires: token.expires_at.date_in_words(),
        unused_since: token.unused_since().date_in_words(),
        revoked: token.unused_since().plus(REVOKED_AFTER).date_in_words(),
        id: token.id.to_string(),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let key = match news {
        TokenNews::Made => "made".to_owned(),
        TokenNews::Unused => format!("unused-{}", token.unused_since().millis()),
        TokenNews::Revoked => "revoked".to_owned(),
    };
    Ok(Message {
        to: owner.email.clone(),
        to_name: owner.name.clone(),
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{}-{key}@{}", token.id, app.config.host()),
        list: None,
    })
}
