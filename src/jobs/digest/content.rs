//! What a digest tells a member: a handful of questions to the store, however large the community
//! is and however much happened.

use std::collections::{HashMap, HashSet};

use futures_util::future::{try_join, try_join5};

use super::{
    pool::pool,
    words::{Words, in_words},
};
use crate::{
    app::App,
    domain::{
        comment::Comment,
        contribution::{Contribution, ContributionId},
        digest::{
            Digest, Told, Window,
            candidate::LATE,
            choice::{Choice, Item, Offers, Section},
            reader::Reader,
        },
        follow::{Follow, Stance, Target},
        member::Member,
        read_mark::ReadMark,
        text::RichText,
        thread::Thread,
    },
    error::Result,
    ids::Id,
    mail::digest as mail,
    query::{Document, Order, Page},
};

/// Replies and mentions looked at, newest first. Who has not been here for long has more than fits in
/// any letter.
const LOOKED_AT: usize = 100;
/// Earlier digests whose items are not told again: more than are kept.
const HISTORY: usize = 500;

/// What is worth telling a member. There is always something.
pub struct Content {
    /// What moderators say this week.
    pub note: Option<RichText>,
    pub items: Vec<(Item, mail::Item)>,
    /// Whether there is more than fits.
    pub more: bool,
}

impl Content {
    /// `None` when there is nothing that the member has not read.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn gather(app: &App, member: &Member, window: Window) -> Result<Option<Self>> {
        let pool = pool(app, window.until).await?;
        let (reader, said) = look(app, member, window).await?;
        let mut offers = Offers::of(&reader, &pool, window);
        for comment in said.iter().filter(|comment| {
            comment.is_readable()
                && !reader.told.contains(comment.id.as_str())
                && !reader.mutes.contains(&Target::Member(comment.author.clone()))
        }) {
            offers.add(Some(Item::reply(comment, window.until)));
        }
        offers.rank();
        forget_what_they_know(app, &reader, &mut offers).await?;
        let Choice { items, more } = offers.choose(app.config.digest.items.max(1));
        let told: Vec<Told> = items.iter().map(Told::from).collect();
        let words = Words::load(app, &told, &said, &pool.spread).await?;
        let still = |told: &&Told| told.section != Section::Questions || !words.answered(told);
        let worded = told.iter().map(|told| Some(told).filter(still));
        let worded = worded.map(|told| in_words(app, member, &words, told?));
        let items = items.into_iter().zip(worded).filter_map(|(item, words)| Some((item, words?))).collect();
        let note = pool.note(window).and_then(|(note, _)| note.text.clone());
        let content = Self { note, items, more };
        Ok((content.note.is_some() || !content.items.is_empty()).then_some(content))
    }

    /// By section, in reading order.
    #[must_use]
    pub fn sections(&self) -> Vec<mail::Section> {
        sections(self.items.iter().map(|(item, words)| (item.section, words)))
    }

    /// What is remembered of it.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.items.iter().map(|(item, _)| Told::from(item)).collect()
    }

    /// What is inside, for the subject.
    #[must_use]
    pub fn headline(&self) -> String {
        let items: Vec<_> = self.items.iter().map(|(item, words)| (item.section, words)).collect();
        mail::headline(&items)
    }
}

pub(super) fn sections<'a>(items: impl Iterator<Item = (Section, &'a mail::Item)>) -> Vec<mail::Section> {
    let items: Vec<_> = items.collect();
    let of = |section: Section| {
        let items = items.iter().filter(|(of, _)| *of == section);
        mail::Section { title: section.title(), items: items.map(|(_, words)| (*words).clone()).collect() }
    };
    Section::ALL.map(of).into_iter().filter(|section| !section.items.is_empty()).collect()
}

/// What is known of the member, and what was said to them.
async fn look<'a>(app: &App, member: &'a Member, window: Window) -> Result<(Reader<'a>, Vec<Comment>)> {
    let from = window.from.minus(LATE);
    let within = |said| {
        let said = Comment::CREATED_AT.gt(from).and(Comment::CREATED_AT.lte(window.until)).and(said);
        app.store.find(said, Comment::CREATED_AT.desc(), Page::first(LOOKED_AT))
    };
    let organisation = async {
        match &member.organisation {
            Some(id) => app.store.one(id).await,
            None => Ok(None),
        }
    };
    let follows = async {
        let counts = member.follows;
        if counts.interests + counts.muted_interests == 0 {
            return Ok(Vec::new());
        }
        app.store.find(Follow::interests_of(&member.id), Order::by_id(), Page::first(HISTORY)).await
    };
    let earlier = app.store.find(Digest::of_member(&member.id), Digest::UNTIL.desc(), Page::first(HISTORY));
    let (organisation, follows, earlier, answers, mentions) = try_join5(
        organisation,
        follows,
        earlier,
        within(Comment::answering(&member.id)),
        within(Comment::mentioning(&member.id)),
    )
    .await?;
    let told = earlier.into_iter().flat_map(|digest| digest.told);
    let reader = Reader::new(member, organisation.as_ref(), follows, told);
    let mut seen = HashSet::new();
    let mut said: Vec<Comment> = answers.into_iter().chain(mentions).collect();
    said.retain(|comment| seen.insert(comment.id.clone()));
    Ok((reader, said))
}

/// Leaves out what the member has read, what is in threads that they muted, and adoptions of what they
/// neither wrote nor follow.
async fn forget_what_they_know(app: &App, reader: &Reader<'_>, offers: &mut Offers) -> Result<()> {
    let member = reader.member;
    let threads = distinct(offers.items().map(|item| &item.thread));
    let marks: Vec<_> = threads.iter().map(|thread| ReadMark::id_of(&member.id, thread)).collect();
    let target = |thread: &Id<Thread>| Target::Thread(thread.clone());
    let follows: Vec<_> = if member.follows.threads + member.follows.muted_threads > 0 {
        threads.iter().map(|thread| Follow::id_of(&member.id, &target(thread))).collect()
    } else {
        Vec::new()
    };
    let (marks, follows) = try_join(by_id(app, &marks), by_id(app, &follows)).await?;
    let stance = |thread: &Id<Thread>| {
        follows.get(&Follow::id_of(&member.id, &target(thread))).map(|follow| follow.stance)
    };
    offers.retain(|item| {
        let mark = marks.get(&ReadMark::id_of(&member.id, &item.thread));
        let has_read = mark.and_then(|mark| mark.read_at).is_some_and(|read| read >= item.said_at);
        let stance = stance(&item.thread);
        !has_read && stance != Some(Stance::Muted) && (item.is_theirs || stance == Some(Stance::Following))
    });
    Ok(())
}

/// What threads discuss, of both kinds.
pub(super) async fn subjects<'a>(
    app: &App,
    ids: impl Iterator<Item = &'a ContributionId>,
) -> Result<HashMap<ContributionId, Contribution>> {
    let (mut posts, mut case_studies) = (Vec::new(), Vec::new());
    for id in ids {
        match id {
            ContributionId::Post(id) => posts.push(id),
            ContributionId::CaseStudy(id) => case_studies.push(id),
        }
    }
    let (posts, case_studies) = (distinct(posts.into_iter()), distinct(case_studies.into_iter()));
    let (posts, case_studies) = try_join(by_id(app, &posts), by_id(app, &case_studies)).await?;
    let posts = posts.into_iter().map(|(id, post)| ((&id).into(), Contribution::Post(Box::new(post))));
    let case_studies =
        case_studies.into_iter().map(|(id, found)| ((&id).into(), Contribution::CaseStudy(Box::new(found))));
    Ok(posts.chain(case_studies).collect())
}

pub(super) fn distinct<'a, T: 'a>(ids: impl Iterator<Item = &'a Id<T>>) -> Vec<Id<T>> {
    let mut seen = HashSet::new();
    ids.filter(|id| seen.insert(id.as_str())).cloned().collect()
}

pub(super) async fn by_id<D: Document>(app: &App, ids: &[Id<D>]) -> Result<HashMap<Id<D>, D>> {
    let found = app.store.get(ids).await?;
    Ok(found.into_iter().flatten().map(|document| (document.id().clone(), document)).collect())
}
