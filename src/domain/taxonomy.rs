//! The network's lists: what case studies choose from. Configuration, since the institutions and
//! their programmes are being reorganised; topics are among them, and are documents as well.

use std::sync::LazyLock;

use serde::Deserialize;

use super::fold::fold;

/// The lists as shipped.
const SHIPPED: &str = include_str!("../../config/taxonomy.toml");

/// The slug of the method that opens the block of an Always Event.
pub const ALWAYS_EVENT: &str = "always-event";
/// The slug of the Friends and Family Test among the sources of feedback.
pub const FFT: &str = "fft";
/// The slug of integrated care boards among the types of organisations.
pub const ICB: &str = "icb";

/// Something to choose from a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, async_graphql::SimpleObject)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Its stable name, for programs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// A type of organisation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, async_graphql::SimpleObject)]
#[serde(deny_unknown_fields)]
pub struct OrganisationType {
    /// Its stable name, for programs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Words in an organisation's name that make it likely to be of this type.
    #[serde(default)]
    #[graphql(skip)]
    pub words: Vec<String>,
}

/// A region of the NHS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, async_graphql::SimpleObject)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its code in the Organisation Data Service.
    pub code: String,
    pub name: String,
}

/// The lists that are not topics, for choosing from.
#[derive(Clone, Debug, Default, Deserialize, async_graphql::SimpleObject)]
#[serde(deny_unknown_fields)]
pub struct Taxonomy {
    #[graphql(skip)]
    pub topics: Vec<Term>,
    /// Where care is given, or who gives it.
    pub settings: Vec<Term>,
    /// What people talk about when they tell of their care.
    pub themes: Vec<Term>,
    pub feedback_sources: Vec<Term>,
    /// Improvement methods.
    pub methods: Vec<Term>,
    /// The clinical areas of Core20PLUS5, for adults and for children and young people.
    pub clinical_areas: Vec<Term>,
    /// The PLUS groups of Core20PLUS5.
    pub plus_groups: Vec<Term>,
    /// Sections of the experience of care improvement framework.
    pub framework_sections: Vec<Term>,
    pub organisation_types: Vec<OrganisationType>,
    /// The NHS regions of England.
    pub regions: Vec<Region>,
}

/// One of the taxonomy's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Settings,
    Themes,
    FeedbackSources,
    Methods,
    ClinicalAreas,
    PlusGroups,
    FrameworkSections,
}

impl Taxonomy {
    /// The lists that this service works with.
    ///
    /// # Errors
    /// When the file is not of the form above.
    pub fn read() -> Result<&'static Self, String> {
        static READ: LazyLock<Result<Taxonomy, String>> = LazyLock::new(|| {
            toml::from_str(SHIPPED).map_err(|error| format!("config/taxonomy.toml: {error}"))
        });
        READ.as_ref().map_err(Clone::clone)
    }

    #[must_use]
    pub fn list(&self, list: List) -> &[Term] {
        match list {
            List::Settings => &self.settings,
            List::Themes => &self.themes,
            List::FeedbackSources => &self.feedback_sources,
            List::Methods => &self.methods,
            List::ClinicalAreas => &self.clinical_areas,
            List::PlusGroups => &self.plus_groups,
            List::FrameworkSections => &self.framework_sections,
        }
    }

    /// The type of organisation with this slug. One that was taken out of the list since keeps its slug as
    /// its name.
    #[must_use]
    pub fn organisation_type(&self, slug: &str) -> Term {
        let known = self.organisation_types.iter().find(|known| known.slug == slug);
        let name = known.map_or(slug, |known| &known.name);
        Term { slug: slug.to_owned(), name: name.to_owned() }
    }

    #[must_use]
    pub fn has_organisation_type(&self, slug: &str) -> bool {
        self.organisation_types.iter().any(|known| known.slug == slug)
    }

    /// What an organisation of this name is likely to be: the first type of which it has one of the words.
    #[must_use]
    pub fn likely_type(&self, name: &str) -> Option<&str> {
        let name = format!(" {} ", fold(name));
        let has = |word: &String| name.contains(&format!(" {} ", fold(word)));
        let likely = self.organisation_types.iter().find(|known| known.words.iter().any(has));
        likely.map(|known| known.slug.as_str())
    }

    #[must_use]
    pub fn region(&self, code: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.code == code)
    }

    #[must_use]
    pub fn has(&self, list: List, slug: &str) -> bool {
        self.list(list).iter().any(|term| term.slug == slug)
    }

    /// The term of a slug. One that was taken out of the list since keeps its slug as its name.
    #[must_use]
    pub fn term(&self, list: List, slug: &str) -> Term {
        let known = self.list(list).iter().find(|term| term.slug == slug).cloned();
        known.unwrap_or_else(|| Term { slug: slug.to_owned(), name: slug.to_owned() })
    }
}

impl List {
    /// The name of its field in [`Taxonomy`], as clients read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Themes => "themes",
            Self::FeedbackSources => "feedbackSources",
            Self::Methods => "methods",
            Self::ClinicalAreas => "clinicalAreas",
            Self::PlusGroups => "plusGroups",
            Self::FrameworkSections => "frameworkSections",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_lists_can_be_read_and_name_nothing_twice() {
        let taxonomy = Taxonomy::read().unwrap();
        assert!(taxonomy.has(List::Methods, ALWAYS_EVENT) && taxonomy.has(List::FeedbackSources, FFT));
        let types: std::collections::HashSet<_> =
            taxonomy.organisation_types.iter().map(|one| &one.slug).collect();
        assert_eq!(types.len(), taxonomy.organisation_types.len());
        assert_eq!((taxonomy.regions.len(), taxonomy.region("Y60").unwrap().name.as_str()), (7, "Midlands"));
        for (name, likely) in [
            ("South East Coast Ambulance Service NHS Foundation Trust", Some("nhs-ambulance")),
            ("Alder Hey Children's NHS Foundation Trust", Some("nhs-specialist")),
            ("Derbyshire Community Health Services NHS Foundation Trust", Some("nhs-community")),
            ("Leeds Teaching Hospitals NHS Trust", Some("nhs-acute")),
            ("NHS Devon Integrated Care Board", Some("icb")),
            ("North London NHS Foundation Trust", None),
        ] {
            assert_eq!(taxonomy.likely_type(name), likely, "{name}");
        }
        for list in [
            List::Settings,
            List::Themes,
            List::FeedbackSources,
            List::Methods,
            List::ClinicalAreas,
            List::PlusGroups,
            List::FrameworkSections,
        ] {
            let slugs: Vec<_> = taxonomy.list(list).iter().map(|term| &term.slug).collect();
            assert!(slugs.len() >= 5, "{list:?}");
            assert_eq!(slugs.iter().collect::<std::collections::HashSet<_>>().len(), slugs.len(), "{list:?}");
        }
    }
}
