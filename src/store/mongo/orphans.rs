//! Transactions whose process has died.
//!
//! MongoDB does not notice: it keeps such a transaction, and what it has changed, to itself for a
//! minute. A service that was killed would find the busiest documents locked when it comes back. So a
//! commit that takes long looks for transactions of this service in which nothing has happened for a
//! while, and ends them. Ours pass from step to step without a pause; should one be alive after all,
//! it is told so by an error that makes it start again.

use std::time::Duration;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Client, error::Result, options::ReadConcern};

/// How long a commit takes before it looks for what is in its way.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// How long nothing has happened in a transaction that is taken for dead.
const SILENCE: Duration = Duration::from_secs(2);

/// Ends them.
pub(super) async fn end(client: &Client, app_name: &str) -> Result<()> {
    let admin = client.database("admin");
    // Sessions of the same user only, so that no privilege is needed.
    let sessions = doc! { "$currentOp": { "allUsers": false, "idleSessions": true } };
    let silence = i64::try_from(SILENCE.as_micros()).unwrap_or(i64::MAX);
    let silent = doc! { "$match": {
        "type": "idleSession",
        "appName": app_name,
        "transaction.timeInactiveMicros": { "$gte": silence },
    } };
    // A question to the server itself, which knows no majority.
    let found = admin.aggregate([sessions, silent]).read_concern(ReadConcern::local()).await?;
    let found: Vec<Document> = found.try_collect().await?;
    let id_of =
        |session: &Document| Some(doc! { "id": session.get_document("lsid").ok()?.get("id")?.clone() });
    let ids: Vec<Bson> = found.iter().filter_map(id_of).map(Bson::Document).collect();
    if !ids.is_empty() {
        tracing::warn!(transactions = ids.len(), "ending transactions of a process that has died");
        admin.run_command(doc! { "killSessions": ids }).await?;
    }
    Ok(())
}
