//! Text that members write: single lines, and markdown with its sanitised rendering.

use std::{borrow::Cow, collections::HashSet, sync::LazyLock};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde::{Deserialize, Serialize};

use super::{
    guard::{self, Acknowledged},
    member::Member,
};
use crate::{
    error::{Code, Problem},
    ids::Id,
};

/// A title fits on one line of a digest and of a phone. The case-study template of the network
/// has the same limit.
pub const TITLE_MAX: usize = 100;
/// A post is short: about two screens. Longer things are case studies.
pub const BODY_MAX: usize = 10_000;
pub const COMMENT_MAX: usize = 5_000;
/// Characters of a summary in lists and digests.
pub const SUMMARY_MAX: usize = 240;

/// Text as somebody wrote it, on its way in, with what they said about the guard's warnings.
///
/// A plain `&str` is text about which nothing was said. There is no way past the guard: what is
/// called stored already is compared.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    text: &'a str,
    acknowledged: Acknowledged,
    stored: Option<&'a str>,
}

impl<'a> Written<'a> {
    #[must_use]
    pub const fn new(text: &'a str, acknowledged: Acknowledged) -> Self {
        Self { text, acknowledged, stored: None }
    }

    /// What a change makes of a text that is `stored`; without a change, it is that text. Where it
    /// stays the same it is not checked again, so that nobody is asked twice.
    #[must_use]
    pub fn change(change: Option<&'a str>, stored: &'a str, acknowledged: Acknowledged) -> Self {
        Self { text: change.unwrap_or(stored), acknowledged, stored: Some(stored) }
    }

    /// As it was typed.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The guard's word on it; `clean` is what would be stored.
    fn guarded(&self, field: &str, clean: &str) -> Result<(), Problem> {
        if self.stored == Some(clean) {
            return Ok(());
        }
        guard::refuse(field, self.text, self.acknowledged)
    }
}

impl<'a, T: AsRef<str> + ?Sized> From<&'a T> for Written<'a> {
    fn from(text: &'a T) -> Self {
        Self::new(text.as_ref(), Acknowledged::Nothing)
    }
}

/// One line of text: trimmed, white space folded to single spaces, no control characters, not longer
/// than `max` characters, and past the guard.
pub fn line<'a>(field: &str, text: impl Into<Written<'a>>, max: usize) -> Result<String, Problem> {
    let written = text.into();
    let visible: String = written
        .text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .collect();
    let folded = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = bounded(field, folded, max)?;
    written.guarded(field, &line)?;
    Ok(line)
}

fn bounded(field: &str, text: String, max: usize) -> Result<String, Problem> {
    let length = text.chars().count();
    if text.is_empty() {
        return Err(Problem::new(field, Code::Required, format!("Enter the {field}.")));
    }
    if length > max {
        let message = format!("The {field} must be {max} characters or less. It has {length}.");
        return Err(Problem::new(field, Code::TooLong, message));
    }
    Ok(text)
}

/// Characters that show nothing and only disguise text: zero-width ones and direction overrides.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Markdown as it was typed, the HTML that it stands for, and its beginning for lists and digests.
///
/// Both are made when the text is written, not when it is read: a page of 20 then costs no
/// rendering. The HTML holds only what [`sanitise`] lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RichText {
    pub markdown: String,
    pub html: String,
    /// The beginning of the text on one line, cut at a word.
    pub summary: String,
}

impl RichText {
    /// # Errors
    /// When the text is empty, has more than `max` characters, or is refused by the guard.
    pub fn parse<'a>(field: &str, markdown: impl Into<Written<'a>>, max: usize) -> Result<Self, Problem> {
        let written = markdown.into();
        let clean: String = written
            .text
            .replace("\r\n", "\n")
            .chars()
            .filter(|c| (!c.is_control() || matches!(c, '\n' | '\t')) && !is_invisible(*c))
            .collect();
        let markdown = bounded(field, clean.trim().to_owned(), max)?;
        written.guarded(field, &markdown)?;
        Ok(Self::rendered(markdown))
    }

    /// Of markdown that was parsed before.
    pub(super) fn rendered(markdown: String) -> Self {
        let (html, summary) = (render(&markdown), summary(&plain(&markdown)));
        Self { markdown, html, summary }
    }

    /// The text without its markup, paragraphs parted by blank lines.
    #[must_use]
    pub fn text(&self) -> String {
        plain(&self.markdown)
    }
}

fn summary(text: &str) -> String {
    cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), SUMMARY_MAX)
}

/// At most `max` characters, cut at a word where there is one, with an ellipsis.
fn cut(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else {
        return text.to_owned();
    };
    let head = &text[..end];
    let head = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{}…", head.trim_end_matches([',', '.', ';', ':', ' ']))
}

/// The markdown that members write: CommonMark with tables and strikethrough.
pub(super) const OPTIONS: Options = Options::ENABLE_STRIKETHROUGH.union(Options::ENABLE_TABLES);

/// Where members' pages are.
const MEMBERS: &str = "/members/";

fn render(markdown: &str) -> String {
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    let events = Parser::new_ext(markdown, OPTIONS).map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id })
            if Id::<Member>::parse(&dest_url).is_some() =>
        {
            Event::Start(Tag::Link { link_type, dest_url: format!("{MEMBERS}{dest_url}").into(), title, id })
        }
        event => event,
    });
    pulldown_cmark::html::push_html(&mut html, events);
    sanitise(&html)
}

/// Only elements that text needs, links only to the web, to mailboxes and to members, nothing that loads from
/// elsewhere (an image would tell its server who reads), nothing that runs.
fn sanitise(html: &str) -> String {
    static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
        let mut cleaner = ammonia::Builder::empty();
        cleaner
            .tags(HashSet::from([
                "p",
                "br",
                "strong",
                "em",
                "del",
                "a",
                "ul",
                "ol",
                "li",
                "blockquote",
                "code",
                "pre",
                "hr",
                "h3",
                "h4",
                "h5",
                "h6",
                "h1",
                "h2",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
            ]))
            .tag_attributes([("a", HashSet::from(["href"])), ("ol", HashSet::from(["start"]))].into())
            .clean_content_tags(HashSet::from(["script", "style", "iframe", "object", "svg", "math"]))
            .url_schemes(HashSet::from(["https", "http", "mailto"]))
            .url_relative(ammonia::UrlRelative::Custom(Box::new(to_member)))
            .link_rel(Some("nofollow noopener noreferrer ugc"));
        cleaner
    });
    CLEANER.clean(html).to_string()
}

/// The one kind of link within this service that texts have.
fn to_member(url: &str) -> Option<Cow<'_, str>> {
    Id::<Member>::parse(url.strip_prefix(MEMBERS)?).map(|_| Cow::Borrowed(url))
}

fn plain(markdown: &str) -> String {
    let mut text = String::with_capacity(markdown.len());
    for event in Parser::new_ext(markdown, OPTIONS) {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak | Event::Rule => text.push('\n'),
            Event::Start(Tag::Item) => text.push_str("- "),
            Event::End(TagEnd::Item | TagEnd::TableRow | TagEnd::TableHead) => text.push('\n'),
            Event::End(TagEnd::TableCell) => text.push('\t'),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::List(_) | TagEnd::CodeBlock) => {
                text.push_str("\n\n");
            }
            _ => {}
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(markdown: &str) -> String {
        RichText::parse("body", markdown, BODY_MAX).unwrap().html
    }

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(
            html("**Bold** and\n\n- one\n- two"),
            "<p><strong>Bold</strong> and</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
        );
    }

    #[test]
    fn nothing_runs_or_loads() {
        for evil in [
            "<script>alert(1)</script>x",
            "<img src=x onerror=alert(1)>x",
            "[x](javascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "![x](https://tracker.example/p.gif)",
            "<svg onload=alert(1)>x</svg>x",
            "<a href=\"https://x\" onclick=\"alert(1)\" style=\"x\">x</a>",
            "<iframe src=\"https://x\"></iframe>x",
            "[x](JaVaScRiPt:alert(1))",
            "[x](/sign-out)",
            "[x](/members/mbr_1/../../sign-out)",
            "[x](//evil.example)",
            "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>x",
        ] {
            let html = html(evil).to_lowercase();
            for bad in [
                "<script",
                "onerror",
                "javascript:",
                "data:",
                "<img",
                "<svg",
                "onload",
                "onclick",
                "style",
                "<iframe",
                "<math",
                "sign-out",
                "evil",
            ] {
                assert!(!html.contains(bad), "{evil} gave {html}");
            }
        }
    }

    #[test]
    fn text_and_summary_have_no_markup() {
        let rich = RichText::parse(
            "body",
            "# Head\n\nSome **bold** [link](https://nhs.uk).\n\n1. a\n2. b",
            BODY_MAX,
        )
        .unwrap();
        assert_eq!(rich.text(), "Head\n\nSome bold link.\n\n- a\n- b");
        let long = RichText::parse("body", &"word ".repeat(200), BODY_MAX).unwrap().summary;
        assert!(long.chars().count() <= SUMMARY_MAX + 1 && long.ends_with("word…"));
    }

    #[test]
    fn lines_are_folded_and_bounded() {
        assert_eq!(line("title", "  Fifteen\u{200B} \n Steps\t", TITLE_MAX).unwrap(), "Fifteen Steps");
        assert_eq!(line("title", " \u{200B} ", TITLE_MAX).unwrap_err().code, Code::Required);
        assert_eq!(line("title", &"é".repeat(101), TITLE_MAX).unwrap_err().code, Code::TooLong);
        assert!(line("title", &"é".repeat(100), TITLE_MAX).is_ok());
    }
}
