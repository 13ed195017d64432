//! The body of an upload: one file, as browsers' forms send it (RFC 7578).

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use poem::{
    Body, FromRequest, Request, RequestBody,
    http::header,
    web::{Field, Multipart},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    payload::Payload,
    registry::{MetaMediaType, MetaRequest, Registry},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf, copy, sink},
    time::timeout,
};

use crate::{
    actions::attachment::Upload,
    domain::{
        attachment::{
            SIZE_MAX,
            file::{FIELD, too_large},
        },
        guard::Acknowledged,
    },
    error::{Code, Error, Result},
};

/// A body that takes longer to arrive is not waited for.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// The file, and what a form has around it.
const BODY_MAX: u64 = SIZE_MAX as u64 + 64 * 1024;
/// Of a body that is refused, so much is read and forgotten.
const REFUSED_MAX: u64 = 100 * 1024 * 1024;
const ACKNOWLEDGE: &str = "acknowledgePersonalData";

/// What the specification says of the form.
#[derive(poem_openapi::Multipart)]
#[oai(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its description is used: the derived reader has no limits")]
struct Form {
    /// At most 10 MB, with its name.
    file: poem_openapi::types::multipart::Upload,
    /// Says that the places in its name and text that may identify a person (the code `PERSONAL_DATA`)
    /// identify no patient.
    acknowledge_personal_data: Option<bool>,
}

/// A form that is still to be read: who sends it is asked first.
pub struct Sent(Result<Multipart>);

impl Sent {
    /// # Errors
    /// `TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`, `BAD_REQUEST`; problems of the form's fields.
    pub async fn read(self) -> Result<Upload> {
        let form = self.0?;
        let slow = |_| Error::Coded(Code::BadRequest, "The body did not arrive whole in time.".to_owned());
        timeout(BODY_WITHIN, read(form)).await.map_err(slow)?
    }
}

async fn read(mut form: Multipart) -> Result<Upload> {
    let (mut file, mut acknowledged) = (None, Acknowledged::Nothing);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some(FIELD) if file.is_none() => {
                // Forms write a quotation mark so, and nothing else.
                let name = field.file_name().unwrap_or_default().replace("%22", "\"");
                file = Some((name, content(field, SIZE_MAX).await?.ok_or_else(too_large)?));
            }
            Some(ACKNOWLEDGE) => {
                acknowledged = match content(field, 5).await?.as_deref() {
                    Some(b"true") => Acknowledged::Warnings,
                    Some(b"false") => Acknowledged::Nothing,
                    _ => return Err(Error::refused(ACKNOWLEDGE, Code::Invalid, "Send true or false.")),
                };
            }
            _ => {
                let message = format!("The form can have one {FIELD}, and {ACKNOWLEDGE}. Send nothing else.");
                return Err(Error::Coded(Code::BadRequest, message));
            }
        }
    }
    let missing = || Error::refused(FIELD, Code::Required, "Send a file, in the field \"file\".");
    let (name, bytes) = file.ok_or_else(missing)?;
    Ok(Upload { name, bytes, acknowledged })
}

/// A field's bytes; `None` when they are more than `max`.
async fn content(field: Field, max: usize) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut reader = Box::pin(field.into_async_read()).take(max as u64 + 1);
    reader.read_to_end(&mut bytes).await.map_err(broken)?;
    Ok((bytes.len() <= max).then_some(bytes))
}

/// The parser's words may repeat what was sent.
fn broken<E>(_: E) -> Error {
    Error::Coded(Code::BadRequest, "The body is not a whole form (multipart/form-data).".to_owned())
}

/// A body that is read to its end even when it is refused half-way. A connection that is closed on
/// somebody who still sends is reset, and the answer is lost with it.
struct Whole(Option<Box<dyn AsyncRead + Send + Unpin>>);

impl AsyncRead for Whole {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if let Some(body) = self.0.take() {
            tokio::spawn(async move {
                let mut rest = body.take(REFUSED_MAX);
                timeout(BODY_WITHIN, copy(&mut rest, &mut sink())).await.ok();
            });
        }
    }
}

async fn open(request: &Request, body: &mut RequestBody) -> Result<Multipart> {
    let body = Whole(Some(Box::new(body.take().map_err(broken)?.into_async_read())));
    let length = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if length.is_some_and(|length: u64| length > BODY_MAX) {
        return Err(too_large());
    }
    let mut body = RequestBody::new(Body::from_async_read(body.take(BODY_MAX)));
    let other = |_| {
        let message = "Send the file as a form: multipart/form-data, with the field \"file\".";
        Error::Coded(Code::UnsupportedMediaType, message.to_owned())
    };
    <Multipart as FromRequest>::from_request(request, &mut body).await.map_err(other)
}

impl<'a> ApiExtractor<'a> for Sent {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Form as Payload>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = MetaMediaType { content_type: Form::CONTENT_TYPE, schema: Form::schema_ref() };
        Some(MetaRequest { description: None, content: vec![content], required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(open(request, body).await))
    }
}
