//! Entries: what lists know of a contribution, of either kind, so that posts and case studies stand in
//! one order and a list needs neither.
//!
//! A contribution and its entry are written in the same commit. Counters and whatever else changes
//! without its authors doing anything are kept here too, so that they don't make an edit stale.

use serde::{Deserialize, Serialize};

use super::{
    adoption::AdoptionStatus,
    calendar::Date,
    case_study::CaseStudy,
    contribution::{ContributionId, State},
    follow::Target,
    member::Member,
    organisation::Organisation,
    post::Post,
    reaction::{Reactable, ReactionCounts},
    tag::Tag,
    topic::Topic,
};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index, Scalar, Value},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Made of the contribution's.
    #[serde(rename = "_id")]
    pub id: Id<Entry>,
    pub version: i64,
    pub contribution: ContributionId,
    pub state: State,
    /// What it can be found by.
    pub facets: Vec<Facet>,
    pub published_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// When it may be out of date.
    pub review_at: Option<Timestamp>,
    /// When its authors are to be reminded of that; null once they were.
    pub remind_at: Option<Timestamp>,
    /// Current records of adoption, by status.
    #[serde(default)]
    pub adoptions: AdoptionCounts,
    /// Of a case study; a post keeps its own.
    #[serde(default)]
    pub reactions: ReactionCounts,
}

document!(
    Entry,
    "ent",
    "entries",
    [
        Index::named("newest").asc(Entry::STATE).desc(Entry::PUBLISHED_AT),
        // Every filter of a list is one facet or several: the first leads here, and the others are
        // asked of what it finds.
        Index::named("facet").each(Entry::FACETS).asc(Entry::STATE).desc(Entry::PUBLISHED_AT),
        Index::named("drafts").each(Entry::FACETS).asc(Entry::STATE).desc(Entry::UPDATED_AT),
        Index::named("reminders").asc(Entry::REMIND_AT),
    ]
);

/// How many organisations stand where with a case study.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "AdoptionSummary")]
#[serde(rename_all = "camelCase")]
pub struct AdoptionCounts {
    pub interested: i64,
    pub testing: i64,
    pub adopted: i64,
    pub adapted: i64,
    pub stopped: i64,
}

impl AdoptionCounts {
    pub const fn of_mut(&mut self, status: AdoptionStatus) -> &mut i64 {
        match status {
            AdoptionStatus::Interested => &mut self.interested,
            AdoptionStatus::Testing => &mut self.testing,
            AdoptionStatus::Adopted => &mut self.adopted,
            AdoptionStatus::Adapted => &mut self.adapted,
            AdoptionStatus::Stopped => &mut self.stopped,
        }
    }
}

/// Something to find contributions by: a kind of question and its answer, `setting:nhs-acute`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facet(String);

impl Scalar for Facet {
    fn value(&self) -> Value {
        Value::Text(self.0.clone())
    }
}

impl Facet {
    fn new(question: &str, answer: &str) -> Self {
        Self(format!("{question}:{answer}"))
    }
    /// The text that stands for a unit variant in storage.
    fn of_enum(question: &str, answer: &impl Serialize) -> Self {
        let answer = serde_json::to_value(answer).unwrap_or_default();
        Self::new(question, answer.as_str().unwrap_or_default())
    }
    /// All case studies.
    #[must_use]
    pub fn case_study() -> Self {
        Self::new("kind", "case-study")
    }
    /// One case study alone: partners can be invited to it.
    #[must_use]
    pub fn itself(case_study: &Id<CaseStudy>) -> Self {
        Self::new("case-study", case_study.as_str())
    }
    /// What a member may edit as an author or co-author.
    #[must_use]
    pub fn author(member: &Id<Member>) -> Self {
        Self::new("author", member.as_str())
    }
    /// The lead organisation or a partner.
    #[must_use]
    pub fn organisation(organisation: &Id<Organisation>) -> Self {
        Self::new("organisation", organisation.as_str())
    }
    /// The code of the lead organisation's region.
    #[must_use]
    pub fn region(code: &str) -> Self {
        Self::new("region", code)
    }
    #[must_use]
    pub fn topic(topic: &Id<Topic>) -> Self {
        Self::new("topic", topic.as_str())
    }
    #[must_use]
    pub fn tag(tag: &Id<Tag>) -> Self {
        Self::new("tag", tag.as_str())
    }
    #[must_use]
    pub fn setting(slug: &str) -> Self {
        Self::new("setting", slug)
    }
    /// The main method or another.
    #[must_use]
    pub fn method(slug: &str) -> Self {
        Self::new("method", slug)
    }
    #[must_use]
    pub fn feedback_source(slug: &str) -> Self {
        Self::new("feedback-source", slug)
    }
    #[must_use]
    pub fn involvement(level: super::case_study::parts::InvolvementLevel) -> Self {
        Self::of_enum("involvement", &level)
    }
    #[must_use]
    pub fn status(status: super::case_study::parts::Status) -> Self {
        Self::of_enum("status", &status)
    }
    #[must_use]
    pub fn cost(band: super::case_study::parts::CostBand) -> Self {
        Self::of_enum("cost", &band)
    }
    /// Somebody's record of adoption has this status, or that of one organisation has it.
    #[must_use]
    pub fn adoption(status: AdoptionStatus, by: Option<&Id<Organisation>>) -> Self {
        match by {
            None => Self::of_enum("adoption", &status),
            Some(organisation) => Self::of_enum(&format!("adoption-by:{organisation}"), &status),
        }
    }
    /// An organisation has a record of adoption.
    #[must_use]
    pub fn adopter(organisation: &Id<Organisation>) -> Self {
        Self::new("adopter", organisation.as_str())
    }

    /// What members hear of who follow something. Beside the facets of the same things that lists of case
    /// studies ask for: those lead to case studies without a look at the posts, which are many more.
    #[must_use]
    pub fn followed(target: &Target) -> Self {
        Self::new("followed", target.as_str())
    }

    /// The opposite: what members may follow to hear of it.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        self.0.strip_prefix("followed:").and_then(Target::parse)
    }

    fn is_of_adoption(&self) -> bool {
        ["adoption:", "adoption-by:", "adopter:"].iter().any(|question| self.0.starts_with(question))
    }
}

impl Reactable for Entry {}

impl Entry {
    pub const ID: Field<Self, Id<Self>> = Field::new("_id");
    pub const STATE: Field<Self, State> = Field::new("state");
    pub const FACETS: Field<Self, Vec<Facet>> = Field::new("facets");
    /// Null only in what was never published, which no list by this field shows.
    pub const PUBLISHED_AT: Field<Self, Timestamp> = Field::new("publishedAt");
    pub const UPDATED_AT: Field<Self, Timestamp> = Field::new("updatedAt");
    pub const REVIEW_AT: Field<Self, Option<Timestamp>> = Field::new("reviewAt");
    pub const REMIND_AT: Field<Self, Option<Timestamp>> = Field::new("remindAt");

    #[must_use]
    pub fn id_of(contribution: &ContributionId) -> Id<Self> {
        Id::of(contribution.key())
    }

    /// The entry of a post. Posts have lists of their own: here they are found by what members follow.
    #[must_use]
    pub fn of_post(post: &Post) -> Self {
        let contribution = ContributionId::from(&post.id);
        Self {
            id: Self::id_of(&contribution),
            version: 1,
            contribution,
            state: post.state.into(),
            facets: facets_of_post(post),
            published_at: post.published_at,
            updated_at: post.updated_at,
            review_at: None,
            remind_at: None,
            adoptions: AdoptionCounts::default(),
            reactions: ReactionCounts::default(),
        }
    }

    /// Takes over what a post says now.
    pub fn follow_post(&mut self, post: &Post) {
        self.facets = facets_of_post(post);
        self.state = post.state.into();
        self.published_at = post.published_at;
        self.updated_at = post.updated_at;
    }

    /// What members may follow to hear of it.
    pub fn targets(&self) -> impl Iterator<Item = Target> {
        self.facets.iter().filter_map(Facet::target)
    }

    /// The entry of a case study that is new. `region` is the code of its lead organisation's.
    #[must_use]
    pub fn of_case_study(case_study: &CaseStudy, region: Option<&str>) -> Self {
        let contribution = ContributionId::from(&case_study.id);
        let mut entry = Self {
            id: Self::id_of(&contribution),
            version: 1,
            contribution,
            state: case_study.state,
            facets: Vec::new(),
            published_at: None,
            updated_at: case_study.updated_at,
            review_at: None,
            remind_at: None,
            adoptions: AdoptionCounts::default(),
            reactions: ReactionCounts::default(),
        };
        entry.follow(case_study, region);
        entry
    }

    /// Takes over what a case study says now. What others recorded about it stays. Its authors are
    /// reminded once for every review date that they choose.
    pub fn follow(&mut self, case_study: &CaseStudy, region: Option<&str>) {
        self.facets.retain(Facet::is_of_adoption);
        self.facets.extend(facets_of(case_study, region));
        self.state = case_study.state;
        self.published_at = case_study.published_at;
        self.updated_at = case_study.updated_at;
        let published = case_study.state == State::Published;
        let review_at = case_study.content.review_date.map(Date::starts).filter(|_| published);
        if review_at != self.review_at {
            self.remind_at = review_at;
        }
        self.review_at = review_at;
    }

    /// Counts an organisation's record of adoption: as it was, if there was one, and as it is.
    pub fn count_adoption(
        &mut self,
        organisation: &Id<Organisation>,
        was: Option<AdoptionStatus>,
        is: AdoptionStatus,
    ) {
        if let Some(was) = was {
            let count = self.adoptions.of_mut(was);
            *count -= 1;
            if *count == 0 {
                self.facets.retain(|facet| *facet != Facet::adoption(was, None));
            }
            self.facets.retain(|facet| *facet != Facet::adoption(was, Some(organisation)));
        }
        *self.adoptions.of_mut(is) += 1;
        let facets = [
            Facet::adopter(organisation),
            Facet::adoption(is, Some(organisation)),
            Facet::adoption(is, None),
        ];
        for facet in facets {
            if !self.facets.contains(&facet) {
                self.facets.push(facet);
            }
        }
    }

    /// Takes back an organisation's record of adoption.
    pub fn forget_adoption(&mut self, organisation: &Id<Organisation>, was: AdoptionStatus) {
        let count = self.adoptions.of_mut(was);
        *count -= 1;
        let of_any = (*count == 0).then(|| Facet::adoption(was, None));
        let of_it = [Facet::adopter(organisation), Facet::adoption(was, Some(organisation))];
        self.facets.retain(|facet| !of_it.contains(facet) && Some(facet) != of_any.as_ref());
    }

    /// Takes over where the lead organisation is.
    pub fn lead_by(&mut self, region: Option<&str>) {
        self.facets.retain(|facet| !facet.0.starts_with("region:"));
        self.facets.extend(region.map(Facet::region));
    }

    /// What every member sees.
    #[must_use]
    pub fn published() -> Filter<Self> {
        Self::STATE.eq(State::Published)
    }

    /// What every member sees, within what `viewer` was invited to, and what they wrote.
    #[must_use]
    pub fn published_to(viewer: &Member) -> Filter<Self> {
        let Some(scope) = viewer.scope() else { return Self::published() };
        let topics = scope.topics.iter().cloned().map(|topic| Facet::followed(&Target::Topic(topic)));
        let case_studies = scope.case_studies.iter().map(Facet::itself);
        let facets = topics.chain(case_studies).chain([Facet::author(&viewer.id)]);
        Self::published().and(Self::FACETS.contains_any(facets))
    }

    /// What only its authors see.
    #[must_use]
    pub fn drafts_of(author: &Id<Member>) -> Filter<Self> {
        Self::FACETS.contains(Facet::author(author)).and(Self::STATE.eq(State::Draft))
    }

    /// Those whose authors are to be reminded at `now`.
    #[must_use]
    pub fn to_remind(now: Timestamp) -> Filter<Self> {
        Self::REMIND_AT.lte(now)
    }
}

fn facets_of_post(post: &Post) -> Vec<Facet> {
    let mut facets = vec![Facet::author(&post.author)];
    facets.extend(followed([&post.author], post.organisation.as_ref(), &post.topics, &post.tags));
    facets
}

/// What members hear of who follow one of these.
fn followed<'a>(
    authors: impl IntoIterator<Item = &'a Id<Member>>,
    organisations: impl IntoIterator<Item = &'a Id<Organisation>>,
    topics: &[Id<Topic>],
    tags: impl IntoIterator<Item = &'a Id<Tag>>,
) -> Vec<Facet> {
    let authors = authors.into_iter().cloned().map(Target::Member);
    let organisations = organisations.into_iter().cloned().map(Target::Organisation);
    let topics = topics.iter().cloned().map(Target::Topic);
    let tags = tags.into_iter().cloned().map(Target::Tag);
    authors.chain(organisations).chain(topics).chain(tags).map(|target| Facet::followed(&target)).collect()
}

fn facets_of(case_study: &CaseStudy, region: Option<&str>) -> Vec<Facet> {
    let content = &case_study.content;
    let mut facets = vec![Facet::case_study(), Facet::itself(&case_study.id)];
    facets.extend(case_study.authors().map(Facet::author));
    let organisations = content.lead_organisation.iter().chain(&content.partner_organisations);
    let organisations: Vec<_> = organisations.filter_map(|named| named.id()).collect();
    facets.extend(organisations.iter().copied().map(Facet::organisation));
    facets.extend(followed(
        case_study.authors(),
        organisations,
        &content.topics,
        content.tags.iter().map(|tag| &tag.id),
    ));
    facets.extend(region.map(Facet::region));
    facets.extend(content.topics.iter().map(Facet::topic));
    facets.extend(content.tags.iter().map(|tag| Facet::tag(&tag.id)));
    facets.extend(content.settings.iter().map(|slug| Facet::setting(slug)));
    facets.extend(content.methods().map(Facet::method));
    facets.extend(content.feedback_sources.iter().map(|slug| Facet::feedback_source(slug)));
    facets.extend(content.involvement.level.map(Facet::involvement));
    facets.extend(content.status.map(Facet::status));
    facets.extend(content.cost.map(Facet::cost));
    facets
}
