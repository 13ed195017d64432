//! HTML of a mail as the plain text that a mail program would have made of it: paragraphs as lines, and what
//! is quoted after `>`, so that one cutter serves both. Knows no styles and fetches nothing.

/// Deeper quotations look like this one.
const DEPTH_MAX: usize = 8;

/// Quotation marks are watched for so many characters of a tag.
const TAG_MAX: usize = 2_000;

/// Elements whose content is no text.
const SILENT: [&str; 5] = ["style", "script", "head", "title", "template"];

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 20] = [
    "address",
    "article",
    "blockquote",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];

/// The text of `html`.
#[must_use]
pub fn to_text(html: &str) -> String {
    let mut text = Text::default();
    // No tag ends after the last `>`, so that none is looked for in vain again and again.
    let (mut rest, tail) = html.split_at(html.rfind('>').map_or(0, |at| at + 1));
    while let Some(at) = rest.find('<') {
        text.words(&rest[..at]);
        rest = &rest[at..];
        let Some((tag, after)) = tag(rest) else {
            text.words("<");
            rest = &rest[1..];
            continue;
        };
        rest = match tag {
            Tag::Opening(name) if SILENT.contains(&name.as_str()) => after_closing(after, &name),
            Tag::Opening(name) => {
                text.open(&name);
                after
            }
            Tag::Closing(name) => {
                text.close(&name);
                after
            }
            Tag::Other => after,
        };
    }
    text.words(rest);
    text.words(tail);
    text.end_line();
    text.lines.join("\n")
}

enum Tag {
    Opening(String),
    Closing(String),
    /// Comments, declarations and the like.
    Other,
}

/// The tag that `text` starts with, and what follows it.
fn tag(text: &str) -> Option<(Tag, &str)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return Some((Tag::Other, comment.find("-->").map_or("", |at| &comment[at + 3..])));
    }
    let first = text[1..].chars().next()?;
    if !(first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')) {
        return None;
    }
    let end = tag_end(text)?;
    let (inner, after) = (&text[1..end], &text[end + 1..]);
    let closing = inner.strip_prefix('/');
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let name: String = closing.unwrap_or(inner).chars().take_while(|c| is_name(*c)).collect();
    let name = name.to_ascii_lowercase();
    let tag = match (first, closing) {
        ('!' | '?', _) => Tag::Other,
        (_, Some(_)) => Tag::Closing(name),
        _ => Tag::Opening(name),
    };
    Some((tag, after))
}

/// Where the `>` is that ends a tag: not one within a quoted attribute.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices().take(TAG_MAX) {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    // A quotation mark that is never closed, or a picture in an attribute: the next `>` is as good.
    text.find('>')
}

/// What follows the end of the element `name`; nothing when it never ends.
fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = rest.find("</") {
        rest = &rest[at + 2..];
        let is_it = rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        if is_it {
            return rest.find('>').map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

#[derive(Default)]
struct Text {
    lines: Vec<String>,
    line: String,
    /// Quotations that are open.
    depth: usize,
}

impl Text {
    fn words(&mut self, text: &str) {
        let text = unescape(text);
        if text.starts_with(char::is_whitespace) && !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.line.push_str(&words);
        if !words.is_empty() && text.ends_with(char::is_whitespace) {
            self.line.push(' ');
        }
    }

    fn open(&mut self, name: &str) {
        match name {
            "br" => self.push_line(),
            "hr" => {
                self.end_line();
                self.line.push_str("________________________________");
                self.push_line();
            }
            name if BLOCKS.contains(&name) => self.end_line(),
            _ => {}
        }
        if name == "blockquote" {
            self.depth += 1;
        }
    }

    fn close(&mut self, name: &str) {
        if BLOCKS.contains(&name) {
            self.end_line();
        }
        match name {
            "blockquote" => self.depth = self.depth.saturating_sub(1),
            "p" if self.lines.last().is_some_and(|line| !line.is_empty()) => self.push_line(),
            "td" | "th" => self.line.push(' '),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.push_line();
        }
        self.line.clear();
    }

    fn push_line(&mut self) {
        let quotes = ">".repeat(self.depth.min(DEPTH_MAX));
        let space = if quotes.is_empty() { "" } else { " " };
        let line = format!("{quotes}{space}{}", self.line.trim());
        self.lines.push(line.trim_end().to_owned());
        self.line.clear();
    }
}

/// Characters that HTML writes by name or number. Names that are not here stay as they are.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.char_indices().take(10).find(|(_, c)| *c == ';').map(|(end, _)| end);
        match end.and_then(|end| character(&rest[..end]).map(|c| (c, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "pound" => '£',
        "euro" => '€',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "bull" => '•',
        "copy" => '©',
        "reg" => '®',
        "eacute" => 'é',
        _ => return None,
    })
}
