//! The reminder that a case study's review date has come: planned in one commit for each case study,
//! then sent one by one to its authors and its contact.

use super::Failure;
use crate::{
    app::App,
    domain::{
        case_study::CaseStudy,
        contribution::{ContributionId, ShownState},
        entry::Entry,
        job::{Job, Task},
        member::Member,
    },
    error::{Error, Result, StoreError},
    ids::Id,
    mail::{Message, review_reminder::ReviewReminder},
    query::Page,
    store::{Batch, Guard},
};

/// Case studies planned for before looking again.
const PAGE: usize = 100;

/// Plans the reminders that are due and returns how many those are. Any number of workers may do so
/// at once: the entry's version lets one plan through.
///
/// # Errors
/// When the store is away.
pub async fn plan(app: &App) -> Result<usize> {
    let mut planned = 0;
    loop {
        let due = Entry::to_remind(app.clock.now());
        let entries = app.store.find(due, Entry::REMIND_AT.asc(), Page::first(PAGE)).await?;
        let ids: Vec<Id<CaseStudy>> =
            entries.iter().filter_map(|entry| case_study(&entry.contribution)).collect();
        let case_studies = app.store.get(&ids).await?;
        let before = planned;
        for entry in &entries {
            let of = |found: &&CaseStudy| ContributionId::from(&found.id) == entry.contribution;
            let tasks = case_studies.iter().flatten().find(of).map(tasks).unwrap_or_default();
            planned += plan_one(app, entry, tasks).await?;
        }
        // None are left, or other workers have them.
        if entries.len() < PAGE || planned == before {
            return Ok(planned);
        }
    }
}

fn case_study(contribution: &ContributionId) -> Option<Id<CaseStudy>> {
    match contribution {
        ContributionId::CaseStudy(id) => Some(id.clone()),
        ContributionId::Post(_) => None,
    }
}

/// One for each author, for the contact who is none of them, and for the shared mailbox.
fn tasks(case_study: &CaseStudy) -> Vec<Task> {
    let mut members: Vec<&Id<Member>> = case_study.authors().collect();
    let contact = &case_study.content.contact;
    members.extend(contact.member.iter().filter(|member| !case_study.is_author(member)));
    let mailbox = contact.mailbox.iter().map(|_| None);
    let recipients = members.into_iter().cloned().map(Some).chain(mailbox);
    let task = |member| Task::SendReviewReminder { case_study: case_study.id.clone(), member };
    recipients.map(task).collect()
}

async fn plan_one(app: &App, entry: &Entry, tasks: Vec<Task>) -> Result<usize> {
    let now = app.clock.now();
    let done = Batch::new().patch(&entry.id, Guard::Version(entry.version), [Entry::REMIND_AT.set(None)]);
    let planned = tasks.len();
    let batch =
        tasks.into_iter().fold(done, |batch, task| batch.insert(&Job::new(app.ids.fresh(), task, now)));
    match app.store.commit(batch).await {
        Ok(()) => Ok(planned),
        // Somebody else plans it, or changes it.
        Err(StoreError::Stale { .. }) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Sends a planned reminder to a member, or with none to the shared mailbox.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(
    app: &App,
    id: &Id<CaseStudy>,
    member: Option<&Id<Member>>,
) -> Result<Batch, Failure> {
    let due = |found: &CaseStudy| found.shown_state(app.clock.now()) == ShownState::MayBeOutOfDate;
    let Some(case_study) = app.store.one(id).await?.filter(due) else {
        tracing::info!(case_study = %id, "skipped: it was looked at meanwhile");
        return Ok(Batch::new());
    };
    let Some(message) = compose(app, &case_study, member).await? else {
        tracing::info!(case_study = %id, "skipped: the recipient is gone");
        return Ok(Batch::new());
    };
    app.mailer.send(&message).await?;
    Ok(Batch::new())
}

async fn compose(app: &App, case_study: &CaseStudy, member: Option<&Id<Member>>) -> Result<Option<Message>> {
    let (to, to_name, key, why) = match member {
        Some(id) => {
            let Some(member) = app.store.one(id).await? else { return Ok(None) };
            let why = if case_study.is_author(id) { "one of its authors" } else { "its contact" };
            (member.email, member.name, id.as_str(), why)
        }
        None => {
            let Some(mailbox) = case_study.content.contact.mailbox.clone() else { return Ok(None) };
            (mailbox, String::new(), "mailbox", "its contact")
        }
    };
    let greeting = if to_name.is_empty() { "Hello".to_owned() } else { format!("Hello {to_name}") };
    let mail = ReviewReminder {
        network: app.config.network.name.clone(),
        team: app.config.network.team.clone(),
        greeting,
        title: case_study.content.title.clone(),
        url: app.config.link(&format!("case-studies/{}", case_study.id)),
        why,
        home_url: app.config.link("/"),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    let date = case_study.content.review_date.map(|date| date.0.to_string()).unwrap_or_default();
    Ok(Some(Message {
        to,
        to_name,
        subject: mail.subject(),
        text,
        html,
        message_id: format!("{}-{date}-{key}@{}", case_study.id, app.config.host()),
        list: None,
    }))
}
