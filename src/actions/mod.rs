//! What members can do: one noun a file, each action a short story of authorise, load, change,
//! commit. The only writers.

pub mod access;
pub mod access_token;
pub mod activity;
pub mod adoption;
pub mod answer;
pub mod attachment;
pub mod audit;
pub mod bookmark;
pub mod case_study;
pub mod comment;
pub mod contribution;
pub mod data_export;
pub mod digest;
pub mod erasure;
pub mod feed;
pub mod follow;
pub mod identity;
pub mod invitation;
pub mod legal_hold;
pub mod mailbox;
pub mod member;
pub mod mention;
pub mod moderation;
pub mod notification;
pub mod once;
pub mod organisation;
pub mod page;
pub mod peer;
pub mod photo;
pub mod pin;
pub mod post;
pub mod profile;
pub mod reaction;
pub mod read_mark;
pub mod removal;
pub mod report;
pub mod revision;
pub mod role;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod sign_in;
pub mod single_sign_on;
pub mod standing;
pub mod succession;
pub mod tag;
pub mod topic;

use std::time::Duration;

/// How often an action that lost a race is tried again. Each round somebody else has won one, so
/// that this many rounds are lost only where something is wrong.
const ROUNDS: usize = 50;

/// Lets others go first, a little longer each round.
async fn pause(round: usize) {
    tokio::time::sleep(Duration::from_millis(round.min(10) as u64)).await;
}

/// What to say when every round was lost.
fn lost_every_round() -> crate::error::Error {
    crate::error::StoreError::Unavailable("too many others are changing the same thing".to_owned()).into()
}
