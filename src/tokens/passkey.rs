//! Passkeys (WebAuthn): what browsers are asked, and whether their answers are good.
//!
//! A passkey belongs to the host of the public address. It counts only with the device's own check of who
//! holds it (a fingerprint, a PIN). No proof of the device's make is asked for.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use url::Host;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        CredentialID, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
        RegisterPublicKeyCredential, Uuid, WebauthnError,
    },
};

use crate::{
    app::App,
    domain::{
        factor_challenge::Ceremony,
        member::Member,
        second_factor::{Proof, SecondFactors, ShownPasskey},
    },
    error::{Code, Error, Result},
};

/// Keeps what a device calls the member apart from their id.
const USER: &str = "passkey-user";

/// Whether passkeys work at the public address: browsers want TLS, or localhost, and a name.
#[must_use]
pub fn work_here(app: &App) -> bool {
    service(app).is_ok()
}

fn service(app: &App) -> Result<Webauthn> {
    let url = &app.config.public_url;
    let name = match url.host() {
        Some(Host::Domain(name)) if app.config.is_https() || name == "localhost" => name,
        _ => {
            let message = "Passkeys don't work at this address of the service. Use an authenticator app.";
            return Err(Error::Coded(Code::WrongState, message.to_owned()));
        }
    };
    let builder = WebauthnBuilder::new(name, url).map_err(fault)?;
    builder.rp_name(&app.config.network.name).build().map_err(fault)
}

fn fault(error: impl std::fmt::Display) -> Error {
    Error::Fault(format!("a passkey can't be asked for: {error}"))
}

fn ceremony(options: &impl Serialize, state: &impl Serialize) -> Result<Ceremony> {
    let json = |value| serde_json::to_string(value).map_err(fault);
    let state = serde_json::to_string(state).map_err(fault)?;
    // WebAuthn's own names are inside `publicKey`.
    let options = serde_json::to_value(options).map_err(fault)?;
    Ok(Ceremony { options: json(&options["publicKey"])?, state })
}

/// What to ask the browser that registers a passkey; none that is registered already.
///
/// # Errors
/// `WRONG_STATE` where passkeys don't work.
pub fn start_adding(app: &App, member: &Member, known: Option<&SecondFactors>) -> Result<Ceremony> {
    let passkeys = stored(known)?;
    let known: Vec<CredentialID> = passkeys.iter().map(|passkey| passkey.cred_id().clone()).collect();
    let mut user = [0; 16];
    user.copy_from_slice(&app.keys.tag(USER, member.id.as_str())[..16]);
    let user = Uuid::from_bytes(user);
    let address = member.email.as_str();
    let started = service(app)?.start_passkey_registration(user, address, &member.name, Some(known));
    let (options, state) = started.map_err(fault)?;
    ceremony(&options, &state)
}

/// The passkey in a browser's answer.
///
/// # Errors
/// `INVALID` for what is no answer; `WRONG_CODE` for one to another question, or from another site.
pub fn finish_adding(app: &App, ceremony: &Ceremony, answer: &str) -> Result<Proof> {
    let answer: RegisterPublicKeyCredential = read(answer)?;
    let state: PasskeyRegistration = serde_json::from_str(&ceremony.state).map_err(fault)?;
    let passkey = service(app)?.finish_passkey_registration(&answer, &state).map_err(refused)?;
    let credential = serde_json::to_string(&passkey).map_err(fault)?;
    Ok(Proof::Passkey { credential_id: id(passkey.cred_id()), credential, counter: 0 })
}

/// What to ask the browser of a member who has passkeys; none, where there are none or they don't work.
///
/// # Errors
/// A fault.
pub fn start_showing(app: &App, known: &SecondFactors) -> Result<Option<Ceremony>> {
    let passkeys = stored(Some(known))?;
    if passkeys.is_empty() || !work_here(app) {
        return Ok(None);
    }
    let (options, state) = service(app)?.start_passkey_authentication(&passkeys).map_err(fault)?;
    ceremony(&options, &state).map(Some)
}

/// The passkey that was shown; none where its device did not count on, so that there may be a copy of it.
///
/// # Errors
/// As [`finish_adding`].
pub fn finish_showing(
    app: &App,
    ceremony: &Ceremony,
    known: &SecondFactors,
    answer: &str,
) -> Result<Option<ShownPasskey>> {
    let answer: PublicKeyCredential = read(answer)?;
    let state: PasskeyAuthentication = serde_json::from_str(&ceremony.state).map_err(fault)?;
    let shown = match service(app)?.finish_passkey_authentication(&answer, &state) {
        // Looked at after the signature, which is good.
        Err(WebauthnError::CredentialPossibleCompromise) => return Ok(None),
        shown => shown.map_err(refused)?,
    };
    // It may have been removed since the question was asked.
    let mut passkeys = stored(Some(known))?.into_iter();
    let mut passkey = passkeys.find(|passkey| passkey.cred_id() == shown.cred_id()).ok_or_else(wrong)?;
    passkey.update_credential(&shown);
    Ok(Some(ShownPasskey {
        credential_id: id(shown.cred_id()),
        credential: serde_json::to_string(&passkey).map_err(fault)?,
        counter: shown.counter().into(),
    }))
}

fn stored(known: Option<&SecondFactors>) -> Result<Vec<Passkey>> {
    let passkeys = known.into_iter().flat_map(SecondFactors::passkeys);
    passkeys.map(|passkey| serde_json::from_str(passkey).map_err(fault)).collect()
}

/// As the browser calls it.
fn id(id: &CredentialID) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id)
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T> {
    serde_json::from_str(answer).map_err(|_| {
        let message = "This is not what a browser answers when it is asked for a passkey, as JSON.";
        Error::refused("credential", Code::Invalid, message)
    })
}

fn refused(error: WebauthnError) -> Error {
    tracing::warn!(?error, "a passkey is refused");
    wrong()
}

fn wrong() -> Error {
    Error::Coded(
        Code::WrongCode,
        "This passkey was not accepted. Start again, or show another factor.".to_owned(),
    )
}
