//! MongoDB's errors as the store's.

use mongodb::error::{Error, ErrorKind, WriteFailure};

use super::super::StoreError;

/// A value of a unique index is taken.
const DUPLICATE_KEY: i32 = 11_000;
/// Codes of a server that is not, or not any more, the one that takes writes, or is shutting down.
const AWAY: [i32; 10] = [6, 7, 89, 91, 189, 9001, 10_107, 11_600, 11_602, 13_435];

pub(super) fn failed(why: String) -> StoreError {
    StoreError::Failed(why)
}

pub(super) fn store_error(error: &Error) -> StoreError {
    let sentence = sentence(error);
    match code_and_message(error) {
        Some((DUPLICATE_KEY, message)) => StoreError::Conflict { constraint: constraint(message) },
        Some((code, _)) if AWAY.contains(&code) => StoreError::Unavailable(sentence),
        Some(_) => StoreError::Failed(sentence),
        None => match &*error.kind {
            ErrorKind::ServerSelection { .. }
            | ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::Authentication { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Custom(_)
            | ErrorKind::Shutdown => StoreError::Unavailable(sentence),
            _ if error.contains_label("TransientTransactionError")
                || error.contains_label("RetryableWriteError") =>
            {
                StoreError::Unavailable(sentence)
            }
            _ => StoreError::Failed(sentence),
        },
    }
}

/// What happened, without the values of documents, which a duplicate key's message repeats.
pub(super) fn sentence(error: &Error) -> String {
    if let Some((code, message)) = code_and_message(error) {
        return match code {
            DUPLICATE_KEY => format!("{} is taken", constraint(message)),
            _ => format!("MongoDB said {code}: {message}"),
        };
    }
    match &*error.kind {
        ErrorKind::Custom(what) => what.downcast_ref::<String>().cloned().unwrap_or_default(),
        ErrorKind::ServerSelection { .. } => {
            "no MongoDB server could be reached that takes writes. Is it running, and \
                                              is the replica set initiated?"
                .to_owned()
        }
        kind => kind.to_string(),
    }
}

/// The code that the server gave, if it was the server.
pub(super) fn code(error: &Error) -> Option<i32> {
    code_and_message(error).map(|(code, _)| code)
}

fn code_and_message(error: &Error) -> Option<(i32, &str)> {
    match &*error.kind {
        ErrorKind::Command(error) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some((error.code, &error.message)),
        ErrorKind::InsertMany(error) => {
            let first = error.write_errors.as_ref()?.first()?;
            Some((first.code, &first.message))
        }
        _ => None,
    }
}

/// `E11000 duplicate key error collection: db.members index: email dup key: …` is `members.email`.
fn constraint(message: &str) -> String {
    let after =
        |marker: &str| message.split_once(marker).and_then(|(_, rest)| rest.split_whitespace().next());
    let collection = after("collection: ").and_then(|name| name.split_once('.')).map_or("", |(_, name)| name);
    let index = match after("index: ").unwrap_or_default() {
        "_id_" => "_id",
        index => index,
    };
    format!("{collection}.{index}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_names_its_constraint_and_no_value() {
        let message = "E11000 duplicate key error collection: hope.members index: email dup key: { emailKey: \"a@nhs.net\" }";
        assert_eq!(constraint(message), "members.email");
        assert_eq!(
            constraint("E11000 duplicate key error collection: h.posts index: _id_ dup key: { }"),
            "posts._id"
        );
    }
}
