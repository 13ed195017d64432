//! The service from outside: real HTTP, on both stores.

mod adoptions;
mod app;
mod architecture;
mod attachments;
mod attention;
mod audit;
mod auth;
mod bookmarks;
mod case_studies;
mod case_study_lists;
mod commands;
mod comments;
mod community;
mod crash;
mod demo;
mod digest;
mod events;
mod follows;
mod graphql;
mod guard;
mod jobs;
mod live;
mod log;
mod mail;
mod moderation;
mod notification_mail;
mod notifications;
mod outage;
mod permissions;
mod posts;
mod process;
#[path = "../store/process.rs"]
#[expect(dead_code, reason = "the stores' own tests use the rest of it")]
mod processes;
mod tags;
mod taking_part;
mod unread;
mod unsubscribe;
mod visibility;
