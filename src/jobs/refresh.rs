//! Bringing what finds members and case studies up to date, and the directory, as time passes.

use super::Failure;
use crate::{
    actions::{contribution, peer},
    app::App,
    domain::{
        contribution::{ContributionId, State},
        directory::DirectoryEntry,
        entry::{Entry, Facet},
        job::{Job, Task},
        member::Member,
        organisation::Organisation,
    },
    error::{Result, StoreError},
    ids::Id,
    query::{Order, Page, Scalar, position},
    store::{Batch, Guard},
};

/// Documents of one commit.
const AT_ONCE: usize = 100;
/// Commits before other jobs have their turn.
const PAGES: usize = 10;

/// Brings what finds a member up to date.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn member(app: &App, id: &Id<Member>) -> Result<Batch, Failure> {
    peer::refresh(app, id).await?;
    Ok(Batch::new())
}

/// The same for the authors of a contribution: they are found by what it is about.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn authors(app: &App, id: &ContributionId) -> Result<Batch, Failure> {
    let Some(found) = contribution::find(app, id).await? else { return Ok(Batch::new()) };
    for author in found.authors() {
        peer::refresh(app, author).await?;
    }
    Ok(Batch::new())
}

/// Brings what finds the people of an organisation up to date, then its case studies. Each page holds only
/// while the organisation is as it was read, so that of two such jobs the later one has the last word.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn organisation(
    app: &App,
    id: &Id<Organisation>,
    after: Option<&Id<Member>>,
) -> Result<Batch, Failure> {
    let mut after = after.cloned();
    for _ in 0..PAGES {
        let Some(organisation) = app.store.one(id).await? else { return Ok(Batch::new()) };
        let start = after.as_ref().map(|after| vec![after.value()]);
        let people = Member::ORGANISATION.eq(id.clone());
        let page = app.store.find(people, Order::by_id(), Page::first(AT_ONCE).after(start)).await?;
        let unchanged = Batch::new().require(id, Guard::Version(organisation.version));
        let moved = page.iter().fold(Batch::new(), |batch, member| {
            let mut now = member.clone();
            now.works_at(Some(&organisation));
            if now == *member { batch } else { batch.replace(&now) }
        });
        let outcome = if moved.is_empty() { Ok(()) } else { app.store.commit(moved.and(unchanged)).await };
        match outcome {
            Ok(()) => {}
            // Somebody of them, or the organisation, was changed meanwhile: look again.
            Err(StoreError::Stale { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        if page.len() < AT_ONCE {
            case_studies(app, &organisation).await?;
            return Ok(Batch::new());
        }
        after = page.last().map(|last| last.id.clone());
    }
    let rest = Task::RefreshOrganisation { organisation: id.clone(), after };
    Ok(Batch::new().insert(&Job::new(app.ids.fresh(), rest, app.clock.now())))
}

/// Case studies are found by the region of the organisation that leads them.
async fn case_studies(app: &App, organisation: &Organisation) -> Result<()> {
    let order = Entry::PUBLISHED_AT.desc();
    let mut start = None;
    loop {
        let states = [State::Published, State::Archived, State::Hidden, State::Draft];
        let theirs = Entry::FACETS.contains(Facet::organisation(&organisation.id));
        let theirs = theirs.and(Entry::STATE.is_in(states));
        let page = app.store.find(theirs, order.clone(), Page::first(AT_ONCE).after(start)).await?;
        for entry in &page {
            case_study(app, organisation, entry).await?;
        }
        let Some(last) = page.last().filter(|_| page.len() == AT_ONCE) else { return Ok(()) };
        start = Some(position(&serde_json::to_value(last).unwrap_or_default(), &order.keys()));
    }
}

async fn case_study(app: &App, organisation: &Organisation, entry: &Entry) -> Result<()> {
    let ContributionId::CaseStudy(id) = &entry.contribution else { return Ok(()) };
    let change = |entry: &mut Entry| -> Result<((), Batch)> {
        entry.lead_by(organisation.region.as_deref());
        Ok(((), Batch::new()))
    };
    let Some(case_study) = app.store.one(id).await? else { return Ok(()) };
    let lead = case_study.content.lead_organisation.as_ref().and_then(|lead| lead.id());
    let mut now = entry.clone();
    now.lead_by(organisation.region.as_deref());
    if lead == Some(&organisation.id) && now != *entry {
        app.store.change(&entry.id, change).await?;
    }
    Ok(())
}

/// Marks organisations as closed in the directory whose last day is over, and returns how many entries
/// that are. Any number of workers may do so at once.
///
/// # Errors
/// When the store is away.
pub async fn close(app: &App) -> Result<usize> {
    let due = DirectoryEntry::closing(app.clock.now());
    let entries = app.store.find(due, DirectoryEntry::CLOSES_AT.asc(), Page::first(AT_ONCE)).await?;
    for entry in &entries {
        let changes = [DirectoryEntry::CLOSED.set(true), DirectoryEntry::CLOSES_AT.set(None)];
        match app.store.commit(Batch::new().patch(&entry.id, Guard::Version(entry.version), changes)).await {
            // Somebody else closes it, or changes it.
            Ok(()) | Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(entries.len())
}
