//! What became of a request to join. It does not say who decided.

use askama::Template;

use super::template;

/// Everything that the mail says.
#[derive(Template)]
#[template(path = "decision/message.txt", escape = "none")]
pub struct DecisionMail {
    pub network: String,
    pub team: String,
    pub contact: String,
    pub name: String,
    pub approved: bool,
    /// Empty, where there was nothing to say.
    pub reason: String,
    /// "3 March 2026": from when somebody who was refused can ask again.
    pub again: String,
    pub sign_in_url: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "decision/message.mjml", escape = "html")]
struct Html<'a> {
    subject: String,
    network: &'a str,
    team: &'a str,
    contact: &'a str,
    name: &'a str,
    approved: bool,
    reason: &'a str,
    again: &'a str,
    sign_in_url: &'a str,
}

impl DecisionMail {
    #[must_use]
    pub fn subject(&self) -> String {
        if self.approved {
            format!("You are a member of {}", self.network)
        } else {
            format!("Your request to join {}", self.network)
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
            contact: &self.contact,
            name: &self.name,
            approved: self.approved,
            reason: &self.reason,
            again: &self.again,
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
            contact: "hope-network@example.nhs.uk".to_owned(),
            name: "Asha O'Neill".to_owned(),
            approved: false,
            reason: "The network is for people who work on experience of care.".to_owned(),
            again: "31 May 2026".to_owned(),
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
        let (text, _) = DecisionMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha O'Neill

        You asked to join HOPE Network. We looked at your request, and could not accept it.

        The reason: The network is for people who work on experience of care.

        You can ask again from 31 May 2026.

        If you think that this is not right, write to hope-network@example.nhs.uk.

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
        let approval = DecisionMail { approved: true, reason: String::new(), ..DecisionMail::sample() };
        insta::assert_snapshot!(approval.render_both().unwrap().0, @r"
        Hello Asha O'Neill

        You asked to join HOPE Network, and you are a member now.

        Sign in here:
        https://hope.example/sign-in

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let (_, html) = DecisionMail::sample().render_both().unwrap();
        for part in ["could not accept it", "31 May 2026", "lang=\"en-GB\""] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
