//! What a provider says of whoever signed in there, and how much of it is believed.

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthenticationContextClass, ClaimsVerificationError, IdTokenVerifier,
    Nonce, SignatureVerificationError, UserInfoClaims, UserInfoError,
    core::{CoreGenderClaim, CoreJsonWebKey, CoreJwsSigningAlgorithm},
};
use serde_json::Value as Json;

use super::{
    Failure, Provider, Shared,
    known::{Claims, Client, Metadata, OtherClaims, Token},
};
use crate::{clock::Timestamp, config::single_sign_on as settings, domain::email::EmailAddress};

/// With which a key of the provider's own signs. Not those with a secret that both sides know: whoever reads our
/// settings would sign as anybody.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// How far two clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// The longest `sub` (OpenID Connect Core, 2).
const SUBJECT_MAX: usize = 255;

/// Who signed in at a provider.
pub struct Person {
    /// What the provider always knows them by.
    pub subject: String,
    /// None, when there is no address or nobody says that it was verified.
    pub email: Option<EmailAddress>,
}

impl Provider {
    /// The claims of a token that is the provider's, for us, about this sign-in and of now.
    pub(super) async fn claims<'t>(
        &self,
        metadata: Shared,
        token: &'t Token,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<&'t Claims, Failure> {
        match token.claims(&self.verifier(&metadata, now), nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.metadata_again(now).await?;
                token.claims(&self.verifier(&metadata, now), nonce).map_err(|error| unproven(&error))
            }
            verified => verified.map_err(|error| unproven(&error)),
        }
    }

    fn verifier<'v>(&'v self, metadata: &Metadata, now: Timestamp) -> IdTokenVerifier<'v, CoreJsonWebKey> {
        let at = now.utc();
        let client = openidconnect::ClientId::new(self.settings.client_id.clone());
        // Without the secret, which no signature that we take is made with.
        IdTokenVerifier::new_public_client(client, metadata.issuer().clone(), metadata.jwks().clone())
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || at)
            .set_issue_time_verifier_fn(move |issued| not_ahead(issued, at))
            .set_auth_context_verifier_fn(|acr| self.is_strong_enough(acr))
    }

    fn is_strong_enough(&self, acr: Option<&AuthenticationContextClass>) -> Result<(), String> {
        let required = &self.settings.required_acr;
        let has = |acr: &AuthenticationContextClass| required.iter().any(|required| *required == **acr);
        if required.is_empty() || acr.is_some_and(has) { Ok(()) } else { Err("acr".to_owned()) }
    }

    /// Who that is. Some providers tell the address only at another endpoint.
    pub(super) async fn found(
        &self,
        client: &Client,
        access: &AccessToken,
        token: &Token,
        claims: &Claims,
    ) -> Result<Person, Failure> {
        let subject = claims.subject().to_string();
        if subject.is_empty() || subject.len() > SUBJECT_MAX {
            return Err(Failure::Unproven("the subject is empty or too long".to_owned()));
        }
        let told = json(claims)?;
        if told.get(&self.settings.email_claim).is_some() {
            return Ok(Person { subject, email: address(&self.settings, &told) });
        }
        let Ok(request) = client.user_info(access.clone(), Some(claims.subject().clone())) else {
            return Ok(Person { subject, email: None });
        };
        if let Some(expected) = claims.access_token_hash() {
            let hash = token
                .signing_alg()
                .ok()
                .zip(token.signing_key(&client.id_token_verifier()).ok())
                .and_then(|(algorithm, key)| AccessTokenHash::from_token(access, algorithm, key).ok());
            if hash.is_some_and(|hash| hash != *expected) {
                return Err(Failure::Unproven("the access token is another one's".to_owned()));
            }
        }
        let told: UserInfoClaims<OtherClaims, CoreGenderClaim> =
            request.request_async(&self.http).await.map_err(|error| match error {
                UserInfoError::Request(error) => Failure::Away(error.to_string()),
                UserInfoError::ClaimsVerification(error) => unproven(&error),
                _ => Failure::Unproven("the answer about the person can't be read".to_owned()),
            })?;
        Ok(Person { subject, email: address(&self.settings, &json(&told)?) })
    }
}

fn json(claims: &impl serde::Serialize) -> Result<Json, Failure> {
    serde_json::to_value(claims).map_err(|_| Failure::Unproven("the claims can't be read".to_owned()))
}

fn not_ahead(issued: DateTime<Utc>, at: DateTime<Utc>) -> Result<(), String> {
    if issued <= at + LEEWAY { Ok(()) } else { Err("iat".to_owned()) }
}

/// The address, when the provider says that it was verified or gives out such addresses itself.
fn address(settings: &settings::Provider, claims: &Json) -> Option<EmailAddress> {
    let email = EmailAddress::parse(claims.get(&settings.email_claim)?.as_str()?).ok()?;
    let verified = match claims.get(&settings.verified_claim) {
        Some(said) => is_yes(said, settings),
        None => email.is_under(&settings.own_domains),
    };
    verified.then_some(email)
}

/// `email_verified` is a boolean (OpenID Connect Core, 5.1). Entra's `xms_edov` is one, or a number or text.
fn is_yes(said: &Json, settings: &settings::Provider) -> bool {
    match said {
        Json::Bool(yes) => *yes,
        Json::Number(one) if settings.verified_claim != "email_verified" => one.as_i64() == Some(1),
        Json::String(text) if settings.verified_claim != "email_verified" => text == "1" || text == "true",
        _ => false,
    }
}

/// What the library has to say may repeat what is in the token, which is somebody's.
fn unproven(error: &ClaimsVerificationError) -> Failure {
    let why = match error {
        ClaimsVerificationError::Expired(_) => "the token has expired",
        ClaimsVerificationError::InvalidAudience(_) => "the token is for another client",
        ClaimsVerificationError::InvalidAuthContext(_) => "the sign-in there was not as it is required",
        ClaimsVerificationError::InvalidIssuer(_) => "the token is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "the token is of another sign-in",
        ClaimsVerificationError::InvalidSubject(_) => "the answers are about two people",
        ClaimsVerificationError::SignatureVerification(why) => match why {
            SignatureVerificationError::NoMatchingKey => "the token is signed with a key that is not known",
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::NoSignature => {
                "the token is signed in a way that we don't take"
            }
            _ => "the signature is wrong",
        },
        _ => "the token is not as it should be",
    };
    Failure::Unproven(why.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    fn settings(more: &str) -> settings::Provider {
        let toml = format!("name = 'A'\nissuer = 'https://a.example'\nclient_id = 'a'\n{more}");
        toml::from_str(&toml).unwrap()
    }

    #[test]
    fn an_address_counts_when_the_provider_says_that_it_was_verified() {
        let own = "own_domains = ['nhs.net']";
        let edov = "verified_claim = 'xms_edov'";
        for (more, claims, counts) in [
            ("", json!({ "email": "a@nhs.net", "email_verified": true }), true),
            ("", json!({ "email": "a@nhs.net", "email_verified": false }), false),
            ("", json!({ "email": "a@nhs.net", "email_verified": "true" }), false),
            ("", json!({ "email": "a@nhs.net", "email_verified": 1 }), false),
            ("", json!({ "email": "a@nhs.net" }), false),
            ("", json!({ "email_verified": true }), false),
            ("", json!({ "email": "a@nhs.net,b@nhs.net", "email_verified": true }), false),
            ("", json!({ "email": ["a@nhs.net"], "email_verified": true }), false),
            (own, json!({ "email": "a@nhs.net" }), true),
            (own, json!({ "email": "a@nhs.net", "email_verified": false }), false),
            (own, json!({ "email": "a@nhs.net.example.com" }), false),
            (own, json!({ "email": "a@xnhs.net" }), false),
            (edov, json!({ "email": "a@nhs.net", "xms_edov": "1" }), true),
            (edov, json!({ "email": "a@nhs.net", "xms_edov": true }), true),
            (edov, json!({ "email": "a@nhs.net", "xms_edov": 0 }), false),
            (edov, json!({ "email": "a@nhs.net", "email_verified": true }), false),
            ("email_claim = 'upn'\nown_domains = ['nhs.net']", json!({ "upn": "a@nhs.net" }), true),
        ] {
            assert_eq!(address(&settings(more), &claims).is_some(), counts, "{more} {claims}");
        }
    }

    #[test]
    fn a_required_class_of_sign_in_is_looked_for() {
        let mut config = Config::defaults();
        config.single_sign_on.insert("a".to_owned(), settings("required_acr = ['AAL2', 'AAL3']"));
        let providers = super::super::Providers::new(&config).unwrap();
        let provider = providers.named("a").unwrap();
        let good = |acr: Option<&str>| {
            let acr = acr.map(|acr| AuthenticationContextClass::new(acr.to_owned()));
            provider.is_strong_enough(acr.as_ref()).is_ok()
        };
        assert_eq!([Some("AAL3"), Some("AAL1"), None].map(good), [true, false, false]);
    }
}
