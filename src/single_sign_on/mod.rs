//! Providers of single sign-on: people sign in there, and the provider says who they are (OpenID Connect, the
//! authorisation code flow with PKCE).
//!
//! What a provider says counts only when it comes from its own endpoint over TLS and is signed with a key of its
//! own. Nothing of it is asked for before somebody signs in, so a provider that is away keeps nothing else from
//! working.

mod http;
mod known;
mod person;

use std::{collections::BTreeMap, sync::Arc};

use openidconnect::{
    AuthType, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, StandardErrorResponse, TokenResponse as _,
    core::{CoreClientAuthMethod, CoreErrorResponseType, CoreResponseType},
};
use url::Url;

pub use self::person::Person;
use self::{
    http::{Http, HttpError},
    known::{Client, Known, Metadata},
};
use crate::{
    clock::Timestamp,
    config::{Config, single_sign_on as settings},
};

/// All that are configured.
#[derive(Default)]
pub struct Providers(BTreeMap<String, Provider>);

/// One that people sign in at.
pub struct Provider {
    id: String,
    settings: settings::Provider,
    redirect: RedirectUrl,
    http: Http,
    known: Known,
}

/// What makes an answer of a provider one to our own question.
pub struct Question {
    /// Comes back with the code.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// Whose digest goes ahead (RFC 7636).
    pub verifier: String,
}

/// Why a provider's answer signs nobody in. The texts are for operators, without anything of the person.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The provider can't be asked, or does not know us.
    #[error("{0}")]
    Away(String),
    /// The code has been used, is too old or was for somebody else.
    #[error("the code is used up")]
    Over,
    /// What it says can't be believed.
    #[error("{0}")]
    Unproven(String),
}

impl Providers {
    /// # Errors
    /// A sentence for an operator.
    pub fn new(config: &Config) -> Result<Self, String> {
        let provider = |(id, settings): (&String, &settings::Provider)| {
            let redirect = config.link(&format!("/sign-in/with/{id}/callback"));
            let redirect = RedirectUrl::new(redirect).map_err(|error| error.to_string())?;
            let (http, settings) = (Http::to(&settings.issuer)?, settings.clone());
            Ok((id.clone(), Provider { id: id.clone(), settings, redirect, http, known: Known::default() }))
        };
        config.single_sign_on.iter().map(provider).collect::<Result<_, String>>().map(Self)
    }

    #[must_use]
    pub fn named(&self, id: &str) -> Option<&Provider> {
        self.0.get(id)
    }

    /// In the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &Provider> {
        self.0.values()
    }
}

impl Provider {
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people know it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Looks whether it is there and is what it is taken for.
    ///
    /// # Errors
    /// [`Failure::Away`].
    pub async fn check(&self, now: Timestamp) -> Result<(), Failure> {
        self.metadata(now).await.map(drop)
    }

    /// Where to send a browser to sign in.
    ///
    /// # Errors
    /// [`Failure::Away`].
    pub async fn address(&self, question: &Question, now: Timestamp) -> Result<Url, Failure> {
        let client = self.client(&*self.metadata(now).await?);
        let (state, nonce) = (question.state.clone(), question.nonce.clone());
        let verifier = PkceCodeVerifier::new(question.verifier.clone());
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut request = client
            .authorize_url(flow, move || CsrfToken::new(state), move || Nonce::new(nonce))
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for wanted in &self.settings.acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(wanted.clone()));
        }
        Ok(request.url().0)
    }

    /// Whose a code is. `issuer` came back beside it (RFC 9207), where the provider says so: one that doesn't fit
    /// is of another provider, to which the code must not be betrayed.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn person(
        &self,
        code: &str,
        issuer: Option<&str>,
        question: &Question,
        now: Timestamp,
    ) -> Result<Person, Failure> {
        let metadata = self.metadata(now).await?;
        match issuer {
            Some(issuer) if issuer != self.settings.issuer => {
                return Err(Failure::Unproven("the answer is of another issuer".to_owned()));
            }
            None if metadata.additional_metadata().names_issuer() => {
                return Err(Failure::Unproven("the answer does not name its issuer".to_owned()));
            }
            _ => {}
        }
        let client = self.client(&metadata);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| Failure::Away("has no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(question.verifier.clone()))
            .request_async(&self.http)
            .await
            .map_err(refused)?;
        let token = tokens.id_token().ok_or_else(|| Failure::Unproven("there is no ID token".to_owned()))?;
        let nonce = Nonce::new(question.nonce.clone());
        let claims = self.claims(metadata, token, &nonce, now).await?;
        self.found(&client, tokens.access_token(), token, claims).await
    }

    fn client(&self, metadata: &Metadata) -> Client {
        let secret = self.settings.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let methods = metadata.token_endpoint_auth_methods_supported();
        // Basic is what is meant where nothing is said (OpenID Connect Discovery, 3).
        let basic = methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        Client::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.settings.client_id.clone()),
            secret,
        )
        .set_auth_type(if basic { AuthType::BasicAuth } else { AuthType::RequestBody })
        .set_redirect_uri(self.redirect.clone())
    }
}

/// Of what a token endpoint answers, only what kind of error it is: the rest may hold anything.
fn refused(error: RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>) -> Failure {
    match error {
        RequestTokenError::Request(error) => Failure::Away(error.to_string()),
        RequestTokenError::ServerResponse(answer)
            if *answer.error() == CoreErrorResponseType::InvalidGrant =>
        {
            Failure::Over
        }
        RequestTokenError::ServerResponse(_) => Failure::Away("refuses us as its client".to_owned()),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Failure::Unproven("the tokens can't be read".to_owned())
        }
    }
}

/// A provider's keys and addresses, shared by those who sign in.
type Shared = Arc<Metadata>;
