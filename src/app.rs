//! What every action, job and surface works with.

use std::{ops::Deref, sync::Arc};

use tokio::sync::Mutex;

use crate::{
    blobs::Blobs,
    clock::{Clock, Timestamp},
    config::Config,
    domain::{self, digest::choice::Pool},
    ids::Ids,
    keys::Keys,
    limits::Limits,
    live::Live,
    mail::Mailer,
    single_sign_on::Providers,
    store::Store,
};

/// The running service's parts. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>, Live, Arc<DigestPool>);

/// What digests are chosen from, as it was read last, and when.
type DigestPool = Mutex<Option<(Timestamp, Arc<Pool>)>>;

pub struct Parts {
    pub store: Store,
    pub mailer: Mailer,
    pub blobs: Blobs,
    pub clock: Clock,
    pub ids: Ids,
    pub keys: Keys,
    pub limits: Limits,
    pub providers: Providers,
    pub config: Config,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let live = Live::new(&parts.config.live);
        Self(Arc::new(parts), live, Arc::default())
    }

    /// What happens, for those who look on.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.1
    }

    /// See [`jobs::digest`](crate::jobs::digest), which fills it.
    #[must_use]
    pub fn digest_pool(&self) -> &DigestPool {
        &self.2
    }

    /// Opens everything that `config` names.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub async fn open(config: Config) -> Result<Self, String> {
        let clock = Clock::System { offset: config.clock_offset };
        Self::open_at(config, clock).await
    }

    /// The same at another time than now.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_at(config: Config, clock: Clock) -> Result<Self, String> {
        let ids = Ids::system(clock.clone());
        // Their names say when they sign, so they are of the present, whatever time is asked for.
        let present = Ids::system(Clock::System { offset: config.clock_offset });
        let keys = Keys::open(&config.data.join("keys"), &present)?;
        let mailer = Mailer::open(&config.mail, &config.mail_from, &clock)?;
        let blobs = Blobs::open(&config.attachments, &config.data)?;
        let store = Store::open(config.store.expose(), &domain::collections())
            .await
            .map_err(|error| format!("The store {} could not be opened: {error}", config.store))?;
        let (limits, providers) = (Limits::new(&config.limits), Providers::new(&config)?);
        Ok(Self::new(Parts { store, mailer, blobs, clock, ids, keys, limits, providers, config }))
    }
}
