//! Which posts are listed, and in which order.

use super::super::{access::Viewer, page::Listing};
use crate::{
    clock::Timestamp,
    domain::{
        member::Member,
        organisation::Organisation,
        post::{Post, PostKind},
        tag::Tag,
        topic::Topic,
    },
    ids::Id,
    query::Filter,
};

/// In which order posts are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, async_graphql::Enum)]
pub enum PostOrder {
    /// Latest published first.
    #[default]
    Newest,
    /// Earliest published first.
    Oldest,
    /// Events alone, by when they start. Only for `posts`.
    Soonest,
}

/// Which posts are listed; every part narrows.
#[derive(Clone, Debug, Default)]
pub struct PostFilter {
    pub kind: Option<PostKind>,
    pub author: Option<Id<Member>>,
    pub organisation: Option<Id<Organisation>>,
    pub topic: Option<Id<Topic>>,
    pub tag: Option<Id<Tag>>,
    /// Events that start later than this.
    pub starts_after: Option<Timestamp>,
}

/// Published posts, within what the viewer was invited to.
#[must_use]
pub fn published(viewer: &Viewer, wanted: PostFilter, order: PostOrder) -> Listing<Post> {
    let only_events = wanted.starts_after.is_some() || order == PostOrder::Soonest;
    let mut filter = if only_events { Post::events() } else { Post::published() };
    filter = within(filter, viewer);
    if let Some(kind) = wanted.kind {
        filter = filter.and(Post::KIND.eq(kind));
    }
    if let Some(author) = wanted.author {
        filter = filter.and(Post::AUTHOR.eq(author));
    }
    if let Some(organisation) = wanted.organisation {
        filter = filter.and(Post::ORGANISATION.eq(organisation));
    }
    if let Some(topic) = wanted.topic {
        filter = filter.and(Post::TOPICS.contains(topic));
    }
    if let Some(tag) = wanted.tag {
        filter = filter.and(Post::TAGS.contains(tag));
    }
    if let Some(time) = wanted.starts_after {
        filter = filter.and(Post::STARTS_AT.gt(time));
    }
    match order {
        PostOrder::Newest => Listing { name: "posts:newest", filter, order: Post::PUBLISHED_AT.desc() },
        PostOrder::Oldest => Listing { name: "posts:oldest", filter, order: Post::PUBLISHED_AT.asc() },
        PostOrder::Soonest => Listing { name: "posts:soonest", filter, order: Post::STARTS_AT.asc() },
    }
}

fn within(filter: Filter<Post>, viewer: &Viewer) -> Filter<Post> {
    match Post::within(viewer) {
        Some(within) => filter.and(within),
        None => filter,
    }
}

/// Questions that nobody has taken up yet, within what the viewer was invited to.
#[must_use]
pub fn unanswered(viewer: &Viewer, oldest_first: bool) -> Listing<Post> {
    let filter = within(Post::unanswered(), viewer);
    if oldest_first {
        return Listing { name: "unanswered:oldest", filter, order: Post::PUBLISHED_AT.asc() };
    }
    Listing { name: "unanswered:newest", filter, order: Post::PUBLISHED_AT.desc() }
}
