//! Whose turn it is. Of two transactions that write one document, the server refuses the second, whose
//! work was for nothing and begins again: many at once on one thread or one organisation lose most of
//! their time so. Here they wait for each other, first come, first served.
//!
//! This spares work and nothing hangs on it: other processes have turns of their own, so what the server
//! refuses is tried again whatever happens here.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};

/// More than there are connections to the server, so that few documents share one by chance.
const TURNS: usize = 1_024;
/// Who has waited this long goes ahead: perhaps whoever has the turn is not being answered.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Turns(Box<[Mutex<()>]>);

impl Default for Turns {
    fn default() -> Self {
        Self((0..TURNS).map(|_| Mutex::default()).collect())
    }
}

impl Turns {
    /// The turn to write these documents, named by collection and id, for as long as what is returned
    /// lives.
    pub async fn of<'a>(&self, documents: impl Iterator<Item = (&'static str, &'a str)>) -> Held<'_> {
        let mut which: Vec<usize> = documents.map(place).collect();
        // Everybody in the same order, or two could wait for each other.
        which.sort_unstable();
        which.dedup();
        let mut held = Vec::with_capacity(which.len());
        let waiting = async {
            for turn in which {
                held.push(self.0[turn].lock().await);
            }
        };
        timeout(PATIENCE, waiting).await.ok();
        Held { _turns: held }
    }
}

/// Turns, or after a long wait some of them.
pub(super) struct Held<'a> {
    _turns: Vec<MutexGuard<'a, ()>>,
}

fn place(document: (&'static str, &str)) -> usize {
    let mut hasher = DefaultHasher::new();
    document.hash(&mut hasher);
    (hasher.finish() % TURNS as u64) as usize
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn documents_are_written_in_turn_whatever_the_order_they_are_named_in() {
        let (turns, inside) = (Arc::new(Turns::default()), Arc::new(AtomicUsize::new(0)));
        let writers = (0..50).map(|writer| {
            let (turns, inside) = (Arc::clone(&turns), Arc::clone(&inside));
            tokio::spawn(async move {
                let mut documents = [("threads", "thr_1"), ("posts", "pst_1"), ("members", "mem_1")];
                documents.rotate_left(writer % 3);
                let _held = turns.of(documents.into_iter()).await;
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for writer in writers {
            writer.await.unwrap();
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_long() {
        let turns = Turns::default();
        let thread = || [("threads", "thr_1")].into_iter();
        let _stuck = turns.of(thread()).await;
        assert!(timeout(PATIENCE / 2, turns.of(thread())).await.is_err());
        turns.of(thread()).await;
    }
}
