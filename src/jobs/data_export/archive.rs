//! A ZIP on its way to where blobs are kept.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value as Json;
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::NotMade;
use crate::{
    blobs::{Blobs, Writer},
    domain::data_export::DataExport,
    error::Error,
    ids::Id,
};

/// Writes files one after the other. What is compressed goes on to the blob after each piece.
pub(super) struct Archive {
    zip: ZipWriter<StreamWriter<Passage>>,
    passage: Passage,
    blob: Writer,
    /// Whether the list that is being written has something in it.
    is_begun: bool,
}

/// Where compressed bytes wait for the blob, which takes them without blocking a thread.
#[derive(Clone, Default)]
struct Passage(Arc<Mutex<Vec<u8>>>);

impl Passage {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Passage {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<zip::result::ZipError> for NotMade {
    fn from(error: zip::result::ZipError) -> Self {
        Error::Fault(format!("a ZIP can't be written: {error}")).into()
    }
}

impl Archive {
    pub async fn begin(blobs: &Blobs, id: &Id<DataExport>) -> Result<Self, NotMade> {
        let (passage, blob) = (Passage::default(), blobs.begin(id).await?);
        Ok(Self { zip: ZipWriter::new_stream(passage.clone()), passage, blob, is_begun: false })
    }

    /// Begins a file.
    pub fn file(&mut self, name: &str) -> Result<(), NotMade> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        Ok(self.zip.start_file(name, options)?)
    }

    /// More of the file that was begun last.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), NotMade> {
        self.zip.write_all(bytes).map_err(|error| Error::Fault(error.to_string()))?;
        Ok(self.blob.write(&self.passage.take()).await?)
    }

    /// A file with one value.
    pub async fn value(&mut self, name: &str, value: &Json) -> Result<(), NotMade> {
        self.file(name)?;
        self.write(format!("{value:#}\n").as_bytes()).await
    }

    /// Begins a file with a list of values.
    pub fn list(&mut self, name: &str) -> Result<(), NotMade> {
        self.is_begun = false;
        self.file(name)
    }

    pub async fn item(&mut self, value: &Json) -> Result<(), NotMade> {
        let before = if self.is_begun { ",\n" } else { "[\n" };
        self.is_begun = true;
        self.write(format!("{before}{value:#}").as_bytes()).await
    }

    pub async fn end_of_list(&mut self) -> Result<(), NotMade> {
        let end = if self.is_begun { "\n]\n" } else { "[]\n" };
        self.write(end.as_bytes()).await
    }

    /// Returns how many bytes it has, when they are kept.
    pub async fn finish(mut self) -> Result<i64, NotMade> {
        self.zip.finish()?;
        self.blob.write(&self.passage.take()).await?;
        Ok(self.blob.finish().await?)
    }
}
