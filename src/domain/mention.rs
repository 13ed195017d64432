//! Mentions: `@[Jo Taylor](mbr_01J…)` in a text calls a member's attention to it.
//!
//! Names are not unique and change, so a mention holds the member's id; the name in it is put right
//! from the directory when the text is written, so that nobody is made to seem somebody else.

use std::{collections::HashMap, ops::Range};

use pulldown_cmark::{Event, Parser, Tag};

use super::{
    member::Member,
    text::{OPTIONS, RichText},
};
use crate::ids::Id;

/// More than this many in one text is shouting.
pub const MAX: usize = 10;

/// A mention as it stands in a markdown text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    pub member: Id<Member>,
    /// Where, in bytes, from the `@` to the closing bracket.
    at: Range<usize>,
}

/// The mentions in a text, in its order. What stands in code, or is escaped, is none.
#[must_use]
pub fn mentions(markdown: &str) -> Vec<Mention> {
    let events = Parser::new_ext(markdown, OPTIONS).into_offset_iter();
    let links = events.filter_map(|(event, at)| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some((Id::parse(&dest_url)?, at)),
        _ => None,
    });
    let with_sign = links.filter(|(_, at)| markdown[..at.start].ends_with('@'));
    with_sign.map(|(member, at)| Mention { member, at: at.start - 1..at.end }).collect()
}

/// The text with the names of the directory in its mentions.
#[must_use]
pub fn named(text: RichText, names: &HashMap<Id<Member>, String>) -> RichText {
    if names.is_empty() {
        return text;
    }
    let markdown = text.markdown.as_str();
    let mut with_names = String::with_capacity(markdown.len());
    let mut end = 0;
    for Mention { member, at } in mentions(markdown) {
        let Some(name) = names.get(&member) else { continue };
        with_names.push_str(&markdown[end..at.start]);
        with_names.push_str(&format!("@[{}]({member})", escaped(name)));
        end = at.end;
    }
    with_names.push_str(&markdown[end..]);
    RichText::rendered(with_names)
}

/// The text with `words` in the place of each mention of a member.
#[must_use]
pub fn forgotten(markdown: &str, member: &Id<Member>, words: &str) -> String {
    // Most texts are not worth parsing.
    if !markdown.contains(member.as_str()) {
        return markdown.to_owned();
    }
    let (mut text, mut end) = (String::with_capacity(markdown.len()), 0);
    for mention in mentions(markdown).into_iter().filter(|mention| mention.member == *member) {
        text.push_str(&markdown[end..mention.at.start]);
        text.push_str(words);
        end = mention.at.end;
    }
    text.push_str(&markdown[end..]);
    text
}

/// A name as markdown that shows it as it is.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_punctuation() {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::BODY_MAX;

    #[test]
    fn members_are_mentioned_by_their_id() {
        let found = |text: &str| {
            mentions(text).into_iter().map(|mention| mention.member.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found("Ask @[Jo](mbr_1), and **@[Asha](mbr_2)**."), ["mbr_1", "mbr_2"]);
        assert!(found("`@[Jo](mbr_1)` \\@\\[Jo](mbr_1) [Jo](mbr_1) @[Jo](https://nhs.uk) @Jo").is_empty());
        assert!(found("    @[Jo](mbr_1)").is_empty(), "in a code block");
    }

    #[test]
    fn the_directory_says_the_name() {
        let text = "Ask @[The Chief Executive](mbr_1) or @[x](mbr_2).";
        let names = HashMap::from([(Id::of("1"), "Jo [O'Neill] *Taylor*".to_owned())]);
        let rich = named(RichText::parse("body", text, BODY_MAX).unwrap(), &names);
        assert_eq!(rich.text(), "Ask @Jo [O'Neill] *Taylor* or @x.");
        assert_eq!(mentions(&rich.markdown).len(), 2);
        assert!(rich.html.contains("<a href=\"/members/mbr_1\""), "{}", rich.html);
    }
}
