//! What administrators say of an organisation.

use super::written;
use crate::{
    actions::{
        access::Administrator,
        audit::{Act, Concerned, acted},
        once::{Decision, Request, once},
    },
    app::App,
    domain::{
        audit::{AuditAction, Facts, OrganisationFacts},
        case_study::problems::Problems,
        directory::DirectoryEntry,
        email::domain,
        fold::fold,
        guard::Acknowledged,
        organisation::{ALIASES_MAX, DOMAINS_MAX, NAME_MAX, Organisation, SUCCESSORS_MAX},
        taxonomy::Taxonomy,
    },
    error::{Code, Error, Result, not_found},
    ids::Id,
    query::{Order, Page},
};

/// Entries in the directory of one organisation: many more than it has names.
const ENTRIES_MAX: usize = 500;

/// What changes; `None` leaves it as it is.
#[derive(Debug, Default)]
pub struct Changes {
    /// The slug of a type; `Some(None)` takes it away.
    pub kind: Option<Option<String>>,
    pub aliases: Option<Vec<String>>,
    pub domains: Option<Vec<String>>,
    /// Ids of organisations.
    pub successors: Option<Vec<String>>,
    pub acknowledged: Acknowledged,
}

/// Changes an organisation that has not changed since `expected_version`. Its name, its region and its
/// dates come from the directory's files.
///
/// # Errors
/// `Stale`; every problem at once, each with its field; not found.
pub async fn update(
    app: &App,
    administrator: &Administrator,
    id: &Id<Organisation>,
    expected_version: i64,
    changes: &Changes,
    request: &Request,
) -> Result<Organisation> {
    once(app, administrator, request, || async {
        let before = app.store.one(id).await?.ok_or_else(|| not_found("organisation"))?;
        if before.version != expected_version {
            return Err(Error::Stale);
        }
        let mut after = read(app, &before, changes).await?;
        if after == before {
            return Ok(Decision { result: after, batch: crate::store::Batch::new() });
        }
        after.updated_at = app.clock.now();
        let facts = |of: &Organisation, version| Facts {
            organisation: Some(OrganisationFacts::from(of)),
            ..Facts::version(version)
        };
        let act = Act::new(AuditAction::UpdateOrganisation, id.as_str())
            .changed(facts(&before, before.version), facts(&after, before.version + 1));
        let entries = DirectoryEntry::ORGANISATION.eq(id.clone());
        let entries = app.store.find(entries, Order::by_id(), Page::first(ENTRIES_MAX)).await?;
        let audited = acted(app, administrator, act, &Concerned::nobody());
        let batch = written(app, Some(&before), &after, entries).and(audited);
        after.version += 1;
        Ok(Decision { result: after, batch })
    })
    .await
}

async fn read(app: &App, before: &Organisation, changes: &Changes) -> Result<Organisation> {
    let mut after = before.clone();
    let mut problems = Problems::with(changes.acknowledged);
    if let Some(kind) = &changes.kind {
        let known = Taxonomy::read().map_err(Error::Fault)?;
        match kind {
            Some(slug) if !known.has_organisation_type(slug) => {
                let message = "There is no such type. The query `taxonomy { organisationTypes }` shows them.";
                problems.add("type", Code::Unknown, message);
            }
            kind => after.kind.clone_from(kind),
        }
    }
    if let Some(typed) = &changes.aliases {
        after.aliases = aliases(before, typed, &mut problems);
    }
    if let Some(typed) = &changes.domains {
        after.domains = domains(app, typed, &mut problems);
    }
    if let Some(typed) = &changes.successors {
        after.successors = successors(app, before, typed, &mut problems).await?;
    }
    match problems.into_vec() {
        problems if problems.is_empty() => Ok(after),
        problems => Err(Error::Refused(problems)),
    }
}

/// Other names, each once. One that is there already is not asked about again.
fn aliases(before: &Organisation, typed: &[String], problems: &mut Problems) -> Vec<String> {
    let mut read: Vec<String> = Vec::new();
    for (at, text) in typed.iter().take(ALIASES_MAX).enumerate() {
        let name = if before.aliases.contains(text) {
            Some(text.clone())
        } else {
            problems.line(&format!("aliases.{at}"), "name", text, NAME_MAX)
        };
        let new = |name: &String| read.iter().all(|other| fold(other) != fold(name));
        let name = name.filter(|name| !fold(name).is_empty()).filter(new);
        read.extend(name);
    }
    problems.at_most("aliases", typed.len(), ALIASES_MAX);
    read
}

/// Domains of its addresses, each once. One that the whole NHS shares would make everybody a colleague.
fn domains(app: &App, typed: &[String], problems: &mut Problems) -> Vec<String> {
    let shared = &app.config.sign_in.automatic_domains;
    let mut read: Vec<String> = Vec::new();
    for (at, text) in typed.iter().take(DOMAINS_MAX).enumerate() {
        let field = format!("domains.{at}");
        match domain(text) {
            None => problems.add(&field, Code::Invalid, "Enter a domain like trust.nhs.uk."),
            Some(domain) if shared.iter().any(|shared| shared.eq_ignore_ascii_case(&domain)) => {
                let message = format!("{domain} is shared by many organisations. Enter one of its own.");
                problems.add(&field, Code::Invalid, message);
            }
            Some(domain) if read.contains(&domain) => {}
            Some(domain) => read.push(domain),
        }
    }
    problems.at_most("domains", typed.len(), DOMAINS_MAX);
    read
}

async fn successors(
    app: &App,
    before: &Organisation,
    typed: &[String],
    problems: &mut Problems,
) -> Result<Vec<Id<Organisation>>> {
    let mut read: Vec<Id<Organisation>> = Vec::new();
    let wanted: Vec<Option<Id<Organisation>>> =
        typed.iter().take(SUCCESSORS_MAX).map(|text| Id::parse(text)).collect();
    let ids: Vec<_> = wanted.iter().flatten().cloned().collect();
    let found = app.store.get(&ids).await?;
    let there: Vec<_> = found.into_iter().flatten().map(|organisation| organisation.id).collect();
    for (at, id) in wanted.into_iter().enumerate() {
        let field = format!("successorIds.{at}");
        match id.filter(|id| there.contains(id)) {
            None => problems.add(
                &field,
                Code::Unknown,
                "There is no such organisation. The directory lists them.",
            ),
            Some(id) if id == before.id => {
                problems.add(&field, Code::Invalid, "An organisation does not succeed itself.");
            }
            Some(id) if read.contains(&id) => {}
            Some(id) => read.push(id),
        }
    }
    problems.at_most("successorIds", typed.len(), SUCCESSORS_MAX);
    Ok(read)
}
