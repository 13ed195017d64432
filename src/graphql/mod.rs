//! GraphQL: the product's API. One noun a file: thin wrapper types and resolvers over the actions.
//!
//! [`http`] and [`socket`] take requests in, [`cost`] refuses those that ask for too much, [`loaders`]
//! keep the number of store calls constant.

pub mod access_token;
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
pub mod data_export;
pub mod digest;
pub mod erasure;
pub mod follow;
pub mod http;
pub mod identity;
pub mod invitation;
pub mod legal_hold;
pub mod loaders;
pub mod member;
pub mod moderation;
pub mod node;
pub mod notification;
pub mod organisation;
pub mod payload;
pub mod peer;
pub mod post;
pub mod profile;
pub mod query;
pub mod reaction;
pub mod read_mark;
pub mod report;
pub mod revision;
pub mod role;
pub mod scalars;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod socket;
pub mod standing;
pub mod succession;
pub mod suppression;
pub mod tag;
pub mod thread;
pub mod topic;

use async_graphql::{MergedObject, MergedSubscription};

/// Everything that members can do. In groups: of those that are merged, each is asked within the one before
/// it, and every step takes stack.
#[derive(Default, MergedObject)]
pub struct Mutation(Writing, Attention, House, Directory, Account, Access);

#[derive(Default, MergedObject)]
struct Writing(
    post::PostMutation,
    case_study::CaseStudyMutation,
    adoption::AdoptionMutation,
    comment::CommentMutation,
);

#[derive(Default, MergedObject)]
struct Attention(
    read_mark::ReadMarkMutation,
    reaction::ReactionMutation,
    follow::FollowMutation,
    bookmark::BookmarkMutation,
    notification::NotificationMutation,
    digest::DigestMutation,
);

#[derive(Default, MergedObject)]
struct House(
    report::ReportMutation,
    moderation::ModerationMutation,
    standing::StandingMutation,
    invitation::InvitationMutation,
    legal_hold::LegalHoldMutation,
    suppression::SuppressionMutation,
    role::RoleMutation,
);

#[derive(Default, MergedObject)]
struct Directory(organisation::OrganisationMutation, succession::SuccessionMutation);

#[derive(Default, MergedObject)]
struct Account(profile::ProfileMutation, data_export::DataExportMutation, erasure::ErasureMutation);

#[derive(Default, MergedObject)]
struct Access(
    session::SessionMutation,
    second_factor::SecondFactorMutation,
    identity::IdentityMutation,
    access_token::AccessTokenMutation,
    service_account::ServiceAccountMutation,
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
