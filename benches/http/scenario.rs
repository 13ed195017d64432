//! What is asked: the requests that members make most.

use hope_exchange::{
    app::App,
    clock::{Clock, Timestamp},
    demo::LONG_THREAD,
    domain::{
        activity::{Activity, What},
        device::Origin,
        member::Member,
        notification::{Kind, News, Notification},
        post::Post,
        session::Session,
        thread::Thread,
    },
    ids::{Id, Ids},
    query::{Filter, Order, Page},
    store::Batch,
    tokens,
};
use serde_json::{Value, json};

/// Posts looked at, spread over the community.
const SAMPLE: usize = 500;
/// Members that comment: as many as there are connections at most, as nobody says two things at once.
const SPEAKERS: usize = 64;

pub struct Subjects {
    app: App,
    pub viewer: Id<Member>,
    /// Who comments through the service, and who through the floor: who takes part in a thread for
    /// the first time has more written down than who does so again.
    speakers: [Vec<Id<Member>>; 2],
    posts: Vec<Id<Post>>,
    /// Threads with at least 20 comments.
    threads: Vec<Id<Thread>>,
    /// The oldest post's.
    long_thread: Id<Thread>,
}

impl Subjects {
    pub async fn choose(app: &App) -> Self {
        let members = app.store.find(Filter::<Member>::all(), Order::by_id(), Page::first(1 + 2 * SPEAKERS));
        let mut members = members.await.expect("the store answers").into_iter().map(|member| member.id);
        let viewer = members.next().expect("there are members");
        let members: Vec<Id<Member>> = members.collect();
        let (ours, others) = members.split_at(members.len() / 2);
        let speakers = [ours.to_vec(), others.to_vec()];
        let (mut posts, mut threads) = (Vec::new(), Vec::new());
        let random = Ids::seeded(Clock::manual(Timestamp::from_millis(0)), 7);
        let (oldest, newest) =
            (edge(app, Post::PUBLISHED_AT.asc()).await, edge(app, Post::PUBLISHED_AT.desc()).await);
        let first = oldest.published_at.expect("it is published");
        let span = newest.published_at.map_or(0, |last| last.since(first).num_milliseconds());
        let span = u64::try_from(span).unwrap_or_default();
        let long_thread = app.store.one(&oldest.thread).await.expect("the store answers");
        let is_long = |thread: &Thread| thread.comment_count == LONG_THREAD as i64;
        let long_thread = long_thread.filter(is_long).expect("the oldest post has a long thread").id;
        while posts.len() < SAMPLE {
            let at = Timestamp::from_millis(
                first.millis() + i64::try_from(random.below(span)).unwrap_or_default(),
            );
            let filter = Post::published().and(Post::PUBLISHED_AT.gte(at));
            let found = app
                .store
                .find(filter, Post::PUBLISHED_AT.asc(), Page::first(60))
                .await
                .expect("the store answers");
            let ids: Vec<Id<Thread>> = found.iter().map(|post| post.thread.clone()).collect();
            let opened = app.store.get(&ids).await.expect("the store answers");
            threads.extend(
                opened
                    .into_iter()
                    .flatten()
                    .filter(|thread| thread.comment_count >= 20)
                    .map(|thread| thread.id),
            );
            posts.extend(found.into_iter().take(5).map(|post| post.id));
        }
        posts.sort_unstable();
        posts.dedup();
        notify(app, &viewer, &posts).await;
        Self { app: app.clone(), viewer, speakers, posts, threads, long_thread }
    }
}

/// Tells the viewer of the posts looked at, as if they followed whoever wrote them.
async fn notify(app: &App, viewer: &Id<Member>, posts: &[Id<Post>]) {
    let found = app.store.get(posts).await.expect("the store answers");
    let mut batch = Batch::new();
    for post in found.into_iter().flatten() {
        let (what, at) = (
            What::Published { contribution: (&post.id).into() },
            post.published_at.expect("it is published"),
        );
        let activity = Activity::new(app.ids.fresh(), &post.author, what, &post.thread, Vec::new(), at);
        let subject = (&post.id).into();
        let news = News {
            activity: &activity,
            kind: Kind::FollowedNew,
            subject: Some(&subject),
            entry: None,
            comment: None,
            by_mail: false,
        };
        batch = batch.insert(&Notification::new(viewer, &news, &app.config.retention, at));
    }
    app.store.commit(batch).await.expect("the store takes them");
}

async fn edge(app: &App, order: Order<Post>) -> Post {
    let found = app.store.find(Post::published(), order, Page::first(1)).await;
    found.expect("the store answers").pop().expect("there are posts")
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    Feed,
    Thread,
    LongThread,
    Node,
    Notifications,
    AddComment,
}

const FEED: &str = "{ feed(first: 20) { pageInfo { hasNextPage } nodes { id title summary publishedAt ... on Post { kind } \
    author { name organisation { name } } organisation { name } topics { name } thread { commentCount } } } }";
const THREAD: &str = "query($id: ID!) { node(id: $id) { ... on Thread { id commentCount lastActivityAt comments(first: 20) { \
    pageInfo { hasNextPage } nodes { id depth body { html } createdAt author { name } organisation { name } } } } } }";
const LONG: &str = "query($id: ID!) { node(id: $id) { ... on Thread { id commentCount lastActivityAt comments(first: 50) { \
    pageInfo { hasNextPage } nodes { id depth body { html } createdAt author { name organisation { name } } organisation { name } } } } } }";
const NODE: &str = "query($id: ID!) { node(id: $id) { ... on Post { id kind title body { html } publishedAt \
    author { name } organisation { name } topics { name } thread { commentCount } } } }";
const NOTIFICATIONS: &str = "{ viewer { notifications(first: 20) { pageInfo { hasNextPage } nodes { \
    id kind count text subject { title } actors { name } updatedAt readAt } } } }";
const ADD: &str = "mutation($id: ID!) { addComment(input: { threadId: $id, body: \"We have tried this on **two wards**.\" }) { \
    comment { id depth createdAt } userErrors { code } } }";

impl Scenario {
    pub const ALL: [Self; 6] =
        [Self::Feed, Self::Thread, Self::LongThread, Self::Node, Self::Notifications, Self::AddComment];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed page",
            Self::Thread => "thread page",
            Self::LongThread => "50 of 1,000 comments",
            Self::Node => "node",
            Self::Notifications => "notifications",
            Self::AddComment => "add comment",
        }
    }

    /// Prepared requests, of the service or of the floor.
    pub fn requests(self, subjects: &Subjects, is_floor: bool) -> Vec<Vec<u8>> {
        let ids: Vec<String> = match self {
            Self::Feed | Self::Notifications => vec![String::new()],
            Self::Thread => subjects.threads.iter().map(ToString::to_string).collect(),
            Self::LongThread => vec![subjects.long_thread.to_string()],
            Self::Node => subjects.posts.iter().map(ToString::to_string).collect(),
            // Spread over threads: a community does not talk in one thread only.
            Self::AddComment => {
                subjects.posts.iter().map(|id| id.as_str().replacen("pst", "thr", 1)).collect()
            }
        };
        // Fresh, as one lives for ten minutes, and making a large community takes longer.
        let token = |member: &Id<Member>| {
            let (id, now) = (subjects.app.ids.fresh(), subjects.app.clock.now());
            let session = Session::new(id, member.clone(), Origin::default(), 30, now);
            tokens::access::issue(&subjects.app, &session).expect("there is a key")
        };
        let speakers = match self {
            Self::AddComment => &subjects.speakers[usize::from(is_floor)],
            _ => std::slice::from_ref(&subjects.viewer),
        };
        let said = ids.iter().zip(speakers.iter().cycle());
        said.map(
            |(id, member)| if is_floor { self.floor(id, member) } else { self.service(id, &token(member)) },
        )
        .collect()
    }

    fn service(self, id: &str, token: &str) -> Vec<u8> {
        let query = match self {
            Self::Feed => FEED,
            Self::Thread => THREAD,
            Self::LongThread => LONG,
            Self::Node => NODE,
            Self::Notifications => NOTIFICATIONS,
            Self::AddComment => ADD,
        };
        let body = json!({ "query": query, "variables": if id.is_empty() { Value::Null } else { json!({ "id": id }) } });
        http("POST", "/graphql", &format!("Authorization: Bearer {token}\r\n"), &body.to_string())
    }

    fn floor(self, id: &str, member: &Id<Member>) -> Vec<u8> {
        match self {
            Self::Feed => http("GET", "/feed", "", ""),
            Self::Thread => http("GET", &format!("/thread/{id}/20"), "", ""),
            Self::LongThread => http("GET", &format!("/thread/{id}/50"), "", ""),
            Self::Node => http("GET", &format!("/node/{id}"), "", ""),
            Self::Notifications => http("GET", "/notifications", "", ""),
            Self::AddComment => http("POST", &format!("/comment/{id}/{member}"), "", ""),
        }
    }
}

fn http(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
