//! Events: when and where there is something to come to.

use async_graphql::{InputObject, SimpleObject};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    case_study::problems::Problems,
    post::PostKind,
    revision::{FieldChange, difference},
};
use crate::{clock::Timestamp, error::Code};

/// A programme of more than a month is several events.
const DAYS_MAX: i64 = 31;
/// A room, a building and an address.
const LOCATION_MAX: usize = 200;
/// The links of online meetings hold long tokens.
const LINK_MAX: usize = 500;

/// When and where an event is. A draft may not know yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// A draft may not know yet.
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// Where people meet, on one line.
    pub location: Option<String>,
    /// Where people join on the web.
    pub join_url: Option<String>,
}

/// When and where an event is, as its author types it. It is taken as a whole.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "EventInput")]
pub struct TypedEvent {
    /// A draft may do without.
    pub starts_at: Option<Timestamp>,
    /// After the start, at most 31 days.
    pub ends_at: Option<Timestamp>,
    /// One line of at most 200 characters. To be published, an event needs this or `joinUrl`.
    pub location: Option<String>,
    /// A web address of at most 500 characters.
    pub join_url: Option<String>,
}

impl From<Event> for TypedEvent {
    fn from(event: Event) -> Self {
        let Event { starts_at, ends_at, location, join_url } = event;
        Self { starts_at, ends_at, location, join_url }
    }
}

impl Event {
    /// Reads when and where a post of this kind is; without anything typed, it is as `before`. Only
    /// events are anywhere.
    pub fn read(
        kind: PostKind,
        typed: Option<&TypedEvent>,
        before: Option<&Self>,
        complete: bool,
        problems: &mut Problems,
    ) -> Option<Self> {
        if kind != PostKind::Event {
            if typed.is_some() {
                let message = "Only an event has a time and a place. Choose that kind, or leave them out.";
                problems.add("event", Code::Invalid, message);
            }
            return None;
        }
        let before = before.cloned().unwrap_or_default();
        let event = match typed {
            Some(typed) => Self::parse(typed, &before, problems),
            None => before,
        };
        if complete {
            event.lacks(typed, problems);
        }
        Some(event)
    }

    /// A location that stays as it is stored is not asked about again.
    fn parse(typed: &TypedEvent, before: &Self, problems: &mut Problems) -> Self {
        let location = match &typed.location {
            Some(text) if before.location.as_ref() == Some(text) => Some(text.clone()),
            text => {
                problems.line("event.location", "location", text.as_deref().unwrap_or_default(), LOCATION_MAX)
            }
        };
        let join_url = typed.join_url.as_deref().and_then(|text| join_url(text, problems));
        if let Some((start, end)) = typed.starts_at.zip(typed.ends_at) {
            if end <= start {
                problems.add("event.endsAt", Code::Invalid, "The end must be after the start.");
            } else if end.since(start) > TimeDelta::days(DAYS_MAX) {
                let message = format!("An event takes at most {DAYS_MAX} days. Share a longer one in parts.");
                problems.add("event.endsAt", Code::Invalid, message);
            }
        }
        Self { starts_at: typed.starts_at, ends_at: typed.ends_at, location, join_url }
    }

    /// What readers need to come. A place that was refused has its problem already.
    fn lacks(&self, typed: Option<&TypedEvent>, problems: &mut Problems) {
        if self.starts_at.is_none() {
            problems.add("event.startsAt", Code::Required, "Enter when it starts.");
        }
        let is_said = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        let refused = typed.is_some_and(|typed| is_said(&typed.location) || is_said(&typed.join_url));
        if self.location.is_none() && self.join_url.is_none() && !refused {
            problems.add("event.location", Code::Required, "Enter where it is, or a link to join.");
        }
    }

    /// What an edit changed, a field each.
    #[must_use]
    pub fn changes(before: Option<&Self>, after: Option<&Self>) -> Vec<FieldChange> {
        let texts = |event: Option<&Self>| {
            let event = event.cloned().unwrap_or_default();
            let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
            let texts = [time(event.starts_at), time(event.ends_at), event.location, event.join_url];
            texts.map(Option::unwrap_or_default)
        };
        let fields = ["event.startsAt", "event.endsAt", "event.location", "event.joinUrl"];
        let texts = texts(before).into_iter().zip(texts(after));
        let changes = fields.into_iter().zip(texts);
        changes.filter_map(|(field, (before, after))| difference(field, &before, &after)).collect()
    }
}

/// The web's own addresses, and nobody's name or password in them: other schemes may run something, and
/// what stands before an `@` is made to look like another host.
fn join_url(text: &str, problems: &mut Problems) -> Option<String> {
    let line = problems.line("event.joinUrl", "link to join", text, LINK_MAX)?;
    let url = Url::parse(&line).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    match url {
        // A part in another script is longer in the form that is stored.
        Some(url) if url.as_str().len() <= LINK_MAX => Some(url.into()),
        Some(_) => {
            let message = format!("The link to join must be {LINK_MAX} characters or less.");
            problems.add("event.joinUrl", Code::TooLong, message);
            None
        }
        None => {
            let message = "Enter a web address that begins with https:// and has no user name in it.";
            problems.add("event.joinUrl", Code::Invalid, message);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &TypedEvent, complete: bool) -> (Option<Event>, Vec<(String, Code)>) {
        let mut problems = Problems::default();
        let event = Event::read(PostKind::Event, Some(typed), None, complete, &mut problems);
        let problems = problems.into_vec().into_iter().map(|one| (one.field.join("."), one.code));
        (event, problems.collect())
    }

    fn link(text: &str) -> Option<String> {
        read(&TypedEvent { join_url: Some(text.to_owned()), ..Default::default() }, false).0?.join_url
    }

    #[test]
    fn links_lead_to_the_web_and_nowhere_else() {
        for (typed, stored) in [
            (" https://meet.example.org/a?b=c#d ", "https://meet.example.org/a?b=c#d"),
            ("http://EXAMPLE.org", "http://example.org/"),
            (
                "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0",
                "https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0",
            ),
            ("https://example.org/a\u{200B}b\"<", "https://example.org/ab%22%3C"),
        ] {
            assert_eq!(link(typed).as_deref(), Some(stored), "{typed}");
        }
        let long = format!("https://example.org/{}", "x".repeat(LINK_MAX));
        for wrong in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://example.org",
            "example.org",
            "//example.org",
            "/posts",
            "https://",
            "https://nhs.uk@evil.example",
            "https://a:b@evil.example",
            "mailto:a@nhs.uk",
            "https:// nhs.uk",
            &long,
            &format!("https://example.org/{}", "é".repeat(200)),
        ] {
            assert_eq!(link(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_published_event_says_when_and_where() {
        let at = |text: &str| Some(text.parse().unwrap());
        let missing =
            [("event.startsAt".to_owned(), Code::Required), ("event.location".to_owned(), Code::Required)];
        assert_eq!(read(&TypedEvent::default(), true).1, missing);
        assert_eq!(read(&TypedEvent::default(), false), (Some(Event::default()), Vec::new()));
        let end = [("event.endsAt".to_owned(), Code::Invalid)];
        for (end_at, problems) in [
            ("2026-04-01T10:00:00Z", &end[..]),
            ("2026-04-01T10:00:00.001Z", &[]),
            ("2026-05-02T10:00:00Z", &[]),
            ("2026-05-02T10:00:00.001Z", &end),
        ] {
            let typed = TypedEvent {
                starts_at: at("2026-04-01T10:00:00Z"),
                ends_at: at(end_at),
                location: Some("Leeds".to_owned()),
                join_url: None,
            };
            assert_eq!(read(&typed, true).1, problems, "{end_at}");
        }
        let refused = TypedEvent {
            starts_at: at("2026-04-01T10:00:00Z"),
            join_url: Some("javascript:x".to_owned()),
            ..Default::default()
        };
        assert_eq!(read(&refused, true).1, [("event.joinUrl".to_owned(), Code::Invalid)]);
    }
}
