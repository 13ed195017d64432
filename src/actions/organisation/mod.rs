//! Organisations: take over the directory, list, change, and what is told of one.

mod import;
mod rows;
mod update;

use std::collections::BTreeMap;

pub use self::{
    import::{Refusal, Report, import, seed},
    update::{Changes, update},
};
use super::{access::Viewer, page::Listing};
use crate::{
    app::App,
    domain::{
        directory::DirectoryEntry,
        entry::{Entry, Facet},
        follow::Target,
        job::{Job, Task},
        organisation::Organisation,
        place::Place,
        topic::Topic,
    },
    error::Result,
    ids::Id,
    query::{Document, Page},
    store::{Batch, Guard},
};

/// Contributions whose topics are counted: what an organisation wrote of late.
const LATEST: usize = 100;
/// Organisations like one: more are a list to filter, not a suggestion.
pub const SIMILAR_MAX: usize = 20;

/// Which organisations; every part narrows.
#[derive(Clone, Debug, Default)]
pub struct OrganisationFilter {
    pub place: Place,
    /// How a name begins: today's, a former one, or another by which it is known.
    pub starts_with: Option<String>,
    pub closed: Option<bool>,
}

/// Organisations by name. A proof of membership is all that seeing them takes.
#[must_use]
pub fn directory(_viewer: &Viewer, wanted: &OrganisationFilter) -> Listing<DirectoryEntry> {
    let starts_with = wanted.starts_with.as_deref().unwrap_or_default();
    let filter = DirectoryEntry::named(&wanted.place, starts_with, wanted.closed);
    Listing { name: "organisations", filter, order: DirectoryEntry::FOLDED.asc() }
}

/// Open organisations like one: of its type in its integrated care board, then in its region, then
/// anywhere; then of any type in its board. Each is a page of one stretch of the directory's index, by
/// name, and no more are read than are still wanted.
///
/// # Errors
/// When the store fails.
pub async fn similar(
    app: &App,
    _viewer: &Viewer,
    to: &Organisation,
    limit: usize,
) -> Result<Vec<Id<Organisation>>> {
    let Place { kind, region, icb } = to.place();
    let mut places = Vec::new();
    if kind.is_some() {
        places.push(Place { kind: kind.clone(), icb: icb.clone(), region: None });
        places.push(Place { kind: kind.clone(), region, icb: None });
        places.push(Place { kind, region: None, icb: None });
    }
    places.push(Place { icb, ..Place::default() });
    let limit = limit.min(SIMILAR_MAX);
    let mut found: Vec<Id<Organisation>> = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let asked_before = places[..at].contains(place) || place.facet().is_none();
        if asked_before || found.len() >= limit {
            continue;
        }
        let filter = DirectoryEntry::named(place, "", Some(false));
        // Room for those that were found already, and for itself.
        let page = Page::first(limit + found.len() + 1);
        for entry in app.store.find(filter, DirectoryEntry::FOLDED.asc(), page).await? {
            if entry.organisation != to.id && !found.contains(&entry.organisation) {
                found.push(entry.organisation);
            }
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// What its latest published contributions are about, most frequent first, with how many of them are.
///
/// # Errors
/// When the store fails.
pub async fn topics(app: &App, _viewer: &Viewer, of: &Id<Organisation>) -> Result<Vec<(Id<Topic>, usize)>> {
    let theirs = Entry::FACETS.contains(Facet::followed(&Target::Organisation(of.clone())));
    let published = theirs.and(Entry::published());
    let latest = app.store.find(published, Entry::PUBLISHED_AT.desc(), Page::first(LATEST)).await?;
    let mut counts: BTreeMap<Id<Topic>, usize> = BTreeMap::new();
    for target in latest.iter().flat_map(Entry::targets) {
        if let Target::Topic(topic) = target {
            *counts.entry(topic).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(counts)
}

/// The organisation as it is `after` a change, its entries in the directory, and the job that brings
/// what finds its people up to date. `stored` are its entries of before.
fn written(
    app: &App,
    before: Option<&Organisation>,
    after: &Organisation,
    stored: Vec<DirectoryEntry>,
) -> Batch {
    let batch = match before {
        None => Batch::new().insert(after),
        Some(_) => Batch::new().replace(after),
    };
    let batch = batch.and(listed(app, after, stored));
    match before.filter(|before| before.place() != after.place()) {
        None => batch,
        Some(_) => batch.insert(&refreshing(app, &after.id)),
    }
}

/// The job that brings what finds the people of an organisation up to date.
fn refreshing(app: &App, organisation: &Id<Organisation>) -> Job {
    let task = Task::RefreshOrganisation { organisation: organisation.clone(), after: None };
    Job::new(app.ids.fresh(), task, app.clock.now())
}

/// Brings the entries of an organisation in line with it. Several names may have changed their places
/// among them, so that each is compared under its id.
fn listed(app: &App, organisation: &Organisation, stored: Vec<DirectoryEntry>) -> Batch {
    let wanted = DirectoryEntry::of(organisation, app.clock.now());
    let mut batch = Batch::new();
    for entry in &stored {
        if wanted.iter().all(|wanted| wanted.id != entry.id) {
            batch = batch.delete(&entry.id, Guard::Present);
        }
    }
    for mut entry in wanted {
        match stored.iter().find(|stored| stored.id == entry.id) {
            None => batch = batch.insert(&entry),
            Some(stored) => {
                entry.set_version(stored.version);
                if entry != *stored {
                    batch = batch.replace(&entry);
                }
            }
        }
    }
    batch
}
