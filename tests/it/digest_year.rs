//! A year of digests: sixty weeks with both changes of the clocks and week 53, two workers that die at any
//! moment, mail that fails, and members who change their minds. What they should have got is worked out day by
//! day, from London's calendar alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    future::Future,
};

use chrono::{Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Europe::London;
use hope_exchange::{
    app::{App, Parts},
    blobs::Blobs,
    clock::Timestamp,
    domain::{
        digest::{Digest, DigestState},
        member::Member,
        post::{Post, PostKind, PostState},
        thread::Thread,
    },
    ids::Id,
    jobs::digest,
    keys::Keys,
    limits::Limits,
    mail::{MailError, Message},
    single_sign_on::Providers,
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    community::{all, insert, post, publish, read, time},
    on_both_stores,
};

/// Sixty weeks from the tests' Monday, 2 March 2026.
const END: &str = "2027-04-26T00:00:00Z";
/// Nobody works for some weeks: who missed two digests gets one.
const AWAY: (&str, &str) = ("2026-08-03T00:00:00Z", "2026-08-20T12:00:00Z");

/// Chance that is the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What a member asked for, from a moment on.
#[derive(Clone)]
struct Wish {
    since: Timestamp,
    /// `WEEKLY`, `FORTNIGHTLY`, `MONTHLY` or `OFF`.
    frequency: &'static str,
    /// Days from Monday.
    weekday: u32,
    minute: u32,
    paused_until: Option<NaiveDate>,
}

impl Wish {
    /// Whether a digest comes on a day, and when.
    fn on(&self, day: NaiveDate) -> Option<Timestamp> {
        let monday = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        let comes = match self.frequency {
            "WEEKLY" => true,
            "FORTNIGHTLY" => ((day - monday).num_days() / 7) % 2 == 0,
            "MONTHLY" => day.day() < 8,
            _ => false,
        };
        let paused = self.paused_until.is_some_and(|until| day < until);
        if !comes || paused || day.weekday().num_days_from_monday() != self.weekday {
            return None;
        }
        let wall = NaiveTime::from_hms_opt(self.minute / 60, self.minute % 60, 0).unwrap();
        let at = match London.from_local_datetime(&day.and_time(wall)) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at,
            MappedLocalTime::None => {
                London.from_local_datetime(&(day.and_time(wall) + TimeDelta::hours(1))).unwrap()
            }
        };
        Some(Timestamp::from(at.to_utc()))
    }

    fn input(&self) -> Json {
        let day = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"][self.weekday as usize];
        let time = format!("{:02}:{:02}", self.minute / 60, self.minute % 60);
        json!({ "frequency": self.frequency, "weekday": day, "time": time,
            "pausedUntil": self.paused_until.map(|day| day.to_string()) })
    }
}

/// What members choose, and when they change it.
fn wishes() -> Vec<(&'static str, Vec<(&'static str, Wish)>)> {
    let wish = |frequency, weekday, hour: u32, minute| Wish {
        since: time("2026-03-02T09:00:00Z"),
        frequency,
        weekday,
        minute: hour * 60 + minute,
        paused_until: None,
    };
    let now = "2026-03-02T09:00:00Z";
    let pause = NaiveDate::from_ymd_opt(2026, 11, 3);
    vec![
        ("Tess Weekly", vec![(now, wish("WEEKLY", 1, 7, 30))]),
        // In the hour that does not exist on 29 March, and comes twice on 25 October.
        ("Noor Night", vec![(now, wish("WEEKLY", 6, 1, 30))]),
        ("Fay Fortnight", vec![(now, wish("FORTNIGHTLY", 0, 0, 0))]),
        ("Max Month", vec![(now, wish("MONTHLY", 4, 23, 59))]),
        (
            "Una Unsure",
            vec![
                (now, wish("WEEKLY", 1, 7, 30)),
                ("2026-05-06T10:00:00Z", wish("FORTNIGHTLY", 3, 16, 0)),
                ("2026-07-11T10:00:00Z", wish("OFF", 3, 16, 0)),
                ("2026-09-12T10:00:00Z", wish("WEEKLY", 5, 9, 15)),
                ("2026-12-30T10:00:00Z", wish("MONTHLY", 5, 9, 15)),
                ("2027-02-20T10:00:00Z", wish("WEEKLY", 6, 0, 30)),
            ],
        ),
        (
            "Pia Pause",
            vec![
                (now, wish("WEEKLY", 1, 7, 30)),
                ("2026-09-30T10:00:00Z", Wish { paused_until: pause, ..wish("WEEKLY", 1, 7, 30) }),
            ],
        ),
        // A lived experience partner, who was invited to one topic.
        ("Lea Partner", vec![(now, wish("WEEKLY", 2, 12, 0))]),
    ]
}

/// When a worker dies.
#[derive(Clone, Copy)]
enum Death {
    Never,
    /// After so many polls of its work.
    After(u64),
    /// As soon as the mail server has a message of somebody's.
    Sending,
}

/// Does something, or drops it in the middle: what becomes of work when its process dies. Whether it did.
async fn dies(app: &TestApp, death: Death, work: impl Future) -> bool {
    let mut work = Box::pin(work);
    let (mut polls, before) = (0, app.mail.count());
    loop {
        let is_over = match death {
            Death::Never => {
                work.await;
                return false;
            }
            Death::After(most) => polls >= most,
            Death::Sending => app.mail.count() > before,
        };
        if is_over {
            return true;
        }
        if futures_util::poll!(&mut work).is_ready() {
            return false;
        }
        polls += 1;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// A worker's view of the same store, with nothing else in common.
fn another(app: &TestApp) -> App {
    let (config, ids) = (&app.app.config, &app.app.ids);
    App::new(Parts {
        mailer: app.app.mailer.clone(),
        blobs: Blobs::open(&config.attachments, &config.data).unwrap(),
        keys: Keys::open(&app.folder.path().join("keys"), ids).unwrap(),
        limits: Limits::new(&config.limits),
        providers: Providers::default(),
        clock: app.app.clock.clone(),
        ids: ids.clone(),
        store: app.app.store.clone(),
        config: config.clone(),
    })
}

struct Reader {
    name: &'static str,
    person: Person,
    id: Id<Member>,
    chosen: Vec<Wish>,
}

impl Reader {
    /// The days on which a digest came, and the moments.
    fn due(&self, until: Timestamp) -> Vec<(NaiveDate, Timestamp)> {
        let first = self.chosen[0].since.london().date_naive();
        let days =
            (0..).map(|days| first + Days::new(days)).take_while(|day| *day <= until.london().date_naive());
        let on = |day: NaiveDate| {
            let spans = self.chosen.iter().enumerate().filter_map(move |(at, wish)| {
                let ends = self.chosen.get(at + 1).map(|next| next.since);
                let due = wish.on(day)?;
                (wish.since < due && ends.is_none_or(|ends| due <= ends) && due <= until)
                    .then_some((day, due))
            });
            spans.collect::<Vec<_>>()
        };
        days.flat_map(on).collect()
    }
}

/// The community as it goes on.
struct Year<'a> {
    app: &'a TestApp,
    chance: Chance,
    writers: Vec<Member>,
    readers: Vec<Reader>,
    /// What stands in no mail from now on: titles that were hidden, drafts, and what a partner may not see.
    secrets: Vec<String>,
    foreign: Vec<String>,
    /// Titles that a reader has read, and those that they wrote.
    known: HashMap<Id<Member>, HashSet<String>>,
    published: Vec<(Post, Thread)>,
    /// Every mail, by whom it is to and the digest in its Message-ID.
    sent: BTreeMap<(String, String), usize>,
    deaths: usize,
}

impl Year<'_> {
    /// Something for everybody, and something that is not.
    async fn publish(&mut self, day: NaiveDate) {
        let (app, at) = (&self.app.app, self.app.now());
        let writer = |chance: &mut Chance, writers: &[Member]| {
            writers[chance.below(writers.len() as u64) as usize].clone()
        };
        let mut posts = Vec::new();
        let mut add = |author: &Member, title: String, topic: &str, state| {
            let (mut post, thread) = post(&app.ids, author, PostKind::Idea, &title, at);
            post.topics = vec![Id::of(topic)];
            post.state = state;
            if state == PostState::Draft {
                post.published_at = None;
            }
            posts.push((post, thread));
        };
        let author = writer(&mut self.chance, &self.writers);
        add(&author, format!("zqnews of {day}."), "mental-health", PostState::Published);
        if self.chance.below(4) == 0 {
            let author = writer(&mut self.chance, &self.writers);
            let title = format!("zqelsewhere of {day}.");
            self.foreign.push(title.clone());
            add(&author, title, "volunteering", PostState::Published);
        }
        if self.chance.below(6) == 0 {
            let author = writer(&mut self.chance, &self.writers);
            for (name, state) in [("zqdraft", PostState::Draft), ("zqhidden", PostState::Hidden)] {
                let title = format!("{name} of {day}.");
                self.secrets.push(title.clone());
                add(&author, title, "mental-health", state);
            }
        }
        if self.chance.below(5) == 0 {
            let reader = &self.readers[self.chance.below(self.readers.len() as u64) as usize];
            let title = format!("zqown of {day}.");
            self.known.entry(reader.id.clone()).or_default().insert(title.clone());
            let author: Member = app.store.one(&reader.id).await.unwrap().unwrap();
            add(&author, title, "mental-health", PostState::Published);
        }
        publish(&app.store, &posts).await;
        posts.retain(|(post, _)| post.state == PostState::Published);
        self.published.extend(posts);
    }

    /// A moderator hides something of the last days, and somebody reads something.
    async fn meddle(&mut self) {
        let store = &self.app.app.store;
        let last = self.published.len().saturating_sub(6) as u64;
        let recent = |chance: &mut Chance, published: &[(Post, Thread)]| {
            let of = published.len() as u64 - last;
            published[(last + chance.below(of)) as usize].clone()
        };
        if self.chance.below(8) == 0 && self.published.len() > 6 {
            let (post, _) = recent(&mut self.chance, &self.published);
            // Enough is left for every digest.
            if !post.title.starts_with("zqnews") {
                let hidden = [Post::STATE.set(PostState::Hidden)];
                store.commit(Batch::new().patch(&post.id, Guard::Present, hidden)).await.unwrap();
                self.secrets.push(post.title.clone());
            }
        }
        if self.chance.below(8) == 0 && self.published.len() > 6 {
            let (post, thread) = recent(&mut self.chance, &self.published);
            let reader = &self.readers[self.chance.below(self.readers.len() as u64) as usize];
            let theirs = self.known.entry(reader.id.clone()).or_default();
            if !post.title.starts_with("zqnews") && theirs.insert(post.title.clone()) {
                let member: Member = store.one(&reader.id).await.unwrap().unwrap();
                insert(store, [&read(&member, &thread.id, self.app.now())]).await;
            }
        }
    }

    /// Both workers at once, each of which may die.
    async fn work(&mut self, workers: &[App; 2]) {
        if self.chance.below(10) == 0 {
            let later = || MailError::Later("the mail server asks to try later (451)".to_owned());
            self.app.mail.fail_next([later(), later()]);
        }
        let death = |chance: &mut Chance| match chance.below(6) {
            0 => Death::After(1 + chance.below(30)),
            1 => Death::After(1 + chance.below(400)),
            2 | 3 => Death::Sending,
            _ => Death::Never,
        };
        let (one, two) = (death(&mut self.chance), death(&mut self.chance));
        let (one, two) = tokio::join!(
            dies(self.app, one, digest::run(&workers[0])),
            dies(self.app, two, digest::run(&workers[1]))
        );
        self.deaths += usize::from(one) + usize::from(two);
        self.look();
    }

    /// Looks into the mailboxes.
    fn look(&mut self) {
        for Message { to_name, text, html, message_id, .. } in self.app.mail.take() {
            let reader = &self.readers.iter().find(|reader| reader.name == to_name).expect(&to_name).id;
            let known = self.known.get(reader).into_iter().flatten();
            let foreign = self.foreign.iter().filter(|_| to_name == "Lea Partner");
            for secret in self.secrets.iter().chain(known).chain(foreign) {
                assert!(!text.contains(secret) && !html.contains(secret), "{to_name} is told of {secret}");
            }
            let digest = message_id.split(['@', '.']).next().unwrap().to_owned();
            *self.sent.entry((to_name, digest)).or_default() += 1;
        }
    }
}

on_both_stores! {
    async fn a_year_of_digests_is_what_everybody_asked_for(app: &TestApp) {
        let mut writers = Vec::new();
        for number in 0..8 {
            let mut writer = crate::community::member(&app.app.ids, &format!("Writer {number}"), app.now());
            writer.digest_due_at = None;
            writers.push(writer);
        }
        insert(&app.app.store, &writers).await;
        let mut readers = Vec::new();
        for (name, _) in wishes() {
            let person = app.person(name).await;
            readers.push(Reader { name, id: Id::parse(&person.id).unwrap(), person, chosen: Vec::new() });
        }
        app.invited_to(&readers.last().unwrap().person, "mental-health").await;
        let mut changes: Vec<(Timestamp, usize, Wish)> = Vec::new();
        for (reader, (_, wishes)) in wishes().into_iter().enumerate() {
            changes.extend(wishes.into_iter().map(|(at, wish)| (time(at), reader, wish)));
        }
        changes.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));

        let workers = [app.app.clone(), another(app)];
        let mut year = Year {
            app, chance: Chance(53), writers, readers, secrets: Vec::new(), foreign: Vec::new(),
            known: HashMap::new(), published: Vec::new(), sent: BTreeMap::new(), deaths: 0,
        };
        let (away, back) = (time(AWAY.0), time(AWAY.1));
        let (mut day, mut stopped, mut started) = (None, None, None);
        while app.now() < time(END) {
            let today = app.now().london().date_naive();
            if day.replace(today) != Some(today) {
                year.publish(today).await;
            }
            let is_away = away <= app.now() && app.now() < back;
            if is_away != (stopped.is_some() && started.is_none()) {
                // Workers stop and start in good order.
                Box::pin(digest::run(&app.app)).await.unwrap();
                year.look();
                *(if is_away { &mut stopped } else { &mut started }) = Some(app.now());
            }
            if !is_away {
                if year.chance.below(4) == 0 {
                    // Between being planned and being sent, things happen.
                    digest::plan(&app.app).await.unwrap();
                }
                year.meddle().await;
                year.work(&workers).await;
            }
            if changes.last().is_some_and(|(at, ..)| *at <= app.now()) && !is_away {
                // Nothing is due at that moment, so that it is clear what they get.
                Box::pin(digest::run(&app.app)).await.unwrap();
                year.look();
                while let Some((_, reader, wish)) = changes.pop_if(|(at, ..)| *at <= app.now()) {
                    let reader = &mut year.readers[reader];
                    let person = app.sign_in_again(&reader.person);
                    let done = app.mutate(&person, "updateDigestPreferences", &wish.input(), "").await;
                    assert_eq!(done["userErrors"], json!([]), "{done}");
                    reader.chosen.push(Wish { since: app.now(), ..wish });
                }
            }
            app.advance(TimeDelta::minutes(20 + i64::try_from(year.chance.below(16 * 60)).unwrap()));
        }
        // Whatever a worker left behind is done when its lease is over.
        for _ in 0..4 {
            app.advance(TimeDelta::hours(5));
            Box::pin(digest::run(&app.app)).await.unwrap();
            year.look();
        }

        let (stopped, started) = (stopped.unwrap(), started.unwrap());
        let mut expected = BTreeSet::new();
        for reader in &year.readers {
            let mut due = reader.due(app.now());
            // Of those in the time when nobody worked, the last.
            let missed: Vec<_> = due.iter().filter(|(_, at)| stopped < *at && *at <= started).copied().collect();
            due.retain(|one| !missed.contains(one) || missed.last() == Some(one));
            for (day, _) in due {
                let digest = Id::<Digest>::of(&format!("{}-{}", reader.id, day.format("%Y%m%d")));
                expected.insert((reader.name.to_owned(), digest.to_string()));
            }
        }
        let sent: BTreeSet<_> = year.sent.keys().cloned().collect();
        let (missing, extra): (Vec<_>, Vec<_>) = (expected.difference(&sent).collect(), sent.difference(&expected).collect());
        assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}, not asked for {extra:#?}");
        let again: usize = year.sent.values().map(|times| times - 1).sum();
        assert!(again <= year.deaths, "{again} came again, and workers died {} times", year.deaths);
        eprintln!("{} digests, {again} twice, {} deaths", expected.len(), year.deaths);
        assert!(expected.len() > 250 && year.deaths > 40, "{} digests, {} deaths", expected.len(), year.deaths);

        let digests = all::<Digest>(&app.app.store).await;
        for reader in &year.readers {
            let mut theirs: Vec<&Digest> = digests.iter().filter(|digest| digest.member == reader.id).collect();
            theirs.sort_by_key(|digest| digest.until);
            let mut told = HashSet::new();
            for digest in &theirs {
                assert_eq!(digest.state, DigestState::Sent, "{}: {}", reader.name, digest.id);
                for item in &digest.told {
                    assert!(told.insert(item.what.as_str()), "{} is told of {:?} twice", reader.name, item.what);
                }
            }
            for pair in theirs.windows(2) {
                let gap = pair[1].from.since(pair[0].until);
                // Who turned digests on again hears of the week before.
                assert!(gap == TimeDelta::zero() || (reader.name == "Una Unsure" && gap > TimeDelta::days(30)), "{}: {gap}", reader.name);
            }
        }
    }
}
