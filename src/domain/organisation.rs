//! Organisations: trusts, integrated care boards and others, as the NHS's directory (ODS) has them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{calendar::Date, fold::fold, place::Place};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Index},
};

/// A name is as long as the longest in the NHS's directory.
pub const NAME_MAX: usize = 150;
/// Names by which an organisation is also known, and domains of its addresses: more are a mistake.
pub const ALIASES_MAX: usize = 20;
pub const DOMAINS_MAX: usize = 20;
/// Into how many an organisation may have been split: more than any has been.
pub const SUCCESSORS_MAX: usize = 10;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organisation {
    #[serde(rename = "_id")]
    pub id: Id<Organisation>,
    pub version: i64,
    pub code: OdsCode,
    pub name: String,
    /// The slug of its type, from the taxonomy.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The NHS region's code, `Y60`; none for organisations outside England.
    pub region: Option<String>,
    /// The code of the integrated care board that it belongs to; its own, if it is one.
    pub icb: Option<String>,
    pub postcode: Option<String>,
    /// May be to come.
    pub opened: Option<NaiveDate>,
    /// The last day; may be to come.
    pub closed: Option<NaiveDate>,
    /// Into what it was merged or split. Its people and what they wrote follow when an administrator says so.
    #[serde(default)]
    pub successors: Vec<Id<Organisation>>,
    /// Names by which it is also known.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Names that it had, oldest first.
    #[serde(default)]
    pub former_names: Vec<FormerName>,
    /// Domains of its e-mail addresses, by which a new member's organisation is guessed.
    pub domains: Vec<String>,
    pub updated_at: Timestamp,
}

/// A name that an organisation had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerName {
    pub name: String,
    /// When another one was taken over from the directory; none where it is not known.
    pub until: Option<NaiveDate>,
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

    /// One of which no more is known.
    #[must_use]
    pub fn new(id: Id<Self>, code: OdsCode, name: &str, now: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            code,
            name: name.to_owned(),
            kind: None,
            region: None,
            icb: None,
            postcode: None,
            opened: None,
            closed: None,
            successors: Vec::new(),
            aliases: Vec::new(),
            former_names: Vec::new(),
            domains: Vec::new(),
            updated_at: now,
        }
    }

    #[must_use]
    pub fn place(&self) -> Place {
        Place { kind: self.kind.clone(), region: self.region.clone(), icb: self.icb.clone() }
    }

    /// The moment from which it is closed: when its last day is over.
    #[must_use]
    pub fn closes_at(&self) -> Option<Timestamp> {
        self.closed.and_then(|last| last.succ_opt()).map(|day| Date(day).starts())
    }

    /// Takes a new name, and remembers the old one unless it is the same, written in another way.
    pub fn rename(&mut self, name: &str, today: Date) {
        let old = std::mem::replace(&mut self.name, name.to_owned());
        if fold(&old) != fold(name) {
            self.former_names.push(FormerName { name: old, until: Some(today.0) });
        }
    }

    /// Remembers a name that it had, unless it is known to have had it.
    pub fn had_name(&mut self, name: &str) {
        let names = std::iter::once(&self.name).chain(self.former_names.iter().map(|former| &former.name));
        if names.into_iter().all(|known| fold(known) != fold(name)) {
            self.former_names.insert(0, FormerName { name: name.to_owned(), until: None });
        }
    }
}

/// An organisation's code in the Organisation Data Service: 3 or 5 capital letters and digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
