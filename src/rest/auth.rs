//! Signing in, for programs.

use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, Object, OpenApi, Tags, payload::Json};

use super::{
    body::{Body, MaybeBody},
    second_factor::SecondFactorNeeded,
};
use crate::{
    actions::{
        session,
        session::Tokens,
        sign_in::{self, Answering, Asking, Verified},
    },
    app::App,
    error::unauthenticated,
    http::{Left, Refusal, bearer, caller},
    text_input,
};

#[derive(Tags)]
pub(super) enum Tag {
    /// A code by e-mail, then tokens.
    #[oai(rename = "Signing in")]
    SigningIn,
}

text_input! {
    /// Who wants to sign in.
    SignInInput {
        /// The address that the code goes to.
        email = "email",
    }
}

text_input! {
    /// A code from the mail.
    VerifyInput {
        /// The address that the code was sent to.
        email = "email",
        /// As it was typed: capitals, spaces and hyphens don't matter.
        code = "code",
    }
}

text_input! {
    /// A refresh token, which works once.
    RefreshInput {
        /// The latest one of the session.
        refresh_token = "refreshToken",
    }
}

/// The same for every address.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct CodeSent {
    /// What happens now, for a person.
    message: String,
    /// Addresses at or under these domains may sign in, and so may members.
    domains: Vec<String>,
    /// For how many seconds the code works.
    expires_in: i64,
}

/// What an application keeps.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct TokensOut {
    /// For the header `Authorization: Bearer …`.
    access_token: String,
    /// For new tokens when the access token has expired. It works once.
    refresh_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// For how many seconds the access token works.
    expires_in: i64,
}

impl From<Tokens> for TokensOut {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            refresh_token: tokens.refresh,
            token_type: "Bearer".to_owned(),
            expires_in: tokens.expires_in,
        }
    }
}

#[derive(ApiResponse)]
enum Accepted {
    /// A code is on its way, if the address may sign in. Nobody is told whether it may.
    #[oai(status = 202)]
    Accepted(Json<CodeSent>),
}

#[derive(ApiResponse)]
pub(super) enum Verify {
    /// Signed in.
    #[oai(status = 200)]
    SignedIn(Json<TokensOut>),
    /// What was sent was right, and the member has a second factor: show one to get the tokens.
    #[oai(status = 202)]
    SecondFactorNeeded(Json<SecondFactorNeeded>),
}

impl From<Verified> for Verify {
    fn from(verified: Verified) -> Self {
        match verified {
            Verified::SignedIn(tokens) => Self::SignedIn(Json(tokens.into())),
            Verified::Asked(asked) => Self::SecondFactorNeeded(Json(asked.into())),
        }
    }
}

#[derive(ApiResponse)]
enum SignedOut {
    /// The session is ended, and its tokens work no more.
    #[oai(status = 204)]
    Done,
}

pub struct AuthApi;

#[OpenApi(prefix_path = "/v1/auth", tag = "Tag::SigningIn")]
impl AuthApi {
    /// Ask for a code
    ///
    /// Sends a mail with a code and a link, if the address may sign in.
    #[oai(path = "/sign-in", method = "post", operation_id = "signIn")]
    async fn sign_in(
        &self,
        app: Data<&App>,
        request: &Request,
        body: Body<SignInInput>,
    ) -> Result<Accepted, Refusal> {
        let asking = Asking::from(&app, &caller(&app, request))?;
        Left::note(request, asking.allowance());
        sign_in::request(&app, &body.0.email, &asking).await?;
        let settings = &app.config.sign_in;
        let message = format!(
            "If this address may sign in, a code is on its way to it. The code works for {} minutes.",
            settings.code_minutes
        );
        let domains = settings.automatic_domains.clone();
        Ok(Accepted::Accepted(Json(CodeSent { message, domains, expires_in: settings.code_minutes * 60 })))
    }

    /// Sign in with a code
    ///
    /// The first time makes a member of whoever reads the address's mail. Whoever has a second factor is
    /// asked for it (202), and gets the tokens at `/v1/auth/second-factor`.
    #[oai(path = "/verify", method = "post", operation_id = "verify")]
    async fn verify(
        &self,
        app: Data<&App>,
        request: &Request,
        body: Body<VerifyInput>,
    ) -> Result<Verify, Refusal> {
        let Body(VerifyInput { email, code }) = body;
        let from = Answering::from(&app, caller(&app, request))?;
        Left::note(request, from.allowance());
        Ok(sign_in::verify(&app, &email, &code, &from).await?.into())
    }

    /// Get new tokens
    ///
    /// The refresh token is replaced by a new one. The old one brings the same new one for ten more
    /// seconds, in case the answer was lost; used again after that, it ends the session.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(
        &self,
        app: Data<&App>,
        request: &Request,
        body: Body<RefreshInput>,
    ) -> Result<Json<TokensOut>, Refusal> {
        Ok(Json(session::refresh(&app, &body.0.refresh_token, &caller(&app, request)).await?.into()))
    }

    /// Sign out
    ///
    /// Ends the session of the refresh token in the body or, without one, of the access token in the
    /// header `Authorization`.
    #[oai(path = "/sign-out", method = "post", operation_id = "signOut")]
    async fn sign_out(
        &self,
        app: Data<&App>,
        request: &Request,
        body: MaybeBody<RefreshInput>,
    ) -> Result<SignedOut, Refusal> {
        match (body.0, bearer(request)) {
            (Some(body), _) => session::sign_out(&app, &body.refresh_token).await?,
            (None, Some(access)) => session::sign_out_by_access(&app, access).await?,
            (None, None) => return Err(unauthenticated().into()),
        }
        Ok(SignedOut::Done)
    }
}
