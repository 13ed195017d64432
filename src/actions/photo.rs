//! Members' photos: attachments of the member, one each. The one before goes when another comes.

use super::{
    access::{Moderator, Viewer},
    attachment::{kept, read},
    audit::{Act, Concerned, Reason, acted},
    once::{Decision, Request, once},
};
use crate::{
    app::App,
    domain::{
        attachment::{AttachedTo, Attachment, file::File},
        audit::AuditAction,
        job::{Job, Task},
        member::Member,
    },
    error::{Result, not_found},
    ids::Id,
    store::{Batch, Guard, when},
};

/// Makes a picture the viewer's photo.
///
/// # Errors
/// What is wrong with the file; `TOO_MANY` unused files; `NO_SPACE`, `UNAVAILABLE`.
pub async fn set(app: &App, viewer: &Viewer, bytes: Vec<u8>) -> Result<Attachment> {
    let file = read(app, move || File::photo(&bytes)).await?;
    // Nothing uses it yet: if this process dies now, it is forgotten after a day.
    let mut photo = kept(app, viewer, file).await?;
    let to = AttachedTo::Member(viewer.id.clone());
    once(app, viewer, &Request::unnamed("setPhoto"), || async {
        let (mut member, batch) = without(app, &viewer.id).await?;
        member.profile.photo = Some(photo.id.clone());
        let free = when(Attachment::unused_of(&viewer.id));
        let used = [Attachment::USED_BY.set(Some(to.clone())), Attachment::EXPIRES_AT.set(None)];
        let batch = batch.replace(&member).patch(&photo.id, free, used);
        Ok(Decision { result: member, batch })
    })
    .await?;
    (photo.used_by, photo.expires_at) = (Some(to), None);
    Ok(photo)
}

/// Takes the viewer's photo away. Where there is none, nothing happens.
///
/// # Errors
/// When the store fails.
pub async fn remove(app: &App, viewer: &Viewer, request: &Request) -> Result<Member> {
    once(app, viewer, request, || async { removed(app, &viewer.id, |_| Batch::new()).await }).await
}

/// Takes a member's photo away, who is told why. Where there is none, nothing happens.
///
/// # Errors
/// Not found.
pub async fn remove_of(
    app: &App,
    moderator: &Moderator,
    id: &Id<Member>,
    reason: &Reason,
    request: &Request,
) -> Result<Member> {
    once(app, moderator, request, || async {
        removed(app, id, |photo| {
            let act = Act::new(AuditAction::RemovePhoto, id.as_str()).because(reason);
            acted(app, moderator, act.about(Some(photo.as_str())), &Concerned::member(id))
        })
        .await
    })
    .await
}

async fn removed(
    app: &App,
    id: &Id<Member>,
    told: impl Fn(&Id<Attachment>) -> Batch,
) -> Result<Decision<Member>> {
    let (mut member, batch) = without(app, id).await?;
    let batch = match member.profile.photo.take() {
        Some(photo) => batch.replace(&member).and(told(&photo)),
        None => Batch::new(),
    };
    member.version += i64::from(!batch.is_empty());
    Ok(Decision { result: member, batch })
}

/// The member as they are, and what has their photo gone.
async fn without(app: &App, id: &Id<Member>) -> Result<(Member, Batch)> {
    let there = |member: &Member| !member.is_former();
    let member = app.store.one(id).await?.filter(there).ok_or_else(|| not_found("member"))?;
    let batch = match &member.profile.photo {
        Some(photo) => gone(app, photo).await?,
        None => Batch::new(),
    };
    Ok((member, batch))
}

/// Its blob goes by a job, as it may be out of reach.
async fn gone(app: &App, photo: &Id<Attachment>) -> Result<Batch> {
    let Some(found) = app.store.one(photo).await? else { return Ok(Batch::new()) };
    let job = Job::new(app.ids.fresh(), Task::DeleteBlob { attachment: found.id.clone() }, app.clock.now());
    Ok(Batch::new().delete(&found.id, Guard::Version(found.version)).insert(&job))
}
