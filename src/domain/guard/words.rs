//! What words say about the figures beside them, and what is known by its letters.
//!
//! All patterns are for the `regex` crate, whose searches take time in proportion to the text, and
//! are searched a bounded number of times.

use std::{ops::Range, sync::LazyLock};

use regex::bytes::Regex;

use super::normal::Normal;
use crate::error::{Finding, PersonalData, Severity};

/// How far before its number a label may stand, in characters: `NHS number of the lady in bed 4:`.
const NEAR_BEFORE: usize = 30;
/// How far after: `943 476 5919 (NHS number)`.
const NEAR_AFTER: usize = 15;
/// The longest date: `12th of September, 1956`, with room for spaces.
const DATE_MAX: usize = 30;

macro_rules! pattern {
    ($name:ident = $($part:expr),+) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| {
            // A constant: a wrong one fails every test.
            Regex::new(concat!("(?i-u)", $($part),+)).expect("the pattern is well formed")
        });
    };
}

// What is no number of a person: addresses on the web, DOIs and ISBNs. An ISBN of ten digits has the
// NHS number's check; one of thirteen is told from other numbers by its beginning.
pattern!(
    EXEMPT = r#"(?:\b(?:https?|ftps?)://|\bwww\.)[^ \t\n<>"|{}]+"#,
    r#"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:uk|com|org|net|info|eu|gov|edu|io|int|scot|wales|cymru)/[^ \t\n<>"|{}]*"#,
    r#"|\b10\.[0-9]{4,9}/[^ \t\n<>"|{}]+"#,
    r"|isbns?(?:[ -]{0,2}1[03]\b)?[^0-9a-z\n]{0,6}(?:(?:number|no|is)\b[^0-9a-z\n]{0,4})?(?:97[89][ .-]{0,3})?(?:[0-9][ .-]{0,3}){9}[0-9x]",
    r"|\b97[89][ -]?(?:[0-9][ -]?){9}[0-9]\b"
);
pattern!(NHS = r"\bn\.? ?h\.? ?s\.?(?:[ \n_-]{0,2}(?:numbers?|num|nos?|nr|id|#|:)\.?)?");
pattern!(CHI = r"\bchi[ \n_-]?(?:numbers?|no|#|:)\.?");
pattern!(DOB = r"\bd\.? ?o\.? ?b\b\.?|\bdates? of birth\b|\bbirth[ -]?date\b|\bbirthday\b|\bborn\b");
pattern!(
    HOSPITAL = r"\bm\.?r\.?n\b\.?|\bhosp(?:ital)?\.? (?:number|num|no|id)\b\.?|\b(?:patient|pas|casenote|case note) (?:number|num|no|id|identifier)\b\.?"
);

pattern!(
    HOSPITAL_NUMBER = r"\b[a-z]{0,4}[/-]?(?:[0-9]{5,10}|[0-9]{3}[ -][0-9]{3,4}(?:[ -][0-9]{1,4})?)[a-z]?"
);
pattern!(
    DATE = r"[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}",
    r"|[0-9]{1,2} ?[-./ ] ?[0-9]{1,2} ?[-./ ] ?(?:[0-9]{4}|[0-9]{2})",
    r"|[0-9]{1,2}(?:st|nd|rd|th)?(?: of)?[ .-]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}[ ,.-]{0,2}(?:[0-9]{4}|[0-9]{2})",
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}[ .][0-9]{1,2}(?:st|nd|rd|th)?[ ,]{1,2}[0-9]{4}",
    r"|[0-9]{8}|[0-9]{6}"
);
// HM Revenue and Customs, NIM39110: which letters a prefix may have, and which pairs are not given
// out. In capitals it may be spaced; in small letters `at 10 20 30 a` is a sentence.
pattern!(
    NATIONAL_INSURANCE = r"[abceghj-prstw-z][abceghj-nprstw-z](?:[0-9]{6}[a-d]",
    r"|(?-i:[ ._-]{0,3}[0-9]{2}[ ._-]{0,3}[0-9]{2}[ ._-]{0,3}[0-9]{2}[ ._-]{0,3}[A-D]))"
);
pattern!(EMAIL = r"[a-z0-9._%+'-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+");
// Royal Mail's Postcode Address File: the 124 areas, the district, the sector, and the unit's
// letters, which are never C, I, K, M, O or V.
pattern!(
    POSTCODE =
        r"(?:a[bl]|b[abdhlnrst]?|c[abfhmortvw]|d[adeghlnty]|e[chnx]?|f[ky]|g[luy]?|h[adgprsux]|i[gmpv]|je",
    r"|k[atwy]|l[adelnsu]?|m[ekl]?|n[egnprw]?|o[lx]|p[aehlor]|r[ghm]|s[aegklmnoprstwy]?|t[adfnqrsw]|ub",
    r"|w[acdfnrsv]?|yo|ze)[0-9][0-9a-z]? ?[0-9][abd-hjlnp-uw-z]{2}"
);

/// Domains of the organisations that members work for: their addresses say where to ask, and are
/// nobody's at home.
const PROFESSIONAL: [&[u8]; 9] = [
    b"nhs.uk",
    b"nhs.net",
    b"nhs.scot",
    b"nhs.wales",
    b"hscni.net",
    b"gov.uk",
    b"cqc.org.uk",
    b"nice.org.uk",
    b"healthwatch.co.uk",
];

/// How closely a number is called an NHS number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    None,
    Near,
    /// Directly before it, or with words like "is" between.
    Adjacent,
}

/// What was found by its words, and what the numbers' own rules need to know.
pub struct Words {
    /// URLs, DOIs and ISBNs, in order.
    pub exempt: Vec<Range<usize>>,
    pub labels: Labels,
}

/// Where the text names kinds of numbers.
pub struct Labels {
    /// Each with whether a number is named, or the NHS only.
    nhs: Vec<(Range<usize>, bool)>,
    chi: Vec<Range<usize>>,
}

impl Words {
    pub fn of(text: &Normal) -> Self {
        Self { exempt: exempt(text), labels: Labels::of(text) }
    }
}

impl Labels {
    /// In a list of NHS numbers, the next begins at most so many characters after the last.
    pub const LIST_GAP: usize = 6;

    fn of(text: &Normal) -> Self {
        let complete = |at: &Range<usize>| !text.is_letter(at.end);
        let is_named = |at: &Range<usize>| {
            let mut parts = text.bytes[at.clone()].splitn(2, |byte| byte.eq_ignore_ascii_case(&b's'));
            parts.nth(1).is_some_and(|name| !matches!(name, b"" | b"."))
        };
        let nhs = spans(&NHS, text).filter(complete).map(|at| (at.clone(), is_named(&at)));
        Self { nhs: nhs.collect(), chi: spans(&CHI, text).filter(complete).collect() }
    }

    /// How closely the span is called an NHS number. The bare letters NHS count as near when they
    /// stand directly before it.
    pub fn nhs(&self, text: &Normal, start: usize, end: usize) -> Label {
        let after = self.nhs.partition_point(|(at, _)| at.end <= start);
        if let Some((at, named)) = after.checked_sub(1).map(|before| &self.nhs[before]) {
            match (adjoins(text, at.end, start), named) {
                (true, true) => return Label::Adjacent,
                (true, false) => return Label::Near,
                (false, true) if is_near(text, at.end, start, NEAR_BEFORE) => return Label::Near,
                _ => {}
            }
        }
        let following = self.nhs.get(after).filter(|(_, named)| *named);
        let near = following.is_some_and(|(at, _)| is_near(text, end, at.start, NEAR_AFTER));
        if near { Label::Near } else { Label::None }
    }

    pub fn chi(&self, text: &Normal, start: usize) -> bool {
        let before = self.chi.partition_point(|at| at.end <= start).checked_sub(1);
        before.is_some_and(|label| adjoins(text, self.chi[label].end, start))
    }
}

fn spans(pattern: &'static Regex, text: &Normal) -> impl Iterator<Item = Range<usize>> {
    pattern.find_iter(&text.bytes).map(|found| found.range())
}

/// Whether only punctuation and little words stand between a label and its number.
fn adjoins(text: &Normal, from: usize, to: usize) -> bool {
    const LITTLE: [&[u8]; 12] =
        [b"is", b"was", b"are", b"no", b"number", b"on", b"of", b"the", b"a", b"dd", b"mm", b"yyyy"];
    if to < from || to - from > 24 {
        return false;
    }
    let between = &text.bytes[from..to];
    let mut words = between.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| LITTLE.iter().any(|little| little.eq_ignore_ascii_case(word)))
}

/// Whether two places are at most `max` characters apart, in the same paragraph.
fn is_near(text: &Normal, from: usize, to: usize, max: usize) -> bool {
    from <= to && to - from <= max && !text.bytes[from..to].windows(2).any(|pair| pair == b"\n\n")
}

/// Whether no sentence ends between two places.
fn in_one_sentence(text: &Normal, from: usize, to: usize) -> bool {
    let is_end = |pair: &[u8]| matches!(pair, [b'.' | b'!' | b'?', b' ' | b'\n']);
    from <= to && !text.bytes[from..to].windows(2).any(is_end)
}

fn exempt(text: &Normal) -> Vec<Range<usize>> {
    let trimmed = spans(&EXEMPT, text).filter_map(|at| {
        let bytes = &text.bytes[at.clone()];
        let is_bare_isbn = bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b' ' | b'-'));
        if is_bare_isbn {
            passes_as_isbn(bytes).then_some(at)
        } else {
            Some(at.start..at.start + link_end(bytes))
        }
    });
    trimmed.collect()
}

/// Where a link ends: before a bracket that it did not open.
fn link_end(link: &[u8]) -> usize {
    let mut open = 0_usize;
    for (at, byte) in link.iter().enumerate() {
        match byte {
            b'(' | b'[' => open += 1,
            b')' | b']' if open == 0 => return at,
            b')' | b']' => open -= 1,
            _ => {}
        }
    }
    link.len()
}

/// The check of thirteen digits (ISO 2108): weights 1 and 3 in turn, a multiple of 10.
fn passes_as_isbn(text: &[u8]) -> bool {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'));
    digits.zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum::<u32>() % 10 == 0
}

/// What letters or labels make known. `numbers` finds the rest.
pub fn find(text: &Normal) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut push = |kind, severity, at: Range<usize>| {
        found.push(Finding { kind, severity, start: at.start, end: at.end });
    };
    births(text).for_each(|(severity, at)| push(PersonalData::DateOfBirth, severity, at));
    hospital_numbers(text).for_each(|(severity, at)| push(PersonalData::HospitalNumber, severity, at));
    for at in spans(&NATIONAL_INSURANCE, text).filter(|at| is_national_insurance(text, at)) {
        push(PersonalData::NationalInsuranceNumber, Severity::Block, at);
    }
    for at in spans(&EMAIL, text).filter(|at| !is_professional(&text.bytes[at.clone()])) {
        push(PersonalData::EmailAddress, Severity::Warn, at);
    }
    for at in spans(&POSTCODE, text).filter(|at| is_postcode(text, at)) {
        push(PersonalData::Postcode, Severity::Warn, at);
    }
    found
}

/// Dates beside a word about birth. What is called a date of birth is one; services are born and the
/// NHS has birthdays, and a date further off may be another one.
fn births(text: &Normal) -> impl Iterator<Item = (Severity, Range<usize>)> {
    spans(&DOB, text).flat_map(|label| {
        let word = text.bytes[label.clone()].to_ascii_lowercase();
        let is_loose = matches!(&word[..], b"born" | b"birthday");
        let after = label.end..text.bytes.len().min(label.end + NEAR_BEFORE + DATE_MAX);
        let after = first_date(text, after).filter(|at| is_near(text, label.end, at.start, NEAR_BEFORE));
        let after = after.and_then(|at| {
            let adjoins = adjoins(text, label.end, at.start);
            let severity = if adjoins && !is_loose { Severity::Block } else { Severity::Warn };
            // Figures in one piece are a date only where a date must stand.
            let bare = text.bytes[at.clone()].iter().all(u8::is_ascii_digit);
            let meant = adjoins || (!bare && in_one_sentence(text, label.end, at.start));
            meant.then_some((severity, at))
        });
        let before = label.start.saturating_sub(NEAR_AFTER + DATE_MAX)..label.start;
        let before = || {
            let date = last_date(text, before)?;
            let apart = text.bytes[date.end..label.start].iter().any(u8::is_ascii_alphanumeric);
            let bare = text.bytes[date.clone()].iter().all(u8::is_ascii_digit);
            (!apart && !bare && !is_loose).then_some((Severity::Warn, date))
        };
        after.or_else(before)
    })
}

fn first_date(text: &Normal, within: Range<usize>) -> Option<Range<usize>> {
    dates(text, within).next()
}

fn last_date(text: &Normal, within: Range<usize>) -> Option<Range<usize>> {
    dates(text, within).last()
}

fn dates(text: &Normal, within: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let found = DATE.find_iter(&text.bytes[within.clone()]);
    found
        .map(move |date| within.start + date.start()..within.start + date.end())
        .filter(|at| !text.is_part_of_a_word(at.start, at.end) && is_date(&text.bytes[at.clone()]))
}

/// Whether figures can be a day, a month and a year. A month by name needs no check of its own.
fn is_date(date: &[u8]) -> bool {
    let figures: Vec<&[u8]> =
        date.split(|byte| !byte.is_ascii_digit()).filter(|figures| !figures.is_empty()).collect();
    let value =
        |figures: &[u8]| figures.iter().fold(0_u32, |value, byte| value * 10 + u32::from(byte - b'0'));
    let day_and_month =
        |day: &[u8], month: &[u8]| (1..=31).contains(&value(day)) && (1..=12).contains(&value(month));
    match figures.as_slice() {
        [all] => day_and_month(&all[..2], &all[2..4]),
        [year, month, day] if year.len() == 4 => day_and_month(day, month),
        [day, month, _] => day_and_month(day, month) || day_and_month(month, day),
        [day, _] => (1..=31).contains(&value(day)),
        _ => false,
    }
}

/// Hospital numbers differ from trust to trust: five to ten digits, some with letters. They are
/// known by what they are called.
fn hospital_numbers(text: &Normal) -> impl Iterator<Item = (Severity, Range<usize>)> {
    spans(&HOSPITAL, text).filter_map(|label| {
        let within = label.end..text.bytes.len().min(label.end + NEAR_BEFORE + 16);
        let found = HOSPITAL_NUMBER.find(&text.bytes[within])?;
        let at = label.end + found.start()..label.end + found.end();
        let digits = text.bytes[at.clone()].iter().filter(|byte| byte.is_ascii_digit()).count();
        // The hospital's own phone number.
        let continues = matches!(text.bytes[at.end..], [b' ' | b'-', b'0'..=b'9', ..]);
        let is_phone = (continues && text.bytes[at.start] == b'0')
            || matches!(text.bytes[..at.start], [.., b'0'..=b'9', b' ' | b'-']);
        if is_phone || text.is_part_of_a_word(at.start, at.end) {
            return None;
        }
        if adjoins(text, label.end, at.start) {
            return Some((Severity::Block, at));
        }
        // "The hospital no longer" names no number.
        let named = !text.bytes[label.clone()].to_ascii_lowercase().ends_with(b" no");
        let near = named
            && is_near(text, label.end, at.start, NEAR_BEFORE)
            && in_one_sentence(text, label.end, at.start);
        (near && digits >= 6).then_some((Severity::Warn, at))
    })
}

fn is_national_insurance(text: &Normal, at: &Range<usize>) -> bool {
    let prefix = text.bytes[at.start..at.start + 2].to_ascii_uppercase();
    let given_out = !matches!(&prefix[..], b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ");
    given_out && !text.is_part_of_a_word(at.start, at.end)
}

fn is_professional(address: &[u8]) -> bool {
    let at = address.iter().rposition(|byte| *byte == b'@').unwrap_or_default();
    let domain = address[at + 1..].to_ascii_lowercase();
    let domain = domain.as_slice();
    PROFESSIONAL.iter().any(|known| {
        domain.strip_suffix(*known).is_some_and(|labels| labels.is_empty() || labels.ends_with(b"."))
    })
}

/// Ordinals look like the end of a postcode: `ward B2 3rd floor`.
fn is_postcode(text: &Normal, at: &Range<usize>) -> bool {
    let unit = text.bytes[at.end - 2..at.end].to_ascii_lowercase();
    let ordinal =
        matches!(&unit[..], b"st" | b"nd" | b"rd" | b"th") && text.bytes[at.end - 2..at.end] == unit[..];
    !ordinal && !text.is_part_of_a_word(at.start, at.end)
}
