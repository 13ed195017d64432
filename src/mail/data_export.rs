//! The mail about an export that is ready. Its link leads to a page that asks who they are.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Clone, Debug, Template)]
#[template(path = "data_export/message.txt", escape = "none")]
pub struct DataExportMail {
    pub network: String,
    pub team: String,
    pub contact: String,
    /// The member's.
    pub name: String,
    /// "9 March 2026"
    pub until: String,
    pub url: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "data_export/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    contact: &'a str,
    name: &'a str,
    until: &'a str,
    url: &'a str,
}

impl DataExportMail {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("Your data from {}", self.network)
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
            contact: &self.contact,
            name: &self.name,
            until: &self.until,
            url: &self.url,
        };
        let mjml = mjml.render().map_err(|error| error.to_string())?;
        Ok((text, template::html(&mjml)?))
    }

    #[must_use]
    pub fn sample() -> Self {
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            contact: "hope-network@example.nhs.uk".to_owned(),
            name: "Asha Patel".to_owned(),
            until: "9 March 2026".to_owned(),
            url: "https://hope.example/data-exports/exp_01J0".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = DataExportMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha Patel,

        you asked for everything that HOPE Network holds of you. It is ready. Sign in and get it here, until 9 March 2026:
        https://hope.example/data-exports/exp_01J0

        If you did not ask for it, write to us: hope-network@example.nhs.uk

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let mut mail = DataExportMail::sample();
        mail.name = "<b>Asha</b>".to_owned();
        let (_, html) = mail.render_both().unwrap();
        for part in ["https://hope.example/data-exports/exp_01J0", "&#60;b&#62;Asha", "lang=\"en-GB\""] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src=", "<b>Asha"] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
