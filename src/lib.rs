//! The HOPE exchange: where heads of patient experience across the NHS help each other.
//!
//! Data goes one way. Reads go surface → action or loader → `store.find`. Writes go surface → one
//! action → one `commit`. Everything slow or fallible (mail) happens after the commit, from the
//! outbox of jobs.
//!
//! The modules stand in import order: each uses only those below it.

pub mod demo;
pub mod schema;
pub mod server;

pub mod graphql;
pub mod rest;
pub mod web;

pub mod http;

pub mod jobs;

pub mod actions;

pub mod tokens;

pub mod app;

pub mod progress;

pub mod blobs;
pub mod keys;
pub mod limits;
pub mod live;
pub mod mail;
pub mod single_sign_on;

pub mod config;
pub mod domain;
pub mod error;
pub mod store;

pub mod clock;
pub mod ids;
pub mod network;
pub mod query;
