//! Stopping e-mails from the link that is in each of them, or getting them less often: the digest, or
//! notifications of one kind.
//!
//! Mail programs and scanners fetch links, so a GET only shows a page with buttons. The POST needs
//! no cookie and no sign-in: the button sends it, and mail programs send it themselves with
//! `List-Unsubscribe=One-Click` (RFC 8058). What the body holds makes no difference.

use askama::Template;
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::{
    forms::Form,
    page::{Site, show},
};
use crate::{
    actions::digest::unsubscribe::{self as action, Held},
    app::App,
    clock::Timestamp,
    domain::member::{DigestFrequency, DigestPreferences},
    error::{Code, Error, Result},
    http::Refusal,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Ask,
    Stopped,
    Chosen,
}

#[derive(Template)]
#[template(path = "pages/unsubscribe.html")]
struct Unsubscribe {
    site: Site,
    title: String,
    step: Step,
    /// "the digest", in the middle of a sentence.
    what: String,
    /// "every Tuesday", of the digest.
    how_often: Option<String>,
    /// "7 April 2026", of the digest.
    next: Option<String>,
    /// How often it can come instead.
    choices: Vec<Choice>,
    /// Where the link leads to.
    action: String,
}

struct Choice {
    value: &'static str,
    /// "every other Tuesday"
    words: String,
}

#[derive(Template)]
#[template(path = "pages/unsubscribe_unknown.html")]
struct Unknown {
    site: Site,
}

/// `GET /unsubscribe/{token}`: changes nothing.
#[handler]
pub async fn ask(Path(token): Path<String>, Data(app): Data<&App>) -> Result<Response, Refusal> {
    answer(app, &token, Step::Ask, Ok(())).await
}

/// `POST /unsubscribe/{token}`
#[handler]
pub async fn stop(Path(token): Path<String>, Data(app): Data<&App>) -> Result<Response, Refusal> {
    answer(app, &token, Step::Stopped, action::unsubscribe(app, &token).await).await
}

/// `POST /unsubscribe/{token}/again`: with `frequency`, as often as that.
#[handler]
pub async fn again(
    Path(token): Path<String>,
    Data(app): Data<&App>,
    form: Form,
) -> Result<Response, Refusal> {
    let frequency = match form.text("frequency") {
        "" => None,
        value => Some(OFTEN.into_iter().find(|(_, name)| *name == value).ok_or_else(unknown)?.0),
    };
    answer(app, &token, Step::Chosen, action::resubscribe(app, &token, frequency).await).await
}

/// How often a digest can come, the most often first, and what forms call it.
const OFTEN: [(DigestFrequency, &str); 3] = [
    (DigestFrequency::Weekly, "weekly"),
    (DigestFrequency::Fortnightly, "fortnightly"),
    (DigestFrequency::Monthly, "monthly"),
];

fn unknown() -> Error {
    Error::Coded(Code::BadRequest, "A digest comes weekly, fortnightly or monthly.".to_owned())
}

async fn answer(app: &App, token: &str, step: Step, done: Result<()>) -> Result<Response, Refusal> {
    let held = match done {
        Ok(()) => action::held(app, token).await,
        Err(error) => Err(error),
    };
    let site = Site::of(app);
    match held {
        Ok(held) => show(StatusCode::OK, &Unsubscribe::of(site, held, step, format!("/unsubscribe/{token}"))),
        Err(Error::Coded(Code::NotFound, _)) => show(StatusCode::NOT_FOUND, &Unknown { site }),
        Err(error) => Err(Refusal(error)),
    }
}

impl Unsubscribe {
    fn of(site: Site, held: Held, step: Step, action: String) -> Self {
        let (what, preferences, next) = match held {
            Held::Digest(preferences, next) => ("the digest".to_owned(), Some(preferences), next),
            Held::Notifications(kind) => (format!("e-mails about {}", kind.about()), None, None),
        };
        // Whoever opens the link of an old mail may have stopped it long ago.
        let off = |preferences: &DigestPreferences| preferences.frequency == DigestFrequency::Off;
        let step = if preferences.as_ref().is_some_and(off) { Step::Stopped } else { step };
        let how_often = preferences.as_ref().map(DigestPreferences::how_often);
        let title = match (step, &how_often) {
            (Step::Ask, _) => format!("Stop {what}"),
            (Step::Stopped, _) => format!("{}{} stopped", what[..1].to_uppercase(), &what[1..]),
            (Step::Chosen, Some(how_often)) => format!("You get {what} {how_often}"),
            (Step::Chosen, None) => format!("You get {what} again"),
        };
        let choices = preferences.map(|preferences| choices(&preferences)).unwrap_or_default();
        let next = next.map(Timestamp::date_in_words);
        Self { site, title, step, what, how_often, next, choices, action }
    }
}

/// What is less often than now; everything, for whom it is off.
fn choices(now: &DigestPreferences) -> Vec<Choice> {
    let present = OFTEN.iter().position(|(frequency, _)| *frequency == now.frequency);
    let choices = OFTEN.into_iter().skip(present.map_or(0, |present| present + 1));
    let choice = |(frequency, value)| {
        let words = DigestPreferences { frequency, ..now.clone() }.how_often();
        Choice { value, words }
    };
    choices.map(choice).collect()
}
