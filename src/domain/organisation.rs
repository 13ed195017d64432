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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_three_or_five_characters() {
        assert_eq!(OdsCode::parse(" r0a ").unwrap().as_str(), "R0A");
        assert!(OdsCode::parse("G6V2S").is_some());
        for wrong in ["", "R0", "R0AB", "R0ABCD", "R-A", "RÖA"] {
            assert!(OdsCode::parse(wrong).is_none(), "{wrong}");
        }
    }
}
