//! Stopping e-mails from the link that is in each of them: the digest, or notifications of one kind.
//!
//! Mail programs and scanners fetch links, so a GET only shows a page with a button. The POST needs
//! no cookie and no sign-in: the button sends it, and mail programs send it themselves with
//! `List-Unsubscribe=One-Click` (RFC 8058). What the body holds makes no difference.

use askama::Template;
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::page::{Site, show};
use crate::{
    actions::digest::unsubscribe::{self as digest, Subscription},
    app::App,
    error::{Code, Error, Result},
    http::Refusal,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Ask,
    Stopped,
    Restarted,
    Unknown,
}

#[derive(Template)]
#[template(path = "pages/unsubscribe.html")]
struct Unsubscribe {
    site: Site,
    title: String,
    step: Step,
    /// "The weekly e-mail", in the middle of a sentence.
    what: String,
    /// What there will be no more of.
    no_more: String,
    /// Where the button posts to.
    action: String,
}

/// `GET /unsubscribe/{token}`: changes nothing.
#[handler]
pub fn ask(Path(token): Path<String>, Data(app): Data<&App>) -> Result<Response, Refusal> {
    answer(app, &token, Step::Ask, digest::bearer(app, &token).map(drop))
}

/// `POST /unsubscribe/{token}`
#[handler]
pub async fn stop(Path(token): Path<String>, Data(app): Data<&App>) -> Result<Response, Refusal> {
    answer(app, &token, Step::Stopped, digest::unsubscribe(app, &token).await)
}

/// `POST /unsubscribe/{token}/undo`
#[handler]
pub async fn undo(Path(token): Path<String>, Data(app): Data<&App>) -> Result<Response, Refusal> {
    answer(app, &token, Step::Restarted, digest::resubscribe(app, &token).await)
}

fn answer(app: &App, token: &str, step: Step, done: Result<()>) -> Result<Response, Refusal> {
    let (status, step) = match done {
        Ok(()) => (StatusCode::OK, step),
        Err(Error::Coded(Code::NotFound, _)) => (StatusCode::NOT_FOUND, Step::Unknown),
        Err(error) => return Err(Refusal(error)),
    };
    let (what, no_more) = match digest::bearer(app, token) {
        Ok((_, Subscription::Notifications(kind))) => {
            let what = format!("e-mails about {}", kind.about());
            (what.clone(), what)
        }
        Ok((_, Subscription::Digest)) | Err(_) => {
            ("the weekly e-mail".to_owned(), "weekly e-mails".to_owned())
        }
    };
    let (title, action) = match step {
        Step::Ask => (format!("Stop {what}"), format!("/unsubscribe/{token}")),
        Step::Stopped => (format!("You will get no more {no_more}"), format!("/unsubscribe/{token}/undo")),
        Step::Restarted => (format!("You will get {what} again"), String::new()),
        Step::Unknown => ("This link does not work".to_owned(), String::new()),
    };
    show(status, &Unsubscribe { site: Site::of(app), title, step, what, no_more, action })
}
