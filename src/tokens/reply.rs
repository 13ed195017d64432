//! The address to which a member answers a notification: `reply+<token>@example.nhs.uk`.
//!
//! The token says what is answered and carries a tag that covers the member too. It works for mail from that
//! member's address only: the tag is known to whoever got the notification, and the sender of a mail is
//! easily forged, so both have to be right. Somebody who is sent the mail on has the one and not the other.
//!
//! A byte for version and kind, the 16 of a ULID and 16 of the tag make 53 letters in base32, which no mail
//! system changes by changing their case. With what comes before the `+` they stay within the 64 that a
//! mailbox may have (RFC 5321), when that has at most [`BASE_MAX`].

use ulid::Ulid;

use crate::{
    domain::{comment::Comment, email::EmailAddress, member::Member, thread::Thread},
    ids::{Id, Identified},
    keys::Keys,
};

const PURPOSE: &str = "reply-by-mail";

/// RFC 4648, in lower case.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const TAG_BYTES: usize = 16;
const BYTES: usize = 1 + 16 + TAG_BYTES;

/// Letters that the mailbox of the base address may have.
pub const BASE_MAX: usize = 10;

/// What a reply answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    Comment(Id<Comment>),
    /// What a thread is about.
    Thread(Id<Thread>),
}

impl Answered {
    /// Version 1 of each kind.
    const fn byte(&self) -> u8 {
        match self {
            Self::Comment(_) => 1,
            Self::Thread(_) => 2,
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Comment(id) => id.as_str(),
            Self::Thread(id) => id.as_str(),
        }
    }

    fn ulid(&self) -> Option<Ulid> {
        let (_, ulid) = self.as_str().split_once('_')?;
        // An id in another spelling of the same ULID would come back as another id.
        Ulid::from_string(ulid).ok().filter(|read| read.to_string() == ulid)
    }

    fn read(byte: u8, ulid: Ulid) -> Option<Self> {
        match byte {
            1 => Some(Self::Comment(id(ulid))),
            2 => Some(Self::Thread(id(ulid))),
            _ => None,
        }
    }

    /// What the tag is of: kind, id and member.
    fn tagged(&self, member: &Id<Member>) -> String {
        format!("{} {} {member}", self.byte(), self.as_str())
    }
}

fn id<T: Identified>(ulid: Ulid) -> Id<T> {
    Id::of(&ulid.to_string())
}

/// The address for answers of this member; none where `base` is too long, or the id is no ULID.
#[must_use]
pub fn address(keys: &Keys, base: &EmailAddress, answered: &Answered, member: &Id<Member>) -> Option<String> {
    let (mailbox, domain) = base.as_str().split_once('@')?;
    if mailbox.len() > BASE_MAX || mailbox.contains('+') {
        return None;
    }
    let mut bytes = [0; BYTES];
    bytes[0] = answered.byte();
    bytes[1..17].copy_from_slice(&answered.ulid()?.to_bytes());
    bytes[17..].copy_from_slice(&keys.tag(PURPOSE, &answered.tagged(member))[..TAG_BYTES]);
    Some(format!("{mailbox}+{}@{domain}", encode(&bytes)))
}

/// The token of an address below `base`.
#[must_use]
pub fn token(base: &EmailAddress, address: &str) -> Option<String> {
    let address = address.trim().to_ascii_lowercase();
    let (mailbox, domain) = address.split_once('@')?;
    let (mailbox, token) = mailbox.split_once('+')?;
    (format!("{mailbox}@{domain}") == base.as_str().to_ascii_lowercase()).then(|| token.to_owned())
}

/// What a token lets this member answer; none when it is another member's, or was changed.
#[must_use]
pub fn read(keys: &Keys, token: &str, member: &Id<Member>) -> Option<Answered> {
    let bytes = decode(token)?;
    let ulid = Ulid::from_bytes(bytes[1..17].try_into().ok()?);
    let answered = Answered::read(bytes[0], ulid)?;
    keys.is_tag(PURPOSE, &answered.tagged(member), &bytes[17..]).then_some(answered)
}

fn encode(bytes: &[u8; BYTES]) -> String {
    let mut text = String::new();
    for at in (0..BYTES * 8).step_by(5) {
        let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from((byte >> (7 - at % 8)) & 1));
        let number = (at..at + 5).fold(0, |number, at| (number << 1) | bit(at));
        text.push(char::from(LETTERS[number]));
    }
    text
}

/// The bytes that `text` spells, when it is what [`encode`] makes of them.
fn decode(text: &str) -> Option<[u8; BYTES]> {
    let text = text.to_ascii_lowercase();
    if text.len() != (BYTES * 8).div_ceil(5) {
        return None;
    }
    let mut bytes = [0_u8; BYTES];
    for (at, letter) in text.bytes().enumerate() {
        let number = LETTERS.iter().position(|known| *known == letter)?;
        for bit in 0..5 {
            let place = at * 5 + bit;
            if place < BYTES * 8 && (number >> (4 - bit)) & 1 == 1 {
                bytes[place / 8] |= 1 << (7 - place % 8);
            }
        }
    }
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        clock::{Clock, Timestamp},
        ids::Ids,
    };

    fn ids() -> Ids {
        Ids::seeded(Clock::manual(Timestamp::from_millis(1_772_000_000_000)), 7)
    }

    fn keys(folder: &tempfile::TempDir) -> Keys {
        Keys::open(folder.path(), &ids()).unwrap()
    }

    #[test]
    fn an_address_works_for_its_member_and_as_it_was_given_only() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, ids) = (keys(&folder), ids());
        let base = EmailAddress::parse("hope-reply@example.nhs.uk").unwrap();
        let (jo, grace) = (ids.fresh(), ids.fresh());
        for answered in [Answered::Comment(ids.fresh()), Answered::Thread(ids.fresh())] {
            let address = address(&keys, &base, &answered, &jo).unwrap();
            assert!(address.parse::<lettre::Address>().is_ok() && address.find('@') <= Some(64), "{address}");
            let token = token(&base, &address.to_uppercase()).unwrap();
            assert_eq!(read(&keys, &token, &jo), Some(answered));
            assert_eq!(read(&keys, &token, &grace), None);
            for at in 0..token.len() {
                let other = if &token[at..=at] == "a" { "b" } else { "a" };
                let altered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                assert_eq!(read(&keys, &altered, &jo), None, "{altered}");
            }
        }
    }

    #[test]
    fn addresses_that_are_not_below_the_base_have_no_token() {
        let base = EmailAddress::parse("reply@example.nhs.uk").unwrap();
        for other in ["reply@example.nhs.uk", "other+abc@example.nhs.uk", "reply+abc@example.com", "", "+@"] {
            assert_eq!(token(&base, other), None, "{other}");
        }
        let folder = tempfile::tempdir().unwrap();
        let answered = Answered::Comment(ids().fresh());
        let long = EmailAddress::parse("hope-answers@example.nhs.uk").unwrap();
        assert_eq!(address(&keys(&folder), &long, &answered, &ids().fresh()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_and_any_text_is_read_or_refused(bytes: [u8; BYTES], text in "[a-z2-7]{50,54}|\\PC*") {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
            if let Some(read) = decode(&text) {
                prop_assert_eq!(encode(&read), text.to_ascii_lowercase());
            }
        }
    }
}
