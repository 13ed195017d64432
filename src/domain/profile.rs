//! What members tell of themselves, to whom they show it, and how others find them by it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    attachment::Attachment,
    case_study::problems::Problems,
    fold::fold,
    member::Member,
    organisation::Organisation,
    place::{Place, PlaceFacet},
    sight::Seen,
    standing::MemberState,
    tag::{Tag, TagName},
    topic::Topic,
};
use crate::{
    clock::Timestamp,
    error::Code,
    ids::Id,
    query::{Field, Filter, Scalar, Value},
};

/// A name with its titles fits on one line of a phone.
pub const NAME_MAX: usize = 80;
pub const JOB_TITLE_MAX: usize = 100;
pub const PRONOUNS_MAX: usize = 30;
/// Topics that somebody says they are interested in, and again that they have experience of: more say
/// nothing.
pub const TOPICS_MAX: usize = 10;
/// Other things that somebody has experience of.
pub const EXPERIENCE_TAGS_MAX: usize = 10;
/// Of as many of a member's latest contributions it is remembered what they are about.
pub const CONTRIBUTIONS_MAX: usize = 100;

/// Kept on the member, so that a list of members is read from one index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// Counts edits, from 1; the member's version counts also what happens to them.
    pub edition: i64,
    /// The member's name as it is looked for.
    pub folded_name: String,
    pub pronouns: Option<String>,
    pub phone: Option<Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<Id<Attachment>>,
    pub interests: Vec<Id<Topic>>,
    pub experience_topics: Vec<Id<Topic>>,
    pub experience_tags: Vec<TagName>,
    pub shown: Shown,
    /// What finds them.
    pub facets: Vec<PeerFacet>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            edition: 1,
            folded_name: String::new(),
            pronouns: None,
            phone: None,
            photo: None,
            interests: Vec::new(),
            experience_topics: Vec::new(),
            experience_tags: Vec::new(),
            shown: Shown::default(),
            facets: Vec::new(),
        }
    }
}

/// Who sees a part of a profile, besides the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "ProfileAudience")]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    Nobody,
    /// Members of the same organisation.
    Organisation,
    /// All members.
    Members,
}

/// To whom each part is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "ProfileVisibility")]
#[serde(rename_all = "camelCase", default)]
pub struct Shown {
    pub email: Audience,
    pub phone: Audience,
    pub job_title: Audience,
    pub pronouns: Audience,
    pub photo: Audience,
    /// Whoever shows them to all members is found by them.
    pub interests: Audience,
    /// Whoever shows it to all members is found by it.
    pub experience: Audience,
}

impl Default for Shown {
    /// How to reach somebody is for them to show; what makes them a peer is what they are here for.
    fn default() -> Self {
        Self {
            email: Audience::Nobody,
            phone: Audience::Nobody,
            job_title: Audience::Members,
            pronouns: Audience::Members,
            photo: Audience::Members,
            interests: Audience::Members,
            experience: Audience::Members,
        }
    }
}

impl Member {
    pub const FOLDED_NAME: Field<Self, String> = Field::new("profile.foldedName");
    pub const FACETS: Field<Self, Vec<PeerFacet>> = Field::new("profile.facets");
    pub const ORGANISATION: Field<Self, Option<Id<Organisation>>> = Field::new("organisation");
    const SUSPENDED_AT: Field<Self, Option<Timestamp>> = Field::new("suspension.at");
    const SUSPENDED_UNTIL: Field<Self, Option<Timestamp>> = Field::new("suspension.until");

    /// Those whom others find at `now`: not before they have joined, nor while they are suspended.
    #[must_use]
    pub fn listed(now: Timestamp) -> Filter<Self> {
        let free = Self::SUSPENDED_AT.eq(None).or(Self::SUSPENDED_UNTIL.lte(now));
        free.and(Self::STATE.eq(MemberState::Active))
    }

    /// Those whose name begins like this.
    #[must_use]
    pub fn named(starts_with: &str) -> Filter<Self> {
        let start = fold(starts_with);
        if start.is_empty() {
            // Everybody: counting them, too, is a walk along an index that starts somewhere.
            return Self::FOLDED_NAME.gte(start);
        }
        let after_all = format!("{start}{}", char::MAX);
        Self::FOLDED_NAME.gte(start).and(Self::FOLDED_NAME.lt(after_all))
    }

    /// Whether `viewer` sees a part of this member's profile that is for `audience`.
    #[must_use]
    pub fn shows(&self, audience: Audience, viewer: &Self) -> bool {
        let colleagues = self.organisation.is_some() && self.organisation == viewer.organisation;
        self.id == viewer.id
            || match audience {
                Audience::Nobody => false,
                Audience::Organisation => colleagues,
                Audience::Members => true,
            }
    }

    /// Their photo, as far as `viewer` may see it.
    #[must_use]
    pub fn photo_for(&self, viewer: &Self) -> Option<&Id<Attachment>> {
        let shown = self.can_see(viewer) && self.shows(self.profile.shown.photo, viewer);
        self.profile.photo.as_ref().filter(|_| shown)
    }

    pub fn rename(&mut self, name: String) {
        self.profile.folded_name = fold(&name);
        self.name = name;
    }

    /// Makes them somebody who works there, found by where that is.
    pub fn works_at(&mut self, organisation: Option<&Organisation>) {
        self.organisation = organisation.map(|organisation| organisation.id.clone());
        let here = organisation.map(|organisation| PeerFacet::organisation(&organisation.id));
        let places = organisation.map(|organisation| organisation.place().facets()).unwrap_or_default();
        let facets = here.into_iter().chain(places.iter().map(PeerFacet::place)).collect();
        self.profile.found_by(PeerFacet::is_of_work, facets);
    }
}

impl Profile {
    /// The topics that they follow or wrote about.
    pub fn moves_in(&mut self, topics: &BTreeSet<Id<Topic>>) {
        self.found_by(PeerFacet::is_of_topic, topics.iter().map(PeerFacet::topic).collect());
    }

    /// Brings what finds them in line with what they show of themselves.
    pub fn tells(&mut self) {
        let mut facets = Vec::new();
        if self.shown.interests == Audience::Members {
            facets.extend(self.interests.iter().map(PeerFacet::interest));
        }
        if self.shown.experience == Audience::Members {
            facets.extend(self.experience_topics.iter().map(PeerFacet::experience_of_topic));
            facets.extend(self.experience_tags.iter().map(|tag| PeerFacet::experience_of_tag(&tag.id)));
        }
        self.found_by(PeerFacet::is_told, facets);
    }

    /// Puts these in the place of those of the same sort.
    fn found_by(&mut self, sort: fn(&PeerFacet) -> bool, facets: Vec<PeerFacet>) {
        self.facets.retain(|facet| !sort(facet));
        self.facets.extend(facets);
        self.facets.sort();
    }
}

/// Something to find members by: a kind of question and its answer, `interest:top_volunteering`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeerFacet(String);

impl Scalar for PeerFacet {
    fn value(&self) -> Value {
        Value::Text(self.0.clone())
    }
}

impl PeerFacet {
    #[must_use]
    pub fn organisation(organisation: &Id<Organisation>) -> Self {
        Self(format!("organisation:{organisation}"))
    }
    /// Where the organisation that they work at belongs.
    #[must_use]
    pub fn place(place: &PlaceFacet) -> Self {
        Self(format!("at:{}", place.as_str()))
    }
    /// They follow it, or wrote about it.
    #[must_use]
    pub fn topic(topic: &Id<Topic>) -> Self {
        Self(format!("topic:{topic}"))
    }
    #[must_use]
    pub fn interest(topic: &Id<Topic>) -> Self {
        Self(format!("interest:{topic}"))
    }
    #[must_use]
    pub fn experience_of_topic(topic: &Id<Topic>) -> Self {
        Self(format!("experience:{topic}"))
    }
    #[must_use]
    pub fn experience_of_tag(tag: &Id<Tag>) -> Self {
        Self(format!("experience:{tag}"))
    }

    fn is_of_work(&self) -> bool {
        self.0.starts_with("organisation:") || self.0.starts_with("at:")
    }
    fn is_of_topic(&self) -> bool {
        self.0.starts_with("topic:")
    }
    fn is_told(&self) -> bool {
        self.0.starts_with("interest:") || self.0.starts_with("experience:")
    }
}

/// Which members; every part narrows.
#[derive(Clone, Debug, Default)]
pub struct PeerFilter {
    pub organisation: Option<Id<Organisation>>,
    pub place: Place,
    pub topic: Option<Id<Topic>>,
    pub interest: Option<Id<Topic>>,
    pub experience_topic: Option<Id<Topic>>,
    pub experience_tag: Option<String>,
    pub starts_with: Option<String>,
}

impl PeerFilter {
    /// Those that find the fewest first: the first one leads through its index, and the others are asked
    /// of what it finds. A text that can be no tag finds nobody.
    #[must_use]
    pub fn facets(&self) -> Vec<PeerFacet> {
        let tag = self.experience_tag.as_deref().map(|text| match TagName::of(text) {
            Some(tag) => PeerFacet::experience_of_tag(&tag.id),
            None => PeerFacet::experience_of_tag(&Id::of("")),
        });
        [
            self.organisation.as_ref().map(PeerFacet::organisation),
            tag,
            self.experience_topic.as_ref().map(PeerFacet::experience_of_topic),
            self.interest.as_ref().map(PeerFacet::interest),
            self.place.facet().as_ref().map(PeerFacet::place),
            self.topic.as_ref().map(PeerFacet::topic),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A telephone number as people write it: nothing but a number, so that nothing else stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Digits of a number within the country, or with the country before it (ITU-T E.164).
    const DIGITS: std::ops::RangeInclusive<usize> = 9..=15;
    /// Digits of an extension.
    const EXTENSION_MAX: usize = 6;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a number that begins with 0 or +, perhaps with an extension. An NHS number begins with
    /// neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (number, extension) = match line.to_lowercase().find("ext") {
            Some(at) => (line.get(..at)?, Some(line.get(at + 3..)?.trim_start_matches('.'))),
            None => (line.as_str(), None),
        };
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_digit() || " ()-+".contains(c));
        let signs = number.matches('+').count();
        let begins =
            (signs == 0 && number.starts_with(['0', '('])) || (signs == 1 && number.starts_with('+'));
        let extends = extension.is_none_or(|part| {
            plain(part) && !part.contains('+') && (1..=Self::EXTENSION_MAX).contains(&digits(part))
        });
        (begins && plain(number) && Self::DIGITS.contains(&digits(number)) && extends).then_some(Self(line))
    }
}

/// Reads other things that somebody has experience of, each once.
pub fn experience_tags(typed: &[String], problems: &mut Problems) -> Vec<TagName> {
    let mut read: Vec<TagName> = Vec::new();
    for (place, text) in typed.iter().take(EXPERIENCE_TAGS_MAX).enumerate() {
        let tag = TagName::parse(&format!("experienceTags.{place}"), text, problems);
        read.extend(tag.filter(|tag| read.iter().all(|other| other.id != tag.id)));
    }
    problems.at_most("experienceTags", typed.len(), EXPERIENCE_TAGS_MAX);
    read
}

/// Reads topics, each once; whether they are there is for the caller to find out.
pub fn topics(field: &str, typed: &[String], problems: &mut Problems) -> Vec<Id<Topic>> {
    let mut read: Vec<Id<Topic>> = Vec::new();
    for (place, text) in typed.iter().take(TOPICS_MAX).enumerate() {
        match Id::parse(text) {
            Some(id) if read.contains(&id) => {}
            Some(id) => read.push(id),
            None => problems.add(&format!("{field}.{place}"), Code::Unknown, UNKNOWN_TOPIC),
        }
    }
    problems.at_most(field, typed.len(), TOPICS_MAX);
    read
}

pub const UNKNOWN_TOPIC: &str = "There is no such topic. The query `topics` shows them.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_nothing_but_that() {
        for text in ["0161 276 1234", "+44 (0)161 276-1234", "(0161) 276 1234", " 07700  900123 ext. 42"] {
            assert!(Phone::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "943 476 5919",
            "4010232137",
            "999",
            "call Jo on 0161 276 1234",
            "0161 276 1234 ward 5",
            "0161 276 1234 ext. ask",
            "0161+276+1234",
            "+",
            "0161 276 1234 ext",
            "0161276123412345678",
            "<b>0161 276 1234</b>",
            "ＥＸＴ",
            "İext1",
        ] {
            assert!(Phone::parse(text).is_none(), "{text}");
        }
        assert_eq!(Phone::parse(" 0161\n276  1234").unwrap().as_str(), "0161 276 1234");
    }

    #[test]
    fn what_is_not_shown_to_all_finds_nobody() {
        let mut profile = Profile { interests: vec![Id::of("access")], ..Profile::default() };
        profile.moves_in(&BTreeSet::from([Id::of("dementia")]));
        profile.tells();
        assert_eq!(profile.facets.len(), 2);
        profile.shown.interests = Audience::Organisation;
        profile.tells();
        assert_eq!(profile.facets, [PeerFacet::topic(&Id::of("dementia"))]);
    }
}
