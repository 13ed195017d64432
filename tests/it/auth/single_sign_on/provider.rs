//! The provider of `tests/oidc_provider.mjs`: oidc-provider, which can be made to lie.

use std::{path::Path, process::Stdio};

use chrono::TimeDelta;
use hope_exchange::{
    app::App,
    clock::Clock,
    config::{
        Config,
        single_sign_on::{Hidden, Provider as Settings},
    },
};
use serde_json::Value as Json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{
    app::{TestApp, client},
    process::free_address,
};

pub const SECRET: &str = "s3cr3t-0f-th3-cl13nt";

pub struct Provider {
    app: App,
    pub issuer: String,
    http: reqwest::Client,
    /// Ends when its standard input closes, and is killed when it is dropped.
    _child: Child,
}

/// Settings with a provider on a free port, which is not there yet.
pub fn configured(config: &mut Config) {
    let provider = Settings {
        name: "NHSmail".to_owned(),
        issuer: format!("http://{}", free_address()),
        client_id: "hope".to_owned(),
        client_secret: Some(Hidden::new(SECRET)),
        scopes: vec!["email".to_owned()],
        acr_values: vec!["AAL2".to_owned()],
        required_acr: Vec::new(),
        email_claim: "email".to_owned(),
        verified_claim: "email_verified".to_owned(),
        own_domains: Vec::new(),
    };
    config.single_sign_on.insert("nhsmail".to_owned(), provider);
}

impl Provider {
    /// Starts the provider of these settings.
    pub async fn start(app: &TestApp) -> Self {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(
            home.join("node_modules/oidc-provider").exists(),
            "`make setup` fetches what this test needs"
        );
        let settings = &app.app.config.single_sign_on["nhsmail"];
        let port = settings.issuer.rsplit(':').next().unwrap();
        let mut child = Command::new("node")
            .arg(home.join("tests/oidc_provider.mjs"))
            .args([port, &settings.client_id, SECRET, "nhsmail"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Node 20 is there");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        assert_eq!(line, "ready\n");
        let provider =
            Self { app: app.app.clone(), issuer: settings.issuer.clone(), http: client(), _child: child };
        provider.in_time().await;
        provider
    }

    /// Sets the provider's clock to the service's; and that to the present, where it is behind: cookies keep to
    /// real time.
    pub async fn in_time(&self) {
        let (clock, real) = (&self.app.clock, Clock::System { offset: TimeDelta::zero() }.now());
        clock.advance(real.since(clock.now()).max(TimeDelta::zero()));
        self.say("time", &[("now", &clock.now().millis().to_string())]).await;
    }

    /// Whoever is sent there from now on is this person.
    pub async fn person(&self, claims: &Json) {
        self.say("person", &[("claims", &claims.to_string())]).await;
    }

    /// What it answers from now on is a lie of this kind; empty: the truth.
    pub async fn lies(&self, of: &str) {
        self.say("lie", &[("of", of)]).await;
    }

    /// It signs with other keys, too, and says so.
    pub async fn publishes(&self, lie: &str) {
        self.say("lie", &[("of", lie), ("publish", "yes")]).await;
    }

    /// How often something was asked for.
    pub async fn asked(&self, path: &str) -> u64 {
        let asked: Json = serde_json::from_str(&self.say("asked", &[]).await).unwrap();
        asked[path].as_u64().unwrap_or_default()
    }

    async fn say(&self, what: &str, parameters: &[(&str, &str)]) -> String {
        let mut url = url::Url::parse(&format!("{}/{what}", self.issuer)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        self.http.get(url).send().await.unwrap().text().await.unwrap()
    }
}
