//! Attachments: files that members add to what they write.
//!
//! What somebody sends becomes a [`file`]: [`media`] says what it is, by its content alone; a
//! [`picture`] is made anew, so that nothing of the camera's stays in it; and it gets a safe [`name`].

pub mod file;
pub mod media;
pub mod name;
mod office;
pub mod picture;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use self::{file::File, media::MediaType};
use super::{comment::Comment, contribution::ContributionId, member::Member};
use crate::{
    clock::Timestamp,
    document,
    ids::Id,
    query::{Field, Filter, Index, Scalar, Value},
};

/// Bytes of a file: a report with pictures, or a photo of a large camera. Films belong elsewhere.
pub const SIZE_MAX: usize = 10 * 1024 * 1024;
/// Of one contribution or comment: more is an archive, which nobody reads.
pub const MAX_PER_TEXT: usize = 10;
/// Of one member at a time: a few texts that are being written, and no file store.
pub const UNUSED_MAX: usize = 50;
/// Bytes of those: ten of the largest.
pub const UNUSED_BYTES_MAX: i64 = 100 * 1024 * 1024;
/// How long one is kept that is not used (any more): long enough to finish a text tomorrow morning.
const UNUSED_HOURS: i64 = 24;

/// A file's description. The bytes are kept as a blob of the same id.
///
/// The document is there before its blob and outlives it by no more than the job that deletes it, so
/// there is never a blob that nothing knows of: what a crash leaves is an attachment that nobody uses,
/// and those go after a day. Nobody can ask for it earlier, since only its uploader is told the id,
/// and not before the blob is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    #[serde(rename = "_id")]
    pub id: Id<Attachment>,
    pub version: i64,
    pub uploader: Id<Member>,
    pub name: String,
    pub media_type: MediaType,
    /// Bytes.
    pub size: i64,
    /// Of a picture, in pixels, as it is shown.
    pub width: Option<i64>,
    pub height: Option<i64>,
    /// Of the bytes, in hexadecimal digits.
    pub sha256: String,
    /// The one thing that it belongs to.
    pub used_by: Option<AttachedTo>,
    pub created_at: Timestamp,
    /// When it is forgotten; null while it is used.
    pub expires_at: Option<Timestamp>,
}

document!(
    Attachment,
    "att",
    "attachments",
    [
        Index::named("unused").asc(Attachment::UPLOADER).asc(Attachment::USED_BY),
        Index::named("expires").asc(Attachment::EXPIRES_AT),
    ]
);

/// What an attachment belongs to: stored as the id's text, told apart by its prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AttachedTo {
    Contribution(ContributionId),
    Comment(Id<Comment>),
    /// As their photo.
    Member(Id<Member>),
}

impl AttachedTo {
    fn as_str(&self) -> &str {
        match self {
            Self::Contribution(id) => id.as_str(),
            Self::Comment(id) => id.as_str(),
            Self::Member(id) => id.as_str(),
        }
    }
}

impl<T> From<&Id<T>> for AttachedTo
where
    for<'a> &'a Id<T>: Into<ContributionId>,
{
    fn from(id: &Id<T>) -> Self {
        Self::Contribution(id.into())
    }
}

impl TryFrom<String> for AttachedTo {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let contribution = ContributionId::parse(&text).map(Self::Contribution);
        let comment = || Id::parse(&text).map(Self::Comment);
        let found = contribution.or_else(comment).or_else(|| Id::parse(&text).map(Self::Member));
        found.ok_or_else(|| format!("nothing can be attached to {text}"))
    }
}

impl From<AttachedTo> for String {
    fn from(to: AttachedTo) -> Self {
        to.as_str().to_owned()
    }
}

impl Scalar for AttachedTo {
    fn value(&self) -> Value {
        Value::Text(self.as_str().to_owned())
    }
}

impl Attachment {
    pub const UPLOADER: Field<Self, Id<Member>> = Field::new("uploader");
    pub const USED_BY: Field<Self, Option<AttachedTo>> = Field::new("usedBy");
    pub const EXPIRES_AT: Field<Self, Option<Timestamp>> = Field::new("expiresAt");

    /// One that nothing uses yet.
    #[must_use]
    pub fn new(id: Id<Self>, uploader: &Id<Member>, file: &File, now: Timestamp) -> Self {
        let (width, height) = file.pixels.map_or((None, None), |(width, height)| (Some(width), Some(height)));
        Self {
            id,
            version: 1,
            uploader: uploader.clone(),
            name: file.name.clone(),
            media_type: file.media_type,
            size: file.size(),
            width,
            height,
            sha256: file.sha256(),
            used_by: None,
            created_at: now,
            expires_at: Some(Self::unused_until(now)),
        }
    }

    /// When one is forgotten that nothing uses since `now`.
    #[must_use]
    pub fn unused_until(now: Timestamp) -> Timestamp {
        now.plus(TimeDelta::hours(UNUSED_HOURS))
    }

    /// What a member has uploaded that nothing uses.
    #[must_use]
    pub fn unused_of(member: &Id<Member>) -> Filter<Self> {
        Self::UPLOADER.eq(member.clone()).and(Self::USED_BY.eq(None))
    }

    /// What is forgotten by `now`.
    #[must_use]
    pub fn expired(now: Timestamp) -> Filter<Self> {
        Self::EXPIRES_AT.lt(Some(now))
    }

    /// Whether it is `member`'s own and still to be used.
    #[must_use]
    pub fn is_unused_of(&self, member: &Id<Member>, now: Timestamp) -> bool {
        let waits = self.expires_at.is_some_and(|end| end > now);
        self.used_by.is_none() && self.uploader == *member && waits
    }
}

/// What a member has uploaded and not used, as one thing to guard: it has a new version with each
/// upload, so that of several at once each is counted by the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shelf {
    /// Made of the member's.
    #[serde(rename = "_id")]
    pub id: Id<Shelf>,
    pub version: i64,
}

document!(Shelf, "shf", "attachmentShelves", []);

impl Shelf {
    #[must_use]
    pub fn of(member: &Id<Member>) -> Self {
        Self { id: Id::of(member.as_str()), version: 1 }
    }
}
