//! The secrets that people and programs are given. None of them is stored: each is derived from, or
//! signed with, the installation's keys, so that a copy of the store signs nobody in.

pub mod access;
pub mod refresh;
pub mod sign_in;
