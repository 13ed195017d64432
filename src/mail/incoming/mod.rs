//! Mail that comes in: what it is, and what its sender wrote.
//!
//! Nothing here trusts a message: it may be broken, huge or made to harm. Every step works on any bytes,
//! fetches nothing, and gives back text only.

pub mod cut;
pub mod folder;
mod html;
pub mod markup;
pub mod sort;

use mail_parser::{Message, PartType};

/// Letters in an HTML part that are read. Its markup weighs many times what a comment may be long.
const HTML_MAX: usize = 500_000;

/// What the sender wrote: the plain text or, where there is none, the HTML turned into text; without what it
/// quotes and without signatures. Empty when nothing is left.
#[must_use]
pub fn written(message: &Message<'_>) -> String {
    let part = message.text_bodies().next().map(|part| &part.body);
    match part {
        Some(PartType::Text(text)) if !text.trim().is_empty() => cut::own_words(text),
        Some(PartType::Html(html)) => from_html(html),
        _ => match message.html_bodies().next().map(|part| &part.body) {
            Some(PartType::Html(html)) => from_html(html),
            _ => String::new(),
        },
    }
}

fn from_html(html: &str) -> String {
    let end = html.floor_char_boundary(HTML_MAX);
    cut::own_words(&html::to_text(&html[..end]))
}

#[cfg(test)]
mod tests;
