//! Exports: ask for one, list them, get one. A [job](crate::jobs) makes them.

use std::io;

use bytes::Bytes;
use futures_util::Stream;

use super::{
    access::Viewer,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        data_export::DataExport,
        job::{Job, Task},
    },
    error::{Code, Error, Problem, Result},
    ids::Id,
    query::Page,
    store::Batch,
};

/// Exports that are looked at for one that is ready: more are not kept, at one a day.
const LOOKED_AT: usize = 20;

/// Has everything that the exchange holds of the viewer put together. They are told by e-mail.
///
/// # Errors
/// `WRONG_STATE` while one is being made, and within a day of one that was made.
pub async fn request(app: &App, viewer: &Viewer, request: &Request) -> Result<DataExport> {
    once(app, viewer, request, || async {
        let now = app.clock.now();
        let Listing { filter, order, .. } = all(viewer);
        let latest = app.store.find(filter, order, Page::first(1)).await?.pop();
        if let Some(why) = latest.as_ref().and_then(|latest| latest.is_enough(now)) {
            let problem = Problem { field: Vec::new(), ..Problem::new("", Code::WrongState, why) };
            return Err(Error::Refused(vec![problem]));
        }
        let days = app.config.retention.data_exports_days;
        let export = DataExport::next(app.ids.fresh(), &viewer.id, latest.as_ref(), days, now);
        let task = Task::MakeDataExport { export: export.id.clone() };
        let batch = Batch::new().insert(&export).insert(&Job::new(app.ids.fresh(), task, now));
        Ok(Decision { result: export, batch })
    })
    .await
}

/// The viewer's, latest first.
#[must_use]
pub fn all(viewer: &Viewer) -> Listing<DataExport> {
    Listing {
        name: "dataExports",
        filter: DataExport::MEMBER.eq(viewer.id.clone()),
        order: DataExport::REQUESTED_AT.desc(),
    }
}

/// The viewer's own, while it can be got.
///
/// # Errors
/// When the store fails.
pub async fn of_id(app: &App, viewer: &Viewer, id: &Id<DataExport>) -> Result<Option<DataExport>> {
    let found = app.store.one(id).await?;
    Ok(found.filter(|export| export.member == viewer.id && export.is_there(app.clock.now())))
}

/// The viewer's latest that can be got.
///
/// # Errors
/// When the store fails.
pub async fn latest(app: &App, viewer: &Viewer) -> Result<Option<DataExport>> {
    let Listing { filter, order, .. } = all(viewer);
    let latest = app.store.find(filter, order, Page::first(LOOKED_AT)).await?;
    let now = app.clock.now();
    Ok(latest.into_iter().find(|export| export.is_there(now)))
}

/// Its bytes: a ZIP.
///
/// # Errors
/// `UNAVAILABLE`; a fault, when they are missing.
pub async fn content(
    app: &App,
    export: &DataExport,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
    Ok(app.blobs.get(&export.id).await?)
}
