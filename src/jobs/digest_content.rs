//! What a digest tells a member: a handful of questions to the store, however large the community
//! is and however much happened.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join;

use crate::{
    app::App,
    domain::{
        comment::Comment,
        digest::Window,
        member::Member,
        organisation::Organisation,
        post::{Post, PostKind, PostState},
        read_mark::ReadMark,
        thread::Thread,
    },
    error::Result,
    ids::Id,
    mail::digest::{Item, Section, headline, kind_name},
    query::{Document, Page},
};

/// Posts and replies looked at, newest first. Who has not been here for long has more than fits in
/// any letter.
const LOOKED_AT: usize = 100;
/// Characters of the preview that mail programs show beside the subject.
const PREVIEW_MAX: usize = 120;

/// What is new for a member. There is always something.
pub(super) struct Content {
    kinds: Vec<PostKind>,
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
        if chosen.replies.is_empty() && chosen.posts.is_empty() {
            return Ok(None);
        }
        let people = People::load(app, &chosen).await?;
        let replies: Vec<Item> =
            chosen.replies.iter().map(|(comment, post)| reply_item(app, &people, comment, post)).collect();
        let posts: Vec<Item> =
            chosen.posts.iter().map(|post| post_item(app, &people, &found.threads, post)).collect();
        let sections = [("Replies to you", replies), ("New in the network", posts)];
        Ok(Some(Self {
            kinds: chosen.posts.iter().map(|post| post.kind).collect(),
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
        headline(&self.kinds, self.replies)
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
        let comments = Comment::answering(&member.id)
            .and(Comment::CREATED_AT.gt(from))
            .and(Comment::CREATED_AT.lte(until));
        let page = || Page::first(LOOKED_AT);
        let (posts, comments) = try_join(
            app.store.find(posts, Post::PUBLISHED_AT.desc(), page()),
            app.store.find(comments, Comment::CREATED_AT.desc(), page()),
        )
        .await?;
        let threads =
            posts.iter().map(|post| &post.thread).chain(comments.iter().map(|comment| &comment.thread));
        let threads: Vec<Id<Thread>> = distinct(threads);
        let marks: Vec<_> = threads.iter().map(|thread| ReadMark::id_of(&member.id, thread)).collect();
        let (threads, marks) = try_join(by_id(app, &threads), by_id(app, &marks)).await?;
        Ok(Self { posts, comments, threads, marks })
    }

    fn has_read(&self, member: &Member, thread: &Id<Thread>, since: crate::clock::Timestamp) -> bool {
        let mark = self.marks.get(&ReadMark::id_of(&member.id, thread));
        mark.is_some_and(|mark| mark.read_at >= since)
    }

    /// What fits: replies to the member first, but not so many that nothing else is seen.
    async fn choose(&self, app: &App, member: &Member) -> Result<Chosen> {
        let mut posts: Vec<Post> = self.posts.clone();
        posts.retain(|post| {
            post.published_at.is_some_and(|published| !self.has_read(member, &post.thread, published))
        });
        let unread = |comment: &&Comment| {
            !comment.is_deleted() && !self.has_read(member, &comment.thread, comment.created_at)
        };
        let comments: Vec<&Comment> = self.comments.iter().filter(unread).collect();
        let subject = |comment: &Comment| self.threads.get(&comment.thread).map(|thread| &thread.subject);
        let subjects: Vec<Id<Post>> = distinct(comments.iter().filter_map(|comment| subject(comment)));
        let subjects = by_id(app, &subjects).await?;
        let mut replies: Vec<(Comment, Post)> = comments
            .into_iter()
            .filter_map(|comment| Some((comment.clone(), subjects.get(subject(comment)?)?.clone())))
            .filter(|(_, post)| post.state == PostState::Published)
            .collect();

        let room = app.config.digest.items.max(1);
        let more = posts.len() + replies.len() > room
            || self.posts.len() == LOOKED_AT
            || self.comments.len() == LOOKED_AT;
        let for_posts = posts.len().min(room / 3);
        replies.truncate(room - for_posts);
        posts.truncate(room - replies.len());
        Ok(Chosen { replies, posts, more })
    }
}

struct Chosen {
    /// Each with the post under which it stands.
    replies: Vec<(Comment, Post)>,
    posts: Vec<Post>,
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
            comments().map(|comment| &comment.author).chain(chosen.posts.iter().map(|post| &post.author)),
        );
        let organisations = distinct(
            comments()
                .filter_map(|comment| comment.organisation.as_ref())
                .chain(chosen.posts.iter().filter_map(|post| post.organisation.as_ref())),
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

fn reply_item(app: &App, people: &People, comment: &Comment, post: &Post) -> Item {
    let to = match (&comment.parent, post.kind) {
        (Some(_), _) => "comment",
        (None, PostKind::Idea) => "idea",
        (None, PostKind::Question) => "question",
        (None, PostKind::Update) => "update",
        (None, PostKind::Event) => "event",
    };
    Item {
        title: post.title.clone(),
        label: "Reply",
        by: people.by(&comment.author, comment.organisation.as_ref()),
        summary: comment.body.as_ref().map(|body| body.summary()).unwrap_or_default(),
        url: app.config.link(&format!("posts/{}#{}", post.id, comment.id)),
        why: format!("This is a reply to your {to}."),
    }
}

fn post_item(app: &App, people: &People, threads: &HashMap<Id<Thread>, Thread>, post: &Post) -> Item {
    let comments = threads.get(&post.thread).map_or(0, |thread| thread.comment_count);
    let published = post.published_at.unwrap_or(post.created_at).date_in_words();
    let answered = match (post.kind, comments) {
        (PostKind::Question, 0) => " Nobody has answered it yet.".to_owned(),
        (_, 0) => String::new(),
        (_, 1) => " It has 1 comment.".to_owned(),
        (_, several) => format!(" It has {several} comments."),
    };
    Item {
        title: post.title.clone(),
        label: kind_name(post.kind),
        by: people.by(&post.author, post.organisation.as_ref()),
        summary: post.body.summary(),
        url: app.config.link(&format!("posts/{}", post.id)),
        why: format!("New to the network on {published}.{answered}"),
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
