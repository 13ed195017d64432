//! Where an organisation belongs: its type, its region, its integrated care board. It, and whoever works
//! there, is found by any of the three and by any two or three of them together.

use serde::{Deserialize, Serialize};

use crate::query::{Scalar, Value};

/// What is known of it, or what is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The slug of the organisation's type.
    pub kind: Option<String>,
    /// The code of the NHS region.
    pub region: Option<String>,
    /// The code of the integrated care board.
    pub icb: Option<String>,
}

/// One answer in an index: `type:nhs-acute region:Y62`. What is asked together has one answer together,
/// so that a page is read from one stretch of the index, however few organisations are both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceFacet(String);

impl Scalar for PlaceFacet {
    fn value(&self) -> Value {
        Value::Text(self.0.clone())
    }
}

impl PlaceFacet {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Place {
    /// What finds everything that is there; none when nothing is asked for.
    #[must_use]
    pub fn facet(&self) -> Option<PlaceFacet> {
        let parts = [("type", &self.kind), ("region", &self.region), ("icb", &self.icb)];
        let given = parts.into_iter().filter_map(|(what, of)| Some(format!("{what}:{}", of.as_deref()?)));
        let given = given.collect::<Vec<_>>().join(" ");
        (!given.is_empty()).then_some(PlaceFacet(given))
    }

    /// The answers to everything that can be asked of what is here.
    #[must_use]
    pub fn facets(&self) -> Vec<PlaceFacet> {
        let with = |part: &Option<String>| match part {
            Some(_) => vec![None, part.clone()],
            None => vec![None],
        };
        let mut facets = Vec::new();
        for kind in with(&self.kind) {
            for region in with(&self.region) {
                for icb in with(&self.icb) {
                    facets.extend(Self { kind: kind.clone(), region: region.clone(), icb }.facet());
                }
            }
        }
        facets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kind: &str, region: &str, icb: &str) -> Place {
        let part = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Place { kind: part(kind), region: part(region), icb: part(icb) }
    }

    #[test]
    fn what_is_asked_is_among_the_answers_when_it_holds() {
        let here = place("nhs-acute", "Y62", "QOP");
        assert_eq!(here.facets().len(), 7);
        let holds = |asked: &Place| here.facets().contains(&asked.facet().unwrap());
        for asked in [place("nhs-acute", "", ""), place("", "Y62", "QOP"), here.clone()] {
            assert!(holds(&asked), "{asked:?}");
        }
        for asked in [place("icb", "", ""), place("nhs-acute", "Y56", ""), place("icb", "Y62", "QOP")] {
            assert!(!holds(&asked), "{asked:?}");
        }
        assert_eq!((Place::default().facet(), Place::default().facets()), (None, Vec::new()));
        assert_eq!(place("", "Y62", "").facets().len(), 1);
    }
}
