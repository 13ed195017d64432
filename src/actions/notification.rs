//! Notifications: list, count, mark read, and choose how to be told.

use super::{
    access::Viewer,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        member::Member,
        notification::{Delivery, Kind, Notification, NotificationPreferences, UNREAD_MAX},
        thread::Thread,
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    query::Page,
    store::Batch,
};

/// Kinds of unread notifications that a thread can have, with room for more kinds.
const IN_THREAD: usize = 20;
/// Marked read in one commit.
const AT_ONCE: usize = 100;

/// The viewer's, last happened first.
#[must_use]
pub fn all(viewer: &Viewer) -> Listing<Notification> {
    let filter = Notification::of_member(&viewer.id);
    Listing { name: "notifications", filter, order: Notification::UPDATED_AT.desc() }
}

/// Those that the viewer has not read, last happened first.
#[must_use]
pub fn unread(viewer: &Viewer) -> Listing<Notification> {
    let filter = Notification::unread_of(&viewer.id);
    Listing { name: "notifications:unread", filter, order: Notification::UPDATED_AT.desc() }
}

/// How many the viewer has not read; [`UNREAD_MAX`] means that many or more.
///
/// # Errors
/// When the store fails.
pub async fn unread_count(app: &App, viewer: &Viewer) -> Result<i64> {
    let count = app.store.count(Notification::unread_of(&viewer.id), UNREAD_MAX).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Marks what the viewer was told of a thread as read.
pub(super) async fn read_in(app: &App, viewer: &Viewer, thread: &Id<Thread>) -> Result<Batch> {
    let unread = Notification::unread_in(&viewer.id, thread);
    let found = app.store.find(unread, crate::query::Order::by_id(), Page::first(IN_THREAD)).await?;
    Ok(read(app, found))
}

fn read(app: &App, notifications: Vec<Notification>) -> Batch {
    let now = app.clock.now();
    notifications.into_iter().filter(|found| found.read_at.is_none()).fold(
        Batch::new(),
        |batch, mut found| {
            found.read(&app.config.retention, now);
            batch.replace(&found)
        },
    )
}

/// Marks these notifications as read. Those that are not the viewer's are as if they were not there.
///
/// # Errors
/// `TOO_MANY`, not found.
pub async fn mark_these_read(
    app: &App,
    viewer: &Viewer,
    ids: &[Id<Notification>],
    request: &Request,
) -> Result<Member> {
    if ids.len() > AT_ONCE {
        let message = format!("Mark at most {AT_ONCE} at once, or all up to a time.");
        return Err(Error::refused("notificationIds", Code::TooMany, message));
    }
    once(app, viewer, request, || async {
        let found = app.store.get(ids).await?;
        let own = |found: Notification| (found.member == viewer.id).then_some(found);
        let own: Option<Vec<Notification>> = found.into_iter().map(|found| found.and_then(own)).collect();
        let batch = read(app, own.ok_or_else(|| not_found("notification"))?);
        Ok(Decision { result: (**viewer).clone(), batch })
    })
    .await
}

/// Marks everything that happened up to `until` as read: the newest first, page by page, each in a commit
/// of its own, as nothing is lost when the rest is done by the next request.
///
/// # Errors
/// When the store fails.
pub async fn mark_all_read(
    app: &App,
    viewer: &Viewer,
    until: Timestamp,
    request: &Request,
) -> Result<Member> {
    loop {
        let left = std::sync::atomic::AtomicBool::new(false);
        let page = || async {
            let unread = Notification::unread_of(&viewer.id).and(Notification::UPDATED_AT.lte(until));
            let newest = Notification::UPDATED_AT.desc();
            let found = app.store.find(unread, newest, Page::first(AT_ONCE)).await?;
            left.store(found.len() == AT_ONCE, std::sync::atomic::Ordering::Relaxed);
            Ok(Decision { result: (**viewer).clone(), batch: read(app, found) })
        };
        // The receipt belongs to the last one: a repeat before that goes on.
        let unnamed = Request { client_mutation_id: None, content: String::new(), ..*request };
        let member = once(app, viewer, &unnamed, page).await?;
        if !left.into_inner() {
            let nothing = || async { Ok(Decision { result: member.clone(), batch: Batch::new() }) };
            return once(app, viewer, request, nothing).await;
        }
    }
}

/// How the viewer wants to be told of some kinds; the others stay as they are.
///
/// # Errors
/// When the store fails.
pub async fn choose(
    app: &App,
    viewer: &Viewer,
    changes: &[(Kind, Delivery)],
    request: &Request,
) -> Result<Member> {
    once(app, viewer, request, || async {
        let mut member = app.store.one(&viewer.id).await?.ok_or_else(|| not_found("member"))?;
        let before = member.notifications;
        for (kind, delivery) in changes {
            *member.notifications.of_mut(*kind) = *delivery;
        }
        if member.notifications == before {
            return Ok(Decision { result: member, batch: Batch::new() });
        }
        let batch = Batch::new().replace(&member);
        member.version += 1;
        Ok(Decision { result: member, batch })
    })
    .await
}

/// No more e-mails of a kind for a member, or again: from the link in one, without signing in.
///
/// # Errors
/// Not found, or the store is away.
pub(super) async fn by_mail(app: &App, member: &Id<Member>, kind: Kind, wanted: bool) -> Result<()> {
    let change = |member: &mut Member| -> Result<((), Batch)> {
        let preferences: &mut NotificationPreferences = &mut member.notifications;
        let delivery = preferences.of_mut(kind);
        *delivery = match (*delivery, wanted) {
            (Delivery::EmailAtOnce, false) => Delivery::OnSite,
            (_, true) => Delivery::EmailAtOnce,
            (other, false) => other,
        };
        Ok(((), Batch::new()))
    };
    app.store.change(member, change).await?.ok_or_else(|| not_found("link"))
}
