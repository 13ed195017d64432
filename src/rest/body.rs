//! JSON bodies: an object of texts, every one named, read strictly. What is wrong is said in
//! sentences that never repeat a value, which may be a code or a token.

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    error::ContentTypeError,
    payload::{Json, Payload},
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde_json::{Map, Value};

use crate::{
    error::{Code, Error, Problem},
    http::{BODY_MAX, Refusal},
};

/// A struct whose fields are all texts. Made by [`text_input!`](crate::text_input).
pub trait TextInput: Type + Sized {
    const NAMES: &'static [&'static str];
    /// `texts` has as many entries as there are names, in their order.
    fn of(texts: impl Iterator<Item = String>) -> Self;
}

/// Declares a body: its fields are required texts, by the names that clients send.
#[macro_export]
macro_rules! text_input {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $about:literal])* $field:ident = $sent:literal,)+ }) => {
        $(#[doc = $doc])*
        #[derive(poem_openapi::Object)]
        #[oai(deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $about])* #[oai(rename = $sent)] pub $field: String,)+
        }
        impl $crate::rest::body::TextInput for $name {
            const NAMES: &'static [&'static str] = &[$($sent),+];
            fn of(mut texts: impl Iterator<Item = String>) -> Self {
                Self { $($field: texts.next().unwrap_or_default(),)+ }
            }
        }
    };
}

/// A required body.
pub struct Body<T>(pub T);

/// A body that may be left out.
pub struct MaybeBody<T>(pub Option<T>);

async fn read<T: TextInput>(request: &Request, body: &mut RequestBody) -> poem::Result<Option<T>> {
    let json = request.content_type().map(<Json<T> as Payload>::check_content_type);
    if json == Some(false) {
        return Err(ContentTypeError::NotSupported { content_type: String::new() }.into());
    }
    let bytes = body.take()?.into_bytes_limit(BODY_MAX).await?;
    match json {
        _ if bytes.is_empty() => Ok(None),
        None => Err(ContentTypeError::ExpectContentType.into()),
        Some(_) => Ok(Some(parse(&bytes).map_err(Refusal)?)),
    }
}

fn parse<T: TextInput>(bytes: &[u8]) -> Result<T, Error> {
    let bad = |sentence: String| Error::Coded(Code::BadRequest, sentence);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        bad(format!("The body is not valid JSON: look at line {}, column {}.", error.line(), error.column()))
    })?;
    let Value::Object(mut fields) = value else {
        return Err(bad(format!("The body must be a JSON object with: {}.", T::NAMES.join(", "))));
    };
    if fields.keys().any(|name| !T::NAMES.contains(&name.as_str())) {
        return Err(bad(format!(
            "The body has a field that is not known here. It may have: {}.",
            T::NAMES.join(", ")
        )));
    }
    let (texts, problems) = texts(&mut fields, T::NAMES);
    if problems.is_empty() { Ok(T::of(texts.into_iter())) } else { Err(Error::Refused(problems)) }
}

fn texts(fields: &mut Map<String, Value>, names: &[&str]) -> (Vec<String>, Vec<Problem>) {
    let (mut texts, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match fields.remove(*name) {
            Some(Value::String(text)) => texts.push(text),
            None | Some(Value::Null) => {
                problems.push(Problem::new(name, Code::Required, format!("{name} is missing.")));
            }
            Some(_) => problems.push(Problem::new(name, Code::Invalid, format!("{name} must be text."))),
        }
    }
    (texts, problems)
}

fn meta<T: Type>(required: bool) -> MetaRequest {
    let schema = <Json<T> as Payload>::schema_ref();
    let content = vec![MetaMediaType { content_type: "application/json", schema }];
    MetaRequest { description: None, content, required }
}

/// Implements what poem-openapi asks of a body.
macro_rules! extractor {
    ($body:ident, $required:literal, $read:ident => $result:expr) => {
        impl<'a, T: TextInput> ApiExtractor<'a> for $body<T> {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                T::register(registry);
            }

            fn request_meta() -> Option<MetaRequest> {
                Some(meta::<T>($required))
            }

            async fn from_request(
                request: &'a Request,
                body: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let $read = read(request, body).await?;
                $result
            }
        }
    };
}

extractor!(Body, true, read => match read {
    Some(value) => Ok(Self(value)),
    None => Err(Refusal(Error::Coded(Code::BadRequest, "The body is empty: send JSON.".to_owned())).into()),
});
extractor!(MaybeBody, false, read => Ok(Self(read)));

#[cfg(test)]
mod tests {
    use super::*;

    text_input! { Both { email = "email", code = "theCode", } }

    #[test]
    fn values_are_never_repeated() {
        let secret = "BCDF2345";
        for body in [
            format!("{{\"email\": {secret}}}"),
            format!("{{\"{secret}\": 1}}"),
            format!("[\"{secret}\"]"),
            format!("\"{secret}\""),
            format!("{{\"email\": [\"{secret}\"], \"theCode\": null}}"),
            format!("{{\"email\": {{\"$gt\": \"{secret}\"}}, \"theCode\": 5}}"),
        ] {
            let error = parse::<Both>(body.as_bytes()).err().unwrap();
            let said = format!("{error:?} {error}");
            assert!(!said.contains(secret), "{said}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let Error::Refused(problems) = parse::<Both>(b"{\"email\": 5}").err().unwrap() else { panic!() };
        let found: Vec<_> =
            problems.iter().map(|problem| (problem.field[0].as_str(), problem.code)).collect();
        assert_eq!(found, [("email", Code::Invalid), ("theCode", Code::Required)]);
        let both = parse::<Both>(br#"{"theCode": "c", "email": "e"}"#).ok().unwrap();
        assert_eq!((both.email.as_str(), both.code.as_str()), ("e", "c"));
    }
}
