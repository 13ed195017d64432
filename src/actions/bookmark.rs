//! Bookmarks: keep, take back, list.

use super::{
    access::Viewer,
    comment, contribution,
    once::{Decision, Request, once},
    page::Listing,
};
use crate::{
    app::App,
    domain::{
        bookmark::{Bookmark, Bookmarkable},
        member::Member,
        sight::Seen,
    },
    error::{Error, Result, not_found},
    store::{Batch, Guard},
};

/// Keeps a bookmark, or takes it back. One that is there already, or is not there, is left as it is. What
/// can no longer be seen can still be taken back.
///
/// # Errors
/// Not found when the viewer may not see the thing.
pub async fn set(
    app: &App,
    viewer: &Viewer,
    subject: &Bookmarkable,
    on: bool,
    request: &Request,
) -> Result<Member> {
    once(app, viewer, request, || async {
        let earlier = app.store.one(&Bookmark::id_of(&viewer.id, subject)).await?;
        let batch = match (earlier, on) {
            (None, true) => {
                if !can_see(app, viewer, subject).await? {
                    return Err(missing());
                }
                Batch::new().insert(&Bookmark::new(&viewer.id, subject.clone(), app.clock.now()))
            }
            (Some(bookmark), false) => Batch::new().delete(&bookmark.id, Guard::Version(bookmark.version)),
            (Some(_), true) | (None, false) => Batch::new(),
        };
        // A receipt needs something that is still there when the request is repeated.
        Ok(Decision { result: (**viewer).clone(), batch })
    })
    .await
}

fn missing() -> Error {
    not_found("thing to bookmark")
}

async fn can_see(app: &App, viewer: &Viewer, subject: &Bookmarkable) -> Result<bool> {
    Ok(match subject {
        Bookmarkable::Contribution(id) => {
            contribution::find(app, id).await?.is_some_and(|found| found.can_see(viewer))
        }
        Bookmarkable::Comment(id) => {
            comment::visible(app, viewer, id).await?.is_some_and(|comment| comment.can_see(viewer))
        }
    })
}

/// The viewer's, latest first.
#[must_use]
pub fn all(viewer: &Viewer) -> Listing<Bookmark> {
    Listing { name: "bookmarks", filter: Bookmark::of_member(&viewer.id), order: Bookmark::CREATED_AT.desc() }
}
