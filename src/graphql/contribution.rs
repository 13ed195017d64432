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
    thread::Thread,
    topic::Topic,
};
use crate::{
    clock::Timestamp,
    domain::{
        self,
        contribution::{ContributionId, ShownState},
        entry::Entry,
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
    field(name = "state", ty = "ShownState"),
    field(name = "attachments", ty = "Vec<Attachment>", desc = "Files that belong to it, in its order."),
    field(name = "thread", ty = "Thread", desc = "The discussion under it."),
    field(name = "reactions", ty = "Vec<Reaction>", desc = "How often members reacted, a kind each."),
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
    field(name = "viewer_can_edit", ty = "bool")
)]
pub enum Contribution {
    Post(Post),
    CaseStudy(CaseStudy),
}

impl Contribution {
    /// The contribution, when there is one and the viewer may see it.
    pub async fn visible(ctx: &Context<'_>, id: &ContributionId) -> Result<Option<Self>> {
        Ok(match id {
            ContributionId::Post(id) => Post::visible(ctx, id).await?.map(Self::Post),
            ContributionId::CaseStudy(id) => CaseStudy::visible(ctx, id).await?.map(Self::CaseStudy),
        })
    }

    /// What the entries of a page are of, loaded together. One that went a moment ago is left out.
    pub async fn of_entries(ctx: &Context<'_>, page: &Fetched<Entry>) -> Result<Vec<Option<Self>>> {
        ctx.loaders().know_entries(page.documents());
        let found = page.documents().iter().map(|entry| Self::visible(ctx, &entry.contribution));
        futures_util::future::try_join_all(found).await
    }
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
