//! Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037), which anybody with the
//! public keys at `/.well-known/jwks.json` can check. This is the only place that verifies them.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    clock::Timestamp,
    domain::session::Session,
    error::{Error, Result, unauthenticated},
    ids::Identified,
    keys::SigningKey,
};

/// How long a token works, in seconds. That of a session that was ended works no more: see
/// [`authenticate`](crate::actions::session::authenticate). So long it would for whoever only checks its
/// signature.
pub const SECONDS: i64 = 600;
/// How much the clocks of two processes may differ, in seconds.
const LEEWAY: i64 = 30;
/// Whom tokens are for.
const AUDIENCE: &str = "hope-exchange";
/// What a session's token allows: whatever the member may do.
const SCOPE: &str = "member";
/// The longest token that is looked at, in bytes. Ours have about 500.
const MAX: usize = 2_000;

/// What a token says, all but the last of it required. Times are seconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// The member's id.
    pub sub: String,
    pub exp: i64,
    pub nbf: i64,
    pub iat: i64,
    pub jti: String,
    /// The session's id.
    pub sid: String,
    pub scope: String,
    /// When the session last showed a second factor, in milliseconds, to be compared with what the member's
    /// says. Left out when it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor_at: Option<i64>,
}

struct Token;
impl Identified for Token {
    const PREFIX: &'static str = "tok";
}

/// A token for a session as it is stored.
///
/// # Errors
/// `Fault`, when there is no key to sign with.
pub fn issue(app: &App, session: &Session) -> Result<String> {
    let key = app
        .keys
        .signing(app.clock.now())
        .ok_or_else(|| Error::Fault("there is no signing key".to_owned()))?;
    let now = seconds(app);
    let claims = Claims {
        iss: issuer(app),
        aud: AUDIENCE.to_owned(),
        sub: session.member.to_string(),
        exp: now + SECONDS,
        nbf: now,
        iat: now,
        jti: app.ids.fresh::<Token>().to_string(),
        sid: session.id.to_string(),
        scope: SCOPE.to_owned(),
        factor_at: session.factor_at.map(Timestamp::millis),
    };
    let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, &claims, &key.encoding)
        .map_err(|error| Error::Fault(format!("an access token could not be signed: {error}")))
}

/// Who signs: the service at its public address.
#[must_use]
pub fn issuer(app: &App) -> String {
    app.config.public_url.as_str().trim_end_matches('/').to_owned()
}

fn seconds(app: &App) -> i64 {
    app.clock.now().millis().div_euclid(1000)
}

/// What a token says, when all of it holds now.
///
/// jsonwebtoken checks the signature and that the claims have the right types. It asks the machine
/// for the time, forgives 60 seconds, doesn't look at `nbf` or `iat`, and lets a token without `iss`
/// or `aud` pass although they are set; so those are checked here, against the injected clock.
///
/// # Errors
/// `Unauthenticated`, the same for every reason.
pub fn verify(app: &App, token: &str) -> Result<Claims> {
    signed_claims(app, token).filter(|claims| hold(app, claims)).ok_or_else(unauthenticated)
}

fn hold(app: &App, claims: &Claims) -> bool {
    let now = seconds(app);
    claims.iss == issuer(app)
        && claims.aud == AUDIENCE
        && claims.scope == SCOPE
        && now < claims.exp.saturating_add(LEEWAY)
        && claims.nbf <= now + LEEWAY
        && claims.iat <= now + LEEWAY
}

fn signed_claims(app: &App, token: &str) -> Option<Claims> {
    let key = key_of(app, token)?;
    let mut text = [0; 32];
    text.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    if key.signed.contains(&text) {
        return jsonwebtoken::dangerous::insecure_decode_claims(token).ok();
    }
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.set_issuer(&[issuer(app)]);
    validation.set_audience(&[AUDIENCE]);
    validation.validate_exp = false;
    validation.leeway = 0;
    let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation).ok()?.claims;
    key.signed.insert(text);
    Some(claims)
}

/// The key that the token names, one of ours; never one that the token brings along.
fn key_of(app: &App, token: &str) -> Option<Arc<SigningKey>> {
    if token.len() > MAX {
        return None;
    }
    let header = jsonwebtoken::decode_header(token).ok()?;
    let plain = header.alg == Algorithm::EdDSA && header.crit.is_none();
    app.keys.named(&header.kid.filter(|_| plain)?)
}
