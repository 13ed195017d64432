//! Text as the guard reads it: one byte for each character that shows, disguises taken off.
//!
//! | what was typed | what the guard reads |
//! |---|---|
//! | decimal digits of any script, full-width ones included | `0` to `9` |
//! | hyphens, dashes and minus signs | `-` |
//! | full stops, middle dots and bullets | `.` |
//! | a run of spaces of any kind, `&nbsp;` and control characters | one space |
//! | such a run with a line break, with a tab, with several line breaks | `\n`, `\t`, `\n\n` |
//! | zero-width characters, combining marks, markdown's emphasis, bare HTML tags | nothing |
//! | `£`, `$`, `€` and `¥` | `$` |
//! | letters outside ASCII | [`OTHER_LETTER`] |
//! | other signs outside ASCII | [`OTHER_SIGN`] |

/// A letter that no pattern names, but that belongs to a word.
pub const OTHER_LETTER: u8 = 0x7f;
pub const OTHER_SIGN: u8 = 0x01;

/// The code points of the digit zero in every script (general category Nd, Unicode 16); the nine
/// others follow it. ASCII's is left out.
const ZEROS: [u32; 73] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730,
    0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x1CCF0,
    0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

/// HTML's names for spaces and for characters that don't show, which markdown renders as such.
const ENTITIES: [(&str, Option<char>); 10] = [
    ("&nbsp;", Some(' ')),
    ("&#160;", Some(' ')),
    ("&#xa0;", Some(' ')),
    ("&ensp;", Some(' ')),
    ("&emsp;", Some(' ')),
    ("&thinsp;", Some(' ')),
    ("&ndash;", Some('-')),
    ("&shy;", None),
    ("&zwj;", None),
    ("&zwnj;", None),
];

/// The longest HTML tag that is read as nothing, in bytes: `</blockquote>`, with room for spaces.
const TAG_MAX: usize = 20;

pub struct Normal {
    pub bytes: Vec<u8>,
    /// For each byte, the number of the character that it stands for.
    typed: Vec<u32>,
}

impl Normal {
    pub fn of(text: &str) -> Self {
        let mut normal =
            Self { bytes: Vec::with_capacity(text.len()), typed: Vec::with_capacity(text.len()) };
        let mut index = 0;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (read, length) = read(c, rest, normal.bytes.last().copied());
            if let Some(byte) = read {
                normal.push(byte, index);
            }
            let (passed, left) = rest.split_at(length);
            index += if length == c.len_utf8() { 1 } else { passed.chars().count() as u32 };
            rest = left;
        }
        normal
    }

    fn push(&mut self, byte: u8, index: u32) {
        let in_paragraph_break = self.bytes.ends_with(b"\n\n");
        match (self.bytes.last_mut(), byte) {
            (Some(b' ' | b'\t' | b'\n'), b' ') | (Some(b'\n'), b'\t') => {}
            (Some(b'\n'), b'\n') if in_paragraph_break => {}
            (Some(last @ (b' ' | b'\t')), b'\n' | b'\t') => *last = byte,
            _ => {
                self.bytes.push(byte);
                self.typed.push(index);
            }
        }
    }

    /// The characters, as typed, that the bytes from `start` to `end` stand for.
    pub fn typed(&self, start: usize, end: usize) -> (usize, usize) {
        (self.typed[start] as usize, self.typed[end - 1] as usize + 1)
    }

    pub fn is_letter(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == OTHER_LETTER)
    }

    /// Whether a letter or a digit stands directly before or after a span.
    pub fn is_part_of_a_word(&self, start: usize, end: usize) -> bool {
        let stands = |at: usize| self.is_letter(at) || self.bytes.get(at).is_some_and(u8::is_ascii_digit);
        (start > 0 && stands(start - 1)) || stands(end)
    }
}

/// What the guard reads for the character that `rest` begins with, and how many bytes of it that
/// takes.
fn read(c: char, rest: &str, before: Option<u8>) -> (Option<u8>, usize) {
    let one = c.len_utf8();
    match c {
        '0'..='9' | 'a'..='z' | 'A'..='Z' | ' ' | '\n' | '\t' | '-' | '.' => (Some(c as u8), one),
        '&' => entity(rest).unwrap_or((Some(b'&'), one)),
        '<' => tag(rest).unwrap_or((Some(b'<'), one)),
        '*' | '`' | '~' | '\\' => {
            let stands_alone = before.is_none_or(|byte| byte.is_ascii_whitespace())
                && rest[1..].chars().next().is_none_or(char::is_whitespace);
            (stands_alone.then_some(c as u8), one)
        }
        '\u{B}' | '\u{C}' => (Some(b'\n'), one),
        c if c.is_ascii_control() => (Some(b' '), one),
        c if c.is_ascii() => (Some(c as u8), one),
        c => (beyond_ascii(c), one),
    }
}

fn beyond_ascii(c: char) -> Option<u8> {
    match c {
        '£' | '€' | '¥' => Some(b'$'),
        '\u{AD}'
        | '\u{300}'..='\u{34E}'
        | '\u{350}'..='\u{36F}'
        | '\u{61C}'
        | '\u{180B}'..='\u{180F}'
        | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FE20}'..='\u{FE2F}'
        | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => None,
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some(b'\n'),
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}'
        | '\u{FFA0}' => Some(b' '),
        '\u{58A}'
        | '\u{5BE}'
        | '\u{1400}'
        | '\u{1806}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{207B}'
        | '\u{208B}'
        | '\u{2212}'
        | '\u{2796}'
        | '\u{2E17}'
        | '\u{2E1A}'
        | '\u{2E3A}'
        | '\u{2E3B}'
        | '\u{301C}'
        | '\u{3030}'
        | '\u{30A0}'
        | '\u{30FC}'
        | '\u{FE31}'
        | '\u{FE32}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF70}'
        | '\u{10EAD}' => Some(b'-'),
        '\u{B7}' | '\u{387}' | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2219}' | '\u{22C5}'
        | '\u{30FB}' | '\u{3002}' | '\u{FF61}' | '\u{FF65}' => Some(b'.'),
        '\u{2044}' | '\u{2215}' => Some(b'/'),
        // The full-width forms of ASCII.
        '\u{FF01}'..='\u{FF5E}' => Some((c as u32 - 0xFEE0) as u8),
        c if c.is_whitespace() || c.is_control() => Some(b' '),
        c => digit(c).or(Some(if c.is_alphanumeric() { OTHER_LETTER } else { OTHER_SIGN })),
    }
}

fn digit(c: char) -> Option<u8> {
    let point = c as u32;
    let after = ZEROS.partition_point(|zero| *zero <= point);
    let value = point - ZEROS[after.checked_sub(1)?];
    (value < 10).then(|| b'0' + value as u8)
}

fn entity(rest: &str) -> Option<(Option<u8>, usize)> {
    let starts = |name: &str| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (name, read) = ENTITIES.iter().find(|(name, _)| starts(name))?;
    Some((read.map(|c| c as u8), name.len()))
}

/// The HTML tag at the beginning of `rest`. One with attributes is text like any other, as it is
/// stored.
fn tag(rest: &str) -> Option<(Option<u8>, usize)> {
    let end = rest.bytes().take(TAG_MAX).position(|byte| byte == b'>')?;
    let name = rest[1..end].trim_matches(['/', ' ']);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then(|| (name.eq_ignore_ascii_case("br").then_some(b'\n'), end + 1))
}
