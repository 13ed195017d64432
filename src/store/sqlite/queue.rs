//! A queue between asynchronous tasks and the threads that own connections.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Closed when nobody will add to it; what is in it then is still taken.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    open: bool,
}

impl<T> Queue<T> {
    pub fn new() -> Self {
        Self { state: Mutex::new(State { items: VecDeque::new(), open: true }), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the queue took it.
    pub fn push(&self, item: T) -> bool {
        let mut state = self.lock();
        if state.open {
            state.items.push_back(item);
            self.changed.notify_one();
        }
        state.open
    }

    pub fn close(&self) {
        self.lock().open = false;
        self.changed.notify_all();
    }

    /// The next item; waits for one. `None` once the queue is closed and empty.
    pub fn next(&self) -> Option<T> {
        let state = self.lock();
        let mut state = self
            .changed
            .wait_while(state, |state| state.items.is_empty() && state.open)
            .unwrap_or_else(PoisonError::into_inner);
        state.items.pop_front()
    }

    /// Up to `at_most` items; waits for one, but no longer than `patience`. `None` once the queue is
    /// closed and empty.
    pub fn several(&self, at_most: usize, patience: Duration) -> Option<Vec<T>> {
        let state = self.lock();
        let waiting = |state: &mut State<T>| state.items.is_empty() && state.open;
        let (mut state, _) =
            self.changed.wait_timeout_while(state, patience, waiting).unwrap_or_else(PoisonError::into_inner);
        if state.items.is_empty() && !state.open {
            return None;
        }
        let count = state.items.len().min(at_most);
        Some(state.items.drain(..count).collect())
    }
}
