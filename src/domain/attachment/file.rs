//! A file on its way in: what was sent, made into what is kept.

use aws_lc_rs::digest::{SHA256, digest};

use super::{
    SIZE_MAX,
    media::{Content, MediaType},
    name,
    picture::{self, Picture},
};
use crate::{
    domain::guard::{self, Acknowledged},
    error::{Code, Error, Problem, Result},
};

/// The name of the field that brings it.
pub const FIELD: &str = "file";

/// What every member's photo is called.
const PHOTO_NAME: &str = "photo.jpg";

/// A file that can be kept and given to other members.
pub struct File {
    pub name: String,
    pub media_type: MediaType,
    pub bytes: Vec<u8>,
    /// Width and height of a picture.
    pub pixels: Option<(i64, i64)>,
}

impl File {
    /// Reads what was sent: decides what it is, makes pictures anew, and guards its name, and text
    /// that can be read as it is, against personal data. It may take a second: not for async threads.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE` with what is taken; `TOO_LARGE`; problems of the field `file`.
    pub fn read(typed_name: &str, bytes: Vec<u8>, acknowledged: Acknowledged) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::refused(FIELD, Code::Required, "The file is empty."));
        }
        if bytes.len() > SIZE_MAX {
            return Err(too_large());
        }
        let (media_type, bytes, pixels) = match Content::of(&bytes, typed_name)? {
            Content::Picture(format) => {
                let picture = picture::anew(&bytes, format)?;
                (picture.media_type, picture.bytes, Some(picture.pixels))
            }
            Content::Text(media_type, text) => {
                guarded("file", text, acknowledged)?;
                (media_type, bytes, None)
            }
            Content::Document(media_type) => (media_type, bytes, None),
        };
        let name = name::clean(typed_name, media_type);
        guarded("file name", &name, acknowledged)?;
        Ok(Self { name, media_type, bytes, pixels })
    }

    /// Reads a member's photo. The name that it had on their device is not kept.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE`; `TOO_LARGE`; problems of the field `file`.
    pub fn photo(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::refused(FIELD, Code::Required, "The file is empty."));
        }
        if bytes.len() > SIZE_MAX {
            return Err(too_large());
        }
        let Ok(Content::Picture(format)) = Content::of(bytes, "") else {
            let message = "A photo is a PNG, a JPEG, a WebP or a GIF. Send one of those.";
            return Err(Error::Coded(Code::UnsupportedMediaType, message.to_owned()));
        };
        let Picture { media_type, bytes, pixels } = picture::photo(bytes, format)?;
        Ok(Self { name: PHOTO_NAME.to_owned(), media_type, bytes, pixels: Some(pixels) })
    }

    #[must_use]
    pub fn size(&self) -> i64 {
        i64::try_from(self.bytes.len()).unwrap_or(i64::MAX)
    }

    /// The digest of the bytes, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        let digest = digest(&SHA256, &self.bytes);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The guard's word on it, told of the field whatever part of the file is meant.
fn guarded(part: &str, text: &str, acknowledged: Acknowledged) -> Result<()> {
    let told = |problem| Error::Refused(vec![Problem { field: vec![FIELD.to_owned()], ..problem }]);
    guard::refuse(part, text, acknowledged).map_err(told)
}

/// More bytes than are taken.
#[must_use]
pub fn too_large() -> Error {
    let message = format!("A file can have at most {} MB.", SIZE_MAX / 1024 / 1024);
    Error::Coded(Code::TooLarge, message)
}
