//! To the team: whose mailboxes get nothing more of what is sent to many, and why.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Template)]
#[template(path = "suppression/message.txt", escape = "none")]
pub struct SuppressionMail {
    pub network: String,
    pub team: String,
    /// Never empty.
    pub all: Vec<Suppressed>,
    pub home_url: String,
}

/// A member from whose mailbox mail comes back.
pub struct Suppressed {
    pub name: String,
    pub email: String,
    pub reason: &'static str,
    /// " (5.1.1)", or nothing.
    pub code: String,
    /// "3 March 2026 at 07:30"
    pub since: String,
    pub id: String,
}

#[derive(Template)]
#[template(path = "suppression/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    all: &'a [Suppressed],
    home_url: &'a str,
}

impl SuppressionMail {
    #[must_use]
    pub fn subject(&self) -> String {
        match self.all.as_slice() {
            [only] => format!("Mail to {} comes back", only.name),
            all => format!("Mail to {} members comes back", all.len()),
        }
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
            all: &self.all,
            home_url: &self.home_url,
        };
        let mjml = mjml.render().map_err(|error| error.to_string())?;
        Ok((text, template::html(&mjml)?))
    }

    #[must_use]
    pub fn sample() -> Self {
        let one = |name: &str, email: &str, reason, code: &str| Suppressed {
            name: name.to_owned(),
            email: email.to_owned(),
            reason,
            code: code.to_owned(),
            since: "3 March 2026 at 07:30".to_owned(),
            id: "mbr_01KJQ3W4X5Y6Z7".to_owned(),
        };
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            all: vec![
                one(
                    "Asha O'Neill",
                    "asha.oneill@leedsth.nhs.uk",
                    "there is no such mailbox, or none that takes mail",
                    " (5.1.1)",
                ),
                one("Jo <Bloggs>", "jo@nhs.net", "its reader called our mail junk", ""),
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
        let (text, _) = SuppressionMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text);
    }
}
