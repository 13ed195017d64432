//! Members, and the viewer among them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::{
    bookmark::Bookmark,
    connection::{Connection, connect, fetch},
    context::Ask,
    contribution::Contribution,
    follow::{Follow, stance},
    notification::Notification,
    organisation::Organisation,
    payload::top,
};
use crate::{
    actions::{
        access::Moderator, bookmark, contribution as contributions, follow, notification, page::Wanted,
    },
    clock::Timestamp,
    domain::{
        follow::{Stance, Target},
        member::{self as domain, DigestFrequency, Role},
        notification::NotificationPreferences,
    },
    error::not_found,
    ids::Id,
};

/// A person who takes part in the network.
#[derive(Clone)]
pub struct Member(pub Arc<domain::Member>);

/// A person who takes part in the network.
#[Object]
impl Member {
    pub async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn job_title(&self) -> Option<&str> {
        self.0.job_title.as_deref()
    }

    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.0.organisation.as_ref()).await
    }

    async fn role(&self) -> Role {
        self.0.role
    }

    /// When they joined.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// Whether the viewer hears of what is new here, and finds it in the feed `FOLLOWING`.
    async fn viewer_following(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Member(self.0.id.clone())).await? == Stance::Following)
    }

    /// Whether the viewer hears nothing of it but mentions, and does not find it in the feed.
    async fn viewer_muted(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(stance(ctx, Target::Member(self.0.id.clone())).await? == Stance::Muted)
    }

    /// Why they may not use the exchange, and until when: for moderators alone.
    async fn suspended(&self, ctx: &Context<'_>) -> Option<Suspension> {
        let moderator = Moderator::of(ctx.viewer()).ok()?;
        suspension(&moderator, &self.0, ctx.app().clock.now())
    }
}

/// Why a member may not use the exchange.
#[derive(SimpleObject)]
pub struct Suspension {
    /// None: until a moderator reinstates them.
    pub until: Option<Timestamp>,
    pub reason: String,
    pub at: Timestamp,
}

fn suspension(_moderator: &Moderator, member: &domain::Member, now: Timestamp) -> Option<Suspension> {
    let suspension = member.suspended(now)?;
    let (until, reason, at) = (suspension.until, suspension.reason.clone(), suspension.at);
    Some(Suspension { until, reason, at })
}

impl Member {
    /// Somebody whom something visible refers to.
    pub async fn load(ctx: &Context<'_>, id: &Id<domain::Member>) -> Result<Self> {
        let member = ctx.loaders().member(id).await.map_err(top)?;
        member.map(Self).ok_or_else(|| top(not_found("member")))
    }

    /// Those of them who are there.
    pub async fn load_all(ctx: &Context<'_>, ids: &[Id<domain::Member>]) -> Result<Vec<Self>> {
        let members = ids.iter().map(|id| ctx.loaders().member(id));
        let members = futures_util::future::try_join_all(members).await.map_err(top)?;
        Ok(members.into_iter().flatten().map(Self).collect())
    }
}

/// The signed-in member, with what only they see.
pub struct Viewer(pub Arc<domain::Member>);

impl Viewer {
    /// As they were when the request came.
    pub fn of(ctx: &Context<'_>) -> Self {
        Self(Arc::new((**ctx.viewer()).clone()))
    }
}

/// The signed-in member, with what only they see.
#[Object]
impl Viewer {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    async fn role(&self) -> Role {
        self.0.role
    }

    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.0.organisation.as_ref()).await
    }

    /// As others see them.
    async fn member(&self) -> Member {
        Member(Arc::clone(&self.0))
    }

    /// Posts and case studies that are not published yet and that the member may edit, last changed
    /// first.
    async fn drafts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Contribution>> {
        let wanted = Wanted { first, last, after, before };
        let page = fetch(ctx, contributions::drafts(ctx.viewer()), wanted).await?;
        let nodes = Contribution::of_entries(ctx, &page).await?;
        Ok(page.connection(ctx, nodes))
    }

    /// The topics, tags, members, organisations and threads that the member follows, latest first.
    async fn following(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Follow>> {
        let wanted = Wanted { first, last, after, before };
        connect(ctx, follow::following(ctx.viewer()), wanted, Follow).await
    }

    /// The topics, tags, members, organisations and threads that the member has muted, latest first.
    async fn muted(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Follow>> {
        connect(ctx, follow::muted(ctx.viewer()), Wanted { first, last, after, before }, Follow).await
    }

    /// What the member wants to find again, latest first. What can no longer be seen is left out.
    async fn bookmarks(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Bookmark>> {
        let wanted = Wanted { first, last, after, before };
        let page = fetch(ctx, bookmark::all(ctx.viewer()), wanted).await?;
        let nodes = Bookmark::visible(ctx, page.documents()).await?;
        Ok(page.connection(ctx, nodes))
    }

    /// What happened and concerns the member, last happened first.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(default)] unread_only: bool,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Notification>> {
        let viewer = ctx.viewer();
        let listing = if unread_only { notification::unread(viewer) } else { notification::all(viewer) };
        connect(ctx, listing, Wanted { first, last, after, before }, Notification).await
    }

    /// Notifications that the member has not read; 100 means more than 99.
    async fn unread_count(&self, ctx: &Context<'_>) -> Result<i64> {
        notification::unread_count(ctx.app(), ctx.viewer()).await.map_err(top)
    }

    /// How the member wants to be told of each kind of thing.
    async fn notification_preferences(&self) -> NotificationPreferences {
        self.0.notifications
    }

    async fn digest_preferences(&self) -> DigestPreferences {
        let digest = &self.0.digest;
        DigestPreferences {
            frequency: digest.frequency,
            weekday: Weekday::from(digest.weekday),
            time: format!("{:02}:{:02}", digest.minute / 60, digest.minute % 60),
            next_at: self.0.digest_due_at,
        }
    }
}

/// When the digest arrives.
#[derive(SimpleObject)]
pub struct DigestPreferences {
    pub frequency: DigestFrequency,
    pub weekday: Weekday,
    /// In London, for example 07:30.
    pub time: String,
    /// When the next one is planned; none when digests are off.
    pub next_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(remote = "chrono::Weekday")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}
