//! The mail that tells the team that somebody asked to join.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Template)]
#[template(path = "applicant/message.txt", escape = "none")]
pub struct ApplicantMail {
    pub network: String,
    pub team: String,
    pub name: String,
    pub email: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "applicant/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    name: &'a str,
    email: &'a str,
    home_url: &'a str,
}

impl ApplicantMail {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} asked to join {}", self.name, self.network)
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
            email: &self.email,
            home_url: &self.home_url,
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
            email: "asha.oneill@healthwatch.co.uk".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = ApplicantMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello

        Asha O'Neill (asha.oneill@healthwatch.co.uk) asked to join HOPE Network and waits until a moderator looks at it.

        Moderators approve or refuse requests after signing in:
        https://hope.example/

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let (_, html) = ApplicantMail::sample().render_both().unwrap();
        for part in ["https://hope.example/", "asha.oneill@healthwatch.co.uk", "lang=\"en-GB\""] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
