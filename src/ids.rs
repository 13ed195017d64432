//! Ids and randomness, injected so that tests and the demonstration community repeat exactly.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    sync::{Arc, Mutex},
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::clock::{Clock, Timestamp};

/// What an id belongs to, and how its ids start: `pst` in `pst_01J…`.
pub trait Identified {
    const PREFIX: &'static str;
}

/// An id of a `T`: a type prefix and a ULID. Sortable by time of creation, opaque to clients, safe
/// in URLs, and GraphQL's global id as it is.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Id<T>(String, #[serde(skip)] PhantomData<fn() -> T>);

impl<T: Identified> Id<T> {
    /// The id that `text` spells, when it is one of a `T`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(T::PREFIX)?.strip_prefix('_')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        (!rest.is_empty() && rest.len() <= 100 && rest.chars().all(plain)).then(|| Self::raw(text.to_owned()))
    }

    /// Sorts before every fresh id of this moment, and after those of earlier milliseconds.
    #[must_use]
    pub fn earliest(at: Timestamp) -> Self {
        let millis = u64::try_from(at.millis()).unwrap_or_default();
        Self::raw(format!("{}_{}", T::PREFIX, Ulid::from_parts(millis, 0)))
    }

    /// When it was made, for an id that says.
    #[must_use]
    pub fn made_at(&self) -> Option<Timestamp> {
        let ulid = Ulid::from_string(self.0.strip_prefix(T::PREFIX)?.strip_prefix('_')?).ok()?;
        i64::try_from(ulid.timestamp_ms()).ok().map(Timestamp::from_millis)
    }

    /// An id made of what it stands for, for documents of which there can be only one: a read mark
    /// of a member and a thread. `key` holds letters, digits, `-` and `_` only.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self::raw(format!("{}_{key}", T::PREFIX))
    }
}

impl<T> Id<T> {
    fn raw(text: String) -> Self {
        Self(text, PhantomData)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        Self::raw(self.0.clone())
    }
}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The source of ids and random bytes.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    random: Random,
}

#[derive(Clone, Debug)]
enum Random {
    /// The operating system's generator, for everything real.
    System(SystemRandom),
    /// A repeatable sequence, for demonstrations and tests. Guessable: never for secrets of a real service.
    Seeded(Arc<Mutex<u64>>),
}

impl Ids {
    #[must_use]
    pub fn system(clock: Clock) -> Self {
        Self { clock, random: Random::System(SystemRandom::new()) }
    }

    #[must_use]
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        Self { clock, random: Random::Seeded(Arc::new(Mutex::new(seed))) }
    }

    /// A fresh id of a `T`, sorting after those of earlier milliseconds.
    #[must_use]
    pub fn fresh<T: Identified>(&self) -> Id<T> {
        let millis = u64::try_from(self.clock.now().millis()).unwrap_or_default();
        let ulid = Ulid::from_parts(millis, u128::from_be_bytes(self.bytes()));
        Id::raw(format!("{}_{ulid}", T::PREFIX))
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe could be done then.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.random {
            Random::System(system) => system.fill(&mut bytes).expect("the system has randomness"),
            Random::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for chunk in bytes.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(&mut state).to_le_bytes()[..chunk.len()]);
                }
            }
        }
        bytes
    }

    /// A number below `bound`, for choices that nobody's safety hangs on (jitter, demonstrations).
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes()) % bound.max(1)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, fast, well spread.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;
    impl Identified for Thing {
        const PREFIX: &'static str = "thg";
    }

    #[test]
    fn an_id_is_read_only_as_what_it_is() {
        let ids = Ids::seeded(Clock::manual(Timestamp::from_millis(1)), 7);
        let id = ids.fresh::<Thing>();
        assert_eq!(id.made_at(), Some(Timestamp::from_millis(1)));
        assert_eq!(Id::<Thing>::of("member").made_at(), None);
        assert_eq!(Id::<Thing>::parse(id.as_str()), Some(id));
        for wrong in ["", "thg", "thg_", "pst_01J0", "thg_$where", "thg_a.b", "thg_\u{0}"] {
            assert_eq!(Id::<Thing>::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn ids_sort_by_time_and_repeat_by_seed() {
        let clock = Clock::manual(Timestamp::from_millis(1_000));
        let (ids, again) = (Ids::seeded(clock.clone(), 7), Ids::seeded(clock.clone(), 7));
        let first = ids.fresh::<Thing>();
        assert_eq!(first, again.fresh());
        clock.advance(chrono::TimeDelta::milliseconds(1));
        assert!(first < Id::earliest(clock.now()) && Id::earliest(clock.now()) < ids.fresh::<Thing>());
    }
}
