//! The mails in the folder that stands in for a mail server: who develops or tries the service reads
//! sign-in codes and digests here. There is nothing here when mail is really sent, nor when the
//! service is on the web: the folder holds everybody's codes.

use std::io;

use askama::Template;
use mail_parser::MessageParser;
use poem::{
    Response, handler,
    http::{HeaderValue, StatusCode, header},
    web::{Data, Path},
};

use super::page::{Site, show};
use crate::{
    app::App,
    error::{Error, Result, not_found},
    http::Refusal,
    mail::{Directory, Mailer},
};

/// Mails in the list.
const LISTED: usize = 200;

/// The page around a mail: as other pages, and the frame that shows it.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Nothing runs and nothing is fetched, whatever the mail holds. Only its own page shows it.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

#[derive(Template)]
#[template(path = "pages/dev_mails.html")]
struct Mails {
    site: Site,
    mails: Vec<Listed>,
}

struct Listed {
    name: String,
    subject: String,
    to: String,
    date: String,
}

#[derive(Template)]
#[template(path = "pages/dev_mail.html")]
struct Mail {
    site: Site,
    name: String,
    subject: String,
    headers: Vec<(String, String)>,
    text: Vec<Piece>,
}

struct Piece {
    text: String,
    is_link: bool,
}

/// `GET /dev/mail`: newest first.
#[handler]
pub async fn list(Data(app): Data<&App>) -> Result<Response, Refusal> {
    let mails = in_folder(app, |folder| {
        let names = folder.names(LISTED)?;
        names.into_iter().map(|name| Ok(folder.read(&name)?.map(|bytes| listed(name, &bytes)))).collect()
    });
    let mails: Vec<Option<Listed>> = mails.await?;
    let mails = mails.into_iter().flatten().collect();
    show(StatusCode::OK, &Mails { site: Site::of(app), mails })
}

/// `GET /dev/mail/{name}`: headers, the text, and a frame with the HTML.
#[handler]
pub async fn message(Path(name): Path<String>, Data(app): Data<&App>) -> Result<Response, Refusal> {
    let bytes = read(app, &name).await?;
    let mut response = show(StatusCode::OK, &mail(Site::of(app), name, &bytes))?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    Ok(response)
}

/// `GET /dev/mail/{name}/html`: what the frame shows.
#[handler]
pub async fn html(Path(name): Path<String>, Data(app): Data<&App>) -> Result<Response, Refusal> {
    let bytes = read(app, &name).await?;
    let parsed = MessageParser::default().parse(&bytes);
    let html = parsed.as_ref().and_then(|mail| mail.body_html(0)).unwrap_or_default();
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, MAIL_POLICY)
        .body(html.into_owned()))
}

async fn read(app: &App, name: &str) -> Result<Vec<u8>> {
    let name = name.to_owned();
    in_folder(app, move |folder| folder.read(&name)).await?.ok_or_else(|| not_found("mail"))
}

async fn in_folder<T: Send + 'static>(
    app: &App,
    look: impl FnOnce(&Directory) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let folder = match &app.mailer {
        Mailer::Directory(folder) if !app.config.is_https() => folder.clone(),
        _ => return Err(not_found("page")),
    };
    let looked = tokio::task::spawn_blocking(move || look(&folder)).await;
    let looked = looked.map_err(|error| Error::Fault(error.to_string()))?;
    looked.map_err(|error| Error::Fault(format!("the mail folder can't be read: {error}")))
}

fn listed(name: String, bytes: &[u8]) -> Listed {
    let parsed = MessageParser::default().parse_headers(bytes);
    let mail = parsed.as_ref();
    let to = mail.and_then(|mail| mail.to()?.first()?.address()).unwrap_or_default();
    let date = mail.and_then(|mail| mail.date()).map(|date| date.to_rfc3339()).unwrap_or_default();
    let subject = mail.and_then(|mail| mail.subject()).unwrap_or("No subject");
    Listed { name, subject: subject.to_owned(), to: to.to_owned(), date }
}

fn mail(site: Site, name: String, bytes: &[u8]) -> Mail {
    let parsed = MessageParser::default().parse(bytes);
    let mail = parsed.as_ref();
    let one_line = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    let headers = mail.map(|mail| mail.headers_raw().map(|(name, value)| (name.to_owned(), one_line(value))));
    let text = mail.and_then(|mail| mail.body_text(0)).unwrap_or_default();
    Mail {
        site,
        name,
        subject: mail.and_then(|mail| mail.subject()).unwrap_or("No subject").to_owned(),
        headers: headers.map(Iterator::collect).unwrap_or_default(),
        text: pieces(&text),
    }
}

/// Text with its web addresses as links, so that they can be followed from here.
fn pieces(text: &str) -> Vec<Piece> {
    let parts = text.split_inclusive(char::is_whitespace).flat_map(|part| {
        let word = part.trim_end();
        [word, &part[word.len()..]]
    });
    let mut pieces: Vec<Piece> = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let is_link = part.starts_with("https://") || part.starts_with("http://");
        match pieces.last_mut() {
            Some(last) if !is_link && !last.is_link => last.text.push_str(part),
            _ => pieces.push(Piece { text: part.to_owned(), is_link }),
        }
    }
    pieces
}
