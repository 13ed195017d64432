//! The weekly digest: what is new, and what others said to the member.

use askama::Template;

use super::template;
use crate::domain::post::PostKind;

/// Everything that a digest says, ready to be filled in.
#[derive(Clone, Debug, Template)]
#[template(path = "digest/message.txt", escape = "none")]
pub struct DigestMail {
    pub network: String,
    pub team: String,
    pub subject: String,
    /// What is inside, without the network's name: "2 new ideas and 3 replies to you".
    pub headline: String,
    /// What mail programs show beside the subject.
    pub preview: String,
    /// Never empty, and none of them is.
    pub sections: Vec<Section>,
    /// Whether there was more than fits.
    pub more: bool,
    /// "Tuesday"
    pub weekday: &'static str,
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
    headline: &'a str,
    preview: &'a str,
    sections: &'a [Section],
    more: bool,
    weekday: &'a str,
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
            headline: &self.headline,
            preview: &self.preview,
            sections: &self.sections,
            more: self.more,
            weekday: self.weekday,
            home_url: &self.home_url,
            unsubscribe_url: &self.unsubscribe_url,
        };
        let html = template::html(&mjml.render().map_err(|error| error.to_string())?)?;
        Ok((text, html))
    }
}

/// What a digest holds, in words: "2 new ideas and 3 replies to you". Replies to the reader come
/// last, where the eye stops; kinds that there are none of are not named.
#[must_use]
pub fn headline(posts: &[PostKind], case_studies: usize, replies: usize) -> String {
    let count = |kind| posts.iter().filter(|post| **post == kind).count();
    let kinds = [
        (count(PostKind::Question), "new question", "new questions"),
        (case_studies, "new case study", "new case studies"),
        (count(PostKind::Idea), "new idea", "new ideas"),
        (count(PostKind::Update), "new update", "new updates"),
        (count(PostKind::Event), "new event", "new events"),
        (replies, "reply to you", "replies to you"),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, several)| format!("{count} {}", if *count == 1 { one } else { several }))
        .collect();
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
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
        let headline = headline(&[PostKind::Idea, PostKind::Question], 0, 1);
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            subject: format!("{headline}: HOPE Network, 3 March 2026"),
            preview: "Re: <Quiet> nights & earplugs".to_owned(),
            headline,
            sections: vec![
                Section {
                    title: "Replies to you",
                    items: vec![item(
                        "<Quiet> nights & earplugs",
                        "Reply",
                        "Asha O'Neill, Leeds Teaching Hospitals NHS Trust",
                        "This is a reply to your question.",
                    )],
                },
                Section {
                    title: "New in the network",
                    items: vec![
                        item(
                            "Always Events® in outpatients",
                            "Idea",
                            "Tom Baker",
                            "New to the network on 26 February 2026. It has 1 comment.",
                        ),
                        item(
                            "How do you pay lived experience partners?",
                            "Question",
                            "Mei Lin, Barts Health NHS Trust",
                            "New to the network on 1 March 2026. Nobody has answered it yet.",
                        ),
                    ],
                },
            ],
            more: true,
            weekday: "Tuesday",
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
            "<title>1 new question, 1 new idea and 1 reply to you: HOPE Network, 3 March 2026</title>",
            "name=\"color-scheme\"",
            "prefers-color-scheme: dark",
            "width=device-width",
            "/unsubscribe/ZGlnZXN0",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // What members write is text, also where it looks like markup.
        assert!(html.contains("&#60;Quiet&#62; nights &#38; earplugs"), "{html}");
        assert!(!html.contains("<Quiet>") && !html.contains("<b>Noise"), "{html}");
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src=", "fonts.googleapis"] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }

    #[test]
    fn the_headline_counts_what_is_inside() {
        use PostKind::{Event, Idea, Question, Update};
        assert_eq!(headline(&[Idea, Idea], 1, 3), "1 new case study, 2 new ideas and 3 replies to you");
        assert_eq!(headline(&[], 0, 1), "1 reply to you");
        assert_eq!(
            headline(&[Event, Update, Question, Idea], 0, 0),
            "1 new question, 1 new idea, 1 new update and 1 new event"
        );
        assert_eq!(headline(&[], 0, 0), "");
    }
}
