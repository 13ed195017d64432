//! Follows: follow, stop following, mute, and follow by taking part.

use super::{
    access::Viewer,
    contribution::discussed,
    once::{Decision, Request, once},
    page::Listing,
    peer,
};
use crate::{
    app::App,
    domain::{
        follow::{Follow, FollowCounts, Stance, THREADS_MAX, Target},
        sight::Seen,
        thread::Thread,
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    store::{Batch, Guard, when},
};

/// What a member wishes for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Follow,
    Unfollow,
    Mute,
    Unmute,
}

impl Wish {
    /// Where it leads from `before`.
    const fn after(self, before: Option<Stance>) -> Stance {
        match (self, before) {
            (Self::Follow, _) => Stance::Following,
            (Self::Mute, _) | (Self::Unfollow, Some(Stance::Muted)) => Stance::Muted,
            (Self::Unmute, Some(Stance::Following)) => Stance::Following,
            (Self::Unfollow | Self::Unmute, _) => Stance::Neither,
        }
    }
}

/// Does what the viewer wishes; what is so already stays as it is.
///
/// # Errors
/// `TOO_MANY`; not found when there is no such thing, or the viewer may not see it.
pub async fn set(
    app: &App,
    viewer: &Viewer,
    target: &Target,
    wish: Wish,
    request: &Request,
) -> Result<Follow> {
    once(app, viewer, request, || async {
        let earlier = app.store.one(&Follow::id_of(&viewer.id, target)).await?;
        let before = earlier.as_ref().map(|follow| follow.stance);
        let stance = wish.after(before);
        let begins = stance != Stance::Neither && before != Some(stance);
        let mut reads = Batch::new();
        // Whoever wants to hear no more of something need not be able to see it.
        if begins || earlier.is_none() {
            reads = found(app, viewer, target, stance).await?;
        }
        if begins {
            let member = app.store.one(&viewer.id).await?.ok_or_else(|| not_found("member"))?;
            if member.follows.of(target, stance) >= target.most() {
                return Err(too_many(target, stance));
            }
        }
        let follow = Follow::new(&viewer.id, target.clone(), stance, app.clock.now());
        Ok(match earlier {
            Some(earlier) if earlier.stance == stance => Decision { result: earlier, batch: Batch::new() },
            Some(earlier) => {
                let mut follow = Follow { version: earlier.version, ..follow };
                let batch = Batch::new().replace(&follow).and(counted(viewer, &follow, before)).and(reads);
                let batch = batch.and(found_by(app, viewer, target));
                follow.version += 1;
                Decision { result: follow, batch }
            }
            None => {
                let batch = Batch::new().insert(&follow).and(counted(viewer, &follow, None)).and(reads);
                let batch = batch.and(found_by(app, viewer, target));
                Decision { result: follow, batch }
            }
        })
    })
    .await
}

fn too_many(target: &Target, stance: Stance) -> Error {
    let most = target.most();
    let what = if target.is_interest() { "topics, tags, members and organisations" } else { "threads" };
    let how = if stance == Stance::Muted { "mute" } else { "follow" };
    let message = format!("You can {how} at most {most} {what}. Take one off the list first.");
    Error::refused("subjectId", Code::TooMany, message)
}

/// Checks that the viewer can see the target. Whoever begins to follow a thread that they never read is
/// told of what comes from then on.
async fn found(app: &App, viewer: &Viewer, target: &Target, stance: Stance) -> Result<Batch> {
    let missing = || not_found("thing to follow");
    let there = match target {
        Target::Topic(id) => app.store.one(id).await?.is_some(),
        Target::Member(id) => app.store.one(id).await?.is_some_and(|member| member.can_see(viewer)),
        Target::Organisation(id) => app.store.one(id).await?.is_some(),
        // What nobody has published is not there: an id could be any text, past the guard.
        // Partners who were invited to a part see none but on what they see.
        Target::Tag(id) => {
            viewer.scope().is_none() && app.store.one(id).await?.is_some_and(|tag| tag.is_used())
        }
        Target::Thread(id) => {
            let (thread, _) = discussed(app, viewer, id).await.map_err(|error| match error {
                Error::Coded(Code::NotFound, _) => missing(),
                error => error,
            })?;
            if stance == Stance::Following {
                return super::read_mark::begin(app, viewer, &thread).await;
            }
            true
        }
    };
    if there { Ok(Batch::new()) } else { Err(missing()) }
}

/// A member is found by the topics that they follow.
fn found_by(app: &App, viewer: &Viewer, target: &Target) -> Batch {
    if matches!(target, Target::Topic(_)) { peer::refreshing(app, &viewer.id) } else { Batch::new() }
}

/// The counters on the member, as far as the limit allows.
fn counted(viewer: &Viewer, follow: &Follow, before: Option<Stance>) -> Batch {
    let mut batch = Batch::new();
    if let Some(counter) = FollowCounts::counter(&follow.target, follow.stance) {
        let room = when(counter.gte(follow.target.most()).not());
        batch = batch.increment(&viewer.id, room, counter, 1);
    }
    match before.and_then(|before| FollowCounts::counter(&follow.target, before)) {
        Some(counter) => batch.increment(&viewer.id, Guard::Present, counter, -1),
        None => batch,
    }
}

/// Follows a thread that the viewer takes part in, unless they have said where they stand to it.
///
/// # Errors
/// When the store fails.
pub async fn taking_part(app: &App, viewer: &Viewer, thread: &Id<Thread>) -> Result<Batch> {
    let id = Follow::id_of(&viewer.id, &Target::Thread(thread.clone()));
    Ok(if app.store.one(&id).await?.is_some() { Batch::new() } else { begun(app, viewer, thread) })
}

/// Follows a thread that the viewer has no stance to yet. Nobody is kept from speaking because they
/// follow too much.
pub fn begun(app: &App, viewer: &Viewer, thread: &Id<Thread>) -> Batch {
    if viewer.follows.threads >= THREADS_MAX {
        return Batch::new();
    }
    let target = Target::Thread(thread.clone());
    let counter = FollowCounts::counter(&target, Stance::Following);
    let follow = Follow::new(&viewer.id, target, Stance::Following, app.clock.now());
    let batch = Batch::new().insert(&follow);
    // Not guarded by the limit: several at once may pass it by as many, which hurts nobody.
    counter.into_iter().fold(batch, |batch, counter| batch.increment(&viewer.id, Guard::Present, counter, 1))
}

/// What the viewer follows, latest first.
#[must_use]
pub fn following(viewer: &Viewer) -> Listing<Follow> {
    let filter = Follow::of_member(&viewer.id, Stance::Following);
    Listing { name: "following", filter, order: Follow::SINCE.desc() }
}

/// What the viewer has muted, latest first.
#[must_use]
pub fn muted(viewer: &Viewer) -> Listing<Follow> {
    let filter = Follow::of_member(&viewer.id, Stance::Muted);
    Listing { name: "muted", filter, order: Follow::SINCE.desc() }
}
