//! The directory, taken over from files.

use std::collections::{BTreeSet, HashMap};

use super::{
    rows::{Row, parse},
    written,
};
use crate::{
    app::App,
    domain::{
        calendar::Date,
        directory::DirectoryEntry,
        organisation::{OdsCode, Organisation},
    },
    error::{Error, Result},
    ids::Id,
    query::{Order, Page},
    store::{Batch, StoreError},
};

/// Rows written together: enough to be quick, few enough to be one small transaction.
const CHUNK: usize = 200;
/// Entries in the directory of the organisations of a chunk: many more than they have names.
const ENTRIES_MAX: usize = CHUNK * 100;
/// The integrated care boards since 2022, with what became of them.
const ICBS: &str = include_str!("../../../config/icbs.csv");

/// What an import did, row by row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub rows: usize,
    pub added: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub refused: Vec<Refusal>,
}

/// A row that was not taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    pub line: u64,
    pub reason: String,
}

/// Takes over a file of the Organisation Data Service, or of integrated care boards with their successors.
/// Safe to repeat: what is the same stays untouched, and so does what administrators say of an
/// organisation. Rows that can't be read are refused one by one, and the rest is imported. `kind` is the
/// type of those that have none; without it, it is guessed from their names.
///
/// # Errors
/// When the store fails. What was imported until then stays.
pub async fn import(app: &App, file: &[u8], kind: Option<&str>, progress: impl Fn(usize)) -> Result<Report> {
    let mut report = Report::default();
    let rows = parse(file, kind, &mut report);
    let (rows, ids) = with_successors(app, rows, &mut report).await?;
    for chunk in rows.chunks(CHUNK) {
        import_chunk(app, chunk, &ids, &mut report).await.map_err(disturbed)?;
        progress(chunk.len());
    }
    report.refused.sort_by_key(|refusal| refusal.line);
    Ok(report)
}

/// Adds the integrated care boards that are missing. Those that are there stay as they are: a file that
/// was imported since knows more.
///
/// # Errors
/// When the store fails.
pub async fn seed(app: &App) -> Result<()> {
    let mut report = Report::default();
    let rows = parse(ICBS.as_bytes(), None, &mut report);
    let stored = stored(app, rows.iter().map(|row| row.code.clone())).await?;
    let (rows, ids) = with_successors(app, rows, &mut report).await?;
    let missing: Vec<Row> = rows.into_iter().filter(|row| !stored.contains_key(&row.code)).collect();
    match import_chunk(app, &missing, &ids, &mut report).await {
        // Another process that started at the same moment added them.
        Err(Error::Store(StoreError::Conflict { .. })) => Ok(()),
        outcome => outcome,
    }
}

fn disturbed(error: Error) -> Error {
    match error {
        Error::Store(StoreError::Stale { .. } | StoreError::Conflict { .. }) => {
            Error::Store(StoreError::Unavailable(
                "Organisations were changed by somebody else at the same time. Run the import again."
                    .to_owned(),
            ))
        }
        error => error,
    }
}

/// The ids of organisations that rows name as successors: as they are stored, or as they will be. Rows
/// with one that is nowhere are refused.
async fn with_successors(
    app: &App,
    rows: Vec<Row>,
    report: &mut Report,
) -> Result<(Vec<Row>, HashMap<OdsCode, Id<Organisation>>)> {
    let named: BTreeSet<OdsCode> = rows.iter().flat_map(|row| row.successors.iter().cloned()).collect();
    let stored = stored(app, named.iter().cloned()).await?;
    let there: BTreeSet<OdsCode> = stored.keys().cloned().collect();
    let mut ids: HashMap<OdsCode, Id<Organisation>> =
        stored.into_iter().map(|(code, organisation)| (code, organisation.id)).collect();
    for row in rows.iter().filter(|row| named.contains(&row.code)) {
        ids.entry(row.code.clone()).or_insert_with(|| app.ids.fresh());
    }
    // One that is refused may be named by another in turn.
    let mut rows = rows;
    loop {
        let unknown = |row: &Row| row.successors.iter().find(|code| !ids.contains_key(code)).cloned();
        let (kept, refused): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| unknown(row).is_none());
        rows = kept;
        if refused.is_empty() {
            return Ok((rows, ids));
        }
        for row in &refused {
            let code = unknown(row).unwrap_or_default();
            let code = code.as_str();
            let reason = format!("Its successor {code} is neither in the directory nor in this file.");
            report.refused.push(Refusal { line: row.line, reason });
        }
        ids.retain(|code, _| there.contains(code) || refused.iter().all(|row| row.code != *code));
    }
}

async fn stored(app: &App, codes: impl Iterator<Item = OdsCode>) -> Result<HashMap<OdsCode, Organisation>> {
    let codes: Vec<OdsCode> = codes.collect();
    let mut found = HashMap::new();
    for codes in codes.chunks(CHUNK) {
        let filter = Organisation::CODE.is_in(codes.iter().cloned());
        let page = app.store.find(filter, Organisation::CODE.asc(), Page::first(codes.len())).await?;
        found.extend(page.into_iter().map(|organisation| (organisation.code.clone(), organisation)));
    }
    Ok(found)
}

async fn import_chunk(
    app: &App,
    rows: &[Row],
    ids: &HashMap<OdsCode, Id<Organisation>>,
    report: &mut Report,
) -> Result<()> {
    let mut stored = stored(app, rows.iter().map(|row| row.code.clone())).await?;
    let (mut added, mut changed, mut unchanged) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        match stored.remove(&row.code) {
            None => added.push(added_organisation(app, row, ids)),
            Some(before) => {
                let after = taken_over(app, &before, row, ids);
                if after == before { unchanged += 1 } else { changed.push((before, after)) }
            }
        }
    }
    let known = changed.iter().map(|(before, _)| before.id.clone());
    let entries = DirectoryEntry::ORGANISATION.is_in(known);
    let mut entries: Vec<DirectoryEntry> =
        app.store.find(entries, Order::by_id(), Page::first(ENTRIES_MAX)).await?;
    let mut batch =
        added.iter().fold(Batch::new(), |batch, new| batch.and(written(app, None, new, Vec::new())));
    for (before, after) in &mut changed {
        after.updated_at = app.clock.now();
        let own = entries.extract_if(.., |entry| entry.organisation == after.id).collect();
        batch = batch.and(written(app, Some(before), after, own));
    }
    app.store.commit(batch).await?;
    report.added += added.len();
    report.changed += changed.len();
    report.unchanged += unchanged;
    Ok(())
}

fn added_organisation(app: &App, row: &Row, ids: &HashMap<OdsCode, Id<Organisation>>) -> Organisation {
    let id = ids.get(&row.code).cloned().unwrap_or_else(|| app.ids.fresh());
    let new = Organisation::new(id, row.code.clone(), &row.name, app.clock.now());
    taken_over(app, &new, row, ids)
}

/// The organisation as a row has it. What only some files know stays where a row does not say, and what
/// administrators say stays in any case.
fn taken_over(
    app: &App,
    before: &Organisation,
    row: &Row,
    ids: &HashMap<OdsCode, Id<Organisation>>,
) -> Organisation {
    let mut after = before.clone();
    after.rename(&row.name, Date::of(app.clock.now()));
    row.former.iter().for_each(|name| after.had_name(name));
    after.region.clone_from(&row.region);
    after.icb.clone_from(&row.icb);
    after.closed = row.closed;
    after.opened = row.opened.or(before.opened);
    after.postcode = row.postcode.clone().or_else(|| before.postcode.clone());
    after.kind = before.kind.clone().or_else(|| row.kind.clone());
    if after.successors.is_empty() {
        after.successors = row.successors.iter().filter_map(|code| ids.get(code).cloned()).collect();
    }
    after
}
