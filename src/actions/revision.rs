//! Revisions: what edits change is kept in the commit that changes it.

use super::{access::Viewer, page::Listing};
use crate::{
    clock::Timestamp,
    domain::{
        member::Member,
        revision::{FieldChange, Revision},
        sight::Seen,
    },
    ids::{Id, Identified},
    query::{Document, Filter},
    store::{Batch, Guard},
};

/// An edit of something that others have read.
pub struct Edit<'a, D> {
    pub of: &'a Id<D>,
    /// Revisions kept so far.
    pub kept: i64,
    /// Who wrote what is edited, and when.
    pub written: (&'a Id<Member>, Timestamp),
    pub changes: Vec<FieldChange>,
}

/// Keeps an edit; the first one keeps what was there before, too. How many revisions there are then.
pub fn keep<D: Document>(viewer: &Viewer, now: Timestamp, edit: Edit<'_, D>) -> (Batch, i64) {
    let Edit { of, mut kept, written: (author, at), changes } = edit;
    let mut batch = Batch::new();
    if changes.is_empty() {
        return (batch, kept);
    }
    if kept == 0 {
        kept = 1;
        batch = batch.insert(&Revision::new(of, 1, author, at, Vec::new()));
    }
    kept += 1;
    (batch.insert(&Revision::new(of, kept, &viewer.id, now, changes)), kept)
}

/// Takes the revisions of something away with it: its author does not want it read any more.
pub fn forget<T: Identified>(of: &Id<T>, kept: i64) -> Batch {
    (1..=kept).fold(Batch::new(), |batch, number| batch.delete(&Revision::id_of(of, number), Guard::Present))
}

/// The revisions of something, latest first: none of what the viewer may not read.
#[must_use]
pub fn of<D: Document + Seen>(viewer: &Viewer, of: &D) -> Listing<Revision> {
    let readable = of.can_see(viewer).then(|| of.id().as_str().to_owned());
    let filter: Filter<Revision> = Revision::OF.is_in(readable);
    Listing { name: "revisions", filter, order: Revision::NUMBER.desc() }
}
