//! Case studies: write, change, publish, archive, delete, list.

mod list;
mod references;
mod revision;

pub use self::list::{CaseStudyFilter, CaseStudyOrder, published};
pub use self::references::region;
use self::{
    references::References,
    revision::{forget, keep},
};
use super::{
    access::Viewer,
    activity::happened,
    attachment,
    audit::{Act, Concerned, Override, Taken, acted_on_others},
    follow, legal_hold,
    once::{Decision, Request, once},
    tag,
};
use crate::{
    app::App,
    domain::{
        activity::What,
        audit::{AuditAction, Facts, Place},
        calendar::Date,
        case_study::{
            CaseStudy, Edition,
            content::Content,
            default_review_date,
            problems::Problems,
            publishing::{lacks, review_date_problem},
            typed::TypedContent,
        },
        contribution::{ContributionId, State},
        entry::Entry,
        guard::Acknowledged,
        member::Member,
        sight::{Removal, Seen},
        tag::Carried,
        thread::Thread,
    },
    error::{Code, Error, Problem, Result, forbidden, not_found},
    ids::Id,
    store::{Batch, Guard},
};

/// What authors send: of a new case study, or of what changes. `None` leaves a part as it is.
pub struct Changes {
    pub title: Option<String>,
    pub content: TypedContent,
    /// Ids of members.
    pub co_authors: Option<Vec<String>>,
    /// All that it is to have from now on: the viewer's own unused ones, and any that it has.
    pub attachments: Option<Vec<String>>,
    /// What the authors said about the guard's warnings.
    pub acknowledged: Acknowledged,
    /// A moderator's reason to take it whatever the guard finds.
    pub overridden: Option<Override>,
}

/// Begins a case study: a draft that its authors see, and its thread. It needs only a title.
///
/// # Errors
/// Every problem of the content at once, each with its field.
pub async fn create(app: &App, viewer: &Viewer, new: &Changes, request: &Request) -> Result<CaseStudy> {
    once(app, viewer, request, || async {
        let (id, now) = (app.ids.fresh(), app.clock.now());
        let thread = Thread::opened(&id, now);
        let mut case_study = CaseStudy {
            id,
            version: 1,
            state: State::Draft,
            author: viewer.id.clone(),
            organisation: viewer.organisation.clone(),
            co_authors: Vec::new(),
            content: Content::default(),
            attachments: Vec::new(),
            thread: thread.id.clone(),
            created_at: now,
            published_at: None,
            updated_at: now,
            updated_by: viewer.id.clone(),
            revisions: 0,
            removed: None,
        };
        let taken = Taken::of(viewer, new.acknowledged, new.overridden.as_ref())?;
        let title = new.title.as_deref().unwrap_or_default();
        let wanted = new.attachments.as_deref();
        let attached = attachment::attach(app, viewer, &(&case_study.id).into(), &[], wanted).await?;
        let read = take(app, viewer, &mut case_study, Some(title), new, taken.acknowledged).await;
        let ((references, found), attached) = attached.with(read)?;
        case_study.attachments = attached.ids;
        let entry = Entry::of_case_study(&case_study, references.region.as_deref());
        let tags =
            tag::followed(app, &Carried::none(), &case_study.carried(), &case_study.content.tags).await?;
        let batch = Batch::new()
            .insert(&case_study)
            .insert(&thread)
            .insert(&entry)
            .insert(&Edition::of(&case_study))
            .and(follow::begun(app, viewer, &thread.id))
            .and(tags)
            .and(attached.batch)
            .and(taken.audited(app, viewer, case_study.id.as_str(), found));
        Ok(Decision { result: case_study, batch })
    })
    .await
}

/// Changes a case study that has not changed since `expected_version`. What is published stays
/// complete.
///
/// # Errors
/// `Stale` when somebody else was faster ([`yours`] then keeps what was sent); problems of the
/// content; not found, forbidden.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: &Id<CaseStudy>,
    expected_version: i64,
    changes: &Changes,
    request: &Request,
) -> Result<CaseStudy> {
    once(app, viewer, request, || async {
        let mut case_study = editable(app, viewer, id).await?;
        check_version(&case_study, Some(expected_version))?;
        let before = case_study.clone();
        let carried = case_study.carried();
        let taken = Taken::of(viewer, changes.acknowledged, changes.overridden.as_ref())?;
        let title = changes.title.as_deref();
        let (to, wanted) = ((&case_study.id).into(), changes.attachments.as_deref());
        let attached = attachment::attach(app, viewer, &to, &case_study.attachments, wanted).await?;
        let read = take(app, viewer, &mut case_study, title, changes, taken.acknowledged).await;
        let ((references, found), attached) = attached.with(read)?;
        case_study.attachments = attached.ids;
        let (kept, revisions) = keep(app, viewer, &before, &case_study).await?;
        case_study.revisions = revisions;
        let audited = audited(app, viewer, &case_study, AuditAction::EditContent, case_study.state)
            .and(taken.audited(app, viewer, id.as_str(), found));
        let mut decision = written(app, viewer, case_study, &carried, references.region.as_deref()).await?;
        let told = changed(app, viewer, &decision.result);
        decision.batch = decision.batch.and(kept).and(attached.batch).and(told).and(audited);
        Ok(decision)
    })
    .await
}

/// What a change that came too late would have made of the version that it was based on, with its
/// problems: to be put beside what is there now. Nothing is written.
///
/// # Errors
/// Not found, forbidden.
pub async fn yours(
    app: &App,
    viewer: &Viewer,
    id: &Id<CaseStudy>,
    expected_version: i64,
    changes: &Changes,
) -> Result<(CaseStudy, Vec<Problem>)> {
    let mut case_study = editable(app, viewer, id).await?;
    if let Some(edition) = app.store.one(&Edition::id_of(id, expected_version)).await? {
        case_study.content = edition.content;
        case_study.version = expected_version;
        case_study.updated_at = edition.at;
        case_study.updated_by = edition.by;
    }
    let mut problems = Problems::with(changes.acknowledged);
    case_study.content.take(changes.title.as_deref(), &changes.content, &mut problems);
    Ok((case_study, problems.into_vec()))
}

/// Shows a draft to every member, or again what was archived. One that is published already stays as
/// it is.
///
/// # Errors
/// Everything that it still lacks, each with its field; `Stale`, not found, forbidden.
pub async fn publish(
    app: &App,
    viewer: &Viewer,
    id: &Id<CaseStudy>,
    expected_version: Option<i64>,
    request: &Request,
) -> Result<CaseStudy> {
    once(app, viewer, request, || async {
        let mut case_study = editable(app, viewer, id).await?;
        if case_study.state == State::Published {
            return Ok(Decision { result: case_study, batch: Batch::new() });
        }
        if case_study.state == State::Hidden {
            let message = "It is hidden. Restore it instead.";
            return Err(Error::refused("id", Code::WrongState, message));
        }
        check_version(&case_study, expected_version)?;
        let before = case_study.state;
        let (now, today) = (app.clock.now(), Date::of(app.clock.now()));
        let carried = case_study.carried();
        let content = &mut case_study.content;
        let mut problems = lacks(content);
        problems.extend(review_date_problem(content.review_date, today));
        if case_study.author == viewer.id {
            problems.extend(viewer.problem_with_topics(&content.topics));
        }
        if !problems.is_empty() {
            return Err(Error::Refused(problems));
        }
        content.review_date.get_or_insert(default_review_date(today));
        case_study.state = State::Published;
        // What comes back from the archive is no news.
        let is_new = case_study.published_at.is_none();
        case_study.published_at.get_or_insert(now);
        let region = references::region(app, &case_study.content).await?;
        let audited = audited(app, viewer, &case_study, AuditAction::PublishContent, before);
        let mut decision = written(app, viewer, case_study, &carried, region.as_deref()).await?;
        decision.batch = decision.batch.and(audited);
        if is_new {
            let contribution = (&decision.result.id).into();
            let told = What::Published { contribution };
            decision.batch =
                decision.batch.and(happened(app, viewer, told, &decision.result.thread, Vec::new()));
        }
        Ok(decision)
    })
    .await
}

/// Takes a published case study off every list; its authors and moderators still see it.
///
/// # Errors
/// `WRONG_STATE` for a draft; `Stale`, not found, forbidden.
pub async fn archive(
    app: &App,
    viewer: &Viewer,
    id: &Id<CaseStudy>,
    expected_version: Option<i64>,
    request: &Request,
) -> Result<CaseStudy> {
    once(app, viewer, request, || async {
        let mut case_study = editable(app, viewer, id).await?;
        if case_study.state == State::Archived {
            return Ok(Decision { result: case_study, batch: Batch::new() });
        }
        check_version(&case_study, expected_version)?;
        if case_study.state != State::Published {
            let message = "Only a published case study can be archived. Delete a draft instead.";
            return Err(Error::refused("id", Code::WrongState, message));
        }
        let (told, carried) = (changed(app, viewer, &case_study), case_study.carried());
        case_study.state = State::Archived;
        let audited = audited(app, viewer, &case_study, AuditAction::ArchiveContent, State::Published);
        let region = references::region(app, &case_study.content).await?;
        let mut decision = written(app, viewer, case_study, &carried, region.as_deref()).await?;
        decision.batch = decision.batch.and(told).and(audited);
        Ok(decision)
    })
    .await
}

/// Takes a case study's words away, in all its editions. What is left of one that others have seen is a
/// tombstone, with its thread to read.
///
/// # Errors
/// `Stale`, not found, forbidden.
pub async fn delete(
    app: &App,
    viewer: &Viewer,
    id: &Id<CaseStudy>,
    expected_version: Option<i64>,
    request: &Request,
) -> Result<CaseStudy> {
    once(app, viewer, request, || async {
        let mut case_study = editable(app, viewer, id).await?;
        if !case_study.can_own(viewer) {
            return Err(forbidden("Only the member who began it and moderators can delete a case study."));
        }
        check_version(&case_study, expected_version)?;
        legal_hold::not_held(app, case_study.authors()).await?;
        let (told, carried) = (changed(app, viewer, &case_study), case_study.carried());
        let before = case_study.state;
        let was = case_study.removed.as_ref().map_or(before, |removal| removal.before);
        let forgotten = forget(app, &case_study)
            .await?
            .and(attachment::release(app, &(&case_study.id).into(), &case_study.attachments))
            .patch(&case_study.thread, Guard::Present, [Thread::CLOSED.set(true)]);
        case_study.delete(Removal::deleted(case_study.author == viewer.id, app.clock.now(), was));
        let audited = audited(app, viewer, &case_study, AuditAction::DeleteContent, before);
        let mut decision = written(app, viewer, case_study, &carried, None).await?;
        decision.batch = decision.batch.and(forgotten).and(told).and(audited);
        Ok(decision)
    })
    .await
}

/// The audit log's entry of what a moderator did to somebody else's case study.
fn audited(app: &App, viewer: &Viewer, case_study: &CaseStudy, action: AuditAction, before: State) -> Batch {
    let facts = |state, version| Facts { version: Some(version), ..Facts::state(state) };
    let (before, after) =
        (facts(before, case_study.version), facts(case_study.state, case_study.version + 1));
    let act = Act::new(action, case_study.id.as_str()).changed(before, after);
    acted_on_others(app, viewer, act, &Concerned::case_study(case_study))
}

/// What is told of a change: nothing of a draft's.
fn changed(app: &App, viewer: &Viewer, case_study: &CaseStudy) -> Batch {
    if case_study.state != State::Published {
        return Batch::new();
    }
    let what = What::Changed { contribution: (&case_study.id).into() };
    happened(app, viewer, what, &case_study.thread, Vec::new())
}

/// The case study as the viewer sees it.
///
/// # Errors
/// When the store fails.
pub async fn visible(app: &App, viewer: &Viewer, id: &Id<CaseStudy>) -> Result<Option<CaseStudy>> {
    Ok(app.store.one(id).await?.and_then(|case_study| case_study.as_seen_by(viewer)))
}

async fn editable(app: &App, viewer: &Viewer, id: &Id<CaseStudy>) -> Result<CaseStudy> {
    let found = app.store.one(id).await?.filter(|found| found.can_see(viewer));
    let case_study = found.ok_or_else(|| not_found("case study"))?;
    if case_study.can_edit(viewer) {
        return Ok(case_study);
    }
    Err(forbidden(match case_study.state {
        State::Hidden => "It is hidden. Its authors can change it once a moderator has restored it.",
        _ => "Only its authors and moderators can change a case study.",
    }))
}

fn check_version(case_study: &CaseStudy, expected: Option<i64>) -> Result<()> {
    match expected {
        Some(version) if version != case_study.version => Err(Error::Stale),
        _ => Ok(()),
    }
}

/// Takes over what was sent. Every problem at once: of the form, of what it refers to, and of what a
/// published case study may not lack.
async fn take(
    app: &App,
    viewer: &Viewer,
    case_study: &mut CaseStudy,
    title: Option<&str>,
    changes: &Changes,
    acknowledged: Acknowledged,
) -> Result<(References, Vec<Place>)> {
    let before = case_study.content.clone();
    let mut problems = Problems::with(acknowledged);
    case_study.content.take(title, &changes.content, &mut problems);
    if let Some(wanted) = &changes.co_authors {
        let co_authors = references::co_authors(&case_study.author, wanted, &mut problems);
        check_co_authors(viewer, case_study, &co_authors)?;
        case_study.co_authors = co_authors;
    }
    let references = References::load(app, case_study, &before, changes, &mut problems).await?;
    let overridden = problems.overridden();
    let mut problems = problems.into_vec();
    if changes.content.review_date.value().is_some() {
        let today = Date::of(app.clock.now());
        problems.extend(review_date_problem(case_study.content.review_date, today));
    }
    if matches!(case_study.state, State::Published | State::Hidden) {
        let said = |problem: &Problem| problems.iter().any(|other| other.field.starts_with(&problem.field));
        let lacking: Vec<Problem> = lacks(&case_study.content).into_iter().filter(|one| !said(one)).collect();
        problems.extend(lacking);
        if case_study.content.topics != before.topics {
            problems.extend(viewer.problem_with_topics(&case_study.content.topics));
        }
        case_study.content.review_date.get_or_insert(default_review_date(Date::of(app.clock.now())));
    }
    if problems.is_empty() { Ok((references, overridden)) } else { Err(Error::Refused(problems)) }
}

/// Whoever began it says who edits it; a co-author can only leave.
fn check_co_authors(viewer: &Viewer, case_study: &CaseStudy, wanted: &[Id<Member>]) -> Result<()> {
    let without_viewer = case_study.co_authors.iter().filter(|id| **id != viewer.id);
    let leaves = without_viewer.eq(wanted.iter());
    if case_study.can_own(viewer) || leaves || *wanted == case_study.co_authors {
        return Ok(());
    }
    Err(forbidden("Only the member who began it and moderators can say who edits a case study."))
}

/// The next version of a case study, its edition, its entry and its tags, in one commit.
async fn written(
    app: &App,
    viewer: &Viewer,
    mut case_study: CaseStudy,
    carried: &Carried,
    region: Option<&str>,
) -> Result<Decision<CaseStudy>> {
    case_study.updated_at = app.clock.now();
    case_study.updated_by = viewer.id.clone();
    let entry = app.store.one(&Entry::id_of(&ContributionId::from(&case_study.id))).await?;
    let tags = tag::followed(app, carried, &case_study.carried(), &case_study.content.tags).await?;
    let batch = Batch::new().replace(&case_study).and(tags);
    case_study.version += 1;
    let batch = match entry {
        Some(mut entry) => {
            entry.follow(&case_study, region);
            batch.replace(&entry)
        }
        None => batch.insert(&Entry::of_case_study(&case_study, region)),
    };
    let batch = batch.insert(&Edition::of(&case_study));
    Ok(Decision { result: case_study, batch })
}
