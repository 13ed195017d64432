//! Organisations: trusts, integrated care boards and others, as the NHS's directory (ODS) has them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organisation {
    #[serde(rename = "_id")]
    pub id: Id<Organisation>,
    pub version: i64,
    pub code: OdsCode,
    pub name: String,
    /// The NHS region's code, `Y60`; none for organisations outside England.
    pub region: Option<String>,
    /// The code of the integrated care board that it belongs to.
    pub icb: Option<String>,
    pub postcode: Option<String>,
    pub opened: Option<NaiveDate>,
    pub closed: Option<NaiveDate>,
    /// Domains of its e-mail addresses, by which a new member's organisation is guessed.
    pub domains: Vec<String>,
    pub updated_at: Timestamp,
}

document!(
    Organisation,
    "org",
    "organisations",
    [
        Index::named("code").asc(Organisation::CODE).unique(),
        Index::named("domain").each(Organisation::DOMAINS),
    ]
);

impl Organisation {
    pub const CODE: Field<Self, OdsCode> = Field::new("code");
    pub const DOMAINS: Field<Self, Vec<String>> = Field::new("domains");
}

/// An organisation's code in the Organisation Data Service: 3 or 5 capital letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OdsCode(String);

impl OdsCode {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code = text.trim().to_ascii_uppercase();
        let well_formed = matches!(code.len(), 3 | 5) && code.chars().all(|c| c.is_ascii_alphanumeric());
        well_formed.then_some(Self(code))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl crate::query::Scalar for OdsCode {
    fn value(&self) -> crate::query::Value {
        crate::query::Value::Text(self.0.clone())
    }
}

/// The seven NHS regions of England, by code.
pub const REGIONS: [(&str, &str); 7] = [
    ("Y61", "East of England"),
    ("Y56", "London"),
    ("Y60", "Midlands"),
    ("Y63", "North East and Yorkshire"),
    ("Y62", "North West"),
    ("Y59", "South East"),
    ("Y58", "South West"),
];

/// The name of a region.
#[must_use]
pub fn region_name(code: &str) -> Option<&'static str> {
    REGIONS.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// A name as people write it, from the capitals of the directory: "GUY'S AND ST THOMAS' NHS
/// FOUNDATION TRUST" is Guy's and St Thomas' NHS Foundation Trust. Names with small letters stay.
#[must_use]
pub fn display_name(name: &str) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().any(char::is_lowercase) {
        return name;
    }
    let words = name.split(' ').enumerate().map(|(index, word)| {
        let parts = word.split('-').enumerate().map(|(part, text)| display_word(text, index + part == 0));
        parts.collect::<Vec<_>>().join("-")
    });
    words.collect::<Vec<_>>().join(" ")
}

fn display_word(word: &str, is_first: bool) -> String {
    const SMALL: [&str; 11] = ["AND", "AT", "BY", "FOR", "IN", "OF", "ON", "THE", "TO", "UPON", "WITH"];
    const CAPITALS: [&str; 8] = ["NHS", "ICB", "CIC", "PCN", "UK", "GP", "CCG", "LLP"];
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    if CAPITALS.contains(&bare) {
        return word.to_owned();
    }
    if SMALL.contains(&bare) && !is_first {
        return word.to_lowercase();
    }
    let mut at_start = true;
    let letters = word.chars().map(|c| {
        let shown = if at_start { c } else { c.to_ascii_lowercase() };
        at_start = at_start && !c.is_alphanumeric();
        shown
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_people_do() {
        for (capitals, name) in [
            ("GUY'S AND ST THOMAS' NHS FOUNDATION TRUST", "Guy's and St Thomas' NHS Foundation Trust"),
            (
                "THE NEWCASTLE UPON TYNE HOSPITALS NHS FOUNDATION TRUST",
                "The Newcastle upon Tyne Hospitals NHS Foundation Trust",
            ),
            ("ROYAL BROMPTON & HAREFIELD", "Royal Brompton & Harefield"),
            ("STOKE-ON-TRENT  CARE (NORTH)", "Stoke-on-Trent Care (North)"),
            ("iRhythm Technologies", "iRhythm Technologies"),
        ] {
            assert_eq!(display_name(capitals), name);
        }
    }

    #[test]
    fn codes_have_three_or_five_characters() {
        assert_eq!(OdsCode::parse(" r0a ").unwrap().as_str(), "R0A");
        assert!(OdsCode::parse("G6V2S").is_some());
        for wrong in ["", "R0", "R0AB", "R0ABCD", "R-A", "RÖA"] {
            assert!(OdsCode::parse(wrong).is_none(), "{wrong}");
        }
    }
}
