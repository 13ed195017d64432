//! Attachments: files in, files out.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::{
    Body, IntoResponse, Request, Response,
    http::{StatusCode, header},
    web::Data,
};
use poem_openapi::{
    ApiResponse, Object, OpenApi, Tags,
    param::Path,
    payload::{Binary, Json, Payload},
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
};

use super::{pay, upload::Sent};
use crate::{
    actions::{attachment as action, photo},
    app::App,
    domain::attachment::{Attachment, media::MediaType},
    error::not_found,
    http::Refusal,
    ids::Id,
    web::session::{reader, viewer},
};

/// Where an attachment is got from, below the service's address.
#[must_use]
pub fn path(id: &Id<Attachment>) -> String {
    format!("/api/v1/attachments/{id}")
}

#[derive(Tags)]
enum Tag {
    /// Files to attach to posts, comments and case studies.
    Attachments,
}

/// A file that was kept.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct AttachmentOut {
    /// For `attachmentIds` of GraphQL's mutations.
    id: String,
    /// As it was made safe, with the extension of what it is.
    name: String,
    /// By its content.
    media_type: String,
    /// In bytes.
    size: i64,
    /// Of a picture, in pixels.
    #[oai(skip_serializing_if_is_none)]
    width: Option<i64>,
    /// Of a picture, in pixels.
    #[oai(skip_serializing_if_is_none)]
    height: Option<i64>,
    /// Where those who may see it get it.
    url: String,
}

#[derive(ApiResponse)]
enum Kept {
    /// The file is kept: for a day, or as long as what it is attached to; a photo, until it is replaced or
    /// removed.
    #[oai(status = 201)]
    Kept(Json<AttachmentOut>, #[oai(header = "Location")] String),
}

/// The bytes, or that they have not changed.
struct Given(Response);

pub struct AttachmentApi;

#[OpenApi(prefix_path = "/v1", tag = "Tag::Attachments")]
impl AttachmentApi {
    /// Upload a file
    ///
    /// Takes PDF; PNG, JPEG, WebP and GIF; DOCX, XLSX and PPTX without macros; ODT and ODS; and text and
    /// CSV in UTF-8. What a file is goes by its content. Pictures are made anew, upright, with at most
    /// 2,560 pixels a side and without metadata such as where they were taken; of an animation the first
    /// frame stays. A GIF becomes a PNG, and a WebP without transparency a JPEG. A member can have 50
    /// files and 100 MB that nothing uses yet; they are forgotten after a day.
    #[oai(path = "/attachments", method = "post", operation_id = "uploadAttachment")]
    async fn upload(&self, app: Data<&App>, request: &Request, form: Sent) -> Result<Kept, Refusal> {
        let viewer = viewer(&app, request).await?;
        pay(&app, request, &viewer)?;
        viewer.admit_to("uploadAttachment")?;
        let _turn = app.limits.turn(&viewer.id).await?;
        let _room = app.limits.upload().await?;
        let attachment = action::upload(&app, &viewer, form.read().await?).await?;
        Ok(kept(&app, attachment))
    }

    /// Set one's photo
    ///
    /// Takes a PNG, JPEG, WebP or GIF and makes a new picture of it: a square from its middle, of 512 pixels
    /// at most, without metadata. The photo before it goes. Other members get it as far as
    /// `updateProfile` in GraphQL says (`visibility.photo`), and `removePhoto` takes it away.
    #[oai(path = "/me/photo", method = "put", operation_id = "setPhoto")]
    async fn set_photo(&self, app: Data<&App>, request: &Request, form: Sent) -> Result<Kept, Refusal> {
        let viewer = viewer(&app, request).await?;
        pay(&app, request, &viewer)?;
        viewer.admit_to("setPhoto")?;
        let _turn = app.limits.turn(&viewer.id).await?;
        let _room = app.limits.upload().await?;
        let photo = photo::set(&app, &viewer, form.read().await?.bytes).await?;
        Ok(kept(&app, photo))
    }

    /// Get a file
    ///
    /// For members who may see what it is attached to and, until it is attached, for its uploader.
    #[oai(path = "/attachments/:id", method = "get", operation_id = "getAttachment")]
    async fn get(&self, app: Data<&App>, request: &Request, id: Path<String>) -> Result<Given, Refusal> {
        let viewer = reader(&app, request).await?;
        pay(&app, request, &viewer)?;
        viewer.admit_to("getAttachment")?;
        let missing = || not_found("attachment");
        let id = Id::parse(&id.0).ok_or_else(missing)?;
        let attachment = action::visible(&app, &viewer, &id).await?.ok_or_else(missing)?;
        let tag = format!("\"{}\"", attachment.sha256);
        if request.header(header::IF_NONE_MATCH).is_some_and(|known| names(known, &tag)) {
            return Ok(Given(headed(&attachment, &tag, StatusCode::NOT_MODIFIED, Body::empty())));
        }
        let content = Body::from_bytes_stream(action::content(&app, &attachment).await?);
        let mut response = headed(&attachment, &tag, StatusCode::OK, content);
        response.headers_mut().insert(header::CONTENT_LENGTH, attachment.size.into());
        Ok(Given(response))
    }
}

fn kept(app: &App, attachment: Attachment) -> Kept {
    let path = path(&attachment.id);
    let kept = AttachmentOut {
        id: attachment.id.to_string(),
        name: attachment.name,
        media_type: attachment.media_type.name().to_owned(),
        size: attachment.size,
        width: attachment.width,
        height: attachment.height,
        url: app.config.link(&path),
    };
    Kept::Kept(Json(kept), path)
}

/// Whether a list of entity tags has this one (RFC 9110, 13.1.2).
fn names(list: &str, tag: &str) -> bool {
    list.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// An answer whose headers say what the bytes are, and that they are nothing else: a browser is to guess
/// nothing, to run nothing, and to hand nothing to other sites. It may keep them, but asks each time
/// whether they are still for this member.
fn headed(attachment: &Attachment, tag: &str, status: StatusCode, body: Body) -> Response {
    let media_type = attachment.media_type;
    let charset = if matches!(media_type, MediaType::Text | MediaType::Csv) { "; charset=utf-8" } else { "" };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, format!("{}{charset}", media_type.name()))
        .header(header::CONTENT_DISPOSITION, disposition(&attachment.name, media_type.is_picture()))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'")
        .header("cross-origin-resource-policy", "same-origin")
        .header(header::CACHE_CONTROL, "private, no-cache")
        .header(header::ETAG, tag)
        .body(body)
}

/// What may stand in `filename*` as it is (RFC 8187, 3.2.1).
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether it is shown or saved, and under which name: whole for those that read RFC 6266, and in ASCII
/// for others.
fn disposition(name: &str, is_shown: bool) -> String {
    let kind = if is_shown { "inline" } else { "attachment" };
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ';
    let ascii: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{}", utf8_percent_encode(name, &PLAIN))
}

impl IntoResponse for Given {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Given {
    fn meta() -> MetaResponses {
        let media = MetaMediaType { content_type: "*/*", schema: <Binary<Vec<u8>> as Payload>::schema_ref() };
        let response = |status, description, content| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers: vec![],
        };
        let responses = vec![
            response(200, "The file, of the type that its upload was answered with.", vec![media]),
            response(304, "It is the one that the header If-None-Match names.", vec![]),
        ];
        MetaResponses { responses }
    }

    fn register(_: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_for_those_that_can_read_them() {
        let cases = [
            ("Ward round.pdf", "filename=\"Ward round.pdf\"; filename*=UTF-8''Ward%20round.pdf"),
            ("Café.pdf", "filename=\"Caf_.pdf\"; filename*=UTF-8''Caf%C3%A9.pdf"),
            ("a\"b\\c%\r\nd.pdf", "filename=\"a_b_c___d.pdf\"; filename*=UTF-8''a%22b%5Cc%25%0D%0Ad.pdf"),
        ];
        for (name, expected) in cases {
            assert_eq!(disposition(name, false), format!("attachment; {expected}"));
            assert_eq!(disposition(name, true), format!("inline; {expected}"));
        }
    }

    #[test]
    fn tags_are_found_in_lists() {
        for (list, found) in
            [("\"a\"", true), ("\"b\", W/\"a\"", true), ("*", true), ("\"b\"", false), ("a", false)]
        {
            assert_eq!(names(list, "\"a\""), found, "{list}");
        }
    }
}
