//! Notifications, and how members want to be told.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    comment::Comment,
    context::{Ask, request},
    contribution::Contribution,
    member::Member,
    payload::{payload, top},
    thread::Thread,
};
use crate::{
    actions::notification as action,
    clock::Timestamp,
    domain::{
        audit::AuditEntry,
        notification::{self as domain, Delivery, Kind, NotificationPreferences},
        sight::Seen,
    },
};

/// What happened and concerns the viewer. More of the same in the same thread adds to it until it is read.
pub struct Notification(pub Arc<domain::Notification>);

/// What happened and concerns the viewer. More of the same in the same thread adds to it until it is read.
#[Object]
impl Notification {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn kind(&self) -> Kind {
        self.0.kind
    }

    /// How often it happened.
    async fn count(&self) -> i64 {
        self.0.count
    }

    /// Who did it, at most 3, the latest first.
    async fn actors(&self, ctx: &Context<'_>) -> Result<Vec<Member>> {
        Member::load_all(ctx, &self.0.actors).await
    }

    /// What it is about; none when it can no longer be seen.
    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Contribution>> {
        match &self.0.subject {
            Some(subject) => {
                let subject = Contribution::visible(ctx, subject).await?;
                Ok(subject.filter(|subject| subject.is_readable(ctx)))
            }
            None => Ok(None),
        }
    }

    /// Why a moderator did it.
    async fn reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.act(ctx).await?.and_then(|act| act.reason.clone()))
    }

    /// The latest comment that it tells of; none when it is about the contribution itself, or the comment
    /// can no longer be read.
    async fn comment(&self, ctx: &Context<'_>) -> Result<Option<Comment>> {
        let Some(id) = &self.0.comment else { return Ok(None) };
        if self.subject(ctx).await?.is_none() {
            return Ok(None);
        }
        let comment = ctx.loaders().comment(id).await.map_err(top)?;
        Ok(comment.filter(|comment| comment.can_see(ctx.viewer())).map(Comment))
    }

    /// Where it happened; none when it can no longer be seen.
    async fn thread(&self, ctx: &Context<'_>) -> Result<Option<Thread>> {
        if self.subject(ctx).await?.is_none() {
            return Ok(None);
        }
        Ok(ctx.loaders().thread(&self.0.thread).await.map_err(top)?.map(Thread))
    }

    /// What it tells, in one sentence without a full stop.
    async fn text(&self, ctx: &Context<'_>) -> Result<String> {
        let subject = self.subject(ctx).await?;
        if let Some(act) = self.act(ctx).await? {
            return Ok(act.sentence(subject.as_ref().map(Contribution::as_title)));
        }
        let Some(subject) = subject else {
            return Ok("This is no longer there".to_owned());
        };
        let actors = self.actors(ctx).await?;
        let names: Vec<&str> = actors.iter().map(|member| member.0.name.as_str()).collect();
        Ok(self.0.sentence(&names, subject.as_title(), self.0.count))
    }

    /// When it first happened.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When it last happened.
    async fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }

    /// None until it is read: by `markRead` of it or of its thread.
    async fn read_at(&self) -> Option<Timestamp> {
        self.0.read_at
    }
}

impl Notification {
    /// What a moderator did.
    async fn act(&self, ctx: &Context<'_>) -> Result<Option<Arc<AuditEntry>>> {
        match &self.0.entry {
            Some(entry) => ctx.loaders().audit_entry(entry).await.map_err(top),
            None => Ok(None),
        }
    }
}

/// How to be told of each kind of thing; what is not given stays as it is.
#[derive(Clone, InputObject)]
pub struct UpdateNotificationPreferencesInput {
    pub moderated: Option<Delivery>,
    pub mentioned: Option<Delivery>,
    pub accepted: Option<Delivery>,
    pub replied: Option<Delivery>,
    pub answered: Option<Delivery>,
    pub adopted: Option<Delivery>,
    pub followed_new: Option<Delivery>,
    pub client_mutation_id: Option<String>,
}

impl UpdateNotificationPreferencesInput {
    fn changes(&self) -> Vec<(Kind, Delivery)> {
        let all = [
            (Kind::Moderated, self.moderated),
            (Kind::Mentioned, self.mentioned),
            (Kind::Accepted, self.accepted),
            (Kind::Replied, self.replied),
            (Kind::Answered, self.answered),
            (Kind::Adopted, self.adopted),
            (Kind::FollowedNew, self.followed_new),
        ];
        all.into_iter().filter_map(|(kind, delivery)| Some((kind, delivery?))).collect()
    }
}

payload!(UpdateNotificationPreferencesPayload { preferences: NotificationPreferences });

#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Chooses how the viewer is told of each kind of thing.
    async fn update_notification_preferences(
        &self,
        ctx: &Context<'_>,
        input: UpdateNotificationPreferencesInput,
    ) -> Result<UpdateNotificationPreferencesPayload> {
        let request = request("updateNotificationPreferences", &input, input.client_mutation_id.as_ref());
        let member = action::choose(ctx.app(), ctx.viewer(), &input.changes(), &request).await;
        UpdateNotificationPreferencesPayload::of(member, input.client_mutation_id, |member| {
            member.notifications
        })
    }
}
