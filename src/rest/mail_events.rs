//! What a provider that carries our mail tells of it: which messages came back, and who called them junk.

use poem::{Request, web::Data};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, Tags, payload::PlainText};
use serde::Deserialize;

use crate::{
    actions::mailbox::{self, Outcome},
    app::App,
    error::{Code, Error, Result, not_found, unauthenticated},
    http::Refusal,
    mail::status,
    tokens::webhook,
};

#[derive(Tags)]
enum Tag {
    /// For the provider that carries the mail.
    Mail,
}

/// What became of a message.
#[derive(Clone, Copy, Deserialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename_all = "lowercase")]
enum MailEventType {
    /// The mailbox has it.
    Delivered,
    /// It is tried again.
    Deferred,
    /// It came back for good.
    Bounced,
    /// Its reader called it junk.
    Complained,
}

/// Something that became of a message.
#[derive(Deserialize, Object)]
#[serde(deny_unknown_fields)]
struct MailEvent {
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    event_type: MailEventType,
    /// The address that it was sent to.
    recipient: String,
    /// Of what came back: the status (RFC 3463) or the reply code that the mail server gave. What is not about the
    /// mailbox, such as 5.7.1, changes nothing.
    #[oai(default)]
    #[serde(default)]
    status: Option<String>,
}

/// Up to 500 at once.
#[derive(Deserialize, Object)]
#[serde(deny_unknown_fields)]
struct MailEvents {
    events: Vec<MailEvent>,
}

const EVENTS_MAX: usize = 500;

#[derive(ApiResponse)]
enum Taken {
    /// They were taken.
    #[oai(status = 204)]
    Taken,
}

pub struct MailEventsApi;

#[OpenApi(prefix_path = "/v1/mail", tag = "Tag::Mail")]
impl MailEventsApi {
    /// Tells what became of messages: `{"events": [{"type": "bounced", "recipient": "jo@trust.nhs.uk", "status":
    /// "5.1.1"}]}`. Types are delivered, deferred, bounced and complained; up to 500 events in 64 kB. A mailbox
    /// that is gone, or whose reader calls our mail junk, gets nothing more of what is sent to many.
    ///
    /// The body is signed as Standard Webhooks says, with the key in the setting `mail_events.secret`: the headers
    /// `webhook-id`, `webhook-timestamp` (seconds since 1970, at most 5 minutes off) and `webhook-signature`
    /// (`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, joined with full stops). Without that
    /// setting this route is not there. What is told twice changes nothing.
    #[oai(path = "/events", method = "post", operation_id = "postMailEvents")]
    async fn events(
        &self,
        app: Data<&App>,
        request: &Request,
        body: PlainText<String>,
    ) -> Result<Taken, Refusal> {
        take(&app, request, &body.0).await?;
        Ok(Taken::Taken)
    }
}

async fn take(app: &App, request: &Request, body: &str) -> Result<()> {
    let secret = app.config.mail_events.secret.as_ref().ok_or_else(|| not_found("page"))?;
    let header = |name| request.header(name).unwrap_or_default();
    let signed = webhook::Signed {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body,
    };
    if !signed.holds(secret, app.clock.now()) {
        return Err(unauthenticated());
    }
    let told: MailEvents =
        serde_json::from_str(body).map_err(|error| bad(&format!("The body is wrong: {error}.")))?;
    if told.events.len() > EVENTS_MAX {
        return Err(bad(&format!("Send at most {EVENTS_MAX} events at once.")));
    }
    for event in &told.events {
        let code = event.status.as_deref();
        if code.is_some_and(|code| !status::is_status(code) && !status::is_reply(code)) {
            return Err(bad("A status is like 5.1.1 or 550."));
        }
        let outcome = match event.event_type {
            MailEventType::Delivered | MailEventType::Deferred => Outcome::OnItsWay,
            MailEventType::Bounced => Outcome::Bounced(code),
            MailEventType::Complained => Outcome::Complained,
        };
        mailbox::reported(app, &event.recipient, outcome).await?;
    }
    Ok(())
}

fn bad(message: &str) -> Error {
    Error::Coded(Code::BadRequest, message.to_owned())
}
