//! The rules of the community, which everybody reads and accepts before they take part.

use askama::Template;
use poem::{Request, Response, handler, http::StatusCode, web::Data};

use super::{
    forms::Form,
    page::{Site, see_other, show},
    session::{Visitor, viewer_from_cookie},
};
use crate::{
    actions::{access::Viewer, once, standing},
    app::App,
    domain::{
        guard::Acknowledged,
        text::{RichText, Written},
    },
    error::{Error, Result},
    http::Refusal,
};

/// Characters of either text that are shown: far more than anybody reads.
const TEXT_MAX: usize = 100_000;

#[derive(Template)]
#[template(path = "pages/rules.html")]
struct RulesPage {
    site: Site,
    version: String,
    /// Both are HTML, sanitised.
    community: String,
    freedom_of_information: String,
    /// Whether whoever looks has to accept them.
    to_accept: bool,
    problem: Option<String>,
}

/// `GET /rules`: for everybody.
#[handler]
pub(super) async fn read(app: Data<&App>, request: &Request) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let mut response = page(&app, StatusCode::OK, visitor.viewer.as_ref(), None)?;
    visitor.keep(&app, &mut response);
    Ok(response)
}

/// `POST /rules`
#[handler]
pub(super) async fn accept(app: Data<&App>, request: &Request, form: Form) -> Result<Response, Refusal> {
    let Some(viewer) = viewer_from_cookie(&app, request).await? else { return Ok(see_other("/sign-in")) };
    let once = once::Request { mutation: "acceptRules", client_mutation_id: None, content: String::new() };
    match standing::accept_rules(&app, &viewer, form.text("version"), &once).await {
        Ok(_) => Ok(see_other("/")),
        // They changed while they were read.
        Err(error @ Error::Refused(_)) => {
            let problem = Some(error.public_message());
            page(&app, StatusCode::UNPROCESSABLE_ENTITY, Some(&viewer), problem)
        }
        Err(error) => Err(error.into()),
    }
}

fn page(
    app: &App,
    status: StatusCode,
    viewer: Option<&Viewer>,
    problem: Option<String>,
) -> Result<Response, Refusal> {
    let rules = &app.config.rules;
    let page = RulesPage {
        site: Site::of(app),
        version: rules.version.clone(),
        community: html(&rules.community)?,
        freedom_of_information: html(&rules.freedom_of_information)?,
        to_accept: viewer.is_some_and(|viewer| !viewer.standing.has_accepted(&rules.version)),
        problem,
    };
    show(status, &page)
}

/// The team's own words: the guard has nothing to say to them.
fn html(markdown: &str) -> Result<String> {
    let text = RichText::parse("rules", Written::new(markdown, Acknowledged::All), TEXT_MAX);
    text.map(|text| text.html).map_err(|problem| Error::Fault(problem.message))
}
