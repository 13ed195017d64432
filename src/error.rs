//! One error, and one table of codes that clients may rely on.

mod personal_data;

pub use personal_data::{Finding, PersonalData, Severity};

/// Declares [`Code`] with the name that clients see and the HTTP status that it has on REST.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $code:ident = $name:literal, $status:literal;)*) => {
        /// What went wrong, as a stable name. Names are never renamed or reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
        #[graphql(name = "ErrorCode")]
        pub enum Code { $($(#[doc = $doc])* $code,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// The name that clients see.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// The HTTP status on REST. GraphQL requests that could be served are 200 whatever they hold.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$code => $status,)* }
            }

            /// One sentence for documentation.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc),*),)* }
            }
        }
    };
}

codes! {
    /// Sign in first: the request has no valid access token.
    Unauthenticated = "UNAUTHENTICATED", 401;
    /// You may not do this.
    Forbidden = "FORBIDDEN", 403;
    /// There is no such thing, or you may not see it.
    NotFound = "NOT_FOUND", 404;
    /// The cursor was not given out by this service for this list.
    BadCursor = "BAD_CURSOR", 400;
    /// The request is malformed.
    BadRequest = "BAD_REQUEST", 400;
    /// The method is not allowed at this address.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405;
    /// The body is larger than the service takes.
    TooLarge = "TOO_LARGE", 413;
    /// The body is not of a type that the service reads.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", 415;
    /// The query asks for too much at once.
    QueryTooComplex = "QUERY_TOO_COMPLEX", 400;
    /// Too many requests; try again later.
    RateLimited = "RATE_LIMITED", 429;
    /// The service can't reach its store; try again in a moment.
    Unavailable = "UNAVAILABLE", 503;
    /// The provider of single sign-on can't be reached, or does not know this service. A code works.
    ProviderUnavailable = "PROVIDER_UNAVAILABLE", 503;
    /// The service has no room left to keep files; its operators have to make some.
    NoSpace = "NO_SPACE", 507;
    /// The service failed. The request id helps its operators to find out why.
    Internal = "INTERNAL", 500;
    /// A value is missing.
    Required = "REQUIRED", 422;
    /// A value is longer than it may be.
    TooLong = "TOO_LONG", 422;
    /// A list has more entries than it may have.
    TooMany = "TOO_MANY", 422;
    /// A value is not of the right form.
    Invalid = "INVALID", 422;
    /// A value refers to something that does not exist.
    Unknown = "UNKNOWN", 422;
    /// A text seems to identify a person, such as a patient. `personalData` has what and where.
    PersonalData = "PERSONAL_DATA", 422;
    /// Somebody else changed it since you read it. The payload holds the current object.
    Stale = "STALE", 409;
    /// The thread is locked: nobody can add to it.
    Locked = "LOCKED", 409;
    /// The thing is not in a state in which this can be done.
    WrongState = "WRONG_STATE", 409;
    /// This clientMutationId was used within the last 24 hours with other content.
    MutationIdReused = "MUTATION_ID_REUSED", 409;
    /// The code is wrong, has expired or has been used.
    WrongCode = "WRONG_CODE", 401;
    /// Show a second factor first, or set one up: the message says which, and where.
    SecondFactorRequired = "SECOND_FACTOR_REQUIRED", 403;
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// An id, or a value of a unique index, is taken. `constraint` is `collection.index`, or
    /// `collection._id`.
    #[error("{constraint} is taken")]
    Conflict { constraint: String },
    /// A guard did not hold: the document is gone or has been changed.
    #[error("{collection}/{id} is not as expected any more")]
    Stale { collection: &'static str, id: String },
    /// The store can't be reached, or did not answer in time. Trying again may help.
    #[error("the store is away: {0}")]
    Unavailable(String),
    /// The store answered something that should not be possible: a document that can't be read, a
    /// query without an index, a full disk.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// One thing to put right in what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path in the input, as the client names it: `["title"]`, `["measures", "0", "name"]`.
    pub field: Vec<String>,
    pub code: Code,
    /// A sentence for a person: what was wrong and what to do.
    pub message: String,
    /// With `PERSONAL_DATA`: what seems to identify a person, and where in the field's text.
    pub personal_data: Vec<Finding>,
}

impl Problem {
    pub fn new(field: &str, code: Code, message: impl Into<String>) -> Self {
        let field = field.split('.').map(str::to_owned).collect();
        Self { field, code, message: message.into(), personal_data: Vec::new() }
    }
}

/// Why something was not done. The first four are ordinary; a fault is logged once, at the edge, and
/// never shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was sent can't be taken as it is; everything to put right at once.
    #[error("{}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join(" "))]
    Refused(Vec<Problem>),
    /// Somebody else changed it since the version that was sent.
    #[error("It has been changed since you read it.")]
    Stale,
    /// One of the table's codes, with a sentence.
    #[error("{1}")]
    Coded(Code, String),
    #[error("Too many requests. Try again in {seconds} seconds.")]
    RateLimited { seconds: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that should not happen.
    #[error("{0}")]
    Fault(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn refused(field: &str, code: Code, message: impl Into<String>) -> Self {
        Self::Refused(vec![Problem::new(field, code, message)])
    }

    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(problems) => problems.first().map_or(Code::Invalid, |problem| problem.code),
            Self::Stale | Self::Store(StoreError::Stale { .. } | StoreError::Conflict { .. }) => Code::Stale,
            Self::Coded(code, _) => *code,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::Store(StoreError::Unavailable(_)) => Code::Unavailable,
            Self::Store(StoreError::Failed(_)) | Self::Fault(_) => Code::Internal,
        }
    }

    /// What is wrong with a code, as a problem of the field that it was sent in. Others stay as they are.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        match self {
            Self::Coded(code @ Code::WrongCode, message) => Self::refused(field, code, message),
            other => other,
        }
    }

    /// What a client may read.
    #[must_use]
    pub fn public_message(&self) -> String {
        match self.code() {
            code @ (Code::Internal | Code::Unavailable) => code.meaning().trim().to_owned(),
            _ => self.to_string(),
        }
    }
}

/// Not signed in.
#[must_use]
pub fn unauthenticated() -> Error {
    Error::Coded(Code::Unauthenticated, "Sign in first.".to_owned())
}

/// There is no such thing, or it is not for this viewer: the two look the same.
pub fn not_found(what: &str) -> Error {
    Error::Coded(Code::NotFound, format!("There is no such {what}."))
}

pub fn forbidden(message: &str) -> Error {
    Error::Coded(Code::Forbidden, message.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_statuses_are_errors() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status())));
    }

    #[test]
    fn faults_do_not_leak() {
        let fault = Error::Store(StoreError::Failed("secret detail".to_owned()));
        assert!(!fault.public_message().contains("secret"));
        let away = Error::Store(StoreError::Unavailable("mongodb://user:pass@host".to_owned()));
        assert!(!away.public_message().contains("pass"));
    }
}
