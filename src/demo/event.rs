//! When and where the events of the written content are.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Europe::London;
use serde::Deserialize;

use crate::{clock::Timestamp, domain::event::Event};

/// Where people join what is online.
const MEETINGS: &str = "https://meet.example.org/";

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenEvent {
    day: Day,
    /// Clock times in London, `12:30`.
    from: Clock,
    to: Clock,
    /// Online where there is none.
    place: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Day {
    Fixed {
        date: NaiveDate,
    },
    /// As the text says it: the second Tuesday of next month, or of the next November. The fifth is the
    /// last.
    Named {
        weekday: Weekday,
        nth: u8,
        month: Option<u32>,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Clock(NaiveTime);

impl TryFrom<String> for Clock {
    type Error = chrono::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        NaiveTime::parse_from_str(&text, "%H:%M").map(Self)
    }
}

impl WrittenEvent {
    /// The event of a post that is published at `published`, the one at `index`.
    pub fn event(&self, published: Timestamp, index: usize) -> Event {
        let day = self.day.after(published.london().date_naive());
        let at = |clock: Clock| {
            let time = London.from_local_datetime(&day.and_time(clock.0)).earliest();
            time.map(|time| Timestamp::from(time.with_timezone(&Utc)))
        };
        let join_url = self.place.is_none().then(|| format!("{MEETINGS}hope-{index}"));
        Event { starts_at: at(self.from), ends_at: at(self.to), location: self.place.clone(), join_url }
    }
}

impl Day {
    fn after(self, published: NaiveDate) -> NaiveDate {
        let (weekday, nth, month) = match self {
            Self::Fixed { date } => return date,
            Self::Named { weekday, nth, month } => (weekday, nth, month),
        };
        let month = month.unwrap_or(published.month() % 12 + 1);
        let year = published.year() + i32::from(month <= published.month());
        let of_month = |nth| NaiveDate::from_weekday_of_month_opt(year, month, weekday, nth);
        of_month(nth).or_else(|| of_month(4)).unwrap_or(published)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_that_the_text_names() {
        let day = |text: &str, published: &str| {
            let day: Day = toml::from_str(text).unwrap();
            day.after(published.parse().unwrap()).to_string()
        };
        assert_eq!(day("date = \"2026-09-17\"", "2026-03-01"), "2026-09-17");
        assert_eq!(day("weekday = \"Tue\"\nnth = 2", "2025-12-30"), "2026-01-13");
        assert_eq!(day("weekday = \"Fri\"\nnth = 5", "2026-01-02"), "2026-02-27");
        assert_eq!(day("weekday = \"Thu\"\nnth = 1\nmonth = 10", "2026-10-02"), "2027-10-07");
    }
}
