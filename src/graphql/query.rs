//! The roots of queries.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};

use super::{
    access_token::AccessToken,
    audit::AuditEntry,
    case_study::{CaseStudy, CaseStudyFilterInput},
    connection::{Connection, connect, connect_seen, fetch, fetch_sifted},
    context::Ask,
    contribution::Contribution,
    digest::{Digest, DigestPreview, EditorsNote},
    erasure::Erasure,
    invitation::Invitation,
    legal_hold::LegalHold,
    member::{Member, Viewer},
    moderation::{member_id as member_id_of, moderator},
    node::{self, Node},
    organisation::{Organisation, OrganisationFilterInput, administrator},
    payload::top,
    peer::MemberFilterInput,
    post::Post,
    report::Report,
    service_account::ServiceAccount,
    standing::{Applicant, Rules},
    suppression::Suppression,
    tag::Tag,
    topic::Topic,
};
use crate::{
    actions::{
        access_token as access_tokens,
        audit::{self, AuditFilter},
        case_study::{self as case_studies, CaseStudyOrder},
        contribution as contributions,
        digest::log as digest_log,
        erasure as erasures,
        feed::Taste,
        invitation as invitations, legal_hold as legal_holds, mailbox as mailboxes,
        organisation as organisations,
        page::{MAX_SIZE, Wanted},
        peer as peers, pin as pins,
        post::{self as posts, PostFilter, PostOrder},
        report as reports, service_account as service_accounts, standing, tag as tags, topic as topics,
    },
    clock::Timestamp,
    domain::{
        audit::AuditAction, digest::DigestState, post::PostKind, report::ReportState, taxonomy::Taxonomy,
    },
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
                    taste.following(ctx.viewer(), oldest_first)
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

    /// The directory: organisations by name. With `nameStartsWith`, those of which a name begins like that,
    /// in whatever case: today's, a former one, or another by which they are known.
    async fn organisations(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] filter: OrganisationFilterInput,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Organisation>> {
        let listing = organisations::directory(ctx.viewer(), &filter.into());
        let page = fetch(ctx, listing, Wanted { first, last, after, before }).await?;
        let nodes = Organisation::of_entries(ctx, page.documents()).await?;
        Ok(page.connection(ctx, nodes))
    }

    /// Open organisations like one, or like the viewer's own: of its type in its integrated care board, then
    /// in its region, then anywhere; then of any type in its board. Each by name.
    async fn similar_organisations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The viewer's own, if it is left out.")] organisation_id: Option<ID>,
        #[graphql(default = 10, desc = "At most so many, from 1 to 20.")] limit: i32,
    ) -> Result<Vec<Organisation>> {
        match parse(organisation_id).or_else(|| ctx.viewer().organisation.clone()) {
            Some(id) => Organisation::similar(ctx, &id, limit).await,
            None => Ok(Vec::new()),
        }
    }

    /// Members by name, without those who are suspended. Each filter is found by an index; of several, the
    /// narrowest leads. Nobody is found by what they don't show to all members.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] filter: MemberFilterInput,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Member>> {
        let listing = peers::members(ctx.viewer(), &filter.into(), ctx.app().clock.now());
        connect(ctx, listing, Wanted { first, last, after, before }, Member).await
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

    /// What everybody reads and accepts (`acceptRules`) before they take part.
    async fn rules(&self, ctx: &Context<'_>) -> Rules {
        Rules::of(ctx.app())
    }

    /// Those who asked to join and await a moderator's approval, who has waited longest first: for
    /// moderators.
    async fn members_awaiting_approval(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Applicant>> {
        let listing = standing::awaiting(&moderator(ctx)?);
        connect(ctx, listing, Wanted { first, last, after, before }, Applicant).await
    }

    /// Invitations of lived experience partners, latest first: for moderators.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Invitation>> {
        let listing = invitations::all(&moderator(ctx)?);
        connect(ctx, listing, Wanted { first, last, after, before }, Invitation).await
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

    /// The digest that a member, or the viewer, would get if it were due now; none when there is nothing
    /// to say: for administrators.
    #[graphql(complexity = 100)]
    async fn digest_preview(
        &self,
        ctx: &Context<'_>,
        member_id: Option<ID>,
    ) -> Result<Option<DigestPreview>> {
        administrator(ctx)?;
        let id = member_id.as_ref().map(member_id_of).transpose()?;
        let member = Member::load(ctx, id.as_ref().unwrap_or(&ctx.viewer().id)).await?;
        DigestPreview::load(ctx, &member.0).await
    }

    /// What digests were sent and what became of them, the latest first: for administrators.
    #[expect(clippy::too_many_arguments, reason = "Relay's four, and which digests are meant")]
    async fn digests(
        &self,
        ctx: &Context<'_>,
        member_id: Option<ID>,
        state: Option<DigestState>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Digest>> {
        let member = member_id.as_ref().map(member_id_of).transpose()?;
        let listing = digest_log::all(&administrator(ctx)?, member.as_ref(), state);
        connect(ctx, listing, Wanted { first, last, after, before }, Digest).await
    }

    /// Members from whose mailboxes mail comes back, the latest first: for administrators.
    async fn suppressions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Suppression>> {
        let listing = mailboxes::suppressed(&administrator(ctx)?);
        connect(ctx, listing, Wanted { first, last, after, before }, Suppression).await
    }

    /// What moderators say in the digests of the 8 weeks before and after this one, the latest week
    /// first: for moderators.
    async fn editors_notes(&self, ctx: &Context<'_>) -> Result<Vec<EditorsNote>> {
        EditorsNote::around_now(ctx).await
    }

    /// Accounts that were erased or are to be, latest asked for first: for moderators.
    async fn erasures(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Erasure>> {
        connect(ctx, erasures::all(&moderator(ctx)?), Wanted { first, last, after, before }, Erasure).await
    }

    /// Members of whom nothing may be erased, latest set first: for moderators.
    async fn legal_holds(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<LegalHold>> {
        connect(ctx, legal_holds::all(&moderator(ctx)?), Wanted { first, last, after, before }, LegalHold)
            .await
    }

    /// Service accounts, by who answers for them: all for administrators, for others those that they answer
    /// for.
    async fn service_accounts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<ServiceAccount>> {
        let listing = service_accounts::all(ctx.viewer());
        connect(ctx, listing, Wanted { first, last, after, before }, ServiceAccount).await
    }

    /// The tokens of a service account, for who answers for it, latest first; for administrators those of
    /// any member.
    async fn access_tokens(
        &self,
        ctx: &Context<'_>,
        member_id: ID,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<AccessToken>> {
        let member = Id::parse(&member_id).unwrap_or_else(|| Id::of("none"));
        let listing = access_tokens::of(ctx.viewer(), &member);
        connect(ctx, listing, Wanted { first, last, after, before }, AccessToken).await
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
