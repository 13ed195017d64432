//! Time as the product keeps it: UTC, to the millisecond, from one injected clock.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, TimeZone, Utc};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};

/// A moment in UTC with millisecond precision, between the years 0000 and 9999.
///
/// Both bounds exist because the SQLite store sorts times as text: `2026-11-23T09:30:00.000Z`
/// sorts correctly only while every year has four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0000-01-01T00:00:00.000Z
    pub const MIN: Self = Self(-62_167_219_200_000);
    /// 9999-12-31T23:59:59.999Z
    pub const MAX: Self = Self(253_402_300_799_999);

    /// Milliseconds since 1970-01-01T00:00:00Z, clamped to [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    #[must_use]
    pub fn plus(self, delta: TimeDelta) -> Self {
        Self::from_millis(self.0.saturating_add(delta.num_milliseconds()))
    }

    #[must_use]
    pub fn minus(self, delta: TimeDelta) -> Self {
        self.plus(-delta)
    }

    /// How long after `earlier` this moment is; negative when it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> TimeDelta {
        TimeDelta::milliseconds(self.0 - earlier.0)
    }

    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }

    /// The wall clock in London, in which members read and schedule everything.
    #[must_use]
    pub fn london(self) -> DateTime<chrono_tz::Tz> {
        self.utc().with_timezone(&chrono_tz::Europe::London)
    }

    /// "3 March 2026", in London, as the NHS content guide writes dates.
    #[must_use]
    pub fn date_in_words(self) -> String {
        let day = self.london();
        format!("{} {}", day.day(), day.format("%B %Y"))
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self::from_millis(time.timestamp_millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(DateTime::parse_from_rfc3339(text)?.with_timezone(&Utc).into())
    }
}

/// Text in readable formats (JSON), a date in BSON. `bson` is used as a data format here, like
/// `serde_json`; the database driver stays inside `store`.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            bson::DateTime::from_millis(self.0).serialize(serializer)
        }
    }
}

/// Reads whichever form it meets, as serde buffers tagged enums without saying where they are from.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherForm;
        impl<'de> Visitor<'de> for EitherForm {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time as RFC 3339 text or a BSON date")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Timestamp, A::Error> {
                let date = bson::DateTime::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Timestamp::from_millis(date.timestamp_millis()))
            }
        }
        deserializer.deserialize_any(EitherForm)
    }
}

/// Where the program learns what time it is. Nothing else may ask the operating system.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock, shifted by `offset` (tests of a whole process only).
    System { offset: TimeDelta },
    /// A clock that stands still until it is set.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.millis())))
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
            Self::System { offset } => Timestamp::from(Utc::now()).plus(*offset),
            Self::Manual(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock; the system's clock does not listen.
    pub fn set(&self, time: Timestamp) {
        if let Self::Manual(millis) = self {
            millis.store(time.millis(), Ordering::SeqCst);
        }
    }

    /// Moves a manual clock forward.
    pub fn advance(&self, by: TimeDelta) {
        self.set(self.now().plus(by));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_fixed_width_and_sorts() {
        let times = [Timestamp::MIN, Timestamp::from_millis(-1), Timestamp::from_millis(0), Timestamp::MAX];
        let text: Vec<String> = times.iter().map(ToString::to_string).collect();
        assert_eq!(text[0], "0000-01-01T00:00:00.000Z");
        assert_eq!(text[3], "9999-12-31T23:59:59.999Z");
        assert!(text.is_sorted());
        assert!(times.iter().zip(&text).all(|(time, text)| text.parse::<Timestamp>().unwrap() == *time));
    }

    #[test]
    fn extreme_milliseconds_are_clamped() {
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(TimeDelta::days(1)), Timestamp::MIN);
    }

    #[test]
    fn bson_holds_a_date() {
        let time: Timestamp = "2026-03-29T00:59:59.999Z".parse().unwrap();
        let document =
            bson::serialize_to_raw_document_buf(&std::collections::BTreeMap::from([("at", time)])).unwrap();
        assert_eq!(document.get_datetime("at").unwrap().timestamp_millis(), time.millis());

        #[derive(Deserialize)]
        #[serde(tag = "kind")]
        enum Tagged {
            Moment { at: Timestamp },
        }
        let tagged = bson::rawdoc! { "kind": "Moment", "at": bson::DateTime::from_millis(time.millis()) };
        let Tagged::Moment { at } = bson::deserialize_from_slice(tagged.as_bytes()).unwrap();
        assert_eq!(at, time);
    }
}
