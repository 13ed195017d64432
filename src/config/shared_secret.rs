//! Secrets that somebody else signs requests with, as Standard Webhooks writes them.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

const PREFIX: &str = "whsec_";
/// What the standard asks for.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// `whsec_` and the base64 of 24 to 64 random bytes. It is never printed.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct SharedSecret(Vec<u8>);

impl SharedSecret {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<String> for SharedSecret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        let long_enough = bytes.filter(|bytes| BYTES.contains(&bytes.len()));
        long_enough.map(Self).ok_or("it must be whsec_ and the base64 of 24 to 64 random bytes")
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_malformed_secrets_are_refused_and_none_is_printed() {
        let good = SharedSecret::try_from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()).unwrap();
        assert_eq!((good.bytes().len(), format!("{good:?}")), (24, "***".to_owned()));
        for wrong in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
            assert!(SharedSecret::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
