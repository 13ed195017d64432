//! The installation's secrets: one for everything that only this service has to recognise, and the
//! keys that sign access tokens. Made at first start, readable by the service's user only.
//!
//! The folder holds `secret` (32 random bytes) and one Ed25519 key a file, `<kid>.pk8` (PKCS#8). Changing
//! `secret` ends every session, and has every authenticator app and recovery code registered anew.
//!
//! Keys rotate without downtime. Every key in the folder is published and accepted. A key's name is an id
//! made of the moment from which it signs: a new one is there some minutes before ([`LEAD_MINUTES`]), in
//! which every process reads it and everybody who keeps a copy of the published ones asks again. From then
//! on it signs, until the next. It is removed when the last token that it signed has expired.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value as Json, json};

use crate::{
    clock::{Clock, Timestamp},
    ids::{Id, Identified, Ids},
};

mod files;

/// How long an unknown `kid` is taken for unknown before the folder is read again, so that forged
/// tokens can't keep the disk busy.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// How old what is known of the folder may be.
const READ_EVERY: Duration = Duration::from_secs(20);

/// How long a new key is published before it signs: longer than processes ([`READ_EVERY`]) and those who
/// keep the published keys (a minute, says their answer) take to notice it, with room for slow folders.
pub const LEAD_MINUTES: i64 = 5;

/// For so long after another key took over, tokens that a key signed may be about: those last ten minutes,
/// and some more for processes that noticed late and clocks that differ.
pub const KEPT_MINUTES: i64 = 20;

/// Secrets in memory. Never printed, never stored in the store.
pub struct Keys {
    secret: hmac::Key,
    folder: PathBuf,
    ring: RwLock<Vec<Arc<SigningKey>>>,
    read_at: Mutex<Instant>,
}

/// A key that signs or signed access tokens.
pub struct SigningKey {
    pub kid: String,
    /// When it takes over from the one before. A key whose name doesn't say is older than all that do.
    pub signs_from: Timestamp,
    pub encoding: EncodingKey,
    pub decoding: DecodingKey,
    /// Tokens that were found to be signed with it.
    pub signed: Signed,
    public: Vec<u8>,
}

/// Digests of texts whose signature was good: a program sends one token with hundreds of requests,
/// and checking the signature is the dearest part of looking at it. Only the signature is
/// remembered; what a token says is looked at each time.
#[derive(Default)]
pub struct Signed(Mutex<HashSet<[u8; 32]>>);

impl Signed {
    /// Forgotten all at once: tokens live for ten minutes, so few of them would be seen again.
    const MAX: usize = 10_000;

    #[must_use]
    pub fn contains(&self, text: &[u8; 32]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(text)
    }

    pub fn insert(&self, text: [u8; 32]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= Self::MAX {
            known.clear();
        }
        known.insert(text);
    }
}

impl Identified for SigningKey {
    const PREFIX: &'static str = "key";
}

impl Keys {
    /// Reads the keys in `folder`, making those that are missing. Several processes that start at
    /// once end up with the same ones.
    ///
    /// # Errors
    /// A sentence that names the file that could not be read or written, or that others can read.
    pub fn open(folder: &Path, ids: &Ids) -> Result<Self, String> {
        files::private_folder(folder)?;
        let secret = files::read_or_make(&folder.join("secret"), || Ok(ids.bytes::<32>().to_vec()))?;
        if secret.len() < 32 {
            return Err(format!("{} must hold at least 32 bytes.", folder.join("secret").display()));
        }
        if read_ring(folder)?.is_empty() {
            let path = folder.join(format!("{}.pk8", ids.fresh::<SigningKey>()));
            files::read_or_make(&path, || new_key(&ids.bytes::<32>()))?;
        }
        Ok(Self {
            secret: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            ring: RwLock::new(read_ring(folder)?),
            folder: folder.to_owned(),
            read_at: Mutex::new(Instant::now()),
        })
    }

    /// A tag that only this installation can make for `data`. Each `purpose` has tags of its own, so
    /// that what is shown for one can't be used for another.
    #[must_use]
    pub fn tag(&self, purpose: &str, data: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(data.as_bytes());
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag` is the beginning (at least 16 bytes) of the tag for `data`, in constant time.
    #[must_use]
    pub fn is_tag(&self, purpose: &str, data: &str, tag: &[u8]) -> bool {
        let expected = self.tag(purpose, data);
        (16..=expected.len()).contains(&tag.len())
            && aws_lc_rs::constant_time::verify_slices_are_equal(&expected[..tag.len()], tag).is_ok()
    }

    /// The key that signs at `now`: the latest whose time has come or, where none has, the first.
    #[must_use]
    pub fn signing(&self, now: Timestamp) -> Option<Arc<SigningKey>> {
        self.read_when_older_than(READ_EVERY);
        let ring = self.all();
        let due = ring.iter().rfind(|key| key.signs_from <= now);
        due.or_else(|| ring.first()).cloned()
    }

    /// The key of this name. A name that is not known may be of a key that was put there a moment ago, so
    /// the folder is looked at again.
    #[must_use]
    pub fn named(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.read_when_older_than(READ_EVERY);
        self.known(kid).or_else(|| {
            self.read_when_older_than(READ_AGAIN);
            self.known(kid)
        })
    }

    /// Makes a key that signs from then on, and publishes it now. One that waits already is as good.
    ///
    /// # Errors
    /// A sentence that names the file that could not be read or written.
    pub fn rotate(
        &self,
        ids: &Ids,
        now: Timestamp,
        signs_from: Timestamp,
    ) -> Result<Arc<SigningKey>, String> {
        self.read()?;
        let ring = self.all();
        if let Some(waiting) = ring.iter().find(|key| key.signs_from > now) {
            return Ok(Arc::clone(waiting));
        }
        let kid: Id<SigningKey> = Ids::system(Clock::manual(signs_from)).fresh();
        files::read_or_make(&self.folder.join(format!("{kid}.pk8")), || new_key(&ids.bytes::<32>()))?;
        self.read()?;
        self.known(kid.as_str()).ok_or_else(|| format!("The key {kid} is gone again."))
    }

    /// Removes the keys that signed nothing that still works at `now`, and says which those were. What
    /// can't be removed is said in the log, and tried again.
    pub fn retire(&self, now: Timestamp) -> Vec<String> {
        self.read_when_older_than(READ_EVERY);
        let since = now.minus(TimeDelta::minutes(KEPT_MINUTES));
        let over = |pair: &[Arc<SigningKey>]| pair[1].signs_from <= since;
        let over = self.all().windows(2).filter(|pair| over(pair)).map(|pair| pair[0].kid.clone()).collect();
        self.remove(over)
    }

    /// Removes all keys but this one at once: tokens that they signed work no more, and whoever has one
    /// gets another with their refresh token.
    pub fn keep_only(&self, kid: &str) -> Vec<String> {
        self.remove(self.all().iter().filter(|key| key.kid != kid).map(|key| key.kid.clone()).collect())
    }

    fn remove(&self, mut kids: Vec<String>) -> Vec<String> {
        kids.retain(|kid| match files::remove(&self.folder.join(format!("{kid}.pk8"))) {
            Ok(()) => {
                tracing::info!(kid, "a signing key is removed");
                true
            }
            Err(problem) => {
                tracing::error!("a signing key can't be removed: {problem}");
                false
            }
        });
        if !kids.is_empty()
            && let Err(problem) = self.read()
        {
            tracing::error!("the folder of keys can't be read: {problem}");
        }
        kids
    }

    /// Every key that is accepted, in the order in which they sign.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<SigningKey>> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn known(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).iter().find(|key| key.kid == kid).cloned()
    }

    fn read_when_older_than(&self, age: Duration) {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        if read_at.elapsed() < age {
            return;
        }
        *read_at = Instant::now();
        drop(read_at);
        if let Err(problem) = self.read() {
            tracing::error!("the folder of keys can't be read, so those in memory stay: {problem}");
        }
    }

    /// Reads the folder. Keys that were known stay the same, with what they remember.
    fn read(&self) -> Result<(), String> {
        let mut found = read_ring(&self.folder)?;
        if found.is_empty() {
            return Err(format!("{} holds no key.", self.folder.display()));
        }
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        for key in &mut found {
            if let Some(known) = ring.iter().find(|known| known.kid == key.kid && known.public == key.public)
            {
                *key = Arc::clone(known);
            }
        }
        *ring = found;
        Ok(())
    }

    /// The public halves as a JWK set (RFC 7517, RFC 8037).
    #[must_use]
    pub fn jwks(&self) -> Json {
        self.read_when_older_than(READ_EVERY);
        let keys: Vec<Json> = self.all().iter().map(|key| key.jwk()).collect();
        json!({ "keys": keys })
    }
}

impl SigningKey {
    fn read(path: &Path) -> Result<Self, String> {
        let document = files::read(path)?;
        let pair = Ed25519KeyPair::from_pkcs8(&document)
            .map_err(|_| format!("{} is not an Ed25519 key in PKCS#8 form.", path.display()))?;
        let public = pair.public_key().as_ref().to_vec();
        let kid = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self {
            signs_from: Id::<Self>::parse(&kid).and_then(|id| id.made_at()).unwrap_or(Timestamp::MIN),
            kid,
            encoding: EncodingKey::from_ed_der(&document),
            decoding: DecodingKey::from_ed_der(&public),
            signed: Signed::default(),
            public,
        })
    }

    fn jwk(&self) -> Json {
        json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "kid": self.kid, "x": BASE64_URL_SAFE_NO_PAD.encode(&self.public),
        })
    }
}

fn new_key(seed: &[u8; 32]) -> Result<Vec<u8>, String> {
    let document = Ed25519KeyPair::from_seed_unchecked(seed).ok().and_then(|pair| pair.to_pkcs8().ok());
    Ok(document.ok_or("An Ed25519 key could not be made.")?.as_ref().to_vec())
}

/// Every key of the folder, in the order in which they sign.
fn read_ring(folder: &Path) -> Result<Vec<Arc<SigningKey>>, String> {
    let paths = files::with_extension(folder, "pk8")?;
    // One that was removed between the two looks is none.
    let present = paths.iter().filter(|path| path.exists());
    let mut ring: Vec<_> =
        present.map(|path| SigningKey::read(path).map(Arc::new)).collect::<Result<_, _>>()?;
    ring.sort_by(|one, other| (one.signs_from, &one.kid).cmp(&(other.signs_from, &other.kid)));
    Ok(ring)
}

#[cfg(test)]
mod tests;
