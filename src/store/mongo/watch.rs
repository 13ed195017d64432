//! Hints of changes, from the database's change stream.

use std::time::Duration;

use futures_util::StreamExt;
use mongodb::Database;
use tokio::sync::broadcast;

/// How long to wait before listening again after the stream broke.
const AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_secs(1), Duration::from_secs(5)];

/// Announces the collections that change, for as long as the task lives. While the stream is broken
/// nothing is announced; when it is back, everything is, as anything may have changed.
pub(super) async fn run(
    database: Database,
    names: Vec<&'static str>,
    changes: broadcast::Sender<&'static str>,
) {
    let mut failures = 0;
    loop {
        if let Ok(mut stream) = database.watch().await {
            if failures > 0 {
                for name in &names {
                    changes.send(name).ok();
                }
            }
            failures = 0;
            while let Some(Ok(event)) = stream.next().await {
                let changed = event.ns.and_then(|namespace| namespace.coll);
                if let Some(name) = names.iter().find(|name| changed.as_deref() == Some(**name)) {
                    changes.send(name).ok();
                }
            }
        }
        tokio::time::sleep(AGAIN_AFTER[failures.min(AGAIN_AFTER.len() - 1)]).await;
        failures += 1;
    }
}
