//! What somebody wrote themselves in a reply: without what their program quotes below or around it, without
//! signatures, and without the lines that mail systems add.
//!
//! Every line that is kept is one of the message, and they stay in order. In doubt a line is kept: a few words
//! too many can be edited away, lost ones can't be brought back.

/// Stands in notification mails above everything that a reply may quote.
pub const SEPARATOR: &str = "Write above this line";

/// An "On … wrote:" goes over so many lines at most.
const INTRO_LINES: usize = 4;

/// And is no longer than this, in bytes.
const INTRO_MAX: usize = 400;

/// The names that stand in the lines of an Outlook block after its "From:".
const HEADINGS: [&str; 5] = ["sent", "date", "to", "cc", "subject"];

/// How programs on phones, and some others, end a message.
const ENDINGS: [&str; 8] = [
    "sent from my ",
    "sent from outlook",
    "get outlook for ",
    "sent from mail for ",
    "sent from the all new ",
    "sent from yahoo mail",
    "sent from samsung mobile",
    "sent via ",
];

/// Sentences with which NHSmail and trusts' gateways begin a warning above, or a disclaimer below.
const BANNERS: [&str; 3] = [
    "this message originated from outside of nhsmail",
    "caution: this email originated from outside",
    "caution: this message originated from outside",
];
const DISCLAIMERS: [&str; 5] = [
    "this message may contain confidential information",
    "this email and any files transmitted with it are confidential",
    "this e-mail and any files transmitted with it are confidential",
    "the information contained in this message and or attachments",
    "nhsmail is the secure email",
];

/// A signature is no longer than this; what follows a longer "--" is taken for text.
const SIGNATURE_LINES: usize = 15;

/// The sender's own words in the text of a reply. Empty when there are none.
#[must_use]
pub fn own_words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let lines = &lines[..end(&lines)];
    let mut blocks = vec![Vec::new()];
    let mut at = 0;
    while at < lines.len() {
        let quoted = if is_quoted(lines[at]) { 1 } else { intro(&lines[at..]) };
        if quoted > 0 {
            blocks.push(Vec::new());
        } else if let Some(block) = blocks.last_mut() {
            block.push(lines[at]);
        }
        at += quoted.max(1);
    }
    let blocks = blocks.iter().map(|block| tidy(block)).filter(|block| !block.is_empty());
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// The line from which on everything is quoted without being marked so.
fn end(lines: &[&str]) -> usize {
    let last_quoted = lines.iter().rposition(|line| is_quoted(line));
    for at in 0..lines.len() {
        if is_quoted(lines[at]) {
            continue;
        }
        let follows = &lines[at..];
        let is_intro = intro(follows) > 0 && last_quoted.is_none_or(|last| last < at);
        let is_separator = lines[at].contains(SEPARATOR);
        if is_separator || is_intro || is_original(lines[at]) || is_outlook(follows) {
            return before_rule(lines, at);
        }
    }
    lines.len()
}

/// Without the line of underscores or dashes that stands above a block.
fn before_rule(lines: &[&str], end: usize) -> usize {
    let above = lines[..end].iter().rposition(|line| !line.trim().is_empty());
    above.filter(|above| is_rule(lines[*above])).unwrap_or(end)
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 8 && (line.bytes().all(|b| b == b'_') || line.bytes().all(|b| b == b'-'))
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// "-----Original Message-----"
fn is_original(line: &str) -> bool {
    let line = line.trim();
    let inner = line.trim_matches('-').trim();
    let dashes = line.starts_with("---") && line.ends_with("---");
    dashes && ["original message", "original appointment"].contains(&inner.to_ascii_lowercase().as_str())
}

/// "From: … Sent: … To: … Subject: …", a heading a line, bold or not.
fn is_outlook(lines: &[&str]) -> bool {
    if heading(lines[0]).as_deref() != Some("from") {
        return false;
    }
    let found = lines[1..].iter().take(7).filter_map(|line| heading(line));
    found.filter(|name| HEADINGS.contains(&name.as_str())).count() >= 2
}

/// "from" of "*From:* Jo Bloggs".
fn heading(line: &str) -> Option<String> {
    let (name, _) = line.trim().trim_start_matches('*').split_once(':')?;
    (name.len() <= 10).then(|| name.trim_matches('*').to_ascii_lowercase())
}

/// How many lines "On Tue, 3 Mar 2026 at 07:30, HOPE Network <…> wrote:" takes at the beginning of these; 0
/// when it is not there. A date with year and time is part of it: "On Monday the matron wrote:" is text.
fn intro(lines: &[&str]) -> usize {
    if !lines[0].trim_start().starts_with("On ") {
        return 0;
    }
    let mut joined = String::new();
    for (at, line) in lines.iter().take(INTRO_LINES).enumerate() {
        if line.trim().is_empty() || is_quoted(line) {
            return 0;
        }
        joined.push(' ');
        joined.push_str(line.trim());
        if joined.len() > INTRO_MAX {
            return 0;
        }
        if joined.ends_with("wrote:") {
            return if has_moment(&joined) { at + 1 } else { 0 };
        }
    }
    0
}

fn has_moment(text: &str) -> bool {
    let is_year = |word: &str| word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let has_time = text.as_bytes().windows(3).any(|three| {
        three[0].is_ascii_digit() && matches!(three[1], b':' | b'.') && three[2].is_ascii_digit()
    });
    has_time && numbers.any(is_year)
}

/// A run of unquoted lines without banners, signature and ending; blank lines once.
fn tidy(block: &[&str]) -> String {
    let block = &block[after_banner(block)..];
    let mut block = &block[..signature(block)];
    while let Some((last, rest)) = block.split_last() {
        if !last.trim().is_empty() && !is_ending(last) {
            break;
        }
        block = rest;
    }
    let mut kept: Vec<&str> = Vec::new();
    for line in block {
        if !line.trim().is_empty() {
            kept.push(line);
        } else if kept.last().is_some_and(|last| !last.is_empty()) {
            kept.push("");
        }
    }
    kept.join("\n")
}

fn after_banner(block: &[&str]) -> usize {
    let first = block.iter().position(|line| !line.trim().is_empty()).unwrap_or(0);
    if !block.get(first).is_some_and(|line| starts_with_any(line, &BANNERS)) {
        return 0;
    }
    // The warning is a paragraph. One that is followed by no blank line can't be told from the text.
    let length = block[first..].iter().position(|line| line.trim().is_empty());
    length.map_or(0, |length| first + length)
}

/// Where the signature or a disclaimer begins.
fn signature(block: &[&str]) -> usize {
    let disclaimer = block.iter().position(|line| starts_with_any(line, &DISCLAIMERS));
    let disclaimer = disclaimer.map(|at| {
        let above = block[..at].iter().rposition(|line| !line.trim().is_empty());
        let is_stars = |line: &str| line.len() >= 8 && line.trim().bytes().all(|b| b == b'*');
        above.filter(|above| is_stars(block[*above]) || is_rule(block[*above])).unwrap_or(at)
    });
    let block = &block[..disclaimer.unwrap_or(block.len())];
    let dashes = block.iter().rposition(|line| *line == "--");
    dashes.filter(|at| block.len() - at <= SIGNATURE_LINES + 1).unwrap_or(block.len())
}

fn is_ending(line: &str) -> bool {
    // Some programs put the words in a link: "Get Outlook for iOS<https://aka.ms/o0ukef>".
    let words = line.split(['<', '[']).next().unwrap_or_default();
    words.len() <= 60 && starts_with_any(line, &ENDINGS)
}

fn starts_with_any(line: &str, beginnings: &[&str]) -> bool {
    let line = line.trim_start().trim_start_matches(['*', '_']).to_lowercase();
    beginnings.iter().any(|beginning| line.starts_with(beginning))
}
