//! What MongoDB's errors mean here.

use std::time::Duration;

use mongodb::error::{Error, ErrorKind, WriteFailure};

use super::super::StoreError;

/// A value of a unique index is taken.
const DUPLICATE_KEY: i32 = 11_000;
const DISK_FULL: i32 = 14_031;

/// The index that a question names does not exist, or does not answer it.
const MISSING_INDEX: [i32; 2] = [2, 291];

/// Codes of a server that can't serve now, but may in a moment: it is starting, stopping, no longer
/// the primary, waiting for another member, or was told to stop waiting.
const AWAY: [i32; 21] = [
    6, 7, 24, 50, 64, 89, 91, 100, 112, 133, 134, 189, 251, 262, 9_001, 10_058, 10_107, 11_600, 11_602,
    13_435, 13_436,
];

/// The error of an operation on `collection`.
pub(super) fn failed(collection: &str, error: &Error) -> StoreError {
    match &*error.kind {
        ErrorKind::ServerSelection { .. } => {
            StoreError::Unavailable("no MongoDB server that can be written to answers".to_owned())
        }
        ErrorKind::Io(cause) => StoreError::Unavailable(format!("the connection to MongoDB broke: {cause}")),
        ErrorKind::ConnectionPoolCleared { .. } => {
            StoreError::Unavailable("the connection to MongoDB broke".to_owned())
        }
        ErrorKind::DnsResolve { message, .. } => {
            StoreError::Unavailable(format!("MongoDB's name can't be resolved: {message}"))
        }
        ErrorKind::Authentication { .. } => {
            StoreError::Unavailable("MongoDB does not accept the user name and password".to_owned())
        }
        ErrorKind::Shutdown => closed(),
        ErrorKind::Write(WriteFailure::WriteError(error)) => coded(collection, error.code, &error.message),
        ErrorKind::InsertMany(errors) => match errors.write_errors.as_deref() {
            Some([error, ..]) => coded(collection, error.code, &error.message),
            _ => unacknowledged(),
        },
        ErrorKind::Write(WriteFailure::WriteConcernError(_)) => unacknowledged(),
        ErrorKind::Command(error) => coded(collection, error.code, &error.message),
        other => StoreError::Failed(other.to_string()),
    }
}

fn coded(collection: &str, code: i32, message: &str) -> StoreError {
    match code {
        DUPLICATE_KEY => StoreError::Conflict { constraint: constraint(collection, message) },
        DISK_FULL => StoreError::Failed(
            "MongoDB's disk is full: nothing can be written until there is space again".to_owned(),
        ),
        code if AWAY.contains(&code) => {
            StoreError::Unavailable(format!("MongoDB can't serve now: {message}"))
        }
        _ => StoreError::Failed(message.to_owned()),
    }
}

fn unacknowledged() -> StoreError {
    StoreError::Unavailable("MongoDB has not said that enough of its members have the change".to_owned())
}

/// `collection.index` out of `E11000 duplicate key error collection: db.posts index: hope_slug dup
/// key: { slug: "…" }`. The values stay out of it: they may be anybody's e-mail address.
fn constraint(collection: &str, message: &str) -> String {
    let index = message.split_once(" index: ").map_or("", |(_, rest)| rest);
    let index = index.split(' ').next().unwrap_or(index);
    match index {
        "_id_" => format!("{collection}._id"),
        index => format!("{collection}.{}", index.strip_prefix(super::indexes::PREFIX).unwrap_or(index)),
    }
}

pub(super) fn is_missing_index(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(error) if MISSING_INDEX.contains(&error.code))
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("it has been closed".to_owned())
}

pub(super) fn late(patience: Duration) -> StoreError {
    StoreError::Unavailable(format!("MongoDB did not answer within {} s", patience.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_the_index_and_no_value() {
        let said =
            "E11000 duplicate key error collection: hope.members index: hope_email dup key: { email: \"a\" }";
        assert_eq!(constraint("members", said), "members.email");
        let said = "E11000 duplicate key error collection: hope.members index: _id_ dup key: { _id: \"a\" }";
        assert_eq!(constraint("members", said), "members._id");
    }
}
