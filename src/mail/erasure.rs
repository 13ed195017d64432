//! The mail about an erasure that was asked for and can be called off. Its link leads to a page, and changes nothing.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Clone, Debug, Template)]
#[template(path = "erasure/message.txt", escape = "none")]
pub struct ErasureMail {
    pub network: String,
    pub team: String,
    pub contact: String,
    /// The member's.
    pub name: String,
    /// "9 March 2026"
    pub on: String,
    pub url: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "erasure/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    contact: &'a str,
    name: &'a str,
    on: &'a str,
    url: &'a str,
}

impl ErasureMail {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("Your account with {} will be erased", self.network)
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
            on: &self.on,
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
            on: "9 March 2026".to_owned(),
            url: "https://hope.example/erasure".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = ErasureMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha Patel,

        you asked for your account with HOPE Network to be erased. That will happen on 9 March 2026. What you wrote stays, without your name; everything else of yours goes, for good.

        Until then you can call it off. Sign in, and open this page:
        https://hope.example/erasure

        If you did not ask for it, call it off, and write to us: hope-network@example.nhs.uk

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let mut mail = ErasureMail::sample();
        mail.name = "<b>Asha</b>".to_owned();
        let (_, html) = mail.render_both().unwrap();
        for part in ["9 March 2026", "https://hope.example/erasure", "&#60;b&#62;Asha", "lang=\"en-GB\""] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src=", "<b>Asha"] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
