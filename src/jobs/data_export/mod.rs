//! Making exports: one ZIP with a file for each kind of thing, written to where it is kept page by page.
//! Nothing of it is ever whole in memory or on this machine's disk.

mod archive;
mod content;

use super::Failure;
use crate::{
    app::App,
    blobs::BlobError,
    domain::{
        data_export::{DataExport, ExportState},
        job::{Job, Task},
        member::Member,
    },
    error::{Error, StoreError},
    ids::Id,
    mail::{Message, data_export::DataExportMail},
    store::Batch,
};
use archive::Archive;

/// Makes an export that was asked for. Whoever begins anew after a crash writes it anew.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn make(app: &App, id: &Id<DataExport>) -> Result<Batch, Failure> {
    let Some(mut export) = app.store.one(id).await? else {
        tracing::info!(export = %id, "skipped: its member is gone");
        // Perhaps while it was being written.
        app.blobs.delete(id).await?;
        return Ok(Batch::new());
    };
    if export.state != ExportState::Waiting {
        return Ok(Batch::new());
    }
    let Some(member) = app.store.one(&export.member).await? else { return Ok(Batch::new()) };
    let now = app.clock.now();
    match written(app, &export, &member).await {
        Ok(size) => {
            (export.state, export.size, export.made_at) = (ExportState::Ready, Some(size), Some(now));
            let told = Task::SendDataExportMail { export: export.id.clone() };
            Ok(Batch::new().replace(&export).insert(&Job::new(app.ids.fresh(), told, now)))
        }
        // Whoever asks again may find room.
        Err(NotMade::Full(why)) => {
            tracing::error!(export = %id, why, "an export was not made");
            export.state = ExportState::Failed;
            Ok(Batch::new().replace(&export))
        }
        Err(NotMade::Other(failure)) => Err(failure),
    }
}

enum NotMade {
    /// There is no room for it.
    Full(String),
    Other(Failure),
}

impl From<BlobError> for NotMade {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full(why) => Self::Full(why),
            error => Self::Other(error.into()),
        }
    }
}

impl From<Error> for NotMade {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// How many bytes it has.
async fn written(app: &App, export: &DataExport, member: &Member) -> Result<i64, NotMade> {
    let mut archive = Archive::begin(&app.blobs, &export.id).await?;
    content::write(app, member, &mut archive).await?;
    archive.finish().await
}

/// Tells a member that their export is there. Its link leads to a page that asks who they are.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn tell(app: &App, id: &Id<DataExport>) -> Result<Batch, Failure> {
    let Some(export) = app.store.one(id).await?.filter(|export| export.is_there(app.clock.now())) else {
        return Ok(Batch::new());
    };
    let Some(member) = app.store.one(&export.member).await? else { return Ok(Batch::new()) };
    let network = &app.config.network;
    let mail = DataExportMail {
        network: network.name.clone(),
        team: network.team.clone(),
        contact: network.contact.clone(),
        name: member.name.clone(),
        until: export.expires_at.date_in_words(),
        url: app.config.link(&format!("data-exports/{id}")),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let message = Message {
        to: member.email,
        to_name: member.name,
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{id}@{}", app.config.host()),
        list: None,
    };
    app.mailer.send(&message).await?;
    Ok(Batch::new())
}

/// What goes with an export: its bytes.
pub(super) fn with(app: &App, export: &DataExport) -> Batch {
    let task = Task::DeleteDataExport { export: export.id.clone() };
    Batch::new().insert(&Job::new(app.ids.fresh(), task, app.clock.now()))
}

/// Deletes the bytes of an export that is gone.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn delete_blob(app: &App, id: &Id<DataExport>) -> Result<Batch, Failure> {
    app.blobs.delete(id).await?;
    Ok(Batch::new())
}
