//! E-mail addresses: what is taken for one, when two are the same, and which may join.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest address that can be delivered to (RFC 5321, erratum 1690), in bytes.
const MAX: usize = 254;
/// The longest part before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The longest label of a domain (RFC 1035, 2.3.4).
const LABEL_MAX: usize = 63;
/// What an unquoted part before the `@` is made of besides letters and digits: RFC 5322's `atext`
/// without `%` and `!`, by which old mail servers pass a message on to another host.
const LOCAL_MARKS: &str = ".#$&'*+-/=?^_`{|}~";

/// Where no mailbox is (RFC 2606, 2): the domain of members that are no people. Nothing is sent there.
pub const NO_MAILBOX: &str = "service-account.invalid";

/// An address that passed the rule of [`parse`](Self::parse), as it was given but with its domain in
/// lower case. Whatever reads one from outside or from the store goes through that rule.
///
/// `Debug` masks it: an address is personal data and `{:?}` ends up in logs.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address. The rule is narrower than the RFCs': only what a real mailbox of the NHS
    /// has, so that nothing that is shown, logged, compared or put into a mail header can surprise.
    ///
    /// # Errors
    /// A sentence for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "Enter an e-mail address like name@trust.nhs.uk.";
        let text = text.trim();
        if text.is_empty() {
            return Err("Enter your e-mail address.");
        }
        if text.len() > MAX {
            return Err("Enter an e-mail address of at most 254 characters.");
        }
        let (local, domain) = text.split_once('@').ok_or(WRONG)?;
        if !is_local(local) || !is_domain(domain) {
            return Err(WRONG);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// As it was given, a plus-tag included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is unique: lower case, without the plus-tag.
    #[must_use]
    pub fn key(&self) -> String {
        let mailbox = self.local().split('+').next().unwrap_or_default();
        format!("{}@{}", mailbox.to_ascii_lowercase(), self.domain())
    }

    /// After the `@`, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// For logs: `j***@trust.nhs.uk`.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}***@{}", self.local().chars().next().unwrap_or('*'), self.domain())
    }

    /// Whether the address is at or under one of these domains, compared by whole labels:
    /// `trust.nhs.uk` is under `nhs.uk`, and `xnhs.uk` is not.
    #[must_use]
    pub fn is_under(&self, domains: &[String]) -> bool {
        domains.iter().map(|domain| domain.to_ascii_lowercase()).any(|domain| {
            let rest = self.domain().strip_suffix(domain.as_str());
            !domain.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

/// A domain that addresses may have, in lower case; `None` for what is none.
#[must_use]
pub fn domain(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() <= MAX && is_domain(text)).then(|| text.to_ascii_lowercase())
}

fn is_local(local: &str) -> bool {
    let named = !local.starts_with(['+', '.']) && !local.ends_with('.') && !local.contains("..");
    let plain = |c: char| c.is_ascii_alphanumeric() || LOCAL_MARKS.contains(c);
    !local.is_empty() && local.len() <= LOCAL_MAX && named && local.chars().all(plain)
}

/// A host name in the public DNS: at least two labels, none of them internationalised (a look-alike
/// letter would pass for a trust), the last not a number (an IP address).
fn is_domain(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.split('.').all(is_label) && !last.starts_with(|c: char| c.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let framed = label.starts_with('-') || label.ends_with('-');
    let encoded = label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    (1..=LABEL_MAX).contains(&label.len()) && label.chars().all(plain) && !framed && !encoded
}

impl TryFrom<String> for EmailAddress {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(email: EmailAddress) -> Self {
        email.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nhs() -> Vec<String> {
        vec!["nhs.net".to_owned(), "nhs.uk".to_owned()]
    }

    #[test]
    fn addresses_at_or_under_a_domain_may_join() {
        for text in [
            "jo.bloggs@nhs.net",
            " Jo.Bloggs3@NHS.NET ",
            "x@trust.nhs.uk",
            "x@ward.trust.nhs.uk",
            "o'neill+hope@nhs.uk",
        ] {
            assert!(EmailAddress::parse(text).unwrap().is_under(&nhs()), "{text}");
        }
    }

    /// Addresses that must fail, and what is like them: either no address at all, or one that may not join.
    #[test]
    fn addresses_that_only_look_right_may_not_join() {
        for text in [
            "a@nhs.net.example.com",
            "a@evilnhs.net",
            "a@xnhs.uk",
            "a@nhs.uk.",
            "a@nһs.net",
            "\"a@nhs.net\"@evil.com",
            "a@nhs.net,b@evil.com",
            "a@nhs.net%0a",
            "a@nhs.net@evil.com",
            "a@evil.com@nhs.net",
            "a@evil.com%00@nhs.net",
            "a%evil.com@nhs.net",
            "evil.com!a@nhs.net",
            "a@nhs.net\r\nBcc: b@evil.com",
            "a b@nhs.net",
            "a@ nhs.net",
            "a@nhs。net",
            "a@nhs.n\u{200b}et",
            "a@xn--nhs-xyz.nhs.uk",
            "a@XN--nhs-xyz.nhs.uk",
            "а@nhs.net",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@nhs..net",
            "a@.nhs.net",
            "a@-x.nhs.net",
            "a..b@nhs.net",
            ".a@nhs.net",
            "a.@nhs.net",
            "+tag@nhs.net",
            "<a@nhs.net>",
            "Jo <a@nhs.net>",
            "a(comment)@nhs.net",
            "a\\@nhs.net",
            "@nhs.net",
            "nhs.net",
            "a@net",
            "a@",
            "",
            " ",
        ] {
            let joins = EmailAddress::parse(text).is_ok_and(|email| email.is_under(&nhs()));
            assert!(!joins, "{text:?}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let local = "a".repeat(64);
        assert!(EmailAddress::parse(&format!("{local}@nhs.net")).is_ok());
        assert!(EmailAddress::parse(&format!("{local}a@nhs.net")).is_err());
        let domain = format!("{}.nhs.uk", vec!["b".repeat(60); 3].join("."));
        let longest = format!("{local}@{domain}");
        assert_eq!(longest.len(), 254);
        assert!(EmailAddress::parse(&longest).is_ok());
        assert!(EmailAddress::parse(&format!("{local}@b{domain}")).is_err());
    }

    #[test]
    fn a_plus_tag_is_kept_and_ignored() {
        let email = EmailAddress::parse("Jo.Bloggs+Hope@Trust.NHS.uk").unwrap();
        assert_eq!(email.as_str(), "Jo.Bloggs+Hope@trust.nhs.uk");
        assert_eq!(email.key(), "jo.bloggs@trust.nhs.uk");
        assert_eq!(email.domain(), "trust.nhs.uk");
        assert_eq!(format!("{email:?}"), "J***@trust.nhs.uk");
    }

    #[test]
    fn stored_addresses_are_parsed_again() {
        assert!(serde_json::from_str::<EmailAddress>("\"a@nhs.net\\nBcc: b@evil.com\"").is_err());
        assert!(serde_json::from_str::<EmailAddress>("\"a@nhs.net\"").is_ok());
    }

    #[test]
    fn no_domain_is_not_every_domain() {
        let email = EmailAddress::parse("a@nhs.net").unwrap();
        assert!(!email.is_under(&[]));
        assert!(!email.is_under(&[String::new()]));
        assert!(!email.is_under(&["net.nhs.net".to_owned()]));
    }

    proptest! {
        #[test]
        fn nothing_dangerous_passes(text in "[ -~\u{80}-\u{ff}\u{400}-\u{4ff}\r\n\t]{0,12}@[ -~\u{ff0e}]{0,12}(@nhs\\.net|\\.nhs\\.uk|)") {
            if let Ok(email) = EmailAddress::parse(&text) {
                let address = email.as_str();
                prop_assert!(address.is_ascii() && address.len() <= MAX);
                prop_assert_eq!(address.matches('@').count(), 1);
                prop_assert!(!address.contains(|c: char| c.is_control() || c.is_whitespace() || "\"<>(),:;[]\\%!".contains(c)));
                prop_assert_eq!(EmailAddress::parse(address), Ok(email.clone()));
                prop_assert!(EmailAddress::parse(&email.key()).is_ok());
                prop_assert!(email.as_str().parse::<lettre::Address>().is_ok(), "{address}");
            }
        }
    }
}
