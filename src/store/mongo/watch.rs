//! Hints that collections changed, from a change stream of the whole database.

use std::time::Duration;

use bson::{RawDocumentBuf, doc};
use futures_util::StreamExt;
use mongodb::Database;
use tokio::sync::broadcast;

/// Between two tries to listen: short at first, as a restart takes a second.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Listens for ever. Whenever it begins to listen, everything may have changed before.
pub(super) async fn run(
    database: Database,
    collections: Vec<&'static str>,
    changed: broadcast::Sender<&'static str>,
) {
    let mut pause = PAUSE;
    loop {
        // Which collection it was is all that matters; the documents stay where they are.
        let names = [doc! { "$project": { "ns.coll": 1 } }];
        if let Ok(stream) = database.watch().pipeline(names).await {
            for collection in &collections {
                changed.send(collection).ok();
            }
            let mut stream = stream.with_type::<RawDocumentBuf>();
            while let Some(Ok(change)) = stream.next().await {
                pause = PAUSE;
                let name = change.get_document("ns").and_then(|ns| ns.get_str("coll")).unwrap_or_default();
                if let Some(collection) = collections.iter().find(|collection| **collection == name) {
                    changed.send(collection).ok();
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
