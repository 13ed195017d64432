//! Second factors that are typed: codes of authenticator apps (RFC 6238) and recovery codes; and what a
//! sign-in goes on with until one was shown.
//!
//! An app's secret is derived from the factor's id, and of recovery codes a tag is stored: so a copy of the
//! store shows no factor. Whoever changes the installation's secret has all factors registered anew.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use totp_rs::{Builder, Totp};

use super::sign_in;
use crate::{
    app::App,
    domain::{
        factor_challenge::FactorChallenge,
        member::Member,
        second_factor::{Factor, RECOVERY_CODES},
    },
    error::{Error, Result},
    ids::Id,
};

const TOTP: &str = "totp";
const RECOVERY_CODE: &str = "recovery-code";
const CHALLENGE: &str = "factor-challenge";

/// Digits of an app's code.
pub const CODE_LENGTH: usize = 6;
/// 160 bits, as RFC 4226 recommends and as every app takes.
const SECRET_BYTES: usize = 20;
/// Seconds of a step.
const STEP: i64 = 30;
/// Characters of a recovery code. 27^10 is more than 2^47.
const RECOVERY_LENGTH: usize = 10;
/// 144 bits of the MAC, as in a link.
const TAG_BYTES: usize = 18;

/// What an authenticator app is told, once.
pub struct Enrolment {
    /// In base 32, by fours, for typing.
    pub secret: String,
    /// For a link or a square of dots.
    pub uri: String,
}

/// What the app of a new factor is told.
///
/// # Errors
/// A fault, when the network's name can't be part of an address.
pub fn enrolment(app: &App, member: &Member, factor: &Id<Factor>) -> Result<Enrolment> {
    let issuer = app.config.network.name.replace(':', " ");
    let totp = builder(app, factor).with_issuer(Some(issuer)).with_account_name(member.email.as_str());
    let fault = |error: totp_rs::TotpError| Error::Fault(format!("an app can't be enrolled: {error}"));
    let totp = totp.build().map_err(fault)?;
    let uri = totp.to_url().map_err(fault)?;
    let secret = totp.secret().to_base32();
    let fours: Vec<&str> =
        (0..secret.len()).step_by(4).map(|at| &secret[at..secret.len().min(at + 4)]).collect();
    Ok(Enrolment { secret: fours.join(" "), uri })
}

fn builder(app: &App, factor: &Id<Factor>) -> Builder {
    let tag = app.keys.tag(TOTP, factor.as_str());
    Builder::new().with_secret(tag[..SECRET_BYTES].to_vec()).with_skew(1)
}

/// Whether a text may be an app's code: digits, perhaps with a gap. Everything else is a recovery code.
#[must_use]
pub fn is_totp(typed: &str) -> bool {
    digits(typed).is_some()
}

fn digits(typed: &str) -> Option<String> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).take(CODE_LENGTH + 1).collect();
    (typed.len() == CODE_LENGTH && typed.bytes().all(|byte| byte.is_ascii_digit())).then_some(typed)
}

/// The step that a code of this factor's app is of: the present one or, as clocks differ and people type,
/// its neighbours.
#[must_use]
pub fn step(app: &App, factor: &Id<Factor>, typed: &str) -> Option<i64> {
    let seconds = u64::try_from(app.clock.now().millis().div_euclid(1000)).ok()?;
    let totp = builder(app, factor).build().ok()?;
    step_at(&totp, &digits(typed)?, seconds)
}

fn step_at(totp: &Totp, code: &str, seconds: u64) -> Option<i64> {
    totp.check(code, seconds).and_then(|step| i64::try_from(step).ok())
}

/// The step of a moment.
#[must_use]
pub fn present_step(app: &App) -> i64 {
    app.clock.now().millis().div_euclid(1000 * STEP)
}

/// New recovery codes, and what is stored of them.
#[must_use]
pub fn recovery_codes(app: &App, member: &Id<Member>) -> (Vec<String>, Vec<String>) {
    let code = |()| {
        let characters = sign_in::random_characters(app, RECOVERY_LENGTH);
        let (start, end) = characters.split_at(RECOVERY_LENGTH / 2);
        format!("{start}-{end}")
    };
    let codes: Vec<String> = [(); RECOVERY_CODES].map(code).into();
    let hashes = codes.iter().map(|code| recovery_hash(app, member, code)).collect();
    (codes, hashes)
}

/// What is stored of a member's recovery code, however it is typed.
#[must_use]
pub fn recovery_hash(app: &App, member: &Id<Member>, typed: &str) -> String {
    let kept = typed.chars().filter(char::is_ascii_alphanumeric).take(RECOVERY_LENGTH + 1);
    let code = kept.collect::<String>().to_ascii_uppercase();
    BASE64_URL_SAFE_NO_PAD.encode(app.keys.tag(RECOVERY_CODE, &format!("{member}\0{code}")))
}

/// What whoever came with the code from the e-mail goes on with.
#[must_use]
pub fn challenge(app: &App, id: &Id<FactorChallenge>) -> String {
    let tag = app.keys.tag(CHALLENGE, id.as_str());
    format!("{id}.{}", BASE64_URL_SAFE_NO_PAD.encode(&tag[..TAG_BYTES]))
}

/// The challenge that a text is of.
#[must_use]
pub fn read_challenge(app: &App, token: &str) -> Option<Id<FactorChallenge>> {
    let (id, tag) = token.split_once('.')?;
    let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).ok().filter(|tag| tag.len() == TAG_BYTES)?;
    Id::parse(id).filter(|_| app.keys.is_tag(CHALLENGE, id, &tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, of which apps show the last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let totp = Builder::new().with_secret(b"12345678901234567890".to_vec()).with_skew(1).build().unwrap();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = i64::try_from(seconds / 30).unwrap();
            assert_eq!(step_at(&totp, code, seconds), Some(step));
            assert_eq!(step_at(&totp, code, seconds + 30), Some(step), "a step late");
            assert_eq!(step_at(&totp, code, seconds - 30), Some(step), "a step early");
            assert_eq!(step_at(&totp, code, seconds + 90), None);
            assert_eq!(
                step_at(&totp, code, seconds.saturating_sub(60) / 30 * 30),
                (seconds < 60).then_some(step)
            );
        }
    }

    #[test]
    fn codes_are_told_apart_by_their_form() {
        for (typed, is) in [
            ("123456", true),
            (" 123 456 ", true),
            ("12345", false),
            ("1234567", false),
            ("BCDFG-HJKMN", false),
            ("12345６", false),
            ("", false),
        ] {
            assert_eq!(is_totp(typed), is, "{typed}");
        }
    }
}
