//! The reminder that a case study's review date has come.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Clone, Debug, Template)]
#[template(path = "review_reminder/message.txt", escape = "none")]
pub struct ReviewReminder {
    pub network: String,
    pub team: String,
    /// "Hello Asha O'Neill", or "Hello" to a shared mailbox.
    pub greeting: String,
    pub title: String,
    pub url: String,
    /// "one of its authors"
    pub why: &'static str,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "review_reminder/message.mjml", escape = "html")]
struct Html<'a> {
    network: &'a str,
    team: &'a str,
    subject: String,
    greeting: &'a str,
    title: &'a str,
    url: &'a str,
    why: &'a str,
}

impl ReviewReminder {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("Is it still right? {}", self.title)
    }

    /// The text and the HTML.
    ///
    /// # Errors
    /// A mistake in the templates.
    pub fn render_both(&self) -> Result<(String, String), String> {
        let text = self.render().map_err(|error| error.to_string())?;
        let mjml = Html {
            network: &self.network,
            team: &self.team,
            subject: self.subject(),
            greeting: &self.greeting,
            title: &self.title,
            url: &self.url,
            why: self.why,
        };
        let mjml = mjml.render().map_err(|error| error.to_string())?;
        Ok((text, template::html(&mjml)?))
    }

    #[must_use]
    pub fn sample() -> Self {
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            greeting: "Hello Asha O'Neill".to_owned(),
            title: "<Quiet> nights & earplugs".to_owned(),
            url: "https://hope.example/case-studies/cst_01KJQ3W4X5Y6Z7".to_owned(),
            why: "one of its authors",
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = ReviewReminder::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha O'Neill

        The review date of this case study has come, and it now says that it may be out of date:

            <Quiet> nights & earplugs
            https://hope.example/case-studies/cst_01KJQ3W4X5Y6Z7

        Is it still right? Then choose a new review date. Has something changed? Then say so: what stopped or
        did not last is worth sharing, too. If nobody should rely on it any more, archive it.

        You get this e-mail once, because you are one of its authors.

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let (_, html) = ReviewReminder::sample().render_both().unwrap();
        for part in
            ["/case-studies/cst_01KJQ3W4X5Y6Z7", "&#60;Quiet&#62; nights &#38; earplugs", "lang=\"en-GB\""]
        {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
