//! What a file may be called: a name that is safe in a header, in a folder of any system and on a
//! page, and says truly what the file is.

use super::media::MediaType;
use crate::domain::text::is_invisible;

/// Characters of a name, its extension included.
pub const NAME_MAX: usize = 100;
/// More is no extension but a part of the name.
const EXTENSION_MAX: usize = 4;
/// What systems take for something else in a name.
const RESERVED: [char; 7] = ['<', '>', ':', '"', '|', '?', '*'];

/// The last part of what was typed, without what misleads, with the extension of what it is.
#[must_use]
pub fn clean(typed: &str, media_type: MediaType) -> String {
    let base = typed.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = base
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .map(|c| if RESERVED.contains(&c) { '_' } else { c })
        .collect();
    let folded = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let (stem, extension) = parted(folded.trim_start_matches(['.', ' ']), media_type);
    let room = NAME_MAX - 1 - extension.len();
    let stem: String = stem.chars().take(room).collect();
    let stem = stem.trim_end_matches(['.', ' ']);
    format!("{}.{extension}", if stem.is_empty() { "file" } else { stem })
}

/// The name without its extension, and the one that it should have.
fn parted(name: &str, media_type: MediaType) -> (&str, String) {
    let right = media_type.extensions();
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return (name, right[0].to_owned());
    };
    let lower = extension.to_lowercase();
    if right.contains(&lower.as_str()) {
        return (stem, lower);
    }
    let is_one = (1..=EXTENSION_MAX).contains(&extension.len())
        && extension.chars().all(|c| c.is_ascii_alphanumeric())
        && extension.chars().any(|c| c.is_ascii_alphabetic());
    (if is_one { stem } else { name }, right[0].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_true() {
        for (typed, expected) in [
            ("Ward round.pdf", "Ward round.pdf"),
            ("Ward round.PDF", "Ward round.pdf"),
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\Users\\jo\\report.pdf", "report.pdf"),
            ("a\u{202E}gpj.exe", "agpj.pdf"),
            ("report.pdf.exe", "report.pdf.pdf"),
            (".htaccess", "htaccess.pdf"),
            ("...", "file.pdf"),
            ("", "file.pdf"),
            ("/", "file.pdf"),
            ("a\"b\r\nSet-Cookie: x=y.pdf", "a_b Set-Cookie_ x=y.pdf"),
            ("a\0b\u{200B}c.pdf", "a bc.pdf"),
            ("Meeting v1.2", "Meeting v1.2.pdf"),
            ("Café déjà vu.pdf", "Café déjà vu.pdf"),
            ("x. . .pdf", "x.pdf"),
        ] {
            assert_eq!(clean(typed, MediaType::Pdf), expected, "{typed:?}");
        }
        assert_eq!(clean("photo.JPEG", MediaType::Jpeg), "photo.jpeg");
        assert_eq!(clean("photo.gif", MediaType::Png), "photo.png");
    }

    #[test]
    fn long_names_keep_their_extension() {
        for typed in ["é".repeat(300) + ".docx", "é".repeat(300)] {
            let name = clean(&typed, MediaType::Docx);
            assert_eq!(name.chars().count(), NAME_MAX);
            assert!(name.ends_with("é.docx"));
        }
    }
}
