//! Identities: what is linked with a member at providers of single sign-on, and how they unlink it.

use super::{
    access::Viewer,
    audit::{Act, Concerned, acted},
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{
        audit::AuditAction,
        identity::{Identity, IdentityNews},
        job::{Job, Task},
        member::{Member, Role},
    },
    error::{Result, not_found, unauthenticated},
    ids::Id,
    query::{Filter, Order, Page},
    store::{Batch, Guard},
};

/// Of one member that are shown: they have one at an issuer.
const MOST: usize = 100;

/// The viewer's.
///
/// # Errors
/// When the store is away.
pub async fn of(app: &App, viewer: &Viewer) -> Result<Vec<Identity>> {
    let theirs = Identity::MEMBER.eq(viewer.id.clone());
    Ok(app.store.find(theirs, Identity::ISSUER.asc(), Page::first(MOST)).await?)
}

/// What people know the provider of an identity by, as far as there still is one.
#[must_use]
pub fn provider_name<'a>(app: &'a App, identity: &'a Identity) -> &'a str {
    let provider = app.providers.all().find(|provider| provider.issuer() == identity.issuer);
    provider.map_or(&identity.provider, |provider| provider.name())
}

/// The one by which an issuer knows somebody.
pub(super) async fn known_as(app: &App, issuer: &str, subject: &str) -> Result<Option<Identity>> {
    one(app, Identity::known_as(issuer, subject)).await
}

/// A member's with an issuer.
pub(super) async fn at(app: &App, member: &Id<Member>, issuer: &str) -> Result<Option<Identity>> {
    one(app, Identity::of_member_at(member, issuer)).await
}

async fn one(app: &App, filter: Filter<Identity>) -> Result<Option<Identity>> {
    Ok(app.store.find(filter, Order::by_id(), Page::first(1)).await?.pop())
}

/// Links it with a member, who is told by mail: that somebody may sign in as them from elsewhere now is theirs
/// to know.
pub(super) fn linking(app: &App, member: &Member, identity: &Identity) -> Batch {
    Batch::new().insert(identity).and(told(app, member, identity, IdentityNews::Linked)).and(audited(
        app,
        &Viewer::of_job(member.clone()),
        AuditAction::LinkIdentity,
    ))
}

/// The same for one that waited until a second factor was shown. `None`, when the member or the identity was
/// linked with another meanwhile.
pub(super) async fn linking_at_last(
    app: &App,
    member: &Member,
    identity: &Identity,
) -> Result<Option<Batch>> {
    if let Some(known) = known_as(app, &identity.issuer, &identity.subject).await? {
        return Ok((known.member == member.id).then(Batch::new));
    }
    let other = at(app, &member.id, &identity.issuer).await?;
    Ok(match other {
        None => Some(linking(app, member, identity)),
        // A moment ago.
        Some(other) => (other.subject == identity.subject).then(Batch::new),
    })
}

/// Unlinks one of the viewer's: whoever signs in there is no longer taken for them by that. Returns the viewer.
///
/// # Errors
/// Not found.
pub async fn unlink(app: &App, viewer: &Viewer, id: &Id<Identity>, request: &Request) -> Result<Member> {
    let member = once(app, viewer, request, || async {
        let identity = app.store.one(id).await?.filter(|identity| identity.member == viewer.id);
        let identity = identity.ok_or_else(|| not_found("linked account"))?;
        let member = app.store.one(&viewer.id).await?.ok_or_else(unauthenticated)?;
        let batch = Batch::new()
            .delete(id, Guard::Present)
            .and(told(app, &member, &identity, IdentityNews::Unlinked))
            .and(audited(app, viewer, AuditAction::UnlinkIdentity));
        Ok(Decision { result: member, batch })
    })
    .await?;
    tracing::info!(member = %viewer.id, identity = %id, "an identity is unlinked");
    Ok(member)
}

fn told(app: &App, member: &Member, identity: &Identity, news: IdentityNews) -> Batch {
    let (at, provider) = (app.clock.now(), provider_name(app, identity).to_owned());
    let task = Task::SendIdentityMail { member: member.id.clone(), provider, news, at };
    Batch::new().insert(&Job::new(app.ids.fresh(), task, at))
}

/// The entry of what somebody who looks after others has linked with themself.
fn audited(app: &App, viewer: &Viewer, action: AuditAction) -> Batch {
    if viewer.role < Role::Moderator {
        return Batch::new();
    }
    acted(app, viewer, Act::new(action, viewer.id.as_str()), &Concerned::nobody())
}
