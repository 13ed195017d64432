//! Successions: the people of an organisation, and what they wrote, follow to one of its successors.

use serde::{Deserialize, Serialize};

use super::{member::Member, organisation::Organisation};
use crate::{clock::Timestamp, document, ids::Id};

/// People named one by one, for an organisation that was split: as many as a request has room for.
pub const MEMBERS_MAX: usize = 100;

/// What an administrator asked for, and how far it is. Done page by page in the background: each page
/// is counted here in the commit that moves it, and what has moved is not found again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Succession {
    #[serde(rename = "_id")]
    pub id: Id<Succession>,
    pub version: i64,
    pub from: Id<Organisation>,
    pub to: Id<Organisation>,
    /// Who of its people: all of them, or those named.
    pub people: People,
    /// Whether posts, case studies and adoptions follow, too.
    pub content: bool,
    pub by: Id<Member>,
    pub stage: Stage,
    pub moved: Moved,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

document!(Succession, "suc", "successions", []);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum People {
    All,
    Nobody,
    These(Vec<Id<Member>>),
}

/// What is moved next. People first: what they write meanwhile is then of the successor already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Members,
    Posts,
    /// Those whose author began them there.
    Authored,
    /// Those that the organisation leads or helps with.
    CaseStudies,
    Adoptions,
    Done,
}

impl Stage {
    #[must_use]
    pub const fn next(self, content: bool) -> Self {
        match self {
            Self::Members if content => Self::Posts,
            Self::Posts => Self::Authored,
            Self::Authored => Self::CaseStudies,
            Self::CaseStudies => Self::Adoptions,
            Self::Members | Self::Adoptions | Self::Done => Self::Done,
        }
    }
}

/// How much has followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "SuccessionCounts")]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    pub members: i64,
    pub posts: i64,
    pub case_studies: i64,
    pub adoptions: i64,
}
