//! Registering a factor: a challenge is asked for and answered. With the first come recovery codes.

use super::{audited, changing, of, of_member, stored, told};
use crate::{
    actions::{
        access::{SignedIn, Viewer},
        once::{Decision, Request, once},
    },
    app::App,
    domain::{
        audit::AuditAction,
        factor_challenge::{FactorChallenge, Purpose},
        guard::Acknowledged,
        member::Member,
        second_factor::{FACTORS_MAX, Factor, FactorNews, NAME_MAX, Proof, SecondFactors},
        session::Session,
        text::{Written, line},
    },
    error::{Code, Error, Result, not_found, unauthenticated},
    ids::Id,
    query::{Order, Page},
    store::{Batch, Guard},
    tokens::{
        access, passkey,
        second_factor::{self as secrets, Enrolment},
    },
};

/// A factor to be registered, as it was asked for.
pub struct Wish {
    pub challenge: Id<FactorChallenge>,
    /// On which device it is; when empty, what kind it is.
    pub name: String,
    pub acknowledged: Acknowledged,
}

/// What somebody has after they registered a factor. Never logged, so it has no `Debug`.
pub struct Added {
    pub factors: SecondFactors,
    /// New ones, where there are: shown this once, and none to a repeat of the same request.
    pub recovery_codes: Option<Vec<String>>,
    /// An access token of the session, which has shown a factor.
    pub access: String,
}

/// A challenge for an authenticator app. What the app is told is its [`enrolment`].
///
/// # Errors
/// `SECOND_FACTOR_REQUIRED`; `TOO_MANY`.
pub async fn start_totp(app: &App, viewer: &Viewer, request: &Request) -> Result<FactorChallenge> {
    once(app, viewer, request, || async {
        room(app, viewer).await?;
        let (id, now) = (app.ids.fresh(), app.clock.now());
        let result = FactorChallenge::new(id, &viewer.id, Purpose::AddTotp, None, now);
        let batch = Batch::new().insert(&result);
        Ok(Decision { result, batch })
    })
    .await
}

/// What the app is told that answers a challenge of the viewer.
///
/// # Errors
/// Not found, when the challenge is not open (any more): nobody is told of an app that is registered.
pub async fn enrolment(app: &App, viewer: &Viewer, challenge: &Id<FactorChallenge>) -> Result<Enrolment> {
    let challenge = open(app, viewer, challenge, &Purpose::AddTotp).await?;
    secrets::enrolment(app, viewer, &challenge.factor())
}

/// A challenge for a passkey, with what to ask the browser.
///
/// # Errors
/// As [`start_totp`]; `WRONG_STATE` where passkeys don't work.
pub async fn start_passkey(app: &App, viewer: &Viewer, request: &Request) -> Result<FactorChallenge> {
    once(app, viewer, request, || async {
        let known = room(app, viewer).await?;
        let ceremony = passkey::start_adding(app, viewer, known.as_ref())?;
        let (id, now) = (app.ids.fresh(), app.clock.now());
        let result = FactorChallenge::new(id, &viewer.id, Purpose::AddPasskey, Some(ceremony), now);
        let batch = Batch::new().insert(&result);
        Ok(Decision { result, batch })
    })
    .await
}

async fn room(app: &App, viewer: &Viewer) -> Result<Option<SecondFactors>> {
    let known = of(app, viewer).await?;
    changing(app, viewer, known.as_ref())?;
    match &known {
        Some(known) if known.factors.len() >= FACTORS_MAX => {
            let message = format!("You have {FACTORS_MAX} second factors already. Remove one first.");
            Err(Error::refused("name", Code::TooMany, message))
        }
        _ => Ok(known),
    }
}

/// Registers the authenticator app that shows this code. That code is used then.
///
/// # Errors
/// As [`start_totp`]; not found, when the challenge is not open (any more); `WRONG_CODE`.
pub async fn add_totp(
    app: &App,
    viewer: &Viewer,
    wish: &Wish,
    code: &str,
    request: &Request,
) -> Result<Added> {
    add(app, viewer, wish, &Purpose::AddTotp, request, |challenge| {
        let step = secrets::step(app, &challenge.factor(), code);
        let wrong = "The code is not the one that the app shows now. Check that its clock is right.";
        let last_step = step.ok_or_else(|| Error::refused("code", Code::WrongCode, wrong))?;
        Ok(Proof::Totp { last_step })
    })
    .await
}

/// Registers the passkey in a browser's answer.
///
/// # Errors
/// As [`start_totp`]; not found, when the challenge is not open (any more); `WRONG_CODE`, `INVALID`.
pub async fn add_passkey(
    app: &App,
    viewer: &Viewer,
    wish: &Wish,
    answer: &str,
    request: &Request,
) -> Result<Added> {
    add(app, viewer, wish, &Purpose::AddPasskey, request, |challenge| {
        let ceremony = challenge.ceremony.as_ref().ok_or_else(|| not_found("challenge"))?;
        passkey::finish_adding(app, ceremony, answer).map_err(|error| error.in_field("credential"))
    })
    .await
}

async fn add(
    app: &App,
    viewer: &Viewer,
    wish: &Wish,
    purpose: &Purpose,
    request: &Request,
    proof: impl Fn(&FactorChallenge) -> Result<Proof>,
) -> Result<Added> {
    let name = match wish.name.trim() {
        "" => None,
        name => Some(
            line("name", Written::new(name, wish.acknowledged), NAME_MAX)
                .map_err(|problem| Error::Refused(vec![problem]))?,
        ),
    };
    let (codes, hashes) = secrets::recovery_codes(app, &viewer.id);
    let factors = once(app, viewer, request, || async {
        let known = room(app, viewer).await?;
        let signed_in = changing(app, viewer, known.as_ref())?;
        let challenge = open(app, viewer, &wish.challenge, purpose).await?;
        let factor = factor(app, &challenge, name.clone(), proof(&challenge)?);
        nobody_s_yet(app, &factor).await?;
        let news = FactorNews::Added(factor.kind());
        let (before, mut factors) = match known {
            Some(known) => (known.factors.len(), known),
            None => (0, SecondFactors::none(&viewer.id)),
        };
        let used = Batch::new().delete(&challenge.id, Guard::Present);
        factors.add(factor);
        let batch = if before == 0 {
            factors.recovery_codes.clone_from(&hashes);
            let since = [Member::SECOND_FACTOR.set(Some(app.clock.now()))];
            used.insert(&factors).patch(&viewer.id, Guard::Present, since)
        } else {
            used.replace(&factors)
        };
        let batch = batch
            .and(shown(app, session(app, signed_in).await?))
            .and(told(app, viewer, news))
            .and(audited(app, viewer, AuditAction::AddSecondFactor, before, before + 1));
        Ok(Decision { result: factors, batch })
    })
    .await?;
    tracing::info!(member = %viewer.id, factors = factors.factors.len(), "a second factor is registered");
    let recovery_codes = (factors.recovery_codes == hashes).then_some(codes);
    Ok(Added { factors, recovery_codes, access: access_token(app, viewer).await? })
}

/// The viewer's challenge, while it can be answered.
async fn open(
    app: &App,
    viewer: &Viewer,
    id: &Id<FactorChallenge>,
    purpose: &Purpose,
) -> Result<FactorChallenge> {
    let found = app.store.one(id).await?.filter(|challenge| challenge.member == viewer.id);
    let open = found.filter(|challenge| challenge.is_open(purpose, app.clock.now()));
    open.ok_or_else(|| not_found("challenge any more"))
}

fn factor(app: &App, challenge: &FactorChallenge, name: Option<String>, proof: Proof) -> Factor {
    let now = app.clock.now();
    let name = name.unwrap_or_else(|| proof.kind().words().to_owned());
    Factor { id: challenge.factor(), name, proof, created_at: now, last_used_at: None }
}

/// A passkey is one member's (WebAuthn, 7.1, step 26). Two who register the same at the same moment each have
/// it, which helps neither: each shows it with their own name.
async fn nobody_s_yet(app: &App, factor: &Factor) -> Result<()> {
    let Proof::Passkey { credential_id, .. } = &factor.proof else { return Ok(()) };
    let filter = SecondFactors::CREDENTIALS.contains(credential_id.as_str());
    if app.store.find(filter, Order::by_id(), Page::first(1)).await?.is_empty() {
        return Ok(());
    }
    Err(Error::refused("credential", Code::Invalid, "This passkey is registered already."))
}

async fn session(app: &App, signed_in: &SignedIn) -> Result<Session> {
    app.store.one(&signed_in.session).await?.ok_or_else(unauthenticated)
}

/// That a session has shown a factor just now.
pub(super) fn shown(app: &App, session: Session) -> Batch {
    let now = [Session::FACTOR_AT.set(Some(app.clock.now()))];
    Batch::new().patch(&session.id, Guard::Present, now)
}

/// An access token of the viewer's session as it is now.
pub(super) async fn access_token(app: &App, viewer: &Viewer) -> Result<String> {
    let id = viewer.session().ok_or_else(unauthenticated)?;
    access::issue(app, &app.store.one(id).await?.ok_or_else(unauthenticated)?)
}

/// Makes new recovery codes in place of those that are left.
///
/// # Errors
/// `SECOND_FACTOR_REQUIRED`; `WRONG_STATE` for a member without a factor.
pub async fn renew_codes(app: &App, viewer: &Viewer, request: &Request) -> Result<Added> {
    let (codes, hashes) = secrets::recovery_codes(app, &viewer.id);
    let factors = once(app, viewer, request, || async {
        let message = "Recovery codes come with the first authenticator app or passkey. Register one.";
        let none = || Error::Coded(Code::WrongState, message.to_owned());
        let mut factors = of_member(app, &viewer.id).await?.ok_or_else(none)?;
        changing(app, viewer, Some(&factors))?;
        factors.recovery_codes.clone_from(&hashes);
        let count = factors.factors.len();
        let batch = Batch::new()
            .replace(&factors)
            .and(told(app, &stored(app, viewer).await?, FactorNews::CodesRenewed))
            .and(audited(app, viewer, AuditAction::RenewRecoveryCodes, count, count));
        Ok(Decision { result: factors, batch })
    })
    .await?;
    let recovery_codes = (factors.recovery_codes == hashes).then_some(codes);
    Ok(Added { factors, recovery_codes, access: access_token(app, viewer).await? })
}
