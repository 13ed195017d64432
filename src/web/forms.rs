//! What pages' forms send, and whether a page of ours sent it.

use std::collections::HashMap;

use poem::{FromRequest, Request, RequestBody};

use crate::{
    app::App,
    error::{Code, Error, forbidden},
    http::{BODY_MAX, Refusal},
};

/// A form's fields.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// A field as it was filled in; empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }
}

impl<'a> FromRequest<'a> for Form {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = body.take()?.into_bytes_limit(BODY_MAX).await?;
        let kind = request.content_type().and_then(|kind| kind.split(';').next()).map(str::trim);
        if !bytes.is_empty() && kind != Some("application/x-www-form-urlencoded") {
            let sentence = "Send this page's form as it is.".to_owned();
            return Err(Refusal(Error::Coded(Code::UnsupportedMediaType, sentence)).into());
        }
        Ok(Self(url::form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// Refuses what another site's page sends, so that no other site can sign anybody in, as somebody
/// else, or out. Browsers say where a form was: in `Sec-Fetch-Site`, older ones in `Origin`. What
/// says neither is no browser, and carries no cookies that it was not given by hand.
///
/// # Errors
/// `Forbidden`.
pub(super) fn ours(app: &App, request: &Request) -> Result<(), Error> {
    let same = match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin == app.config.public_url.origin().ascii_serialization(),
        (None, None) => true,
    };
    if same {
        Ok(())
    } else {
        Err(forbidden("This form was sent from another site. Open the page here, and try again."))
    }
}
