//! Telling of what an action did, in the same commit.

use super::access::Viewer;
use crate::{
    app::App,
    domain::{
        activity::{Activity, What},
        job::{Job, Task},
        member::Member,
        thread::Thread,
    },
    ids::Id,
    store::Batch,
};

/// What `viewer` did in a thread, whom its text newly mentions, and the job that notifies those whom
/// it concerns.
pub fn happened(
    app: &App,
    viewer: &Viewer,
    what: What,
    thread: &Id<Thread>,
    mentioned: Vec<Id<Member>>,
) -> Batch {
    happened_by(app, &viewer.id, what, thread, mentioned)
}

/// The same, done by `actor`.
pub(super) fn happened_by(
    app: &App,
    actor: &Id<Member>,
    what: What,
    thread: &Id<Thread>,
    mentioned: Vec<Id<Member>>,
) -> Batch {
    let now = app.clock.now();
    let activity = Activity::new(app.ids.fresh(), actor, what, thread, mentioned, now);
    let told = Batch::new().insert(&activity).and(found_by(app, &activity));
    if !activity.concerns() {
        return told;
    }
    told.insert(&Job::new(app.ids.fresh(), Task::Notify { activity: activity.id }, now))
}

/// Members are found by what they wrote about: the job that looks again at what that is.
fn found_by(app: &App, activity: &Activity) -> Batch {
    match &activity.what {
        What::Published { contribution } | What::Changed { contribution } => {
            let task = Task::RefreshAuthors { contribution: contribution.clone() };
            Batch::new().insert(&Job::new(app.ids.fresh(), task, activity.at))
        }
        _ => Batch::new(),
    }
}

/// Those of `now` whom the text did not mention `before`.
pub fn newly(now: &[Id<Member>], before: &[Id<Member>]) -> Vec<Id<Member>> {
    now.iter().filter(|member| !before.contains(member)).cloned().collect()
}
