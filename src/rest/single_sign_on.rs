//! Single sign-on, for programs that show people a browser of their own.
//!
//! Providers send people back to a page, `/sign-in/with/{provider}/callback`, which signs the browser in. A
//! program whose browser it is may take what came back instead, and get tokens for it. There is nothing for
//! programs without a browser: they would have to trust people to look where they type their password.

use poem::{IntoResponse, Request, Response, web::Data};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    registry::{MetaHeader, MetaResponse, MetaResponses, Registry},
    types::Type,
};

use super::{
    auth::{Tag, Verify},
    body::Body,
};
use crate::{
    actions::single_sign_on::Brought, app::App, http::Refusal, text_input, web::single_sign_on as web,
};

/// Where people sign in that have an account there.
#[derive(Object)]
pub struct ProviderOut {
    /// Part of addresses.
    id: String,
    /// What people know it by: "Sign in with …".
    name: String,
    /// Open it in a browser to sign in; with `?next=` and a path of this service, that is where it ends.
    url: String,
}

#[derive(Object)]
pub struct ProvidersOut {
    providers: Vec<ProviderOut>,
}

text_input! {
    /// What came back from a provider.
    BroughtInput {
        /// As it came back.
        state = "state",
        /// As it came back.
        code = "code",
        /// As it came back; empty, if it did not.
        issuer = "iss",
    }
}

/// To the provider.
struct Sent(Response);

pub struct SingleSignOnApi;

#[OpenApi(prefix_path = "/v1/auth/single-sign-on", tag = "Tag::SigningIn")]
impl SingleSignOnApi {
    /// List providers
    ///
    /// Those of single sign-on that this installation has.
    #[oai(path = "/", method = "get", operation_id = "listProviders")]
    async fn list(&self, app: Data<&App>) -> Json<ProvidersOut> {
        let provider = |provider: &crate::single_sign_on::Provider| ProviderOut {
            id: provider.id().to_owned(),
            name: provider.name().to_owned(),
            url: app.config.link(&web::path(provider.id())),
        };
        Json(ProvidersOut { providers: app.providers.all().map(provider).collect() })
    }

    /// Sign in at a provider
    ///
    /// Redirects there, with a cookie without which what comes back is good for nothing.
    #[oai(path = "/:provider", method = "get", operation_id = "startSingleSignOn")]
    async fn start(
        &self,
        app: Data<&App>,
        request: &Request,
        provider: Path<String>,
        next: Query<Option<String>>,
    ) -> Result<Sent, Refusal> {
        Ok(Sent(web::sent(&app, request, &provider.0, next.0.as_deref()).await?))
    }

    /// Come back from a provider
    ///
    /// For a program whose browser was sent there and that stopped it on the way back to
    /// `/sign-in/with/{provider}/callback`: with the cookie, what came back brings tokens instead of a page. It
    /// works once. Whoever has a second factor is asked for it (202), and gets the tokens at
    /// `/v1/auth/second-factor`.
    #[oai(path = "/:provider", method = "post", operation_id = "finishSingleSignOn")]
    async fn finish(
        &self,
        app: Data<&App>,
        request: &Request,
        provider: Path<String>,
        body: Body<BroughtInput>,
    ) -> Result<Verify, Refusal> {
        let Body(BroughtInput { state, code, issuer }) = body;
        let issuer = Some(issuer.as_str()).filter(|issuer| !issuer.is_empty());
        let brought = Brought { state: &state, code: Some(&code), issuer, ..Brought::default() };
        Ok(web::back(&app, request, &provider.0, brought).await?.0.into())
    }
}

impl IntoResponse for Sent {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Sent {
    fn meta() -> MetaResponses {
        let header = |name: &str, description: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: true,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let response = MetaResponse {
            description: "To the provider.",
            status: Some(303),
            status_range: None,
            content: vec![],
            headers: vec![header("location", "Where to sign in."), header("set-cookie", "For the way back.")],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
