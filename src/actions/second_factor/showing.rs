//! Showing a factor: to finish signing in, or later, in a session that has not shown one lately.

use chrono::TimeDelta;

use super::{
    adding::{access_token, shown},
    of_member, told,
};
use crate::{
    actions::{
        ROUNDS,
        access::Viewer,
        audit::{Act, Concerned, acted_by_operator},
        identity, lost_every_round,
        once::{Decision, Request, once},
        pause, session,
        session::Tokens,
        sign_in::Answering,
    },
    app::App,
    domain::{
        audit::AuditAction,
        factor_challenge::{CHALLENGE_MINUTES, Ceremony, FactorChallenge, Purpose},
        identity::Identity,
        member::Member,
        second_factor::{FactorKind, FactorNews, SecondFactors},
        session::Session,
    },
    error::{Code, Error, Result, not_found, unauthenticated},
    ids::Id,
    store::{Batch, Guard, StoreError},
    tokens::{passkey, second_factor as secrets},
};

/// What somebody shows.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// Of an authenticator app, or a recovery code.
    Code(&'a str),
    /// What a browser answered when it was asked for a passkey, as JSON.
    Passkey(&'a str),
}

/// A way to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "SecondFactorMethod")]
pub enum Method {
    Totp,
    Passkey,
    RecoveryCode,
}

impl Method {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery-code",
        }
    }
}

/// What somebody is asked for who has a second factor.
pub struct Asked {
    /// What they go on with: whoever has it came with the code from the e-mail.
    pub challenge: String,
    pub methods: Vec<Method>,
    /// What the browser is asked for a passkey, as JSON.
    pub public_key: Option<String>,
    /// Seconds until the challenge is over.
    pub expires_in: i64,
}

impl Asked {
    fn of(app: &App, challenge: &FactorChallenge, known: &SecondFactors) -> Self {
        let methods = [
            (Method::Passkey, challenge.ceremony.is_some()),
            (Method::Totp, known.has(FactorKind::Totp)),
            (Method::RecoveryCode, !known.recovery_codes.is_empty()),
        ];
        Self {
            challenge: secrets::challenge(app, &challenge.id),
            methods: methods.into_iter().filter_map(|(method, there)| there.then_some(method)).collect(),
            public_key: challenge.ceremony.as_ref().map(|ceremony| ceremony.options.clone()),
            expires_in: challenge.expires_at.since(app.clock.now()).num_seconds(),
        }
    }
}

/// The challenge with which a member's sign-in goes on, and what is linked with them when it is answered. Not
/// written yet.
pub(in crate::actions) async fn asking(
    app: &App,
    member: &Member,
    linking: Option<&Identity>,
) -> Result<(Asked, Batch)> {
    let known = of_member(app, &member.id).await?;
    let known = known.ok_or_else(|| Error::Fault(format!("the second factors of {} are gone", member.id)))?;
    let ceremony = passkey::start_showing(app, &known)?;
    let (id, now) = (app.ids.fresh(), app.clock.now());
    let challenge = FactorChallenge::new(id, &member.id, Purpose::SignIn, ceremony, now);
    let challenge = FactorChallenge { identity: linking.cloned(), ..challenge };
    Ok((Asked::of(app, &challenge, &known), Batch::new().insert(&challenge)))
}

/// The same again, while it can be answered: for a page that is opened once more.
///
/// # Errors
/// `WRONG_CODE`.
pub async fn asked(app: &App, token: &str) -> Result<Asked> {
    let challenge = signing_in(app, token).await?;
    let known = of_member(app, &challenge.member).await?.ok_or_else(over)?;
    Ok(Asked::of(app, &challenge, &known))
}

async fn signing_in(app: &App, token: &str) -> Result<FactorChallenge> {
    let id = secrets::read_challenge(app, token).ok_or_else(over)?;
    let found = app.store.one(&id).await?;
    found.filter(|challenge| challenge.is_open(&Purpose::SignIn, app.clock.now())).ok_or_else(over)
}

/// Finishes signing in: the challenge, what was shown and the session's start in one commit, so that of any
/// number of attempts with the same one signs in.
///
/// # Errors
/// `WRONG_CODE`; `RateLimited` after too many wrong codes in a row.
pub async fn answer(app: &App, token: &str, answer: Answer<'_>, from: &Answering) -> Result<Tokens> {
    for round in 0..ROUNDS {
        let challenge = signing_in(app, token).await?;
        let member = app.store.one(&challenge.member).await?.filter(|member| member.second_factor.is_some());
        let member = member.ok_or_else(over)?;
        let (factors, also) = prove(app, &member, challenge.ceremony.as_ref(), answer).await?;
        let linked = match &challenge.identity {
            Some(identity) => identity::linking_at_last(app, &member, identity).await?.ok_or_else(over)?,
            None => Batch::new(),
        };
        let shown_at = Some(app.clock.now());
        let (session, started) = session::starting(app, &member, from.caller(), false, shown_at).await?;
        let batch = started.delete(&challenge.id, Guard::Present).replace(&factors).and(also).and(linked);
        match app.store.commit(batch).await {
            Ok(()) => {
                tracing::info!(member = %member.id, session = %session.id, "signed in with a second factor");
                session::bounded(app, &member.id).await;
                return Tokens::of(app, &session);
            }
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// A challenge for a session that goes on, with what to ask its browser for a passkey.
///
/// # Errors
/// `WRONG_STATE` for a member without a factor.
pub async fn start_showing(app: &App, viewer: &Viewer, request: &Request) -> Result<FactorChallenge> {
    let session = viewer.session().ok_or_else(unauthenticated)?;
    once(app, viewer, request, || async {
        let known = of_member(app, &viewer.id).await?.ok_or_else(none)?;
        let ceremony = passkey::start_showing(app, &known)?;
        let purpose = Purpose::Show { session: session.clone() };
        let result = FactorChallenge::new(app.ids.fresh(), &viewer.id, purpose, ceremony, app.clock.now());
        let batch = Batch::new().insert(&result);
        Ok(Decision { result, batch })
    })
    .await
}

/// Shows a factor in a session that goes on. A passkey answers a challenge. Returns a new access token, of a
/// session that has shown it.
///
/// # Errors
/// `WRONG_CODE`; `RateLimited` after too many wrong codes in a row; `WRONG_STATE` for a member without a
/// factor; not found, when the challenge is not open (any more).
pub async fn show(
    app: &App,
    viewer: &Viewer,
    challenge: Option<&Id<FactorChallenge>>,
    answer: Answer<'_>,
    request: &Request,
) -> Result<String> {
    let id = viewer.session().ok_or_else(unauthenticated)?;
    once(app, viewer, request, || async {
        let session = app.store.one(id).await?.ok_or_else(unauthenticated)?;
        let challenge = match challenge {
            Some(challenge) => Some(open(app, challenge, viewer, &session).await?),
            None => None,
        };
        let ceremony = challenge.as_ref().and_then(|challenge| challenge.ceremony.as_ref());
        let (factors, also) = prove(app, viewer, ceremony, answer).await?;
        let used = challenge.iter().map(|challenge| &challenge.id);
        let used = used.fold(Batch::new(), |batch, id| batch.delete(id, Guard::Present));
        let batch = used.replace(&factors).and(shown(app, session)).and(also);
        Ok(Decision { result: factors, batch })
    })
    .await?;
    tracing::info!(member = %viewer.id, session = %id, "a second factor is shown");
    access_token(app, viewer).await
}

async fn open(
    app: &App,
    id: &Id<FactorChallenge>,
    viewer: &Viewer,
    session: &Session,
) -> Result<FactorChallenge> {
    let purpose = Purpose::Show { session: session.id.clone() };
    let found = app.store.one(id).await?.filter(|challenge| challenge.member == viewer.id);
    let open = found.filter(|challenge| challenge.is_open(&purpose, app.clock.now()));
    open.ok_or_else(|| not_found("challenge any more"))
}

/// The member's factors after this was shown, and what belongs into the same commit. A wrong code is counted
/// before anybody is told that it was wrong, so that guesses made at once are all counted.
async fn prove(
    app: &App,
    member: &Member,
    ceremony: Option<&Ceremony>,
    answer: Answer<'_>,
) -> Result<(SecondFactors, Batch)> {
    for round in 0..ROUNDS {
        let mut factors = of_member(app, &member.id).await?.ok_or_else(none)?;
        let now = app.clock.now();
        match answer {
            Answer::Passkey(answer) => {
                let ceremony = ceremony.ok_or_else(wrong)?;
                let shown = passkey::finish_showing(app, ceremony, &factors, answer)?;
                if shown.is_some_and(|shown| factors.use_passkey(&shown, now)) {
                    return Ok((factors, Batch::new()));
                }
                tracing::warn!(member = %member.id, "a passkey did not count on: there may be a copy of it");
                app.store.commit(suspected(app, member)).await?;
                return Err(wrong());
            }
            Answer::Code(code) => {
                if let Some(seconds) = factors.pause_left(now) {
                    return Err(Error::RateLimited { seconds });
                }
                if let Some(news) = use_code(app, &mut factors, code) {
                    let also = news.map_or_else(Batch::new, |news| told(app, member, news));
                    return Ok((factors, also));
                }
                factors.count_wrong(now);
                match app.store.commit(Batch::new().replace(&factors)).await {
                    Ok(()) => return Err(wrong()),
                    Err(StoreError::Stale { .. }) => pause(round).await,
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Err(lost_every_round())
}

/// What becomes of a possible copy: the member is told, and moderators find it. Whoever showed it is told no
/// more than of any other wrong one.
fn suspected(app: &App, member: &Member) -> Batch {
    let act = Act::new(AuditAction::SuspectPasskey, member.id.as_str());
    told(app, member, FactorNews::Copied).and(acted_by_operator(app, act, &Concerned::nobody()))
}

/// `None` for a wrong code; otherwise what the member is told of it.
fn use_code(app: &App, factors: &mut SecondFactors, code: &str) -> Option<Option<FactorNews>> {
    if secrets::is_totp(code) {
        let used = factors.use_totp(app.clock.now(), |factor| secrets::step(app, factor, code));
        return used.then_some(None);
    }
    let hash = secrets::recovery_hash(app, &factors.member, code);
    let used = factors.use_recovery_code(&hash);
    used.then_some(Some(FactorNews::CodeUsed(factors.recovery_codes.len())))
}

fn wrong() -> Error {
    let message = "The code is wrong or has been used. Codes of an app work once: wait for the next one.";
    Error::Coded(Code::WrongCode, message.to_owned())
}

/// The same for all that can be wrong with a challenge.
fn over() -> Error {
    let message = format!(
        "This sign-in is over: it waits {} minutes for the second factor. Ask for a new code by e-mail.",
        TimeDelta::minutes(CHALLENGE_MINUTES).num_minutes()
    );
    Error::Coded(Code::WrongCode, message)
}

fn none() -> Error {
    let message = "You have no second factor. Set up an authenticator app or a passkey, at /second-factor.";
    Error::Coded(Code::WrongState, message.to_owned())
}
