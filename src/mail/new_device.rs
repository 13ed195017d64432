//! The mail about a sign-in from a new device. Its link leads to a page, and changes nothing.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Clone, Debug, Template)]
#[template(path = "new_device/message.txt", escape = "none")]
pub struct NewDeviceMail {
    pub network: String,
    pub team: String,
    pub contact: String,
    /// The member's.
    pub name: String,
    /// "Edge on Windows"
    pub device: String,
    /// "NHS network (HSCN)"
    pub place: String,
    /// "2 March 2026 at 09:00", in London.
    pub at: String,
    pub sessions_url: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "new_device/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    contact: &'a str,
    name: &'a str,
    device: &'a str,
    place: &'a str,
    at: &'a str,
    sessions_url: &'a str,
}

impl NewDeviceMail {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("A new sign-in to {}", self.network)
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
            device: &self.device,
            place: &self.place,
            at: &self.at,
            sessions_url: &self.sessions_url,
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
            device: "Edge on Windows".to_owned(),
            place: "NHS network (HSCN)".to_owned(),
            at: "2 March 2026 at 09:00".to_owned(),
            sessions_url: "https://hope.example/sessions".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = NewDeviceMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha Patel,

        somebody signed in to HOPE Network as you, with a device or from a place that is new to us:

            Edge on Windows
            NHS network (HSCN)
            2 March 2026 at 09:00

        If that was you, there is nothing to do.

        If not, somebody else can read your e-mail. Change your mailbox's password first. Then open this page, and end the session there:
        https://hope.example/sessions

        And tell us: hope-network@example.nhs.uk

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let mut mail = NewDeviceMail::sample();
        mail.name = "<b>Asha</b>".to_owned();
        let (_, html) = mail.render_both().unwrap();
        for part in ["Edge on Windows", "https://hope.example/sessions", "&#60;b&#62;Asha", "lang=\"en-GB\""]
        {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src=", "<b>Asha"] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
