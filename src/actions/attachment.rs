//! Attachments: upload, give, attach to what is written, take off again.

use std::io;

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::Stream;

use super::{ROUNDS, access::Viewer, comment, contribution, lost_every_round, once::next_version, pause};
use crate::{
    app::App,
    domain::{
        attachment::{
            AttachedTo, Attachment, MAX_PER_TEXT, Shelf, UNUSED_BYTES_MAX, UNUSED_MAX,
            file::{FIELD, File},
        },
        guard::Acknowledged,
        job::{Job, Task},
        sight::Seen,
    },
    error::{Code, Error, Problem, Result},
    ids::Id,
    query::{Order, Page},
    store::{Batch, Guard, StoreError, when},
};

/// How much later the blob of an upload that failed is deleted: a store that did not answer in time may
/// still be writing it.
const WRITTEN_BY_THEN: TimeDelta = TimeDelta::hours(1);

/// A file as a member sends it.
pub struct Upload {
    pub name: String,
    pub bytes: Vec<u8>,
    /// What the member said about the guard's warnings.
    pub acknowledged: Acknowledged,
}

/// Keeps a file for its uploader to attach to something within a day.
///
/// # Errors
/// What is wrong with the file; `TOO_MANY` unused ones; `NO_SPACE`, `UNAVAILABLE`.
pub async fn upload(app: &App, viewer: &Viewer, upload: Upload) -> Result<Attachment> {
    let file = read(app, move || File::read(&upload.name, upload.bytes, upload.acknowledged)).await?;
    kept(app, viewer, file).await
}

/// Keeps a file, of which nothing makes use yet.
pub(super) async fn kept(app: &App, viewer: &Viewer, file: File) -> Result<Attachment> {
    let attachment = reserve(app, viewer, &file).await?;
    if let Err(error) = app.blobs.put(&attachment.id, file.bytes).await {
        let job = Job::new(
            app.ids.fresh(),
            Task::DeleteBlob { attachment: attachment.id.clone() },
            app.clock.now().plus(WRITTEN_BY_THEN),
        );
        // Where even that fails, it expires as any that is not used.
        let forgotten = Batch::new().delete(&attachment.id, Guard::Present).insert(&job);
        app.store.commit(forgotten).await.ok();
        return Err(error.into());
    }
    Ok(attachment)
}

/// Reads it where no other request waits for it. A picture that brings the decoder down brings nothing
/// else down.
pub(super) async fn read(app: &App, reader: impl FnOnce() -> Result<File> + Send + 'static) -> Result<File> {
    let turn = app.limits.file().await?;
    let read = tokio::task::spawn_blocking(move || {
        // Held until it is done, also when nobody waits for it any more.
        let _turn = turn;
        reader()
    });
    let damaged = |_| Error::refused(FIELD, Code::Invalid, "The file is damaged: it can't be read.");
    read.await.map_err(damaged)?
}

/// The document, as long as its member's unused ones are few enough.
async fn reserve(app: &App, viewer: &Viewer, file: &File) -> Result<Attachment> {
    for round in 0..ROUNDS {
        let batch = next_version(app, Shelf::of(&viewer.id)).await?;
        let unused = Attachment::unused_of(&viewer.id);
        let unused = app.store.find(unused, Order::by_id(), Page::first(UNUSED_MAX)).await?;
        check_room(&unused, file)?;
        let attachment = Attachment::new(app.ids.fresh(), &viewer.id, file, app.clock.now());
        match app.store.commit(batch.insert(&attachment)).await {
            Ok(()) => return Ok(attachment),
            // Another upload of the same member's.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

fn check_room(unused: &[Attachment], file: &File) -> Result<()> {
    let bytes: i64 = unused.iter().map(|attachment| attachment.size).sum();
    if unused.len() < UNUSED_MAX && bytes + file.size() <= UNUSED_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "You have too many files that nothing uses yet: at most {UNUSED_MAX} and {} MB. Attach some; the \
         others are forgotten after a day.",
        UNUSED_BYTES_MAX / 1024 / 1024
    );
    Err(Error::refused(FIELD, Code::TooMany, message))
}

/// The attachment, when the viewer may read what it belongs to, or it is their own and unused.
///
/// # Errors
/// When the store fails.
pub async fn visible(app: &App, viewer: &Viewer, id: &Id<Attachment>) -> Result<Option<Attachment>> {
    let Some(attachment) = app.store.one(id).await? else {
        return Ok(None);
    };
    let is_visible = match &attachment.used_by {
        None => attachment.is_unused_of(&viewer.id, app.clock.now()),
        Some(AttachedTo::Contribution(id)) => {
            contribution::find(app, id).await?.is_some_and(|subject| subject.can_see(viewer))
        }
        Some(AttachedTo::Comment(id)) => {
            comment::visible(app, viewer, id).await?.is_some_and(|comment| comment.can_see(viewer))
        }
        Some(AttachedTo::Member(member)) => {
            let member = app.store.one(member).await?;
            member.is_some_and(|member| member.photo_for(viewer) == Some(id))
        }
    };
    Ok(Some(attachment).filter(|_| is_visible))
}

/// The bytes of an attachment that the viewer was shown.
///
/// # Errors
/// `UNAVAILABLE`; a fault, when they are missing.
pub async fn content(
    app: &App,
    attachment: &Attachment,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
    Ok(app.blobs.get(&attachment.id).await?)
}

/// What something that is being written will have.
pub(super) struct Attached {
    pub ids: Vec<Id<Attachment>>,
    /// What makes it so, to be committed together with the thing.
    pub batch: Batch,
    problems: Vec<Problem>,
}

impl Attached {
    /// Together with what else is being written, or with all that is wrong with it.
    pub fn with<T>(self, other: Result<T>) -> Result<(T, Self)> {
        match other {
            Ok(other) if self.problems.is_empty() => Ok((other, self)),
            Ok(_) => Err(Error::Refused(self.problems)),
            Err(Error::Refused(problems)) => Err(Error::Refused([problems, self.problems].concat())),
            Err(error) => Err(error),
        }
    }
}

/// What `to`, which has `before`, will have: those that are wanted, all of them its own already or the
/// viewer's unused ones. The others are released. None wanted leaves it as it is.
///
/// An attachment belongs to one thing: of two that want it at once, one is committed.
pub(super) async fn attach(
    app: &App,
    viewer: &Viewer,
    to: &AttachedTo,
    before: &[Id<Attachment>],
    wanted: Option<&[String]>,
) -> Result<Attached> {
    let Some(wanted) = wanted else {
        return Ok(Attached { ids: before.to_vec(), batch: Batch::new(), problems: Vec::new() });
    };
    if wanted.len() > MAX_PER_TEXT {
        let message = format!("Attach at most {MAX_PER_TEXT} files. There are {}.", wanted.len());
        let problems = vec![Problem::new("attachmentIds", Code::TooMany, message)];
        return Ok(Attached { ids: Vec::new(), batch: Batch::new(), problems });
    }
    let parsed: Vec<Option<Id<Attachment>>> = wanted.iter().map(|text| Id::parse(text)).collect();
    let fresh: Vec<Id<Attachment>> =
        parsed.iter().flatten().filter(|id| !before.contains(id)).cloned().collect();
    let now = app.clock.now();
    let found: Vec<Attachment> = app.store.get(&fresh).await?.into_iter().flatten().collect();
    let is_free = |id: &Id<Attachment>| {
        found.iter().any(|attachment| attachment.id == *id && attachment.is_unused_of(&viewer.id, now))
    };
    let mut ids: Vec<Id<Attachment>> = Vec::new();
    let (mut batch, mut problems) = (Batch::new(), Vec::new());
    for (at, id) in parsed.into_iter().enumerate() {
        match id {
            Some(id) if ids.contains(&id) => {}
            Some(id) if before.contains(&id) => ids.push(id),
            Some(id) if is_free(&id) => {
                let free = Attachment::unused_of(&viewer.id).and(Attachment::EXPIRES_AT.gt(Some(now)));
                let used = [Attachment::USED_BY.set(Some(to.clone())), Attachment::EXPIRES_AT.set(None)];
                batch = batch.patch(&id, when(free), used);
                ids.push(id);
            }
            _ => problems.push(unknown(at)),
        }
    }
    let gone: Vec<Id<Attachment>> = before.iter().filter(|id| !ids.contains(id)).cloned().collect();
    Ok(Attached { batch: batch.and(release(app, to, &gone)), ids, problems })
}

fn unknown(at: usize) -> Problem {
    let message = "You have no such file that nothing uses yet. Upload it (again).";
    Problem::new(&format!("attachmentIds.{at}"), Code::Unknown, message)
}

/// Takes attachments off what they belong to. From then on only their uploader sees them, for a day.
pub(super) fn release(app: &App, from: &AttachedTo, ids: &[Id<Attachment>]) -> Batch {
    let end = Attachment::unused_until(app.clock.now());
    ids.iter().fold(Batch::new(), |batch, id| {
        let used = when(Attachment::USED_BY.eq(Some(from.clone())));
        batch.patch(id, used, [Attachment::USED_BY.set(None), Attachment::EXPIRES_AT.set(Some(end))])
    })
}
