//! Members, and the viewer among them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::{
    access_token::AccessToken,
    attachment::Attachment,
    bookmark::Bookmark,
    connection::{Connection, connect, fetch},
    context::Ask,
    contribution::Contribution,
    data_export::DataExport,
    digest::{Digest, DigestPreferences, DigestPreview},
    erasure::ViewerErasure,
    follow::{Follow, stance},
    identity::Identity,
    invitation::PartnerScope,
    notification::Notification,
    organisation::Organisation,
    payload::top,
    profile::{Experience, Profile},
    second_factor::SecondFactors,
    session::{self, Session},
    standing::Rules,
    topic::Topic,
};
use crate::{
    actions::{
        access::Moderator, access_token, bookmark, contribution as contributions, data_export,
        digest::log as digest_log, follow, notification, page::Wanted,
    },
    clock::Timestamp,
    domain::{
        follow::{Stance, Target},
        member::{self as domain, Role},
        notification::NotificationPreferences,
        profile::Phone,
        sight::Seen,
        standing::MemberState,
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

    /// As far as they show it to the viewer.
    async fn job_title(&self, ctx: &Context<'_>) -> Option<&str> {
        let shown = self.0.shows(self.0.profile.shown.job_title, ctx.viewer());
        self.0.job_title.as_deref().filter(|_| shown)
    }

    /// As far as they show them to the viewer.
    async fn pronouns(&self, ctx: &Context<'_>) -> Option<&str> {
        let shown = self.0.shows(self.0.profile.shown.pronouns, ctx.viewer());
        self.0.profile.pronouns.as_deref().filter(|_| shown)
    }

    /// A square of 512 pixels at most, as far as they show it to the viewer.
    async fn photo(&self, ctx: &Context<'_>) -> Result<Option<Attachment>> {
        Attachment::photo(ctx, self.0.photo_for(ctx.viewer())).await
    }

    /// As far as they show it to the viewer.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        ctx.viewer().admit_to("members").map_err(top)?;
        let shown = self.0.shows(self.0.profile.shown.email, ctx.viewer());
        Ok(shown.then(|| self.0.email.as_str()))
    }

    /// As far as they show it to the viewer.
    async fn phone(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        ctx.viewer().admit_to("members").map_err(top)?;
        let shown = self.0.shows(self.0.profile.shown.phone, ctx.viewer());
        Ok(self.0.profile.phone.as_ref().filter(|_| shown).map(Phone::as_str))
    }

    /// Topics that they are interested in, as far as they show them to the viewer.
    async fn interests(&self, ctx: &Context<'_>) -> Result<Vec<Topic>> {
        let shown = self.0.shows(self.0.profile.shown.interests, ctx.viewer());
        if shown { Topic::load_all(ctx, &self.0.profile.interests).await } else { Ok(Vec::new()) }
    }

    /// What they have experience of, as far as they show it to the viewer.
    async fn experience(&self, ctx: &Context<'_>) -> Result<Option<Experience>> {
        let shown = self.0.shows(self.0.profile.shown.experience, ctx.viewer());
        if shown { Experience::of(ctx, &self.0.profile).await.map(Some) } else { Ok(None) }
    }

    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.0.organisation.as_ref()).await
    }

    async fn role(&self) -> Role {
        self.0.role
    }

    /// Who invited them: of lived experience partners, who take part as the team's guests.
    async fn sponsor(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match self.0.standing.sponsor.as_ref().filter(|_| self.0.role == Role::Partner) {
            Some(sponsor) => Ok(ctx.loaders().member(sponsor).await.map_err(top)?.map(Self)),
            None => Ok(None),
        }
    }

    /// Whether it is a program, for which somebody answers, and no person.
    async fn is_service_account(&self) -> bool {
        self.0.owner.is_some()
    }

    /// Whether the account was erased, so that there is nobody behind it any more.
    async fn is_former(&self) -> bool {
        self.0.is_former()
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

    /// The member, when there is one and the viewer may see that.
    pub async fn visible(ctx: &Context<'_>, id: &Id<domain::Member>) -> Result<Option<Self>> {
        let member = ctx.loaders().member(id).await.map_err(top)?;
        Ok(member.filter(|member| member.can_see(ctx.viewer())).map(Self))
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

    /// Whether they take part yet. Until then they can do no more than see that, and accept the rules.
    async fn state(&self) -> MemberState {
        self.0.standing.state
    }

    /// The rules that they have to read and accept before they take part; none when they have.
    async fn rules_to_accept(&self, ctx: &Context<'_>) -> Option<Rules> {
        let rules = Rules::of(ctx.app());
        (!self.0.standing.has_accepted(&rules.version)).then_some(rules)
    }

    /// Before then they have to sign in with a code or link again, to show that they still read their
    /// address's mail.
    async fn verify_before(&self) -> Option<Timestamp> {
        self.0.standing.verified_until
    }

    /// What a lived experience partner was invited to; none for who may see everything.
    async fn scope(&self) -> Option<PartnerScope> {
        self.0.scope().cloned().map(PartnerScope)
    }

    /// When a lived experience partner's access ends.
    async fn access_ends_at(&self) -> Option<Timestamp> {
        self.0.standing.access_ends_at.filter(|_| self.0.role == Role::Partner)
    }

    /// What the member tells of themself, and to whom.
    async fn profile(&self) -> Profile {
        Profile(Arc::clone(&self.0))
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

    /// What the member shows beside the code from their e-mail.
    async fn second_factors(&self, ctx: &Context<'_>) -> Result<SecondFactors> {
        SecondFactors::of_viewer(ctx).await
    }

    /// Accounts elsewhere that the member signs in with, one a provider.
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<Identity>> {
        Identity::of_viewer(ctx).await
    }

    /// The member's tokens for programs, latest first, until 30 days after their end.
    async fn access_tokens(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<AccessToken>> {
        let wanted = Wanted { first, last, after, before };
        connect(ctx, access_token::own(ctx.viewer()), wanted, AccessToken).await
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

    /// The browsers and programs that are signed in as the member, last signed in first.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Session>> {
        session::of_viewer(ctx, Wanted { first, last, after, before }).await
    }

    /// What the member asked to be given of all that the exchange holds of them, latest first.
    async fn data_exports(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<DataExport>> {
        let wanted = Wanted { first, last, after, before };
        connect(ctx, data_export::all(ctx.viewer()), wanted, DataExport).await
    }

    /// That the account is to be erased, if it is.
    async fn erasure(&self, ctx: &Context<'_>) -> Result<Option<ViewerErasure>> {
        ViewerErasure::of(ctx).await
    }

    /// Notifications that the member has not read; 100 means more than 99.
    async fn unread_count(&self, ctx: &Context<'_>) -> Result<i64> {
        notification::unread_count(ctx.app(), ctx.viewer()).await.map_err(top)
    }

    /// How the member wants to be told of each kind of thing.
    async fn notification_preferences(&self) -> NotificationPreferences {
        self.0.notifications
    }

    /// When the digest arrives.
    async fn digest_preferences(&self) -> DigestPreferences {
        DigestPreferences::of(&self.0)
    }

    /// The digest that the member would get if it were due now; none when there is nothing to say.
    #[graphql(complexity = 100)]
    async fn digest_preview(&self, ctx: &Context<'_>) -> Result<Option<DigestPreview>> {
        DigestPreview::load(ctx, &self.0).await
    }

    /// The member's digests, the latest first.
    async fn digests(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Digest>> {
        let wanted = Wanted { first, last, after, before };
        connect(ctx, digest_log::own(ctx.viewer()), wanted, Digest).await
    }
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
