//! How many of something a member has here at once. Kept in each process's memory, as rate limits
//! are: nothing correct depends on it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{domain::member::Member, ids::Id};

/// Seats for every member, so many each.
#[derive(Clone)]
pub struct Seats {
    each: usize,
    taken: Arc<Mutex<HashMap<Id<Member>, usize>>>,
}

impl Seats {
    #[must_use]
    pub fn new(each: usize) -> Self {
        Self { each, taken: Arc::default() }
    }

    /// One of the member's seats; `None` when all of them are taken.
    #[must_use]
    pub fn take(&self, member: &Id<Member>) -> Option<Seat> {
        let mut all = self.all();
        let taken = all.get(member).copied().unwrap_or_default();
        if taken >= self.each {
            return None;
        }
        all.insert(member.clone(), taken + 1);
        Some(Seat { seats: self.clone(), member: member.clone() })
    }

    /// Seats taken by all members.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.all().values().sum()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Id<Member>, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat, free again when this is dropped.
pub struct Seat {
    seats: Seats,
    member: Id<Member>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.seats.all();
        if let Some(taken) = all.get_mut(&self.member) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_when_it_is_left() {
        let seats = Seats::new(2);
        let (ada, grace) = (Id::of("ada"), Id::of("grace"));
        let first = seats.take(&ada).unwrap();
        let second = seats.take(&ada);
        assert!(second.is_some() && seats.take(&ada).is_none());
        assert!(seats.take(&grace).is_some(), "each has their own");
        drop(first);
        assert!(seats.take(&ada).is_some());
        drop(second);
        assert!(seats.all().is_empty(), "whoever left is forgotten");
    }
}
