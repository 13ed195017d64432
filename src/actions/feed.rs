//! The feed: everything published, or what comes by and under what the viewer follows, without what they
//! have muted.

use std::collections::HashSet;

use super::{access::Viewer, page::Listing};
use crate::{
    app::App,
    domain::{
        entry::{Entry, Facet},
        follow::{Follow, INTERESTS_MAX, Stance, Target},
        thread::Thread,
    },
    error::Result,
    ids::Id,
    query::{Order, Page},
};

/// What a viewer wants to see of the feed.
pub struct Taste {
    followed: Vec<Facet>,
    muted: HashSet<Target>,
    mutes_threads: bool,
}

impl Taste {
    /// One call at most: none for whoever follows and mutes nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(app: &App, viewer: &Viewer, follows: bool) -> Result<Self> {
        let counts = &viewer.follows;
        let mutes_threads = counts.muted_threads > 0;
        let mut taste = Self { followed: Vec::new(), muted: HashSet::new(), mutes_threads };
        if counts.muted_interests == 0 && (!follows || counts.interests == 0) {
            return Ok(taste);
        }
        let most = usize::try_from(2 * INTERESTS_MAX).unwrap_or_default();
        let interests = Follow::interests_of(&viewer.id);
        for follow in app.store.find(interests, Order::by_id(), Page::first(most)).await? {
            match follow.stance {
                Stance::Following => taste.followed.push(Facet::followed(&follow.target)),
                Stance::Muted => drop(taste.muted.insert(follow.target)),
                Stance::Neither => {}
            }
        }
        Ok(taste)
    }

    /// Whether something may have to be left out.
    #[must_use]
    pub fn is_picky(&self) -> bool {
        self.mutes_threads || !self.muted.is_empty()
    }

    /// What comes by and under what is followed, within what the viewer was invited to. Nothing, for whoever
    /// follows nothing.
    #[must_use]
    pub fn following(&self, viewer: &Viewer, oldest_first: bool) -> Listing<Entry> {
        let followed = Entry::FACETS.contains_any(self.followed.iter().cloned());
        let filter = followed.and(Entry::published_to(viewer));
        if oldest_first {
            return Listing { name: "following:oldest", filter, order: Entry::PUBLISHED_AT.asc() };
        }
        Listing { name: "following:newest", filter, order: Entry::PUBLISHED_AT.desc() }
    }

    /// Leaves out what is muted, with one call at most.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sift(&self, app: &App, viewer: &Viewer, mut entries: Vec<Entry>) -> Result<Vec<Entry>> {
        entries.retain(|entry| !entry.targets().any(|target| self.muted.contains(&target)));
        if !self.mutes_threads {
            return Ok(entries);
        }
        let thread = |entry: &Entry| Target::Thread(Id::<Thread>::of(entry.contribution.key()));
        let ids: Vec<_> = entries.iter().map(|entry| Follow::id_of(&viewer.id, &thread(entry))).collect();
        let found = app.store.get(&ids).await?.into_iter();
        let shown = found.map(|follow| follow.is_none_or(|follow| follow.stance != Stance::Muted));
        Ok(entries.into_iter().zip(shown).filter_map(|(entry, shown)| shown.then_some(entry)).collect())
    }
}
