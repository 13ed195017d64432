//! How providers are talked to: over TLS, never further than asked, not for long, and not for much.

use std::{pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::{Client, Request, redirect::Policy};
use url::Url;

use crate::config::single_sign_on::is_loopback;

/// For a whole answer; people wait for it.
const WITHIN: Duration = Duration::from_secs(10);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The longest answer, in bytes. Keys and claims are a few thousand.
const ANSWER_MAX: usize = 256 * 1024;

/// The way to one provider.
pub(super) struct Http {
    client: Client,
    /// Whether the provider is on this very machine, where there may be no TLS.
    local: bool,
}

/// Why there is no answer. The texts are for operators; they name no more than the host.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("{0}")]
    Away(String),
    #[error("answered {0}")]
    Status(u16),
    #[error("answered more than {ANSWER_MAX} bytes")]
    TooLong,
    #[error("names an address without TLS")]
    Plain,
}

impl Http {
    /// # Errors
    /// A sentence for an operator.
    pub fn to(issuer: &str) -> Result<Self, String> {
        let local = Url::parse(issuer).is_ok_and(|issuer| is_loopback(&issuer));
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(WITHIN)
            .connect_timeout(CONNECT_WITHIN)
            .user_agent("HOPE exchange");
        // What the machine's settings say of proxies is about other machines.
        let client = if local { client.no_proxy() } else { client };
        let client = client.build().map_err(|error| format!("no client of {issuer}: {error}"))?;
        Ok(Self { client, local })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let away = |error: reqwest::Error| HttpError::Away(told(&error).to_owned());
        let request = Request::try_from(request).map_err(away)?;
        let url = request.url();
        // Where tokens and keys are is the provider's to say, but not that they go about in the open, nor
        // that we ask this machine's other services for them.
        let safe = if self.local { is_loopback(url) } else { url.scheme() == "https" && !is_loopback(url) };
        if !safe {
            return Err(HttpError::Plain);
        }
        let mut answer = self.client.execute(request).await.map_err(away)?;
        let status = answer.status();
        if status.is_redirection() || status.is_server_error() {
            return Err(HttpError::Status(status.as_u16()));
        }
        let headers = answer.headers().clone();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(away)? {
            if body.len() + piece.len() > ANSWER_MAX {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Without the address and whatever the libraries below add.
fn told(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "can't be reached"
    } else {
        "did not answer as HTTP has it"
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
