//! Where "read it in your browser" in a digest leads: the member whose it is reads it here.

use askama::Template;
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::{
    page::{Site, show},
    session::Visitor,
};
use crate::{
    app::App,
    error::not_found,
    http::Refusal,
    ids::Id,
    jobs::digest::sent::{self, Sent},
    mail::digest::Section,
};

#[derive(Template)]
#[template(path = "pages/digest.html")]
struct DigestPage {
    site: Site,
    /// None: nobody is signed in here.
    digest: Option<Shown>,
}

struct Shown {
    /// "3 March 2026"
    day: String,
    note: Option<String>,
    sections: Vec<Section>,
}

impl Shown {
    fn of(sent: Sent) -> Self {
        Self {
            day: sent.digest.until.date_in_words(),
            note: sent.note.map(|note| note.summary),
            sections: sent.sections,
        }
    }
}

/// `GET /digests/{id}`: changes nothing.
#[handler]
pub(super) async fn show_digest(
    app: Data<&App>,
    request: &Request,
    id: Path<String>,
) -> Result<Response, Refusal> {
    let visitor = Visitor::of(&app, request).await?;
    let digest = match &visitor.viewer {
        None => None,
        Some(viewer) => {
            viewer.takes_part()?;
            let missing = || not_found("digest any more");
            let id = Id::parse(&id).ok_or_else(missing)?;
            Some(Shown::of(sent::sent(&app, viewer, &id).await?.ok_or_else(missing)?))
        }
    };
    let mut response = show(StatusCode::OK, &DigestPage { site: Site::of(&app), digest })?;
    visitor.keep(&app, &mut response);
    Ok(response)
}
