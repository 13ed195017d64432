//! What members can do: one noun a file, each action a short story of authorise, load, change,
//! commit. The only writers.

pub mod access;
pub mod digest;
