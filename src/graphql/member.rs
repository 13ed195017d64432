//! Members, and the viewer among them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::{
    connection::{Connection, fetch},
    context::Ask,
    contribution::Contribution,
    organisation::Organisation,
    payload::top,
};
use crate::{
    actions::{access::Moderator, contribution as contributions, page::Wanted},
    clock::Timestamp,
    domain::member::{self as domain, DigestFrequency, Role},
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
