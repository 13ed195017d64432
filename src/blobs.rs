//! Blobs: the bytes of attachments, in a folder or in an object store that speaks S3.
//!
//! A blob has its attachment's id for a name and not its content's digest: it belongs to one document,
//! so that it can go with it, and nobody has to count who else means the same bytes.

use std::{error, fs, io, path::Path, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use object_store::{
    BackoffConfig, ClientOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
    aws::AmazonS3Builder, local::LocalFileSystem, path::Path as Key,
};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use url::Url;

use crate::{
    config::Secret,
    error::{Code, Error, StoreError},
    ids::Id,
};

/// Ten megabytes over a slow line. A client waits no longer than this for its answer.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// For the whole of a download, once it has begun.
const READ_WITHIN: Duration = Duration::from_secs(120);

/// Bytes that are sent at once of a blob that is written piece by piece: S3 wants all but the last part to
/// be of one size, of 5 MiB at least.
const PART: usize = 8 * 1024 * 1024;

/// Where blobs are. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Below which name they are.
    prefix: Key,
    /// The folder, if they are in one.
    folder: Option<Arc<Path>>,
}

/// Why a blob could not be kept, given or deleted. The texts are for operators.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no room for another file: {0}")]
    Full(String),
    /// Trying again may help.
    #[error("the files can't be reached: {0}")]
    Away(String),
    #[error("a file is missing: {0}")]
    Missing(String),
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full(_) => {
                tracing::error!(%error, "a file was not taken");
                Self::Coded(Code::NoSpace, Code::NoSpace.meaning().trim().to_owned())
            }
            BlobError::Away(_) => StoreError::Unavailable(error.to_string()).into(),
            BlobError::Missing(_) => Self::Fault(error.to_string()),
        }
    }
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { path, .. } => Self::Missing(path),
            error if is_full(&error) => Self::Full(error.to_string()),
            error => Self::Away(error.to_string()),
        }
    }
}

/// Whether the disk, or what one may have of it, is used up.
fn is_full(error: &(dyn error::Error + 'static)) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
        || error.source().is_some_and(is_full)
}

async fn within<T>(
    limit: Duration,
    operation: impl Future<Output = Result<T, object_store::Error>>,
) -> Result<T, BlobError> {
    match timeout(limit, operation).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(BlobError::Away(format!("no answer within {} seconds", limit.as_secs()))),
    }
}

impl Blobs {
    /// Reads the setting `attachments`: `dir://` for a folder in `data`, `dir://PATH`, or
    /// `s3://KEY:SECRET@BUCKET/PREFIX?region=…&endpoint=…`. Connects to nothing yet.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the setting, or with the folder.
    pub fn open(uri: &Secret, data: &Path) -> Result<Self, String> {
        match uri.expose().split_once("://") {
            Some(("dir", "")) => Self::folder(&data.join("attachments")),
            Some(("dir", path)) => Self::folder(path.as_ref()),
            Some(("s3", _)) => Self::s3(uri),
            _ => {
                Err(format!("attachments is {uri}, but must be dir://PATH or s3://KEY:SECRET@BUCKET/PREFIX."))
            }
        }
    }

    fn folder(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn error::Error| {
            format!("The folder of attachments {} can't be used: {error}.", path.display())
        };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(|error| failed(&error))?;
        // A file has its name when it is whole, and is on the disk when its upload is answered.
        let store = LocalFileSystem::new_with_prefix(path).map_err(|error| failed(&error))?.with_fsync(true);
        Ok(Self { store: Arc::new(store), prefix: Key::default(), folder: Some(path.into()) })
    }

    fn s3(uri: &Secret) -> Result<Self, String> {
        let wrong = |what: &str| format!("attachments is {uri}: {what}.");
        let url = Url::parse(uri.expose()).map_err(|error| wrong(&error.to_string()))?;
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(url.host_str().ok_or_else(|| wrong("it names no bucket"))?)
            .with_region("eu-west-2")
            // One by one: not every store that speaks S3 can delete many at once.
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: 3,
                retry_timeout: ANSWER_WITHIN,
            });
        // Without a key, the machine's own role is asked for one.
        if !url.username().is_empty() {
            let secret = url.password().ok_or_else(|| wrong("it has a key without a secret"))?;
            builder = builder.with_access_key_id(plain(url.username())).with_secret_access_key(plain(secret));
        }
        let mut is_plain_http = false;
        for (name, value) in url.query_pairs() {
            builder = match name.as_ref() {
                "region" => builder.with_region(value),
                "endpoint" => {
                    is_plain_http = value.starts_with("http://");
                    builder.with_endpoint(value)
                }
                _ => return Err(wrong("only region and endpoint can stand after the question mark")),
            };
        }
        let client = ClientOptions::new()
            .with_allow_http(is_plain_http)
            .with_connect_timeout(ANSWER_WITHIN)
            .with_timeout(READ_WITHIN);
        let store = builder.with_client_options(client).build().map_err(|error| wrong(&error.to_string()))?;
        let prefix = Key::parse(plain(url.path())).map_err(|error| wrong(&error.to_string()))?;
        Ok(Self { store: Arc::new(store), prefix, folder: None })
    }

    fn key<T>(&self, id: &Id<T>) -> Key {
        self.prefix.clone().join(id.as_str())
    }

    /// Keeps a blob: when this returns `Ok`, it outlives a crash; otherwise there is none, or it is
    /// there whole and nothing knows of it.
    ///
    /// # Errors
    /// `Full`, `Away`.
    pub async fn put<T>(&self, id: &Id<T>, bytes: Vec<u8>) -> Result<(), BlobError> {
        match within(WRITE_WITHIN, self.store.put(&self.key(id), PutPayload::from(bytes))).await {
            Ok(_) => Ok(()),
            // What is missing when a file is new is the place for it.
            Err(BlobError::Missing(path)) => Err(BlobError::Away(format!("there is no bucket for {path}"))),
            Err(error) => Err(error),
        }
    }

    /// Begins a blob whose bytes come one after the other, as many as there may be. It is there once it is
    /// [finished](Writer::finish); what was begun before under its id is forgotten.
    ///
    /// # Errors
    /// `Full`, `Away`.
    pub async fn begin<T>(&self, id: &Id<T>) -> Result<Writer, BlobError> {
        self.delete(id).await?;
        let upload = within(ANSWER_WITHIN, self.store.put_multipart(&self.key(id))).await?;
        Ok(Writer { upload, part: Vec::new(), size: 0 })
    }

    /// A blob's bytes, as they come.
    ///
    /// # Errors
    /// `Missing`, `Away`. What goes wrong later breaks the stream off.
    pub async fn get<T>(
        &self,
        id: &Id<T>,
    ) -> Result<impl Stream<Item = io::Result<bytes::Bytes>> + Send + use<T>, BlobError> {
        let found = within(ANSWER_WITHIN, self.store.get(&self.key(id))).await?;
        Ok(found.into_stream().map(|part| part.map_err(io::Error::other)))
    }

    /// Tries what uploads need, as `hope check` does. `id` is nobody's.
    ///
    /// # Errors
    /// `Full`, `Away`.
    pub async fn check<T>(&self, id: &Id<T>) -> Result<(), BlobError> {
        self.put(id, b"hope check".to_vec()).await?;
        self.delete(id).await
    }

    /// Deletes a blob, if it is there.
    ///
    /// # Errors
    /// `Away`.
    pub async fn delete<T>(&self, id: &Id<T>) -> Result<(), BlobError> {
        if let Some(folder) = &self.folder {
            // What a crash left of it while it was written: `object_store` names it so.
            tokio::fs::remove_file(folder.join(format!("{}#1", id.as_str()))).await.ok();
        }
        match within(ANSWER_WITHIN, self.store.delete(&self.key(id))).await {
            Ok(()) | Err(BlobError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A blob that is being written, in memory that does not grow with it.
pub struct Writer {
    upload: Box<dyn MultipartUpload>,
    /// What has come for the next part.
    part: Vec<u8>,
    size: i64,
}

impl Writer {
    /// # Errors
    /// `Full`, `Away`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.part.extend_from_slice(bytes);
        self.size += i64::try_from(bytes.len()).unwrap_or_default();
        while self.part.len() >= PART {
            let rest = self.part.split_off(PART);
            self.send(rest).await?;
        }
        Ok(())
    }

    async fn send(&mut self, rest: Vec<u8>) -> Result<(), BlobError> {
        let part = std::mem::replace(&mut self.part, rest);
        within(WRITE_WITHIN, self.upload.put_part(PutPayload::from(part))).await
    }

    /// Returns how many bytes it has, when they would outlive a crash.
    ///
    /// # Errors
    /// `Full`, `Away`.
    pub async fn finish(mut self) -> Result<i64, BlobError> {
        self.send(Vec::new()).await?;
        within(WRITE_WITHIN, self.upload.complete()).await?;
        Ok(self.size)
    }
}
