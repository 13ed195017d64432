//! The directory: an entry for each name under which an organisation is found, of today and of before.
//!
//! A list of organisations is a list of their names, in the order of the names. Without anything typed
//! those of today are listed; with it, every name that begins so. An organisation of which several names
//! begin alike is listed once, under the first of them: each of the others has noted how many letters
//! have to be typed until none of the names before it fits any more ([`shown_from`]).
//!
//! [`shown_from`]: DirectoryEntry::shown_from

use serde::{Deserialize, Serialize};

use super::{
    fold::fold,
    organisation::Organisation,
    place::{Place, PlaceFacet},
};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index},
};

/// Written in the commit that changes the organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryEntry {
    /// Made of the organisation's code; for other names than today's, with a number.
    #[serde(rename = "_id")]
    pub id: Id<DirectoryEntry>,
    pub version: i64,
    pub organisation: Id<Organisation>,
    pub name: String,
    /// The name as it is looked for.
    pub folded: String,
    /// How many letters have to be typed until this name is listed: none for today's.
    pub shown_from: i64,
    /// Where the organisation belongs.
    pub facets: Vec<PlaceFacet>,
    /// Whether it has closed.
    pub closed: bool,
    /// When it will have; null where that is past, or not known.
    pub closes_at: Option<Timestamp>,
}

document!(
    DirectoryEntry,
    "dir",
    "directory",
    [
        Index::named("name").asc(DirectoryEntry::CLOSED).asc(DirectoryEntry::FOLDED),
        Index::named("facet")
            .each(DirectoryEntry::FACETS)
            .asc(DirectoryEntry::CLOSED)
            .asc(DirectoryEntry::FOLDED),
        Index::named("organisation").asc(DirectoryEntry::ORGANISATION),
        Index::named("closes").asc(DirectoryEntry::CLOSES_AT),
    ]
);

impl DirectoryEntry {
    pub const ORGANISATION: Field<Self, Id<Organisation>> = Field::new("organisation");
    pub const FOLDED: Field<Self, String> = Field::new("folded");
    pub const SHOWN_FROM: Field<Self, i64> = Field::new("shownFrom");
    pub const FACETS: Field<Self, Vec<PlaceFacet>> = Field::new("facets");
    pub const CLOSED: Field<Self, bool> = Field::new("closed");
    pub const CLOSES_AT: Field<Self, Option<Timestamp>> = Field::new("closesAt");

    /// The entry of the name that the organisation with this code has today.
    #[must_use]
    pub fn id_of(code: &str) -> Id<Self> {
        Id::of(code)
    }

    /// The entries of an organisation at `now`: its name, then those by which it is also known, then
    /// those that it had.
    #[must_use]
    pub fn of(organisation: &Organisation, now: Timestamp) -> Vec<Self> {
        let closes_at = organisation.closes_at();
        let former = organisation.former_names.iter().map(|former| &former.name);
        let names = std::iter::once(&organisation.name).chain(&organisation.aliases).chain(former);
        let mut entries: Vec<Self> = Vec::new();
        for name in names {
            let folded = fold(name);
            if entries.iter().any(|entry| entry.folded == folded) {
                continue;
            }
            let alike = entries.iter().map(|entry| common_start(&entry.folded, &folded)).max();
            let code = organisation.code.as_str();
            entries.push(Self {
                id: if entries.is_empty() {
                    Self::id_of(code)
                } else {
                    Id::of(&format!("{code}-{}", entries.len()))
                },
                version: 1,
                organisation: organisation.id.clone(),
                name: name.clone(),
                folded,
                shown_from: alike.map_or(0, |alike| alike + 1),
                facets: organisation.place().facets(),
                closed: closes_at.is_some_and(|at| at <= now),
                closes_at: closes_at.filter(|at| *at > now),
            });
        }
        entries
    }

    /// Those of a place, by a name that begins like this: open, closed, or both.
    #[must_use]
    pub fn named(place: &Place, starts_with: &str, closed: Option<bool>) -> Filter<Self> {
        let start = fold(starts_with);
        let letters = i64::try_from(start.chars().count()).unwrap_or(i64::MAX);
        let closed = closed.map_or(vec![false, true], |closed| vec![closed]);
        let mut filter = Self::CLOSED.is_in(closed).and(Self::SHOWN_FROM.lte(letters));
        if let Some(facet) = place.facet() {
            filter = Self::FACETS.contains(facet).and(filter);
        }
        if !start.is_empty() {
            let after_all = format!("{start}{}", char::MAX);
            filter = filter.and(Self::FOLDED.gte(start)).and(Self::FOLDED.lt(after_all));
        }
        filter
    }

    /// Those whose organisations close before `now` and are not known to have.
    #[must_use]
    pub fn closing(now: Timestamp) -> Filter<Self> {
        Self::CLOSES_AT.lte(now)
    }
}

/// With how many letters both begin.
fn common_start(left: &str, right: &str) -> i64 {
    left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::organisation::{FormerName, OdsCode},
        query::matches,
    };

    fn organisation(name: &str, aliases: &[&str], former: &[&str]) -> Organisation {
        let mut organisation =
            Organisation::new(Id::of("1"), OdsCode::parse("R0A").unwrap(), name, Timestamp::from_millis(0));
        organisation.aliases = aliases.iter().map(|name| (*name).to_owned()).collect();
        organisation.former_names =
            former.iter().map(|name| FormerName { name: (*name).to_owned(), until: None }).collect();
        organisation
    }

    /// The names that are listed when this was typed.
    fn listed(organisation: &Organisation, typed: &str) -> Vec<String> {
        let filter = DirectoryEntry::named(&Place::default(), typed, None);
        let entries = DirectoryEntry::of(organisation, Timestamp::from_millis(0));
        let found =
            entries.iter().filter(|entry| matches(filter.expr(), &serde_json::to_value(entry).unwrap()));
        found.map(|entry| entry.name.clone()).collect()
    }

    #[test]
    fn an_organisation_is_listed_once_whatever_was_typed() {
        let one = organisation(
            "Northmoor University Hospitals",
            &["NUH", "northmoor"],
            &["Northmoor General", "South Hill", "Northmoor University Hospitals"],
        );
        for typed in ["", "n", "North", "northmoor", "Northmoor G", "northmoor u", "nu", "south", "SOUTH HI"]
        {
            assert_eq!(listed(&one, typed).len(), 1, "{typed}: {:?}", listed(&one, typed));
        }
        assert_eq!(listed(&one, "northmoor g"), ["Northmoor General"]);
        assert_eq!(listed(&one, "northmoor"), ["Northmoor University Hospitals"]);
        assert_eq!(listed(&one, "moor"), [""; 0]);
        // What today's name begins with is no name of its own.
        assert_eq!(listed(&organisation("Northmoor Trust", &["Northmoor"], &[]), "northmoor").len(), 1);
    }
}
