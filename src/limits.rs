//! Rate limits, kept in each process's memory: a balancer spreads a flood, it does not multiply it
//! by much, and nothing correct depends on them. What has to hold over all processes, the mails that an
//! address is sent and the pause after wrong codes, is in the store: see [`crate::domain::sign_in`].

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::{NoOpMiddleware, StateInformationMiddleware},
    state::{InMemoryState, NotKeyed, keyed::DashMapStateStore},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    clock::Timestamp,
    config::{self, Switch},
    domain::{member::Member, sign_in::MailQuota},
    error::{Error, Result},
    ids::Id,
    network::one_party,
};

/// How often the keyed limits forget whom they need not remember, in checks.
const TIDY_EVERY: u32 = 1_024;
/// How long an upload waits until there is room for it.
const ROOM_WITHIN: Duration = Duration::from_secs(10);
/// How long a request waits for another one of the same member to end: a page that asks for many
/// things at once is served, a program that floods is told.
const TURN_WITHIN: Duration = Duration::from_secs(2);

pub struct Limits {
    /// `None` when limits are off.
    sign_in: Option<SignIn<DefaultClock>>,
    mails: Option<MailQuota>,
    points: Points,
    turns: Option<Turns>,
    uploads: Arc<Semaphore>,
    files: Arc<Semaphore>,
}

impl Limits {
    #[must_use]
    pub fn new(limits: &config::Limits) -> Self {
        let on = limits.rate == Switch::On;
        Self {
            sign_in: on.then(|| SignIn::new(limits, &DefaultClock::default())),
            mails: on.then_some(MailQuota { at_once: limits.mails_at_once, per_hour: limits.mails_per_hour }),
            points: Points { limit: limits.points_per_minute, on, used: Mutex::default() },
            turns: on.then(|| Turns {
                at_once: limits.requests_at_once,
                within: TURN_WITHIN,
                of: Mutex::default(),
            }),
            uploads: Arc::new(Semaphore::new(limits.uploads_at_once.max(1))),
            files: Arc::new(Semaphore::new(limits.files_at_once.max(1))),
        }
    }

    /// One more request for a code from a network address.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn ask(&self, from: IpAddr, now: Timestamp) -> Result<Option<Allowance>> {
        self.sign_in.as_ref().map(|limits| limits.ask(from, now)).transpose()
    }

    /// One more attempt with a code or a link from a network address. Refresh tokens have no such limit:
    /// a forged one is refused before the store is asked.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn answer(&self, from: IpAddr, now: Timestamp) -> Result<Option<Allowance>> {
        self.sign_in.as_ref().map(|limits| limits.answer(from, now)).transpose()
    }

    /// How many mails with codes an address may be sent; `None` without limits.
    #[must_use]
    pub fn mails(&self) -> Option<MailQuota> {
        self.mails
    }

    /// Spends points on a request of a member.
    ///
    /// # Errors
    /// `RateLimited` when fewer are left in this minute; none are spent then.
    pub fn points(&self, member: &Id<Member>, cost: u32, now: Timestamp) -> Result<Allowance> {
        self.points.spend(member, cost, now)
    }

    /// Room in memory for one more file, which lasts as long as what is returned. These two hold with
    /// the rate limits off, too: they keep the process alive.
    ///
    /// # Errors
    /// `RateLimited` when there was none for a while.
    pub async fn upload(&self) -> Result<OwnedSemaphorePermit> {
        place(&self.uploads).await
    }

    /// A processor for one more file to be read.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub async fn file(&self) -> Result<OwnedSemaphorePermit> {
        place(&self.files).await
    }

    /// A member's turn, which lasts as long as what is returned. So many of their requests are
    /// served at once; the next waits a little for one of them to end.
    ///
    /// # Errors
    /// `RateLimited` when none did.
    pub async fn turn(&self, member: &Id<Member>) -> Result<Option<OwnedSemaphorePermit>> {
        match &self.turns {
            None => Ok(None),
            Some(turns) => turns.next(member).await.map(Some),
        }
    }
}

/// A place among so many, for as long as it is held.
async fn place(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    let place = tokio::time::timeout(ROOM_WITHIN, Arc::clone(places).acquire_owned()).await;
    place.ok().and_then(Result::ok).ok_or(Error::RateLimited { seconds: 5 })
}

/// Limits that refill evenly, one token bucket a key.
struct Buckets<K: std::hash::Hash + Eq + Clone, C: Clock> {
    limiter: RateLimiter<K, DashMapStateStore<K>, C, StateInformationMiddleware>,
    quota: Quota,
    clock: C,
    checks: AtomicU32,
}

impl<K: std::hash::Hash + Eq + Clone, C: Clock + Clone> Buckets<K, C> {
    fn new(quota: Quota, clock: &C) -> Self {
        let limiter = RateLimiter::dashmap_with_clock(quota, clock.clone()).with_middleware();
        Self { limiter, quota, clock: clock.clone(), checks: AtomicU32::new(0) }
    }

    fn check(&self, key: &K, now: Timestamp) -> Result<Allowance> {
        // A key whose bucket is full again is like one that was never seen.
        if self.checks.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        let checked = self.limiter.check_key(key);
        let state = checked.map_err(|refusal| limited(refusal.wait_time_from(self.clock.now())))?;
        let (limit, remaining) = (self.quota.burst_size().get(), state.remaining_burst_capacity());
        let full_in = self.quota.replenish_interval() * (limit - remaining.min(limit));
        let reset_at = now.plus(TimeDelta::from_std(full_in).unwrap_or(TimeDelta::MAX));
        Ok(Allowance { limit, cost: 1, remaining, reset_at })
    }
}

fn limited(wait: Duration) -> Error {
    Error::RateLimited { seconds: wait.as_secs() + 1 }
}

struct SignIn<C: Clock> {
    asks: Buckets<IpAddr, C>,
    answers: Buckets<IpAddr, C>,
    total: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    clock: C,
}

impl<C: Clock + Clone> SignIn<C> {
    fn new(limits: &config::Limits, clock: &C) -> Self {
        let network = Quota::per_minute(positive(limits.sign_ins_per_minute));
        let total = Quota::per_second(positive(limits.sign_ins_per_second));
        Self {
            asks: Buckets::new(network, clock),
            answers: Buckets::new(network, clock),
            total: RateLimiter::direct_with_clock(total, clock.clone()),
            clock: clock.clone(),
        }
    }

    /// The network address comes first, so that one flooder can't use up what is there for all.
    fn ask(&self, from: IpAddr, now: Timestamp) -> Result<Allowance> {
        let allowance = self.asks.check(&one_party(from), now)?;
        self.total.check().map_err(|refusal| limited(refusal.wait_time_from(self.clock.now())))?;
        Ok(allowance)
    }

    fn answer(&self, from: IpAddr, now: Timestamp) -> Result<Allowance> {
        self.answers.check(&one_party(from), now)
    }
}

fn positive(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// What a member, or a network address that signs in, may still spend, as GraphQL's `rateLimit` and the
/// response's headers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Points or attempts a minute.
    pub limit: u32,
    /// What this request cost.
    pub cost: u32,
    pub remaining: u32,
    /// When all of them are there again.
    pub reset_at: Timestamp,
}

/// Points that members spent in the present minute. Fixed minutes, so that a client can be told
/// when to come back; forgotten when the next one starts, so memory holds one minute's members.
struct Points {
    limit: u32,
    on: bool,
    used: Mutex<(i64, HashMap<Id<Member>, u32>)>,
}

impl Points {
    fn spend(&self, member: &Id<Member>, cost: u32, now: Timestamp) -> Result<Allowance> {
        let minute = now.millis().div_euclid(60_000);
        let reset_at = Timestamp::from_millis((minute + 1) * 60_000);
        if !self.on {
            return Ok(Allowance { limit: self.limit, cost, remaining: self.limit, reset_at });
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.0 != minute {
            *used = (minute, HashMap::new());
        }
        let spent = used.1.entry(member.clone()).or_default();
        let total = spent.saturating_add(cost);
        if total > self.limit {
            return Err(Error::RateLimited { seconds: whole_seconds(reset_at.since(now)) });
        }
        *spent = total;
        Ok(Allowance { limit: self.limit, cost, remaining: self.limit - total, reset_at })
    }
}

/// Who is being served.
struct Turns {
    at_once: usize,
    within: Duration,
    of: Mutex<HashMap<Id<Member>, Arc<Semaphore>>>,
}

impl Turns {
    async fn next(&self, member: &Id<Member>) -> Result<OwnedSemaphorePermit> {
        let turns = {
            let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
            if of.len() >= TIDY_EVERY as usize && !of.contains_key(member) {
                // Whoever is served or waits holds on to it.
                of.retain(|_, turns| Arc::strong_count(turns) > 1);
            }
            let fresh = || Arc::new(Semaphore::new(self.at_once));
            Arc::clone(of.entry(member.clone()).or_insert_with(fresh))
        };
        let turn = tokio::time::timeout(self.within, turns.acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Error::RateLimited { seconds: 1 })
    }
}

fn whole_seconds(delta: TimeDelta) -> u64 {
    u64::try_from(delta.num_milliseconds()).unwrap_or_default().div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::config::Config;

    fn sign_in() -> (SignIn<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (SignIn::new(&Config::defaults().limits, &clock), clock)
    }

    const NOW: Timestamp = Timestamp::MIN;

    fn at(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn a_network_address_has_sixty_a_minute_and_all_have_twenty_a_second() {
        let (limits, clock) = sign_in();
        let mut granted = 0;
        for _ in 0..100 {
            clock.advance(Duration::from_millis(100));
            granted += u32::from(limits.ask(at(1), NOW).is_ok());
        }
        assert_eq!(granted, 69, "60 at once and one a second for ten seconds, the last not yet");
        let at_once = (2..102).filter(|last| limits.ask(at(*last), NOW).is_ok()).count();
        assert!((19..=20).contains(&at_once), "{at_once}");
        let refusal = limits.ask(at(1), NOW).unwrap_err();
        assert!(matches!(refusal, Error::RateLimited { seconds: 1..=2 }), "{refusal:?}");
    }

    #[test]
    fn one_home_is_one_network_address_and_is_told_what_remains() {
        let (limits, _) = sign_in();
        let answer = |text: &str| limits.answer(text.parse().unwrap(), NOW).unwrap();
        let left = |remaining, seconds| {
            let reset_at = NOW.plus(TimeDelta::seconds(seconds));
            Allowance { limit: 60, cost: 1, remaining, reset_at }
        };
        assert_eq!(answer("2001:db8:1:2:3:4:5:6"), left(59, 1));
        assert_eq!(answer("2001:db8:1:2::1"), left(58, 2));
        assert_eq!(answer("2001:db8:1:3::1"), left(59, 1), "the neighbours");
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let (limits, clock) = sign_in();
        for number in 0..TIDY_EVERY * 3 {
            clock.advance(Duration::from_secs(10));
            limits.asks.check(&IpAddr::from(number.to_be_bytes()), NOW).ok();
        }
        assert!(limits.asks.limiter.len() < 2 * TIDY_EVERY as usize);
    }

    #[test]
    fn points_come_back_each_minute() {
        let limits = Limits::new(&Config::defaults().limits);
        let (member, other) = (Id::of("1"), Id::of("2"));
        let now = Timestamp::from_millis(90_000);
        let spend = |cost, seconds| limits.points(&member, cost, now.plus(TimeDelta::seconds(seconds)));
        let reset_at = Timestamp::from_millis(120_000);
        let left = |cost, remaining| Allowance { limit: 2000, cost, remaining, reset_at };
        assert_eq!(spend(1_500, 0).unwrap(), left(1_500, 500));
        assert!(matches!(spend(501, 10), Err(Error::RateLimited { seconds: 20 })));
        assert_eq!(spend(500, 10).unwrap(), left(500, 0));
        assert_eq!(limits.points(&other, 1, now).unwrap(), left(1, 1_999));
        assert_eq!(spend(2_000, 30).unwrap().remaining, 0);
        assert!(spend(u32::MAX, 30).is_err());
    }

    #[tokio::test]
    async fn four_requests_of_a_member_are_served_at_once() {
        let mut limits = Limits::new(&Config::defaults().limits);
        let (member, other) = (Id::of("1"), Id::of("2"));
        let mut served = Vec::new();
        for _ in 0..4 {
            served.push(limits.turn(&member).await.unwrap());
        }
        assert!(limits.turn(&other).await.is_ok());
        limits.turns.as_mut().unwrap().within = Duration::from_millis(1);
        assert!(matches!(limits.turn(&member).await, Err(Error::RateLimited { seconds: 1 })));
        limits.turns.as_mut().unwrap().within = Duration::from_secs(60);
        let (fifth, ()) = tokio::join!(limits.turn(&member), async { drop(served.pop()) });
        assert!(fifth.is_ok());
    }

    #[tokio::test]
    async fn members_who_left_are_forgotten() {
        let limits = Limits::new(&Config::defaults().limits);
        let staying = limits.turn(&Id::of("staying")).await.unwrap();
        for number in 0..TIDY_EVERY * 3 {
            limits.turn(&Id::of(&number.to_string())).await.unwrap();
        }
        let turns = limits.turns.as_ref().unwrap().of.lock().unwrap();
        assert!(turns.len() <= TIDY_EVERY as usize && turns.contains_key(&Id::of("staying")));
        drop(staying);
    }

    #[test]
    fn off_is_off() {
        let mut config = Config::defaults().limits;
        config.rate = Switch::Off;
        let limits = Limits::new(&config);
        for _ in 0..1_000 {
            assert_eq!((limits.ask(at(1), NOW).unwrap(), limits.answer(at(1), NOW).unwrap()), (None, None));
            assert!(limits.points(&Id::of("1"), 2_000, Timestamp::from_millis(0)).is_ok());
        }
    }
}
