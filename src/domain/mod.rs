//! The nouns of the network: structs, newtypes, limits with their reasons, rules and named scopes.
//! No I/O: nothing here knows of a store, a request or a clock.

pub mod access_token;
pub mod activity;
pub mod administrators;
pub mod adoption;
pub mod attachment;
pub mod audit;
pub mod bookmark;
pub mod calendar;
pub mod case_study;
pub mod comment;
pub mod contribution;
pub mod data_export;
pub mod data_right;
pub mod device;
pub mod digest;
pub mod directory;
pub mod email;
pub mod entry;
pub mod erasure;
pub mod event;
pub mod factor_challenge;
pub mod fold;
pub mod follow;
pub mod guard;
pub mod identity;
pub mod invitation;
pub mod job;
pub mod legal_hold;
pub mod local_path;
pub mod mailbox;
pub mod member;
pub mod mention;
pub mod moderation;
pub mod notification;
pub mod organisation;
pub mod permission;
pub mod pin;
pub mod place;
pub mod post;
pub mod profile;
pub mod reaction;
pub mod read_mark;
pub mod receipt;
pub mod report;
pub mod revision;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod sight;
pub mod sign_in;
pub mod single_sign_on;
pub mod standing;
pub mod succession;
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
        access_token::AccessToken::collection(),
        activity::Activity::collection(),
        administrators::Administrators::collection(),
        adoption::Adoption::collection(),
        adoption::AdoptionStep::collection(),
        bookmark::Bookmark::collection(),
        audit::AuditEntry::collection(),
        attachment::Attachment::collection(),
        attachment::Shelf::collection(),
        case_study::CaseStudy::collection(),
        case_study::Edition::collection(),
        comment::Comment::collection(),
        data_export::DataExport::collection(),
        device::Device::collection(),
        digest::Digest::collection(),
        digest::note::Note::collection(),
        directory::DirectoryEntry::collection(),
        entry::Entry::collection(),
        erasure::Erasure::collection(),
        factor_challenge::FactorChallenge::collection(),
        follow::Follow::collection(),
        identity::Identity::collection(),
        invitation::Invitation::collection(),
        job::Job::collection(),
        legal_hold::LegalHold::collection(),
        member::Member::collection(),
        notification::Notification::collection(),
        organisation::Organisation::collection(),
        pin::Board::collection(),
        post::Post::collection(),
        reaction::Reactions::collection(),
        read_mark::ReadMark::collection(),
        receipt::Receipt::collection(),
        report::Report::collection(),
        report::Tally::collection(),
        revision::Revision::collection(),
        second_factor::SecondFactors::collection(),
        session::Session::collection(),
        sign_in::SignIn::collection(),
        sign_in::Attempts::collection(),
        single_sign_on::SignOn::collection(),
        succession::Succession::collection(),
        sign_in::Mails::collection(),
        tag::Tag::collection(),
        thread::Thread::collection(),
        topic::Topic::collection(),
    ]
}
