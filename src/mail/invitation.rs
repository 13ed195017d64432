//! The invitation of a lived experience partner, in plain language.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Template)]
#[template(path = "invitation/message.txt", escape = "none")]
pub struct InvitationMail {
    pub network: String,
    pub team: String,
    pub contact: String,
    /// Who is invited.
    pub name: String,
    /// Who invites.
    pub sponsor: String,
    /// To what, by name; empty: to everything.
    pub about: Vec<String>,
    pub link: String,
    /// "3 March 2026": until when it can be accepted.
    pub until: String,
    pub access_until: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "invitation/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    contact: &'a str,
    name: &'a str,
    sponsor: &'a str,
    about: &'a [String],
    link: &'a str,
    until: &'a str,
    access_until: &'a str,
}

impl InvitationMail {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} invites you to {}", self.sponsor, self.network)
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
            sponsor: &self.sponsor,
            about: &self.about,
            link: &self.link,
            until: &self.until,
            access_until: &self.access_until,
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
            name: "Pat <Green>".to_owned(),
            sponsor: "Mary Ward".to_owned(),
            about: vec!["Mental health".to_owned(), "Quiet nights & earplugs".to_owned()],
            link: "https://hope.example/invitations/inv_01KJQ3W4X5Y6Z7.c2VjcmV0".to_owned(),
            until: "16 March 2026".to_owned(),
            access_until: "2 March 2027".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = InvitationMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Pat <Green>

        Mary Ward of the Experience of Care team, NHS England invites you to HOPE Network.

        People who plan and improve care in the NHS share ideas there, ask each other questions and write down
        what has worked. You know what care is like for the people who use it. We would like you to read along
        and to say what you think.

        You are invited to take part in:

          - Mental health
          - Quiet nights & earplugs

        To take part, open this page and press the button there. We then send you a code, which you type or paste.

        https://hope.example/invitations/inv_01KJQ3W4X5Y6Z7.c2VjcmV0

        You can accept until 16 March 2026. You can then take part until 2 March 2027. It costs nothing, and
        you can stop at any time.

        Members will see your name, and that you are a lived experience partner. They will not see your e-mail
        address.

        If you do not want to take part, or do not know why you get this e-mail, you need not do anything. If you
        have questions, write to hope-network@example.nhs.uk.

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let (_, html) = InvitationMail::sample().render_both().unwrap();
        for part in [
            "/invitations/inv_01KJQ3W4X5Y6Z7.c2VjcmV0",
            "Pat &#60;Green&#62;",
            "Quiet nights &#38; earplugs",
            "lang=\"en-GB\"",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
