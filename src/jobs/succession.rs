//! What follows to a successor: people first, then what they wrote, then what their organisation made of
//! others' case studies.
//!
//! What has followed is not found again, and each page is counted in the commit that moves it: whoever
//! runs the job, however often, and wherever a worker dies, everything follows once.

use super::Failure;
use crate::{
    actions::case_study,
    app::App,
    domain::{
        adoption::{Adoption, AdoptionStep},
        case_study::{CaseStudy, Edition, parts::NamedOrganisation},
        contribution::{ContributionId, State},
        entry::{Entry, Facet},
        job::{Job, Task},
        member::Member,
        organisation::Organisation,
        post::{Post, PostState},
        succession::{People, Stage, Succession},
    },
    error::{Result, StoreError},
    ids::Id,
    query::{Order, Page},
    store::{Batch, Guard},
};

/// Members and posts of one commit, and steps in the history of an adoption.
const AT_ONCE: usize = 100;
/// Case studies of one commit: each is large, and an edition of it is written too.
const CASE_STUDIES: usize = 10;
/// Commits before other jobs have their turn: they are done within seconds, which is far below a lease.
const PAGES: usize = 10;

/// Moves the next pages.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn run(app: &App, id: &Id<Succession>) -> Result<Batch, Failure> {
    for _ in 0..PAGES {
        let Some(mut succession) = app.store.one(id).await? else { return Ok(Batch::new()) };
        if succession.stage == Stage::Done {
            return Ok(Batch::new());
        }
        let Some(to) = app.store.one(&succession.to).await? else {
            return Err(Failure::Never("the successor is not in the directory any more".to_owned()));
        };
        let Moving { batch, last } = page(app, &mut succession, &to).await?;
        if last {
            succession.stage = succession.stage.next(succession.content);
            succession.finished_at = (succession.stage == Stage::Done).then(|| app.clock.now());
        }
        // Held to where the successor belongs, as what finds the people is made of it.
        let unchanged = Batch::new().require(&to.id, Guard::Version(to.version));
        match app.store.commit(batch.replace(&succession).and(unchanged)).await {
            Ok(()) => {}
            // Somebody changed one of them meanwhile, or another worker moved them: look again.
            Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rest = Task::Succeed { succession: id.clone() };
    Ok(Batch::new().insert(&Job::new(app.ids.fresh(), rest, app.clock.now())))
}

/// What is moved in one commit, and whether it is the last of its stage.
struct Moving {
    batch: Batch,
    last: bool,
}

impl Moving {
    fn of(batch: Batch, found: usize, at_once: usize) -> Self {
        Self { batch, last: found < at_once }
    }
}

async fn page(app: &App, succession: &mut Succession, to: &Organisation) -> Result<Moving> {
    match succession.stage {
        Stage::Members => members(app, succession, to).await,
        Stage::Posts => posts(app, succession).await,
        Stage::Authored => {
            let theirs = CaseStudy::ORGANISATION.eq(Some(succession.from.clone()));
            let found = app.store.find(theirs, Order::by_id(), Page::first(CASE_STUDIES)).await?;
            case_studies(app, succession, found.len(), found).await
        }
        Stage::CaseStudies => {
            let states = [State::Published, State::Archived, State::Hidden, State::Draft];
            let theirs = Entry::FACETS.contains(Facet::organisation(&succession.from));
            let theirs = theirs.and(Entry::STATE.is_in(states));
            let found = app.store.find(theirs, Entry::PUBLISHED_AT.desc(), Page::first(CASE_STUDIES)).await?;
            let id = |entry: &Entry| match &entry.contribution {
                ContributionId::CaseStudy(id) => Some(id.clone()),
                ContributionId::Post(_) => None,
            };
            let ids: Vec<Id<CaseStudy>> = found.iter().filter_map(id).collect();
            let loaded = app.store.get(&ids).await?.into_iter().flatten().collect();
            case_studies(app, succession, found.len(), loaded).await
        }
        Stage::Adoptions => adoption(app, succession).await,
        Stage::Done => Ok(Moving { batch: Batch::new(), last: true }),
    }
}

async fn members(app: &App, succession: &mut Succession, to: &Organisation) -> Result<Moving> {
    let from = Some(succession.from.clone());
    let (found, at_once) = match &succession.people {
        People::Nobody => (Vec::new(), AT_ONCE),
        People::All => {
            let theirs = Member::ORGANISATION.eq(from);
            (app.store.find(theirs, Order::by_id(), Page::first(AT_ONCE)).await?, AT_ONCE)
        }
        People::These(ids) => {
            let found = app.store.get(ids).await?.into_iter().flatten();
            (found.filter(|member: &Member| member.organisation == from).collect(), usize::MAX)
        }
    };
    succession.moved.members += found.len() as i64;
    let count = found.len();
    let batch = found.into_iter().fold(Batch::new(), |batch, mut member| {
        member.works_at(Some(to));
        batch.replace(&member)
    });
    Ok(Moving::of(batch, count, at_once))
}

/// An author's edit of a post is not out of date because it followed meanwhile: its edition stays.
async fn posts(app: &App, succession: &mut Succession) -> Result<Moving> {
    let states = [PostState::Published, PostState::Draft, PostState::Hidden, PostState::Deleted];
    let theirs = Post::ORGANISATION.eq(Some(succession.from.clone())).and(Post::STATE.is_in(states));
    let found = app.store.find(theirs, Post::PUBLISHED_AT.desc(), Page::first(AT_ONCE)).await?;
    let ids: Vec<Id<Entry>> = found.iter().map(|post| Entry::id_of(&(&post.id).into())).collect();
    let entries = app.store.get(&ids).await?;
    succession.moved.posts += found.len() as i64;
    let count = found.len();
    let mut batch = Batch::new();
    for (mut post, entry) in found.into_iter().zip(entries) {
        post.organisation = Some(succession.to.clone());
        batch = batch.replace(&post);
        if let Some(mut entry) = entry {
            entry.follow_post(&post);
            batch = batch.replace(&entry);
        }
    }
    Ok(Moving::of(batch, count, AT_ONCE))
}

/// A new version of each, as its content names organisations: whoever is editing one is told, and loses
/// nothing.
async fn case_studies(
    app: &App,
    succession: &mut Succession,
    count: usize,
    found: Vec<CaseStudy>,
) -> Result<Moving> {
    succession.moved.case_studies += found.len() as i64;
    let mut batch = Batch::new();
    for mut case_study in found {
        follow(&mut case_study, succession);
        let region = case_study::region(app, &case_study.content).await?;
        let entry = app.store.one(&Entry::id_of(&(&case_study.id).into())).await?;
        batch = batch.replace(&case_study);
        case_study.version += 1;
        batch = batch.insert(&Edition::of(&case_study));
        if let Some(mut entry) = entry {
            entry.follow(&case_study, region.as_deref());
            batch = batch.replace(&entry);
        }
    }
    Ok(Moving::of(batch, count, CASE_STUDIES))
}

/// Has a case study name the successor wherever it named its predecessor, once.
fn follow(case_study: &mut CaseStudy, succession: &Succession) {
    let Succession { from, to, .. } = succession;
    let follow = |named: &mut NamedOrganisation| {
        if named.id() == Some(from) {
            *named = NamedOrganisation::Known(to.clone());
        }
    };
    if case_study.organisation.as_ref() == Some(from) {
        case_study.organisation = Some(to.clone());
    }
    let content = &mut case_study.content;
    content.lead_organisation.as_mut().into_iter().for_each(follow);
    content.partner_organisations.iter_mut().for_each(follow);
    let mut named: Vec<NamedOrganisation> = content.lead_organisation.iter().cloned().collect();
    content.partner_organisations.retain(|partner| {
        let new = !named.contains(partner);
        named.push(partner.clone());
        new
    });
}

/// One record, with its history. Where the successor has one of its own, that one stands, and the history
/// joins it.
async fn adoption(app: &App, succession: &mut Succession) -> Result<Moving> {
    let theirs = Adoption::ORGANISATION.eq(succession.from.clone());
    let found = app.store.find(theirs, Adoption::UPDATED_AT.desc(), Page::first(1)).await?;
    let Some(before) = found.into_iter().next() else {
        return Ok(Moving { batch: Batch::new(), last: true });
    };
    let id = Adoption::id_of(&before.case_study, &succession.to);
    let steps = AdoptionStep::ADOPTION.eq(before.id.clone());
    let steps = app.store.find(steps, AdoptionStep::AT.desc(), Page::first(AT_ONCE)).await?;
    let mut batch = steps.iter().fold(Batch::new(), |batch, step| {
        let (adoption, organisation) = (id.clone(), succession.to.clone());
        batch.replace(&AdoptionStep { adoption, organisation, ..step.clone() })
    });
    // The rest of its history comes with the next page.
    if steps.len() == AT_ONCE {
        return Ok(Moving { batch, last: false });
    }
    let successors_own = app.store.one(&id).await?;
    let entry = app.store.one(&Entry::id_of(&(&before.case_study).into())).await?;
    batch = batch.delete(&before.id, Guard::Version(before.version));
    let status = before.record.status;
    if let Some(mut entry) = entry {
        entry.forget_adoption(&succession.from, status);
        if successors_own.is_none() {
            entry.count_adoption(&succession.to, None, status);
        }
        batch = batch.replace(&entry);
    }
    batch = match successors_own {
        None => batch.insert(&Adoption { id, version: 1, organisation: succession.to.clone(), ..before }),
        Some(own) => batch.require(&own.id, Guard::Present),
    };
    succession.moved.adoptions += 1;
    Ok(Moving { batch, last: false })
}
