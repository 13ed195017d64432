//! The mail with a code and a link to sign in.

use askama::Template;

use super::template;

/// Everything that the mail says. Holds secrets, so it has no `Debug`.
#[derive(Template)]
#[template(path = "sign_in/message.txt", escape = "none")]
pub struct SignInMail {
    pub network: String,
    pub team: String,
    pub code: String,
    pub link: String,
    /// How long the code works.
    pub minutes: i64,
    /// "10:10", in London.
    pub until: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "sign_in/message.mjml", escape = "html")]
struct Html<'a> {
    network: &'a str,
    team: &'a str,
    subject: String,
    code: &'a str,
    link: &'a str,
    minutes: i64,
    until: &'a str,
}

impl SignInMail {
    /// Without the code: subjects are shown on locked screens and kept in relays' logs.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("Your code to sign in to {}", self.network)
    }

    /// The text and the HTML.
    ///
    /// # Errors
    /// A mistake in the templates.
    pub fn render_both(&self) -> Result<(String, String), String> {
        let text = self.render().map_err(|error| error.to_string())?;
        let mjml = Html {
            network: &self.network,
            team: &self.team,
            subject: self.subject(),
            code: &self.code,
            link: &self.link,
            minutes: self.minutes,
            until: &self.until,
        };
        let mjml = mjml.render().map_err(|error| error.to_string())?;
        Ok((text, template::html(&mjml)?))
    }

    #[must_use]
    pub fn sample() -> Self {
        Self {
            network: "HOPE Network".to_owned(),
            team: "Experience of Care team, NHS England".to_owned(),
            code: "BCDF2345".to_owned(),
            link: "https://hope.example/sign-in/sgn_01KJQ3W4X5Y6Z7.c2VjcmV0".to_owned(),
            minutes: 10,
            until: "09:10".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = SignInMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r"
        Your code to sign in to HOPE Network:

            BCDF2345

        It works for 10 minutes, until 09:10. Type or paste it on the page where you asked for it.

        Or open this link in the browser in which you asked, and press the button there:
        https://hope.example/sign-in/sgn_01KJQ3W4X5Y6Z7.c2VjcmV0

        If you did not ask to sign in, ignore this e-mail. Nobody can sign in without the code.

        --
        Experience of Care team, NHS England
        https://hope.example/
        ");
    }

    #[test]
    fn the_sample_as_html() {
        let sample = SignInMail::sample();
        let (_, html) = sample.render_both().unwrap();
        for part in [&sample.code, &sample.link, "Nobody can sign in without the code", "lang=\"en-GB\""] {
            assert!(html.contains(part), "{part} is missing");
        }
        assert!(!sample.subject().contains(&sample.code));
        // Nothing is fetched when it is opened.
        for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
            assert!(!html.contains(foreign), "{foreign} in {html}");
        }
    }
}
