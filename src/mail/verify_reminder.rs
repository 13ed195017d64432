//! The reminder to sign in again, so that it is seen that a member still reads their address's mail.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Template)]
#[template(path = "verify_reminder/message.txt", escape = "none")]
pub struct VerifyReminder {
    pub network: String,
    pub team: String,
    pub name: String,
    /// "3 March 2026"
    pub until: String,
    pub sign_in_url: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "verify_reminder/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    name: &'a str,
    until: &'a str,
    sign_in_url: &'a str,
}

impl VerifyReminder {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("Is this still your e-mail address? {}", self.network)
    }

    /// The text and the HTML.
    ///
    /// # Errors
    /// A mistake in the templates.
    pub fn render_both(&self) -> Result<(String, String), String> {
        let text = self.render().map_err(|error| error.to_string())?;
        let mjml = Html {
            subject: self.subject(),
            network: &self.network,
            team: &self.team,
            name: &self.name,
            until: &self.until,
            sign_in_url: &self.sign_in_url,
        };
        let mjml = mjml.render().map_err(|error| error.to_string())?;
        Ok((text, template::html(&mjml)?))
    }

    #[must_use]
    pub fn sample() -> Self {
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            name: "Asha O'Neill".to_owned(),
            until: "31 August 2026".to_owned(),
            sign_in_url: "https://hope.example/sign-in".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = VerifyReminder::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha O'Neill

        From time to time we have to see that this is still your e-mail address. Please sign in with a code before
        31 August 2026:

        https://hope.example/sign-in

        If you are signed in already, sign out first. After that day you will be asked for a code. Nothing of
        yours is lost.

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let (_, html) = VerifyReminder::sample().render_both().unwrap();
        for part in ["https://hope.example/sign-in", "31 August 2026", "lang=\"en-GB\""] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
