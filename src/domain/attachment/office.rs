//! Documents of office programs, which are ZIP archives: what they say they are, inside.
//!
//! Only the archive's table of contents is read, and one small entry. An archive has to begin at the
//! file's first byte and end at its last: what stands before or after it would be another file.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::media::MediaType;

/// Bytes of `[Content_Types].xml`, unpacked: it names each part once, in some hundred bytes.
const TYPES_MAX: u64 = 1024 * 1024;
/// Parts of an archive.
const ENTRIES_MAX: usize = 20_000;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// What the document is; `None` when it is none that is taken, or has macros.
pub(super) fn of(bytes: &[u8]) -> Option<MediaType> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return None;
    }
    let entries = entries(bytes)?;
    if entries
        .iter()
        .any(|entry| entry.is_encrypted || entry.name.to_ascii_lowercase().ends_with(b"vbaproject.bin"))
    {
        return None;
    }
    open_document(bytes, &entries).or_else(|| office_open(bytes, &entries))
}

/// OpenDocument 1.3, part 2, 3.3: the first entry is `mimetype`, as it is.
fn open_document(bytes: &[u8], entries: &[Entry<'_>]) -> Option<MediaType> {
    let first = entries.iter().find(|entry| entry.offset == 0)?;
    if first.name != b"mimetype" || first.method != STORED {
        return None;
    }
    [MediaType::Odt, MediaType::Ods]
        .into_iter()
        .find(|media| first.packed(bytes) == Some(media.name().as_bytes()))
}

/// ECMA-376, part 2, 7.2.3: `[Content_Types].xml` says what the main part is. With macros it has
/// another type.
fn office_open(bytes: &[u8], entries: &[Entry<'_>]) -> Option<MediaType> {
    let entry = entries.iter().find(|entry| entry.name == b"[Content_Types].xml")?;
    let packed = entry.packed(bytes)?;
    let mut types = String::new();
    match entry.method {
        STORED => packed.take(TYPES_MAX).read_to_string(&mut types).ok()?,
        DEFLATED => DeflateDecoder::new(packed).take(TYPES_MAX).read_to_string(&mut types).ok()?,
        _ => return None,
    };
    let is_main = |media: &MediaType| types.contains(&format!("\"{}.main+xml\"", media.name()));
    [MediaType::Docx, MediaType::Xlsx, MediaType::Pptx].into_iter().find(is_main)
}

/// A part of an archive, as its table of contents has it.
struct Entry<'a> {
    name: &'a [u8],
    method: u16,
    is_encrypted: bool,
    packed_size: usize,
    /// Where its own header begins.
    offset: usize,
}

impl<'a> Entry<'a> {
    fn packed(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let header = bytes.get(self.offset..)?;
        if !header.starts_with(b"PK\x03\x04") {
            return None;
        }
        let start = 30 + usize::from(number16(header, 26)?) + usize::from(number16(header, 28)?);
        header.get(start..start.checked_add(self.packed_size)?)
    }
}

/// The table of contents (APPNOTE 6.3, 4.3.12 and 4.3.16). Archives of 4 GB, which need another form,
/// are no attachments.
fn entries(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let end = end_record(bytes)?;
    let count = usize::from(number16(end, 10)?);
    let mut rest = bytes.get(number32(end, 16)?..)?;
    if count > ENTRIES_MAX {
        return None;
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        if !rest.starts_with(b"PK\x01\x02") {
            return None;
        }
        let name_end = 46 + usize::from(number16(rest, 28)?);
        entries.push(Entry {
            name: rest.get(46..name_end)?,
            method: number16(rest, 10)?,
            is_encrypted: number16(rest, 8)? & 1 == 1,
            packed_size: number32(rest, 20)?,
            offset: number32(rest, 42)?,
        });
        let extras = usize::from(number16(rest, 30)?) + usize::from(number16(rest, 32)?);
        rest = rest.get(name_end + extras..)?;
    }
    Some(entries)
}

/// The record that ends at the file's last byte.
fn end_record(bytes: &[u8]) -> Option<&[u8]> {
    const LENGTH: usize = 22;
    let last = bytes.len().checked_sub(LENGTH)?;
    // It ends in a comment of a length that it says itself.
    let first = last.saturating_sub(usize::from(u16::MAX));
    let is_end = |at: &usize| {
        let record = &bytes[*at..];
        record.starts_with(b"PK\x05\x06")
            && number16(record, 20).is_some_and(|comment| LENGTH + usize::from(comment) == record.len())
    };
    (first..=last).rev().find(is_end).map(|at| &bytes[at..])
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn number32(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::DeflateEncoder};

    use super::*;

    /// An archive of these entries, deflated unless they are `mimetype`.
    fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
        let (mut bytes, mut table) = (Vec::new(), Vec::new());
        for (name, content) in entries {
            let stored = *name == "mimetype";
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content.as_bytes()).unwrap();
            let packed = if stored { content.as_bytes().to_vec() } else { encoder.finish().unwrap() };
            let offset = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            let length = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
            let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
            let method = if stored { STORED } else { DEFLATED }.to_le_bytes();
            let common = [
                &[20, 0, 0, 0][..],
                &method,
                &[0; 8],
                &length(packed.len()),
                &length(content.len()),
                &name_length,
                &[0, 0],
            ]
            .concat();
            bytes.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat());
            table.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &offset, name.as_bytes()].concat());
        }
        let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
        let (size, at) = (u32::try_from(table.len()).unwrap(), u32::try_from(bytes.len()).unwrap());
        let end =
            [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]]
                .concat();
        [bytes, table, end].concat()
    }

    fn types(main: &str) -> String {
        format!("<Types><Override PartName=\"/x\" ContentType=\"{main}\"/></Types>")
    }

    fn office(main: &str) -> Vec<u8> {
        archive(&[("[Content_Types].xml", &types(main)), ("x", "y")])
    }

    #[test]
    fn documents_say_what_they_are() {
        for media in [MediaType::Docx, MediaType::Xlsx, MediaType::Pptx] {
            assert_eq!(of(&office(&format!("{}.main+xml", media.name()))), Some(media));
        }
        for media in [MediaType::Odt, MediaType::Ods] {
            assert_eq!(of(&archive(&[("mimetype", media.name()), ("content.xml", "x")])), Some(media));
        }
    }

    #[test]
    fn other_archives_are_none() {
        let docx = format!("{}.main+xml", MediaType::Docx.name());
        let good = office(&docx);
        assert_eq!(of(&good), Some(MediaType::Docx));
        assert_eq!(of(&archive(&[("a.txt", "x")])), None);
        assert_eq!(of(&office("application/vnd.ms-word.document.macroEnabled.main+xml")), None);
        let macros = archive(&[("[Content_Types].xml", &types(&docx)), ("word/vbaProject.bin", "x")]);
        assert_eq!(of(&macros), None);
        assert_eq!(of(&archive(&[("mimetype", "application/vnd.oasis.opendocument.graphics")])), None);
        assert_eq!(of(&archive(&[("x", "y"), ("mimetype", MediaType::Odt.name())])), None, "not first");
        assert_eq!(of(&[b"MZ", &good[..]].concat()), None, "something before it");
        assert_eq!(of(&[&good[..], b"<html>"].concat()), None, "something after it");
        let bomb = archive(&[("[Content_Types].xml", &" ".repeat(50_000_000)), ("x", "y")]);
        assert_eq!(of(&bomb), None);
    }

    #[test]
    fn broken_archives_are_none() {
        let good = office(&format!("{}.main+xml", MediaType::Docx.name()));
        for end in 0..good.len() {
            assert_eq!(of(&good[..end]), None);
        }
        // No length or place, whatever it is, leads out of the file.
        for at in 4..good.len() {
            for byte in [0, 0x7F, 0xFF] {
                let mut broken = good.clone();
                broken[at] = byte;
                let _ = of(&broken);
            }
        }
    }
}
