//! The nouns of the network: structs, newtypes, limits with their reasons, rules and named scopes.
//! No I/O: nothing here knows of a store, a request or a clock.

pub mod activity;
pub mod adoption;
pub mod attachment;
pub mod audit;
pub mod bookmark;
pub mod calendar;
pub mod case_study;
pub mod comment;
pub mod contribution;
pub mod digest;
pub mod email;
pub mod entry;
pub mod event;
pub mod follow;
pub mod guard;
pub mod job;
pub mod member;
pub mod mention;
pub mod moderation;
pub mod notification;
pub mod organisation;
pub mod pin;
pub mod post;
pub mod reaction;
pub mod read_mark;
pub mod receipt;
pub mod report;
pub mod revision;
pub mod session;
pub mod sight;
pub mod sign_in;
pub mod tag;
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
        bookmark::Bookmark::collection(),
        audit::AuditEntry::collection(),
        attachment::Attachment::collection(),
        attachment::Shelf::collection(),
        case_study::CaseStudy::collection(),
        case_study::Edition::collection(),
        comment::Comment::collection(),
        digest::Digest::collection(),
        entry::Entry::collection(),
        follow::Follow::collection(),
        job::Job::collection(),
        member::Member::collection(),
        notification::Notification::collection(),
        organisation::Organisation::collection(),
        pin::Board::collection(),
        post::Post::collection(),
        reaction::Reactions::collection(),
        read_mark::ReadMark::collection(),
        receipt::Receipt::collection(),
        report::Report::collection(),
        revision::Revision::collection(),
        session::Session::collection(),
        sign_in::SignIn::collection(),
        sign_in::Attempts::collection(),
        tag::Tag::collection(),
        thread::Thread::collection(),
        topic::Topic::collection(),
    ]
}
