//! Single sign-on: sending somebody to a provider, and what becomes of them when they come back.
//!
//! Whoever comes back goes the way of those who have typed a code: the same rule says whether they may come in,
//! and a second factor is asked for, whatever the provider asked them for. What differs is who they are: the
//! member whom the provider's subject is linked with and, the first time, the one who has the address that the
//! provider verified.

use url::Url;

use super::{
    ROUNDS, identity, lost_every_round,
    member::{self, Proof},
    pause, session,
    sign_in::{self, Answering, Asking, Verified},
};
use crate::{
    app::App,
    domain::{
        device::Caller, email::EmailAddress, identity::Identity, local_path::LocalPath, member::Member,
        single_sign_on::SignOn,
    },
    error::{Code, Error, Result, StoreError, forbidden, not_found},
    ids::Id,
    single_sign_on::{Failure, Person, Provider},
    store::{Batch, Guard},
    tokens::single_sign_on as tokens,
};

/// Somebody who is sent to a provider.
pub struct Sent {
    /// For the cookie of the browser that asked.
    pub sign_on: Id<SignOn>,
    pub address: Url,
}

/// What a browser brings back from a provider.
#[derive(Clone, Copy, Default)]
pub struct Brought<'a> {
    pub state: &'a str,
    pub code: Option<&'a str>,
    /// Who says so (RFC 9207).
    pub issuer: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
    /// The cookie.
    pub browser: &'a str,
}

/// Sends somebody to a provider, and to `next` afterwards, where that is a page of ours.
///
/// # Errors
/// Not found; `PROVIDER_UNAVAILABLE`.
pub async fn start(app: &App, provider: &str, next: Option<&str>, _asking: &Asking) -> Result<Sent> {
    let provider = named(app, provider)?;
    let now = app.clock.now();
    let sign_on = SignOn::new(app.ids.fresh(), provider.id(), next.and_then(LocalPath::parse), now);
    let question = tokens::question(app, &sign_on.id);
    let address = provider.address(&question, now).await.map_err(|failure| failed(provider, &failure))?;
    app.store.commit(Batch::new().insert(&sign_on)).await?;
    Ok(Sent { sign_on: sign_on.id, address })
}

fn named<'a>(app: &'a App, provider: &str) -> Result<&'a Provider> {
    app.providers.named(provider).ok_or_else(|| not_found("provider of single sign-on"))
}

/// Signs in whoever comes back from a provider with a code, in the browser that was sent there: once, whatever
/// comes of it. Returns where they wanted to go, too.
///
/// # Errors
/// `WRONG_CODE` when it is not this browser's, has been used or took too long; `PROVIDER_UNAVAILABLE`; forbidden,
/// with the reason, for whoever may not come in this way.
pub async fn finish(
    app: &App,
    provider: &str,
    brought: Brought<'_>,
    from: &Answering,
) -> Result<(Verified, Option<LocalPath>)> {
    let provider = named(app, provider)?;
    let sign_on = claimed(app, provider, brought).await?;
    let code = match (brought.error, brought.code) {
        (None, Some(code)) => code,
        (error, _) => return Err(no_code(provider, error)),
    };
    let question = tokens::question(app, &sign_on.id);
    let person = provider.person(code, brought.issuer, &question, app.clock.now()).await;
    let person = person.map_err(|failure| failed(provider, &failure))?;
    Ok((complete(app, provider, &person, from.caller()).await?, sign_on.next))
}

/// Takes the sign-on that an answer is to, so that nobody else can.
async fn claimed(app: &App, provider: &Provider, brought: Brought<'_>) -> Result<SignOn> {
    let id = tokens::read_state(app, brought.state).ok_or_else(over)?;
    // Somebody else's answer would sign this browser in as them.
    if tokens::read_browser(app, brought.browser).as_ref() != Some(&id) {
        return Err(over());
    }
    let sign_on = app.store.one(&id).await?;
    let sign_on =
        sign_on.filter(|sign_on| sign_on.is_open(provider.id(), app.clock.now())).ok_or_else(over)?;
    match app.store.commit(Batch::new().delete(&id, Guard::Present)).await {
        Ok(()) => Ok(sign_on),
        Err(StoreError::Stale { .. }) => Err(over()),
        Err(error) => Err(error.into()),
    }
}

/// Somebody on their way in.
struct Entering {
    member: Member,
    /// What makes them a member, and their identity theirs.
    batch: Batch,
    joins: bool,
    /// What is linked once they are in.
    new: Option<Identity>,
}

async fn complete(app: &App, provider: &Provider, person: &Person, caller: &Caller) -> Result<Verified> {
    let email = person.email.as_ref().ok_or_else(|| unverified(provider))?;
    for round in 0..ROUNDS {
        let entering = match known(app, provider, person).await? {
            Some((identity, member)) => Some(returning(app, provider, identity, member, email).await?),
            None => arriving(app, provider, person, email).await?,
        };
        let Some(Entering { member, batch, joins, new }) = entering else {
            pause(round).await;
            continue;
        };
        let (verified, started) = sign_in::verified(app, &member, caller, joins, new.as_ref()).await?;
        match app.store.commit(batch.and(started)).await {
            Ok(()) => {
                let (member, provider) = (&member.id, provider.id());
                match &verified {
                    Verified::SignedIn(_) => {
                        session::bounded(app, member).await;
                        tracing::info!(%member, provider, joins, "signed in elsewhere");
                    }
                    Verified::Asked(_) => tracing::info!(%member, provider, "asked for a second factor"),
                }
                return Ok(verified);
            }
            // The same person's other sign-in was faster, or somebody changed the member.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// The member whom the provider's subject is linked with. One who was erased is nobody's any more.
async fn known(app: &App, provider: &Provider, person: &Person) -> Result<Option<(Identity, Member)>> {
    let Some(identity) = identity::known_as(app, provider.issuer(), &person.subject).await? else {
        return Ok(None);
    };
    let member = app.store.one(&identity.member).await?;
    match member {
        Some(member) if !member.is_former() => Ok(Some((identity, member))),
        // An erasure takes it away in a moment.
        _ => Err(forbidden("This account is being erased. Try again in a few minutes.")),
    }
}

/// A member who is known by the provider's subject. Their address there may be another one by now: they are the
/// same person, but nothing shows that they still read the mail of the address that they are a member with.
async fn returning(
    app: &App,
    provider: &Provider,
    identity: Identity,
    member: Member,
    email: &EmailAddress,
) -> Result<Entering> {
    let now = app.clock.now();
    let (member, batch) = if speaks_for(email, &member) {
        let admitted = member::signing_in(app, email, Some(member), Proof::Provider).await?;
        admitted.ok_or_else(|| not_admitted(app, provider))?
    } else {
        let another = member::with_address(app, &email.key()).await?;
        if another.is_some_and(|another| another.id != member.id) {
            return Err(forbidden(&format!(
                "Your address at {} is the one of another account here. Sign in with a code, and unlink what you \
                 don't use.",
                provider.name()
            )));
        }
        if member.shut_out(now).is_some() || member.standing.is_lapsed(now) {
            return Err(forbidden(&format!(
                "Your address at {} is not the one that you are a member with. Sign in with a code sent to that \
                 one first.",
                provider.name()
            )));
        }
        // As it is: somebody may change it at the same moment.
        let batch = Batch::new().replace(&member);
        (member, batch)
    };
    let batch = batch.replace(&Identity { last_used_at: now, ..identity });
    Ok(Entering { member, batch, joins: false, new: None })
}

/// Somebody whom the provider sends for the first time: the member with the address that it verified, or a new
/// one. `None` when that member was changed meanwhile.
async fn arriving(
    app: &App,
    provider: &Provider,
    person: &Person,
    email: &EmailAddress,
) -> Result<Option<Entering>> {
    let known = member::with_address(app, &email.key()).await?;
    if let Some(member) = &known {
        if member.owner.is_some() || member.is_former() || !speaks_for(email, member) {
            return Err(not_admitted(app, provider));
        }
        // The address may have been somebody else's, who has left.
        let other = identity::at(app, &member.id, provider.issuer()).await?;
        // The very same was linked a moment ago: then it is found in the next round.
        if other.is_some_and(|other| other.subject != person.subject) {
            return Err(forbidden(&format!(
                "The member with this address is linked with another account at {}. Sign in with a code, and \
                 unlink that one first.",
                provider.name()
            )));
        }
    }
    let (joins, version) = (known.is_none(), known.as_ref().map(|member| member.version));
    let Some((member, batch)) = member::signing_in(app, email, known, Proof::Provider).await? else {
        let changed = member::has_changed(app, &email.key(), version).await?;
        return if changed { Ok(None) } else { Err(not_admitted(app, provider)) };
    };
    let now = app.clock.now();
    let identity = Identity {
        id: app.ids.fresh(),
        version: 1,
        member: member.id.clone(),
        provider: provider.id().to_owned(),
        issuer: provider.issuer().to_owned(),
        subject: person.subject.clone(),
        email: email.clone(),
        created_at: now,
        last_used_at: now,
    };
    Ok(Some(match (joins, member.second_factor) {
        // There was nothing yet that somebody could have linked it with behind their back.
        (true, _) => Entering { member, batch: batch.insert(&identity), joins, new: None },
        (false, None) => {
            let batch = batch.and(identity::linking(app, &member, &identity));
            Entering { member, batch, joins, new: None }
        }
        // Nothing is linked by half a sign-in.
        (false, Some(_)) => Entering { member, batch, joins, new: Some(identity) },
    }))
}

/// Whether who reads this address's mail reads the member's: a plus-tag is another mailbox at some hosts.
fn speaks_for(email: &EmailAddress, member: &Member) -> bool {
    let same = email.as_str().eq_ignore_ascii_case(member.email.as_str());
    same || (email.key() == member.email_key && email.key().eq_ignore_ascii_case(email.as_str()))
}

/// What went wrong at the provider, for whoever wanted to sign in; and why, for the operator.
fn failed(provider: &Provider, failure: &Failure) -> Error {
    let (id, name) = (provider.id(), provider.name());
    match failure {
        Failure::Away(why) => {
            tracing::warn!(provider = id, why, "a provider of single sign-on is away");
            let message =
                format!("Signing in with {name} does not work just now. Sign in with a code by e-mail.");
            Error::Coded(Code::ProviderUnavailable, message)
        }
        Failure::Over => over(),
        Failure::Unproven(why) => {
            tracing::warn!(provider = id, why, "what a provider of single sign-on says can't be believed");
            forbidden(&format!(
                "What {name} says of you could not be checked. Try again, or sign in with a code by e-mail."
            ))
        }
    }
}

/// The names of these errors are few (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6), but the rest may be
/// anything.
fn no_code(provider: &Provider, error: Option<&str>) -> Error {
    let name = provider.name();
    if matches!(error, Some("server_error" | "temporarily_unavailable")) {
        return failed(provider, &Failure::Away("says that it is".to_owned()));
    }
    forbidden(&format!("You did not sign in at {name}. Try again, or sign in with a code by e-mail."))
}

fn unverified(provider: &Provider) -> Error {
    forbidden(&format!(
        "{} does not say that your e-mail address is verified, so we can't tell that it is yours. Sign in with a \
         code by e-mail.",
        provider.name()
    ))
}

/// Whoever hears this has shown whose address it is.
fn not_admitted(app: &App, provider: &Provider) -> Error {
    forbidden(&format!(
        "Nobody can sign in with your address at {} just now: it needs an invitation, or was not accepted. If you \
         have questions, write to {}.",
        provider.name(),
        app.config.network.contact
    ))
}

/// The same for all that can be wrong with what a browser brings.
fn over() -> Error {
    let message = "This sign-in is over: it was finished, took too long or was begun in another browser. Begin \
                   again.";
    Error::Coded(Code::WrongCode, message.to_owned())
}
