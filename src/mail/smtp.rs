//! Mail over SMTP, through connections that are kept open between messages.
//!
//! Two things that the library does not do are done here. Its timeout covers connecting only, so
//! the whole of a send has one of its own. And a send that is given up half-way leaves its
//! connection in the pool, where the answer to the old message would be taken for the answer to the
//! next one; so a send that did not come to its end takes the pool with it.

use std::{
    future::Future,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{
        self, PoolConfig,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{MailError, Message, compose::Composer, status};
use crate::config::{MailFrom, Secret};

/// Where submissions over TLS from the first byte go (RFC 8314).
const TLS_PORT: u16 = 465;
/// Where submissions go (RFC 6409).
const SUBMISSION_PORT: u16 = 587;
/// Connections at once: those of all lanes of a worker, some of which may stall.
const CONNECTIONS: u32 = 16;
/// Servers close idle connections after 5 minutes or sooner (RFC 5321 asks for no more).
const IDLE: Duration = Duration::from_secs(60);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

pub struct Smtp {
    server: Server,
    transport: Mutex<Transport>,
    composer: Composer,
    pace: DefaultDirectRateLimiter,
    timeout: Duration,
}

impl Smtp {
    /// # Errors
    /// A sentence that says what is wrong with the setting, without what is secret in it.
    pub(super) fn open(uri: &Secret, from: &MailFrom, composer: Composer) -> Result<Self, String> {
        let server = Server::read(uri)?;
        let per_second =
            NonZeroU32::new(from.per_second).ok_or("mail_from.per_second is 0, which would send nothing.")?;
        // No bursts: relays count over windows that we don't know.
        let quota = Quota::per_second(per_second).allow_burst(NonZeroU32::MIN);
        Ok(Self {
            transport: Mutex::new(server.transport()),
            server,
            composer,
            pace: RateLimiter::direct(quota),
            timeout: Duration::from_secs(from.timeout_seconds.max(1)),
        })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), MailError> {
        let composed = self.composer.compose(message)?;
        self.pace.until_ready().await;
        let transport = self.transport();
        self.finish(transport.send(composed)).await
    }

    pub(super) async fn check(&self) -> Result<(), MailError> {
        let transport = self.transport();
        self.finish(transport.test_connection()).await
    }

    fn transport(&self) -> Transport {
        self.transport.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for an exchange with the server, but not for ever.
    async fn finish<T>(
        &self,
        exchange: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<(), MailError> {
        let unfinished = Unfinished(self);
        let Ok(outcome) = tokio::time::timeout(self.timeout, exchange).await else {
            let seconds = self.timeout.as_secs();
            return Err(MailError::Later(format!("the mail server took longer than {seconds} s")));
        };
        std::mem::forget(unfinished);
        outcome.map(drop).map_err(|error| classify(&error))
    }
}

/// A send that has not come to its end. Dropped, it replaces the pool; the old one goes with its
/// last user.
struct Unfinished<'a>(&'a Smtp);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        *self.0.transport.lock().unwrap_or_else(PoisonError::into_inner) = self.0.server.transport();
    }
}

/// What to make of a failure. Of what the server said only the status is kept, as the words often repeat the
/// address.
fn classify(error: &smtp::Error) -> MailError {
    match error.status().map(|code| code.to_string()) {
        // It does not know *us* (RFC 4954): a setting to be put right, not a mailbox that is gone.
        Some(code) if matches!(code.as_str(), "530" | "534" | "535" | "538") => {
            MailError::Later(format!("the mail server refuses our sign-in ({code})"))
        }
        Some(code) if error.is_permanent() => {
            let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            let code = status::enhanced(&said).map_or(code, ToOwned::to_owned);
            if status::is_about_the_mailbox(&code) {
                MailError::NoMailbox(code)
            } else {
                tracing::error!(code, "the mail server refuses our mail; it is tried again for two days");
                MailError::Later(format!("the mail server refuses our mail ({code})"))
            }
        }
        Some(code) => MailError::Later(format!("the mail server asks to try later ({code})")),
        None if error.is_response() => MailError::Later("the mail server's answer makes no sense".to_owned()),
        // No answer: unreachable, no TLS, or gone after it took the message.
        None => MailError::Later(format!("the mail server can't be used: {error}")),
    }
}

/// The server that a setting names, with everything that is needed to connect to it.
struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
}

impl Server {
    fn read(uri: &Secret) -> Result<Self, String> {
        let wrong = |why: &str| format!("mail is {uri}: {why}");
        let url = Url::parse(uri.expose()).map_err(|error| wrong(&format!("{error}.")))?;
        let host = url.host_str().ok_or_else(|| wrong("a host is missing."))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = url.port().unwrap_or(SUBMISSION_PORT);
        let (mut wanted, mut authority) = ("required".to_owned(), None);
        for (key, value) in url.query_pairs() {
            match &*key {
                "tls" => wanted = value.into_owned(),
                "ca" => authority = Some(value.into_owned()),
                _ => return Err(wrong(&format!("it has {key}, but only tls and ca are known."))),
            }
        }
        let parameters = || parameters(&host, authority.as_deref()).map_err(|why| wrong(&why));
        let tls = match wanted.as_str() {
            "required" if port == TLS_PORT => Tls::Wrapper(parameters()?),
            "required" => Tls::Required(parameters()?),
            "opportunistic" => Tls::Opportunistic(parameters()?),
            "none" => Tls::None,
            _ => return Err(wrong("tls is required, opportunistic or none.")),
        };
        let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = (!url.username().is_empty())
            .then(|| Credentials::new(plain(url.username()), plain(url.password().unwrap_or_default())));
        Ok(Self { host, port, tls, credentials })
    }

    fn transport(&self) -> Transport {
        let pool = PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE);
        let builder = Transport::builder_dangerous(&self.host).port(self.port).tls(self.tls.clone());
        let builder = match &self.credentials {
            Some(credentials) => builder.credentials(credentials.clone()),
            None => builder,
        };
        builder.pool_config(pool).build()
    }
}

/// Whom to believe: the system's authorities and those in the file.
fn parameters(host: &str, authority: Option<&str>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = authority {
        let pem = std::fs::read(path).map_err(|error| format!("{path} can't be read: {error}."))?;
        let certificate =
            Certificate::from_pem(&pem).map_err(|_| format!("{path} holds no certificate in PEM form."))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| format!("{error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str) -> Result<Server, String> {
        Server::read(&Secret::new(uri))
    }

    #[test]
    fn tls_is_required_unless_the_setting_says_otherwise() {
        assert!(matches!(read("smtp://relay.nhs.net").unwrap().tls, Tls::Required(_)));
        assert!(matches!(read("smtp://relay.nhs.net:465").unwrap().tls, Tls::Wrapper(_)));
        assert!(matches!(read("smtp://relay.nhs.net?tls=opportunistic").unwrap().tls, Tls::Opportunistic(_)));
        assert!(matches!(read("smtp://127.0.0.1:1025?tls=none").unwrap().tls, Tls::None));
    }

    #[test]
    fn passwords_are_read_as_they_were_meant_and_never_printed() {
        let server = read("smtp://jo%40nhs.net:p%2F%25+w%26=@relay:587").unwrap();
        let expected = Credentials::new("jo@nhs.net".to_owned(), "p/%+w&=".to_owned());
        assert_eq!(server.credentials, Some(expected));
        for wrong in ["?tls=maybe", "?tsl=required", "?ca=/nowhere.pem"] {
            let why = read(&format!("smtp://jo:s3cr3t@relay{wrong}")).err().unwrap();
            assert!(!why.contains("s3cr3t") && why.contains("relay"), "{why}");
        }
    }
}
