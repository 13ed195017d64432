//! The second factor at signing in, for programs. Registering factors is GraphQL's.

use poem::{Request, web::Data};
use poem_openapi::{Object, OpenApi, payload::Json};

use super::{
    auth::{Tag, TokensOut},
    body::Body,
};
use crate::{
    actions::{
        second_factor::{self as action, Answer, Asked, Method},
        sign_in::Answering,
    },
    app::App,
    http::{Left, Refusal, caller},
    text_input,
};

/// What to show, and what to show it with.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct SecondFactorNeeded {
    /// What happens now, for a person.
    message: String,
    /// Goes with the second factor. Keep it secret: it stands for the code from the e-mail.
    challenge: String,
    /// Those that the member has of `totp` (an authenticator app), `passkey` and `recovery-code`.
    methods: Vec<String>,
    /// `publicKey` for `navigator.credentials.get`, as JSON, where the member has a passkey.
    public_key: Option<String>,
    /// For how many seconds the challenge works.
    expires_in: i64,
}

impl From<Asked> for SecondFactorNeeded {
    fn from(asked: Asked) -> Self {
        Self {
            message: "Show your second factor.".to_owned(),
            challenge: asked.challenge,
            methods: asked.methods.into_iter().map(Method::name).map(str::to_owned).collect(),
            public_key: asked.public_key,
            expires_in: asked.expires_in,
        }
    }
}

text_input! {
    /// A code of an authenticator app, or a recovery code.
    SecondFactorInput {
        /// From the answer to the code of the e-mail.
        challenge = "challenge",
        /// As it was typed: spaces and hyphens don't matter.
        code = "code",
    }
}

text_input! {
    /// A passkey.
    PasskeyInput {
        /// From the answer to the code of the e-mail.
        challenge = "challenge",
        /// What the browser answered, as JSON: `JSON.stringify(credential)`.
        credential = "credential",
    }
}

pub struct SecondFactorApi;

#[OpenApi(prefix_path = "/v1/auth/second-factor", tag = "Tag::SigningIn")]
impl SecondFactorApi {
    /// Show a code
    ///
    /// Finishes signing in with a code of an authenticator app, or a recovery code. Each works once; five
    /// wrong ones in a row pause the member's codes for a quarter of an hour.
    #[oai(path = "/", method = "post", operation_id = "showSecondFactorCode")]
    async fn code(
        &self,
        app: Data<&App>,
        request: &Request,
        body: Body<SecondFactorInput>,
    ) -> Result<Json<TokensOut>, Refusal> {
        let Body(SecondFactorInput { challenge, code }) = body;
        finish(&app, request, &challenge, Answer::Code(&code)).await
    }

    /// Show a passkey
    ///
    /// Finishes signing in with what a browser answered to `publicKey`.
    #[oai(path = "/passkey", method = "post", operation_id = "showPasskey")]
    async fn passkey(
        &self,
        app: Data<&App>,
        request: &Request,
        body: Body<PasskeyInput>,
    ) -> Result<Json<TokensOut>, Refusal> {
        let Body(PasskeyInput { challenge, credential }) = body;
        finish(&app, request, &challenge, Answer::Passkey(&credential)).await
    }
}

async fn finish(
    app: &App,
    request: &Request,
    challenge: &str,
    answer: Answer<'_>,
) -> Result<Json<TokensOut>, Refusal> {
    let from = Answering::from(app, caller(app, request))?;
    Left::note(request, from.allowance());
    Ok(Json(action::answer(app, challenge, answer, &from).await?.into()))
}
