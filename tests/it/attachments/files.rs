//! What a file is, what it is called, and how it is given back.

use std::io::Write;

use serde_json::{Value as Json, json};

use super::{PDF, acknowledging, form, get, send, stored, try_upload, upload};
use crate::on_both_stores;

const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const EXCEL: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const POWERPOINT: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// A ZIP archive of entries as they are.
pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut table) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let (offset, size) = (bytes.len() as u32, (content.len() as u32).to_le_bytes());
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &crc.sum().to_le_bytes(),
            &size,
            &size,
            &(name.len() as u16).to_le_bytes(),
            &[0, 0],
        ]
        .concat();
        bytes.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content].concat());
        table.extend(
            [b"PK\x01\x02\x14\0", &common[..], &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let (count, at) = ((entries.len() as u16).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
    bytes.write_all(&table).unwrap();
    let size = (table.len() as u32).to_le_bytes();
    bytes.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size, &at, &[0, 0]].concat());
    bytes
}

fn office(main: &str) -> Vec<u8> {
    let types = format!("<Types><Override PartName=\"/x.xml\" ContentType=\"{main}\"/></Types>");
    archive(&[("[Content_Types].xml", types.as_bytes()), ("x.xml", b"<x/>")])
}

fn open_document(media: &str) -> Vec<u8> {
    archive(&[("mimetype", media.as_bytes()), ("content.xml", b"<x/>")])
}

on_both_stores! {
    async fn documents_are_given_back_as_they_were(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let main = |media: &str| office(&format!("{media}.main+xml"));
        let text = "Ward,Score\n“Elm”,4\n".as_bytes();
        for (name, bytes, media, sent_as) in [
            ("Report.pdf", PDF.to_vec(), "application/pdf", "application/pdf"),
            ("Letter.docx", main(WORD), WORD, WORD),
            ("Table.xlsx", main(EXCEL), EXCEL, EXCEL),
            ("Talk.pptx", main(POWERPOINT), POWERPOINT, POWERPOINT),
            ("Letter.odt", open_document("application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
            ("Table.ods", open_document("application/vnd.oasis.opendocument.spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
            ("Notes.txt", text.to_vec(), "text/plain", "text/plain; charset=utf-8"),
            ("Table.csv", text.to_vec(), "text/csv", "text/csv; charset=utf-8"),
        ] {
            let kept = upload(app, &ada, name, &bytes).await;
            let id = kept["id"].as_str().unwrap();
            assert!(id.starts_with("att_"));
            let url = format!("{}/api/v1/attachments/{id}", app.url);
            assert_eq!(kept, json!({ "id": id, "name": name, "mediaType": media, "size": bytes.len(), "url": url }));

            let given = get(app, &ada, id).await;
            assert_eq!((given.status, &given.bytes), (200, &bytes));
            assert_eq!(given.headers["content-type"], sent_as);
            assert_eq!(given.headers["content-length"], bytes.len().to_string());
            let disposition = format!("attachment; filename=\"{name}\"; filename*=UTF-8''{name}");
            assert_eq!(given.headers["content-disposition"], disposition);
            assert_eq!(given.headers["x-content-type-options"], "nosniff");
            assert_eq!(given.headers["content-security-policy"], "sandbox; default-src 'none'");
            assert_eq!(given.headers["cross-origin-resource-policy"], "same-origin");
            assert_eq!(given.headers["cache-control"], "private, no-cache");
        }
    }

    async fn what_a_file_is_goes_by_its_content(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let kept = upload(app, &ada, "holiday.jpg", PDF).await;
        assert_eq!((&kept["name"], &kept["mediaType"]), (&json!("holiday.pdf"), &json!("application/pdf")));
        let kept = upload(app, &ada, "evil.html", b"Only words.").await;
        assert_eq!((&kept["name"], &kept["mediaType"]), (&json!("evil.txt"), &json!("text/plain")));

        let before = stored(app).await.len();
        let with_macros = office("application/vnd.ms-word.document.macroEnabled.main+xml");
        for (name, bytes) in [
            ("photo.png", &b"<!doctype html><script>alert(1)</script>"[..]),
            ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
            ("drawing.png", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("report.pdf", b"MZ\x90\0\x03\0\0\0"),
            ("report.pdf", b"\x7FELF\x02\x01\x01"),
            ("report.pdf", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
            ("notes.txt", b"half\0binary"),
            ("notes.csv", b"\xA3100 in Windows-1252"),
            ("letter.docx", &archive(&[("a.txt", b"x")])),
            ("letter.docx", &with_macros),
            ("letter.docx", &[b"#!/bin/sh\n", &office(&format!("{WORD}.main+xml"))[..]].concat()),
            ("letter.docx", &[&office(&format!("{WORD}.main+xml"))[..], b"<script>"].concat()),
        ] {
            let (status, problem) = try_upload(app, &ada, name, bytes).await;
            assert_eq!((status, &problem["code"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")), "{name}: {problem}");
            let said = problem["detail"].as_str().unwrap();
            assert!(["PDF", "JPEG", "DOCX", "CSV"].iter().all(|taken| said.contains(taken)), "{said}");
        }
        let (status, problem) = try_upload(app, &ada, "empty.txt", b"").await;
        assert_eq!((status, &problem["errors"][0]["field"], &problem["code"]), (422, &json!("file"), &json!("REQUIRED")));
        assert_eq!((stored(app).await.len(), super::blobs(app).len()), (before, before));
    }

    async fn names_can_do_nothing(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        for (typed, name) in [
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\\\Users\\\\ada\\\\plan.pdf", "plan.pdf"),
            ("a\u{202E}gpj.exe", "agpj.pdf"),
            ("%22quoted%22.pdf", "_quoted_.pdf"),
            ("a%0D%0ASet-Cookie: x=y.pdf", "a%0D%0ASet-Cookie_ x=y.pdf"),
            ("<img src=x onerror=alert(1)>.pdf", "_img src=x onerror=alert(1)_.pdf"),
            (".htaccess", "htaccess.pdf"),
            ("", "file.pdf"),
            ("Café\u{200B} – 計画.pdf", "Café – 計画.pdf"),
        ] {
            let kept = upload(app, &ada, typed, PDF).await;
            assert_eq!(kept["name"], name, "{typed:?}");
            let given = get(app, &ada, kept["id"].as_str().unwrap()).await;
            let disposition = given.headers["content-disposition"].to_str().unwrap();
            assert!(disposition.starts_with("attachment; filename=\"") && disposition.is_ascii(), "{disposition}");
            assert_eq!(disposition.matches('"').count(), 2);
            assert!(!given.headers.contains_key("set-cookie"));
        }
        let kept = upload(app, &ada, "Café – 計画.pdf", PDF).await;
        let given = get(app, &ada, kept["id"].as_str().unwrap()).await;
        assert_eq!(given.headers["content-disposition"],
            "attachment; filename=\"Caf_ _ __.pdf\"; filename*=UTF-8''Caf%C3%A9%20%E2%80%93%20%E8%A8%88%E7%94%BB.pdf");

        let kept = upload(app, &ada, &format!("{}.pdf", "n".repeat(300)), PDF).await;
        assert_eq!(kept["name"], format!("{}.pdf", "n".repeat(96)));
        // Every name is a blob's of its own, in the one folder.
        let ids = stored(app).await.into_iter().map(|one| one.id.to_string());
        assert_eq!(super::blobs(app), ids.collect::<Vec<_>>());
    }

    async fn a_browser_asks_again_and_gets_it_once(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let id = super::file(app, &ada).await;
        let tag = get(app, &ada, &id).await.headers["etag"].clone();
        let again = |known: String, token: String| {
            let request = app.http.get(format!("{}/api/v1/attachments/{id}", app.url)).bearer_auth(token);
            async { super::got(request.header("if-none-match", known).send().await.unwrap()).await }
        };
        let tag = tag.to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let unchanged = again(known, ada.token.clone()).await;
            assert_eq!((unchanged.status, unchanged.bytes.len()), (304, 0));
            assert_eq!(unchanged.headers["etag"], tag);
        }
        assert_eq!(again("\"other\"".to_owned(), ada.token.clone()).await.bytes, PDF);
        // Whoever may not see it learns nothing from knowing it.
        let grace = app.person("Grace Hill").await;
        assert_eq!(again(tag, grace.token).await.status, 404);
    }

    async fn names_and_texts_are_guarded(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let named = |acknowledged: &str| form("Letter to LS1 4AP.pdf", PDF, &acknowledging(acknowledged));
        let blocked = "NHS number 943 476 5919";
        for (body, kind) in [
            (form("About 943 476 5919.pdf", PDF, &acknowledging("true")), "file name seems to have an NHS number"),
            (form("list.csv", format!("name,number\nx,{blocked}\n").as_bytes(), &acknowledging("true")), "file seems to have an NHS number"),
            (named("false"), "file name seems to have a postcode"),
            (form("list.txt", b"Call 07700 900123.", ""), "file seems to have a phone number"),
        ] {
            let (status, problem) = send(app, &ada.token, body).await;
            assert_eq!((status, &problem["code"]), (422, &json!("PERSONAL_DATA")), "{problem}");
            assert_eq!((&problem["errors"][0]["field"], &problem["errors"][0]["code"]), (&json!("file"), &json!("PERSONAL_DATA")));
            assert!(problem["detail"].as_str().unwrap().contains(kind), "{problem}");
            assert!(!problem.to_string().contains("5919"));
        }
        assert_eq!((stored(app).await, super::blobs(app).len()), (vec![], 0));
        let (status, kept) = send(app, &ada.token, named("true")).await;
        assert_eq!((status, &kept["name"]), (201, &json!("Letter to LS1 4AP.pdf")));
    }

    async fn forms_are_read_strictly(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let whole = form("a.pdf", PDF, "");
        let twice = String::from_utf8(whole.clone()).unwrap();
        let (first, _) = twice.split_at(twice.len() - "------hope-test--\r\n".len());
        for (body, status, code) in [
            (whole[..whole.len() - 10].to_vec(), 400, "BAD_REQUEST"),
            (b"nonsense".to_vec(), 400, "BAD_REQUEST"),
            (Vec::new(), 400, "BAD_REQUEST"),
            ([first.as_bytes(), &whole].concat(), 400, "BAD_REQUEST"),
            (form("a.pdf", PDF, &acknowledging("true").replace("acknowledge", "other")), 400, "BAD_REQUEST"),
            (form("a.pdf", PDF, &acknowledging("perhaps")), 422, "INVALID"),
            (b"------hope-test--\r\n".to_vec(), 422, "REQUIRED"),
        ] {
            let (found, problem) = send(app, &ada.token, body).await;
            assert_eq!((found, &problem["code"]), (status, &Json::from(code)), "{problem}");
        }
        let request = app.http.post(format!("{}/api/v1/attachments", app.url)).bearer_auth(&ada.token);
        let (status, problem) = super::answered(request.json(&json!({ "file": "x" })).send().await.unwrap()).await;
        assert_eq!((status, &problem["code"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")));
        assert!(problem["detail"].as_str().unwrap().contains("multipart/form-data"));
        assert_eq!(stored(app).await, []);
    }
}
