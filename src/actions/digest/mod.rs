//! Digests: when they come, what moderators say in them, what was sent, and how to turn them off.

pub mod log;
pub mod note;
pub mod preferences;
pub mod unsubscribe;
