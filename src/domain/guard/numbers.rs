//! Numbers by their digits: NHS, CHI and phone numbers.
//!
//! An NHS number has ten digits. Weighted with 10 down to 2, the first nine give the tenth: 11 less
//! the sum's remainder by 11, where 11 counts as 0, and 10 makes the number invalid (NHS Data
//! Dictionary, "NHS Number"). Numbers in use begin with 4, 6 or 7; a CHI number (Scotland) has the
//! same check and begins with a date of birth, DDMMYY. One in eleven of all ten-digit strings passes,
//! so the check alone proves little: the shape of the number and the words beside it decide.

use super::{
    normal::Normal,
    words::{Label, Labels, Words},
};
use crate::error::{Finding, PersonalData, Severity};

/// A run of digits with nothing that shows between them.
#[derive(Clone, Copy)]
struct Group {
    start: usize,
    end: usize,
    /// Part of something already: a URL, an ISBN, a phone number.
    taken: bool,
}

impl Group {
    const fn len(&self) -> usize {
        self.end - self.start
    }
}

/// What stands between two runs of digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Space,
    /// A line break or a tab, by which columns of figures are parted.
    Break,
    /// Hyphens, dots or underscores, with or without spaces.
    Tight,
    /// `/`, which parts dates and alternatives.
    Slash,
    /// Anything else: they are two numbers.
    Apart,
}

/// How ten digits are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Solid,
    /// 3-3-4, as the NHS prints its numbers.
    Grouped,
    /// 3-3-4 across lines or columns: perhaps three figures of a table.
    GroupedApart,
    /// 6-4, as CHI numbers are printed.
    SixFour,
    /// Any other way, held together by hyphens or dots.
    Tight,
    /// Any other way, with spaces: perhaps the figures of a table.
    Loose,
}

/// Ten digits that could be one number: the groups `first` to `last`.
struct Ten {
    first: usize,
    last: usize,
    start: usize,
    end: usize,
    digits: [u8; 10],
    shape: Shape,
}

pub fn find(text: &Normal, words: &Words) -> Vec<Finding> {
    let mut numbers = Numbers::of(text, words);
    let mut found = Vec::new();
    numbers.international_phones(&mut found);
    numbers.ten_digits(&words.labels, &mut found);
    numbers.national_phones(&mut found);
    found
}

struct Numbers<'a> {
    text: &'a Normal,
    groups: Vec<Group>,
    /// The gap after each group.
    gaps: Vec<Gap>,
}

impl<'a> Numbers<'a> {
    fn of(text: &'a Normal, words: &Words) -> Self {
        let bytes = &text.bytes;
        let mut groups: Vec<Group> = Vec::new();
        let mut exempt = words.exempt.iter().peekable();
        for start in (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()) {
            if let Some(group) = groups.last_mut().filter(|group| group.end == start) {
                group.end += 1;
                continue;
            }
            while exempt.next_if(|span| span.end <= start).is_some() {}
            let taken = exempt.peek().is_some_and(|span| span.start <= start);
            groups.push(Group { start, end: start + 1, taken });
        }
        let between = groups.windows(2).map(|pair| gap(&bytes[pair[0].end..pair[1].start]));
        let gaps = between.chain(groups.last().map(|_| Gap::Apart)).collect();
        Self { text, groups, gaps }
    }

    fn digits(&self, first: usize, last: usize) -> impl Iterator<Item = u8> {
        let groups = &self.groups[first..=last];
        groups.iter().flat_map(|group| self.text.bytes[group.start..group.end].iter().map(|byte| byte - b'0'))
    }

    fn before(&self, first: usize) -> Gap {
        first.checked_sub(1).map_or(Gap::Apart, |earlier| self.gaps[earlier])
    }

    fn take(&mut self, first: usize, last: usize) {
        self.groups[first..=last].iter_mut().for_each(|group| group.taken = true);
    }

    fn ten_digits(&mut self, labels: &Labels, found: &mut Vec<Finding>) {
        // Where a number that was called an NHS number ends: the next in a list is one, too.
        let mut labelled_until = None;
        let mut first = 0;
        while first < self.groups.len() {
            let Some(ten) = self.ten(first) else {
                first += 1;
                continue;
            };
            let mut label = labels.nhs(self.text, ten.start, ten.end);
            let in_list = labelled_until.is_some_and(|end| ten.start - end <= Labels::LIST_GAP);
            if label < Label::Near && in_list {
                label = Label::Near;
            }
            let Some((kind, severity)) = self.verdict(&ten, label, labels) else {
                first += 1;
                continue;
            };
            if label >= Label::Near {
                labelled_until = Some(ten.end);
            }
            found.push(Finding { kind, severity, start: ten.start, end: ten.end });
            self.take(ten.first, ten.last);
            first = ten.last + 1;
        }
    }

    /// The ten digits that begin with a group and end with one.
    fn ten(&self, first: usize) -> Option<Ten> {
        let (mut count, mut last) = (0, first);
        loop {
            let group = self.groups.get(last).filter(|group| !group.taken)?;
            count += group.len();
            match count {
                10 => break,
                11.. => return None,
                _ if self.gaps[last] == Gap::Apart => return None,
                _ => last += 1,
            }
        }
        let shape = self.shape(first, last)?;
        let mut digits = [0; 10];
        digits.iter_mut().zip(self.digits(first, last)).for_each(|(place, digit)| *place = digit);
        let (start, end) = (self.groups[first].start, self.groups[last].end);
        Some(Ten { first, last, start, end, digits, shape })
    }

    fn shape(&self, first: usize, last: usize) -> Option<Shape> {
        let lengths = self.groups[first..=last].iter().map(Group::len);
        let inner = &self.gaps[first..last];
        if lengths.clone().eq([10]) {
            return Some(Shape::Solid);
        }
        if lengths.clone().eq([3, 3, 4]) {
            let apart = inner.contains(&Gap::Break);
            return Some(if apart { Shape::GroupedApart } else { Shape::Grouped });
        }
        let in_one_piece = inner.iter().all(|gap| matches!(gap, Gap::Space | Gap::Tight));
        let cut_out = self.before(first) == Gap::Tight || self.gaps[last] == Gap::Tight;
        if !in_one_piece || cut_out || self.chunks(first, last).any(|(from, to)| self.means_more(from, to)) {
            return None;
        }
        if lengths.eq([6, 4]) {
            return Some(Shape::SixFour);
        }
        Some(if inner.contains(&Gap::Space) { Shape::Loose } else { Shape::Tight })
    }

    /// The parts of a number between spaces, as groups.
    fn chunks(&self, first: usize, last: usize) -> impl Iterator<Item = (usize, usize)> {
        let mut from = first;
        (first..=last).filter(move |at| *at == last || self.gaps[*at] == Gap::Space).map(move |to| {
            let chunk = (from, to);
            from = to + 1;
            chunk
        })
    }

    /// Whether these groups are something of their own, and no part of a number: a date, a year or
    /// a range of years, a decimal or a time of day, an IP address.
    fn means_more(&self, from: usize, to: usize) -> bool {
        let value = |at: usize| self.digits(at, at).fold(0_u64, |value, digit| value * 10 + u64::from(digit));
        let is_year = |at: usize| self.groups[at].len() == 4 && matches!(value(at), 1900..2100);
        let short = |at: usize, max: u64| self.groups[at].len() <= 2 && (1..=max).contains(&value(at));
        let gap = |at: usize| &self.text.bytes[self.groups[at].end..self.groups[at + 1].start];
        match to - from {
            0 => is_year(from),
            1 => gap(from) == b"." || (is_year(from) && (is_year(to) || self.groups[to].len() == 2)),
            2 => {
                let british = short(from, 31) && short(from + 1, 12) && is_year(to);
                let iso = is_year(from) && short(from + 1, 12) && short(to, 31);
                british || iso
            }
            3 => {
                let byte = |at: usize| self.groups[at].len() <= 3 && value(at) < 256;
                (from..to).all(|at| gap(at) == b".") && (from..=to).all(byte)
            }
            _ => false,
        }
    }

    /// What ten digits are, if anything. See the table in [`super`].
    fn verdict(&self, ten: &Ten, label: Label, labels: &Labels) -> Option<(PersonalData, Severity)> {
        use PersonalData::{ChiNumber, NhsNumber};
        use Severity::{Block, Warn};

        let valid = passes(&ten.digits);
        let is_called_chi = labels.chi(self.text, ten.start);
        if is_called_chi && label < Label::Near {
            return Some((ChiNumber, Block));
        }
        if label == Label::Adjacent || (valid && label == Label::Near) {
            return Some((NhsNumber, Block));
        }
        if !valid || self.is_money(ten.start) {
            return None;
        }
        // Joined to letters, or the decimals of a number: a reference, an id or a measurement.
        let letters = (self.text.is_letter(ten.start.wrapping_sub(1)), self.text.is_letter(ten.end));
        let decimals = self.text.bytes[..ten.start].ends_with(b".") && self.before(ten.first) == Gap::Tight;
        let embedded = ten.shape == Shape::Solid && (letters.0 || letters.1 || decimals);
        if letters == (true, true) {
            return None;
        }
        let in_use = matches!(ten.digits[0], 4 | 6 | 7);
        match ten.shape {
            Shape::Grouped => Some((NhsNumber, Block)),
            _ if embedded => Some((NhsNumber, Warn)),
            Shape::Solid | Shape::SixFour if begins_with_a_date(&ten.digits) => Some((ChiNumber, Block)),
            Shape::Solid | Shape::Tight if in_use => Some((NhsNumber, Block)),
            Shape::Loose if self.is_in_a_row(ten) => None,
            _ => Some((NhsNumber, Warn)),
        }
    }

    fn is_money(&self, start: usize) -> bool {
        let before = &self.text.bytes[..start];
        before.ends_with(b"$") || before.ends_with(b"$ ")
    }

    /// Whether more figures stand beside it on the line, as in a table.
    fn is_in_a_row(&self, ten: &Ten) -> bool {
        self.before(ten.first) == Gap::Space || self.gaps[ten.last] == Gap::Space
    }

    /// `+44 161 496 0123`, `0044…`, `+44 (0)161…`, and numbers of other countries (ITU-T E.164: at
    /// most 15 digits). They come first, because ten of their digits can look like an NHS number.
    fn international_phones(&mut self, found: &mut Vec<Finding>) {
        let mut first = 0;
        while first < self.groups.len() {
            let Some(last) = self.international(first) else {
                first += 1;
                continue;
            };
            self.found_phone(first, last, found);
            first = last + 1;
        }
    }

    fn international(&self, first: usize) -> Option<usize> {
        let bytes = &self.text.bytes;
        let start = self.groups[first].start;
        let prefix = match () {
            () if start > 0 && bytes[start - 1] == b'+' => 0,
            () if bytes[start..].starts_with(b"0044") => 2,
            () => return None,
        };
        let british = bytes[start + prefix..].starts_with(b"44");
        let (mut count, mut longest) = (0, None);
        for last in first..self.groups.len() {
            let group = self.groups[last];
            let is_trunk_zero = last > first && bytes[group.start..group.end] == *b"0";
            count += if is_trunk_zero { 0 } else { group.len() };
            if group.taken || count > 15 + prefix {
                break;
            }
            if british && count - prefix >= 12 {
                return (count - prefix <= 13).then_some(last);
            }
            longest = (count >= 10).then_some(last);
            if self.groups.get(last + 1).is_none_or(|next| !is_phone_gap(&bytes[group.end..next.start])) {
                break;
            }
        }
        longest
    }

    /// Numbers as dialled within the country: 11 digits from 01, 02, 05 or 07. Those from 03 and 08
    /// belong to organisations and help lines, 09 to services: never a patient's.
    fn national_phones(&mut self, found: &mut Vec<Finding>) {
        let mut first = 0;
        while first < self.groups.len() {
            let Some(last) = self.national(first) else {
                first += 1;
                continue;
            };
            self.found_phone(first, last, found);
            first = last + 1;
        }
    }

    fn national(&self, first: usize) -> Option<usize> {
        let bytes = &self.text.bytes;
        let group = self.groups[first];
        let is_prefix = matches!(bytes[group.start..group.end], [b'0', b'1' | b'2' | b'5' | b'7', _, ..]);
        if !is_prefix || self.text.is_letter(group.start.wrapping_sub(1)) {
            return None;
        }
        let mut count = 0;
        for last in first..self.groups.len() {
            let group = self.groups[last];
            count += group.len();
            match count {
                _ if group.taken => return None,
                11 => return Some(last),
                12.. => return None,
                _ => {}
            }
            let next = self.groups.get(last + 1)?;
            if !is_phone_gap(&bytes[group.end..next.start]) {
                return None;
            }
        }
        None
    }

    fn found_phone(&mut self, first: usize, last: usize, found: &mut Vec<Finding>) {
        let (start, end) = (self.groups[first].start, self.groups[last].end);
        let plus = usize::from(start > 0 && self.text.bytes[start - 1] == b'+');
        let (kind, severity) = (PersonalData::PhoneNumber, Severity::Warn);
        found.push(Finding { kind, severity, start: start - plus, end });
        self.take(first, last);
    }
}

/// Longer gaps part sentences.
const GAP_MAX: usize = 5;

fn gap(between: &[u8]) -> Gap {
    if between.len() > GAP_MAX {
        return Gap::Apart;
    }
    match between {
        b" " => Gap::Space,
        b"\n" | b"\t" => Gap::Break,
        _ if between.iter().all(|byte| matches!(byte, b' ' | b'-' | b'.' | b'_')) => Gap::Tight,
        _ if between.iter().all(|byte| matches!(byte, b' ' | b'/')) => Gap::Slash,
        // Broken at its hyphen.
        [joined @ .., b'\n'] if gap(joined) == Gap::Tight => Gap::Break,
        _ => Gap::Apart,
    }
}

fn is_phone_gap(between: &[u8]) -> bool {
    between.len() <= GAP_MAX && between.iter().all(|byte| matches!(byte, b' ' | b'-' | b'.' | b'(' | b')'))
}

/// Whether the tenth digit is the check digit of the nine before it.
pub fn passes(digits: &[u8; 10]) -> bool {
    let sum: u32 =
        digits[..9].iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    match 11 - sum % 11 {
        10 => false,
        11 => digits[9] == 0,
        check => u32::from(digits[9]) == check,
    }
}

fn begins_with_a_date(digits: &[u8; 10]) -> bool {
    let two = |at: usize| u32::from(digits[at] * 10 + digits[at + 1]);
    // Any year may be a leap year: the century is not told.
    chrono::NaiveDate::from_ymd_opt(2000, two(2), two(0)).is_some()
        && (two(4) % 4 == 0 || (two(0), two(2)) != (29, 2))
}
