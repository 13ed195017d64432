//! The second step of signing in, for people who have a second factor. What they go on with is a cookie: so it
//! works only in the browser that came with the code or the link from the e-mail.

use askama::Template;
use chrono::TimeDelta;
use poem::{Request, Response, handler, http::StatusCode, web::Data};

use super::{
    cookies::Cookie,
    forms::Form,
    page::{Site, see_other, show, show_scripted},
    session::keep,
};
use crate::{
    actions::{
        second_factor::{self as action, Answer, Asked, Method},
        session::Tokens,
        sign_in::Answering,
    },
    app::App,
    error::{Code, Error, Result},
    http::{Refusal, caller},
};

#[derive(Template)]
#[template(path = "pages/sign_in_factor.html")]
struct FactorPage {
    site: Site,
    /// What the browser is asked for a passkey.
    public_key: Option<String>,
    /// Whether there are codes to type.
    has_codes: bool,
    code_problem: Option<String>,
    passkey_problem: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/sign_in_over.html")]
struct OverPage {
    site: Site,
}

/// To the page that asks for a second factor, after the code or the link was right.
pub(super) fn go_on(app: &App, asked: &Asked) -> Response {
    let mut response = see_other("/sign-in/second-factor");
    Cookie::Challenge.set(app, &mut response, &asked.challenge, TimeDelta::seconds(asked.expires_in));
    Cookie::SignIn.clear(app, &mut response);
    response
}

/// `GET /sign-in/second-factor`
#[handler]
pub(super) async fn ask(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let asked = action::asked(&app, challenge(&app, request)).await;
    page(&app, StatusCode::OK, asked, None, None)
}

/// `POST /sign-in/second-factor`
#[handler]
pub(super) async fn check(app: Data<&App>, request: &Request, form: Form) -> Result<Response, Refusal> {
    let token = challenge(&app, request);
    let from = Answering::from(&app, caller(&app, request))?;
    let (code, credential) = (form.text("code"), form.text("credential"));
    let outcome = match (code, credential) {
        ("", "") => Err(Error::refused("code", Code::Required, "Enter a code.")),
        (code, "") => action::answer(&app, token, Answer::Code(code), &from).await,
        (_, credential) => action::answer(&app, token, Answer::Passkey(credential), &from).await,
    };
    let problem = match outcome {
        Ok(tokens) => return Ok(signed_in(&app, &tokens)),
        Err(error @ (Error::Refused(_) | Error::Coded(Code::WrongCode, _))) => error.public_message(),
        Err(error) => return Err(error.into()),
    };
    let asked = action::asked(&app, token).await;
    let (code_problem, passkey_problem) =
        if credential.is_empty() { (Some(problem), None) } else { (None, Some(problem)) };
    page(&app, StatusCode::UNPROCESSABLE_ENTITY, asked, code_problem, passkey_problem)
}

fn challenge<'a>(app: &App, request: &'a Request) -> &'a str {
    Cookie::Challenge.read(app, request).unwrap_or_default()
}

fn page(
    app: &App,
    status: StatusCode,
    asked: Result<Asked>,
    code_problem: Option<String>,
    passkey_problem: Option<String>,
) -> Result<Response, Refusal> {
    let site = Site::of(app);
    match asked {
        Ok(asked) => {
            let has_codes = asked.methods.iter().any(|method| *method != Method::Passkey);
            let public_key = asked.public_key;
            show_scripted(status, &FactorPage { site, public_key, has_codes, code_problem, passkey_problem })
        }
        Err(error) if error.code() == Code::WrongCode => show(StatusCode::NOT_FOUND, &OverPage { site }),
        Err(error) => Err(error.into()),
    }
}

fn signed_in(app: &App, tokens: &Tokens) -> Response {
    let mut response = see_other("/");
    keep(app, &mut response, tokens);
    Cookie::Challenge.clear(app, &mut response);
    response
}
