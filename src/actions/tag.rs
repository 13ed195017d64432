//! Tags: counted as contributions come and go, and listed.

use super::{access::Viewer, page::Listing};
use crate::{
    app::App,
    domain::tag::{Carried, Tag, TagName},
    error::Result,
    store::{Batch, Guard},
};

/// What a change of a contribution changes of its tags: those that nobody has typed yet are made, and
/// the others' uses counted. To be committed with the contribution, which is guarded by its version.
///
/// # Errors
/// When the store fails.
pub async fn followed(app: &App, before: &Carried, after: &Carried, names: &[TagName]) -> Result<Batch> {
    let came: Vec<_> = after.tags.iter().filter(|tag| !before.tags.contains(tag)).cloned().collect();
    let found = app.store.get(&came).await?;
    let is_new = |tag| came.iter().zip(&found).any(|(id, found)| id == tag && found.is_none());
    let mut batch = Batch::new();
    for name in names.iter().filter(|name| is_new(&name.id)) {
        batch = batch.insert(&Tag::new(name, i64::from(after.counts)));
    }
    let (was, is) = (before.counted(), after.counted());
    for tag in is.iter().filter(|tag| !was.contains(tag) && !is_new(tag)) {
        batch = batch.increment(tag, Guard::Present, Tag::USES, 1);
    }
    for tag in was.iter().filter(|tag| !is.contains(tag)) {
        batch = batch.increment(tag, Guard::Present, Tag::USES, -1);
    }
    Ok(batch)
}

/// The tags of what is published, most used first; those that begin like something, by name. None for
/// partners who were invited to a part: what is outside has tags, too.
#[must_use]
pub fn used(viewer: &Viewer, starts_with: Option<&str>) -> Listing<Tag> {
    if viewer.scope().is_some() {
        return Listing { name: "tags:none", filter: Tag::none(), order: Tag::FOLDED.asc() };
    }
    match starts_with {
        None => Listing { name: "tags:used", filter: Tag::used(), order: Tag::USES.desc() },
        Some(text) => {
            Listing { name: "tags:named", filter: Tag::starting_with(text), order: Tag::FOLDED.asc() }
        }
    }
}
