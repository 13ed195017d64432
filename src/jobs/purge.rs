//! Forgetting what has expired: attachments that nothing uses, exports, sign-ins, wrong attempts, counts of
//! mails, challenges for second factors, questions to providers of single sign-on, sessions, devices, access tokens, receipts, notifications, digests,
//! reports that were decided on, invitations that nobody accepted, keys that signed nothing which still works,
//! and jobs that were given up long ago (anybody can cause some by asking for a code to a mailbox that does not
//! exist).
//!
//! What belongs to a member under a legal hold stays as long as the hold.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::{attachment, data_export, found::Found};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        access_token::AccessToken,
        activity::Activity,
        attachment::Attachment,
        data_export::DataExport,
        device::Device,
        digest::Digest,
        erasure::Erasure,
        factor_challenge::FactorChallenge,
        invitation::Invitation,
        job::{Job, Lane},
        legal_hold::LegalHold,
        member::Member,
        notification::Notification,
        receipt::Receipt,
        report::{Report, ReportState},
        session::Session,
        sign_in::{Attempts, Mails, SignIn},
        single_sign_on::SignOn,
    },
    error::{Result, StoreError},
    ids::Id,
    query::{Document, Filter, Order, Page, Value, position},
    store::{Batch, when},
};

/// Documents of one commit: enough to be quick, few enough to hold nobody up.
const AT_ONCE: usize = 100;
/// Commits a collection and hour: what is left waits for the next hour.
const ROUNDS: usize = 200;

/// Deletes what has expired and returns how many documents that were.
///
/// # Errors
/// When the store is away.
pub async fn purge(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let mut deleted = expired(app, SignIn::EXPIRES_AT.lt(now), &SignIn::EXPIRES_AT.asc()).await?
        + expired(app, Attempts::EXPIRES_AT.lt(now), &Attempts::EXPIRES_AT.asc()).await?
        + expired(app, Mails::EXPIRES_AT.lt(now), &Mails::EXPIRES_AT.asc()).await?
        + expired(app, FactorChallenge::EXPIRES_AT.lt(now), &FactorChallenge::EXPIRES_AT.asc()).await?
        + expired(app, SignOn::EXPIRES_AT.lt(now), &SignOn::EXPIRES_AT.asc()).await?
        + expired(app, Device::EXPIRES_AT.lt(now), &Device::EXPIRES_AT.asc()).await?
        + expired(app, Session::EXPIRES_AT.lt(now), &Session::EXPIRES_AT.asc()).await?
        + expired(app, AccessToken::FORGET_AT.lt(now), &AccessToken::FORGET_AT.asc()).await?
        + expired(app, Activity::EXPIRES_AT.lt(now), &Activity::EXPIRES_AT.asc()).await?
        + expired(app, Invitation::forgotten(now), &Invitation::EXPIRES_AT.asc()).await?
        + expired(app, Receipt::EXPIRES_AT.lt(now), &Receipt::EXPIRES_AT.asc()).await?
        + of_members(app).await?;
    app.keys.retire(now);
    let long_ago = before(app, app.config.retention.failed_jobs_days);
    for lane in Lane::ALL {
        let given_up = Job::failed(lane).and(Job::DUE_AT.lt(long_ago));
        deleted += expired(app, given_up, &Job::DUE_AT.asc()).await?;
    }
    let proven = Erasure::FINISHED_AT.lt(Some(before(app, app.config.retention.erasures_days)));
    Ok(deleted + expired(app, proven, &Erasure::FINISHED_AT.asc()).await?)
}

fn before(app: &App, days: i64) -> Timestamp {
    app.clock.now().minus(TimeDelta::days(days))
}

/// What a legal hold keeps.
async fn of_members(app: &App) -> Result<usize> {
    let (now, held, kept) = (app.clock.now(), held(app).await?, &app.config.retention);
    let holds = |member: &Id<Member>| held.contains(member);
    let unused = Purge::of(Attachment::expired(now), Attachment::EXPIRES_AT.asc());
    let unused = unused.except(|one| holds(&one.uploader)).run(app, |one| attachment::with(app, one)).await?;
    let exports = Purge::of(DataExport::EXPIRES_AT.lt(now), DataExport::EXPIRES_AT.asc());
    let exports = exports.run(app, |one| data_export::with(app, one)).await?;
    let told = Purge::of(Notification::EXPIRES_AT.lt(now), Notification::EXPIRES_AT.asc());
    let told = told.except(|one| holds(&one.member)).run(app, |_| Batch::new()).await?;
    let sent = Purge::of(Digest::UNTIL.lt(before(app, kept.digests_days)), Digest::UNTIL.asc());
    let sent = sent.except(|one| holds(&one.member)).run(app, |_| Batch::new()).await?;
    let decided = Report::STATE.is_in([ReportState::Upheld, ReportState::Dismissed]);
    let decided = decided.and(Report::CREATED_AT.lt(before(app, kept.reports_days)));
    let decided = Purge::of(decided, Report::CREATED_AT.asc());
    let decided = decided.except(|one| holds(&one.reporter)).run(app, |_| Batch::new()).await?;
    Ok(unused + exports + told + sent + decided)
}

/// Members under a legal hold. There are few, for few things come to court.
async fn held(app: &App) -> Result<HashSet<Id<Member>>> {
    let mut found = Found::by(Filter::all(), LegalHold::AT.desc());
    let mut held = HashSet::new();
    while let Some(page) = found.next(app).await? {
        held.extend(page.into_iter().map(|hold: LegalHold| hold.member));
    }
    Ok(held)
}

async fn expired<D: Document>(app: &App, filter: Filter<D>, order: &Order<D>) -> Result<usize> {
    Purge::of(filter, order.clone()).run(app, |_| Batch::new()).await
}

/// What goes, and what of it does not.
struct Purge<'a, D> {
    filter: Filter<D>,
    order: Order<D>,
    stays: Box<dyn Fn(&D) -> bool + Send + Sync + 'a>,
}

impl<'a, D: Document> Purge<'a, D> {
    fn of(filter: Filter<D>, order: Order<D>) -> Self {
        Self { filter, order, stays: Box::new(|_| false) }
    }

    fn except(self, stays: impl Fn(&D) -> bool + Send + Sync + 'a) -> Self {
        Self { stays: Box::new(stays), ..self }
    }

    /// Deletes them, with what belongs to the deletion of each.
    async fn run(self, app: &App, with: impl Fn(&D) -> Batch) -> Result<usize> {
        let (mut deleted, mut start): (usize, Option<Vec<Value>>) = (0, None);
        for _ in 0..ROUNDS {
            let page = Page::first(AT_ONCE).after(start.clone());
            let found: Vec<D> = app.store.find(self.filter.clone(), self.order.clone(), page).await?;
            let going: Vec<&D> = found.iter().filter(|document| !(self.stays)(document)).collect();
            // Guarded, because a session in use or an address tried again is kept longer meanwhile.
            let batch = going.iter().fold(Batch::new(), |batch, document| {
                batch.delete(document.id(), when(self.filter.clone())).and(with(document))
            });
            match app.store.commit(batch).await {
                Ok(()) => deleted += going.len(),
                // Another worker was here, or something is used again: look anew.
                Err(StoreError::Stale { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            if found.len() < AT_ONCE {
                break;
            }
            // Past what stays.
            start = found
                .last()
                .map(|last| position(&serde_json::to_value(last).unwrap_or_default(), &self.order.keys()));
        }
        Ok(deleted)
    }
}
