//! The roots of queries.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};

use super::{
    audit::AuditEntry,
    case_study::{CaseStudy, CaseStudyFilterInput},
    connection::{Connection, connect, connect_seen, fetch, fetch_sifted},
    context::Ask,
    contribution::Contribution,
    member::Viewer,
    moderation::moderator,
    node::{self, Node},
    payload::top,
    post::Post,
    report::Report,
    tag::Tag,
    topic::Topic,
};
use crate::{
    actions::{
        audit::{self, AuditFilter},
        case_study::{self as case_studies, CaseStudyOrder},
        contribution as contributions,
        feed::Taste,
        page::{MAX_SIZE, Wanted},
        pin as pins,
        post::{self as posts, PostFilter, PostOrder},
        report as reports, tag as tags, topic as topics,
    },
    clock::Timestamp,
    domain::{audit::AuditAction, post::PostKind, report::ReportState, taxonomy::Taxonomy},
    error::{Code, Error},
    ids::{Id, Identified},
    limits::Allowance,
};

/// Which contributions the feed shows.
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
pub enum FeedScope {
    /// Everybody's.
    #[default]
    Everything,
    /// What comes by and under the topics, tags, members and organisations that the viewer follows.
    Following,
    /// Questions that nobody but their author has said anything to.
    Unanswered,
}

/// Which posts; every part narrows.
#[derive(Clone, Default, InputObject)]
pub struct PostFilterInput {
    pub kind: Option<PostKind>,
    pub author_id: Option<ID>,
    pub organisation_id: Option<ID>,
    pub topic_id: Option<ID>,
    /// The id of a tag.
    pub tag: Option<ID>,
    /// Events that start later than this. With the order `SOONEST` and the present time: what comes next.
    pub starts_after: Option<Timestamp>,
}

pub struct Query;

#[Object]
impl Query {
    /// The signed-in member.
    async fn viewer(&self, ctx: &Context<'_>) -> Viewer {
        Viewer::of(ctx)
    }

    /// Anything that has an id; none when there is no such thing, or it is not for the viewer.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        node::find(ctx, &id).await
    }

    /// The things with these ids (at most 100), in this order.
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_SIZE {
            return Err(top(Error::Coded(
                Code::BadRequest,
                format!("Ask for at most {MAX_SIZE} ids at once."),
            )));
        }
        node::find_all(ctx, &ids).await
    }

    /// What members share, drafts excepted, and without what the viewer has muted (in `EVERYTHING` and
    /// `FOLLOWING`; `totalCount` counts it).
    #[expect(clippy::too_many_arguments, reason = "Relay's four, and what the feed shows")]
    async fn feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] scope: FeedScope,
        #[graphql(default)] order_by: PostOrder,
        #[graphql(desc = "Only those that are pinned, or only those that are not. Not with `UNANSWERED`.")]
        pinned: Option<bool>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Contribution>> {
        let oldest_first = match order_by {
            PostOrder::Newest => false,
            PostOrder::Oldest => true,
            PostOrder::Soonest => return Err(top(only_posts_are_soonest())),
        };
        let wanted = Wanted { first, last, after, before };
        match scope {
            FeedScope::Everything | FeedScope::Following => {
                let follows = scope == FeedScope::Following;
                let taste = Taste::of(ctx.app(), ctx.viewer(), follows).await.map_err(top)?;
                let board = match pinned {
                    None => None,
                    Some(wanted) => Some((wanted, pins::board(ctx.app(), ctx.viewer()).await.map_err(top)?)),
                };
                let pinned = board.as_ref().map(|(wanted, board)| (*wanted, board));
                let listing = if follows {
                    taste.following(oldest_first)
                } else {
                    contributions::published(ctx.viewer(), oldest_first, pinned)
                };
                let page = if taste.is_picky() {
                    let keep = |entries| taste.sift(ctx.app(), ctx.viewer(), entries);
                    fetch_sifted(ctx, listing, wanted, keep).await?
                } else {
                    fetch(ctx, listing, wanted).await?
                };
                let nodes = Contribution::of_entries(ctx, &page).await?;
                Ok(page.connection(ctx, nodes))
            }
            FeedScope::Unanswered => {
                let listing = posts::unanswered(ctx.viewer(), oldest_first);
                connect_seen(ctx, listing, wanted, |post| Contribution::Post(Post(post))).await
            }
        }
    }

    /// Published posts.
    #[expect(clippy::too_many_arguments, reason = "Relay's four, and which posts are meant")]
    async fn posts(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] filter: PostFilterInput,
        #[graphql(default)] order_by: PostOrder,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Post>> {
        let filter = PostFilter {
            kind: filter.kind,
            author: parse(filter.author_id),
            organisation: parse(filter.organisation_id),
            topic: parse(filter.topic_id),
            tag: parse(filter.tag),
            starts_after: filter.starts_after,
        };
        let listing = posts::published(ctx.viewer(), filter, order_by);
        connect_seen(ctx, listing, Wanted { first, last, after, before }, Post).await
    }

    /// Published case studies. Each filter is found by an index; of several, the narrowest leads.
    #[expect(clippy::too_many_arguments, reason = "Relay's four, and which case studies are meant")]
    async fn case_studies(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] filter: CaseStudyFilterInput,
        #[graphql(default)] order_by: CaseStudyOrder,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<CaseStudy>> {
        let listing = case_studies::published(ctx.viewer(), &filter.into(), order_by, ctx.app().clock.now());
        let page = fetch(ctx, listing, Wanted { first, last, after, before }).await?;
        let nodes = CaseStudy::of_entries(ctx, &page).await?;
        Ok(page.connection(ctx, nodes))
    }

    /// The lists that case studies choose from, topics apart.
    async fn taxonomy(&self) -> Result<Taxonomy> {
        Taxonomy::read().cloned().map_err(|error| top(Error::Fault(error)))
    }

    /// What this request cost, and what is left of the minute's points.
    async fn rate_limit(&self, ctx: &Context<'_>) -> RateLimit {
        let allowance: &Allowance = ctx.data_unchecked();
        RateLimit {
            limit: allowance.limit,
            cost: allowance.cost,
            remaining: allowance.remaining,
            reset_at: allowance.reset_at,
        }
    }

    /// What contributions can be about, by name.
    async fn topics(&self, ctx: &Context<'_>) -> Result<Vec<Topic>> {
        let topics = topics::all(ctx.app()).await.map_err(top)?;
        Ok(topics.into_iter().map(|topic| Topic(Arc::new(topic))).collect())
    }

    /// The tags of what is published, most used first; with `startsWith`, those that begin like that, in
    /// whatever case and spacing, by name.
    async fn tags(
        &self,
        ctx: &Context<'_>,
        starts_with: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Tag>> {
        let listing = tags::used(ctx.viewer(), starts_with.as_deref());
        connect(ctx, listing, Wanted { first, last, after, before }, Tag).await
    }

    /// What moderators want everybody to see first, latest pinned first; at most 3.
    async fn pinned(&self, ctx: &Context<'_>) -> Result<Vec<Contribution>> {
        let board = pins::board(ctx.app(), ctx.viewer()).await.map_err(top)?;
        let pinned = board.pinned.iter().map(|id| Contribution::visible(ctx, id));
        let pinned = futures_util::future::try_join_all(pinned).await?;
        Ok(pinned.into_iter().flatten().filter(Contribution::is_published).collect())
    }

    /// Reports for moderators, oldest first, with what they are about, hidden or not.
    async fn moderation_queue(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] state: ReportState,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Report>> {
        let listing = reports::queue(&moderator(ctx)?, state);
        connect(ctx, listing, Wanted { first, last, after, before }, Report).await
    }

    /// What moderators did, to what and why, latest first: for moderators.
    #[expect(clippy::too_many_arguments, reason = "Relay's four, and which acts are meant")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        actor_id: Option<ID>,
        subject_id: Option<ID>,
        action: Option<AuditAction>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<AuditEntry>> {
        let filter = AuditFilter { actor: parse(actor_id), subject: subject_id.map(|id| id.0), action };
        let listing = audit::log(&moderator(ctx)?, filter);
        connect(ctx, listing, Wanted { first, last, after, before }, AuditEntry).await
    }
}

fn only_posts_are_soonest() -> Error {
    let message = "The feed has no order by start. Ask for posts in the order SOONEST.";
    Error::Coded(Code::BadRequest, message.to_owned())
}

/// Points are nodes asked for, lists weighted by their size.
#[derive(SimpleObject)]
pub struct RateLimit {
    /// Points a minute.
    pub limit: u32,
    /// Points of this request.
    pub cost: u32,
    pub remaining: u32,
    /// When the points are full again.
    pub reset_at: Timestamp,
}

/// An id to filter by. One that can't exist filters everything out, as one that does not exist does.
pub fn parse<T: Identified>(id: Option<ID>) -> Option<Id<T>> {
    id.map(|id| Id::parse(&id).unwrap_or_else(|| Id::of("none")))
}
