//! GraphQL: the product's API. One noun a file: thin wrapper types and resolvers over the actions.
//!
//! [`http`] and [`socket`] take requests in, [`cost`] refuses those that ask for too much, [`loaders`]
//! keep the number of store calls constant.

pub mod activity;
pub mod adoption;
pub mod attachment;
pub mod audit;
pub mod bookmark;
pub mod call;
pub mod case_study;
pub mod comment;
pub mod connection;
pub mod context;
pub mod contribution;
pub mod cost;
pub mod follow;
pub mod http;
pub mod loaders;
pub mod member;
pub mod moderation;
pub mod node;
pub mod notification;
pub mod organisation;
pub mod payload;
pub mod post;
pub mod query;
pub mod reaction;
pub mod read_mark;
pub mod report;
pub mod revision;
pub mod scalars;
pub mod socket;
pub mod tag;
pub mod thread;
pub mod topic;

use async_graphql::{MergedObject, MergedSubscription};

/// Everything that members can do.
#[derive(Default, MergedObject)]
pub struct Mutation(
    post::PostMutation,
    case_study::CaseStudyMutation,
    adoption::AdoptionMutation,
    comment::CommentMutation,
    read_mark::ReadMarkMutation,
    reaction::ReactionMutation,
    follow::FollowMutation,
    bookmark::BookmarkMutation,
    notification::NotificationMutation,
    report::ReportMutation,
    moderation::ModerationMutation,
);

/// Everything that members can look on at.
#[derive(Default, MergedSubscription)]
pub struct Subscription(activity::ActivitySubscription);

pub type Schema = async_graphql::Schema<query::Query, Mutation, Subscription>;

/// How deeply the parser may recurse; deeper texts were refused before it saw them.
const RECURSION_MAX: usize = 64;

/// The schema. What a query may ask for is decided by [`cost`] before it is executed.
#[must_use]
pub fn schema() -> Schema {
    Schema::build(query::Query, Mutation::default(), Subscription::default())
        .limit_recursive_depth(RECURSION_MAX)
        .register_output_type::<node::Node>()
        .finish()
}
