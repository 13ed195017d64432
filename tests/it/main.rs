//! The service from outside: real HTTP, on both stores.

mod app;
mod auth;
