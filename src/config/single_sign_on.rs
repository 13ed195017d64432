//! Providers of single sign-on: OpenID Connect, by configuration.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Deserializer, de::Error as _};
use url::{Host, Url};

/// Names are on buttons.
const NAME_MAX: usize = 60;
/// Ids are in addresses.
const ID_MAX: usize = 32;

/// One provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What people know it by.
    pub name: String,
    /// As the provider writes it, to the letter: its tokens are compared with it.
    #[serde(deserialize_with = "issuer")]
    pub issuer: String,
    pub client_id: String,
    #[serde(default)]
    pub client_secret: Option<Hidden>,
    /// Beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// What sign-in there is asked to be like.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// What it has to have been like; empty: anything.
    #[serde(default)]
    pub required_acr: Vec<String>,
    /// The claim that has the address.
    #[serde(default = "email_claim")]
    pub email_claim: String,
    /// The claim that says that the address was verified.
    #[serde(default = "verified_claim")]
    pub verified_claim: String,
    /// Domains whose addresses this provider gives out itself, so that it need not say that they are verified.
    #[serde(default)]
    pub own_domains: Vec<String>,
}

fn scopes() -> Vec<String> {
    vec!["email".to_owned()]
}

fn email_claim() -> String {
    "email".to_owned()
}

fn verified_claim() -> String {
    "email_verified".to_owned()
}

/// Tokens and keys come over TLS; without it only from this very machine.
fn issuer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).map_err(D::Error::custom)?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if plain && safe {
        Ok(text)
    } else {
        Err(D::Error::custom("an issuer is an https address without a query"))
    }
}

/// Whether an address is of this very machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

impl Provider {
    /// A sentence about what is wrong.
    pub(super) fn check(&self, id: &str) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let problem = if id.is_empty() || id.len() > ID_MAX || !id.chars().all(plain) {
            "its id is made of small letters, digits and hyphens, at most 32"
        } else if self.name.trim().is_empty() || self.name.chars().count() > NAME_MAX {
            "name has 1 to 60 characters"
        } else if self.client_id.is_empty() {
            "client_id is missing"
        } else if self.client_secret.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
            "client_secret is empty: leave it out where the provider gives none"
        } else if self.email_claim.is_empty() || self.verified_claim.is_empty() {
            "email_claim and verified_claim name a claim each"
        } else {
            return Ok(());
        };
        Err(format!("single_sign_on.{id}: {problem}."))
    }
}

/// A password. It is never printed.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
