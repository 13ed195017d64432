//! GraphQL: the product's API. One noun a file: thin wrapper types and resolvers over the actions.
//!
//! [`http`] takes requests in, [`cost`] refuses those that ask for too much, [`loaders`] keep the
//! number of store calls constant.

pub mod adoption;
pub mod attachment;
pub mod case_study;
pub mod comment;
pub mod connection;
pub mod context;
pub mod contribution;
pub mod cost;
pub mod http;
pub mod loaders;
pub mod member;
pub mod node;
pub mod organisation;
pub mod payload;
pub mod post;
pub mod query;
pub mod reaction;
pub mod revision;
pub mod scalars;
pub mod thread;
pub mod topic;

use async_graphql::{EmptySubscription, MergedObject};

/// Everything that members can do.
#[derive(Default, MergedObject)]
pub struct Mutation(
    post::PostMutation,
    case_study::CaseStudyMutation,
    adoption::AdoptionMutation,
    comment::CommentMutation,
    thread::ThreadMutation,
    reaction::ReactionMutation,
);

pub type Schema = async_graphql::Schema<query::Query, Mutation, EmptySubscription>;

/// How deeply the parser may recurse; deeper texts were refused before it saw them.
const RECURSION_MAX: usize = 64;

/// The schema. What a query may ask for is decided by [`cost`] before it is executed.
#[must_use]
pub fn schema() -> Schema {
    Schema::build(query::Query, Mutation::default(), EmptySubscription)
        .limit_recursive_depth(RECURSION_MAX)
        .register_output_type::<node::Node>()
        .finish()
}
