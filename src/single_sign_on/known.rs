//! What is known of a provider: where its endpoints are and which keys it signs with. Asked for when it is
//! needed, and kept for an hour.

use std::sync::Arc;

use chrono::TimeDelta;
use openidconnect::{
    AdditionalClaims, AdditionalProviderMetadata, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdToken, IdTokenClaims, IdTokenFields, IssuerUrl, ProviderMetadata,
    StandardErrorResponse, StandardTokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod,
        CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
        CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tokio::sync::Mutex;

use super::{Failure, Provider, Shared, http::HttpError};
use crate::clock::Timestamp;

const KEPT: TimeDelta = TimeDelta::hours(1);
/// A token may be signed with a key that is new; whoever makes up keys does not have us ask all the time.
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);
/// After a failure nobody waits for the next one for so long.
const AWAY_FOR: TimeDelta = TimeDelta::seconds(5);

/// What we read of the metadata beside what the library does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Also {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Also {}

impl Also {
    /// Whether answers name their issuer (RFC 9207).
    pub fn names_issuer(&self) -> bool {
        self.authorization_response_iss_parameter_supported
    }
}

/// The claims that the library has no name for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct OtherClaims(pub Map<String, Json>);

impl AdditionalClaims for OtherClaims {}

pub(super) type Metadata = ProviderMetadata<
    Also,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;
pub(super) type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;
pub(super) type Token =
    IdToken<OtherClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
pub(super) type Client = openidconnect::Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[derive(Default)]
pub(super) struct Known(Mutex<Latest>);

#[derive(Default)]
struct Latest {
    metadata: Option<(Shared, Timestamp)>,
    failed: Option<(String, Timestamp)>,
}

impl Provider {
    /// The provider's endpoints and keys.
    pub(super) async fn metadata(&self, now: Timestamp) -> Result<Shared, Failure> {
        self.not_older(KEPT, now).await
    }

    /// The same when a key was missing.
    pub(super) async fn metadata_again(&self, now: Timestamp) -> Result<Shared, Failure> {
        self.not_older(AGAIN_AFTER, now).await
    }

    /// Whoever comes while it is asked for waits for that answer.
    async fn not_older(&self, age: TimeDelta, now: Timestamp) -> Result<Shared, Failure> {
        let mut latest = self.known.0.lock().await;
        if let Some((metadata, at)) = &latest.metadata
            && now.since(*at) < age
        {
            return Ok(Arc::clone(metadata));
        }
        if let Some((why, at)) = &latest.failed
            && now.since(*at) < AWAY_FOR
        {
            return Err(Failure::Away(why.clone()));
        }
        let issuer =
            IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| Failure::Away(error.to_string()))?;
        match Metadata::discover_async(issuer, &self.http).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *latest = Latest { metadata: Some((Arc::clone(&metadata), now)), failed: None };
                Ok(metadata)
            }
            Err(error) => {
                let why = told(&error);
                latest.failed = Some((why.clone(), now));
                Err(Failure::Away(why))
            }
        }
    }
}

fn told(error: &DiscoveryError<HttpError>) -> String {
    match error {
        DiscoveryError::Request(error) => error.to_string(),
        DiscoveryError::Response(status, ..) => format!("answered {status} to discovery"),
        DiscoveryError::Validation(_) => "says in discovery that it is another issuer".to_owned(),
        DiscoveryError::Parse(error) => format!("has no metadata that can be read, at {}", error.path()),
        _ => "has no metadata that can be used".to_owned(),
    }
}
