//! The service from outside: real HTTP, on both stores.

mod app;
mod architecture;
mod comments;
mod graphql;
mod posts;
