//! What tells who somebody was, wherever it stands in what they or others wrote.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::FORMER;
use crate::{
    domain::{
        member::Member,
        mention::forgotten,
        profile::Phone,
        revision::{FieldChange, PartKind, difference},
        text::RichText,
    },
    ids::Id,
};

/// A name of one word is a word like others: it is not looked for in texts.
const WORDS_MIN: usize = 2;

/// Kept while an erasure is going on, and gone with its last step. No `Debug`: it is what must not be
/// logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    member: Id<Member>,
    email_key: String,
    /// Name, addresses and telephone number.
    words: Vec<String>,
}

impl Traces {
    /// Those of a member. A name that others have, too, is left where it stands: it may be theirs.
    #[must_use]
    pub fn of(member: &Member, shares_name: bool) -> Self {
        let mut words = vec![member.email.as_str().to_owned(), member.email_key.clone()];
        words.extend(member.profile.phone.as_ref().map(|phone| Phone::as_str(phone).to_owned()));
        if member.name.split_whitespace().count() >= WORDS_MIN && !shares_name {
            words.push(member.name.clone());
        }
        words.dedup();
        Self { member: member.id.clone(), email_key: member.email_key.clone(), words }
    }

    /// What requests for codes for their address are found by.
    #[must_use]
    pub fn email_key(&self) -> &str {
        &self.email_key
    }

    /// A text without them.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let text = forgotten(text, &self.member, FORMER);
        self.words.iter().fold(text, |text, word| replaced(&text, word))
    }

    /// A stored document without them: in its texts, as whom it mentions, and as whom to ask.
    pub fn rewrite(&self, json: &mut Json) {
        match json {
            Json::String(text) => *text = self.text(text),
            Json::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item)),
            Json::Object(parts) if parts.contains_key("markdown") => self.rewrite_rich(json),
            Json::Object(parts) => {
                for (name, part) in parts {
                    match (name.as_str(), part) {
                        ("mentions", Json::Array(members)) => members.retain(|id| !self.is(id)),
                        ("contact", Json::Object(contact)) => self.rewrite_contact(contact),
                        (_, part) => self.rewrite(part),
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn is(&self, id: &Json) -> bool {
        id.as_str() == Some(self.member.as_str())
    }

    /// What is rendered follows from what was typed.
    fn rewrite_rich(&self, json: &mut Json) {
        let typed = json["markdown"].as_str().unwrap_or_default();
        let text = self.text(typed);
        if text != typed {
            *json = serde_json::to_value(RichText::rendered(text)).unwrap_or_default();
        }
    }

    fn rewrite_contact(&self, contact: &mut serde_json::Map<String, Json>) {
        for part in ["member", "mailbox"] {
            let theirs = |part: &Json| {
                let is_word = |text: &str| self.words.iter().any(|word| word.eq_ignore_ascii_case(text));
                self.is(part) || part.as_str().is_some_and(is_word)
            };
            if contact.get(part).is_some_and(theirs) {
                contact.insert(part.to_owned(), Json::Null);
            }
        }
    }

    /// What an edit changed. A name may be cut in two there, where only a part of it changed: so both texts
    /// are put together again and compared anew.
    #[must_use]
    pub fn change(&self, change: &FieldChange) -> FieldChange {
        let before = self.text(&change.without(PartKind::Added));
        let after = self.text(&change.without(PartKind::Removed));
        if before == change.without(PartKind::Added) && after == change.without(PartKind::Removed) {
            return change.clone();
        }
        let field = change.field.clone();
        difference(&field, &before, &after).unwrap_or(FieldChange { field, parts: Vec::new() })
    }
}

/// `text` with "a former member" wherever `word` stands for itself, in whatever case. Spaces in it are any
/// that part words, in names of files too.
fn replaced(text: &str, word: &str) -> String {
    let (mut clean, mut rest, mut before) = (String::with_capacity(text.len()), text, None);
    while let Some(c) = rest.chars().next() {
        let begins = !before.is_some_and(char::is_alphanumeric);
        if let Some(end) = begins.then(|| end_of(word, rest)).flatten() {
            clean.push_str(FORMER);
            rest = &rest[end..];
            before = FORMER.chars().last();
        } else {
            clean.push(c);
            rest = &rest[c.len_utf8()..];
            before = Some(c);
        }
    }
    clean
}

/// Where `word` ends, when `text` begins with it.
fn end_of(word: &str, text: &str) -> Option<usize> {
    let parts_words = |c: &char| c.is_whitespace() || matches!(c, '-' | '_' | '.');
    let mut left = text.chars().peekable();
    let mut end = 0;
    for expected in word.chars() {
        let found = left.next()?;
        let fits = match expected {
            ' ' => parts_words(&found),
            _ => found.to_lowercase().eq(expected.to_lowercase()),
        };
        if !fits {
            return None;
        }
        end += found.len_utf8();
        while expected == ' ' && left.peek().is_some_and(parts_words) {
            end += left.next().map_or(0, char::len_utf8);
        }
    }
    left.peek().is_none_or(|next| !next.is_alphanumeric()).then_some(end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        clock::Timestamp,
        domain::{email::EmailAddress, member::DigestPreferences, text::BODY_MAX},
    };

    fn traces(name: &str, shares_name: bool) -> Traces {
        let digest = DigestPreferences::off();
        let email = EmailAddress::parse("jo.taylor+hope@trust.nhs.uk").unwrap();
        let mut member = Member::new(Id::of("1"), email, digest, Timestamp::from_millis(0));
        member.rename(name.to_owned());
        Traces::of(&member, shares_name)
    }

    #[test]
    fn a_name_goes_wherever_it_stands_for_itself() {
        let jo = traces("Jo Taylor", false);
        for (text, clean) in [
            ("Ask Jo Taylor.", "Ask a former member."),
            ("JO  TAYLOR said", "a former member said"),
            ("jo_taylor-cv.pdf", "a former member-cv.pdf"),
            ("Ask jo.taylor@trust.nhs.uk, please", "Ask a former member, please"),
            ("to jo.taylor+hope@trust.nhs.uk", "to a former member"),
            ("Banjo Taylor and Jo Taylorson", "Banjo Taylor and Jo Taylorson"),
            ("Jo and Taylor", "Jo and Taylor"),
            ("Ask @[Jo](mbr_1) or @[Asha](mbr_2)", "Ask a former member or @[Asha](mbr_2)"),
            ("", ""),
        ] {
            assert_eq!(jo.text(text), clean);
        }
        assert_eq!(traces("Hope", false).text("Hope for all"), "Hope for all");
        let shared = traces("Jo Taylor", true);
        assert_eq!(shared.text("Jo Taylor, @[Jo Taylor](mbr_1)"), "Jo Taylor, a former member");
    }

    #[test]
    fn what_is_stored_is_rewritten_with_what_follows_from_it() {
        let body = RichText::parse("body", "Thanks, @[Jo Taylor](mbr_1)!", BODY_MAX).unwrap();
        let mut json = json!({ "body": body, "mentions": ["mbr_2", "mbr_1"], "n": 3,
            "contact": { "member": "mbr_1", "mailbox": "jo.taylor+hope@trust.nhs.uk" }, "quotes": [{ "text": "Jo Taylor" }] });
        traces("Jo Taylor", false).rewrite(&mut json);
        let body = RichText::parse("body", "Thanks, a former member!", BODY_MAX).unwrap();
        assert_eq!(
            json,
            json!({ "body": body, "mentions": ["mbr_2"], "n": 3, "contact": { "member": null, "mailbox": null }, "quotes": [{ "text": "a former member" }] })
        );
    }

    #[test]
    fn a_name_that_an_edit_cut_in_two_goes_too() {
        let jo = traces("Jo Taylor", false);
        let before = "Ask @[Jo Smith](mbr_1) tomorrow.";
        let cut = difference("body", before, "Ask @[Jo Taylor](mbr_1) today.").unwrap();
        let clean = jo.change(&cut);
        assert_eq!(clean.without(PartKind::Added), "Ask a former member tomorrow.");
        assert_eq!(clean.without(PartKind::Removed), "Ask a former member today.");
        let only_a_name = difference("body", before, "Ask @[Jo Taylor](mbr_1) tomorrow.").unwrap();
        assert_eq!(jo.change(&only_a_name).parts, []);
        let other = difference("title", "One", "Two").unwrap();
        assert_eq!(jo.change(&other), other);
    }
}
