//! The digest: what is worth a member's time.

use askama::Template;

use super::template;
use crate::domain::{digest::choice::Section as Kind, post::PostKind};

/// Everything that a digest says, ready to be filled in.
#[derive(Clone, Debug, Template)]
#[template(path = "digest/message.txt", escape = "none")]
pub struct DigestMail {
    pub network: String,
    pub team: String,
    /// What is inside: see [`headline`].
    pub subject: String,
    /// What moderators say this week.
    pub note: Option<String>,
    /// None of them is empty. There is one, or a note.
    pub sections: Vec<Section>,
    /// Whether there was more than fits.
    pub more: bool,
    /// "every Tuesday"
    pub how_often: String,
    /// Where it can be read in a browser; none while it is not sent.
    pub page_url: Option<String>,
    pub home_url: String,
    pub unsubscribe_url: String,
}

#[derive(Clone, Debug)]
pub struct Section {
    pub title: &'static str,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub title: String,
    /// "Question", "Reply"
    pub label: &'static str,
    /// Name and organisation.
    pub by: String,
    pub summary: String,
    pub url: String,
    /// Why it is in this member's digest.
    pub why: String,
}

/// The same as HTML. A struct of its own, because a template is one file.
#[derive(Template)]
#[template(path = "digest/message.mjml", escape = "html")]
struct Html<'a> {
    network: &'a str,
    team: &'a str,
    subject: &'a str,
    preview: &'a str,
    note: Option<&'a str>,
    sections: &'a [Section],
    more: bool,
    how_often: &'a str,
    page_url: Option<&'a str>,
    home_url: &'a str,
    unsubscribe_url: &'a str,
}

impl DigestMail {
    /// The text and the HTML.
    ///
    /// # Errors
    /// A mistake in the templates.
    pub fn render_both(&self) -> Result<(String, String), String> {
        let text = self.render().map_err(|error| error.to_string())?;
        let mjml = Html {
            network: &self.network,
            team: &self.team,
            subject: &self.subject,
            preview: &self.preview(),
            note: self.note.as_deref(),
            sections: &self.sections,
            more: self.more,
            how_often: &self.how_often,
            page_url: self.page_url.as_deref(),
            home_url: &self.home_url,
            unsubscribe_url: &self.unsubscribe_url,
        };
        let html = template::html(&mjml.render().map_err(|error| error.to_string())?)?;
        Ok((text, html))
    }

    /// What mail programs show beside the subject: what is inside that the subject does not say.
    fn preview(&self) -> String {
        let items = self.sections.iter().flat_map(|section| &section.items);
        let titles = items.map(|item| item.title.as_str()).filter(|title| !self.subject.contains(title));
        let said = self.note.as_deref().into_iter().chain(titles).collect::<Vec<_>>().join(" · ");
        shortened(&said, PREVIEW_MAX)
    }
}

/// The longest subject that is not cut off on a phone held sideways.
const SUBJECT_MAX: usize = 110;
/// What is left of it is shown by no mail program.
const PREVIEW_MAX: usize = 120;
/// What is left of a title in a subject.
const TITLE_MAX: usize = 60;

/// What a digest holds, for its subject: "3 questions you could answer, 1 reply to you and “Quiet
/// nights”". What only this member can do or was said to them comes first, then the best of the rest by
/// its title. Nothing but a note is "A note from the team".
#[must_use]
pub fn headline(items: &[(Kind, &Item)]) -> String {
    let count = |kind| items.iter().filter(|(of, _)| *of == kind).count();
    let several = |count: usize, one: &str, several: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { several }))
    };
    let mut parts: Vec<String> = [
        several(count(Kind::Questions), "question you could answer", "questions you could answer"),
        several(count(Kind::Replies), "reply to you", "replies to you"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let titled = [Kind::Pinned, Kind::New, Kind::Adoptions, Kind::Events, Kind::Library];
    let rest: Vec<&Item> = titled
        .iter()
        .flat_map(|kind| items.iter().filter(move |(of, _)| of == kind).map(|(_, item)| *item))
        .collect();
    if let Some(best) = rest.first() {
        parts.push(format!("“{}”", shortened(&best.title, TITLE_MAX)));
    }
    if rest.len() > 1 && parts.len() < 3 {
        parts.push(format!("{} more", rest.len() - 1));
    }
    let mut said = match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "A note from the team".to_owned(),
    };
    if said.chars().count() > SUBJECT_MAX {
        said = shortened(&said, SUBJECT_MAX);
    }
    said
}

/// Cut after a word, with an ellipsis, when it is longer than so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most).collect();
    let kept = cut.rsplit_once(' ').map_or(cut.as_str(), |(kept, _)| kept);
    format!("{}…", kept.trim_end_matches([',', '.', ';', ':', '-', ' ']))
}

/// "Idea", as a label.
#[must_use]
pub const fn kind_name(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Idea => "Idea",
        PostKind::Question => "Question",
        PostKind::Update => "Update",
        PostKind::Event => "Event",
    }
}

impl DigestMail {
    /// One with everything that can be in it, awkward text included.
    #[must_use]
    pub fn sample() -> Self {
        let item = |title: &str, label, by: &str, why: &str| Item {
            title: title.to_owned(),
            label,
            by: by.to_owned(),
            summary: "We asked 40 people on two wards what matters to them at night. <b>Noise</b> came \
                      first & light second, so we tried “quiet at ten”."
                .to_owned(),
            url: "https://hope.example/posts/pst_01KJQ3W4X5Y6Z7".to_owned(),
            why: why.to_owned(),
        };
        let sections = vec![
            (
                Kind::Pinned,
                item(
                    "Tell us what the network should do next",
                    "Question",
                    "Ruth Adeyemi, NHS England",
                    "Moderators put this at the top this week.",
                ),
            ),
            (
                Kind::Questions,
                item(
                    "How do you pay lived experience partners?",
                    "Question",
                    "Mei Lin, Barts Health NHS Trust",
                    "You have experience of Co-production. Nobody has answered it yet.",
                ),
            ),
            (
                Kind::Replies,
                item(
                    "<Quiet> nights & earplugs",
                    "Reply",
                    "Asha O'Neill, Leeds Teaching Hospitals NHS Trust",
                    "This is a reply to your question.",
                ),
            ),
            (
                Kind::New,
                item(
                    "Always Events® in outpatients",
                    "Case study",
                    "Tom Baker",
                    "It is about Outpatients, which you chose to hear of.",
                ),
            ),
            (
                Kind::Adoptions,
                item(
                    "Open visiting on every ward",
                    "Adoption",
                    "Cwm Taf Morgannwg University Health Board",
                    "You wrote this case study.",
                ),
            ),
            (
                Kind::Events,
                item(
                    "Sharing day: what we learned from complaints",
                    "Event",
                    "Jo Bloggs, Kent Community Health NHS Foundation Trust",
                    "It is from an organisation like yours.",
                ),
            ),
            (
                Kind::Library,
                item(
                    "Fifteen steps with young volunteers",
                    "Case study",
                    "Sam Okafor",
                    "From 9 June 2024. You have experience of Volunteering.",
                ),
            ),
        ];
        let subject = headline(&sections.iter().map(|(kind, item)| (*kind, item)).collect::<Vec<_>>());
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            subject,
            note: Some("Thank you to everybody who came on Thursday. <Slides> & notes are below.".to_owned()),
            sections: sections
                .into_iter()
                .map(|(kind, item)| Section { title: kind.title(), items: vec![item] })
                .collect(),
            more: true,
            how_often: "every Tuesday".to_owned(),
            page_url: Some("https://hope.example/digests/dig_01KJQ3W4X5Y6Z7-20260303".to_owned()),
            home_url: "https://hope.example/".to_owned(),
            unsubscribe_url: "https://hope.example/unsubscribe/ZGlnZXN0".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = DigestMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_sample_as_html() {
        let (_, html) = DigestMail::sample().render_both().unwrap();
        assert!(html.len() < 100_000, "Gmail cuts messages at 102 kB; this has {}", html.len());
        for part in [
            "lang=\"en-GB\"",
            "<title>1 question you could answer, 1 reply to you and “Tell us what the network should do next”</title>",
            "name=\"color-scheme\"",
            "prefers-color-scheme: dark",
            "width=device-width",
            "/unsubscribe/ZGlnZXN0",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // What members write is text, also where it looks like markup.
        assert!(html.contains("&#60;Quiet&#62; nights &#38; earplugs"), "{html}");
        assert!(
            !html.contains("<Quiet>") && !html.contains("<b>Noise") && !html.contains("<Slides>"),
            "{html}"
        );
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src=", "fonts.googleapis"] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }

    #[test]
    fn the_headline_says_what_is_inside() {
        let item = |title: &str| Item {
            title: title.to_owned(),
            ..DigestMail::sample().sections[0].items[0].clone()
        };
        let items = |kinds: &[(Kind, &str)]| {
            let items: Vec<_> = kinds.iter().map(|(kind, title)| (*kind, item(title))).collect();
            headline(&items.iter().map(|(kind, item)| (*kind, item)).collect::<Vec<_>>())
        };
        use Kind::{Library, New, Questions, Replies};
        assert_eq!(items(&[(New, "Quiet nights")]), "“Quiet nights”");
        assert_eq!(items(&[(New, "Quiet nights"), (Library, "B"), (New, "C")]), "“Quiet nights” and 2 more");
        assert_eq!(
            items(&[(Questions, "A"), (Questions, "B"), (New, "A cheaper way to run 15 Steps")]),
            "2 questions you could answer and “A cheaper way to run 15 Steps”"
        );
        assert_eq!(items(&[(Replies, "A")]), "1 reply to you");
        assert_eq!(items(&[]), "A note from the team");
        let long = items(&[(Questions, "A"), (Replies, "B"), (New, &"word ".repeat(40))]);
        assert!(long.chars().count() <= SUBJECT_MAX && long.ends_with("word…”"), "{long}");
    }
}
