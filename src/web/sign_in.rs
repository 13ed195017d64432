//! Signing in, for people: an address, then the code or the link from the mail.
//!
//! Mail scanners open every link and may send every form they find. So a GET changes nothing, the
//! link's button works only in the browser that asked, and elsewhere the page wants the code; one
//! that can't be ours is refused before a try is spent on it.

use askama::Template;
use chrono::TimeDelta;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::{
    cookies::Cookie,
    forms::Form,
    page::{Site, mail_is_shown, see_other, show},
    session::keep,
    sign_in_factor,
    single_sign_on::{self, Button},
};
use crate::{
    actions::{
        session::Tokens,
        sign_in::{self, Answering, Asking, Verified},
    },
    app::App,
    domain::sign_in::SignIn,
    error::{Code, Error, Result},
    http::{Refusal, caller},
    tokens,
};

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
struct AskPage {
    site: Site,
    email: String,
    problem: Option<String>,
    domains: Vec<String>,
    /// Addresses at these can ask to join.
    approval_domains: Vec<String>,
    providers: Vec<Button>,
}

#[derive(Template)]
#[template(path = "pages/sign_in_code.html")]
pub(super) struct CodePage {
    site: Site,
    /// Where the form goes.
    action: String,
    email: Email,
    /// What is wrong with the field `email`, and with the field `code`.
    email_problem: Option<String>,
    code_problem: Option<String>,
    minutes: i64,
    /// Whether mails are files that can be looked at here.
    mail_is_shown: bool,
}

/// What the page knows of the address.
pub(super) enum Email {
    /// It has to be typed, and may have been.
    Typed(String),
    /// The page before asked for it.
    Known(String),
    /// The link tells; it is not shown to whoever has no more than the link.
    OfLink,
    /// The same of the link of an invitation.
    OfInvitation,
}

#[derive(Template)]
#[template(path = "pages/sign_in_link.html")]
struct LinkPage {
    site: Site,
    action: String,
}

#[derive(Template)]
#[template(path = "pages/sign_in_over.html")]
struct OverPage {
    site: Site,
}

/// `GET /sign-in`
#[handler]
pub(super) fn ask(app: Data<&App>) -> Result<Response, Refusal> {
    ask_page(&app, StatusCode::OK, String::new(), None)
}

fn ask_page(
    app: &App,
    status: StatusCode,
    email: String,
    problem: Option<String>,
) -> Result<Response, Refusal> {
    let settings = &app.config.sign_in;
    let (domains, approval_domains) = (settings.automatic_domains.clone(), settings.approval_domains.clone());
    let providers = single_sign_on::buttons(app);
    show(status, &AskPage { site: Site::of(app), email, problem, domains, approval_domains, providers })
}

/// `POST /sign-in`: the same page for every address.
#[handler]
pub(super) async fn send(app: Data<&App>, request: &Request, form: Form) -> Result<Response, Refusal> {
    let email = form.text("email").to_owned();
    let asking = Asking::from(&app, &caller(&app, request))?;
    let sign_in = match sign_in::request(&app, &email, &asking).await {
        Ok(sign_in) => sign_in,
        Err(error @ Error::Refused(_)) => {
            return ask_page(&app, StatusCode::UNPROCESSABLE_ENTITY, email, Some(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = CodePage::new(&app, Email::Known(email)).show(StatusCode::OK)?;
    let kept = TimeDelta::minutes(app.config.sign_in.code_minutes);
    Cookie::SignIn.set(&app, &mut response, &tokens::sign_in::browser(&app, &sign_in), kept);
    Ok(response)
}

impl CodePage {
    pub(super) fn new(app: &App, email: Email) -> Self {
        Self {
            site: Site::of(app),
            action: "/sign-in/code".to_owned(),
            email,
            email_problem: None,
            code_problem: None,
            minutes: app.config.sign_in.code_minutes,
            mail_is_shown: mail_is_shown(app),
        }
    }

    pub(super) fn at(self, action: String) -> Self {
        Self { action, ..self }
    }

    pub(super) fn show(&self, status: StatusCode) -> Result<Response, Refusal> {
        show(status, self)
    }

    /// The page again, with what is wrong. Other errors pass.
    pub(super) fn with(mut self, error: Error) -> Result<Response, Refusal> {
        let sentence = error.public_message();
        match error {
            Error::Refused(problems) if problems.iter().any(|problem| problem.field == ["email"]) => {
                self.email_problem = Some(sentence);
            }
            Error::Refused(_) | Error::Coded(Code::WrongCode, _) => self.code_problem = Some(sentence),
            error => return Err(error.into()),
        }
        self.show(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// `GET /sign-in/code`: for whoever has a code and lost the page.
#[handler]
pub(super) fn enter(app: Data<&App>) -> Result<Response, Refusal> {
    CodePage::new(&app, Email::Typed(String::new())).show(StatusCode::OK)
}

/// `POST /sign-in/code`
#[handler]
pub(super) async fn check(app: Data<&App>, request: &Request, form: Form) -> Result<Response, Refusal> {
    let email = form.text("email").to_owned();
    match verify(&app, request, &email, form.text("code")).await {
        Ok(verified) => Ok(go_on(&app, &verified)),
        Err(error) => {
            let known = form.text("known") == "yes" && !email.is_empty();
            let email = if known { Email::Known(email) } else { Email::Typed(email) };
            CodePage::new(&app, email).with(error)
        }
    }
}

pub(super) async fn verify(app: &App, request: &Request, email: &str, code: &str) -> Result<Verified> {
    if tokens::sign_in::tidy(code).is_none() {
        let sentence = "Enter the code from the e-mail: 8 letters and digits.";
        return Err(Error::refused("code", Code::Invalid, sentence));
    }
    sign_in::verify(app, email, code, &Answering::from(app, caller(app, request))?).await
}

/// `GET /sign-in/{token}`: a button where the browser asked, and a field for the code elsewhere.
#[handler]
pub(super) async fn open_link(
    app: Data<&App>,
    request: &Request,
    token: Path<String>,
) -> Result<Response, Refusal> {
    match sign_in::by_link(&app, &token).await {
        Ok(sign_in) if asked_here(&app, request, &sign_in) => {
            show(StatusCode::OK, &LinkPage { site: Site::of(&app), action: link_path(&app, &sign_in) })
        }
        Ok(sign_in) => link_code_page(&app, &sign_in).show(StatusCode::OK),
        Err(error) => over(&app, error),
    }
}

/// `POST /sign-in/{token}`
#[handler]
pub(super) async fn use_link(
    app: Data<&App>,
    request: &Request,
    token: Path<String>,
    form: Form,
) -> Result<Response, Refusal> {
    let sign_in = match sign_in::by_link(&app, &token).await {
        Ok(sign_in) => sign_in,
        Err(error) => return over(&app, error),
    };
    if asked_here(&app, request, &sign_in) {
        let browser = Cookie::SignIn.read(&app, request).unwrap_or_default();
        let from = Answering::from(&app, caller(&app, request))?;
        return match sign_in::verify_link(&app, &token, browser, &from).await {
            Ok(verified) => Ok(go_on(&app, &verified)),
            Err(error) => over(&app, error),
        };
    }
    match verify(&app, request, sign_in.email.as_str(), form.text("code")).await {
        Ok(verified) => Ok(go_on(&app, &verified)),
        Err(error) => link_code_page(&app, &sign_in).with(error),
    }
}

fn asked_here(app: &App, request: &Request, sign_in: &SignIn) -> bool {
    let cookie = Cookie::SignIn.read(app, request);
    cookie.and_then(|cookie| tokens::sign_in::read_browser(app, cookie)).as_ref() == Some(&sign_in.id)
}

fn link_path(app: &App, sign_in: &SignIn) -> String {
    format!("/sign-in/{}", tokens::sign_in::link(app, &sign_in.id))
}

fn link_code_page(app: &App, sign_in: &SignIn) -> CodePage {
    CodePage::new(app, Email::OfLink).at(link_path(app, sign_in))
}

/// A link that does not work (any more), and what to do.
fn over(app: &App, error: Error) -> Result<Response, Refusal> {
    if error.code() != Code::WrongCode {
        return Err(error.into());
    }
    show(StatusCode::NOT_FOUND, &OverPage { site: Site::of(app) })
}

/// Signed in, or on to the second factor.
pub(super) fn go_on(app: &App, verified: &Verified) -> Response {
    match verified {
        Verified::SignedIn(tokens) => signed_in(app, tokens, "/"),
        Verified::Asked(asked) => sign_in_factor::go_on(app, asked),
    }
}

pub(super) fn signed_in(app: &App, tokens: &Tokens, next: &str) -> Response {
    let mut response = see_other(next);
    keep(app, &mut response, tokens);
    Cookie::SignIn.clear(app, &mut response);
    response
}
