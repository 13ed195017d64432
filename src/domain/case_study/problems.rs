//! Collecting what is wrong, each with the path of its field, so that authors mend it in one go.

use crate::{
    domain::{
        audit::Place,
        guard::Acknowledged,
        taxonomy::{List, Taxonomy},
        text::{RichText, Written, line},
    },
    error::{Code, Problem},
};

/// Everything to put right. Readers return what can be used and leave the rest here.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    /// What the authors said about the guard's warnings.
    acknowledged: Acknowledged,
    /// What a moderator takes although the guard blocks it.
    overridden: Vec<Place>,
}

impl Problems {
    #[must_use]
    pub fn with(acknowledged: Acknowledged) -> Self {
        Self { found: Vec::new(), acknowledged, overridden: Vec::new() }
    }

    pub fn add(&mut self, field: &str, code: Code, message: impl Into<String>) {
        self.found.push(Problem::new(field, code, message));
    }

    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.found
    }

    /// The places that were taken although the guard blocks them.
    #[must_use]
    pub fn overridden(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.overridden)
    }

    fn note(&mut self, field: &str, text: &str) {
        if self.acknowledged == Acknowledged::All {
            self.overridden.extend(Place::blocked(field, text));
        }
    }

    /// A value, or its problem under the path that the client knows it by.
    fn read<T>(&mut self, field: &str, outcome: Result<T, Problem>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            // Nothing was entered, which only publishing asks for.
            Err(problem) if problem.code == Code::Required => None,
            Err(problem) => {
                let here = Problem::new(field, problem.code, "");
                self.found.push(Problem { field: here.field, ..problem });
                None
            }
        }
    }

    /// One line of text; `label` names it in sentences. Empty is none.
    pub fn line(&mut self, field: &str, label: &str, text: &str, max: usize) -> Option<String> {
        self.note(field, text);
        self.read(field, line(label, Written::new(text, self.acknowledged), max))
    }

    /// Markdown; `label` names it in sentences. Empty is none.
    pub fn rich(&mut self, field: &str, label: &str, text: &str, max: usize) -> Option<RichText> {
        self.note(field, text);
        self.read(field, RichText::parse(label, Written::new(text, self.acknowledged), max))
    }

    /// A slug of one of the network's lists.
    pub fn slug(&mut self, field: &str, list: List, slug: &str) -> Option<String> {
        if Taxonomy::read().is_ok_and(|taxonomy| taxonomy.has(list, slug)) {
            return Some(slug.to_owned());
        }
        let (name, slug) = (list.name(), slug.chars().take(40).collect::<String>());
        let message =
            format!("There is no {slug:?} in the list. The query `taxonomy {{ {name} }}` shows it.");
        self.add(field, Code::Unknown, message);
        None
    }

    /// Slugs of one list, each once.
    pub fn slugs(&mut self, field: &str, list: List, slugs: &[String], max: usize) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        for (index, slug) in slugs.iter().take(max).enumerate() {
            let slug = self.slug(&format!("{field}.{index}"), list, slug);
            known.extend(slug.filter(|slug| !known.contains(slug)));
        }
        self.at_most(field, slugs.len(), max);
        known
    }

    pub fn at_most(&mut self, field: &str, length: usize, max: usize) {
        if length > max {
            self.add(field, Code::TooMany, format!("Choose at most {max}."));
        }
    }
}
