//! What members can do: one noun a file, each action a short story of authorise, load, change,
//! commit. The only writers.

pub mod access;
pub mod comment;
pub mod digest;
pub mod once;
pub mod organisation;
pub mod page;
pub mod post;
pub mod read_mark;
pub mod session;
pub mod topic;
