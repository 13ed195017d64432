//! Members, posts and comments as tests need them, put straight into the store.

use chrono::Weekday;
use hope_exchange::{
    clock::Timestamp,
    config::Config,
    domain::{
        comment::{Comment, Place},
        digest::{Digest, next_due},
        email::EmailAddress,
        follow::FollowCounts,
        job::{Job, Lane},
        mailbox::Mailbox,
        member::{DigestFrequency, DigestPreferences, Member, Role},
        notification::NotificationPreferences,
        organisation::Organisation,
        post::{Post, PostKind, PostState},
        profile::Profile,
        reaction::ReactionCounts,
        read_mark::ReadMark,
        standing::Standing,
        text::RichText,
        thread::Thread,
    },
    ids::{Id, Ids},
    query::{Document, Order, Page},
    store::{Batch, Store},
};

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A member since `now`, with a digest every Tuesday at 07:30.
pub fn member(ids: &Ids, name: &str, now: Timestamp) -> Member {
    let email = format!("{}@trust.nhs.uk", name.to_lowercase().replace(' ', "."));
    let digest = DigestPreferences {
        frequency: DigestFrequency::Weekly,
        weekday: Weekday::Tue,
        minute: 7 * 60 + 30,
        paused_until: None,
    };
    let mut standing = Standing::default();
    standing.accept(&Config::defaults().rules.version, now);
    Member {
        id: ids.fresh(),
        version: 1,
        email: EmailAddress::try_from(email.clone()).unwrap(),
        email_key: email,
        name: name.to_owned(),
        job_title: None,
        organisation: None,
        owner: None,
        role: Role::Member,
        digest_due_at: next_due(&digest, now),
        digest,
        digest_covered_until: now,
        notifications: NotificationPreferences::default(),
        follows: FollowCounts::default(),
        created_at: now,
        suspension: None,
        profile: Profile::default(),
        ended_sessions: Vec::new(),
        standing,
        mailbox: Mailbox::default(),
        second_factor: None,
        acting: None,
    }
}

/// A post and its thread.
pub fn post(ids: &Ids, author: &Member, kind: PostKind, title: &str, at: Timestamp) -> (Post, Thread) {
    let (id, thread): (Id<Post>, Id<Thread>) = (ids.fresh(), ids.fresh());
    let post = Post {
        id: id.clone(),
        version: 1,
        edition: 1,
        kind,
        state: PostState::Published,
        title: title.to_owned(),
        body: rich(&format!("What **we** did about {title}.")),
        author: author.id.clone(),
        organisation: author.organisation.clone(),
        topics: vec![Id::of("access")],
        tags: Vec::new(),
        event: None,
        mentions: Vec::new(),
        attachments: Vec::new(),
        thread: thread.clone(),
        accepted_answer: None,
        answered: false,
        reactions: ReactionCounts::default(),
        revisions: 0,
        created_at: at,
        published_at: Some(at),
        updated_at: at,
        removed: None,
    };
    let thread = Thread {
        id: thread,
        version: 1,
        subject: (&id).into(),
        comment_count: 0,
        added: 0,
        removed: Vec::new(),
        opened_at: Some(at),
        last_activity_at: at,
        locked: false,
        closed: false,
    };
    (post, thread)
}

/// What `author` says under a post, or in answer to another comment there.
pub fn comment(ids: &Ids, author: &Member, post: &Post, parent: Option<&Comment>, at: Timestamp) -> Comment {
    let id = ids.fresh();
    let place = Place::of(&id, parent);
    Comment {
        id,
        version: 1,
        edition: 1,
        thread: post.thread.clone(),
        number: 0,
        parent: place.parent,
        depth: place.depth,
        path: place.path,
        author: author.id.clone(),
        answers: Some(parent.map_or(&post.author, |parent| &parent.author).clone()),
        organisation: author.organisation.clone(),
        body: Some(rich(&format!("{} says something.", author.name))),
        quote: None,
        mentions: Vec::new(),
        attachments: Vec::new(),
        accepted: false,
        reactions: ReactionCounts::default(),
        score: 0,
        revisions: 0,
        created_at: at,
        updated_at: at,
        removed: None,
    }
}

pub fn read(member: &Member, thread: &Id<Thread>, at: Timestamp) -> ReadMark {
    ReadMark {
        id: ReadMark::id_of(&member.id, thread),
        version: 1,
        member: member.id.clone(),
        thread: thread.clone(),
        read_at: Some(at),
        seen: 0,
    }
}

fn rich(markdown: &str) -> RichText {
    RichText::parse("body", markdown, 1_000).unwrap()
}

/// Inserts documents of one type, 100 in a commit.
pub async fn insert<'a, D: Document>(store: &Store, documents: impl IntoIterator<Item = &'a D>) {
    let documents: Vec<&D> = documents.into_iter().collect();
    for page in documents.chunks(100) {
        let batch = page.iter().fold(Batch::new(), |batch, document| batch.insert(*document));
        store.commit(batch).await.unwrap();
    }
}

/// Inserts posts with their threads.
pub async fn publish(store: &Store, posts: &[(Post, Thread)]) {
    insert(store, posts.iter().map(|(post, _)| post)).await;
    insert(store, posts.iter().map(|(_, thread)| thread)).await;
}

pub async fn reload<D: Document>(store: &Store, id: &Id<D>) -> D {
    store.one(id).await.unwrap().unwrap()
}

/// All documents of a type, by id.
pub async fn all<D: Document>(store: &Store) -> Vec<D> {
    let mut all: Vec<D> = Vec::new();
    loop {
        let after = all.last().map(|last| vec![hope_exchange::query::Scalar::value(last.id())]);
        let page = Page::first(500).after(after);
        let found = store.find(hope_exchange::query::Filter::all(), Order::by_id(), page).await.unwrap();
        let last = found.len() < 500;
        all.extend(found);
        if last {
            return all;
        }
    }
}

/// A member's digests, oldest first.
pub async fn digests_of(store: &Store, member: &Member) -> Vec<Digest> {
    let mut digests =
        store.find(Digest::of_member(&member.id), Digest::UNTIL.desc(), Page::first(100)).await.unwrap();
    digests.reverse();
    digests
}

/// Jobs that wait, due or not.
pub async fn waiting(store: &Store) -> Vec<Job> {
    let mut jobs = Vec::new();
    for lane in Lane::ALL {
        jobs.extend(store.find(Job::waiting(lane), Job::DUE_AT.asc(), Page::first(1_000)).await.unwrap());
    }
    jobs
}

pub fn organisation(code: &str, name: &str, now: Timestamp) -> Organisation {
    let code_of_it = hope_exchange::domain::organisation::OdsCode::parse(code).unwrap();
    Organisation::new(Id::of(code), code_of_it, name, now)
}
