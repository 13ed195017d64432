//! Signing in: by code, by link, over REST and on pages; what attackers and scanners get from it.

mod codes;
mod devices;
mod ending;
mod forged;
mod invitations;
mod joining;
mod limits;
mod pages;
mod privacy;
mod problems;
mod processes;
pub mod second_factor;
mod sessions;
pub mod single_sign_on;

use hope_exchange::{
    actions::session,
    domain::{member::Member, session::Session},
    error::Error,
    jobs::{self, sign_in_mail},
    mail::Message,
    query::{Document, Filter, Order, Page},
    store::{Batch, Guard},
};
use serde_json::{Value as Json, json};

use crate::{app::TestApp, on_both_stores};

/// A code that is of the right form and not the right one, but for one time in 10^11.
const WRONG: &str = "ZZZZ9999";

/// Does the jobs that are due, and returns the mails that were sent.
async fn mails(app: &TestApp) -> Vec<Message> {
    jobs::run_due(&app.app).await.unwrap();
    app.take_mail()
}

fn code_in(message: &Message) -> String {
    let line = message.text.lines().find(|line| line.starts_with("    ")).unwrap();
    line.trim().to_owned()
}

fn link_in(message: &Message) -> String {
    let line = message.text.lines().find(|line| line.contains("/sign-in/")).unwrap();
    line.trim().to_owned()
}

/// Asks for a code over REST, and returns the mail.
async fn asked(app: &TestApp, email: &str) -> Message {
    let (status, _) = app.post("/api/v1/auth/sign-in", &json!({ "email": email })).await;
    assert_eq!(status, 202);
    let team = &app.app.config.network.contact;
    mails(app).await.into_iter().rfind(|mail| mail.to.as_str() != team).unwrap()
}

async fn verify(app: &TestApp, email: &str, code: &str) -> (u16, Json) {
    app.post("/api/v1/auth/verify", &json!({ "email": email, "code": code })).await
}

async fn refresh(app: &TestApp, token: &Json) -> (u16, Json) {
    app.post("/api/v1/auth/refresh", &json!({ "refreshToken": token })).await
}

/// Signs in over REST, and returns the tokens.
async fn signed_in(app: &TestApp, email: &str) -> Json {
    let code = code_in(&asked(app, email).await);
    let (status, tokens) = verify(app, email, &code).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

/// Whose access token it is.
async fn holder(app: &TestApp, token: &Json) -> Result<String, Error> {
    let viewer = session::authenticate(&app.app, token.as_str().unwrap()).await?;
    Ok(viewer.email.as_str().to_owned())
}

fn text<'a>(tokens: &'a Json, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("{tokens}"))
}

async fn all<D: Document>(app: &TestApp) -> Vec<D> {
    app.app.store.find(Filter::all(), Order::by_id(), Page::first(100)).await.unwrap()
}

async fn counts(app: &TestApp) -> (usize, usize) {
    (all::<Member>(app).await.len(), all::<Session>(app).await.len())
}

async fn commit(app: &TestApp, batch: Batch) {
    app.app.store.commit(batch).await.unwrap();
}
