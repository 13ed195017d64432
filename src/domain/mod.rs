//! The nouns of the network: structs, newtypes, limits with their reasons, rules and named scopes.
//! No I/O: nothing here knows of a store, a request or a clock.

pub mod comment;
pub mod digest;
pub mod email;
pub mod guard;
pub mod job;
pub mod member;
pub mod organisation;
pub mod post;
pub mod read_mark;
pub mod receipt;
pub mod session;
pub mod sign_in;
pub mod text;
pub mod thread;
pub mod topic;

use crate::query::{Collection, Document};

/// Every collection, for a store that is being opened and for `schema/collections.json`.
#[must_use]
pub fn collections() -> Vec<&'static Collection> {
    vec![
        comment::Comment::collection(),
        digest::Digest::collection(),
        job::Job::collection(),
        member::Member::collection(),
        organisation::Organisation::collection(),
        post::Post::collection(),
        read_mark::ReadMark::collection(),
        receipt::Receipt::collection(),
        session::Session::collection(),
        sign_in::SignIn::collection(),
        sign_in::Attempts::collection(),
        thread::Thread::collection(),
        topic::Topic::collection(),
    ]
}
