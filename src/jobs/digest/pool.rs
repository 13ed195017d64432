//! What the digests of one time are chosen from, read once for all of them: a few pages of the newest,
//! however large the community is.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::{Days, TimeDelta};
use futures_util::future::{try_join, try_join5};

use super::content::{by_id, distinct};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        adoption::AdoptionStep,
        calendar::Date,
        case_study::CaseStudy,
        contribution::ContributionId,
        digest::{
            candidate::{Candidate, LIBRARY_DAYS, NEWS_DAYS, Spread},
            choice::Pool,
            note::{Note, monday},
        },
        entry::{Entry, Facet},
        post::Post,
    },
    error::Result,
    ids::Id,
    query::Page,
};

/// Posts looked at, and case studies, and older ones: the newest so many, which is several times what
/// the network writes in two months.
const POSTS: usize = 2_000;
const CASE_STUDIES: usize = 1_000;
const EVENTS: usize = 200;
const ADOPTIONS: usize = 500;
/// Whose digest is late covers some weeks, each of which may have its note.
const WEEKS: u64 = 10;
/// How long what was read serves: what was taken away meanwhile is left out when it is read whole.
const FRESH: TimeDelta = TimeDelta::minutes(5);

/// What digests are chosen from that are due at `due` or before.
pub(super) async fn pool(app: &App, due: Timestamp) -> Result<Arc<Pool>> {
    // Held while it is read: who comes meanwhile waits and takes what was read.
    let mut kept = app.digest_pool().lock().await;
    let now = app.clock.now();
    if let Some((at, pool)) = kept.as_ref()
        // Read after the last thing that belongs to it was published, by a clock that has not gone back.
        && *at > due && *at <= now && now.since(*at) < FRESH
    {
        return Ok(Arc::clone(pool));
    }
    let pool = Arc::new(load(app, due, now).await?);
    *kept = Some((now, Arc::clone(&pool)));
    Ok(pool)
}

async fn load(app: &App, due: Timestamp, now: Timestamp) -> Result<Pool> {
    let since = now.minus(TimeDelta::days(NEWS_DAYS));
    let store = &app.store;
    let older = Entry::published()
        .and(Entry::FACETS.contains(Facet::case_study()))
        .and(Entry::PUBLISHED_AT.lte(now.minus(TimeDelta::days(LIBRARY_DAYS))));
    let new = Entry::published()
        .and(Entry::FACETS.contains(Facet::case_study()))
        .and(Entry::PUBLISHED_AT.gt(since));
    let events = Post::events().and(Post::STARTS_AT.gt(Some(due)));
    let posts = Post::published().and(Post::PUBLISHED_AT.gt(since));
    let steps = AdoptionStep::since(since);
    let newest = Entry::PUBLISHED_AT;
    let (posts, events, new, older, steps) = try_join5(
        store.find(posts, Post::PUBLISHED_AT.desc(), Page::first(POSTS)),
        store.find(events, Post::STARTS_AT.asc(), Page::first(EVENTS)),
        store.find(new, newest.desc(), Page::first(CASE_STUDIES)),
        store.find(older, newest.desc(), Page::first(CASE_STUDIES)),
        store.find(steps, AdoptionStep::AT.desc(), Page::first(ADOPTIONS)),
    )
    .await?;
    let adopted: Vec<Id<CaseStudy>> = distinct(steps.iter().map(|step| &step.case_study));
    let (notes, adopted) = try_join(notes(app, due), by_id(app, &adopted)).await?;
    let spread = steps.iter().filter_map(|step| Some(Spread::of(step, adopted.get(&step.case_study)?)));
    let entries = new.iter().filter_map(Candidate::of_entry);
    let mut pool = Pool {
        news: posts.iter().filter_map(Candidate::of_post).chain(entries).collect(),
        events: events.iter().filter_map(Candidate::of_post).collect(),
        library: older.iter().filter_map(Candidate::of_entry).collect(),
        spread: spread.collect(),
        notes,
    };
    locate(app, &mut pool).await?;
    Ok(pool)
}

/// The notes of the last weeks, the latest first, and what they put at the top.
pub(super) async fn notes(app: &App, due: Timestamp) -> Result<Vec<(Note, Option<Candidate>)>> {
    let week = monday(Date::of(due)).0;
    let weeks = (0..WEEKS).filter_map(|ago| week.checked_sub_days(Days::new(7 * ago)));
    let ids: Vec<_> = weeks.map(|week| Note::id_of(Date(week))).collect();
    let notes: Vec<Note> = app.store.get(&ids).await?.into_iter().flatten().collect();
    let (mut posts, mut entries) = (Vec::new(), Vec::new());
    for pinned in notes.iter().filter_map(|note| note.pinned.as_ref()) {
        match pinned {
            ContributionId::Post(id) => posts.push(id.clone()),
            ContributionId::CaseStudy(_) => entries.push(Entry::id_of(pinned)),
        }
    }
    let (posts, entries) = try_join(app.store.get(&posts), app.store.get(&entries)).await?;
    let posts = posts.iter().flatten().filter_map(Candidate::of_post);
    let entries = entries.iter().flatten().filter_map(Candidate::of_entry);
    let pinned: HashMap<ContributionId, Candidate> =
        posts.chain(entries).map(|candidate| (candidate.id.clone(), candidate)).collect();
    let with_pinned = |note: Note| {
        let pinned = note.pinned.as_ref().and_then(|id| pinned.get(id)).cloned();
        (note, pinned)
    };
    Ok(notes.into_iter().map(with_pinned).collect())
}

async fn locate(app: &App, pool: &mut Pool) -> Result<()> {
    let pinned = pool.notes.iter_mut().filter_map(|(_, pinned)| pinned.as_mut());
    let lists = [&mut pool.news, &mut pool.events, &mut pool.library];
    let mut all: Vec<&mut Candidate> = lists.into_iter().flatten().chain(pinned).collect();
    let ids: HashSet<_> =
        all.iter().filter_map(|candidate| candidate.organisations.first().cloned()).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let organisations = by_id(app, &ids).await?;
    for candidate in &mut all {
        candidate.locate(&organisations);
    }
    Ok(())
}
