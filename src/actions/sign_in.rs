//! Signing in: asking for a code, and coming back with it or with the link.
//!
//! Nothing here tells whether an address is a member's, or may become one: whoever asks gets the
//! same answer after the same work, and the job that would send the mail decides.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    ROUNDS, lost_every_round,
    member::{self, Proof},
    pause,
    second_factor::{self, Asked},
    session::{self, Tokens},
};
use crate::{
    app::App,
    domain::{
        device::Caller,
        email::EmailAddress,
        identity::Identity,
        job::{Job, Task},
        member::Member,
        sign_in::{Attempts, LATEST, MailQuota, Mails, SignIn, TRIES},
    },
    error::{Code, Error, Result, StoreError},
    ids::Id,
    limits::Allowance,
    query::Page,
    store::{Batch, Guard, when},
    tokens,
};

/// One request for a code. Holding it proves that the network address that it comes from may ask.
pub struct Asking {
    allowance: Option<Allowance>,
}

impl Asking {
    /// # Errors
    /// `RateLimited` for a network address that asks too often.
    pub fn from(app: &App, caller: &Caller) -> Result<Self> {
        app.limits.ask(caller.address, app.clock.now()).map(|allowance| Self { allowance })
    }

    /// What is left to that network address.
    #[must_use]
    pub fn allowance(&self) -> Option<Allowance> {
        self.allowance
    }
}

/// One attempt with a code or a link. Holding it proves that the network address that it comes from may
/// try.
pub struct Answering {
    caller: Caller,
    allowance: Option<Allowance>,
}

impl Answering {
    /// # Errors
    /// `RateLimited` for a network address that tries too often.
    pub fn from(app: &App, caller: Caller) -> Result<Self> {
        let allowance = app.limits.answer(caller.address, app.clock.now())?;
        Ok(Self { caller, allowance })
    }

    /// What is left to that network address.
    #[must_use]
    pub fn allowance(&self) -> Option<Allowance> {
        self.allowance
    }

    /// Who tries.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// What the right code or link brings, or a provider of single sign-on.
pub enum Verified {
    SignedIn(Tokens),
    /// To whoever has a second factor, the question for it.
    Asked(Asked),
}

/// Asks for a mail with a code and a link. Returns the request's id, for the cookie of the browser
/// that asked; to nobody else does it say anything.
///
/// # Errors
/// `Refused` for a malformed address.
pub async fn request(app: &App, email: &str, _asking: &Asking) -> Result<Id<SignIn>> {
    let email = address(email)?;
    for round in 0..ROUNDS {
        let now = app.clock.now();
        let sign_in = SignIn::new(app.ids.fresh(), email.clone(), app.config.sign_in.code_minutes, now);
        let (may_send, counted) = match app.limits.mails() {
            Some(quota) => count_mail(app, &sign_in.email_key, quota).await?,
            None => (true, Batch::new()),
        };
        let batch = if may_send {
            let task = Task::SendSignInCode { sign_in: sign_in.id.clone() };
            counted.insert(&sign_in).insert(&Job::new(app.ids.fresh(), task, now))
        } else {
            // An address that has had its mails gets no more, and who asks is not told, nor by how long
            // it takes: it may be somebody else. The codes that were sent still work.
            counted
        };
        match app.store.commit(batch).await {
            Ok(()) => return Ok(sign_in.id),
            // Others asked for the same address at the same moment.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// Whether the address of this key may be sent one more mail, and what counts it.
async fn count_mail(app: &App, email_key: &str, quota: MailQuota) -> Result<(bool, Batch)> {
    let id = Id::of(&BASE64_URL_SAFE_NO_PAD.encode(app.keys.tag("mails", email_key)));
    let (known, now) = (app.store.one(&id).await?, app.clock.now());
    let is_new = known.is_none();
    let mut mails = known.unwrap_or_else(|| Mails::none(id, now));
    let may_send = mails.take(quota, now);
    let batch = Batch::new();
    Ok((may_send, if is_new { batch.insert(&mails) } else { batch.replace(&mails) }))
}

/// Signs in with a code, in any browser or program.
///
/// A try is spent before the code is looked at, so that guesses made at once can't share one.
///
/// # Errors
/// `WrongCode`; `Refused` for a malformed address; `RateLimited` while the address pauses after too
/// many wrong codes.
pub async fn verify(app: &App, email: &str, code: &str, from: &Answering) -> Result<Verified> {
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
        Some((sign_in, true)) => complete(app, sign_in, &from.caller).await,
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
/// `WrongCode`.
pub async fn verify_link(app: &App, token: &str, browser: &str, from: &Answering) -> Result<Verified> {
    let sign_in = by_link(app, token).await?;
    if tokens::sign_in::read_browser(app, browser).as_ref() != Some(&sign_in.id) {
        return Err(wrong_code());
    }
    complete(app, sign_in, &from.caller).await
}

/// Uses up a request whose code or link was presented: once, together with the session's start, or the
/// question for a second factor, and, the first time, the member's start.
async fn complete(app: &App, sign_in: SignIn, caller: &Caller) -> Result<Verified> {
    for _ in 0..ROUNDS {
        let known = member::with_address(app, &sign_in.email_key).await?;
        let another = known.as_ref().is_some_and(|member| joined_with_another(member, &sign_in));
        if another {
            return Err(wrong_code());
        }
        let (joins, version) = (known.is_none(), known.as_ref().map(|member| member.version));
        let Some((member, admitted)) = member::signing_in(app, &sign_in.email, known, Proof::Mail).await?
        else {
            if member::has_changed(app, &sign_in.email_key, version).await? {
                continue;
            }
            return Err(wrong_code());
        };
        let (verified, started) = verified(app, &member, caller, joins, None).await?;
        let unused = when(SignIn::USED_AT.eq(None));
        let mut batch = Batch::new()
            .patch(&sign_in.id, unused, [SignIn::USED_AT.set(Some(app.clock.now()))])
            .and(started)
            .and(admitted);
        let attempts = Attempts::id_of(&sign_in.email_key);
        if app.store.one(&attempts).await?.is_some() {
            batch = batch.delete(&attempts, Guard::Present);
        }
        match app.store.commit(batch).await {
            Ok(()) => {
                match &verified {
                    Verified::SignedIn(_) => {
                        tracing::info!(member = %member.id, joins, "signed in");
                        session::bounded(app, &member.id).await;
                    }
                    Verified::Asked(_) => tracing::info!(member = %member.id, "asked for a second factor"),
                }
                return Ok(verified);
            }
            // The same person's other sign-in was faster, their invitation was taken back, or a count of
            // wrong codes moved.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let still = app.store.one(&sign_in.id).await?.filter(|sign_in| sign_in.used_at.is_none());
        still.ok_or_else(wrong_code)?;
    }
    Err(lost_every_round())
}

/// What it brings a member to have shown who they are: a session or, where they have a second factor, the
/// question for it; with that, an identity waits that is to be linked. Not written yet.
pub(super) async fn verified(
    app: &App,
    member: &Member,
    caller: &Caller,
    joins: bool,
    linking: Option<&Identity>,
) -> Result<(Verified, Batch)> {
    if member.second_factor.is_some() {
        let (asked, started) = second_factor::asking(app, member, linking).await?;
        return Ok((Verified::Asked(asked), started));
    }
    let (session, started) = session::starting(app, member, caller, joins, None).await?;
    Ok((Verified::SignedIn(Tokens::of(app, &session)?), started))
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
