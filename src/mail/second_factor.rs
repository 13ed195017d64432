//! What members are told of their second factors: whatever changes them may have been somebody else. Its links
//! lead to pages, and change nothing.

use askama::Template;

use super::template;
use crate::domain::second_factor::FactorNews;

/// Everything that the mail says: neither a code nor what a factor is called.
#[derive(Clone, Debug, Template)]
#[template(path = "second_factor/message.txt", escape = "none")]
pub struct SecondFactorMail {
    pub network: String,
    pub team: String,
    pub contact: String,
    /// The member's.
    pub name: String,
    pub news: FactorNews,
    /// "2 March 2026 at 09:00", in London.
    pub at: String,
    pub sessions_url: String,
    pub factors_url: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "second_factor/message.mjml", escape = "html")]
struct Html<'a> {
    mail: &'a SecondFactorMail,
    subject: String,
    heading: &'static str,
    opening: String,
    advice: Option<&'static str>,
}

impl SecondFactorMail {
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{} for {}", self.heading(), self.network)
    }

    const fn heading(&self) -> &'static str {
        match self.news {
            FactorNews::Added(_) => "A new second factor",
            FactorNews::Removed(_) => "A second factor was removed",
            FactorNews::CodesRenewed => "New recovery codes",
            FactorNews::CodeUsed(_) => "A recovery code was used",
            FactorNews::Copied => "There may be a copy of your passkey",
            FactorNews::Reset => "Your second factors are reset",
        }
    }

    fn opening(&self) -> String {
        let network = &self.network;
        match self.news {
            FactorNews::Added(kind) => {
                format!("{} was added to what you sign in to {network} with:", kind.with_article())
            }
            FactorNews::Removed(kind) => {
                format!("{} was removed from what you sign in to {network} with:", kind.with_article())
            }
            FactorNews::CodesRenewed => {
                format!("new recovery codes were made for you on {network}. The old ones work no more:")
            }
            FactorNews::CodeUsed(left) => {
                format!("a recovery code of yours was used on {network}. You have {left} left:")
            }
            FactorNews::Copied => format!(
                "somebody showed a passkey of yours on {network} that seems to be a copy, and was not let in:"
            ),
            FactorNews::Reset => format!(
                "your second factors for {network} were taken away by those who run it, because you asked for \
                 it or lost them. You are signed out everywhere:"
            ),
        }
    }

    const fn advice(&self) -> Option<&'static str> {
        match self.news {
            FactorNews::Reset => Some("Sign in with a code by e-mail, and register new ones."),
            FactorNews::Copied => Some("Even so, remove that passkey and add a new one."),
            FactorNews::CodeUsed(..=3) => Some("Make new recovery codes before none are left."),
            _ => None,
        }
    }

    /// The text and the HTML.
    ///
    /// # Errors
    /// A mistake in the templates.
    pub fn render_both(&self) -> Result<(String, String), String> {
        let text = self.render().map_err(|error| error.to_string())?;
        let mjml = Html {
            mail: self,
            subject: self.subject(),
            heading: self.heading(),
            opening: self.opening(),
            advice: self.advice(),
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
            news: FactorNews::CodeUsed(3),
            at: "2 March 2026 at 09:00".to_owned(),
            sessions_url: "https://hope.example/sessions".to_owned(),
            factors_url: "https://hope.example/second-factor".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::second_factor::FactorKind;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = SecondFactorMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Hello Asha Patel,

        a recovery code of yours was used on HOPE Network. You have 3 left:

            2 March 2026 at 09:00

        If that was you, there is nothing to do. Make new recovery codes before none are left.

        If not, somebody else may be signed in as you. Open this page, and end every session that you don't know:
        https://hope.example/sessions

        And tell us: hope-network@example.nhs.uk

        Your second factors are here:
        https://hope.example/second-factor

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        for news in [
            FactorNews::Added(FactorKind::Totp),
            FactorNews::Removed(FactorKind::Passkey),
            FactorNews::CodesRenewed,
            FactorNews::CodeUsed(9),
            FactorNews::Copied,
            FactorNews::Reset,
        ] {
            let mail =
                SecondFactorMail { news, name: "<b>Asha</b>".to_owned(), ..SecondFactorMail::sample() };
            let (_, html) = mail.render_both().unwrap();
            for part in
                [mail.heading(), "https://hope.example/second-factor", "&#60;b&#62;Asha", "lang=\"en-GB\""]
            {
                assert!(html.contains(part), "{part} is missing in {html}");
            }
            for foreign in ["<img", "<link", "<script", "@import", "url(", "src=", "<b>Asha"] {
                assert!(!html.contains(foreign), "{foreign} in {html}");
            }
        }
    }
}
