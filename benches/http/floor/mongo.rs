//! The MongoDB driver as it comes.

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::{
    Client, Collection, Database,
    options::{Acknowledgment, ClientOptions, WriteConcern},
};
use serde::de::DeserializeOwned;

use super::{Comment, Entry, NewComment, Notification};

pub struct Mongo {
    client: Client,
    database: Database,
}

impl Mongo {
    pub async fn open(uri: &str) -> Self {
        let mut options = ClientOptions::parse(uri).await.expect("a URI");
        options.write_concern =
            Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build());
        let client = Client::with_options(options).expect("a client");
        let database = client.default_database().expect("the URI names one");
        Self { client, database }
    }

    async fn found<T: DeserializeOwned + Send + Sync + Unpin>(
        &self,
        collection: &str,
        filter: Document,
        sort: Document,
        limit: i64,
    ) -> Vec<T> {
        let collection: Collection<T> = self.database.collection(collection);
        let cursor = collection.find(filter).sort(sort).limit(limit).await.expect("it answers");
        cursor.try_collect().await.expect("documents")
    }

    pub async fn by_ids<T: DeserializeOwned + Send + Sync + Unpin>(
        &self,
        collection: &str,
        ids: Vec<String>,
    ) -> Vec<T> {
        self.found(collection, doc! { "_id": { "$in": ids } }, doc! {}, 0).await
    }

    pub async fn feed(&self) -> Vec<Entry> {
        self.found("entries", doc! { "state": "published" }, doc! { "publishedAt": -1, "_id": -1 }, 21).await
    }

    pub async fn notifications(&self, member: String) -> Vec<Notification> {
        self.found("notifications", doc! { "member": member }, doc! { "updatedAt": -1, "_id": -1 }, 21).await
    }

    pub async fn unread(&self, member: String, thread: String) -> Vec<Notification> {
        let unread = doc! { "member": member, "thread": thread, "readAt": null };
        self.found("notifications", unread, doc! {}, 0).await
    }

    pub async fn comments(&self, thread: String, limit: usize) -> Vec<Comment> {
        let limit = i64::try_from(limit).unwrap_or_default();
        self.found("comments", doc! { "thread": thread }, doc! { "path": 1, "_id": 1 }, limit).await
    }

    pub async fn add(&self, comment: NewComment, begins: bool) {
        loop {
            let mut session = self.client.start_session().await.expect("a session");
            session.start_transaction().await.expect("a transaction");
            let threads: Collection<Document> = self.database.collection("threads");
            let comments: Collection<NewComment> = self.database.collection("comments");
            let open = doc! { "_id": &comment.thread, "locked": { "$ne": true } };
            let at = bson::DateTime::from_millis(comment.created_at.millis());
            let written = async {
                let counted = doc! { "$inc": { "commentCount": 1_i64, "version": 1_i64 } };
                threads.update_one(open.clone(), counted).session(&mut session).await?;
                let moved = doc! { "$set": { "lastActivityAt": at }, "$inc": { "version": 1_i64 } };
                threads.update_one(open, moved).session(&mut session).await?;
                comments.insert_one(&comment).session(&mut session).await?;
                let (id, mark) = comment.read();
                let marks: Collection<Document> = self.database.collection("readMarks");
                let mark = bson::serialize_to_document(&mark).expect("a document");
                let moved = marks.replace_one(doc! { "_id": id }, mark).upsert(true);
                moved.session(&mut session).await?;
                if begins {
                    let (id, follow) = comment.follow();
                    let follow = bson::serialize_to_document(&follow).expect("a document");
                    let follows: Collection<Document> = self.database.collection("follows");
                    let kept = follows.replace_one(doc! { "_id": id }, follow).upsert(true);
                    kept.session(&mut session).await?;
                    let members: Collection<Document> = self.database.collection("members");
                    let counted = doc! { "$inc": { "follows.threads": 1_i64, "version": 1_i64 } };
                    members
                        .update_one(doc! { "_id": &comment.author }, counted)
                        .session(&mut session)
                        .await?;
                }
                for (collection, _, document) in comment.told() {
                    let document = bson::serialize_to_document(&document).expect("a document");
                    let told: Collection<Document> = self.database.collection(collection);
                    told.insert_one(document).session(&mut session).await?;
                }
                session.commit_transaction().await
            };
            match written.await {
                Ok(()) => return,
                Err(error) if error.contains_label("TransientTransactionError") => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
