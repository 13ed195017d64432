//! What was sent, and what became of it.

use crate::{
    actions::{
        access::{Administrator, Viewer},
        page::Listing,
    },
    domain::{
        digest::{Digest, DigestState},
        member::Member,
    },
    ids::Id,
    query::Filter,
};

/// The viewer's digests, the latest first.
#[must_use]
pub fn own(viewer: &Viewer) -> Listing<Digest> {
    Listing { name: "viewer.digests", filter: Digest::of_member(&viewer.id), order: Digest::UNTIL.desc() }
}

/// Everybody's, or one member's, or those that ended in one way; the latest first.
#[must_use]
pub fn all(
    _administrator: &Administrator,
    member: Option<&Id<Member>>,
    state: Option<DigestState>,
) -> Listing<Digest> {
    let of_state = |filter: Filter<Digest>| match state {
        Some(state) => filter.and(Digest::STATE.eq(state)),
        None => filter,
    };
    let filter = member.map_or_else(Filter::all, Digest::of_member);
    Listing { name: "digests", filter: of_state(filter), order: Digest::UNTIL.desc() }
}
