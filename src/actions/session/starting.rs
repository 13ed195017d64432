//! The beginning of a session.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        device::{Caller, Device},
        job::{Job, Task},
        member::Member,
        session::Session,
    },
    error::Result,
    ids::Id,
    store::{Batch, Guard},
};

/// A new session of a member, which may have shown a second factor. They are told of it by mail when it is the first from this device and place;
/// but for the very first, with which they join. Not written yet.
///
/// # Errors
/// When the store is away.
pub async fn starting(
    app: &App,
    member: &Member,
    caller: &Caller,
    joins: bool,
    factor_at: Option<Timestamp>,
) -> Result<(Session, Batch)> {
    let (now, days) = (app.clock.now(), app.config.sign_in.session_days);
    let session = Session::new(app.ids.fresh(), member.id.clone(), caller.origin.clone(), days, now);
    let session = Session { factor_at, ..session };
    let batch = Batch::new().insert(&session);
    let id = device_id(app, &session);
    if app.store.one(&id).await?.is_some() {
        let kept = [Device::EXPIRES_AT.set(Device::kept_until(now))];
        return Ok((session, batch.patch(&id, Guard::Present, kept)));
    }
    let mut batch = batch.insert(&Device::new(id, member.id.clone(), now));
    if !joins {
        let task = Task::SendNewDeviceMail { session: session.id.clone() };
        batch = batch.insert(&Job::new(app.ids.fresh(), task, now));
    }
    Ok((session, batch))
}

/// One a member, device and place. Keyed, so that a copy of the store can't be searched for places.
fn device_id(app: &App, session: &Session) -> Id<Device> {
    let (origin, member) = (&session.origin, &session.member);
    let tag = app.keys.tag("device", &format!("{member}\0{}\0{}", origin.device, origin.place));
    Id::of(&BASE64_URL_SAFE_NO_PAD.encode(tag))
}
