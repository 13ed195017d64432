//! Lists of published case studies.

use crate::{
    actions::{access::Viewer, page::Listing},
    clock::Timestamp,
    domain::{
        adoption::AdoptionStatus,
        case_study::parts::{CostBand, InvolvementLevel, Status},
        entry::{Entry, Facet},
        member::Member,
        organisation::Organisation,
        tag::Tag,
        topic::Topic,
    },
    ids::Id,
};

/// In which order case studies are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, async_graphql::Enum)]
pub enum CaseStudyOrder {
    /// Latest published first.
    #[default]
    Newest,
    /// Earliest published first.
    Oldest,
}

/// Which case studies are listed; every part narrows.
#[derive(Clone, Debug, Default)]
pub struct CaseStudyFilter {
    /// The author or a co-author.
    pub author: Option<Id<Member>>,
    /// The lead organisation or a partner.
    pub organisation: Option<Id<Organisation>>,
    pub topic: Option<Id<Topic>>,
    pub tag: Option<Id<Tag>>,
    /// The main method or another.
    pub method: Option<String>,
    pub setting: Option<String>,
    pub feedback_source: Option<String>,
    /// The code of the lead organisation's region.
    pub region: Option<String>,
    pub involvement: Option<InvolvementLevel>,
    pub status: Option<Status>,
    pub cost: Option<CostBand>,
    /// Somebody's record of adoption has this status; with `adopted_by`, that organisation's has.
    pub adoption: Option<AdoptionStatus>,
    /// An organisation that has a record of adoption.
    pub adopted_by: Option<Id<Organisation>>,
    pub may_be_out_of_date: Option<bool>,
}

impl CaseStudyFilter {
    /// Those that find the fewest first: the first one leads through its index.
    fn facets(&self) -> Vec<Facet> {
        let adoption = match (&self.adopted_by, self.adoption) {
            (Some(organisation), None) => Some(Facet::adopter(organisation)),
            (organisation, Some(status)) => Some(Facet::adoption(status, organisation.as_ref())),
            (None, None) => None,
        };
        let (of_one, of_any) = if self.adopted_by.is_some() { (adoption, None) } else { (None, adoption) };
        [
            self.author.as_ref().map(Facet::author),
            of_one,
            self.organisation.as_ref().map(Facet::organisation),
            self.tag.as_ref().map(Facet::tag),
            self.topic.as_ref().map(Facet::topic),
            self.method.as_deref().map(Facet::method),
            self.setting.as_deref().map(Facet::setting),
            self.feedback_source.as_deref().map(Facet::feedback_source),
            self.region.as_deref().map(Facet::region),
            self.cost.map(Facet::cost),
            self.involvement.map(Facet::involvement),
            self.status.map(Facet::status),
            of_any,
            Some(Facet::case_study()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Published case studies, within what the viewer was invited to.
#[must_use]
pub fn published(
    viewer: &Viewer,
    wanted: &CaseStudyFilter,
    order: CaseStudyOrder,
    now: Timestamp,
) -> Listing<Entry> {
    let facets = wanted.facets().into_iter().map(|facet| Entry::FACETS.contains(facet));
    let facets = facets.reduce(crate::query::Filter::and).unwrap_or_else(crate::query::Filter::all);
    let mut filter = facets.and(Entry::published_to(viewer));
    if let Some(due) = wanted.may_be_out_of_date {
        let is_due = Entry::REVIEW_AT.lte(now);
        filter = filter.and(if due { is_due } else { is_due.not() });
    }
    match order {
        CaseStudyOrder::Newest => {
            Listing { name: "caseStudies:newest", filter, order: Entry::PUBLISHED_AT.desc() }
        }
        CaseStudyOrder::Oldest => {
            Listing { name: "caseStudies:oldest", filter, order: Entry::PUBLISHED_AT.asc() }
        }
    }
}
