//! The service from outside: real HTTP, on both stores.

mod app;
mod architecture;
mod auth;
mod commands;
mod comments;
mod community;
mod crash;
mod digest;
mod graphql;
mod jobs;
mod mail;
mod posts;
mod process;
mod unsubscribe;
