//! What the owner of an access token is told: that it was made, that nobody uses it, that it was revoked.

use askama::Template;

use super::template;
use crate::domain::access_token::TokenNews;

/// Everything that the mail says. The secret is not among it: nobody has it but who made the token.
#[derive(Clone, Debug, Template)]
#[template(path = "access_token/message.txt", escape = "none")]
pub struct AccessTokenMail {
    pub network: String,
    pub team: String,
    /// Whom to turn to.
    pub contact: String,
    pub to_name: String,
    pub news: TokenNews,
    pub name: String,
    /// The name of the service account that it is of.
    pub service_account: Option<String>,
    /// "posts:read, threads:read"
    pub scopes: String,
    /// "3 March 2026", as the others.
    pub expires: String,
    pub unused_since: String,
    /// When it is revoked if nobody uses it.
    pub revoked: String,
    pub id: String,
    pub home_url: String,
}

#[derive(Template)]
#[template(path = "access_token/message.mjml", escape = "html")]
struct Html<'a> {
    mail: &'a AccessTokenMail,
    subject: String,
    heading: &'static str,
    opening: String,
    advice: String,
}

impl AccessTokenMail {
    /// Without the name, which its maker chose: subjects are shown on locked screens.
    #[must_use]
    pub fn subject(&self) -> String {
        let what = match self.news {
            TokenNews::Made => "A new access token",
            TokenNews::Unused => "An access token that nobody uses",
            TokenNews::Revoked => "An access token was revoked",
        };
        format!("{what} for {}", self.network)
    }

    fn heading(&self) -> &'static str {
        match self.news {
            TokenNews::Made => "A new access token",
            TokenNews::Unused => "Is it still needed?",
            TokenNews::Revoked => "An access token was revoked",
        }
    }

    fn opening(&self) -> String {
        let of = match &self.service_account {
            Some(account) => format!("an access token of the service account {account}"),
            None if self.news == TokenNews::Made => "an access token".to_owned(),
            None => "an access token of yours".to_owned(),
        };
        match self.news {
            TokenNews::Made => format!("You have made {of}:"),
            TokenNews::Unused => format!("Nobody has used {of} since {}:", self.unused_since),
            TokenNews::Revoked => {
                format!("Nobody has used {of} since {}, so it works no more:", self.unused_since)
            }
        }
    }

    fn advice(&self) -> String {
        match self.news {
            TokenNews::Made => format!(
                "Whoever has its secret can do what it is for. If it was not you, revoke it and tell {}.",
                self.contact
            ),
            TokenNews::Unused => format!(
                "Is it still needed? Then have it used, or it is revoked on {}. If not, revoke it now.",
                self.revoked
            ),
            TokenNews::Revoked => "If it is still needed, make a new one.".to_owned(),
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
            to_name: "Asha O'Neill".to_owned(),
            news: TokenNews::Unused,
            name: "<Ward> & intranet".to_owned(),
            service_account: Some("Northmoor intranet".to_owned()),
            scopes: "posts:read, threads:read".to_owned(),
            expires: "3 March 2027".to_owned(),
            unused_since: "3 March 2026".to_owned(),
            revoked: "30 August 2026".to_owned(),
            id: "pat_01KJQ3W4X5Y6Z7".to_owned(),
            home_url: "https://hope.example/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_as_text() {
        let (text, _) = AccessTokenMail::sample().render_both().unwrap();
        insta::assert_snapshot!(text, @r#"
        Hello Asha O'Neill

        Nobody has used an access token of the service account Northmoor intranet since 3 March 2026:

            <Ward> & intranet
            for: posts:read, threads:read
            until: 3 March 2027

        Is it still needed? Then have it used, or it is revoked on 30 August 2026. If not, revoke it now.

        In GraphQL, the token is revoked with: revokeAccessToken(input: { id: "pat_01KJQ3W4X5Y6Z7" })

        --
        Experience of Care team, NHS England
        https://hope.example/
        "#);
    }

    #[test]
    fn the_sample_as_html() {
        for news in [TokenNews::Made, TokenNews::Unused, TokenNews::Revoked] {
            let mail = AccessTokenMail { news, ..AccessTokenMail::sample() };
            let (_, html) = mail.render_both().unwrap();
            for part in [mail.heading(), "&#60;Ward&#62; &#38; intranet", "lang=\"en-GB\""] {
                assert!(html.contains(part), "{part} is missing in {html}");
            }
            assert!(!mail.subject().contains(&mail.name));
            // Nothing is fetched when it is opened.
            for foreign in ["<img", "<link", "<script", "@import", "url(", "src="] {
                assert!(!html.contains(foreign), "{foreign} in {html}");
            }
        }
    }
}
