//! The installation's secrets: one for everything that only this service has to recognise, and the
//! keys that sign access tokens. Made at first start, readable by the service's user only.
//!
//! The folder holds `secret` (32 random bytes) and one Ed25519 key a file, `<kid>.pk8` (PKCS#8).
//! Every key there is accepted, and the last one by name signs. To rotate without downtime, put a
//! key with a later name beside the others (`openssl genpkey -algorithm ed25519 -outform DER`);
//! running processes notice it by the first token that it signed. Remove the old one when the last
//! token that it signed has expired, after ten minutes. Changing `secret` ends every session.

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
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value as Json, json};

use crate::ids::{Identified, Ids};

mod files;

/// How long an unknown `kid` is taken for unknown before the folder is read again, so that forged
/// tokens can't keep the disk busy.
const READ_AGAIN: Duration = Duration::from_secs(5);

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

    /// The key that signs.
    #[must_use]
    pub fn signing(&self) -> Option<Arc<SigningKey>> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    /// The key of this name. A name that is not known may be of a key that was put there since the
    /// start, so the folder is looked at again.
    #[must_use]
    pub fn named(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.known(kid).or_else(|| {
            self.read_again();
            self.known(kid)
        })
    }

    fn known(&self, kid: &str) -> Option<Arc<SigningKey>> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).iter().find(|key| key.kid == kid).cloned()
    }

    fn read_again(&self) {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        if read_at.elapsed() < READ_AGAIN {
            return;
        }
        *read_at = Instant::now();
        match read_ring(&self.folder) {
            Ok(ring) if !ring.is_empty() => {
                *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
            }
            Ok(_) => tracing::error!("the folder of keys holds no key any more; those in memory stay"),
            Err(problem) => tracing::error!("the folder of keys can't be read: {problem}"),
        }
    }

    /// The public halves as a JWK set (RFC 7517, RFC 8037).
    #[must_use]
    pub fn jwks(&self) -> Json {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<Json> = ring.iter().map(|key| key.jwk()).collect();
        json!({ "keys": keys })
    }
}

impl SigningKey {
    fn read(path: &Path) -> Result<Self, String> {
        let document = files::read(path)?;
        let pair = Ed25519KeyPair::from_pkcs8(&document)
            .map_err(|_| format!("{} is not an Ed25519 key in PKCS#8 form.", path.display()))?;
        let public = pair.public_key().as_ref().to_vec();
        Ok(Self {
            kid: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
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

/// Every key of the folder, by name.
fn read_ring(folder: &Path) -> Result<Vec<Arc<SigningKey>>, String> {
    let mut paths = files::with_extension(folder, "pk8")?;
    paths.sort();
    paths.iter().map(|path| SigningKey::read(path).map(Arc::new)).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::clock::Clock;

    fn ids() -> Ids {
        Ids::system(Clock::System { offset: chrono::TimeDelta::zero() })
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn keys_are_kept_and_for_the_service_alone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("deep/keys");
        let (first, again) = (Keys::open(&folder, &ids()).unwrap(), Keys::open(&folder, &ids()).unwrap());
        assert_eq!(first.tag("a", "b"), again.tag("a", "b"));
        assert_eq!(first.signing().unwrap().kid, again.signing().unwrap().kid);
        assert_eq!(mode(&folder), 0o700);
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files.iter().all(|path| mode(path) == 0o600));
    }

    #[test]
    fn processes_that_start_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let opened: Vec<Keys> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Keys::open(&path, &ids()).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(opened.iter().map(|keys| keys.tag("a", "b")).collect::<HashSet<_>>().len(), 1);
        // Each may have made a key that signs, and all of them must be known to all in the end.
        for (keys, other) in opened.iter().zip(opened.iter().skip(1)) {
            *keys.read_at.lock().unwrap() = Instant::now().checked_sub(READ_AGAIN).unwrap();
            assert!(keys.named(&other.signing().unwrap().kid).is_some());
        }
        assert!(fs::read_dir(&path).unwrap().all(|entry| !entry.unwrap().path().ends_with(".part")));
    }

    #[test]
    fn files_that_others_can_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), &ids()).unwrap();
        let secret = folder.path().join("secret");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
        let problem = Keys::open(folder.path(), &ids()).err().unwrap();
        assert!(problem.contains("chmod 600") && problem.contains("secret"), "{problem}");
    }

    #[test]
    fn damaged_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), &ids()).unwrap();
        files::read_or_make(&folder.path().join("zz.pk8"), || Ok(b"rubbish".to_vec())).unwrap();
        let problem = Keys::open(folder.path(), &ids()).err().unwrap();
        assert!(problem.contains("zz.pk8"), "{problem}");
    }

    #[test]
    fn a_key_that_is_added_is_noticed_and_signs_from_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path(), &ids()).unwrap();
        let old = keys.signing().unwrap().kid.clone();
        files::read_or_make(&folder.path().join("later.pk8"), || new_key(&[7; 32])).unwrap();
        assert!(keys.named("later").is_none(), "the folder was read a moment ago");
        *keys.read_at.lock().unwrap() = Instant::now().checked_sub(READ_AGAIN).unwrap();
        assert!(keys.named("later").is_some());
        assert_eq!(keys.signing().unwrap().kid, "later");
        assert!(keys.named(&old).is_some());
        assert_eq!(keys.jwks()["keys"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn tags_differ_by_purpose_and_data() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path(), &ids()).unwrap();
        let tag = keys.tag("code", "1");
        assert!(keys.is_tag("code", "1", &tag) && keys.is_tag("code", "1", &tag[..16]));
        for (purpose, data, tag) in
            [("link", "1", &tag[..]), ("code", "2", &tag[..]), ("code", "1", &tag[..15]), ("code", "1", &[])]
        {
            assert!(!keys.is_tag(purpose, data, tag));
        }
    }
}
