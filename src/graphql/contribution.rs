//! What posts and case studies have in common.

use async_graphql::{Context, ID, Interface, Object, Result};

use super::{
    attachment::Attachment,
    case_study::CaseStudy,
    connection::{Connection, Fetched},
    context::Ask,
    member::Member,
    organisation::Organisation,
    payload::top,
    post::Post,
    reaction::Reaction,
    revision::Revision,
    tag::Tag,
    thread::Thread,
    topic::Topic,
};
use crate::{
    clock::Timestamp,
    domain::{
        self,
        contribution::{ContributionId, ShownState, State},
        entry::Entry,
        post::PostState,
        sight::{Removal, Seen},
    },
    ids::Id,
};

/// Something that a member shares.
#[expect(clippy::duplicated_attributes, reason = "fields of the interface may have the same type")]
#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "url", ty = "String", desc = "Where people read it."),
    field(name = "title", ty = "&str"),
    field(
        name = "summary",
        ty = "&str",
        desc = "The beginning of the text or summary, on one line of at most 240 characters."
    ),
    field(name = "author", ty = "Member"),
    field(
        name = "organisation",
        ty = "Option<Organisation>",
        desc = "Where the author worked when they wrote it."
    ),
    field(name = "topics", ty = "Vec<Topic>"),
    field(name = "tags", ty = "Vec<Tag>", desc = "Words that its authors chose freely."),
    field(name = "state", ty = "ShownState"),
    field(name = "attachments", ty = "Vec<Attachment>", desc = "Files that belong to it, in its order."),
    field(name = "thread", ty = "Thread", desc = "The discussion under it."),
    field(name = "reactions", ty = "Vec<Reaction>", desc = "How often members reacted, a kind each."),
    field(name = "bookmarked", ty = "bool", desc = "Whether the viewer wants to find it again."),
    field(name = "created_at", ty = "Timestamp"),
    field(
        name = "published_at",
        ty = "Option<Timestamp>",
        desc = "When it was first published; a draft has none."
    ),
    field(name = "updated_at", ty = "Timestamp"),
    field(name = "version", ty = "i64", desc = "What `expectedVersion` is compared with."),
    field(
        name = "revisions",
        ty = "Connection<Revision>",
        desc = "What it said before and after each edit, latest first; none when it was never edited since it was published.",
        arg(name = "first", ty = "Option<i32>"),
        arg(name = "after", ty = "Option<String>"),
        arg(name = "last", ty = "Option<i32>"),
        arg(name = "before", ty = "Option<String>")
    ),
    field(name = "pinned", ty = "bool", desc = "Among the few that moderators want everybody to see first."),
    field(
        name = "tombstone",
        ty = "Option<String>",
        desc = "What stands in its place when it was hidden or deleted: a sentence for a person."
    ),
    field(
        name = "hidden_because",
        ty = "Option<&str>",
        desc = "Why it is hidden: for its authors and moderators."
    ),
    field(name = "viewer_can_edit", ty = "bool"),
    field(
        name = "viewer_can_moderate",
        ty = "bool",
        desc = "Whether moderators' acts on it are open to the viewer."
    )
)]
pub enum Contribution {
    Post(Post),
    CaseStudy(CaseStudy),
}

impl Contribution {
    pub fn as_title(&self) -> &str {
        match self {
            Self::Post(post) => &post.0.title,
            Self::CaseStudy(case_study) => &case_study.0.content.title,
        }
    }

    /// The contribution as the viewer sees it, when they do: perhaps a tombstone.
    pub async fn visible(ctx: &Context<'_>, id: &ContributionId) -> Result<Option<Self>> {
        Ok(match id {
            ContributionId::Post(id) => Post::visible(ctx, id).await?.map(Self::Post),
            ContributionId::CaseStudy(id) => CaseStudy::visible(ctx, id).await?.map(Self::CaseStudy),
        })
    }

    /// Whether the viewer reads it: a tombstone is only seen.
    pub fn is_readable(&self, ctx: &Context<'_>) -> bool {
        match self {
            Self::Post(post) => post.0.can_see(ctx.viewer()),
            Self::CaseStudy(case_study) => case_study.0.can_see(ctx.viewer()),
        }
    }

    #[must_use]
    pub fn is_published(&self) -> bool {
        match self {
            Self::Post(post) => post.0.state == PostState::Published,
            Self::CaseStudy(case_study) => case_study.0.state == State::Published,
        }
    }

    /// What the entries of a page are of, loaded together. One that went a moment ago is left out.
    pub async fn of_entries(ctx: &Context<'_>, page: &Fetched<Entry>) -> Result<Vec<Option<Self>>> {
        ctx.loaders().know_entries(page.documents());
        let found = page.documents().iter().map(|entry| Self::visible(ctx, &entry.contribution));
        futures_util::future::try_join_all(found).await
    }
}

/// Whether a contribution is among those that are pinned.
pub async fn is_pinned(ctx: &Context<'_>, id: &ContributionId) -> Result<bool> {
    let board = ctx.loaders().board().await.map_err(top)?;
    Ok(board.is_some_and(|board| board.pinned.contains(id)))
}

/// Why something is hidden. Tombstones have no reasons.
pub fn hidden_because(removed: Option<&Removal>) -> Option<&str> {
    removed.filter(|removal| removal.is_hidden()).and_then(|removal| removal.reason.as_deref())
}

/// Text in three forms.
pub struct RichText(domain::text::RichText);

/// Text in three forms.
#[Object]
impl RichText {
    /// As it was typed.
    async fn markdown(&self) -> &str {
        &self.0.markdown
    }

    /// Sanitised: it can be put into a page as it is.
    async fn html(&self) -> &str {
        &self.0.html
    }

    /// Without markup.
    async fn text(&self) -> String {
        self.0.text()
    }
}

impl From<&domain::text::RichText> for RichText {
    fn from(text: &domain::text::RichText) -> Self {
        Self(text.clone())
    }
}

/// The topics of a contribution, in its order.
pub async fn topics_of(ctx: &Context<'_>, ids: &[Id<domain::topic::Topic>]) -> Result<Vec<Topic>> {
    let topics = ids.iter().map(|id| ctx.loaders().topic(id));
    let topics = futures_util::future::try_join_all(topics).await.map_err(top)?;
    Ok(topics.into_iter().flatten().map(Topic).collect())
}
