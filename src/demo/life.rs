//! What members do beside writing: they react, accept answers, follow, keep things for later, report.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{Builder, Discussion, moderation, reaction};
use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        audit::AuditEntry,
        bookmark::{Bookmark, Bookmarkable},
        calendar::Date,
        case_study::CaseStudy,
        comment::{ACCEPTED_SCORE, Comment},
        contribution::{Contribution, ContributionId},
        digest::note::Note,
        entry::Entry,
        follow::{Follow, FollowCounts, Stance, Target},
        member::{Member, Role},
        organisation::Organisation,
        pin::Board,
        post::{Post, PostKind},
        reaction::Reactions,
        report::Report,
        thread::Thread,
        topic::Topic,
    },
    error::{Error, Result},
    ids::Id,
    store::Batch,
};

/// Gathers what is written beside the contributions themselves, while they are made.
pub(super) struct Life<'a> {
    pub builder: &'a Builder,
    pub members: &'a [Member],
    pub moderator: &'a Member,
    pub moderation: &'a moderation::Written,
    pub reactions: Vec<Reactions>,
    pub reports: Vec<Report>,
    pub audited: Vec<AuditEntry>,
    pub board: Board,
    pub editors_note: Note,
    follows: BTreeMap<Id<Follow>, Follow>,
    bookmarks: BTreeMap<Id<Bookmark>, Bookmark>,
    contributions: Vec<(ContributionId, Timestamp)>,
    topics: Vec<Id<Topic>>,
    /// What each has written about.
    pub wrote: BTreeMap<Id<Member>, BTreeSet<Id<Topic>>>,
}

impl<'a> Life<'a> {
    /// # Errors
    /// When nobody moderates.
    pub fn begin(
        builder: &'a Builder,
        members: &'a [Member],
        moderation: &'a moderation::Written,
    ) -> Result<Self> {
        let moderator = members.iter().find(|member| member.role == Role::Moderator);
        Ok(Self {
            builder,
            members,
            moderator: moderator.ok_or_else(|| Error::Fault("nobody moderates".to_owned()))?,
            moderation,
            reactions: Vec::new(),
            reports: Vec::new(),
            audited: Vec::new(),
            board: Board::empty(),
            editors_note: Note::of_week(Date::of(builder.now), builder.now),
            follows: BTreeMap::new(),
            bookmarks: BTreeMap::new(),
            contributions: Vec::new(),
            topics: Vec::new(),
            wrote: BTreeMap::new(),
        })
    }

    /// What becomes of a post and its comments.
    ///
    /// # Errors
    /// When what was written about it does not fit.
    pub fn on_post(&mut self, of: &mut Discussion) -> Result<()> {
        let Discussion { post, thread, comments } = of;
        let published = post.published_at.unwrap_or(post.created_at);
        post.reactions = self.react(&post.id, &post.author, published, &reaction::of_post(post.kind));
        self.follow_thread(&post.author, thread, published);
        for comment in &mut *comments {
            let said = comment.created_at;
            comment.reactions = self.react(&comment.id, &comment.author, said, &reaction::OF_COMMENT);
            comment.score = comment.reactions.total();
            self.follow_thread(&comment.author, thread, said);
        }
        self.moderate(&Contribution::Post(Box::new(post.clone())), thread, comments)?;
        if post.kind == PostKind::Question && self.builder.below(2) == 0 {
            accept(post, comments);
        }
        self.contributions.push(((&post.id).into(), published));
        self.note(&post.author, &post.topics);
        Ok(())
    }

    /// What becomes of a case study.
    ///
    /// # Errors
    /// When what was written about it does not fit.
    pub fn on_case_study(
        &mut self,
        case_study: &CaseStudy,
        entry: &mut Entry,
        thread: &mut Thread,
    ) -> Result<()> {
        let published = case_study.created_at;
        entry.reactions = self.react(&case_study.id, &case_study.author, published, &reaction::OF_CASE_STUDY);
        self.follow_thread(&case_study.author, thread, published);
        self.moderate(&Contribution::CaseStudy(Box::new(case_study.clone())), thread, &mut [])?;
        self.contributions.push(((&case_study.id).into(), published));
        self.note(&case_study.author, &case_study.content.topics);
        Ok(())
    }

    fn note(&mut self, author: &Id<Member>, topics: &[Id<Topic>]) {
        self.wrote.entry(author.clone()).or_default().extend(topics.iter().cloned());
        let new = topics.iter().filter(|topic| !self.topics.contains(topic)).cloned().collect::<Vec<_>>();
        self.topics.extend(new);
    }

    /// As taking part does.
    fn follow_thread(&mut self, member: &Id<Member>, thread: &Thread, since: Timestamp) {
        self.follow(member, Target::Thread(thread.id.clone()), since);
    }

    fn follow(&mut self, member: &Id<Member>, target: Target, since: Timestamp) {
        let follow = Follow::new(member, target, Stance::Following, since);
        self.follows.entry(follow.id.clone()).or_insert(follow);
    }

    /// A handful of topics, a few others and their organisations, and a few things to find again.
    fn interests(&mut self, member: &Member, organisations: &[Organisation]) {
        let builder = self.builder;
        let mut targets = Vec::new();
        for _ in 0..2 + builder.below(4) {
            targets.push(Target::Topic(self.topics[builder.below(self.topics.len())].clone()));
        }
        for _ in 0..builder.below(4) {
            let other = &self.members[builder.below(self.members.len())];
            if other.id != member.id {
                targets.push(Target::Member(other.id.clone()));
            }
        }
        for _ in 0..builder.below(3) {
            let organisation = &organisations[builder.below(organisations.len())];
            targets.push(Target::Organisation(organisation.id.clone()));
        }
        for target in targets {
            self.follow(&member.id, target, builder.soon_after(member.created_at, 390));
        }
        for _ in 0..builder.below(9).saturating_sub(3) {
            let (id, published) = &self.contributions[builder.below(self.contributions.len())];
            let kept = builder.soon_after(*published, 30);
            let bookmark = Bookmark::new(&member.id, Bookmarkable::Contribution(id.clone()), kept);
            self.bookmarks.entry(bookmark.id.clone()).or_insert(bookmark);
        }
    }

    /// Writes it all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn save(mut self, app: &App, organisations: &[Organisation]) -> Result<()> {
        let members = self.members;
        for member in members {
            self.interests(member, organisations);
        }
        let mut counts: BTreeMap<&Id<Member>, FollowCounts> = BTreeMap::new();
        for follow in self.follows.values() {
            let counts = counts.entry(&follow.member).or_default();
            *(if follow.interest { &mut counts.interests } else { &mut counts.threads }) += 1;
        }
        super::insert(app, &self.reactions).await?;
        super::insert(app, self.follows.values()).await?;
        super::insert(app, self.bookmarks.values()).await?;
        super::insert(app, &self.reports).await?;
        super::insert(app, &self.audited).await?;
        self.board.version = 1;
        let batch = members.iter().fold(
            Batch::new().insert(&self.board).insert(&self.editors_note),
            |batch, member| {
                let follows = counts.get(&member.id).copied().unwrap_or_default();
                let theirs = self.follows.values().filter(|follow| follow.member == member.id);
                batch.replace(&Member { follows, ..self.with_profile(member, theirs) })
            },
        );
        Ok(app.store.commit(batch).await?)
    }
}

/// What helped most people is the answer, as far as it does not ask something itself.
fn accept(post: &mut Post, comments: &mut [Comment]) {
    let answers = comments.iter_mut().filter(|comment| {
        comment.depth == 0 && comment.author != post.author && comment.is_readable() && !super::asks(comment)
    });
    if let Some(answer) = answers.max_by_key(|comment| comment.score) {
        answer.accepted = true;
        answer.score += ACCEPTED_SCORE;
        post.accepted_answer = Some(answer.id.clone());
        post.answered = true;
    }
}

impl Builder {
    /// A moment within so many days after another, and before the community is made.
    pub(super) fn soon_after(&self, moment: Timestamp, days: usize) -> Timestamp {
        let later = moment.plus(TimeDelta::minutes(5 + self.below(days * 1_440) as i64));
        later.min(self.now.minus(TimeDelta::seconds(30)))
    }
}
