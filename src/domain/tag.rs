//! Tags: words that members choose freely, beside the topics of the taxonomy.
//!
//! Whoever types a tag first says how it is written; other ways to write the same words are the same
//! tag ([`fold`]). Its id is made of them, so a tag is found without being searched for, and there is
//! only one.

use serde::{Deserialize, Serialize};
use url::{Host, quirks::domain_to_unicode};

use super::case_study::problems::Problems;
use crate::{
    document,
    error::Code,
    ids::{Id, Identified},
    query::{Field, Filter, Index},
};

/// A contribution has at most this many: more say nothing.
pub const MAX_PER_CONTRIBUTION: usize = 5;
/// Characters of a tag: a word or two.
const NAME_MAX: usize = 30;
/// More than this are not even read: they are refused, duplicates or not.
const READ_MAX: usize = 100;

/// What stands after a tag while it is folded as a domain name, so that no tag is the last label: that
/// one must not be a number.
const AFTER: &str = ".tag";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    #[serde(rename = "_id")]
    pub id: Id<Tag>,
    pub version: i64,
    /// As it was first typed, tidied.
    pub name: String,
    /// The name as it is searched for.
    pub folded: String,
    /// Published contributions that have it. Without any, only authors see it, in their drafts.
    pub uses: i64,
}

document!(
    Tag,
    "tag",
    "tags",
    [Index::named("most_used").desc(Tag::USES), Index::named("name").asc(Tag::FOLDED)]
);

impl Tag {
    pub const FOLDED: Field<Self, String> = Field::new("folded");
    pub const USES: Field<Self, i64> = Field::new("uses");

    #[must_use]
    pub fn new(named: &TagName, uses: i64) -> Self {
        let TagName { id, name } = named.clone();
        Self { id, version: 1, folded: fold(&name).unwrap_or_default(), name, uses }
    }

    /// Those that every member sees.
    #[must_use]
    pub fn used() -> Filter<Self> {
        Self::USES.gt(0)
    }

    /// Whether every member sees it.
    #[must_use]
    pub const fn is_used(&self) -> bool {
        self.uses > 0
    }

    #[must_use]
    pub fn none() -> Filter<Self> {
        Self::FOLDED.is_in([])
    }

    /// Those whose names begin like this, in whatever case and spacing.
    #[must_use]
    pub fn starting_with(text: &str) -> Filter<Self> {
        let name = tidy(text);
        if name.is_empty() {
            return Self::used();
        }
        match fold(&name) {
            Some(start) => {
                let after_all = format!("{start}{}", char::MAX);
                Self::used().and(Self::FOLDED.gte(start)).and(Self::FOLDED.lt(after_all))
            }
            None => Self::none(),
        }
    }
}

/// A tag as a member typed it, known to be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagName {
    pub id: Id<Tag>,
    pub name: String,
}

impl TagName {
    /// Reads tags, each once. What was carried `before` is not asked about again: a tag that is spelled
    /// differently says nothing new.
    pub fn read(typed: &[String], before: &[Id<Tag>], problems: &mut Problems) -> Vec<Self> {
        let mut read: Vec<Self> = Vec::new();
        for (place, text) in typed.iter().take(READ_MAX).enumerate() {
            let carried = Self::of(text).filter(|tag| before.contains(&tag.id));
            let tag = carried.or_else(|| Self::parse(&format!("tags.{place}"), text, problems));
            read.extend(tag.filter(|tag| read.iter().all(|other| other.id != tag.id)));
        }
        if read.len() > MAX_PER_CONTRIBUTION || typed.len() > READ_MAX {
            let message = format!("Choose at most {MAX_PER_CONTRIBUTION} tags.");
            problems.add("tags", Code::TooMany, message);
        }
        read
    }

    /// Nothing is no tag, and no problem.
    pub(super) fn parse(field: &str, text: &str, problems: &mut Problems) -> Option<Self> {
        let line = problems.line(field, "tag", text, usize::MAX)?;
        let length = tidy(&line).chars().count();
        if length > NAME_MAX {
            let message = format!("A tag must be {NAME_MAX} characters or less. This one has {length}.");
            problems.add(field, Code::TooLong, message);
            return None;
        }
        let tag = Self::of(&line);
        if tag.is_none() {
            let message = "A tag is a word or two: letters and digits, with spaces, -, & or ' between them.";
            problems.add(field, Code::Invalid, message);
        }
        tag
    }

    /// The tag that a text spells, when it spells one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let name = tidy(text);
        let id = id_of(&fold(&name)?)?;
        Some(Self { id, name })
    }
}

/// What a contribution carries, before or after a change.
#[derive(Clone, Debug)]
pub struct Carried {
    pub tags: Vec<Id<Tag>>,
    /// Whether they count as used: every member sees the contribution.
    pub counts: bool,
}

impl Carried {
    /// What something that is new carried before.
    #[must_use]
    pub const fn none() -> Self {
        Self { tags: Vec::new(), counts: false }
    }

    /// The tags that count.
    #[must_use]
    pub fn counted(&self) -> &[Id<Tag>] {
        if self.counts { &self.tags } else { &[] }
    }
}

/// Without the `#` that some put before it, with the signs that keyboards have.
fn tidy(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| match c {
            '_' => ' ',
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}' => '-',
            '‘' | '’' => '\'',
            c => c,
        })
        .collect();
    let word = plain.trim_matches([' ', '-', '#']);
    word.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What all ways to write a tag have in common: the same letters without regard to case, width, or
/// whether an accent was typed apart, and one hyphen where words part. `None` for what is no tag.
///
/// Domain names are compared in the same way (UTS 46), and stay comparable with later versions of
/// Unicode. A label has neither dots nor escapes: no tag does.
fn fold(name: &str) -> Option<String> {
    if !is_word(name) {
        return None;
    }
    let words: Vec<&str> = name.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let folded = domain_to_unicode(&format!("{}{AFTER}", words.join("-")));
    // Some letters are written with signs: the Catalan ŀ is an l and a dot.
    folded.strip_suffix(AFTER).filter(|folded| is_word(folded)).map(str::to_owned)
}

fn is_word(text: &str) -> bool {
    let is_part =
        |c: char| c.is_alphanumeric() || is_sign_of_a_letter(c) || matches!(c, ' ' | '-' | '&' | '\'');
    text.chars().any(char::is_alphanumeric) && text.chars().all(is_part)
}

/// Signs that belong to the letter before them and are not alphabetic themselves: accents, and the
/// nukta and virama of India's scripts, which stand at the same place in each script's block.
fn is_sign_of_a_letter(c: char) -> bool {
    let indian = ('\u{900}'..='\u{D7F}').contains(&c) && matches!(u32::from(c) % 0x80, 0x3C | 0x4D);
    indian || ('\u{300}'..='\u{36F}').contains(&c)
}

/// The id of a folded tag: letters outside ASCII as in domain names (RFC 3492), other signs as in URLs
/// (RFC 3986) with `_` in place of `%`. Neither can be typed, as a folded tag has no `--` and no `_`.
fn id_of(folded: &str) -> Option<Id<Tag>> {
    let Ok(Host::Domain(ascii)) = Host::parse(&format!("{folded}{AFTER}")) else { return None };
    let key = ascii.strip_suffix(AFTER)?.replace('&', "_26").replace('\'', "_27");
    Id::parse(&format!("{}_{key}", Tag::PREFIX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::guard::Acknowledged;

    fn read(typed: &[&str]) -> (Vec<String>, Vec<(String, Code)>) {
        let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
        let mut problems = Problems::default();
        let tags = TagName::read(&typed, &[], &mut problems);
        let problems = problems.into_vec().into_iter().map(|one| (one.field.join("."), one.code));
        (tags.into_iter().map(|tag| tag.name).collect(), problems.collect())
    }

    fn id(text: &str) -> String {
        TagName::of(text).map(|tag| tag.id.to_string()).unwrap_or_default()
    }

    #[test]
    fn spellings_of_one_word_are_one_tag() {
        for (spellings, expected) in [
            (
                &["Quiet nights", "#quiet_nights", " QUIET -- Nights ", "quiet–nights", "Ｑuiet nights"][..],
                "tag_quiet-nights",
            ),
            (&["Tŷ Hapus", "tŷ hapus", "TY\u{302} HAPUS", "ty\u{302}-hapus"][..], "tag_xn--t-hapus-rvb"),
            (&["R&D", "r&d"][..], "tag_r_26d"),
            (&["Carers' week", "carers’ week"][..], "tag_carers_27-week"),
            (&["2026", "#2026"][..], "tag_2026"),
            (&["15 steps"][..], "tag_15-steps"),
        ] {
            for spelling in spellings {
                assert_eq!(id(spelling), expected, "{spelling:?}");
            }
        }
        assert_eq!(id("हिन्दी"), id(" #हिन्दी"));
        assert!(!id("हिन्दी").is_empty() && !id("বাংলা").is_empty() && !id("العربية").is_empty());
        // Other words, however similar, are others.
        let others = [
            "café",
            "cafe",
            "quiet nights",
            "quietnights",
            "r&d",
            "rd",
            "r d",
            "carers'",
            "carers",
            "straße",
            "strase",
        ];
        let ids: std::collections::HashSet<_> = others.iter().map(|text| id(text)).collect();
        assert_eq!(ids.len(), others.len());
    }

    #[test]
    fn names_are_tidied_and_bounded() {
        assert_eq!(read(&[" # Quiet\u{200B}_nights- ", "quiet nights", "", " #"]).0, ["Quiet nights"]);
        assert_eq!(read(&[&"é".repeat(30)]).1, []);
        assert_eq!(read(&["a", &"é".repeat(31)]).1, [("tags.1".to_owned(), Code::TooLong)]);
        for wrong in [
            "a.b",
            "a/b",
            "a%62",
            "<b>",
            "#a #b",
            "ward 🏥",
            "&",
            "'",
            "a\"b",
            "$where",
            "a,b",
            "½",
            "coŀlegi",
            "a@b",
        ] {
            assert_eq!(read(&[wrong]).1, [("tags.0".to_owned(), Code::Invalid)], "{wrong}");
        }
        assert_eq!(read(&["a", "b", "c", "d", "e", "A", "#b"]).1, []);
        assert_eq!(read(&["a", "b", "c", "d", "e", "f"]).1, [("tags".to_owned(), Code::TooMany)]);
        assert_eq!(read(&["a"; 101]).1, [("tags".to_owned(), Code::TooMany)]);
    }

    #[test]
    fn the_guard_reads_tags_and_asks_once() {
        let typed = ["fine".to_owned(), "SW1A 2AA".to_owned(), "943 476 5919".to_owned()];
        let found = |acknowledged, before: &[Id<Tag>]| {
            let mut problems = Problems::with(acknowledged);
            TagName::read(&typed, before, &mut problems);
            problems.into_vec().into_iter().map(|one| (one.field.join("."), one.code)).collect::<Vec<_>>()
        };
        let at = |field: &str| (field.to_owned(), Code::PersonalData);
        assert_eq!(found(Acknowledged::Nothing, &[]), [at("tags.1"), at("tags.2")]);
        assert_eq!(found(Acknowledged::Warnings, &[]), [at("tags.2")]);
        assert_eq!(found(Acknowledged::Nothing, &[Id::of("sw1a-2aa")]), [at("tags.2")]);
    }

    proptest! {
        #[test]
        fn a_tag_is_the_same_however_it_is_typed(text in "[#_ -]{0,2}[\\w &'-]{1,20}[_ -]{0,2}") {
            if let Some(tag) = TagName::of(&text) {
                prop_assert_eq!(Id::parse(tag.id.as_str()), Some(tag.id.clone()));
                let spelled = |other: &str| TagName::of(other).map(|tag| tag.id);
                let same = Some(tag.id.clone());
                prop_assert_eq!(spelled(&tag.name), same.clone());
                prop_assert_eq!(spelled(&format!("#{}", text.replace([' ', '_'], " - "))), same.clone());
                let folded = fold(&tag.name).unwrap();
                prop_assert_eq!(fold(&folded), Some(folded.clone()), "{:?}", text);
                prop_assert_eq!(spelled(&folded), same);
                prop_assert!(!folded.contains(['_', ' ', '.', '%']) && !folded.contains("--"), "{:?}", folded);
            }
        }

        #[test]
        fn different_words_have_different_ids(one in "[a-cé&' -]{1,6}", other in "[a-cé&' -]{1,6}") {
            let (one, other) = (fold(&tidy(&one)), fold(&tidy(&other)));
            let ids = (one.as_deref().and_then(id_of), other.as_deref().and_then(id_of));
            prop_assert_eq!(one == other, ids.0 == ids.1);
        }
    }
}
