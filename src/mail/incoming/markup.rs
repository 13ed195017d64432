//! Plain text of a mail as the markdown of which comments are made: it shows as it was typed. Only what would
//! be markup is marked, so that the guard sees numbers and addresses as they are.

/// Lines of plain text are wrapped by the program at about 76 letters. A shorter one was ended by its writer.
const WRAPPED: usize = 60;

/// Markdown that shows `text`, its paragraphs and its lines.
#[must_use]
pub fn as_markdown(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for (at, line) in lines.iter().enumerate() {
        line_into(line, &mut out);
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let is_wrapped = line.chars().count() >= WRAPPED && marker(next).is_none();
        if !line.is_empty() && !next.is_empty() && !is_wrapped {
            out.push('\\');
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

fn line_into(line: &str, out: &mut String) {
    let marker = marker(line);
    let mut before = None;
    for (at, c) in line.char_indices() {
        let after = line[at + c.len_utf8()..].chars().next();
        let is_markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' | '|' | '&' => true,
            // Within a word it is a letter like others.
            '_' => !(is_word(before) && is_word(after)),
            _ => false,
        };
        if is_markup || marker == Some(at) {
            out.push('\\');
        }
        out.push(c);
        before = Some(c);
    }
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

/// Where the character is that makes a line a heading, an item of a list, a rule or a quotation.
fn marker(line: &str) -> Option<usize> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    let (first, after) = (rest.chars().next()?, rest.get(1..).unwrap_or_default());
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(char::is_whitespace);
    let is_marker = match first {
        '.' | ')' => digits > 0 && ends(after),
        _ if digits > 0 => false,
        '-' => ends(after) || after.starts_with(['-', ':']),
        '+' => ends(after),
        '#' => ends(rest.trim_start_matches('#')),
        ':' => after.starts_with('-'),
        '*' | '=' | '>' => true,
        _ => false,
    };
    is_marker.then_some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::as_markdown;
    use crate::domain::text::RichText;

    #[test]
    fn lists_and_lines_stay_and_wrapped_ones_join() {
        let text = "Three things:\n- bins\n* pads_and_tape\n1. earplugs\n\nCall 0113 496 0000 or +44 113";
        let markdown = as_markdown(text);
        assert_eq!(
            markdown,
            "Three things:\\\n\\- bins\\\n\\* pads_and_tape\\\n1\\. earplugs\n\nCall 0113 496 0000 or +44 113"
        );
        let wrapped = format!("{}\nand on", "long ".repeat(14).trim());
        assert_eq!(as_markdown(&wrapped), wrapped);
    }

    proptest! {
        #[test]
        fn nothing_becomes_markup(text in "([ -~]{0,12}|[-=:|+*_#>~`0-9.) a]{0,6}|<b>|    x|```|https://a.b/c_d|\n|\n\n){0,12}") {
            let markdown = as_markdown(&text);
            if let Ok(rich) = RichText::parse("body", markdown.as_str(), 10_000) {
                let bare = rich.html.replace("<p>", "").replace("</p>", "").replace("<br />", "").replace("<br>", "");
                prop_assert!(!bare.contains('<'), "{:?} became {:?}", markdown, rich.html);
            }
        }
    }
}
