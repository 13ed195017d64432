//! The nouns of the network: structs, newtypes, limits with their reasons, rules and named scopes.
//! No I/O: nothing here knows of a store, a request or a clock.

pub mod activity;
pub mod adoption;
pub mod attachment;
pub mod calendar;
pub mod case_study;
pub mod comment;
pub mod contribution;
pub mod digest;
pub mod email;
pub mod entry;
pub mod guard;
pub mod job;
pub mod member;
pub mod mention;
pub mod organisation;
pub mod post;
pub mod reaction;
pub mod read_mark;
pub mod receipt;
pub mod revision;
pub mod session;
pub mod sign_in;
pub mod taxonomy;
pub mod text;
pub mod thread;
pub mod topic;

use crate::query::{Collection, Document};

/// Every collection, for a store that is being opened and for `schema/collections.json`.
#[must_use]
pub fn collections() -> Vec<&'static Collection> {
    vec![
        activity::Activity::collection(),
        adoption::Adoption::collection(),
        adoption::AdoptionStep::collection(),
        attachment::Attachment::collection(),
        attachment::Shelf::collection(),
        case_study::CaseStudy::collection(),
        case_study::Edition::collection(),
        comment::Comment::collection(),
        digest::Digest::collection(),
        entry::Entry::collection(),
        job::Job::collection(),
        member::Member::collection(),
        organisation::Organisation::collection(),
        post::Post::collection(),
        reaction::Reactions::collection(),
        read_mark::ReadMark::collection(),
        receipt::Receipt::collection(),
        revision::Revision::collection(),
        session::Session::collection(),
        sign_in::SignIn::collection(),
        sign_in::Attempts::collection(),
        thread::Thread::collection(),
        topic::Topic::collection(),
    ]
}
