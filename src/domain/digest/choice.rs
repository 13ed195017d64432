//! What is in a digest: of everything that could be for a member, the few things that are most worth
//! their time.
//!
//! Each section has a share of the room, so that a busy thread does not push out the question that only
//! this member can answer; what a section does not use, others fill. No more than [`ALIKE_MAX`] items are
//! from one thread, and no more from one author.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{
    Window,
    candidate::{Candidate, LATE, Spread},
    note::Note,
    reader::Reader,
    score::{Reason, Score},
};
use crate::{
    clock::Timestamp,
    domain::{
        adoption::AdoptionStep, comment::Comment, contribution::ContributionId, follow::Target,
        member::Member, thread::Thread,
    },
    ids::Id,
};

/// From one thread, and from one author.
pub const ALIKE_MAX: usize = 2;
/// A question that nobody has taken up for so long will not be for being asked again.
const WAITING_DAYS: i64 = 28;
/// Events are told of so long ahead: time enough to ask for a day, and near enough to plan it.
const AHEAD_DAYS: i64 = 21;
/// A week with less than so many items is a quiet one.
const QUIET: usize = 3;
/// As many of each section are looked at more closely: several times more than there is room for.
const OFFERED: usize = 60;

/// In the order in which they are read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, async_graphql::Enum,
)]
#[serde(rename_all = "kebab-case")]
#[graphql(name = "DigestSection")]
pub enum Section {
    /// What moderators put at the top this week.
    Pinned,
    /// Questions that nobody has taken up, about what the member knows of.
    Questions,
    /// What was said to the member.
    Replies,
    /// Ideas, case studies, updates and questions since the last digest.
    New,
    /// Who has taken up what the member wrote or follows.
    Adoptions,
    /// In the next three weeks.
    Events,
    /// An older case study, in a quiet week.
    Library,
}

impl Section {
    pub const ALL: [Self; 7] = [
        Self::Pinned,
        Self::Questions,
        Self::Replies,
        Self::New,
        Self::Adoptions,
        Self::Events,
        Self::Library,
    ];

    /// What comes first when there is room for little, and how much of it.
    const SHARES: [(Self, usize); 6] = [
        (Self::Pinned, 1),
        (Self::Questions, 3),
        (Self::Replies, 3),
        (Self::New, 3),
        (Self::Adoptions, 1),
        (Self::Events, 1),
    ];

    /// Who takes the room that others leave.
    const FILLING: [Self; 5] = [Self::Replies, Self::New, Self::Questions, Self::Adoptions, Self::Events];

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Pinned => "This week",
            Self::Questions => "Questions waiting for someone like you",
            Self::Replies => "Replies and mentions",
            Self::New => "New ideas and case studies",
            Self::Adoptions => "Taken up elsewhere",
            Self::Events => "Events in the next three weeks",
            Self::Library => "From the library",
        }
    }
}

/// What something in a digest is; stored as the id's text, told apart by its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum What {
    Contribution(ContributionId),
    Comment(Id<Comment>),
    Adoption(Id<AdoptionStep>),
}

impl What {
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Contribution(id) => id.as_str(),
            Self::Comment(id) => id.as_str(),
            Self::Adoption(id) => id.as_str(),
        }
    }
}

impl TryFrom<String> for What {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let contribution = || ContributionId::parse(&text).map(Self::Contribution);
        let comment = || Id::parse(&text).map(Self::Comment);
        let adoption = || Id::parse(&text).map(Self::Adoption);
        contribution()
            .or_else(comment)
            .or_else(adoption)
            .ok_or_else(|| format!("{text} is no id of what a digest tells of"))
    }
}

impl From<What> for String {
    fn from(what: What) -> Self {
        what.as_str().to_owned()
    }
}

/// Something that could be in a digest.
#[derive(Clone, Debug)]
pub struct Item {
    pub section: Section,
    pub what: What,
    pub thread: Id<Thread>,
    /// Who says it.
    pub author: Option<Id<Member>>,
    /// When it was said: who has read the thread since has read it.
    pub said_at: Timestamp,
    /// How good it is among those of its section, and why it is there.
    pub score: f64,
    pub reasons: Vec<Reason>,
    /// Whether it is for them also when they don't follow its thread.
    pub is_theirs: bool,
}

impl Item {
    fn of(section: Section, candidate: &Candidate, score: Score) -> Self {
        Self {
            section,
            what: What::Contribution(candidate.id.clone()),
            thread: candidate.thread.clone(),
            author: candidate.authors.first().cloned(),
            said_at: candidate.published_at,
            score: score.points,
            reasons: score.reasons,
            is_theirs: true,
        }
    }

    /// Something that a comment says to the member. The later, the better.
    #[must_use]
    pub fn reply(comment: &Comment, due: Timestamp) -> Self {
        Self {
            section: Section::Replies,
            what: What::Comment(comment.id.clone()),
            thread: comment.thread.clone(),
            author: Some(comment.author.clone()),
            said_at: comment.created_at,
            score: -due.since(comment.created_at).as_seconds_f64() / 86_400.0,
            reasons: Vec::new(),
            is_theirs: true,
        }
    }

    fn adoption(spread: &Spread, is_theirs: bool, due: Timestamp) -> Self {
        Self {
            section: Section::Adoptions,
            what: What::Adoption(spread.step.clone()),
            thread: spread.thread.clone(),
            author: Some(spread.by.clone()),
            said_at: spread.at,
            score: -due.since(spread.at).as_seconds_f64() / 86_400.0,
            reasons: Vec::new(),
            is_theirs,
        }
    }
}

/// What digests of one time are chosen from.
#[derive(Debug, Default)]
pub struct Pool {
    /// The newest contributions, of [`NEWS_DAYS`](super::candidate::NEWS_DAYS).
    pub news: Vec<Candidate>,
    /// Events that are to come.
    pub events: Vec<Candidate>,
    /// Older case studies.
    pub library: Vec<Candidate>,
    pub spread: Vec<Spread>,
    /// What moderators said, the latest week first, and what they put at the top then.
    pub notes: Vec<(Note, Option<Candidate>)>,
}

impl Pool {
    /// What moderators said for a digest.
    #[must_use]
    pub fn note(&self, window: Window) -> Option<&(Note, Option<Candidate>)> {
        self.notes.iter().find(|(note, _)| note.is_for(window))
    }
}

/// What could be in a member's digest, the best of each section first.
#[derive(Debug, Default)]
pub struct Offers(HashMap<Section, Vec<Item>>);

impl Offers {
    /// Of what is the same for everybody. Adoptions are among them also of what the member may not
    /// follow: see [`Item::is_theirs`].
    #[must_use]
    pub fn of(reader: &Reader<'_>, pool: &Pool, window: Window) -> Self {
        let mut offers = Self::default();
        let pinned = pool.note(window).and_then(|(_, pinned)| pinned.as_ref());
        let score = |candidate| Score::of(reader, candidate, window.until);
        let pinned = pinned.filter(|candidate| reader.may_be_told(candidate));
        offers.add(pinned.map(|candidate| Item::of(Section::Pinned, candidate, score(candidate))));
        let may = |candidate: &&Candidate| {
            pinned.is_none_or(|pinned| pinned.id != candidate.id) && reader.may_be_told(candidate)
        };
        for candidate in pool.news.iter().filter(may) {
            offers.add(sort(reader, candidate, window));
        }
        for candidate in pool.events.iter().filter(may).filter(|candidate| is_soon(candidate, window)) {
            let mut item = Item::of(Section::Events, candidate, score(candidate));
            let days =
                candidate.starts_at.map_or(0.0, |at| at.since(window.until).as_seconds_f64() / 86_400.0);
            item.score -= days / AHEAD_DAYS as f64;
            offers.add(Some(item));
        }
        for candidate in pool.library.iter().filter(may) {
            let score = Score::ageless(reader, candidate);
            let is_good = score.is_about_theirs() && !is_out_of_date(candidate, window.until);
            offers.add(is_good.then(|| Item::of(Section::Library, candidate, score)));
        }
        for spread in &pool.spread {
            let is_theirs = spread.authors.contains(&reader.member.id);
            let news = spread.by != reader.member.id
                && is_in(window, spread.at)
                && !reader.told.contains(spread.step.as_str());
            offers.add(news.then(|| Item::adoption(spread, is_theirs, window.until)));
        }
        offers
    }

    pub fn add(&mut self, item: Option<Item>) {
        if let Some(item) = item {
            self.0.entry(item.section).or_default().push(item);
        }
    }

    /// The best of each section, in order: of equals the later, and then whatever the ids say, so that
    /// the same digest comes out the same every time.
    pub fn rank(&mut self) {
        for items in self.0.values_mut() {
            items.sort_unstable_by(|one, other| {
                let by_score = other.score.total_cmp(&one.score);
                by_score
                    .then_with(|| other.said_at.cmp(&one.said_at))
                    .then_with(|| one.what.as_str().cmp(other.what.as_str()))
            });
            items.truncate(OFFERED);
        }
    }

    pub fn retain(&mut self, keep: impl Fn(&Item) -> bool) {
        for items in self.0.values_mut() {
            items.retain(&keep);
        }
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.0.values().flatten()
    }

    /// What there is room for, in reading order, and whether there was more.
    #[must_use]
    pub fn choose(mut self, room: usize) -> Choice {
        let mut chosen =
            Choosing { room, items: Vec::new(), threads: HashMap::new(), authors: HashMap::new() };
        for (section, share) in Section::SHARES {
            chosen.take(self.0.get_mut(&section), share);
        }
        for section in Section::FILLING {
            chosen.take(self.0.get_mut(&section), room);
        }
        if chosen.items.len() < QUIET {
            chosen.take(self.0.get_mut(&Section::Library), 1);
        }
        let is_left =
            |(section, items): (&Section, &Vec<Item>)| *section != Section::Library && !items.is_empty();
        let more = self.0.iter().any(is_left);
        let mut items = chosen.items;
        items.sort_by(|one, other| one.section.cmp(&other.section).then(other.score.total_cmp(&one.score)));
        Choice { items, more }
    }
}

#[derive(Debug)]
pub struct Choice {
    pub items: Vec<Item>,
    /// Whether there is more than fits.
    pub more: bool,
}

struct Choosing {
    room: usize,
    items: Vec<Item>,
    threads: HashMap<Id<Thread>, usize>,
    authors: HashMap<Id<Member>, usize>,
}

impl Choosing {
    /// As many of the best as there is room for, without more of the same than one wants to read.
    fn take(&mut self, from: Option<&mut Vec<Item>>, at_most: usize) {
        let Some(from) = from else { return };
        let mut taken = 0;
        let mut left = Vec::new();
        for item in from.drain(..) {
            if taken < at_most && self.items.len() < self.room && self.has_room_for(&item) {
                taken += 1;
                *self.threads.entry(item.thread.clone()).or_default() += 1;
                if let Some(author) = &item.author {
                    *self.authors.entry(author.clone()).or_default() += 1;
                }
                self.items.push(item);
            } else {
                left.push(item);
            }
        }
        *from = left;
    }

    fn has_room_for(&self, item: &Item) -> bool {
        let of_thread = self.threads.get(&item.thread).copied().unwrap_or_default();
        let of_author = item.author.as_ref().and_then(|author| self.authors.get(author)).copied();
        of_thread < ALIKE_MAX && of_author.unwrap_or_default() < ALIKE_MAX
    }
}

/// Where a contribution belongs.
fn sort(reader: &Reader<'_>, candidate: &Candidate, window: Window) -> Option<Item> {
    let is_new = is_in(window, candidate.published_at);
    let may_wait = candidate.waits() && is_waiting(candidate, window);
    if !is_new && !may_wait || is_soon(candidate, window) {
        return None;
    }
    let score = Score::of(reader, candidate, window.until);
    if is_new && candidate.mentions.contains(&reader.member.id) {
        return Some(Item::of(Section::Replies, candidate, score));
    }
    if may_wait && score.is_about_theirs() {
        return Some(Item::of(Section::Questions, candidate, score));
    }
    is_new.then(|| Item::of(Section::New, candidate, score))
}

fn is_in(window: Window, moment: Timestamp) -> bool {
    Window { from: window.from.minus(LATE), ..window }.contains(moment)
}

fn is_waiting(candidate: &Candidate, window: Window) -> bool {
    let earliest = window.until.minus(TimeDelta::days(WAITING_DAYS));
    earliest < candidate.published_at && candidate.published_at <= window.until
}

fn is_soon(candidate: &Candidate, window: Window) -> bool {
    let latest = window.until.plus(TimeDelta::days(AHEAD_DAYS));
    candidate.published_at <= window.until
        && candidate.starts_at.is_some_and(|starts| window.until < starts && starts <= latest)
}

fn is_out_of_date(candidate: &Candidate, due: Timestamp) -> bool {
    candidate.review_at.is_some_and(|at| at <= due)
}

impl Reason {
    /// What it is about, whose name a sentence needs.
    #[must_use]
    pub const fn target(&self) -> Option<&Target> {
        match self {
            Self::Experience(target) | Self::Follows(target) => Some(target),
            Self::SameType | Self::SameIcb | Self::SameRegion => None,
        }
    }
}

#[cfg(test)]
#[path = "choice_tests.rs"]
mod tests;
