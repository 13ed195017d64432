//! What digests are chosen from: as much of each contribution as it takes to tell whom it is for. The
//! same for everybody, so it is read once and not once a member.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::{
    clock::Timestamp,
    domain::{
        adoption::{AdoptionStatus, AdoptionStep},
        case_study::CaseStudy,
        contribution::ContributionId,
        entry::Entry,
        follow::Target,
        member::Member,
        organisation::Organisation,
        place::Place,
        post::{Post, PostKind},
        reaction::ReactionCounts,
        thread::Thread,
    },
    ids::Id,
};

/// What is older is no news for anybody, also for who comes back from a longer pause.
pub const NEWS_DAYS: i64 = 62;
/// Which case studies are old enough to come from the library.
pub const LIBRARY_DAYS: i64 = 60;
/// What is written down as published at one moment may be there a little later, when its commit has come
/// through: this much before a window is looked at again. Nothing is told twice for that.
pub const LATE: TimeDelta = TimeDelta::seconds(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Post(PostKind),
    CaseStudy,
}

#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: ContributionId,
    pub kind: Kind,
    pub thread: Id<Thread>,
    pub published_at: Timestamp,
    pub authors: Vec<Id<Member>>,
    /// The author's organisation, or those that a case study names.
    pub organisations: Vec<Id<Organisation>>,
    /// Topics, tags, authors and organisations, by which members follow and mute.
    pub targets: Vec<Target>,
    /// Where the first of its organisations is.
    pub place: Place,
    pub mentions: Vec<Id<Member>>,
    /// Whether anybody has taken up a question.
    pub answered: bool,
    /// Of an event.
    pub starts_at: Option<Timestamp>,
    /// How far members found it useful: see [`quality`].
    pub quality: f64,
    /// When a case study may be out of date.
    pub review_at: Option<Timestamp>,
}

impl Candidate {
    /// None for a draft.
    #[must_use]
    pub fn of_post(post: &Post) -> Option<Self> {
        let targets = std::iter::once(Target::Member(post.author.clone()))
            .chain(post.organisation.clone().map(Target::Organisation))
            .chain(post.topics.iter().cloned().map(Target::Topic))
            .chain(post.tags.iter().cloned().map(Target::Tag));
        Some(Self {
            id: (&post.id).into(),
            kind: Kind::Post(post.kind),
            thread: post.thread.clone(),
            published_at: post.published_at?,
            authors: vec![post.author.clone()],
            organisations: post.organisation.iter().cloned().collect(),
            targets: targets.collect(),
            place: Place::default(),
            mentions: post.mentions.clone(),
            answered: post.answered,
            starts_at: post.event.as_ref().and_then(|event| event.starts_at),
            quality: quality(&post.reactions, 0, post.accepted_answer.is_some()),
            review_at: None,
        })
    }

    /// None for a draft, and for a post's.
    #[must_use]
    pub fn of_entry(entry: &Entry) -> Option<Self> {
        if !matches!(entry.contribution, ContributionId::CaseStudy(_)) {
            return None;
        }
        let targets: Vec<Target> = entry.targets().collect();
        let (mut authors, mut organisations) = (Vec::new(), Vec::new());
        for target in &targets {
            match target {
                Target::Member(author) => authors.push(author.clone()),
                Target::Organisation(organisation) => organisations.push(organisation.clone()),
                Target::Topic(_) | Target::Tag(_) | Target::Thread(_) => {}
            }
        }
        let adoptions = entry.adoptions;
        let spread = adoptions.testing + adoptions.adopted + adoptions.adapted;
        Some(Self {
            id: entry.contribution.clone(),
            kind: Kind::CaseStudy,
            thread: Id::of(entry.contribution.key()),
            published_at: entry.published_at?,
            authors,
            organisations,
            targets,
            place: Place::default(),
            mentions: Vec::new(),
            answered: false,
            starts_at: None,
            quality: quality(&entry.reactions, spread, false),
            review_at: entry.review_at,
        })
    }

    /// Puts it where the first of its organisations is.
    pub fn locate(&mut self, organisations: &HashMap<Id<Organisation>, Organisation>) {
        let first = self.organisations.iter().find_map(|id| organisations.get(id));
        self.place = first.map(Organisation::place).unwrap_or_default();
    }

    /// A question that nobody has taken up.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.kind == Kind::Post(PostKind::Question) && !self.answered
    }
}

/// The most that quality counts.
pub const QUALITY_MAX: f64 = 2.0;

/// How far members found something useful. Each member counts once, and each more for less; comments
/// do not count at all, or whoever quarrels would be read most. An organisation that takes something up
/// says more than a nod, as does an author who says that a question is answered.
#[must_use]
pub fn quality(reactions: &ReactionCounts, organisations: i64, answered: bool) -> f64 {
    let useful = reactions.total() + 3 * organisations + 2 * i64::from(answered);
    let useful = f64::from(u32::try_from(useful.max(0)).unwrap_or(u32::MAX));
    (useful.ln_1p() / 2.0).min(QUALITY_MAX)
}

/// An organisation's record of adoption, for those who wrote or follow the case study.
#[derive(Clone, Debug)]
pub struct Spread {
    pub step: Id<AdoptionStep>,
    pub case_study: Id<CaseStudy>,
    pub thread: Id<Thread>,
    pub authors: Vec<Id<Member>>,
    pub organisation: Id<Organisation>,
    pub status: AdoptionStatus,
    pub by: Id<Member>,
    pub at: Timestamp,
}

impl Spread {
    #[must_use]
    pub fn of(step: &AdoptionStep, case_study: &CaseStudy) -> Self {
        Self {
            step: step.id.clone(),
            case_study: case_study.id.clone(),
            thread: case_study.thread.clone(),
            authors: case_study.authors().cloned().collect(),
            organisation: step.organisation.clone(),
            status: step.record.status,
            by: step.by.clone(),
            at: step.at,
        }
    }
}
