//! Signing in: asking for a code, and coming back with it or with the link.
//!
//! Nothing here tells whether an address is a member's, or may become one: whoever asks gets the
//! same answer after the same work, and the job that would send the mail decides.

use std::net::IpAddr;

use super::{
    ROUNDS, lost_every_round, member,
    session::{self, Tokens},
};
use crate::{
    app::App,
    domain::{
        email::EmailAddress,
        job::{Job, Task},
        member::Member,
        sign_in::{Attempts, LATEST, SignIn, TRIES},
    },
    error::{Code, Error, Result, StoreError},
    ids::Id,
    query::Page,
    store::{Batch, Guard, when},
    tokens,
};

/// Asks for a mail with a code and a link. Returns the request's id, for the cookie of the browser
/// that asked; to nobody else does it say anything.
///
/// # Errors
/// `Refused` for a malformed address, `RateLimited` for a network address that asks too often.
pub async fn request(app: &App, email: &str, from: IpAddr) -> Result<Id<SignIn>> {
    app.limits.ask(from)?;
    let email = address(email)?;
    let now = app.clock.now();
    let sign_in = SignIn::new(app.ids.fresh(), email, app.config.sign_in.code_minutes, now);
    // An address that has had its mails gets no more, and who asks is not told: it may be somebody
    // else. The codes that were sent still work.
    if app.limits.mail(&sign_in.email_key) {
        let task = Task::SendSignInCode { sign_in: sign_in.id.clone() };
        let job = Job::new(app.ids.fresh(), task, now);
        app.store.commit(Batch::new().insert(&sign_in).insert(&job)).await?;
    }
    Ok(sign_in.id)
}

/// Signs in with a code, in any browser or program.
///
/// A try is spent before the code is looked at, so that guesses made at once can't share one.
///
/// # Errors
/// `WrongCode`; `Refused` for a malformed address; `RateLimited` while the address pauses after too
/// many wrong codes, and for a network address that tries too often.
pub async fn verify(app: &App, email: &str, code: &str, from: IpAddr) -> Result<Tokens> {
    app.limits.answer(from)?;
    let email = address(email)?;
    if code.trim().is_empty() {
        return Err(Error::refused("code", Code::Required, "Enter the code from the e-mail."));
    }
    let key = email.key();
    let attempts = Attempts::id_of(&key);
    let pause = app.store.one(&attempts).await?.and_then(|attempts| attempts.pause_left(app.clock.now()));
    if let Some(seconds) = pause {
        return Err(Error::RateLimited { seconds });
    }
    let requests = spend_try(app, &key).await?;
    let matching = requests.into_iter().find(|(sign_in, _)| tokens::sign_in::is_code(app, &sign_in.id, code));
    match matching {
        Some((sign_in, true)) => complete(app, sign_in).await,
        // The right code, but used or tried out: no guess, so it pauses nothing.
        Some((_, false)) => Err(wrong_code()),
        None => {
            count_wrong(app, &attempts).await?;
            Err(wrong_code())
        }
    }
}

/// The address's latest requests, and whether this try counts for each of them.
async fn spend_try(app: &App, email_key: &str) -> Result<Vec<(SignIn, bool)>> {
    for _ in 0..ROUNDS {
        let (filter, order) = (SignIn::EMAIL_KEY.eq(email_key), SignIn::CREATED_AT.desc());
        let requests = app.store.find(filter, order, Page::first(LATEST)).await?;
        let now = app.clock.now();
        let open = requests.iter().filter(|sign_in| sign_in.takes_codes(now));
        let batch = open.fold(Batch::new(), |batch, sign_in| {
            let untried = when(SignIn::TRIES.lt(TRIES));
            batch.increment(&sign_in.id, untried, SignIn::TRIES, 1)
        });
        match app.store.commit(batch).await {
            Ok(()) => {
                let with_try = |sign_in: SignIn| (sign_in.takes_codes(now), sign_in);
                return Ok(requests
                    .into_iter()
                    .map(with_try)
                    .map(|(open, sign_in)| (sign_in, open))
                    .collect());
            }
            // Others spent the last try of one of them meanwhile.
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

async fn count_wrong(app: &App, id: &Id<Attempts>) -> Result<()> {
    for _ in 0..ROUNDS {
        let now = app.clock.now();
        let batch = if let Some(mut attempts) = app.store.one(id).await? {
            attempts.count_wrong(now);
            Batch::new().replace(&attempts)
        } else {
            let mut attempts = Attempts::none(id.clone(), now);
            attempts.count_wrong(now);
            Batch::new().insert(&attempts)
        };
        match app.store.commit(batch).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// The request that a link belongs to, while it can be used.
///
/// # Errors
/// `WrongCode`.
pub async fn by_link(app: &App, token: &str) -> Result<SignIn> {
    let id = tokens::sign_in::read_link(app, token).ok_or_else(wrong_code)?;
    let sign_in = app.store.one(&id).await?;
    sign_in.filter(|sign_in| sign_in.is_live(app.clock.now())).ok_or_else(wrong_code)
}

/// Signs in with a link, in the browser that asked for it: whoever has the mail alone (a scanner,
/// a colleague to whom it was forwarded) has to type the code. No pause applies, as neither the link
/// nor the cookie can be guessed.
///
/// # Errors
/// `WrongCode`, `RateLimited`.
pub async fn verify_link(app: &App, token: &str, browser: &str, from: IpAddr) -> Result<Tokens> {
    app.limits.answer(from)?;
    let sign_in = by_link(app, token).await?;
    if tokens::sign_in::read_browser(app, browser).as_ref() != Some(&sign_in.id) {
        return Err(wrong_code());
    }
    complete(app, sign_in).await
}

/// Uses up a request whose code or link was presented: once, together with the session's start and,
/// the first time, the member's.
async fn complete(app: &App, sign_in: SignIn) -> Result<Tokens> {
    for _ in 0..ROUNDS {
        let known = member::with_address(app, &sign_in.email_key).await?;
        let another = known.as_ref().is_some_and(|member| joined_with_another(member, &sign_in));
        if another || !member::may_sign_in(app, &sign_in.email, known.as_ref()) {
            return Err(wrong_code());
        }
        let joins = known.is_none();
        let member = match known {
            Some(member) => member,
            None => member::joining(app, sign_in.email.clone()).await?,
        };
        let session = session::starting(app, &member);
        let unused = when(SignIn::USED_AT.eq(None));
        let mut batch = Batch::new()
            .patch(&sign_in.id, unused, [SignIn::USED_AT.set(Some(app.clock.now()))])
            .insert(&session);
        if joins {
            batch = batch.insert(&member);
        }
        let attempts = Attempts::id_of(&sign_in.email_key);
        if app.store.one(&attempts).await?.is_some() {
            batch = batch.delete(&attempts, Guard::Present);
        }
        match app.store.commit(batch).await {
            Ok(()) => {
                tracing::info!(member = %member.id, session = %session.id, joins, "signed in");
                return Tokens::of(app, &session);
            }
            // The same person's other first sign-in was faster, or a count of wrong codes moved.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let still = app.store.one(&sign_in.id).await?.filter(|sign_in| sign_in.used_at.is_none());
        still.ok_or_else(wrong_code)?;
    }
    Err(lost_every_round())
}

/// Whether the mail may have gone to another address than the member's: it was asked for before they
/// joined, with another plus-tag. Later ones go to the member's own.
fn joined_with_another(member: &Member, sign_in: &SignIn) -> bool {
    sign_in.created_at < member.created_at
        && !sign_in.email.as_str().eq_ignore_ascii_case(member.email.as_str())
}

fn address(text: &str) -> Result<EmailAddress> {
    EmailAddress::parse(text).map_err(|problem| {
        let code = if text.trim().is_empty() { Code::Required } else { Code::Invalid };
        Error::refused("email", code, problem)
    })
}

/// One answer for all that can be wrong with a code or a link.
#[must_use]
pub fn wrong_code() -> Error {
    Error::Coded(
        Code::WrongCode,
        "The code is wrong, has expired or has been used. Check it, or ask for a new one.".to_owned(),
    )
}
