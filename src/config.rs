//! Settings: typed sections, read from `config/default.toml`, a file and the environment.

pub mod shared_secret;
pub mod single_sign_on;

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    net::SocketAddr,
    path::PathBuf,
};

use chrono::{NaiveTime, TimeDelta, Weekday};
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use self::shared_secret::SharedSecret;
use crate::network::Network as Addresses;

/// Documents every key; the sections below have no other defaults.
const DEFAULTS: &str = include_str!("../config/default.toml");
/// What a demonstration changes.
const DEMO: &str = include_str!("../config/demo.toml");

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub listen: SocketAddr,
    pub public_url: Url,
    pub trusted_proxies: Vec<Addresses>,
    pub proxy_header: ProxyHeader,
    pub store: Secret,
    pub mail: Secret,
    pub data: PathBuf,
    pub attachments: Secret,
    pub worker: bool,
    pub log: String,
    pub log_format: LogFormat,
    #[serde(deserialize_with = "offset")]
    pub clock_offset: TimeDelta,
    pub network: Network,
    #[serde(default)]
    pub places: Vec<Place>,
    pub sign_in: SignIn,
    /// By their ids.
    #[serde(default)]
    pub single_sign_on: BTreeMap<String, single_sign_on::Provider>,
    pub invitations: Invitations,
    pub rules: Rules,
    pub second_factor: SecondFactor,
    pub mail_from: MailFrom,
    #[serde(default)]
    pub mail_events: MailEvents,
    pub digest: Digest,
    pub notifications: Notifications,
    pub moderation: Moderation,
    pub retention: Retention,
    pub jobs: Jobs,
    pub limits: Limits,
    pub live: Live,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub name: String,
    pub team: String,
    pub contact: String,
}

/// What to call the networks that members come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub name: String,
    pub networks: Vec<Addresses>,
}

/// In which header our proxies say whom a request is from. They must set this one themselves: a proxy
/// passes on others as it got them.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub automatic_domains: Vec<String>,
    pub approval_domains: Vec<String>,
    pub approve_everyone: bool,
    pub refused_days: i64,
    pub verify_days: i64,
    pub verify_reminder_days: i64,
    pub code_minutes: i64,
    pub session_days: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitations {
    pub open_days: i64,
    pub access_days: i64,
}

/// What members accept before they take part, in Markdown.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub version: String,
    pub community: String,
    pub freedom_of_information: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    pub required: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailFrom {
    pub name: String,
    pub address: String,
    pub reply_to: String,
    pub per_second: u32,
    pub timeout_seconds: u64,
    pub tell_after_minutes: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailEvents {
    /// None: nobody can tell us anything.
    pub secret: Option<SharedSecret>,
}

impl MailFrom {
    /// How long the team is not told of a mailbox from which mail comes back, so that it is told of all at once.
    #[must_use]
    pub fn tell_after(&self) -> TimeDelta {
        TimeDelta::minutes(self.tell_after_minutes)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    #[serde(deserialize_with = "weekday")]
    pub weekday: Weekday,
    #[serde(deserialize_with = "time_of_day")]
    pub time: NaiveTime,
    pub items: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    pub hold_seconds: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moderation {
    pub signposts: Vec<String>,
}

/// How long things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub data_exports_days: i64,
    pub erasure_days: i64,
    pub erasure_by_administrator_days: i64,
    pub read_notifications_days: i64,
    pub notifications_days: i64,
    pub digests_days: i64,
    pub reports_days: i64,
    pub erasures_days: i64,
    pub failed_jobs_days: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    pub lease_seconds: i64,
    pub poll_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub rate: Switch,
    pub points_per_minute: u32,
    pub requests_at_once: usize,
    pub query_seconds: u64,
    pub mails_at_once: u32,
    pub mails_per_hour: u32,
    pub sign_ins_per_minute: u32,
    pub sign_ins_per_second: u32,
    pub uploads_at_once: usize,
    pub files_at_once: usize,
    pub connections: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    pub sockets: usize,
    pub subscriptions: usize,
    pub init_seconds: u64,
    pub ping_seconds: u64,
    pub look_seconds: u64,
    pub answer_seconds: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// A setting that may hold a password. It is never printed whole.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The value itself, for the one place that connects with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The URI with `***` in place of the user's name and password.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => write!(f, "{scheme}://***@{host}"),
            _ => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Config {
    /// Reads the defaults (those of a demonstration for `demo`), then `file`, then the environment.
    ///
    /// # Errors
    /// A sentence that names the key and where it was set: an unknown key, a value of the wrong
    /// form, or settings that don't go together.
    pub fn load(file: Option<&PathBuf>, demo: bool) -> Result<Self, String> {
        let mut settings = Figment::from(Toml::string(DEFAULTS));
        if demo {
            settings = settings.merge(Toml::string(DEMO));
        }
        if let Some(path) = file {
            if !path.is_file() {
                return Err(format!("There is no configuration file at {}.", path.display()));
            }
            settings = settings.merge(Toml::file_exact(path));
        }
        // HOPE_TEST_… belongs to the tests' own processes, not to the service.
        let environment = Env::prefixed("HOPE_").filter(|key| !key.starts_with("TEST_")).split("__");
        Self::extract(&settings.merge(environment))
    }

    /// The defaults alone, as tests start from.
    ///
    /// # Panics
    /// When `config/default.toml` is broken, which a test would tell.
    #[must_use]
    pub fn defaults() -> Self {
        Self::extract(&Figment::from(Toml::string(DEFAULTS))).expect("config/default.toml is complete")
    }

    fn extract(settings: &Figment) -> Result<Self, String> {
        let config: Self = settings.extract().map_err(|errors| {
            let problems: Vec<String> = errors.into_iter().map(|error| explain(&error)).collect();
            problems.join("\n")
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if !self.clock_offset.is_zero() && self.public_url.scheme() == "https" {
            return Err("clock_offset is for tests: it is refused while public_url is https.".to_owned());
        }
        if !matches!(self.public_url.scheme(), "http" | "https") || self.public_url.host().is_none() {
            return Err("public_url must be an http or https address.".to_owned());
        }
        let mut issuers = HashSet::new();
        for (id, provider) in &self.single_sign_on {
            provider.check(id)?;
            if !issuers.insert(&provider.issuer) {
                return Err(format!("single_sign_on.{id}: another provider has the same issuer."));
            }
        }
        Ok(())
    }

    /// `path` on the public address.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}/{}", self.public_url.as_str().trim_end_matches('/'), path.trim_start_matches('/'))
    }

    /// Whether browsers reach the service over TLS, which decides the cookies' form.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The host that ids of messages and lists are at.
    #[must_use]
    pub fn host(&self) -> &str {
        self.public_url.host_str().unwrap_or("localhost")
    }
}

fn explain(error: &figment::Error) -> String {
    let path = error.path.join(".");
    let place = error.metadata.as_ref().map_or_else(String::new, |metadata| format!(" ({})", metadata.name));
    if path.is_empty() { format!("{}{place}", error.kind) } else { format!("{path}: {}{place}", error.kind) }
}

/// "36h", "-7d", "90s", "5m".
fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeDelta, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("{text:?} is not a time span like 36h or -7d"));
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: i32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let count = i64::from(count);
    match unit {
        's' => Ok(TimeDelta::seconds(count)),
        'm' => Ok(TimeDelta::minutes(count)),
        'h' => Ok(TimeDelta::hours(count)),
        'd' => Ok(TimeDelta::days(count)),
        _ => Err(wrong()),
    }
}

fn weekday<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weekday, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not a day of the week")))
}

fn time_of_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&text, "%H:%M")
        .map_err(|_| D::Error::custom(format!("{text:?} is not a time like 07:30")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(toml: &str) -> Result<Config, String> {
        Config::extract(&Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(toml)))
    }

    #[test]
    fn the_documented_defaults_are_complete() {
        assert_eq!(Config::defaults().link("/graphql"), "http://127.0.0.1:8080/graphql");
    }

    #[test]
    fn unknown_and_wrong_values_are_refused_by_name() {
        for (toml, name) in [
            ("lisen = 'x'", "lisen"),
            ("[limits]\nrates = 'off'", "rates"),
            ("listen = 'nowhere'", "listen"),
            ("clock_offset = '3 weeks'", "clock_offset"),
            ("[digest]\nweekday = 'someday'", "weekday"),
            ("public_url = 'https://hope.example'\nclock_offset = '1h'", "clock_offset"),
            ("trusted_proxies = ['10.0.0.1/8']", "trusted_proxies"),
            ("proxy_header = 'x-real-ip'", "proxy_header"),
            (&provider("nhsmail", "http://login.example.nhs.uk"), "single_sign_on.nhsmail.issuer"),
            (&provider("nhsmail", "https://login.example.nhs.uk/?a=b"), "single_sign_on.nhsmail.issuer"),
            (&provider("NHSmail", "https://login.example.nhs.uk"), "small letters"),
            (&format!("{}\nclaims = []", provider("a", "https://login.example.nhs.uk")), "claims"),
            (&["a", "b"].map(|id| provider(id, "https://login.example.nhs.uk")).join("\n"), "same issuer"),
        ] {
            let problem = with(toml).unwrap_err();
            assert!(problem.contains(name), "{problem}");
        }
    }

    fn provider(id: &str, issuer: &str) -> String {
        format!("[single_sign_on.{id}]\nname = 'NHSmail'\nissuer = '{issuer}'\nclient_id = 'hope'")
    }

    #[test]
    fn a_provider_is_strict_unless_it_is_told_otherwise() {
        let config = with(&provider("nhsmail", "http://127.0.0.1:4000")).unwrap();
        let nhsmail = &config.single_sign_on["nhsmail"];
        assert_eq!(
            (nhsmail.email_claim.as_str(), nhsmail.verified_claim.as_str()),
            ("email", "email_verified")
        );
        assert!(nhsmail.own_domains.is_empty() && nhsmail.required_acr.is_empty());
    }

    #[test]
    fn secrets_are_not_printed() {
        let provider = provider("nhsmail", "https://login.example.nhs.uk");
        let toml = "mail = 'smtp://hope:s3cr3t@relay.nhs.net:587?tls=required'";
        let config = with(&format!("{toml}\n{provider}\nclient_secret = 's3cr3t'")).unwrap();
        let printed = format!("{config:?} {}", config.mail);
        assert!(!printed.contains("s3cr3t"), "{printed}");
        assert!(printed.contains("relay.nhs.net"));
    }
}
