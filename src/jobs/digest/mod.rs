//! Digests: planned in one commit for each page of members, then sent one by one.
//!
//! [`pool`] reads what all of them are chosen from, [`content`] chooses for a member, and [`words`] says
//! it; [`sent`](mod@sent) reads one again.

pub mod content;
mod pool;
pub mod sent;
mod words;

use self::content::Content;
use super::{Failure, run_due};
use crate::{
    actions::{digest::unsubscribe::unsubscribe_link, mailbox::suppressing},
    app::App,
    clock::Timestamp,
    domain::{
        digest::{Digest, DigestState, Told, Window, next_due},
        job::{Job, Task},
        mailbox::SuppressionReason,
        member::{DigestFrequency, Member},
    },
    error::{Error, Result, StoreError},
    ids::Id,
    mail::{List, MailError, Message, digest::DigestMail},
    query::{Page, Scalar},
    store::{Batch, Guard},
};

/// Members planned for in one commit.
const PAGE: usize = 100;
/// Earlier digests looked at when a mailbox refuses one.
const HISTORY: usize = 10;

/// What [`run`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub planned: usize,
    /// Jobs run, those that found nothing to say included.
    pub run: usize,
}

/// Plans the digests that are due by the app's clock and does everything that is due then.
///
/// # Errors
/// When the store is away.
pub async fn run(app: &App) -> Result<Report> {
    let planned = plan(app).await?;
    Ok(Report { planned, run: run_due(app).await? })
}

/// Plans the digests that are due and returns how many those are. Any number of workers may do so
/// at once, and a clock may go back: a member's version and the digest's id let one plan through.
///
/// # Errors
/// When the store is away.
pub async fn plan(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let (mut planned, mut position) = (0, None);
    loop {
        let page = Page::first(PAGE).after(position);
        let members = app.store.find(Member::digest_due(now), Member::DIGEST_DUE_AT.asc(), page).await?;
        planned += plan_all(app, &members, now).await?;
        position = members.last().map(|member| vec![member.digest_due_at.value(), member.id.value()]);
        if members.len() < PAGE {
            if planned > 0 {
                tracing::info!(planned, "planned digests");
            }
            return Ok(planned);
        }
    }
}

/// Together, or one by one when somebody else plans or changes one of them.
async fn plan_all(app: &App, members: &[Member], now: Timestamp) -> Result<usize> {
    let plans: Vec<Plan> = members.iter().map(|member| Plan::of(app, member, now)).collect();
    match app.store.commit(together(&plans)).await {
        Ok(()) => Ok(plans.iter().filter(|plan| plan.planned.is_some()).count()),
        Err(StoreError::Conflict { .. } | StoreError::Stale { .. }) => {
            let mut planned = 0;
            for (plan, member) in plans.into_iter().zip(members) {
                planned += usize::from(plan_one(app, member, plan, now).await?);
            }
            Ok(planned)
        }
        Err(error) => Err(error.into()),
    }
}

/// Like with like, so that a store can write the new documents of a collection in one go.
fn together(plans: &[Plan]) -> Batch {
    let members = plans.iter().fold(Batch::new(), |batch, plan| batch.and(plan.member.clone()));
    let planned = || plans.iter().filter_map(|plan| plan.planned.as_ref());
    let digests = planned().fold(members, |batch, (digest, _)| batch.insert(digest));
    planned().fold(digests, |batch, (_, job)| batch.insert(job))
}

async fn plan_one(app: &App, member: &Member, plan: Plan, now: Timestamp) -> Result<bool> {
    match app.store.commit(together(std::slice::from_ref(&plan))).await {
        Ok(()) => Ok(plan.planned.is_some()),
        // Somebody else plans it.
        Err(StoreError::Stale { .. }) => Ok(false),
        // There was one on this day already: what is new since then waits for the next.
        Err(StoreError::Conflict { .. }) => match app.store.commit(move_on(member, now)).await {
            Ok(()) | Err(StoreError::Stale { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

struct Plan {
    /// Moves the member on to the next digest.
    member: Batch,
    /// Nothing when there is nothing between the last digest and this one.
    planned: Option<(Digest, Job)>,
}

impl Plan {
    fn of(app: &App, member: &Member, now: Timestamp) -> Self {
        // What happens while a mailbox is suppressed is told when it is no longer.
        let Some(window) = Window::due(member, now).filter(|_| !member.mailbox.is_suppressed()) else {
            return Self { member: move_on(member, now), planned: None };
        };
        let digest = Digest::planned(&member.id, &window);
        let job = Job::new(app.ids.fresh(), Task::SendDigest { digest: digest.id.clone() }, now);
        let changes = [
            Member::DIGEST_DUE_AT.set(next_due(&member.digest, now)),
            Member::DIGEST_COVERED_UNTIL.set(window.until),
        ];
        let member = Batch::new().patch(&member.id, Guard::Version(member.version), changes);
        Self { member, planned: Some((digest, job)) }
    }
}

fn move_on(member: &Member, now: Timestamp) -> Batch {
    let change = Member::DIGEST_DUE_AT.set(next_due(&member.digest, now));
    Batch::new().patch(&member.id, Guard::Version(member.version), [change])
}

/// Sends a planned digest.
///
/// # Errors
/// See [`Failure`].
pub(super) async fn send(app: &App, id: &Id<Digest>) -> Result<Batch, Failure> {
    let Some(digest) = app.store.one(id).await?.filter(|digest| digest.state == DigestState::Planned) else {
        tracing::info!(digest = %id, "skipped: it was sent or erased");
        return Ok(Batch::new());
    };
    let Some(member) = app.store.one(&digest.member).await? else {
        return Ok(ended(&digest, DigestState::Dropped));
    };
    let unwanted = member.digest.frequency == DigestFrequency::Off;
    let now = app.clock.now();
    if unwanted || member.suspended(now).is_some() || !member.gets_mail(now) {
        return Ok(ended(&digest, DigestState::Dropped));
    }
    let window = Window { from: digest.from, until: digest.until };
    let Some(content) = Content::gather(app, &member, window).await? else {
        return Ok(ended(&digest, DigestState::Empty));
    };
    let page = app.config.link(&format!("digests/{}", digest.id));
    let message = compose(app, &member, &content, digest.id.as_str(), Some(page))?;
    match app.mailer.send(&message).await {
        Ok(()) => Ok(sent(digest, app.clock.now(), content.told())),
        Err(MailError::NoMailbox(code)) => bounced(app, &digest, &code).await,
        Err(error) => Err(error.into()),
    }
}

/// A digest that is not sent.
pub struct Preview {
    pub window: Window,
    pub content: Content,
    pub message: Message,
}

/// The digest that a member would get if it were due now; `None` when there is nothing to say. Nothing
/// is written and nothing sent.
///
/// # Errors
/// When the store is away.
pub async fn preview(app: &App, member: &Member) -> Result<Option<Preview>> {
    let window = Window { from: member.digest_covered_until, until: app.clock.now() };
    let Some(content) = Content::gather(app, member, window).await? else { return Ok(None) };
    let message = compose(app, member, &content, "preview", None)?;
    Ok(Some(Preview { window, content, message }))
}

/// No guard: only the job that is being ended writes here.
fn ended(digest: &Digest, state: DigestState) -> Batch {
    Batch::new().patch(&digest.id, Guard::Present, [Digest::STATE.set(state)])
}

/// What was told is remembered with it, so that it is not told again.
fn sent(digest: Digest, at: Timestamp, told: Vec<Told>) -> Batch {
    let sent = Digest { state: DigestState::Sent, sent_at: Some(at), told, ..digest };
    Batch::new().replace(&sent)
}

/// The mailbox is gone or closed to us, perhaps because the member left: it gets no more mail, and their sessions
/// don't go on, until they have shown to read its mail. After some in a row, no more digests are planned until the member
/// chooses again when they want them.
async fn bounced(app: &App, digest: &Digest, code: &str) -> Result<Batch, Failure> {
    tracing::warn!(digest = %digest.id, member = %digest.member, code, "a digest bounced");
    let newest = Digest::UNTIL.desc();
    let earlier = app.store.find(Digest::of_member(&digest.member), newest, Page::first(HISTORY)).await?;
    let batch = ended(digest, DigestState::Bounced).and(suppressing(
        app,
        &digest.member,
        SuppressionReason::HardBounce,
        Some(code),
    ));
    if !Digest::bounces_too_often(&earlier) {
        return Ok(batch);
    }
    tracing::error!(member = %digest.member, "digests are paused: too many bounced in a row");
    Ok(batch.patch(&digest.member, Guard::Present, [Member::DIGEST_DUE_AT.set(None)]))
}

/// The message, with the address of the page that shows it, too, once there is one.
fn compose(
    app: &App,
    member: &Member,
    content: &Content,
    id: &str,
    page_url: Option<String>,
) -> Result<Message> {
    let (config, network) = (&app.config, &app.config.network.name);
    let unsubscribe_url = unsubscribe_link(app, &member.id);
    let mail = DigestMail {
        network: network.clone(),
        team: config.network.team.clone(),
        subject: content.headline(),
        note: content.note.as_ref().map(|note| note.summary.clone()),
        sections: content.sections(),
        more: content.more,
        how_often: member.digest.how_often(),
        page_url,
        home_url: config.link("/"),
        unsubscribe_url: unsubscribe_url.clone(),
    };
    let (text, html) = mail.render_both().map_err(Error::Fault)?;
    Ok(Message {
        to: member.email.clone(),
        to_name: member.name.clone(),
        subject: mail.subject,
        text,
        html,
        message_id: format!("{id}@{}", config.host()),
        list: Some(List {
            id: format!("digest.{}", config.host()),
            unsubscribe_url,
            unsubscribe_mailto: format!("mailto:{}?subject=Stop%20the%20digest", config.mail_from.reply_to),
        }),
    })
}
