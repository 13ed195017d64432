//! What a digest tells a member: a handful of questions to the store, however large the community
//! is and however much happened.

use std::collections::{HashMap, HashSet};

use futures_util::future::{try_join, try_join3};

use crate::{
    app::App,
    domain::{
        case_study::CaseStudy,
        comment::Comment,
        contribution::{Contribution, ContributionId},
        digest::Window,
        member::Member,
        organisation::Organisation,
        post::{Post, PostKind},
        read_mark::ReadMark,
        thread::Thread,
    },
    error::Result,
    ids::Id,
    mail::digest::{Item, Section, headline, kind_name},
    query::{Document, Page},
};

/// Posts, case studies and replies looked at, newest first. Who has not been here for long has more than fits in
/// any letter.
const LOOKED_AT: usize = 100;
/// Characters of the preview that mail programs show beside the subject.
const PREVIEW_MAX: usize = 120;

/// What is new for a member. There is always something.
pub(super) struct Content {
    kinds: Vec<PostKind>,
    case_studies: usize,
    replies: usize,
    pub sections: Vec<Section>,
    /// Whether there is more than fits.
    pub more: bool,
}

impl Content {
    /// `None` when there is nothing that the member has not read.
    pub async fn gather(app: &App, member: &Member, window: Window) -> Result<Option<Self>> {
        let found = Found::look(app, member, window).await?;
        let chosen = found.choose(app, member).await?;
        if chosen.replies.is_empty() && chosen.new.is_empty() {
            return Ok(None);
        }
        let people = People::load(app, &chosen).await?;
        let replies: Vec<Item> = chosen
            .replies
            .iter()
            .map(|(comment, subject)| reply_item(app, &people, comment, subject))
            .collect();
        let new: Vec<Item> =
            chosen.new.iter().map(|new| new_item(app, &people, &found.threads, new)).collect();
        let sections = [("Replies to you", replies), ("New in the network", new)];
        let kinds: Vec<PostKind> = chosen.new.iter().filter_map(kind_of_post).collect();
        Ok(Some(Self {
            case_studies: chosen.new.len() - kinds.len(),
            kinds,
            replies: chosen.replies.len(),
            sections: sections
                .into_iter()
                .filter(|(_, items)| !items.is_empty())
                .map(|(title, items)| Section { title, items })
                .collect(),
            more: chosen.more,
        }))
    }

    pub fn headline(&self) -> String {
        headline(&self.kinds, self.case_studies, self.replies)
    }

    pub fn preview(&self) -> String {
        let items = self.sections.iter().flat_map(|section| &section.items);
        let titles = items.map(|item| item.title.as_str()).collect::<Vec<_>>().join(" · ");
        titles.chars().take(PREVIEW_MAX).collect()
    }
}

/// What happened in the window, with what tells whether the member has read it.
struct Found {
    posts: Vec<Post>,
    case_studies: Vec<CaseStudy>,
    comments: Vec<Comment>,
    threads: HashMap<Id<Thread>, Thread>,
    marks: HashMap<Id<ReadMark>, ReadMark>,
}

impl Found {
    async fn look(app: &App, member: &Member, window: Window) -> Result<Self> {
        let Window { from, until } = window;
        let posts = Post::published()
            .and(Post::PUBLISHED_AT.gt(from))
            .and(Post::PUBLISHED_AT.lte(until))
            .and(Post::AUTHOR.ne(member.id.clone()));
        let case_studies = CaseStudy::published()
            .and(CaseStudy::PUBLISHED_AT.gt(from))
            .and(CaseStudy::PUBLISHED_AT.lte(until))
            .and(CaseStudy::AUTHOR.ne(member.id.clone()));
        let comments = Comment::answering(&member.id)
            .and(Comment::CREATED_AT.gt(from))
            .and(Comment::CREATED_AT.lte(until));
        let page = || Page::first(LOOKED_AT);
        let (posts, case_studies, comments) = try_join3(
            app.store.find(posts, Post::PUBLISHED_AT.desc(), page()),
            app.store.find(case_studies, CaseStudy::PUBLISHED_AT.desc(), page()),
            app.store.find(comments, Comment::CREATED_AT.desc(), page()),
        )
        .await?;
        let new = posts.iter().map(|post| &post.thread).chain(case_studies.iter().map(|found| &found.thread));
        let threads: Vec<Id<Thread>> = distinct(new.chain(comments.iter().map(|comment| &comment.thread)));
        let marks: Vec<_> = threads.iter().map(|thread| ReadMark::id_of(&member.id, thread)).collect();
        let (threads, marks) = try_join(by_id(app, &threads), by_id(app, &marks)).await?;
        Ok(Self { posts, case_studies, comments, threads, marks })
    }

    fn has_read(&self, member: &Member, thread: &Id<Thread>, since: crate::clock::Timestamp) -> bool {
        let mark = self.marks.get(&ReadMark::id_of(&member.id, thread));
        mark.and_then(|mark| mark.read_at).is_some_and(|read| read >= since)
    }

    /// What is new, latest first, without what the member has read.
    fn new_to(&self, member: &Member) -> Vec<Contribution> {
        let posts =
            self.posts.iter().map(|post| (post.published_at, Contribution::Post(Box::new(post.clone()))));
        let case_studies = self.case_studies.iter();
        let case_studies =
            case_studies.map(|found| (found.published_at, Contribution::CaseStudy(Box::new(found.clone()))));
        let mut new: Vec<_> = posts.chain(case_studies).collect();
        new.retain(|(at, found)| {
            at.is_some_and(|published| !self.has_read(member, found.thread(), published))
        });
        new.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        new.into_iter().map(|(_, found)| found).collect()
    }

    /// What fits: replies to the member first, but not so many that nothing else is seen.
    async fn choose(&self, app: &App, member: &Member) -> Result<Chosen> {
        let mut new = self.new_to(member);
        let unread = |comment: &&Comment| {
            comment.is_readable() && !self.has_read(member, &comment.thread, comment.created_at)
        };
        let comments: Vec<&Comment> = self.comments.iter().filter(unread).collect();
        let subject = |comment: &Comment| self.threads.get(&comment.thread).map(|thread| &thread.subject);
        let subjects = subjects(app, comments.iter().filter_map(|comment| subject(comment))).await?;
        let mut replies: Vec<(Comment, Contribution)> = comments
            .into_iter()
            .filter_map(|comment| Some((comment.clone(), subjects.get(subject(comment)?)?.clone())))
            .filter(|(_, subject)| subject.is_published())
            .collect();

        let room = app.config.digest.items.max(1);
        let more = new.len() + replies.len() > room
            || self.posts.len() == LOOKED_AT
            || self.case_studies.len() == LOOKED_AT
            || self.comments.len() == LOOKED_AT;
        let for_new = new.len().min(room / 3);
        replies.truncate(room - for_new);
        new.truncate(room - replies.len());
        Ok(Chosen { replies, new, more })
    }
}

/// What threads discuss, of both kinds.
async fn subjects<'a>(
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

const fn kind_of_post(contribution: &Contribution) -> Option<PostKind> {
    match contribution {
        Contribution::Post(post) => Some(post.kind),
        Contribution::CaseStudy(_) => None,
    }
}

struct Chosen {
    /// Each with what it stands under.
    replies: Vec<(Comment, Contribution)>,
    new: Vec<Contribution>,
    more: bool,
}

/// Who wrote what was chosen, and where they worked then.
struct People {
    members: HashMap<Id<Member>, Member>,
    organisations: HashMap<Id<Organisation>, Organisation>,
}

impl People {
    async fn load(app: &App, chosen: &Chosen) -> Result<Self> {
        let comments = || chosen.replies.iter().map(|(comment, _)| comment);
        let members = distinct(
            comments().map(|comment| &comment.author).chain(chosen.new.iter().map(Contribution::author)),
        );
        let organisations = distinct(
            comments()
                .filter_map(|comment| comment.organisation.as_ref())
                .chain(chosen.new.iter().filter_map(Contribution::organisation)),
        );
        let (members, organisations) = try_join(by_id(app, &members), by_id(app, &organisations)).await?;
        Ok(Self { members, organisations })
    }

    /// "Asha O'Neill, Leeds Teaching Hospitals NHS Trust"
    fn by(&self, author: &Id<Member>, organisation: Option<&Id<Organisation>>) -> String {
        let name = self.members.get(author).map_or("a former member", |member| &member.name);
        match organisation.and_then(|id| self.organisations.get(id)) {
            Some(organisation) => format!("{name}, {}", organisation.name),
            None => name.to_owned(),
        }
    }
}

fn reply_item(app: &App, people: &People, comment: &Comment, subject: &Contribution) -> Item {
    let to = match (&comment.parent, kind_of_post(subject)) {
        (Some(_), _) => "comment",
        (None, Some(PostKind::Idea)) => "idea",
        (None, Some(PostKind::Question)) => "question",
        (None, Some(PostKind::Update)) => "update",
        (None, Some(PostKind::Event)) => "event",
        (None, None) => "case study",
    };
    Item {
        title: subject.title().to_owned(),
        label: "Reply",
        by: people.by(&comment.author, comment.organisation.as_ref()),
        summary: comment.body.as_ref().map(|body| body.summary.clone()).unwrap_or_default(),
        url: app.config.link(&format!("{}#{}", subject.path(), comment.id)),
        why: format!("This is a reply to your {to}."),
    }
}

fn new_item(app: &App, people: &People, threads: &HashMap<Id<Thread>, Thread>, new: &Contribution) -> Item {
    let comments = threads.get(new.thread()).map_or(0, |thread| thread.comment_count);
    let kind = kind_of_post(new);
    let answered = match (kind, comments) {
        (Some(PostKind::Question), 0) => " Nobody has answered it yet.".to_owned(),
        (_, 0) => String::new(),
        (_, 1) => " It has 1 comment.".to_owned(),
        (_, several) => format!(" It has {several} comments."),
    };
    Item {
        title: new.title().to_owned(),
        label: kind.map_or("Case study", kind_name),
        by: people.by(new.author(), new.organisation()),
        summary: new.summary().to_owned(),
        url: app.config.link(&new.path()),
        why: format!("New to the network on {}.{answered}", new.began_at().date_in_words()),
    }
}

fn distinct<'a, T: 'a>(ids: impl Iterator<Item = &'a Id<T>>) -> Vec<Id<T>> {
    let mut seen = HashSet::new();
    ids.filter(|id| seen.insert(id.as_str())).cloned().collect()
}

async fn by_id<D: Document>(app: &App, ids: &[Id<D>]) -> Result<HashMap<Id<D>, D>> {
    let found = app.store.get(ids).await?;
    Ok(found.into_iter().flatten().map(|document| (document.id().clone(), document)).collect())
}
