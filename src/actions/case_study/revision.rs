//! What a case study said before: revisions for its readers, editions for those who write it together.

use super::super::{
    access::Viewer,
    revision::{self, Edit},
};
use crate::{
    app::App,
    domain::{
        case_study::{CaseStudy, Edition, changes::changes},
        contribution::State,
    },
    error::Result,
    query::Page,
    store::{Batch, Guard},
};

/// Editions deleted with their case study: far more than anybody has saved one.
const EDITIONS_MAX: usize = 10_000;

/// What readers saw before an edit. What a moderator takes out of what is hidden is what nobody may read:
/// of that nothing is kept, for its authors neither.
pub(super) async fn keep(
    app: &App,
    viewer: &Viewer,
    before: &CaseStudy,
    after: &CaseStudy,
) -> Result<(Batch, i64)> {
    if before.state == State::Hidden {
        return Ok((forget(app, before).await?, 0));
    }
    if before.state != State::Published {
        return Ok((Batch::new(), before.revisions));
    }
    let mut changes = changes(&before.content, &after.content);
    changes.extend(revision::topics(app, &before.content.topics, &after.content.topics).await?);
    changes.extend(revision::attachments(app, &before.attachments, &after.attachments).await?);
    let written = (&before.updated_by, before.updated_at);
    let edit = Edit { of: &before.id, kept: before.revisions, written, changes };
    Ok(revision::keep(viewer, app.clock.now(), edit))
}

/// Takes what it ever said away with it.
pub(super) async fn forget(app: &App, case_study: &CaseStudy) -> Result<Batch> {
    let order = Edition::EDITION.desc();
    let all =
        app.store.find(Edition::of_case_study(&case_study.id), order, Page::first(EDITIONS_MAX)).await?;
    let revisions = revision::forget(&case_study.id, case_study.revisions);
    Ok(all.iter().fold(revisions, |batch, edition| batch.delete(&edition.id, Guard::Present)))
}
