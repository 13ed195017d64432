//! Days and months of the calendar, for what has no time of day.

use std::{fmt, str::FromStr};

use chrono::{Datelike, Months, NaiveDate, TimeZone};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A day of the calendar: `2026-04-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(pub NaiveDate);

impl Date {
    /// The day in London.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self(time.london().date_naive())
    }

    /// The month that it is in.
    #[must_use]
    pub fn month(self) -> YearMonth {
        let year = u16::try_from(self.0.year()).unwrap_or_default();
        let month = u8::try_from(self.0.month()).unwrap_or(1);
        YearMonth { year, month }
    }

    /// The same day so many months later; the last day of a shorter month.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        Self(self.0.checked_add_months(Months::new(months)).unwrap_or(self.0))
    }

    /// When the day begins in London. Clocks there change at one or two in the morning, never at
    /// midnight.
    #[must_use]
    pub fn starts(self) -> Timestamp {
        let midnight = self.0.and_time(chrono::NaiveTime::MIN);
        let in_london = chrono_tz::Europe::London.from_local_datetime(&midnight).earliest();
        in_london.map_or(Timestamp::MIN, |time| time.to_utc().into())
    }

    /// "3 March 2026"
    #[must_use]
    pub fn in_words(self) -> String {
        format!("{} {}", self.0.day(), self.0.format("%B %Y"))
    }
}

/// A month of a year: `2026-04`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct YearMonth {
    year: u16,
    month: u8,
}

impl YearMonth {
    /// The year in which the NHS began: an earlier one is a slip of the keyboard.
    const FIRST_YEAR: u16 = 1948;
    const LAST_YEAR: u16 = 2100;

    /// `None` for what is no month, or none that a case study can be about.
    #[must_use]
    pub const fn new(year: u16, month: u8) -> Option<Self> {
        let known = year >= Self::FIRST_YEAR && year <= Self::LAST_YEAR && month >= 1 && month <= 12;
        if known { Some(Self { year, month }) } else { None }
    }
}

impl FromStr for YearMonth {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        text.split_once('-')
            .filter(|(year, month)| digits(year, 4) && digits(month, 2))
            .and_then(|(year, month)| Self::new(year.parse().ok()?, month.parse().ok()?))
            .ok_or("A month looks like 2026-04, and is between 1948-01 and 2100-12.")
    }
}

impl TryFrom<String> for YearMonth {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<YearMonth> for String {
    fn from(month: YearMonth) -> Self {
        month.to_string()
    }
}

impl fmt::Display for YearMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_strictly_and_sort() {
        assert_eq!("2026-04".parse::<YearMonth>().unwrap().to_string(), "2026-04");
        assert!("2019-12".parse::<YearMonth>().unwrap() < "2020-04".parse().unwrap());
        for wrong in ["", "2026", "2026-4", "2026-13", "2026-00", "1947-12", "26-04", "2026-04-01", "+026-04"]
        {
            assert!(wrong.parse::<YearMonth>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_begin_at_midnight_in_london() {
        let day = |text: &str| Date(text.parse().unwrap());
        assert_eq!(day("2026-01-15").starts().to_string(), "2026-01-15T00:00:00.000Z");
        assert_eq!(day("2026-07-15").starts().to_string(), "2026-07-14T23:00:00.000Z");
        assert_eq!(Date::of(day("2026-07-15").starts()), day("2026-07-15"));
        assert_eq!(day("2024-02-29").plus_months(24), day("2026-02-28"));
        assert_eq!(day("2026-03-03").in_words(), "3 March 2026");
    }
}
