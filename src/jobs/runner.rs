//! The runner: finds due jobs, leases them, runs them, and commits what they did.
//!
//! A lease is the job itself, made due again later: `due_at` is moved past the time that the job may
//! take, guarded by its version, so that of two workers one has it. Nothing else is needed for a
//! worker that dies: its lease runs out and the job is simply due. Workers on several machines need
//! clocks that agree to within a fraction of a lease.

use std::{collections::VecDeque, future::Future, panic::AssertUnwindSafe, time::Duration};

use chrono::TimeDelta;
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    Failure, access_token, digest, perform, purge, refresh, review_reminder, suppression, verify_reminder,
};
use crate::{
    app::App,
    domain::job::{Job, JobState, Lane},
    error::{Error, Result, StoreError},
    query::{Document, Page},
    store::{Batch, Guard},
};

/// Jobs looked up at once.
const PAGE: usize = 20;
/// How long a job may take before the next of its lane begins beside it…
const PATIENCE: Duration = Duration::from_secs(1);
/// …and how many there are then at most. As long as all goes well it is one, so that a worker that dies has one
/// message in hand.
const IN_HAND_MAX: usize = 4;
/// How long a stopping worker waits for the message in hand. Then it leaves it to its lease.
const DRAIN: Duration = Duration::from_secs(8);
/// The longest pause between looks at a store that is away: work goes on within 10 s of its return.
const AWAY_MAX: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// Runs jobs until `stop`, then finishes those in hand and takes no new ones.
pub async fn worker(app: App, stop: impl Future<Output = ()>) {
    let (stopping, stopped) = watch::channel(false);
    let worker = Worker { app, stopped };
    let chores = async {
        tokio::join!(
            worker.repeat(Chore::Lane(Lane::Prompt)),
            worker.repeat(Chore::Lane(Lane::Soon)),
            worker.repeat(Chore::Lane(Lane::SoonByMail)),
            worker.repeat(Chore::Lane(Lane::Bulk)),
            worker.repeat(Chore::Lane(Lane::Slow)),
            worker.repeat(Chore::Plan),
            worker.repeat(Chore::Purge),
        )
    };
    tokio::pin!(chores);
    tokio::select! {
        () = stop => {}
        _ = &mut chores => {}
    }
    stopping.send_replace(true);
    if timeout(DRAIN, chores).await.is_err() {
        tracing::warn!("stopped in the middle of a job; it will be run again when its lease ends");
    }
}

/// Runs everything that is due now and returns how many jobs that were, failed ones included.
///
/// # Errors
/// When the store is away.
pub async fn run_due(app: &App) -> Result<usize> {
    let mut run = 0;
    for lane in Lane::ALL {
        run += run_lane(app, lane, &|| true).await?;
    }
    Ok(run)
}

/// What a worker does over and over.
#[derive(Clone, Copy, Debug)]
enum Chore {
    Lane(Lane),
    /// Planning the digests and reminders that are due, looking at tokens that nobody uses, and what else comes
    /// with time.
    Plan,
    /// Forgetting what has expired.
    Purge,
}

struct Worker {
    app: App,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    fn stopping(&self) -> bool {
        *self.stopped.borrow()
    }

    async fn repeat(&self, chore: Chore) {
        let mut failures = 0;
        let mut hints = self.app.store.watch();
        while !self.stopping() {
            // Before looking, so that nothing that comes while looking is missed.
            hints = hints.resubscribe();
            let pause = match self.once(chore).await {
                Ok(pause) => {
                    if failures > 0 {
                        tracing::info!(?chore, failures, "goes on");
                    }
                    failures = 0;
                    pause
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::error!(?chore, %error, "does not go on; trying until it does");
                    }
                    failures += 1;
                    AWAY_MAX.min(Duration::from_millis(100 << failures.min(10)))
                }
            };
            self.rest(chore, pause, &mut hints).await;
        }
    }

    /// Does a chore and says how long to rest after it.
    async fn once(&self, chore: Chore) -> Result<Duration> {
        match chore {
            Chore::Lane(lane) => run_lane(&self.app, lane, &|| !self.stopping()).await.map(drop)?,
            Chore::Plan => {
                digest::plan(&self.app).await?;
                review_reminder::plan(&self.app).await?;
                verify_reminder::plan(&self.app).await?;
                suppression::plan(&self.app).await?;
                refresh::close(&self.app).await?;
                access_token::plan(&self.app).await?;
            }
            Chore::Purge => {
                purge(&self.app).await?;
                return Ok(PURGE_EVERY);
            }
        }
        Ok(Duration::from_secs(self.app.config.jobs.poll_seconds.max(1)))
    }

    /// Until the pause is over, the worker stops or there may be new jobs.
    async fn rest(&self, chore: Chore, pause: Duration, hints: &mut broadcast::Receiver<&'static str>) {
        let mut stopped = self.stopped.clone();
        let hint = async {
            loop {
                match hints.recv().await {
                    Ok(name) if name == Job::collection().name => return,
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => return,
                    // Polling remains.
                    Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
            () = hint, if matches!(chore, Chore::Lane(_)) => {}
        }
    }
}

/// Runs a lane's due jobs, one after the other, while `go_on` says so. One that takes long (a mail server that
/// stalls over it) does not hold up the others: the next begins beside it.
async fn run_lane(app: &App, lane: Lane, go_on: &(dyn Fn() -> bool + Sync)) -> Result<usize> {
    let (mut queue, mut in_hand) = (VecDeque::new(), FuturesUnordered::new());
    // Whether the last look found something that nobody else had taken.
    let (mut run, mut look) = (0, true);
    // The job that was begun last, while it is in hand.
    let (mut begun, mut newest) = (0, None::<(usize, Instant)>);
    loop {
        if in_hand.len() < IN_HAND_MAX && newest.is_none_or(|(_, at)| at.elapsed() >= PATIENCE) {
            if queue.is_empty() && look && go_on() {
                let due = Job::due(lane, app.clock.now());
                look = false;
                match app.store.find(due, Job::DUE_AT.asc(), Page::first(PAGE)).await {
                    Ok(found) => queue.extend(found),
                    Err(error) => return given_up(in_hand, error.into()).await,
                }
            }
            if let Some(job) = queue.pop_front().filter(|_| go_on()) {
                begun += 1;
                newest = Some((begun, Instant::now()));
                in_hand.push(work(app, job).map(move |done| (begun, done)));
            }
        }
        match timeout(PATIENCE, in_hand.next()).await {
            Ok(None) => return Ok(run),
            Ok(Some((number, Ok(done)))) => {
                run += usize::from(done);
                look |= done;
                newest = newest.filter(|(newest, _)| *newest != number);
            }
            Ok(Some((_, Err(error)))) => return given_up(in_hand, error).await,
            Err(_) => {}
        }
    }
}

/// The store is away. What is in hand comes to its end, so that what was done is written down, if it can be.
async fn given_up<T>(mut in_hand: FuturesUnordered<impl Future>, error: Error) -> Result<T> {
    while in_hand.next().await.is_some() {}
    Err(error)
}

/// Does a job, unless somebody else has it.
async fn work(app: &App, job: Job) -> Result<bool> {
    match Leased::take(app, job).await? {
        Some(leased) => leased.run(app).await.map(|()| true),
        None => Ok(false),
    }
}

/// A job that is this worker's until `end`.
struct Leased {
    job: Job,
    end: Instant,
}

impl Leased {
    /// `None` when somebody else was faster.
    async fn take(app: &App, mut job: Job) -> Result<Option<Self>> {
        let seconds = app.config.jobs.lease_seconds.max(1) * job.lane.leases();
        // Counted from before the commit, so that it ends here before it ends for others.
        let end = Instant::now() + Duration::from_secs(seconds.unsigned_abs());
        job.due_at = app.clock.now().plus(TimeDelta::seconds(seconds));
        job.attempts += 1;
        let changes = [Job::DUE_AT.set(job.due_at), Job::ATTEMPTS.set(job.attempts)];
        match app.store.commit(Batch::new().patch(&job.id, Guard::Version(job.version), changes)).await {
            Ok(()) => {
                job.version += 1;
                Ok(Some(Self { job, end }))
            }
            Err(StoreError::Stale { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn run(&self, app: &App) -> Result<()> {
        // Some of the lease is kept for the commit.
        let end = self.end - (self.end - Instant::now()) / 10;
        let performance = AssertUnwindSafe(perform(app, &self.job.id, &self.job.task)).catch_unwind();
        let outcome = match timeout_at(end, performance).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Failure::Error(Error::Fault("the job panicked".to_owned()))),
            Err(_) => Err(Failure::Later("it took longer than its lease".to_owned())),
        };
        match outcome {
            Ok(effects) => self.complete(app, effects).await,
            Err(Failure::Later(why)) => self.postpone(app, why).await,
            Err(Failure::Never(why)) => self.give_up(app, why).await,
            // Nothing can be written down; the lease runs out.
            Err(Failure::Error(Error::Store(error @ StoreError::Unavailable(_)))) => Err(error.into()),
            Err(Failure::Error(error)) => {
                tracing::error!(job = %self.job.id, %error, "a job failed");
                self.postpone(app, format!("the service failed ({})", error.code().name())).await
            }
        }
    }

    /// Commits what was done. It was done, perhaps visibly to others, so a store that is away for a
    /// moment is waited for while the lease lasts.
    async fn complete(&self, app: &App, effects: Batch) -> Result<()> {
        let batch = Batch::new().delete(&self.job.id, Guard::Version(self.job.version)).and(effects);
        loop {
            match app.store.commit(batch.clone()).await {
                Err(StoreError::Unavailable(_)) if Instant::now() < self.end => {
                    sleep(Duration::from_millis(200)).await;
                }
                other => return self.settled(other),
            }
        }
    }

    async fn postpone(&self, app: &App, why: String) -> Result<()> {
        let Some(pause) = Job::pause_after(self.job.attempts) else {
            return self.give_up(app, why).await;
        };
        tracing::info!(job = %self.job.id, attempt = self.job.attempts, why, "a job is tried again later");
        // Spread, so that what failed together does not come back together.
        let spread = app.ids.below(pause.num_milliseconds().unsigned_abs() / 5);
        let pause = pause + TimeDelta::milliseconds(i64::try_from(spread).unwrap_or_default());
        let changes = [Job::DUE_AT.set(app.clock.now().plus(pause)), Job::LAST_ERROR.set(Some(why))];
        let guard = Guard::Version(self.job.version);
        self.settled(app.store.commit(Batch::new().patch(&self.job.id, guard, changes)).await)
    }

    async fn give_up(&self, app: &App, why: String) -> Result<()> {
        tracing::error!(job = %self.job.id, task = ?self.job.task, why, "a job is given up");
        let changes = [Job::STATE.set(JobState::Failed), Job::LAST_ERROR.set(Some(why))];
        let guard = Guard::Version(self.job.version);
        self.settled(app.store.commit(Batch::new().patch(&self.job.id, guard, changes)).await)
    }

    /// A job that changed meanwhile is no longer this worker's: what happens to it is for others.
    fn settled(&self, committed: Result<(), StoreError>) -> Result<()> {
        match committed {
            Err(error @ (StoreError::Stale { .. } | StoreError::Conflict { .. })) => {
                tracing::warn!(job = %self.job.id, %error, "a job's end was not recorded");
                Ok(())
            }
            other => Ok(other?),
        }
    }
}
