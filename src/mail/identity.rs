//! What members are told when an account elsewhere was linked with theirs: from then on whoever signs in there
//! is taken for them. Its links lead to pages, and change nothing.

use askama::Template;

use super::template;
use crate::domain::identity::IdentityNews;

/// Everything that the mail says.
#[derive(Clone, Debug, Template)]
#[template(path = "identity/message.txt", escape = "none")]
pub struct IdentityMail {
    pub network: String,
    pub team: String,
    pub contact: String,
    /// The member's.
    pub name: String,
    /// What people know the provider by.
    pub provider: String,
    pub news: IdentityNews,
    /// "2 March 2026 at 09:00", in London.
    pub at: String,
    pub sessions_url: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "identity/message.mjml", escape = "html")]
struct Html<'a> {
    mail: &'a IdentityMail,
    subject: String,
    heading: String,
    opening: String,
}

impl IdentityMail {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} for {}", self.heading(), self.network)
    }

    fn heading(&self) -> String {
        match self.news {
            IdentityNews::Linked => format!("Sign-in with {}", self.provider),
            IdentityNews::Unlinked => format!("No more sign-in with {}", self.provider),
        }
    }

    fn opening(&self) -> String {
        let (network, provider) = (&self.network, &self.provider);
        match self.news {
            IdentityNews::Linked => format!(
                "an account at {provider} with your e-mail address was linked with yours on {network}. Whoever signs \
                 in there is signed in here as you:"
            ),
            IdentityNews::Unlinked => {
                format!("your account at {provider} is no longer linked with yours on {network}:")
            }
        }
    }

    /// The text and the HTML.
    ///
    /// # Errors
    /// A mistake in the templates.
    pub fn render_both(&self) -> Result<(String, String), String> {
        let text = self.render().map_err(|error| error.to_string())?;
        let mjml =
            Html { mail: self, subject: self.subject(), heading: self.heading(), opening: self.opening() };
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
            provider: "NHSmail".to_owned(),
            news: IdentityNews::Linked,
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
        let (text, _) = IdentityMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha Patel,

        an account at NHSmail with your e-mail address was linked with yours on HOPE Network. Whoever signs in there is signed in here as you:

            2 March 2026 at 09:00

        If that was you, there is nothing to do.

        If not, somebody else may be signed in as you. Open this page, end every session that you don't know, and unlink the account:
        https://hope.example/sessions

        And tell us: hope-network@example.nhs.uk

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        for news in [IdentityNews::Linked, IdentityNews::Unlinked] {
            let mail = IdentityMail { news, name: "<b>Asha</b>".to_owned(), ..IdentityMail::sample() };
            let (_, html) = mail.render_both().unwrap();
            for part in ["NHSmail", "https://hope.example/sessions", "&#60;b&#62;Asha", "lang=\"en-GB\""] {
                assert!(html.contains(part), "{part} is missing in {html}");
            }
            for foreign in ["<img", "<link", "<script", "@import", "url(", "src=", "<b>Asha"] {
                assert!(!html.contains(foreign), "{foreign} in {html}");
            }
        }
    }
}
