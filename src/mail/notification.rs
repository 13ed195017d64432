//! What happened in a thread and concerns a member, told at once: titles and summaries only.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Clone, Debug, Template)]
#[template(path = "notification/message.txt", escape = "none")]
pub struct NotificationMail {
    pub network: String,
    pub team: String,
    pub subject: String,
    /// What it is about, and where people read it.
    pub title: String,
    pub url: String,
    /// What the link there says.
    pub link: &'static str,
    /// Never empty; the strongest reason first.
    pub parts: Vec<Part>,
    pub home_url: String,
}

/// One kind of thing that happened.
#[derive(Clone, Debug)]
pub struct Part {
    /// "Grace Hill mentioned you in “Quiet nights”"
    pub sentence: String,
    /// The beginning of the latest comment, or of the contribution.
    pub summary: String,
    /// "mentions of you"
    pub about: &'static str,
    /// Stops e-mails of this kind.
    pub unsubscribe_url: String,
}

#[derive(Template)]
#[template(path = "notification/message.mjml", escape = "html")]
struct Html<'a> {
    network: &'a str,
    team: &'a str,
    subject: &'a str,
    title: &'a str,
    url: &'a str,
    link: &'a str,
    parts: &'a [Part],
}

impl NotificationMail {
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
            title: &self.title,
            url: &self.url,
            link: self.link,
            parts: &self.parts,
        };
        let mjml = mjml.render().map_err(|error| error.to_string())?;
        Ok((text, template::html(&mjml)?))
    }

    #[must_use]
    pub fn sample() -> Self {
        let part = |sentence: &str, about, slug: &str| Part {
            sentence: sentence.to_owned(),
            summary: "We fitted soft-close bins on nine wards. <b>Felt</b> pads & tape did the rest."
                .to_owned(),
            about,
            unsubscribe_url: format!("https://hope.example/unsubscribe/{slug}"),
        };
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            subject: "Grace Hill mentioned you in “<Quiet> nights & earplugs”, and more".to_owned(),
            title: "<Quiet> nights & earplugs".to_owned(),
            url: "https://hope.example/posts/pst_01KJQ3W4X5Y6Z7".to_owned(),
            link: "Read and answer it",
            parts: vec![
                part("Grace Hill mentioned you in “<Quiet> nights & earplugs”", "mentions of you", "one"),
                part("2 replies to you in “<Quiet> nights & earplugs” by Jo Bloggs", "replies to you", "two"),
            ],
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = NotificationMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Grace Hill mentioned you in “<Quiet> nights & earplugs”, and more

        * Grace Hill mentioned you in “<Quiet> nights & earplugs”
          We fitted soft-close bins on nine wards. <b>Felt</b> pads & tape did the rest.

        * 2 replies to you in “<Quiet> nights & earplugs” by Jo Bloggs
          We fitted soft-close bins on nine wards. <b>Felt</b> pads & tape did the rest.

        Read and answer it: https://hope.example/posts/pst_01KJQ3W4X5Y6Z7

        --
        You get this e-mail because you have not read this on HOPE Network yet.
        Stop e-mails about mentions of you: https://hope.example/unsubscribe/one
        Stop e-mails about replies to you: https://hope.example/unsubscribe/two
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let (_, html) = NotificationMail::sample().render_both().unwrap();
        for part in [
            "/posts/pst_01KJQ3W4X5Y6Z7",
            "&#60;Quiet&#62; nights &#38; earplugs",
            "lang=\"en-GB\"",
            "/unsubscribe/two",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
