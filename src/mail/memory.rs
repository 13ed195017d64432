//! Mail kept in memory, for tests: also of what happens when it does not go out.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{MailError, Message};

/// Messages in the order they were sent, and the outcomes of the next attempts. Clones share both.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    sent: Vec<Message>,
    outcomes: VecDeque<MailError>,
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next attempts fail like this, one each; those after them succeed.
    pub fn fail_next(&self, outcomes: impl IntoIterator<Item = MailError>) {
        self.inner().outcomes.extend(outcomes);
    }

    /// What was sent so far, taken out.
    #[must_use]
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut self.inner().sent)
    }

    /// How many those are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner().sent.len()
    }

    pub(super) fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut inner = self.inner();
        if let Some(error) = inner.outcomes.pop_front() {
            return Err(error);
        }
        inner.sent.push(message.clone());
        Ok(())
    }
}
