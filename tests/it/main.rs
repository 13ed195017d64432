//! The service from outside: real HTTP, on both stores.

mod adoptions;
mod app;
mod architecture;
mod attachments;
mod auth;
mod case_studies;
mod case_study_lists;
mod commands;
mod comments;
mod community;
mod crash;
mod digest;
mod graphql;
mod guard;
mod jobs;
mod log;
mod mail;
mod outage;
mod posts;
mod process;
#[path = "../store/process.rs"]
#[expect(dead_code, reason = "the stores' own tests use the rest of it")]
mod processes;
mod taking_part;
mod unsubscribe;
