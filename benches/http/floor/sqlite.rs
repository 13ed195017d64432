//! rusqlite as it comes: a connection for each blocking thread, JSON out of the document column.

use std::{cell::RefCell, collections::HashMap};

use rusqlite::{Connection, params_from_iter};
use serde::de::DeserializeOwned;

use super::{Comment, Entry, NewComment, Notification};

pub struct Sqlite {
    path: String,
}

thread_local! {
    /// By the file's path, as several communities may be measured.
    static CONNECTIONS: RefCell<HashMap<String, Connection>> = RefCell::default();
}

impl Sqlite {
    pub fn open(path: &str) -> Self {
        Self { path: path.to_owned() }
    }

    async fn on_connection<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> T {
        let path = self.path.clone();
        let run = move || {
            CONNECTIONS.with_borrow_mut(|open| {
                let connection = open.entry(path).or_insert_with_key(|path| {
                    let connection = Connection::open(path).expect("the file is there");
                    connection
                        .execute_batch("PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;")
                        .expect("pragmas");
                    connection
                });
                work(connection)
            })
        };
        tokio::task::spawn_blocking(run).await.expect("it does not panic")
    }

    async fn documents<T: DeserializeOwned + Send + 'static>(
        &self,
        sql: String,
        parameters: Vec<String>,
    ) -> Vec<T> {
        self.on_connection(move |connection| {
            let mut statement = connection.prepare_cached(&sql).expect("it is SQL");
            let rows = statement
                .query_map(params_from_iter(parameters), |row| {
                    let text = row.get_ref(0)?.as_str()?;
                    Ok(serde_json::from_str(text).expect("a document"))
                })
                .expect("it runs");
            rows.map(|row| row.expect("a row")).collect()
        })
        .await
    }

    pub async fn by_ids<T: DeserializeOwned + Send + 'static>(
        &self,
        collection: &str,
        ids: Vec<String>,
    ) -> Vec<T> {
        let places = vec!["?"; ids.len()].join(",");
        self.documents(format!("SELECT json(doc) FROM \"{collection}\" WHERE id IN ({places})"), ids).await
    }

    pub async fn feed(&self) -> Vec<Entry> {
        let sql = "SELECT json(doc) FROM entries WHERE json_extract(doc,'$.state') = 'published' \
                   ORDER BY json_extract(doc,'$.publishedAt') DESC, id DESC LIMIT 21";
        self.documents(sql.to_owned(), Vec::new()).await
    }

    pub async fn notifications(&self, member: String) -> Vec<Notification> {
        let sql = "SELECT json(doc) FROM notifications WHERE json_extract(doc,'$.member') = ? \
                   ORDER BY json_extract(doc,'$.updatedAt') DESC, id DESC LIMIT 21";
        self.documents(sql.to_owned(), vec![member]).await
    }

    pub async fn unread(&self, member: String, thread: String) -> Vec<Notification> {
        let sql = "SELECT json(doc) FROM notifications WHERE json_extract(doc,'$.member') = ? \
                   AND json_extract(doc,'$.thread') = ? AND json_extract(doc,'$.readAt') IS NULL";
        self.documents(sql.to_owned(), vec![member, thread]).await
    }

    pub async fn comments(&self, thread: String, limit: usize) -> Vec<Comment> {
        let sql = format!(
            "SELECT json(doc) FROM comments WHERE json_extract(doc,'$.thread') = ? \
             ORDER BY json_extract(doc,'$.path') ASC, id ASC LIMIT {limit}"
        );
        self.documents(sql, vec![thread]).await
    }

    pub async fn add(&self, comment: NewComment, begins: bool) {
        self.on_connection(move |connection| {
            let document = serde_json::to_string(&comment).expect("JSON");
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("it begins");
            let updates = [
                "UPDATE threads SET doc = jsonb_set(doc, '$.commentCount', json_extract(doc,'$.commentCount') + 1, \
                 '$.version', json_extract(doc,'$.version') + 1) WHERE id = ? AND NOT json_extract(doc,'$.locked')",
                "UPDATE threads SET doc = jsonb_set(doc, '$.lastActivityAt', '2026-01-01T00:00:00.000Z', \
                 '$.version', json_extract(doc,'$.version') + 1) WHERE id = ? AND NOT json_extract(doc,'$.locked')",
            ];
            for update in updates {
                let mut statement = transaction.prepare_cached(update).expect("it is SQL");
                assert_eq!(statement.execute([&comment.thread]).expect("it runs"), 1);
            }
            transaction
                .prepare_cached("INSERT INTO comments (id, doc) VALUES (?, jsonb(?))")
                .expect("it is SQL")
                .execute([&comment.id, &document])
                .expect("it runs");
            let (id, mark) = comment.read();
            transaction
                .prepare_cached("INSERT INTO \"readMarks\" (id, doc) VALUES (?, jsonb(?)) \
                                 ON CONFLICT (id) DO UPDATE SET doc = excluded.doc")
                .expect("it is SQL")
                .execute([id, mark.to_string()])
                .expect("it runs");
            if begins {
                let (id, follow) = comment.follow();
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO follows (id, doc) VALUES (?, jsonb(?))")
                    .expect("it is SQL")
                    .execute([id, follow.to_string()])
                    .expect("it runs");
                transaction
                    .prepare_cached("UPDATE members SET doc = jsonb_set(doc, '$.follows.threads', \
                                     json_extract(doc,'$.follows.threads') + 1, '$.version', \
                                     json_extract(doc,'$.version') + 1) WHERE id = ?")
                    .expect("it is SQL")
                    .execute([&comment.author])
                    .expect("it runs");
            }
            for (collection, id, document) in comment.told() {
                transaction
                    .prepare_cached(&format!("INSERT INTO \"{collection}\" (id, doc) VALUES (?, jsonb(?))"))
                    .expect("it is SQL")
                    .execute([id, document.to_string()])
                    .expect("it runs");
            }
            transaction.commit().expect("it commits");
        })
        .await;
    }
}
