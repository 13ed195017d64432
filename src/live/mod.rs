//! Telling those who look on what happens, while it happens.
//!
//! One task a process reads new activities from the store and hands each to every listener: what
//! happens costs one read a process, however many listen. The task is woken by the store's hints and
//! looks by itself every second, so that what another process commits is seen too, on either store.
//!
//! Nothing is kept for whoever is not listening, and a listener that falls too far behind is told so
//! ([`Lagged`](broadcast::error::RecvError::Lagged)): it starts anew and looks at the lists again.

mod seats;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::{
    sync::{Mutex, broadcast},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

pub use self::seats::{Seat, Seats};
use crate::{
    clock::{Clock, Timestamp},
    config,
    domain::activity::Activity,
    error::StoreError,
    ids::Id,
    query::{Document, Filter, Order, Page, Value},
    store::Store,
};

/// Activities that a listener may fall behind by. They are shared, so it costs nothing a listener.
const BEHIND_MAX: usize = 1024;
/// How often the task looks when nothing hints at anything new.
const POLL: Duration = Duration::from_secs(1);
/// After a hint, so that what is committed together is read together.
const GATHER: Duration = Duration::from_millis(20);
/// How much earlier than the last look the poll begins. An id is made before its commit, which may
/// wait for others, and on another machine, whose clock may be behind: so far both together.
const OVERLAP: TimeDelta = TimeDelta::seconds(15);
/// The same after a hint, which is seldom late. What it misses, the poll finds.
const SHORT_OVERLAP: TimeDelta = TimeDelta::seconds(2);
/// Activities read at once.
const PAGE: usize = 500;

/// What happens from now on.
pub type Listener = broadcast::Receiver<Arc<Activity>>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Parts>);

struct Parts {
    news: broadcast::Sender<Arc<Activity>>,
    /// The task that reads; none while nobody listens.
    reader: Mutex<Option<JoinHandle<()>>>,
    sockets: Seats,
    subscriptions: Seats,
}

impl Live {
    #[must_use]
    pub fn new(settings: &config::Live) -> Self {
        let (news, _) = broadcast::channel(BEHIND_MAX);
        Self(Arc::new(Parts {
            news,
            reader: Mutex::default(),
            sockets: Seats::new(settings.sockets),
            subscriptions: Seats::new(settings.subscriptions),
        }))
    }

    /// How many sockets each member has open here.
    #[must_use]
    pub fn sockets(&self) -> &Seats {
        &self.0.sockets
    }

    /// How many operations each member has running on their sockets here.
    #[must_use]
    pub fn subscriptions(&self) -> &Seats {
        &self.0.subscriptions
    }

    /// How many listen at present.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.0.news.receiver_count()
    }

    /// Begins to listen: whatever is committed after this returns is heard. What was committed a
    /// moment before may be heard too.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn listen(&self, store: &Store, clock: &Clock) -> Result<Listener, StoreError> {
        let mut reader = self.0.reader.lock().await;
        let listener = self.0.news.subscribe();
        if reader.as_ref().is_none_or(JoinHandle::is_finished) {
            let begun = Reader::begin(self.clone(), store.clone(), clock.clone()).await?;
            *reader = Some(tokio::spawn(begun.run()));
        }
        Ok(listener)
    }
}

/// Reads what happens while somebody listens.
struct Reader {
    live: Live,
    store: Store,
    clock: Clock,
    hints: broadcast::Receiver<&'static str>,
    /// When it last looked.
    looked: Timestamp,
    /// What was told already, as far back as a look begins.
    seen: BTreeSet<Id<Activity>>,
}

impl Reader {
    /// Whatever is there already happened before anybody listened.
    async fn begin(live: Live, store: Store, clock: Clock) -> Result<Self, StoreError> {
        let hints = store.watch();
        let looked = clock.now();
        let mut reader = Self { live, store, clock, hints, looked, seen: BTreeSet::new() };
        reader.look(OVERLAP, |_| {}).await?;
        Ok(reader)
    }

    async fn run(mut self) {
        let news = self.live.0.news.clone();
        let tell = |activity: Activity| drop(news.send(Arc::new(activity)));
        let mut poll_at = Instant::now() + POLL;
        let mut away = false;
        loop {
            tokio::select! {
                () = news.closed() => {
                    let mut reader = self.live.0.reader.lock().await;
                    if news.receiver_count() == 0 {
                        *reader = None;
                        return;
                    }
                }
                () = hinted(&mut self.hints) => sleep(GATHER).await,
                () = sleep_until(poll_at) => {}
            }
            let polls = Instant::now() >= poll_at;
            if polls {
                poll_at = Instant::now() + POLL;
            }
            match self.look(if polls { OVERLAP } else { SHORT_OVERLAP }, tell).await {
                Ok(()) => away = false,
                Err(error) => {
                    if !away {
                        tracing::error!(%error, "what happens can't be read; trying until it can");
                    }
                    away = true;
                    // No sooner: hints may come although reading fails.
                    sleep_until(poll_at).await;
                }
            }
        }
    }

    /// Tells of what is new since the last look, and of what came late.
    async fn look(&mut self, overlap: TimeDelta, tell: impl Fn(Activity)) -> Result<(), StoreError> {
        let now = self.clock.now();
        // From the last look: it may be long ago, as the store was away. From now, if the clock was
        // set back.
        let last = self.looked.min(now);
        let mut after = Id::earliest(last.minus(overlap));
        loop {
            let position = vec![Value::Text(after.as_str().to_owned())];
            let page = Page::first(PAGE).after(Some(position));
            let activities: Vec<Activity> = self.store.find(Filter::all(), Order::by_id(), page).await?;
            let whole = activities.len() == PAGE;
            if let Some(last) = activities.last() {
                after = last.id.clone();
            }
            for activity in activities {
                if self.seen.insert(activity.id.clone()) {
                    tell(activity);
                }
            }
            if !whole {
                break;
            }
        }
        self.looked = now;
        self.seen = self.seen.split_off(&Id::earliest(last.minus(OVERLAP)));
        Ok(())
    }
}

/// Until there may be new activities.
async fn hinted(hints: &mut broadcast::Receiver<&'static str>) {
    loop {
        match hints.recv().await {
            Ok(name) if name == Activity::collection().name => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            // Polling remains.
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}
