//! Forgetting a member.
//!
//! It begins with the commit in which they become a former one. What follows are pages: each is done in one
//! commit with how far it is, guarded by the erasure's version. So whoever runs the job, however often, and
//! wherever a worker dies, it goes on from there.

mod forgetting;
mod rewriting;

use super::Failure;
use crate::{
    actions::erasure as action,
    app::App,
    clock::Timestamp,
    domain::{
        erasure::{Erasure, LOOK_AGAIN, Stage},
        job::{Job, Task},
    },
    error::{Error, Result, StoreError},
    ids::Id,
    mail::{Message, erasure::ErasureMail},
    store::Batch,
};

/// Commits before other jobs have their turn: they are done within seconds, which is far below a lease.
const PAGES: usize = 20;

/// What is done in one commit.
struct Step {
    batch: Batch,
    /// Up to which id; none when the stage is done, or its documents go.
    after: Option<String>,
    last: bool,
}

impl Step {
    /// Nothing is left of this stage.
    fn last(batch: Batch) -> Self {
        Self { batch, after: None, last: true }
    }
}

/// Goes on with an erasure that is due.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn run(app: &App, id: &Id<Erasure>) -> Result<Batch, Failure> {
    for _ in 0..PAGES {
        let now = app.clock.now();
        let Some(erasure) = app.store.one(id).await? else {
            tracing::info!(erasure = %id, "skipped: it was called off");
            return Ok(Batch::new());
        };
        if erasure.stage == Stage::Done {
            return Ok(Batch::new());
        }
        let due = if erasure.waits() { erasure.due_at } else { now };
        if due > now {
            return Ok(again(app, id, due));
        }
        let Some(batch) = next(app, erasure).await? else {
            tracing::info!(erasure = %id, "an erasure waits: of a legal hold, or of another administrator");
            return Ok(again(app, id, now.plus(LOOK_AGAIN)));
        };
        match app.store.commit(batch).await {
            Ok(()) => {}
            // Somebody changed one of the documents meanwhile, or another worker did this page: look again.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(again(app, id, app.clock.now()))
}

fn again(app: &App, id: &Id<Erasure>, at: Timestamp) -> Batch {
    let rest = Task::Erase { erasure: id.clone() };
    Batch::new().insert(&Job::new(app.ids.fresh(), rest, app.clock.now()).at(at))
}

/// The next page, with how far that is. `None`: it can't begin yet.
async fn next(app: &App, mut erasure: Erasure) -> Result<Option<Batch>> {
    if erasure.waits() {
        return action::begin(app, erasure).await;
    }
    let step = match rewriting::step(app, &erasure).await? {
        Some(step) => step,
        None => forgetting::step(app, &erasure).await?,
    };
    if step.last {
        erasure.advance(app.clock.now());
    } else {
        erasure.after = step.after;
    }
    if erasure.stage == Stage::Done {
        tracing::info!(erasure = %erasure.id, "an erasure is done");
    }
    Ok(Some(step.batch.replace(&erasure)))
}

/// Tells a member that their account is to be erased, and that they can call it off.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn tell(app: &App, id: &Id<Erasure>) -> Result<Batch, Failure> {
    let Some(erasure) = app.store.one(id).await?.filter(Erasure::waits) else { return Ok(Batch::new()) };
    let Some(member) = app.store.one(&erasure.member).await? else { return Ok(Batch::new()) };
    let network = &app.config.network;
    let mail = ErasureMail {
        network: network.name.clone(),
        team: network.team.clone(),
        contact: network.contact.clone(),
        name: member.name.clone(),
        on: erasure.due_at.date_in_words(),
        url: app.config.link("/erasure"),
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let message = Message {
        to: member.email,
        to_name: member.name,
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{id}-{}@{}", erasure.requested_at.millis(), app.config.host()),
        list: None,
    };
    app.mailer.send(&message).await?;
    Ok(Batch::new())
}
