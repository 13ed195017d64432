//! Requests that somebody signed with a secret that we share: Standard Webhooks, version 1.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{clock::Timestamp, config::shared_secret::SharedSecret};

/// How far the sender's clock may be from ours, in milliseconds.
const LEEWAY_MILLIS: i64 = 5 * 60 * 1000;

/// What a request says of itself.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    pub id: &'a str,
    /// Seconds since 1970.
    pub timestamp: &'a str,
    /// One or more, separated by spaces: a version, a comma, and base64.
    pub signature: &'a str,
    pub body: &'a str,
}

impl Signed<'_> {
    /// Whether whoever knows the secret signed it within the last minutes.
    #[must_use]
    pub fn holds(&self, secret: &SharedSecret, now: Timestamp) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let Ok(seconds) = self.timestamp.parse::<i64>() else { return false };
        let age = now.millis().saturating_sub(seconds.saturating_mul(1000));
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        let is_ours = |signature: &str| {
            let bytes = signature.strip_prefix("v1,").and_then(|tag| STANDARD.decode(tag).ok());
            bytes.is_some_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
        };
        age.abs() <= LEEWAY_MILLIS && !self.id.is_empty() && self.signature.split(' ').any(is_ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out with Python's `hmac`.
    #[test]
    fn a_signature_is_as_others_make_it() {
        let secret = SharedSecret::try_from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()).unwrap();
        let now: Timestamp = "2021-02-25T12:00:00Z".parse().unwrap();
        let signed = Signed {
            id: "msg_1",
            timestamp: "1614254400",
            signature: "v1,o/uy9pV2EgVhrl+djGjtblkmU4ZCxbxzZFN7FBRKCuQ=",
            body: "{\"events\":[]}",
        };
        assert!(signed.holds(&secret, now));
        assert!(
            Signed { signature: "v2,x v1,AAAA v1,o/uy9pV2EgVhrl+djGjtblkmU4ZCxbxzZFN7FBRKCuQ=", ..signed }
                .holds(&secret, now)
        );
        let late = "2021-02-25T12:05:01Z".parse().unwrap();
        assert!(!signed.holds(&secret, late));
        for wrong in [
            Signed { id: "msg_2", ..signed },
            Signed { id: "", ..signed },
            Signed { timestamp: "1614254401", ..signed },
            Signed { timestamp: "x", ..signed },
            Signed { body: "{\"events\":[ ]}", ..signed },
            Signed { signature: "o/uy9pV2EgVhrl+djGjtblkmU4ZCxbxzZFN7FBRKCuQ=", ..signed },
            Signed { signature: "", ..signed },
        ] {
            assert!(!wrong.holds(&secret, now), "{}", wrong.id);
        }
    }
}
