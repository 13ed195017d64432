//! Revisions: what edits change is kept in the commit that changes it.

use super::{access::Viewer, page::Listing};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        attachment::Attachment,
        member::Member,
        revision::{FieldChange, Revision, difference},
        sight::Seen,
        tag::{Tag, TagName},
        topic::Topic,
    },
    error::Result,
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

/// What an edit changed of topics, by their names.
///
/// # Errors
/// When the store fails.
pub async fn topics(app: &App, before: &[Id<Topic>], after: &[Id<Topic>]) -> Result<Option<FieldChange>> {
    named(app, "topics", before, after, |_, topic| topic.map(|topic| topic.name.clone())).await
}

/// The same of tags. Some are made by the edit: `typed` are those that its author sent.
///
/// # Errors
/// When the store fails.
pub async fn tags(
    app: &App,
    before: &[Id<Tag>],
    after: &[Id<Tag>],
    typed: &[TagName],
) -> Result<Option<FieldChange>> {
    let as_typed = |id: &Id<Tag>| typed.iter().find(|tag| tag.id == *id).map(|tag| tag.name.clone());
    let name = |id: &_, tag: Option<&Tag>| tag.map(|tag| tag.name.clone()).or_else(|| as_typed(id));
    named(app, "tags", before, after, name).await
}

/// The same of files.
///
/// # Errors
/// When the store fails.
pub async fn attachments(
    app: &App,
    before: &[Id<Attachment>],
    after: &[Id<Attachment>],
) -> Result<Option<FieldChange>> {
    named(app, "attachments", before, after, |_, file| file.map(|file| file.name.clone())).await
}

/// What changed in a list, a line for each name.
async fn named<D: Document>(
    app: &App,
    field: &str,
    before: &[Id<D>],
    after: &[Id<D>],
    name: impl Fn(&Id<D>, Option<&D>) -> Option<String>,
) -> Result<Option<FieldChange>> {
    if before == after {
        return Ok(None);
    }
    let found = app.store.get(&[before, after].concat()).await?;
    let names = |ids: &[Id<D>], found: &[Option<D>]| {
        let names = ids.iter().zip(found).filter_map(|(id, found)| name(id, found.as_ref()));
        names.collect::<Vec<_>>().join("\n")
    };
    let (was, is) = found.split_at(before.len());
    Ok(difference(field, &names(before, was), &names(after, is)))
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
