//! Secrets for programs: `hope_pat_…` of a member, `hope_svc_…` of a service account, then 30 random
//! characters and a checksum of those (CRC-32 in base 62, as GitHub's tokens have it). The start lets
//! scanners find secrets that were published by mistake, the checksum lets them and us tell a secret from
//! something that only looks like one, without asking the store.

use flate2::Crc;

use crate::app::App;

/// Whom a secret is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Member,
    ServiceAccount,
}

impl Of {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Member => "hope_pat_",
            Self::ServiceAccount => "hope_svc_",
        }
    }
}

const PURPOSE: &str = "access-token";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^30 is more than 2^178.
const RANDOM: usize = 30;
/// 62^6 is more than 2^32.
const CHECKSUM: usize = 6;

/// A new secret.
#[must_use]
pub fn fresh(app: &App, of: Of) -> String {
    let mut random = String::with_capacity(RANDOM);
    while random.len() < RANDOM {
        // 248 is four times 62: the bytes above would make some characters likelier than others.
        let even = app.ids.bytes::<48>().into_iter().filter(|byte| *byte < 248);
        let characters = even.map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        random.extend(characters.take(RANDOM - random.len()));
    }
    format!("{}{random}{}", of.prefix(), checksum(&random))
}

/// Whether a text claims to be one of these secrets.
#[must_use]
pub fn is_meant(text: &str) -> bool {
    kind(text).is_some()
}

fn kind(text: &str) -> Option<(Of, &str)> {
    [Of::Member, Of::ServiceAccount].into_iter().find_map(|of| Some((of, text.strip_prefix(of.prefix())?)))
}

/// What is stored of a secret: nothing that helps to guess it, and nothing that another installation could
/// look up. `None` when it is mistyped.
#[must_use]
pub fn hash(app: &App, secret: &str) -> Option<String> {
    let (_, rest) = kind(secret)?;
    if rest.len() != RANDOM + CHECKSUM || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let (random, sum) = rest.split_at(RANDOM);
    (checksum(random) == sum).then(|| hex(&app.keys.tag(PURPOSE, secret)))
}

fn checksum(random: &str) -> String {
    let mut crc = Crc::new();
    crc.update(random.as_bytes());
    let (mut rest, mut digits) = (crc.sum() as usize, [0; CHECKSUM]);
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % 62];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32_in_base_62() {
        // CRC-32's check value, 0xCBF43926.
        let number = checksum("123456789").bytes().fold(0, |number: u64, digit| {
            let at = ALPHABET.iter().position(|known| *known == digit).unwrap();
            number * 62 + u64::try_from(at).unwrap()
        });
        assert_eq!(number, 0xCBF4_3926);
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn secrets_are_known_by_their_start() {
        for (text, meant) in [
            ("hope_pat_", true),
            ("hope_svc_x", true),
            ("Hope_pat_x", false),
            ("hope_pat", false),
            ("eyJhbGciOi", false),
            ("", false),
        ] {
            assert_eq!(is_meant(text), meant, "{text}");
        }
    }
}
