//! Revisions: what a text was before and after each edit, by whom and when.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, ChangeTag, TextDiff};

use super::member::Member;
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Index},
};

/// Comparing goes on for this long, then settles for coarser differences: texts are short, but
/// somebody will paste something odd.
const COMPARE_WITHIN: Duration = Duration::from_millis(50);

/// One state of a text. The first is what was published, each later one what an edit made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    #[serde(rename = "_id")]
    pub id: Id<Revision>,
    pub version: i64,
    /// The id of what was edited.
    pub of: String,
    /// From 1.
    pub number: i64,
    pub editor: Id<Member>,
    pub created_at: Timestamp,
    /// What changed against the revision before; none in the first.
    pub changes: Vec<FieldChange>,
}

document!(Revision, "rev", "revisions", [Index::named("of").asc(Revision::OF).desc(Revision::NUMBER)]);

/// The difference in one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// As clients name it: `title`, `body`, `event.location`.
    pub field: String,
    /// The old and the new text, woven: leave out what was added to read the old one.
    pub parts: Vec<Part>,
}

impl FieldChange {
    /// One of the two texts: the old one without what was added, the new one without what was removed.
    #[must_use]
    pub fn without(&self, kind: PartKind) -> String {
        self.parts.iter().filter(|part| part.kind != kind).map(|part| part.text.as_str()).collect()
    }
}

/// A stretch of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub kind: PartKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "DifferenceKind")]
pub enum PartKind {
    Same,
    Removed,
    Added,
}

impl Revision {
    pub const OF: Field<Self, String> = Field::new("of");
    pub const NUMBER: Field<Self, i64> = Field::new("number");

    #[must_use]
    pub fn id_of<T: Identified>(of: &Id<T>, number: i64) -> Id<Self> {
        Id::of(&format!("{}-{number}", of.as_str()))
    }

    #[must_use]
    pub fn new<T: Identified>(
        of: &Id<T>,
        number: i64,
        editor: &Id<Member>,
        at: Timestamp,
        changes: Vec<FieldChange>,
    ) -> Self {
        Self {
            id: Self::id_of(of, number),
            version: 1,
            of: of.as_str().to_owned(),
            number,
            editor: editor.clone(),
            created_at: at,
            changes,
        }
    }
}

/// What changed in a field, word by word; `None` when nothing did.
#[must_use]
pub fn difference(field: &str, before: &str, after: &str) -> Option<FieldChange> {
    if before == after {
        return None;
    }
    let words = TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .timeout(COMPARE_WITHIN)
        .diff_words(before, after);
    let mut parts: Vec<Part> = Vec::new();
    for change in words.iter_all_changes() {
        let kind = match change.tag() {
            ChangeTag::Equal => PartKind::Same,
            ChangeTag::Delete => PartKind::Removed,
            ChangeTag::Insert => PartKind::Added,
        };
        match parts.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(change.value()),
            _ => parts.push(Part { kind, text: change.value().to_owned() }),
        }
    }
    Some(FieldChange { field: field.to_owned(), parts })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_difference_shows_words_not_letters() {
        let change = difference("body", "We asked ten patients.", "We asked twelve patients.").unwrap();
        let kinds: Vec<_> = change.parts.iter().map(|part| (part.kind, part.text.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (PartKind::Same, "We asked "),
                (PartKind::Removed, "ten"),
                (PartKind::Added, "twelve"),
                (PartKind::Same, " patients."),
            ]
        );
        assert_eq!(difference("title", "Same", "Same"), None);
    }

    #[test]
    fn long_texts_that_share_nothing_are_compared_in_time() {
        let text = |seed: usize| (0..2_000).map(|n| format!("w{} ", (n * seed) % 977)).collect::<String>();
        let started = std::time::Instant::now();
        let change = difference("body", &text(7), &text(11)).unwrap();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        assert_eq!(change.without(PartKind::Added), text(7));
    }

    proptest! {
        #[test]
        fn old_and_new_can_be_read_from_a_difference(before in "(?s).{0,80}", after in "(?s).{0,80}") {
            if let Some(change) = difference("body", &before, &after) {
                prop_assert_eq!(change.without(PartKind::Added), before);
                prop_assert_eq!(change.without(PartKind::Removed), after);
            }
        }
    }
}
