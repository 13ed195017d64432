//! Which members somebody is looking for.

use async_graphql::{ID, InputObject};

use super::query::parse;
use crate::domain::{place::Place, profile::PeerFilter};

/// Which members; every part narrows.
#[derive(Clone, Default, InputObject)]
pub struct MemberFilterInput {
    /// Where they work.
    pub organisation_id: Option<ID>,
    /// The type of the organisation where they work: a slug of `taxonomy { organisationTypes }`.
    pub organisation_type: Option<String>,
    /// The code of its region.
    pub region: Option<String>,
    /// The code of its integrated care board.
    pub icb: Option<String>,
    /// They follow it, or wrote about it.
    pub topic_id: Option<ID>,
    /// A topic that they say they are interested in.
    pub interest_id: Option<ID>,
    /// A topic that they say they have experience of.
    pub experience_topic_id: Option<ID>,
    /// Something else that they say they have experience of, in whatever case and spacing.
    pub experience_tag: Option<String>,
    /// How their name begins, in whatever case and without regard to accents.
    pub name_starts_with: Option<String>,
}

impl From<MemberFilterInput> for PeerFilter {
    fn from(input: MemberFilterInput) -> Self {
        Self {
            organisation: parse(input.organisation_id),
            place: Place { kind: input.organisation_type, region: input.region, icb: input.icb },
            topic: parse(input.topic_id),
            interest: parse(input.interest_id),
            experience_topic: parse(input.experience_topic_id),
            experience_tag: input.experience_tag,
            starts_with: input.name_starts_with,
        }
    }
}
