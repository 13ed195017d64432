//! What tells who somebody was goes from all that anybody wrote.
//!
//! All of it is looked at, one time: a name may stand anywhere, and an erasure is rare.

use serde_json::Value as Json;

use super::Step;
use crate::{
    app::App,
    domain::{
        adoption::{Adoption, AdoptionStep},
        attachment::Attachment,
        audit::AuditEntry,
        case_study::{CaseStudy, Edition},
        comment::Comment,
        erasure::{Erasure, Stage, Traces},
        member::Member,
        post::Post,
        report::Report,
        revision::Revision,
    },
    error::{Error, Result},
    query::{Document, Filter, Order, Page, Scalar},
    store::Batch,
};

/// Documents that are looked at for one commit.
const AT_ONCE: usize = 100;

/// `None`, where nothing is rewritten in this stage.
pub(super) async fn step(app: &App, erasure: &Erasure) -> Result<Option<Step>> {
    let Some(traces) = &erasure.traces else { return Ok(None) };
    let page = Pages { app, after: erasure.after.as_deref() };
    Ok(Some(match erasure.stage {
        Stage::Posts => page.texts::<Post>(traces).await?,
        Stage::Comments => page.texts::<Comment>(traces).await?,
        Stage::CaseStudies => page.next(|found| case_study(traces, found)).await?,
        Stage::Editions => page.texts::<Edition>(traces).await?,
        Stage::Revisions => page.next(|found| revision(traces, found)).await?,
        Stage::Adoptions => page.texts::<Adoption>(traces).await?,
        Stage::AdoptionSteps => page.texts::<AdoptionStep>(traces).await?,
        Stage::Reports => page.texts::<Report>(traces).await?,
        Stage::AuditEntries => page.texts::<AuditEntry>(traces).await?,
        Stage::FileNames => page.texts::<Attachment>(traces).await?,
        Stage::Suspensions => page.next(|found| suspension(traces, found)).await?,
        _ => return Ok(None),
    }))
}

struct Pages<'a> {
    app: &'a App,
    after: Option<&'a str>,
}

impl Pages<'_> {
    /// The next page, with what has to be written of each document.
    async fn next<D: Document>(&self, rewritten: impl Fn(&D) -> Result<Batch>) -> Result<Step> {
        let after = self.after.map(|after| vec![after.to_owned().value()]);
        let page = Page::first(AT_ONCE).after(after);
        let page: Vec<D> = self.app.store.find(Filter::all(), Order::by_id(), page).await?;
        let mut batch = Batch::new();
        for document in &page {
            batch = batch.and(rewritten(document)?);
        }
        let after = page.last().map(|last| last.id().as_str().to_owned());
        Ok(Step { batch, after, last: page.len() < AT_ONCE })
    }

    async fn texts<D: Document>(&self, traces: &Traces) -> Result<Step> {
        let written = |found: &D| Ok(clean(traces, found)?.iter().fold(Batch::new(), Batch::replace));
        self.next(written).await
    }
}

/// The document without traces, if there are any in it.
fn clean<D: Document>(traces: &Traces, document: &D) -> Result<Option<D>> {
    let failed = |error: serde_json::Error| Error::Fault(format!("a document can't be rewritten: {error}"));
    let before = serde_json::to_value(document).map_err(failed)?;
    let mut after: Json = before.clone();
    traces.rewrite(&mut after);
    if after == before { Ok(None) } else { serde_json::from_value(after).map(Some).map_err(failed) }
}

/// With the edition that belongs to its next version.
fn case_study(traces: &Traces, found: &CaseStudy) -> Result<Batch> {
    let Some(mut clean) = clean(traces, found)? else { return Ok(Batch::new()) };
    let batch = Batch::new().replace(&clean);
    clean.version += 1;
    Ok(batch.insert(&Edition::of(&clean)))
}

fn revision(traces: &Traces, found: &Revision) -> Result<Batch> {
    let changes = found.changes.iter().map(|change| traces.change(change)).collect();
    let clean = Revision { changes, ..found.clone() };
    Ok(if clean == *found { Batch::new() } else { Batch::new().replace(&clean) })
}

/// Of other members the reasons why they are kept out, and of programs what they are called.
fn suspension(traces: &Traces, found: &Member) -> Result<Batch> {
    let mut clean = found.clone();
    if let Some(suspension) = &mut clean.suspension {
        suspension.reason = traces.text(&suspension.reason);
    }
    if clean.owner.is_some() {
        clean.rename(traces.text(&found.name));
        clean.job_title = found.job_title.as_deref().map(|purpose| traces.text(purpose));
    }
    Ok(if clean == *found { Batch::new() } else { Batch::new().replace(&clean) })
}
