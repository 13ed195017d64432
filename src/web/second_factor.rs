//! What a member shows beside the code from their e-mail: to look at, add to, show and take away.
//!
//! Whatever changes something first wants a factor shown, unless there is none yet; so the page asks for that
//! before it offers anything else.

use askama::Template;
use chrono::TimeDelta;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path},
};
use qrcode::{QrCode, render::svg};

use super::{
    cookies::Cookie,
    forms::Form,
    page::{Site, see_other, show, show_scripted},
    session::Visitor,
    sessions::words,
};
use crate::{
    actions::{
        access::Viewer,
        once,
        second_factor::{self as action, Added, Answer, Wish},
    },
    app::App,
    domain::{
        factor_challenge::FactorChallenge,
        guard::Acknowledged,
        member::Role,
        second_factor::{FRESH_MINUTES, Factor, FactorKind, SecondFactors},
    },
    error::{Code, Error, Result, not_found, unauthenticated},
    http::Refusal,
    ids::Id,
    tokens::{access, passkey},
};

/// Where the page is.
const HOME: &str = "/second-factor";

#[derive(Template)]
#[template(path = "pages/second_factor.html")]
struct FactorsPage {
    site: Site,
    /// None: nobody is signed in here.
    factors: Option<Vec<Row>>,
    codes_left: usize,
    /// Moderators and administrators have to.
    needed: bool,
    /// Whether one has to be shown before anything is changed.
    locked: bool,
    minutes: i64,
    passkeys_work: bool,
    /// Whether there is one to show.
    has_passkey: bool,
    /// What a browser is asked to show a passkey, and the challenge that it is of.
    public_key: Option<String>,
    challenge: String,
    code_problem: Option<String>,
}

struct Row {
    kind: &'static str,
    name: String,
    /// "2 March 2026 at 09:00", in London.
    added: String,
    used: Option<String>,
    /// Where the button posts to.
    action: String,
}

#[derive(Template)]
#[template(path = "pages/second_factor_app.html")]
struct AppPage {
    site: Site,
    challenge: String,
    secret: String,
    uri: String,
    /// The same as a square of dots.
    square: String,
    name: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/second_factor_passkey.html")]
struct PasskeyPage {
    site: Site,
    challenge: String,
    public_key: String,
    name: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/second_factor_codes.html")]
struct CodesPage {
    site: Site,
    codes: Vec<String>,
}

impl From<Factor> for Row {
    fn from(factor: Factor) -> Self {
        Self {
            kind: factor.kind().words(),
            added: words(factor.created_at),
            used: factor.last_used_at.map(words),
            action: format!("{HOME}/{}/remove", factor.id),
            name: factor.name,
        }
    }
}

fn unnamed(mutation: &'static str) -> once::Request {
    once::Request::unnamed(mutation)
}

/// `GET /second-factor`: writes nothing.
#[handler]
pub(super) async fn list(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    overview(&app, &visitor, StatusCode::OK, Asked::Nothing).await
}

/// `POST /second-factor/show/new`: the same page, with a question for a passkey. It is written down, so that it
/// is answered once.
#[handler]
pub(super) async fn ask(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let challenge = action::start_showing(&app, viewer(&visitor)?, &unnamed("startSecondFactor")).await;
    match challenge {
        Ok(challenge) => overview(&app, &visitor, StatusCode::OK, Asked::Passkey(Box::new(challenge))).await,
        Err(error) => not_now(&app, &visitor, error).await,
    }
}

/// What the page asks for, beside what it shows.
enum Asked {
    Nothing,
    Passkey(Box<FactorChallenge>),
    /// A code once more, for the last one had this problem.
    Again(String),
}

async fn overview(
    app: &App,
    visitor: &Visitor,
    status: StatusCode,
    asked: Asked,
) -> Result<Response, Refusal> {
    let (challenge, code_problem) = match asked {
        Asked::Nothing => (None, None),
        Asked::Passkey(challenge) => (Some(*challenge), None),
        Asked::Again(problem) => (None, Some(problem)),
    };
    let mut page = FactorsPage {
        site: Site::of(app),
        factors: None,
        codes_left: 0,
        needed: false,
        locked: false,
        minutes: FRESH_MINUTES,
        passkeys_work: passkey::work_here(app),
        has_passkey: false,
        public_key: None,
        challenge: String::new(),
        code_problem,
    };
    if let Some(viewer) = &visitor.viewer {
        page.needed = app.config.second_factor.required && viewer.role >= Role::Moderator;
        let known = action::of(app, viewer).await?;
        page.locked = known.is_some() && !is_fresh(app, viewer);
        if let Some(known) = known {
            page.has_passkey = known.has(FactorKind::Passkey);
            if let Some(challenge) = challenge.filter(|_| page.locked) {
                page.challenge = challenge.id.to_string();
                page.public_key = challenge.ceremony.map(|ceremony| ceremony.options);
            }
            page.fill(known);
        } else {
            page.factors = Some(Vec::new());
        }
    }
    let mut response = show_scripted(status, &page)?;
    visitor.keep(app, &mut response);
    Ok(response)
}

impl FactorsPage {
    fn fill(&mut self, known: SecondFactors) {
        self.codes_left = known.recovery_codes.len();
        self.factors = Some(known.factors.into_iter().map(Row::from).collect());
    }
}

/// Whether the session showed a factor so lately that it may change them.
fn is_fresh(app: &App, viewer: &Viewer) -> bool {
    let shown = viewer.signed_in().and_then(|signed_in| signed_in.factor_at);
    shown.is_some_and(|at| app.clock.now().since(at) < TimeDelta::minutes(FRESH_MINUTES))
}

/// `POST /second-factor/show`
#[handler]
pub(super) async fn prove(app: Data<&App>, request: &Request, form: Form) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let viewer = viewer(&visitor)?;
    let (code, credential) = (form.text("code"), form.text("credential"));
    let request = unnamed("showSecondFactor");
    let shown = if credential.is_empty() {
        action::show(&app, viewer, None, Answer::Code(code), &request).await
    } else {
        let challenge = challenge(&form)?;
        action::show(&app, viewer, Some(&challenge), Answer::Passkey(credential), &request).await
    };
    match shown {
        Ok(access) => back(&app, &visitor, &access),
        Err(error) => {
            let problem = said(error)?;
            overview(&app, &visitor, StatusCode::UNPROCESSABLE_ENTITY, Asked::Again(problem)).await
        }
    }
}

/// `POST /second-factor/app/new`
#[handler]
pub(super) async fn new_app(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let viewer = viewer(&visitor)?;
    match action::start_totp(&app, viewer, &unnamed("startTotp")).await {
        Ok(challenge) => app_page(&app, &visitor, &challenge.id, String::new(), None).await,
        Err(error) => not_now(&app, &visitor, error).await,
    }
}

async fn app_page(
    app: &App,
    visitor: &Visitor,
    challenge: &Id<FactorChallenge>,
    name: String,
    problem: Option<String>,
) -> Result<Response, Refusal> {
    let told = action::enrolment(app, viewer(visitor)?, challenge).await?;
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let square = square(&told.uri)?;
    let site = Site::of(app);
    let (challenge, secret, uri) = (challenge.to_string(), told.secret, told.uri);
    let mut response = show(status, &AppPage { site, challenge, secret, uri, square, name, problem })?;
    visitor.keep(app, &mut response);
    Ok(response)
}

/// A QR code, as a picture that is part of the page.
fn square(text: &str) -> Result<String> {
    let code = QrCode::new(text).map_err(|error| Error::Fault(format!("no QR code: {error}")))?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // Within a page there is no XML declaration, and people who can't see it hear what it is.
    let start = picture.find("<svg").unwrap_or_default();
    Ok(picture[start..].replacen("<svg", "<svg role=\"img\" aria-label=\"QR code for your app\"", 1))
}

/// `POST /second-factor/app`
#[handler]
pub(super) async fn add_app(app: Data<&App>, request: &Request, form: Form) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let wish = wish(&form)?;
    let (viewer, code) = (viewer(&visitor)?, form.text("code"));
    match action::add_totp(&app, viewer, &wish, code, &unnamed("addTotp")).await {
        Ok(added) => done(&app, &visitor, added),
        Err(error @ Error::Refused(_)) => {
            app_page(&app, &visitor, &wish.challenge, wish.name, Some(error.to_string())).await
        }
        Err(error) => not_now(&app, &visitor, error).await,
    }
}

/// `POST /second-factor/passkey/new`
#[handler]
pub(super) async fn new_passkey(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    ask_for_passkey(&app, &visitor, String::new(), None).await
}

/// A new challenge each time: one that was answered wrongly is not asked again.
async fn ask_for_passkey(
    app: &App,
    visitor: &Visitor,
    name: String,
    problem: Option<String>,
) -> Result<Response, Refusal> {
    let started = action::start_passkey(app, viewer(visitor)?, &unnamed("startPasskey")).await;
    let challenge = match started {
        Ok(challenge) => challenge,
        Err(error) => return not_now(app, visitor, error).await,
    };
    let public_key = challenge.ceremony.map(|ceremony| ceremony.options).unwrap_or_default();
    let (site, challenge) = (Site::of(app), challenge.id.to_string());
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = PasskeyPage { site, challenge, public_key, name, problem };
    let mut response = show_scripted(status, &page)?;
    visitor.keep(app, &mut response);
    Ok(response)
}

/// `POST /second-factor/passkey`
#[handler]
pub(super) async fn add_passkey(app: Data<&App>, request: &Request, form: Form) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let wish = wish(&form)?;
    let (viewer, answer) = (viewer(&visitor)?, form.text("credential"));
    match action::add_passkey(&app, viewer, &wish, answer, &unnamed("addPasskey")).await {
        Ok(added) => done(&app, &visitor, added),
        Err(error @ Error::Refused(_)) => {
            ask_for_passkey(&app, &visitor, wish.name, Some(error.to_string())).await
        }
        Err(error) => not_now(&app, &visitor, error).await,
    }
}

/// `POST /second-factor/codes`
#[handler]
pub(super) async fn renew_codes(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    match action::renew_codes(&app, viewer(&visitor)?, &unnamed("renewRecoveryCodes")).await {
        Ok(added) => done(&app, &visitor, added),
        Err(error) => not_now(&app, &visitor, error).await,
    }
}

/// `POST /second-factor/{id}/remove`
#[handler]
pub(super) async fn remove(
    app: Data<&App>,
    request: &Request,
    id: Path<String>,
) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let id = Id::parse(&id).ok_or_else(|| not_found("second factor"))?;
    match action::remove(&app, viewer(&visitor)?, &id, &unnamed("removeSecondFactor")).await {
        // The button was pressed twice.
        Err(error) if error.code() != Code::NotFound => not_now(&app, &visitor, error).await,
        _ => {
            let mut response = see_other(HOME);
            visitor.keep(&app, &mut response);
            Ok(response)
        }
    }
}

fn viewer(visitor: &Visitor) -> Result<&Viewer> {
    visitor.viewer.as_ref().ok_or_else(unauthenticated)
}

fn challenge(form: &Form) -> Result<Id<FactorChallenge>> {
    Id::parse(form.text("challenge")).ok_or_else(|| not_found("challenge any more"))
}

fn wish(form: &Form) -> Result<Wish> {
    let name = form.text("name").to_owned();
    Ok(Wish { challenge: challenge(form)?, name, acknowledged: Acknowledged::Nothing })
}

/// What was wrong with what was typed or shown. Other errors pass.
fn said(error: Error) -> Result<String> {
    match error {
        Error::Refused(_) | Error::Coded(Code::WrongCode, _) => Ok(error.public_message()),
        error => Err(error),
    }
}

/// The page again, where something has to be done first. Other errors pass.
async fn not_now(app: &App, visitor: &Visitor, error: Error) -> Result<Response, Refusal> {
    match error.code() {
        Code::SecondFactorRequired | Code::TooMany | Code::WrongState => {
            overview(app, visitor, StatusCode::CONFLICT, Asked::Again(error.public_message())).await
        }
        _ => Err(error.into()),
    }
}

/// The new recovery codes or, where there are none, the page.
fn done(app: &App, visitor: &Visitor, added: Added) -> Result<Response, Refusal> {
    let Some(codes) = added.recovery_codes else { return back(app, visitor, &added.access) };
    let mut response = show(StatusCode::OK, &CodesPage { site: Site::of(app), codes })?;
    visitor.keep(app, &mut response);
    keep_access(app, &mut response, &added.access);
    Ok(response)
}

fn back(app: &App, visitor: &Visitor, access: &str) -> Result<Response, Refusal> {
    let mut response = see_other(HOME);
    visitor.keep(app, &mut response);
    keep_access(app, &mut response, access);
    Ok(response)
}

fn keep_access(app: &App, response: &mut Response, token: &str) {
    Cookie::Access.set(app, response, token, TimeDelta::seconds(access::SECONDS));
}
