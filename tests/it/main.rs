//! The service from outside: real HTTP, on both stores.

mod app;
mod community;
mod crash;
mod digest;
mod mail;
mod process;
