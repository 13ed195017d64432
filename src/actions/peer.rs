//! Finding peers: the list of members, and keeping what finds them up to date.

use std::collections::BTreeSet;

use super::{ROUNDS, access::Viewer, lost_every_round, page::Listing, pause};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        entry::{Entry, Facet},
        follow::{Follow, INTERESTS_MAX, Stance, Target},
        job::{Job, Task},
        member::Member,
        profile::{CONTRIBUTIONS_MAX, PeerFilter},
        topic::Topic,
    },
    error::{Result, StoreError},
    ids::Id,
    query::{Order, Page},
    store::{Batch, Guard},
};

/// Members by name. A proof of membership is all that seeing them takes; what each shows of themself is
/// another matter ([`Member::shows`]), and nothing that they don't show finds them. Nor does
/// what they wrote about, where the viewer is a partner who was not invited to that.
#[must_use]
pub fn members(viewer: &Viewer, wanted: &PeerFilter, now: Timestamp) -> Listing<Member> {
    let mut wanted = wanted.clone();
    if wanted.topic.as_ref().is_some_and(|topic| !viewer.reaches(std::slice::from_ref(topic))) {
        wanted.topic = Some(Id::of(""));
    }
    let listed = Member::listed(now).and(Member::named(wanted.starts_with.as_deref().unwrap_or_default()));
    let asked = wanted.facets().into_iter().map(|facet| Member::FACETS.contains(facet));
    let filter = match asked.reduce(crate::query::Filter::and) {
        Some(asked) => asked.and(listed),
        None => listed,
    };
    Listing { name: "members", filter, order: Member::FOLDED_NAME.asc() }
}

/// The job that brings what finds a member up to date, for the commit of what changes it.
pub(super) fn refreshing(app: &App, member: &Id<Member>) -> Batch {
    let task = Task::RefreshMember { member: member.clone() };
    Batch::new().insert(&Job::new(app.ids.fresh(), task, app.clock.now()))
}

/// Brings what finds a member up to date: where they work, and the topics that they follow or wrote
/// about. All of it is read again, so that it may be done late, twice, or in another order.
///
/// # Errors
/// When the store fails.
pub async fn refresh(app: &App, id: &Id<Member>) -> Result<()> {
    for round in 0..ROUNDS {
        let Some(mut member) = app.store.one(id).await? else { return Ok(()) };
        let before = member.profile.clone();
        member.rename(member.name.clone());
        let organisation = match &member.organisation {
            Some(id) => app.store.one(id).await?,
            None => None,
        };
        // One that is not in the directory any more stays the member's.
        let mut unchanged = Batch::new();
        if let Some(organisation) = &organisation {
            member.works_at(Some(organisation));
            unchanged = unchanged.require(&organisation.id, Guard::Version(organisation.version));
        }
        member.profile.moves_in(&topics_of(app, id).await?);
        if member.profile == before {
            return Ok(());
        }
        match app.store.commit(Batch::new().replace(&member).and(unchanged)).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Stale { .. }) => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(lost_every_round())
}

/// The topics that a member follows, and those of their latest published contributions.
async fn topics_of(app: &App, id: &Id<Member>) -> Result<BTreeSet<Id<Topic>>> {
    let interests = Page::first(usize::try_from(2 * INTERESTS_MAX).unwrap_or_default());
    let follows = app.store.find(Follow::interests_of(id), Order::by_id(), interests);
    let theirs = Entry::FACETS.contains(Facet::author(id)).and(Entry::published());
    let latest = Page::first(CONTRIBUTIONS_MAX);
    let wrote = app.store.find(theirs, Entry::PUBLISHED_AT.desc(), latest);
    let (follows, wrote) = futures_util::future::try_join(follows, wrote).await?;
    let followed = follows.into_iter().filter(|follow| follow.stance == Stance::Following);
    let targets = followed.map(|follow| follow.target).chain(wrote.iter().flat_map(Entry::targets));
    let topic = |target| match target {
        Target::Topic(topic) => Some(topic),
        _ => None,
    };
    Ok(targets.filter_map(topic).collect())
}
