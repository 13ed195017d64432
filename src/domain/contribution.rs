//! What posts and case studies have in common: both are contributions, with an author, a state and a
//! thread.

use serde::{Deserialize, Serialize};

use super::{
    case_study::CaseStudy,
    member::Member,
    organisation::Organisation,
    post::{Post, PostState},
    sight::{Removal, Seen, Sight},
    thread::Thread,
};
use crate::{
    clock::Timestamp,
    ids::{Id, Identified},
    query::{Scalar, Value},
    scalar_enum,
};

/// Which contribution: stored as the id's text, told apart by its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ContributionId {
    Post(Id<Post>),
    CaseStudy(Id<CaseStudy>),
}

impl ContributionId {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Id::parse(text).map(Self::Post).or_else(|| Id::parse(text).map(Self::CaseStudy))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Post(id) => id.as_str(),
            Self::CaseStudy(id) => id.as_str(),
        }
    }

    /// The id without its prefix, of which ids of things that belong to it are made.
    #[must_use]
    pub fn key(&self) -> &str {
        let prefix = match self {
            Self::Post(_) => Post::PREFIX,
            Self::CaseStudy(_) => CaseStudy::PREFIX,
        };
        self.as_str().trim_start_matches(prefix).trim_start_matches('_')
    }
}

impl From<&Id<Post>> for ContributionId {
    fn from(id: &Id<Post>) -> Self {
        Self::Post(id.clone())
    }
}

impl From<&Id<CaseStudy>> for ContributionId {
    fn from(id: &Id<CaseStudy>) -> Self {
        Self::CaseStudy(id.clone())
    }
}

impl TryFrom<String> for ContributionId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or_else(|| format!("{text} is no id of a contribution"))
    }
}

impl From<ContributionId> for String {
    fn from(id: ContributionId) -> Self {
        id.as_str().to_owned()
    }
}

impl Scalar for ContributionId {
    fn value(&self) -> Value {
        Value::Text(self.as_str().to_owned())
    }
}

/// Where a contribution stands, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Draft,
    Published,
    Archived,
    Hidden,
    Deleted,
}
scalar_enum!(State);

impl From<PostState> for State {
    fn from(state: PostState) -> Self {
        match state {
            PostState::Draft => Self::Draft,
            PostState::Published => Self::Published,
            PostState::Hidden => Self::Hidden,
            PostState::Deleted => Self::Deleted,
        }
    }
}

/// Where a contribution stands, as it is shown: what is published may be out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "ContributionState")]
pub enum ShownState {
    /// Only its authors see it.
    Draft,
    /// Every member sees it.
    Published,
    /// Every member sees it, and that its review date has come.
    MayBeOutOfDate,
    /// Taken off the lists; its authors and moderators see it.
    Archived,
    /// Its authors and moderators see it, others only its tombstone.
    Hidden,
    /// Its words are gone; what is left is its tombstone.
    Deleted,
}

impl From<State> for ShownState {
    fn from(state: State) -> Self {
        match state {
            State::Draft => Self::Draft,
            State::Published => Self::Published,
            State::Archived => Self::Archived,
            State::Hidden => Self::Hidden,
            State::Deleted => Self::Deleted,
        }
    }
}

/// A contribution of either kind.
#[derive(Clone, Debug)]
pub enum Contribution {
    Post(Box<Post>),
    CaseStudy(Box<CaseStudy>),
}

impl Contribution {
    #[must_use]
    pub fn id(&self) -> ContributionId {
        match self {
            Self::Post(post) => (&post.id).into(),
            Self::CaseStudy(case_study) => (&case_study.id).into(),
        }
    }

    /// Everybody who wrote it.
    pub fn authors(&self) -> impl Iterator<Item = &Id<Member>> {
        let others = match self {
            Self::Post(_) => &[],
            Self::CaseStudy(case_study) => case_study.co_authors.as_slice(),
        };
        std::iter::once(self.author()).chain(others)
    }

    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Post(post) => &post.title,
            Self::CaseStudy(case_study) => &case_study.content.title,
        }
    }

    #[must_use]
    pub fn author(&self) -> &Id<Member> {
        match self {
            Self::Post(post) => &post.author,
            Self::CaseStudy(case_study) => &case_study.author,
        }
    }

    #[must_use]
    pub fn thread(&self) -> &Id<Thread> {
        match self {
            Self::Post(post) => &post.thread,
            Self::CaseStudy(case_study) => &case_study.thread,
        }
    }

    /// Where the author worked when they wrote it.
    #[must_use]
    pub fn organisation(&self) -> Option<&Id<Organisation>> {
        match self {
            Self::Post(post) => post.organisation.as_ref(),
            Self::CaseStudy(case_study) => case_study.organisation.as_ref(),
        }
    }

    /// Its beginning, or its summary, on one line.
    #[must_use]
    pub fn summary(&self) -> &str {
        match self {
            Self::Post(post) => &post.body.summary,
            Self::CaseStudy(case_study) => case_study.summary(),
        }
    }

    /// When it was published; a draft, when it was begun.
    #[must_use]
    pub fn began_at(&self) -> Timestamp {
        match self {
            Self::Post(post) => post.published_at.unwrap_or(post.created_at),
            Self::CaseStudy(case_study) => case_study.published_at.unwrap_or(case_study.created_at),
        }
    }

    #[must_use]
    pub fn is_published(&self) -> bool {
        match self {
            Self::Post(post) => post.state == PostState::Published,
            Self::CaseStudy(case_study) => case_study.state == State::Published,
        }
    }

    /// Where people read it, below the service's address.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Post(post) => format!("posts/{}", post.id),
            Self::CaseStudy(case_study) => format!("case-studies/{}", case_study.id),
        }
    }

    /// Whether it was hidden or deleted: then nobody adds to its thread.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        matches!(self.state(), State::Hidden | State::Deleted)
    }

    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::Post(post) => post.state.into(),
            Self::CaseStudy(case_study) => case_study.state,
        }
    }

    #[must_use]
    pub fn removed(&self) -> Option<&Removal> {
        match self {
            Self::Post(post) => post.removed.as_ref(),
            Self::CaseStudy(case_study) => case_study.removed.as_ref(),
        }
    }
}

/// By the rule of its own kind.
impl Seen for Contribution {
    fn sight(&self, viewer: &Member) -> Sight {
        match self {
            Self::Post(post) => post.sight(viewer),
            Self::CaseStudy(case_study) => case_study.sight(viewer),
        }
    }

    fn tombstone(&self) -> Self {
        match self {
            Self::Post(post) => Self::Post(Box::new(post.tombstone())),
            Self::CaseStudy(case_study) => Self::CaseStudy(Box::new(case_study.tombstone())),
        }
    }
}

/// What stands in the place of something that was taken away; nothing for what is there.
#[must_use]
pub fn tombstone(state: State, removed: Option<&Removal>) -> Option<String> {
    match (state, removed) {
        (State::Hidden | State::Deleted, Some(removal)) => Some(removal.sentence()),
        // From before it was noted when and by whom.
        (State::Hidden | State::Deleted, None) => Some("Deleted.".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_which_kind_it_is_of() {
        let post = ContributionId::parse("pst_01J0").unwrap();
        let case_study = ContributionId::parse("cst_01J0").unwrap();
        assert!(
            matches!(post, ContributionId::Post(_)) && matches!(case_study, ContributionId::CaseStudy(_))
        );
        assert_eq!((post.key(), case_study.key()), ("01J0", "01J0"));
        assert_eq!(serde_json::to_string(&case_study).unwrap(), "\"cst_01J0\"");
        assert!(serde_json::from_str::<ContributionId>("\"thr_01J0\"").is_err());
    }
}
