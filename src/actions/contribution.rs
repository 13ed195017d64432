//! What posts and case studies have in common: finding the one that an id or a thread means, and the
//! lists that show both.

use super::{access::Viewer, page::Listing};
use crate::{
    app::App,
    domain::{
        contribution::{Contribution, ContributionId},
        entry::Entry,
        pin::Board,
        sight::Seen,
        thread::Thread,
    },
    error::{Result, not_found},
    ids::Id,
};

/// The contribution as it is stored: the caller asks who sees what of it ([`Seen`]).
///
/// # Errors
/// When the store fails.
pub async fn find(app: &App, id: &ContributionId) -> Result<Option<Contribution>> {
    Ok(match id {
        ContributionId::Post(id) => app.store.one(id).await?.map(|post| Contribution::Post(Box::new(post))),
        ContributionId::CaseStudy(id) => {
            app.store.one(id).await?.map(|case_study| Contribution::CaseStudy(Box::new(case_study)))
        }
    })
}

/// A thread and what it discusses, as the viewer sees that: the thread of what was taken away can still
/// be read.
///
/// # Errors
/// Not found.
pub async fn discussed(app: &App, viewer: &Viewer, id: &Id<Thread>) -> Result<(Thread, Contribution)> {
    let missing = || not_found("thread");
    let thread = app.store.one(id).await?.ok_or_else(missing)?;
    let subject = find(app, &thread.subject).await?.and_then(|subject| subject.as_seen_by(viewer));
    Ok((thread, subject.ok_or_else(missing)?))
}

/// Everything published, within what the viewer was invited to; or only what is, or is not, among `pinned`.
#[must_use]
pub fn published(viewer: &Viewer, oldest_first: bool, pinned: Option<(bool, &Board)>) -> Listing<Entry> {
    let mut filter = Entry::published_to(viewer);
    if let Some((wanted, board)) = pinned {
        let among = Entry::ID.is_in(board.pinned.iter().map(Entry::id_of));
        filter = filter.and(if wanted { among } else { among.not() });
    }
    if oldest_first {
        return Listing { name: "feed:oldest", filter, order: Entry::PUBLISHED_AT.asc() };
    }
    Listing { name: "feed:newest", filter, order: Entry::PUBLISHED_AT.desc() }
}

/// The drafts that the viewer may edit, last changed first.
#[must_use]
pub fn drafts(viewer: &Viewer) -> Listing<Entry> {
    Listing { name: "drafts", filter: Entry::drafts_of(&viewer.id), order: Entry::UPDATED_AT.desc() }
}
