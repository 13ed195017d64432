//! What SQLite's errors mean here.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use super::super::StoreError;

/// The error of a statement.
pub(super) fn failed(error: Error) -> StoreError {
    let Error::SqliteFailure(cause, message) = &error else {
        return StoreError::Failed(error.to_string());
    };
    let said = || message.clone().unwrap_or_else(|| cause.to_string());
    match cause.code {
        ErrorCode::ConstraintViolation if is_unique(cause.extended_code) => {
            StoreError::Conflict { constraint: constraint(&said()) }
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Unavailable("another process keeps the file to itself".to_owned())
        }
        ErrorCode::CannotOpen => StoreError::Unavailable(format!("its file can't be opened: {}", said())),
        ErrorCode::DiskFull => StoreError::Failed(
            "the disk is full: nothing can be written until there is space again".to_owned(),
        ),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::Failed(format!("its file is damaged ({}): restore a copy", said()))
        }
        ErrorCode::SystemIoFailure => StoreError::Failed(format!("the disk failed: {}", said())),
        ErrorCode::ReadOnly => StoreError::Failed("its file can't be written to".to_owned()),
        _ => StoreError::Failed(said()),
    }
}

/// The same when the file is being opened, where the operator is looking.
pub(super) fn at_open(path: &Path, error: &Error) -> StoreError {
    let path = path.display();
    let said = match error {
        Error::SqliteFailure(cause, _) if cause.code == ErrorCode::NotADatabase => {
            "it is not an SQLite database".to_owned()
        }
        Error::SqliteFailure(cause, _) if cause.code == ErrorCode::DatabaseBusy => {
            "another process keeps it to itself".to_owned()
        }
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    StoreError::Unavailable(format!("{path} can't be used as a store: {said}"))
}

pub(super) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether a statement failed because an index that it names is not there.
pub(super) fn is_missing_index(message: &str) -> bool {
    message.contains("no such index") || message.contains("no query solution")
}

fn is_unique(extended_code: i32) -> bool {
    [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY].contains(&extended_code)
}

/// `collection.index` out of what SQLite says, which is `index 'posts.slug'` of an index on
/// expressions, `posts.aliases.k0, posts.aliases.k1` of the table of an array index, and `posts.id`.
fn constraint(message: &str) -> String {
    let what = message.rsplit_once(": ").map_or(message, |(_, what)| what);
    if let Some(index) = what.strip_prefix("index '") {
        return index.trim_end_matches('\'').to_owned();
    }
    let first = what.split(',').next().unwrap_or(what);
    match first.rsplit_once('.') {
        Some((table, _)) if table.contains('.') => table.to_owned(),
        Some((table, _)) => format!("{table}._id"),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_collection_and_index() {
        for (message, expected) in [
            ("UNIQUE constraint failed: index 'posts.slug'", "posts.slug"),
            ("UNIQUE constraint failed: posts.aliases.k0, posts.aliases.k1", "posts.aliases"),
            ("UNIQUE constraint failed: posts.id", "posts._id"),
        ] {
            assert_eq!(constraint(message), expected);
        }
    }
}
