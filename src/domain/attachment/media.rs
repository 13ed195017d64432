//! What a file is: by its content, never by its name or by what its sender says of it.
//!
//! A short list of what members exchange. Whatever runs in a browser (HTML, SVG) or in an office
//! program (macros) is not on it.

use image::ImageFormat;
use serde::{Deserialize, Serialize};

use super::office;
use crate::error::{Code, Error, Result};

/// What an attachment is. The names are those of the IANA registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaType {
    #[serde(rename = "application/pdf")]
    Pdf,
    #[serde(rename = "image/png")]
    Png,
    #[serde(rename = "image/jpeg")]
    Jpeg,
    #[serde(rename = "image/webp")]
    Webp,
    #[serde(rename = "text/plain")]
    Text,
    #[serde(rename = "text/csv")]
    Csv,
    #[serde(rename = "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    Docx,
    #[serde(rename = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
    Xlsx,
    #[serde(rename = "application/vnd.openxmlformats-officedocument.presentationml.presentation")]
    Pptx,
    #[serde(rename = "application/vnd.oasis.opendocument.text")]
    Odt,
    #[serde(rename = "application/vnd.oasis.opendocument.spreadsheet")]
    Ods,
}

impl MediaType {
    /// As in the header `Content-Type`, without parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Text => "text/plain",
            Self::Csv => "text/csv",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
        }
    }

    /// What names of such files may end in; the first is the usual one.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Webp => &["webp"],
            Self::Text => &["txt", "text", "md"],
            Self::Csv => &["csv"],
            Self::Docx => &["docx"],
            Self::Xlsx => &["xlsx"],
            Self::Pptx => &["pptx"],
            Self::Odt => &["odt"],
            Self::Ods => &["ods"],
        }
    }

    /// Whether browsers show it as a picture, which can do nothing.
    #[must_use]
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Webp)
    }
}

/// What was found in a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    Picture(ImageFormat),
    Text(MediaType, &'a str),
    Document(MediaType),
}

impl<'a> Content<'a> {
    /// The name decides only whether a text is a table, which nothing else tells.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE`, with what is taken.
    pub fn of(bytes: &'a [u8], name: &str) -> Result<Self> {
        if let Some(format) = picture(bytes) {
            return Ok(Self::Picture(format));
        }
        let document = if is_pdf(bytes) { Some(MediaType::Pdf) } else { office::of(bytes) };
        if let Some(media_type) = document {
            return Ok(Self::Document(media_type));
        }
        let is_table = name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("csv"));
        let media_type = if is_table { MediaType::Csv } else { MediaType::Text };
        text(bytes).map(|text| Self::Text(media_type, text)).ok_or_else(unsupported)
    }
}

fn unsupported() -> Error {
    let message = "This kind of file is not taken. Send a PDF; a picture (PNG, JPEG, WebP or GIF); a \
                   document of Word, Excel or PowerPoint without macros (DOCX, XLSX, PPTX) or of \
                   OpenDocument (ODT, ODS); or text or CSV, saved as UTF-8.";
    Error::Coded(Code::UnsupportedMediaType, message.to_owned())
}

fn picture(bytes: &[u8]) -> Option<ImageFormat> {
    let format = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => ImageFormat::Png,
        [0xFF, 0xD8, 0xFF, ..] => ImageFormat::Jpeg,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ImageFormat::Gif,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ImageFormat::WebP,
        _ => return None,
    };
    Some(format)
}

/// From the first byte to the last: readers that look for the start of a PDF further on are how a file
/// is made that is two things.
fn is_pdf(bytes: &[u8]) -> bool {
    let end = &bytes[bytes.len().saturating_sub(1024)..];
    bytes.starts_with(b"%PDF-") && end.windows(5).any(|window| window == b"%%EOF")
}

/// Plain text: UTF-8, no controls but white space, and nothing that a program would run.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_plain = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{C}');
    (text.chars().all(is_plain) && !is_code(text)).then_some(text)
}

/// Markup, wherever in the beginning it is, and scripts by their first line.
fn is_code(text: &str) -> bool {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let start: String = text.chars().take(1024).collect::<String>().to_ascii_lowercase();
    let begins = ["<", "#!", "%!", "{\\rtf"].iter().any(|mark| start.starts_with(mark));
    begins
        || ["<!doctype", "<html", "<svg", "<script", "<body", "<iframe"].iter().any(|tag| start.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_stored() {
        use MediaType::{Csv, Docx, Jpeg, Ods, Odt, Pdf, Png, Pptx, Text, Webp, Xlsx};
        for media_type in [Pdf, Png, Jpeg, Webp, Text, Csv, Docx, Xlsx, Pptx, Odt, Ods] {
            assert_eq!(serde_json::to_value(media_type).unwrap(), media_type.name());
        }
    }

    #[test]
    fn content_decides_and_not_the_name() {
        let of = |bytes: &'static [u8], name| Content::of(bytes, name).ok();
        let pdf = b"%PDF-1.7\nx\n%%EOF\n";
        assert_eq!(of(pdf, "picture.png"), Some(Content::Document(MediaType::Pdf)));
        assert_eq!(of(b"\xFF\xD8\xFFrest", "a.pdf"), Some(Content::Picture(ImageFormat::Jpeg)));
        assert_eq!(
            of("ward,\u{A3}\n".as_bytes(), "a.CSV"),
            Some(Content::Text(MediaType::Csv, "ward,\u{A3}\n"))
        );
        assert_eq!(of(b"ward", "a.exe"), Some(Content::Text(MediaType::Text, "ward")));
    }

    #[test]
    fn what_runs_is_not_taken() {
        for (bytes, what) in [
            (&b"<!DOCTYPE html><p>x"[..], "HTML"),
            (b"\xEF\xBB\xBF \n<HTML>", "HTML after a mark and white space"),
            (b"GIF is nice <script>alert(1)</script>", "HTML after words"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
            (b"<?xml version='1.0'?><svg/>", "SVG as XML"),
            (b"x <svg onload=alert(1)>", "SVG after words"),
            (b"#!/bin/sh\nrm -rf /", "a script"),
            (b"{\\rtf1\\ansi}", "RTF"),
            (b"MZ\x90\0\x03", "a program"),
            (b"\x7FELF\x02", "a program"),
            (b"text\0text", "NUL"),
            (b"text \xFF\xFE", "not UTF-8"),
            (b"PK\x03\x04rest", "a broken container"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old office document"),
        ] {
            let refused = Content::of(bytes, "a.txt").unwrap_err();
            assert_eq!(refused.code(), Code::UnsupportedMediaType, "{what}");
        }
    }
}
