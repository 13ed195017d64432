//! The floor: the same store calls through the raw drivers, in handlers that do nothing else.

use std::{collections::HashMap, sync::Arc};

use hope_exchange::{
    clock::{Clock, Timestamp},
    domain::member::Member,
    ids::{Id, Ids},
};
use poem::{
    EndpointExt, Route, Server, get, handler,
    listener::TcpAcceptor,
    post,
    web::{Data, Json, Path},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::net::TcpListener;

mod mongo;
mod sqlite;

/// What the handlers need of a store, in its own words.
enum Raw {
    Sqlite(sqlite::Sqlite),
    Mongo(mongo::Mongo),
}

impl Raw {
    async fn by_ids<T: DeserializeOwned + Send + Sync + Unpin + 'static>(
        &self,
        collection: &'static str,
        ids: Vec<String>,
    ) -> Vec<T> {
        match self {
            Self::Sqlite(store) => store.by_ids(collection, ids).await,
            Self::Mongo(store) => store.by_ids(collection, ids).await,
        }
    }

    /// The entries of the feed's first page, and of one more.
    async fn feed(&self) -> Vec<Entry> {
        match self {
            Self::Sqlite(store) => store.feed().await,
            Self::Mongo(store) => store.feed().await,
        }
    }

    /// A member's notifications: the first page, and one more.
    async fn notifications(&self, member: String) -> Vec<Notification> {
        match self {
            Self::Sqlite(store) => store.notifications(member).await,
            Self::Mongo(store) => store.notifications(member).await,
        }
    }

    /// What a member has not read of a thread.
    async fn unread(&self, member: String, thread: String) -> Vec<Notification> {
        match self {
            Self::Sqlite(store) => store.unread(member, thread).await,
            Self::Mongo(store) => store.unread(member, thread).await,
        }
    }

    /// So many comments, and one more if there is one.
    async fn comments(&self, thread: String, size: usize) -> Vec<Comment> {
        match self {
            Self::Sqlite(store) => store.comments(thread, size + 1).await,
            Self::Mongo(store) => store.comments(thread, size + 1).await,
        }
    }

    /// Adds a comment; who speaks in the thread for the first time follows it from then on.
    async fn add(&self, comment: NewComment, begins: bool) {
        match self {
            Self::Sqlite(store) => store.add(comment, begins).await,
            Self::Mongo(store) => store.add(comment, begins).await,
        }
    }
}

#[derive(Deserialize)]
struct Entry {
    contribution: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Post {
    #[serde(rename = "_id")]
    id: String,
    title: String,
    kind: String,
    body: Rich,
    author: String,
    organisation: Option<String>,
    topics: Vec<String>,
    thread: String,
    published_at: Option<Timestamp>,
}

#[derive(Deserialize, Serialize, Clone)]
struct Rich {
    markdown: String,
    html: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    #[serde(rename = "_id")]
    id: String,
    name: String,
    #[serde(default)]
    organisation: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    #[serde(rename = "_id")]
    id: String,
    kind: String,
    count: i64,
    subject: Option<String>,
    actors: Vec<String>,
    updated_at: Timestamp,
    read_at: Option<Timestamp>,
}

/// Something of which only its being there counts.
#[derive(Deserialize)]
struct There {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thread {
    #[serde(rename = "_id")]
    id: String,
    comment_count: i64,
    last_activity_at: Timestamp,
    subject: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    #[serde(rename = "_id")]
    id: String,
    depth: i64,
    author: String,
    organisation: Option<String>,
    body: Option<Rich>,
    created_at: Timestamp,
}

/// A comment as the service would write it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewComment {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    thread: String,
    parent: Option<String>,
    depth: i64,
    path: String,
    author: String,
    organisation: Option<String>,
    answers: Option<String>,
    body: Rich,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl NewComment {
    /// How far its author has read the thread. Who comments twice moves it.
    fn read(&self) -> (String, serde_json::Value) {
        let id = format!("rdm_{}-{}", self.author, self.thread);
        let mark = serde_json::json!({
            "_id": id, "version": 1, "member": self.author, "thread": self.thread, "readAt": null, "seen": 1,
        });
        (id, mark)
    }

    /// Its author follows the thread.
    fn follow(&self) -> (String, serde_json::Value) {
        let id = format!("fol_{}-{}", self.author.trim_start_matches("mbr_"), self.thread);
        let follow = serde_json::json!({
            "_id": id, "version": 1, "member": self.author, "target": self.thread, "interest": false,
            "stance": "following", "since": self.created_at,
        });
        (id, follow)
    }

    /// What the service writes beside it for those whom it concerns: what happened, and the job that
    /// tells them. The job is of no lane that a worker looks at, as the floor has no worker.
    fn told(&self) -> [(&'static str, String, serde_json::Value); 2] {
        let key = self.id.replacen("cmt_", "", 1);
        let (activity, job) = (format!("act_{key}"), format!("job_{key}"));
        let happened = serde_json::json!({
            "_id": activity, "version": 1, "actor": self.author, "thread": self.thread, "mentioned": [],
            "what": { "kind": "comment-added", "comment": self.id },
            "at": self.created_at, "expiresAt": self.created_at,
        });
        let task = serde_json::json!({
            "_id": job, "version": 1, "state": "waiting", "lane": "none", "attempts": 0, "lastError": null,
            "task": { "kind": "notify", "activity": activity },
            "dueAt": self.created_at, "createdAt": self.created_at,
        });
        [("activities", activity, happened), ("jobs", job, task)]
    }
}

#[derive(Serialize)]
struct OrganisationOut<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct AuthorOut<'a> {
    name: &'a str,
    organisation: Option<OrganisationOut<'a>>,
}

#[derive(Serialize)]
struct PostOut<'a> {
    id: &'a str,
    kind: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(rename = "publishedAt")]
    published_at: Option<Timestamp>,
    author: Option<AuthorOut<'a>>,
    organisation: Option<OrganisationOut<'a>>,
    topics: Vec<OrganisationOut<'a>>,
    #[serde(rename = "commentCount")]
    comment_count: Option<i64>,
}

#[derive(Serialize)]
struct CommentOut<'a> {
    id: &'a str,
    depth: i64,
    body: Option<&'a str>,
    #[serde(rename = "createdAt")]
    created_at: Timestamp,
    author: Option<AuthorOut<'a>>,
    organisation: Option<OrganisationOut<'a>>,
}

/// Whatever a page refers to, fetched in one call a kind.
struct Around {
    members: HashMap<String, Named>,
    organisations: HashMap<String, Named>,
    topics: HashMap<String, Named>,
    threads: HashMap<String, Thread>,
}

impl Around {
    async fn posts(raw: &Raw, posts: &[Post]) -> Self {
        let members = by_id(raw, "members", posts.iter().map(|post| post.author.clone())).await;
        let organisations =
            by_id(raw, "organisations", posts.iter().filter_map(|post| post.organisation.clone())).await;
        let topics = by_id(raw, "topics", posts.iter().flat_map(|post| post.topics.clone())).await;
        let threads: Vec<Thread> =
            raw.by_ids("threads", posts.iter().map(|post| post.thread.clone()).collect()).await;
        let threads = threads.into_iter().map(|thread| (thread.id.clone(), thread)).collect();
        Self { members, organisations, topics, threads }
    }

    fn organisation(&self, id: Option<&String>) -> Option<OrganisationOut<'_>> {
        self.organisations.get(id?).map(|found| OrganisationOut { name: &found.name })
    }

    fn author(&self, id: &str) -> Option<AuthorOut<'_>> {
        let member = self.members.get(id)?;
        Some(AuthorOut { name: &member.name, organisation: self.organisation(member.organisation.as_ref()) })
    }

    fn post<'a>(&'a self, post: &'a Post, whole: bool) -> PostOut<'a> {
        PostOut {
            id: &post.id,
            kind: &post.kind,
            title: &post.title,
            summary: (!whole).then(|| post.body.markdown.chars().take(240).collect()),
            body: whole.then_some(post.body.html.as_str()),
            published_at: post.published_at,
            author: self.author(&post.author),
            organisation: self.organisation(post.organisation.as_ref()),
            topics: post
                .topics
                .iter()
                .filter_map(|id| self.topics.get(id))
                .map(|topic| OrganisationOut { name: &topic.name })
                .collect(),
            comment_count: self.threads.get(&post.thread).map(|thread| thread.comment_count),
        }
    }
}

async fn by_id(
    raw: &Raw,
    collection: &'static str,
    ids: impl Iterator<Item = String>,
) -> HashMap<String, Named> {
    let mut ids: Vec<String> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let found: Vec<Named> = raw.by_ids(collection, ids).await;
    found.into_iter().map(|named| (named.id.clone(), named)).collect()
}

struct Shared {
    raw: Raw,
    viewer: String,
}

impl Shared {
    /// The service loads who asks at each request.
    async fn viewer(&self) -> Named {
        self.member(self.viewer.clone()).await
    }

    async fn member(&self, id: String) -> Named {
        self.raw.by_ids("members", vec![id]).await.pop().expect("the member exists")
    }
}

fn json(value: &impl Serialize) -> Json<Box<serde_json::value::RawValue>> {
    Json(serde_json::value::to_raw_value(value).expect("it is JSON"))
}

type Answer = Json<Box<serde_json::value::RawValue>>;

#[handler]
async fn show_feed(Data(shared): Data<&Arc<Shared>>) -> Answer {
    shared.viewer().await;
    let mut entries = shared.raw.feed().await;
    let more = entries.len() > 20;
    entries.truncate(20);
    let ids: Vec<String> = entries.into_iter().map(|entry| entry.contribution).collect();
    let mut posts: Vec<Post> = shared.raw.by_ids("posts", ids.clone()).await;
    posts.sort_by_key(|post| ids.iter().position(|id| *id == post.id));
    let around = Around::posts(&shared.raw, &posts).await;
    let nodes: Vec<PostOut<'_>> = posts.iter().map(|post| around.post(post, false)).collect();
    json(&(more, nodes))
}

#[derive(Serialize)]
struct NotificationOut<'a> {
    id: &'a str,
    kind: &'a str,
    count: i64,
    text: String,
    subject: Option<&'a str>,
    actors: Vec<&'a str>,
    #[serde(rename = "updatedAt")]
    updated_at: Timestamp,
    #[serde(rename = "readAt")]
    read_at: Option<Timestamp>,
}

#[handler]
async fn show_notifications(Data(shared): Data<&Arc<Shared>>) -> Answer {
    let viewer = shared.viewer().await;
    let mut found = shared.raw.notifications(viewer.id).await;
    let more = found.len() > 20;
    found.truncate(20);
    let ids = found.iter().filter_map(|one| one.subject.clone()).collect();
    let posts: Vec<Post> = shared.raw.by_ids("posts", ids).await;
    let posts: HashMap<&str, &Post> = posts.iter().map(|post| (post.id.as_str(), post)).collect();
    let members = by_id(&shared.raw, "members", found.iter().flat_map(|one| one.actors.clone())).await;
    let nodes: Vec<NotificationOut<'_>> = found
        .iter()
        .map(|one| {
            let subject = one.subject.as_deref().and_then(|id| posts.get(id)).map(|post| post.title.as_str());
            let actors = one.actors.iter().filter_map(|id| members.get(id));
            let actors: Vec<&str> = actors.map(|member| member.name.as_str()).collect();
            let text = format!("{} shared “{}”", actors.join(", "), subject.unwrap_or_default());
            NotificationOut {
                id: &one.id,
                kind: &one.kind,
                count: one.count,
                text,
                subject,
                actors,
                updated_at: one.updated_at,
                read_at: one.read_at,
            }
        })
        .collect();
    json(&(more, nodes))
}

#[handler]
async fn show_node(Data(shared): Data<&Arc<Shared>>, Path(id): Path<String>) -> Answer {
    shared.viewer().await;
    let posts: Vec<Post> = shared.raw.by_ids("posts", vec![id]).await;
    let around = Around::posts(&shared.raw, &posts).await;
    json(&posts.first().map(|post| around.post(post, true)))
}

#[handler]
async fn show_thread(Data(shared): Data<&Arc<Shared>>, Path((id, size)): Path<(String, usize)>) -> Answer {
    shared.viewer().await;
    let found: Vec<Thread> = shared.raw.by_ids("threads", vec![id.clone()]).await;
    let thread = found.first().expect("the thread exists");
    let _subject: Vec<Post> = shared.raw.by_ids("posts", vec![thread.subject.clone()]).await;
    let mut comments = shared.raw.comments(id, size).await;
    let more = comments.len() > size;
    comments.truncate(size);
    let members = by_id(&shared.raw, "members", comments.iter().map(|comment| comment.author.clone())).await;
    let organisations = comments.iter().filter_map(|comment| comment.organisation.clone());
    let organisations = by_id(&shared.raw, "organisations", organisations).await;
    let around = Around { members, organisations, topics: HashMap::new(), threads: HashMap::new() };
    let nodes: Vec<CommentOut<'_>> = (comments.iter())
        .map(|comment| CommentOut {
            id: &comment.id,
            depth: comment.depth,
            body: comment.body.as_ref().map(|body| body.html.as_str()),
            created_at: comment.created_at,
            author: around.author(&comment.author),
            organisation: around.organisation(comment.organisation.as_ref()),
        })
        .collect();
    json(&(&thread.id, thread.comment_count, thread.last_activity_at, more, nodes))
}

#[handler]
async fn add_comment(
    Data(shared): Data<&Arc<Shared>>,
    Data(ids): Data<&Ids>,
    Path((id, member)): Path<(String, String)>,
) -> Answer {
    let viewer = shared.member(member).await;
    let found: Vec<Thread> = shared.raw.by_ids("threads", vec![id.clone()]).await;
    let thread = found.first().expect("the thread exists");
    let posts: Vec<Post> = shared.raw.by_ids("posts", vec![thread.subject.clone()]).await;
    // Whether the viewer follows the thread, has read it, and was told of it.
    let attending = format!("{}-{id}", viewer.id);
    let followed = attending.trim_start_matches("mbr_");
    let follows: Vec<There> = shared.raw.by_ids("follows", vec![format!("fol_{followed}")]).await;
    let _: Vec<There> = shared.raw.by_ids("readMarks", vec![format!("rdm_{attending}")]).await;
    shared.raw.unread(viewer.id.clone(), id.clone()).await;
    let now = Timestamp::from_millis(thread.last_activity_at.millis() + 1);
    let fresh: Id<hope_exchange::domain::comment::Comment> = ids.fresh();
    let comment = NewComment {
        path: fresh.as_str().replacen("cmt_", "", 1),
        id: fresh.to_string(),
        version: 1,
        thread: id,
        parent: None,
        depth: 0,
        author: viewer.id,
        organisation: viewer.organisation,
        answers: posts.first().map(|post| post.author.clone()),
        body: Rich {
            markdown: "We have tried this on **two wards**.".to_owned(),
            html: "<p>We have tried this on <strong>two wards</strong>.</p>".to_owned(),
        },
        created_at: now,
        updated_at: now,
    };
    let answer = json(&(&comment.id, comment.depth, comment.created_at));
    shared.raw.add(comment, follows.is_empty()).await;
    answer
}

pub async fn serve(uri: String, viewer: Id<Member>, listener: TcpListener) {
    let raw = match uri.strip_prefix("sqlite://") {
        Some(path) => Raw::Sqlite(sqlite::Sqlite::open(path)),
        None => Raw::Mongo(mongo::Mongo::open(&uri).await),
    };
    let clock = Clock::System { offset: chrono::TimeDelta::zero() };
    let routes = Route::new()
        .at("/feed", get(show_feed))
        .at("/node/:id", get(show_node))
        .at("/notifications", get(show_notifications))
        .at("/thread/:id/:size", get(show_thread))
        .at("/comment/:id/:member", post(add_comment))
        .data(Arc::new(Shared { raw, viewer: viewer.to_string() }))
        .data(Ids::system(clock));
    let acceptor = TcpAcceptor::from_tokio(listener).expect("a listener");
    Server::new_with_acceptor(acceptor).run(routes).await.expect("it serves");
}
