//! Measures: what was counted before and after, and what may be shown of it.

use async_graphql::{InputObject, SimpleObject};
use serde::{Deserialize, Serialize};

use super::{
    limits::{MEASURE_NAME_MAX, MEASURES_MAX, UNIT_MAX},
    problems::Problems,
};
use crate::{
    domain::{
        calendar::YearMonth,
        taxonomy::{FFT, List},
    },
    error::Code,
};

/// Fewer answers than this could be traced to a person: NHS England's publications of the Friends and
/// Family Test show 1 to 4 as `*`.
pub const SUPPRESSED_BELOW: u32 = 5;

/// Since this month the Friends and Family Test asks "Overall, how was your experience of our
/// service?". Before, it asked another question: results from both sides can't be compared.
pub const FFT_QUESTION_CHANGED: (u16, u8) = (2020, 4);

/// Larger numbers are slips, and doubles hold whole numbers below exactly.
const VALUE_MAX: f64 = 1e12;
/// More people than live in the United Kingdom have not answered.
const N_MAX: u32 = 70_000_000;

/// What a measure is for. An improvement needs to know both that the thing is done and that it helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum MeasureKind {
    /// Whether what was agreed is done, each time (reliability).
    Process,
    /// What it changed for people.
    Outcome,
    /// Whether it made something else worse.
    Balancing,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "MeasureDirection")]
pub enum Direction {
    HigherIsBetter,
    LowerIsBetter,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Measure {
    pub name: String,
    pub kind: Option<MeasureKind>,
    /// The slug of a source of feedback.
    pub source: Option<String>,
    /// "%", "minutes"
    pub unit: Option<String>,
    pub direction: Option<Direction>,
    pub before: Option<Point>,
    pub after: Option<Point>,
}

/// A value at a time. What was typed is stored, and can only be read as it may be shown, or by asking
/// for it [as it was typed](Point::typed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    date: Option<YearMonth>,
    value: f64,
    n: Option<u32>,
    fft: Option<FftCounts>,
}

/// What everybody may see of a point, authors and exports included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shown {
    Value {
        value: f64,
        /// How many answered, where that is known.
        n: Option<u32>,
    },
    /// 1 to 4 answered: `*`.
    Suppressed,
}

impl Point {
    #[must_use]
    pub const fn date(&self) -> Option<YearMonth> {
        self.date
    }

    /// How many answered. For rules alone: readers are shown [`shown`](Self::shown).
    pub(super) const fn n(&self) -> Option<u32> {
        self.n
    }

    #[must_use]
    pub fn shown(&self) -> Shown {
        match self.n {
            Some(1..SUPPRESSED_BELOW) => Shown::Suppressed,
            n => Shown::Value { value: self.value, n },
        }
    }

    /// What was typed, small numbers included: for the form in which its authors edit it, and nothing
    /// else.
    #[must_use]
    pub fn typed(&self) -> TypedPoint {
        TypedPoint {
            // From counts, the value is worked out again.
            value: self.fft.is_none().then_some(self.value),
            date: self.date,
            n: if self.fft.is_none() { self.n } else { None },
            fft: self.fft,
        }
    }
}

/// Answers to the Friends and Family Test, as its published tables count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, InputObject, SimpleObject)]
#[graphql(input_name = "FftCountsInput")]
#[serde(rename_all(serialize = "camelCase", deserialize = "camelCase"))]
pub struct FftCounts {
    pub very_good: u32,
    pub good: u32,
    pub neither_good_nor_poor: u32,
    pub poor: u32,
    pub very_poor: u32,
    pub dont_know: u32,
}

impl FftCounts {
    /// All responses, "don't know" included.
    #[must_use]
    pub const fn responses(&self) -> u32 {
        self.very_good
            .saturating_add(self.good)
            .saturating_add(self.neither_good_nor_poor)
            .saturating_add(self.poor)
            .saturating_add(self.very_poor)
            .saturating_add(self.dont_know)
    }

    /// Very good and good among all responses, in per cent to one decimal; `None` without responses.
    #[must_use]
    pub fn positive(&self) -> Option<f64> {
        let positive = f64::from(self.very_good) + f64::from(self.good);
        let all = f64::from(self.responses());
        (all > 0.0).then(|| (positive * 1_000.0 / all).round() / 10.0)
    }
}

/// A measure as its authors type it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, InputObject, SimpleObject)]
#[graphql(name = "TypedMeasure", input_name = "MeasureInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedMeasure {
    /// At most 150 characters.
    pub name: String,
    pub kind: Option<MeasureKind>,
    /// A slug of `taxonomy.feedbackSources`. `fft` makes it a measure of the Friends and Family Test:
    /// its value is the percentage that answered very good or good.
    pub source: Option<String>,
    /// For example "minutes"; at most 50 characters. `FFT` makes it a measure of that test, too.
    pub unit: Option<String>,
    pub direction: Option<Direction>,
    pub before: Option<TypedPoint>,
    pub after: Option<TypedPoint>,
}

/// A value at a time, as its authors type it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, InputObject, SimpleObject)]
#[graphql(name = "TypedMeasurePoint", input_name = "MeasurePointInput")]
#[serde(default, deny_unknown_fields)]
pub struct TypedPoint {
    /// Of the Friends and Family Test: the positive percentage, or leave it out and give `fft`.
    pub value: Option<f64>,
    pub date: Option<YearMonth>,
    /// How many answered, or were counted. 1 to 4 are stored and shown to nobody.
    pub n: Option<u32>,
    /// The answers to the Friends and Family Test, from which value and n follow.
    pub fft: Option<FftCounts>,
}

impl Measure {
    /// Whether it is of the Friends and Family Test, whose rules it then has to keep.
    #[must_use]
    pub fn is_fft(&self) -> bool {
        is_fft(self.source.as_deref(), self.unit.as_deref())
    }

    /// What was typed, for its authors to edit.
    #[must_use]
    pub fn typed(&self) -> TypedMeasure {
        TypedMeasure {
            name: self.name.clone(),
            kind: self.kind,
            source: self.source.clone(),
            unit: self.unit.clone(),
            direction: self.direction,
            before: self.before.as_ref().map(Point::typed),
            after: self.after.as_ref().map(Point::typed),
        }
    }
}

fn is_fft(source: Option<&str>, unit: Option<&str>) -> bool {
    let named =
        |unit: &str| unit.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("fft"));
    source == Some(FFT) || unit.is_some_and(named)
}

/// Reads what was typed; what can't be taken is told with its path.
pub(super) fn measures(typed: &[TypedMeasure], problems: &mut Problems) -> Vec<Measure> {
    let field = "measures";
    if typed.len() > MEASURES_MAX {
        problems.add(field, Code::TooMany, format!("Give at most {MEASURES_MAX} measures."));
    }
    let typed = typed.iter().take(MEASURES_MAX).enumerate();
    typed.map(|(index, typed)| measure(&format!("{field}.{index}"), typed, problems)).collect()
}

fn measure(field: &str, typed: &TypedMeasure, problems: &mut Problems) -> Measure {
    let fft = is_fft(typed.source.as_deref(), typed.unit.as_deref());
    let mut read = |name: &str, point: &Option<TypedPoint>| {
        let point = point.as_ref()?;
        self::point(&format!("{field}.{name}"), point, fft, problems)
    };
    let (before, after) = (read("before", &typed.before), read("after", &typed.after));
    let name = problems.line(&format!("{field}.name"), "name of the measure", &typed.name, MEASURE_NAME_MAX);
    let unit = typed.unit.as_deref().unwrap_or_default();
    let measure = Measure {
        name: name.unwrap_or_default(),
        kind: typed.kind,
        source: typed
            .source
            .as_deref()
            .and_then(|slug| problems.slug(&format!("{field}.source"), List::FeedbackSources, slug)),
        unit: problems.line(&format!("{field}.unit"), "unit", unit, UNIT_MAX),
        direction: typed.direction,
        before,
        after,
    };
    compare(field, &measure, fft, problems);
    measure
}

fn point(field: &str, typed: &TypedPoint, fft: bool, problems: &mut Problems) -> Option<Point> {
    if let Some(counts) = typed.fft {
        return counted(field, typed, counts, fft, problems);
    }
    if typed.n.is_some_and(|n| n > N_MAX) {
        problems.add(
            &format!("{field}.n"),
            Code::Invalid,
            "Enter how many answered: this is more than there are.",
        );
        return None;
    }
    let Some(value) = typed.value else {
        problems.add(&format!("{field}.value"), Code::Required, "Enter the value, or leave this point out.");
        return None;
    };
    let percentage = (0.0..=100.0).contains(&value);
    if fft && !percentage {
        let message = "Enter the positive percentage of the Friends and Family Test, from 0 to 100.";
        problems.add(&format!("{field}.value"), Code::Invalid, message);
        return None;
    }
    if !value.is_finite() || value.abs() > VALUE_MAX {
        problems.add(&format!("{field}.value"), Code::Invalid, "Enter a number below a million million.");
        return None;
    }
    Some(Point { date: typed.date, value, n: typed.n, fft: None })
}

fn counted(
    field: &str,
    typed: &TypedPoint,
    counts: FftCounts,
    fft: bool,
    problems: &mut Problems,
) -> Option<Point> {
    if !fft {
        let message =
            "Only measures of the Friends and Family Test have its answers. Choose it as the source.";
        problems.add(&format!("{field}.fft"), Code::Invalid, message);
        return None;
    }
    if typed.value.is_some() || typed.n.is_some() {
        let message = "Give the answers, or the percentage and how many answered, not both.";
        problems.add(&format!("{field}.fft"), Code::Invalid, message);
        return None;
    }
    let responses = counts.responses();
    match counts.positive().filter(|_| responses <= N_MAX) {
        Some(value) => Some(Point { date: typed.date, value, n: Some(responses), fft: Some(counts) }),
        None => {
            problems.add(
                &format!("{field}.fft"),
                Code::Invalid,
                "Enter how many gave each answer, at least one.",
            );
            None
        }
    }
}

fn compare(field: &str, measure: &Measure, fft: bool, problems: &mut Problems) {
    let date = |point: &Option<Point>| point.as_ref().and_then(Point::date);
    let (Some(before), Some(after)) = (date(&measure.before), date(&measure.after)) else { return };
    let changed = YearMonth::new(FFT_QUESTION_CHANGED.0, FFT_QUESTION_CHANGED.1);
    if before > after {
        problems.add(
            &format!("{field}.after.date"),
            Code::Invalid,
            "The date after is earlier than the date before. Enter the later one as after.",
        );
    } else if fft && changed.is_some_and(|changed| before < changed && changed <= after) {
        problems.add(
            &format!("{field}.before.date"),
            Code::Invalid,
            "The question of the Friends and Family Test changed in April 2020, so results from before and \
             after can't be compared. Use two results from the same side of that month.",
        );
    }
}
