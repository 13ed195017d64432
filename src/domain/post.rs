//! Posts: ideas, questions, updates and events.

use serde::{Deserialize, Serialize};

use super::{
    attachment::Attachment,
    comment::Comment,
    event::Event,
    member::Member,
    organisation::Organisation,
    reaction::{Reactable, ReactionCounts},
    sight::{Removal, Seen, Sight},
    tag::{Carried, Tag},
    text::{BODY_MAX, RichText, TITLE_MAX, Written, line},
    thread::Thread,
    topic::{MAX_PER_CONTRIBUTION, Topic},
};
use crate::{
    clock::Timestamp,
    document,
    error::{Code, Problem},
    ids::Id,
    query::{Field, Filter, Index},
    scalar_enum,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    #[serde(rename = "_id")]
    pub id: Id<Post>,
    pub version: i64,
    /// Counts edits, from 1; the version counts also what others do to it.
    pub edition: i64,
    pub kind: PostKind,
    pub state: PostState,
    pub title: String,
    pub body: RichText,
    pub author: Id<Member>,
    /// Where the author worked when they wrote it.
    pub organisation: Option<Id<Organisation>>,
    pub topics: Vec<Id<Topic>>,
    #[serde(default)]
    pub tags: Vec<Id<Tag>>,
    /// When and where an event is; none of another kind.
    #[serde(default)]
    pub event: Option<Event>,
    /// Members whose attention the text calls for.
    #[serde(default)]
    pub mentions: Vec<Id<Member>>,
    #[serde(default)]
    pub attachments: Vec<Id<Attachment>>,
    pub thread: Id<Thread>,
    /// The comment that answers a question, when its author or a moderator said so.
    #[serde(default)]
    pub accepted_answer: Option<Id<Comment>>,
    /// Whether anybody else has taken a question up.
    #[serde(default)]
    pub answered: bool,
    #[serde(default)]
    pub reactions: ReactionCounts,
    /// How many revisions are kept; none before the first edit of what is published.
    #[serde(default)]
    pub revisions: i64,
    pub created_at: Timestamp,
    /// When it was first published; a draft has none.
    pub published_at: Option<Timestamp>,
    pub updated_at: Timestamp,
    /// When and why it was hidden or deleted.
    #[serde(default)]
    pub removed: Option<Removal>,
}

document!(
    Post,
    "pst",
    "posts",
    [
        Index::named("newest").asc(Post::STATE).desc(Post::PUBLISHED_AT),
        Index::named("kind").asc(Post::STATE).asc(Post::KIND).desc(Post::PUBLISHED_AT),
        Index::named("unanswered")
            .asc(Post::STATE)
            .asc(Post::KIND)
            .asc(Post::ANSWERED)
            .desc(Post::PUBLISHED_AT),
        Index::named("soonest").asc(Post::STATE).asc(Post::KIND).asc(Post::STARTS_AT),
        Index::named("author").asc(Post::AUTHOR).asc(Post::STATE).desc(Post::PUBLISHED_AT),
        Index::named("organisation").asc(Post::ORGANISATION).asc(Post::STATE).desc(Post::PUBLISHED_AT),
        Index::named("topic").each(Post::TOPICS).asc(Post::STATE).desc(Post::PUBLISHED_AT),
        Index::named("tag").each(Post::TAGS).asc(Post::STATE).desc(Post::PUBLISHED_AT),
    ]
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "kebab-case")]
pub enum PostKind {
    /// Something that others could try.
    Idea,
    /// Something that somebody wants to know.
    Question,
    /// How something is going.
    Update,
    /// Something to come to.
    Event,
}
scalar_enum!(PostKind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PostState {
    /// Only its author sees it.
    Draft,
    /// Every member sees it.
    Published,
    /// Its author and moderators see it, others that there was something.
    Hidden,
    /// Its words are gone; who saw it sees that there was something.
    Deleted,
}
scalar_enum!(PostState);

/// What an author writes, checked all at once.
pub struct PostContent {
    pub title: String,
    pub body: RichText,
    pub topics: Vec<Id<Topic>>,
}

impl PostContent {
    /// A draft needs only a title; what is to be published must be `complete`.
    ///
    /// # Errors
    /// Every problem, not only the first, so that the author mends them in one go.
    pub fn parse<'a>(
        title: impl Into<Written<'a>>,
        body: impl Into<Written<'a>>,
        topics: Vec<Id<Topic>>,
        complete: bool,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |problem| problems.push(problem);
        let title = line("title", title, TITLE_MAX).map_err(&mut keep).ok();
        let body = match RichText::parse("body", body, BODY_MAX) {
            Err(problem) if problem.code == Code::Required && !complete => Some(RichText::default()),
            body => body.map_err(&mut keep).ok(),
        };
        let topics = topics_of(topics, complete).map_err(&mut keep).ok();
        match (title, body, topics) {
            (Some(title), Some(body), Some(topics)) => Ok(Self { title, body, topics }),
            _ => Err(problems),
        }
    }
}

fn topics_of(mut topics: Vec<Id<Topic>>, complete: bool) -> Result<Vec<Id<Topic>>, Problem> {
    let mut seen = std::collections::HashSet::new();
    topics.retain(|topic| seen.insert(topic.clone()));
    match topics.len() {
        0 if complete => Err(Problem::new("topicIds", Code::Required, "Choose at least one topic.")),
        count if count > MAX_PER_CONTRIBUTION => {
            let message = format!("Choose at most {MAX_PER_CONTRIBUTION} topics. There are {count}.");
            Err(Problem::new("topicIds", Code::TooMany, message))
        }
        _ => Ok(topics),
    }
}

impl Reactable for Post {}

impl Post {
    pub const STATE: Field<Self, PostState> = Field::new("state");
    pub const KIND: Field<Self, PostKind> = Field::new("kind");
    pub const AUTHOR: Field<Self, Id<Member>> = Field::new("author");
    pub const ORGANISATION: Field<Self, Option<Id<Organisation>>> = Field::new("organisation");
    pub const TOPICS: Field<Self, Vec<Id<Topic>>> = Field::new("topics");
    pub const TAGS: Field<Self, Vec<Id<Tag>>> = Field::new("tags");
    pub const STARTS_AT: Field<Self, Option<Timestamp>> = Field::new("event.startsAt");
    /// Null only in drafts, which no list by this field shows.
    pub const PUBLISHED_AT: Field<Self, Timestamp> = Field::new("publishedAt");
    pub const UPDATED_AT: Field<Self, Timestamp> = Field::new("updatedAt");
    pub const ANSWERED: Field<Self, bool> = Field::new("answered");
    pub const ACCEPTED_ANSWER: Field<Self, Option<Id<Comment>>> = Field::new("acceptedAnswer");

    /// What every member sees.
    #[must_use]
    pub fn published() -> Filter<Self> {
        Self::STATE.eq(PostState::Published)
    }

    /// What a partner was invited to, of the posts that every member sees; none: all of them.
    #[must_use]
    pub fn within(viewer: &Member) -> Option<Filter<Self>> {
        viewer.scope().map(|scope| Self::TOPICS.contains_any(scope.topics.iter().cloned()))
    }

    /// Questions that nobody but their author has said anything to.
    #[must_use]
    pub fn unanswered() -> Filter<Self> {
        Self::published().and(Self::KIND.eq(PostKind::Question)).and(Self::ANSWERED.eq(false))
    }

    /// What every member can come to.
    #[must_use]
    pub fn events() -> Filter<Self> {
        Self::published().and(Self::KIND.eq(PostKind::Event))
    }

    /// Its tags, and whether they count.
    #[must_use]
    pub fn carried(&self) -> Carried {
        Carried { tags: self.tags.clone(), counts: self.state == PostState::Published }
    }

    /// Whether `viewer` may say which comment answers it.
    #[must_use]
    pub fn can_accept(&self, viewer: &Member) -> bool {
        self.kind == PostKind::Question && self.state == PostState::Published && self.can_edit(viewer)
    }

    /// Whether `viewer` may change it: its author, and moderators once others can see it. While it is
    /// hidden its author may not, so that what moderators decide on is what was reported.
    #[must_use]
    pub fn can_edit(&self, viewer: &Member) -> bool {
        let own = self.author == viewer.id && self.state != PostState::Hidden;
        self.can_see(viewer) && (own || viewer.moderates())
    }

    /// Takes its words away, and what others made of them.
    fn empty(&mut self) {
        self.title = String::new();
        self.body = RichText::default();
        self.topics = Vec::new();
        self.tags = Vec::new();
        self.event = None;
        self.attachments = Vec::new();
        self.mentions = Vec::new();
        self.accepted_answer = None;
        self.reactions = ReactionCounts::default();
        self.revisions = 0;
    }

    pub fn delete(&mut self, removal: Removal) {
        self.empty();
        self.state = PostState::Deleted;
        self.removed = Some(removal);
    }

    pub fn hide(&mut self, removal: Removal) {
        self.state = PostState::Hidden;
        self.removed = Some(removal);
    }

    /// Makes it what it was before it was hidden.
    pub fn restore(&mut self) {
        self.state = PostState::Published;
        self.removed = None;
    }
}

impl Seen for Post {
    fn sight(&self, viewer: &Member) -> Sight {
        let own = self.author == viewer.id;
        if !own && !viewer.reaches(&self.topics) {
            return Sight::Nothing;
        }
        match self.state {
            PostState::Published => Sight::Whole,
            PostState::Draft if own => Sight::Whole,
            PostState::Hidden if own || viewer.moderates() => Sight::Whole,
            PostState::Hidden => Sight::Tombstone,
            PostState::Deleted if self.published_at.is_some() => Sight::Tombstone,
            PostState::Draft | PostState::Deleted => Sight::Nothing,
        }
    }

    fn tombstone(&self) -> Self {
        let mut left = self.clone();
        left.empty();
        left.removed = self.removed.as_ref().map(Removal::told_to_all);
        left
    }
}
