//! Case studies: the structured record of an improvement, as the network's template has it.
//!
//! [`typed`] is what authors send, [`content`] what becomes of it, [`publishing`] what is still
//! missing before others may read it.

pub mod changes;
pub mod content;
pub mod limits;
pub mod measure;
pub mod parts;
pub mod problems;
pub mod publishing;
#[cfg(test)]
mod tests;
pub mod typed;

use serde::{Deserialize, Serialize};

use self::content::Content;
use super::{
    attachment::Attachment,
    calendar::Date,
    contribution::{ShownState, State},
    member::Member,
    organisation::Organisation,
    sight::{Removal, Seen, Sight},
    tag::Carried,
    thread::Thread,
};
use crate::{
    clock::Timestamp,
    document,
    ids::{Id, Identified},
    query::{Field, Filter, Index},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseStudy {
    #[serde(rename = "_id")]
    pub id: Id<CaseStudy>,
    pub version: i64,
    pub state: State,
    /// Who began it.
    pub author: Id<Member>,
    /// Where the author worked when they began it.
    pub organisation: Option<Id<Organisation>>,
    /// Others who may edit it, from whatever organisation.
    pub co_authors: Vec<Id<Member>>,
    pub content: Content,
    /// Files that show what was done.
    #[serde(default)]
    pub attachments: Vec<Id<Attachment>>,
    pub thread: Id<Thread>,
    pub created_at: Timestamp,
    /// When it was first published; a draft has none.
    pub published_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// Who wrote this version.
    pub updated_by: Id<Member>,
    /// How many revisions are kept; none before the first edit of what is published.
    #[serde(default)]
    pub revisions: i64,
    /// When and why it was hidden or deleted.
    #[serde(default)]
    pub removed: Option<Removal>,
}

document!(
    CaseStudy,
    "cst",
    "caseStudies",
    [
        Index::named("newest").asc(CaseStudy::STATE).desc(CaseStudy::PUBLISHED_AT),
        Index::named("organisation").asc(CaseStudy::ORGANISATION),
    ]
);

impl CaseStudy {
    pub const STATE: Field<Self, State> = Field::new("state");
    pub const AUTHOR: Field<Self, Id<Member>> = Field::new("author");
    pub const ORGANISATION: Field<Self, Option<Id<Organisation>>> = Field::new("organisation");
    /// Null only in what was never published, which no list by this field shows.
    pub const PUBLISHED_AT: Field<Self, Timestamp> = Field::new("publishedAt");

    /// What every member sees.
    #[must_use]
    pub fn published() -> Filter<Self> {
        Self::STATE.eq(State::Published)
    }

    /// The summary's beginning, on one line; nothing in a draft without one.
    #[must_use]
    pub fn summary(&self) -> &str {
        self.content.summary.as_ref().map_or("", |text| &text.summary)
    }

    /// Its tags, and whether they count.
    #[must_use]
    pub fn carried(&self) -> Carried {
        let tags = self.content.tags.iter().map(|tag| tag.id.clone()).collect();
        Carried { tags, counts: self.state == State::Published }
    }

    /// The author and the co-authors.
    pub fn authors(&self) -> impl Iterator<Item = &Id<Member>> {
        std::iter::once(&self.author).chain(&self.co_authors)
    }

    #[must_use]
    pub fn is_author(&self, member: &Id<Member>) -> bool {
        self.authors().any(|author| author == member)
    }

    /// Whether `viewer` may change, publish or archive it: its authors, and moderators once others can
    /// see it. While it is hidden its authors may not, so that what moderators decide on is what was
    /// reported.
    #[must_use]
    pub fn can_edit(&self, viewer: &Member) -> bool {
        let own = self.is_author(&viewer.id) && self.state != State::Hidden;
        self.can_see(viewer) && (own || viewer.moderates())
    }

    /// Whether `viewer` may delete it, or say who edits it: whoever began it, and moderators once others
    /// can see it. A co-author can't put out the one who invited them.
    #[must_use]
    pub fn can_own(&self, viewer: &Member) -> bool {
        self.can_edit(viewer) && (self.author == viewer.id || viewer.moderates())
    }

    /// Takes its words away.
    pub fn delete(&mut self, removal: Removal) {
        self.empty();
        self.state = State::Deleted;
        self.removed = Some(removal);
    }

    fn empty(&mut self) {
        self.content = Content::default();
        self.attachments = Vec::new();
        self.revisions = 0;
    }

    pub fn hide(&mut self, removal: Removal) {
        self.state = State::Hidden;
        self.removed = Some(removal);
    }

    /// Makes it what it was before it was hidden.
    pub fn restore(&mut self) {
        if let Some(removal) = self.removed.take() {
            self.state = removal.before;
        }
    }

    /// The state at `now`. Out of date is nothing that happens to it: it follows from the review date
    /// and the day, so it is right at any moment.
    #[must_use]
    pub fn shown_state(&self, now: Timestamp) -> ShownState {
        let due = self.content.review_date.is_some_and(|date| date.starts() <= now);
        match self.state {
            State::Published if due => ShownState::MayBeOutOfDate,
            state => state.into(),
        }
    }
}

impl Seen for CaseStudy {
    fn sight(&self, viewer: &Member) -> Sight {
        let own = self.is_author(&viewer.id);
        if !own && !viewer.reaches_case_study(&self.id, &self.content.topics) {
            return Sight::Nothing;
        }
        // What was archived nobody else saw: taking it away does not bring it to anybody's notice.
        let was_seen = self.published_at.is_some()
            && self.removed.as_ref().is_none_or(|removal| removal.before != State::Archived);
        match self.state {
            State::Published => Sight::Whole,
            State::Draft if own => Sight::Whole,
            State::Archived | State::Hidden if own || viewer.moderates() => Sight::Whole,
            State::Hidden | State::Deleted if was_seen => Sight::Tombstone,
            State::Draft | State::Archived | State::Hidden | State::Deleted => Sight::Nothing,
        }
    }

    fn tombstone(&self) -> Self {
        let mut left = self.clone();
        left.empty();
        left.removed = self.removed.as_ref().map(Removal::told_to_all);
        left
    }
}

/// The content of a case study as one version had it. Kept, so that a save that comes too late can be
/// put beside what it was based on, and nobody's words are lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edition {
    /// Made of the case study's and the version's.
    #[serde(rename = "_id")]
    pub id: Id<Edition>,
    pub version: i64,
    pub case_study: Id<CaseStudy>,
    /// The version of the case study.
    pub edition: i64,
    pub content: Content,
    pub by: Id<Member>,
    pub at: Timestamp,
}

document!(
    Edition,
    "edn",
    "caseStudyEditions",
    [
        Index::named("case_study").asc(Edition::CASE_STUDY).desc(Edition::EDITION),
        Index::named("by").asc(Edition::BY).desc(Edition::AT),
    ]
);

impl Edition {
    pub const CASE_STUDY: Field<Self, Id<CaseStudy>> = Field::new("caseStudy");
    pub const EDITION: Field<Self, i64> = Field::new("edition");
    pub const BY: Field<Self, Id<Member>> = Field::new("by");
    pub const AT: Field<Self, Timestamp> = Field::new("at");

    #[must_use]
    pub fn id_of(case_study: &Id<CaseStudy>, version: i64) -> Id<Self> {
        let key = case_study.as_str().trim_start_matches(CaseStudy::PREFIX).trim_start_matches('_');
        Id::of(&format!("{key}-{version}"))
    }

    /// All of a case study.
    #[must_use]
    pub fn of_case_study(case_study: &Id<CaseStudy>) -> Filter<Self> {
        Self::CASE_STUDY.eq(case_study.clone())
    }

    /// What `case_study` says at its version.
    #[must_use]
    pub fn of(case_study: &CaseStudy) -> Self {
        Self {
            id: Self::id_of(&case_study.id, case_study.version),
            version: 1,
            case_study: case_study.id.clone(),
            edition: case_study.version,
            content: case_study.content.clone(),
            by: case_study.updated_by.clone(),
            at: case_study.updated_at,
        }
    }
}

/// The review date of something published today, unless its authors chose one.
#[must_use]
pub fn default_review_date(today: Date) -> Date {
    today.plus_months(limits::REVIEW_MONTHS)
}
