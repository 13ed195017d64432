//! What mutations answer: the object, or what to put right.

use async_graphql::{ErrorExtensions, SimpleObject};

use crate::error::{Code, Error, Finding, PersonalData, Problem, Severity};

/// Something to put right in what was sent.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The path in the input: `["title"]`, `["topicIds", "0"]`.
    pub field: Vec<String>,
    /// A sentence for a person.
    pub message: String,
    /// A stable code for a program.
    pub code: Code,
    /// With `PERSONAL_DATA`: every place in the field's text that seems to identify a person.
    pub personal_data: Option<Vec<PersonalDataFinding>>,
}

/// A place in a text that seems to identify a person. The words themselves are repeated nowhere.
#[derive(Clone, Debug, SimpleObject)]
pub struct PersonalDataFinding {
    pub kind: PersonalData,
    pub severity: Severity,
    /// Where it begins in the text as it was sent, in characters (Unicode scalar values, not UTF-16
    /// units) from 0. In JavaScript: `Array.from(text).slice(start, end)`.
    pub start: usize,
    /// Where it ends; the first character that is no longer part of it.
    pub end: usize,
}

impl From<Finding> for PersonalDataFinding {
    fn from(Finding { kind, severity, start, end }: Finding) -> Self {
        Self { kind, severity, start, end }
    }
}

impl From<Problem> for UserError {
    fn from(problem: Problem) -> Self {
        let Problem { field, code, message, personal_data } = problem;
        let personal_data = (code == Code::PersonalData)
            .then(|| personal_data.into_iter().map(PersonalDataFinding::from).collect());
        Self { field, message, code, personal_data }
    }
}

/// Declares a mutation's payload: `payload!(CreatePostPayload { post: Post })`. An object of another noun
/// than the mutation is about is a `Result<Post>`: where the viewer's token is not good for reading it, the
/// answer says so in its place, as what was done is done.
macro_rules! payload {
    ($(#[doc = $doc:literal])* $name:ident { $field:ident: $type:ty }) => {
        $(#[doc = $doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            /// The object; none when it could not be made or changed.
            pub $field: Option<$type>,
            /// What to put right; empty when all went well.
            pub user_errors: Vec<$crate::graphql::payload::UserError>,
            /// As sent.
            pub client_mutation_id: Option<String>,
        }

        impl $name {
            pub(in $crate::graphql) fn of<T>(
                outcome: $crate::error::Result<T>,
                client_mutation_id: Option<String>,
                wrap: impl FnOnce(T) -> $type,
            ) -> async_graphql::Result<Self> {
                let (object, user_errors) = $crate::graphql::payload::outcome(outcome)?;
                Ok(Self { $field: object.map(wrap), user_errors, client_mutation_id })
            }
        }
    };
}
pub(super) use payload;

/// Parts a result into what a payload holds, and errors of requests that could not be served.
///
/// # Errors
/// Whatever the client can't put right by changing the input.
pub fn outcome<T>(result: crate::error::Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(object) => Ok((Some(object), Vec::new())),
        Err(Error::Refused(problems)) => Ok((None, problems.into_iter().map(UserError::from).collect())),
        Err(error @ Error::Stale) => Ok((None, vec![stale(&error)])),
        Err(error) => Err(top(error)),
    }
}

fn stale(error: &Error) -> UserError {
    UserError {
        field: vec!["expectedVersion".to_owned()],
        message: format!("{error} Look at what is there now and try again."),
        code: Code::Stale,
        personal_data: None,
    }
}

/// An error of the whole request, with its stable code. Faults are logged here, once.
pub fn top(error: impl Into<Error>) -> async_graphql::Error {
    let error = error.into();
    let code = error.code();
    if matches!(code, Code::Internal | Code::Unavailable) {
        tracing::error!(code = code.name(), error = %error, "a GraphQL field could not be resolved");
    }
    async_graphql::Error::new(error.public_message())
        .extend_with(|_, extensions| extensions.set("code", code.name()))
}
