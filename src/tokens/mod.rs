//! The secrets that people and programs are given. None of them is stored: each is derived from, signed
//! with, or known by a hash with the installation's keys, so that a copy of the store signs nobody in.

pub mod access;
pub mod access_token;
pub mod invitation;
pub mod passkey;
pub mod refresh;
pub mod reply;
pub mod second_factor;
pub mod sign_in;
pub mod single_sign_on;
pub mod webhook;
