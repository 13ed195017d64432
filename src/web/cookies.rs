//! The cookies of the pages.
//!
//! Over TLS their names start with `__Host-`: browsers then take them only from this very host, over
//! TLS, for every path. All are out of scripts' reach, and sent along by no other site's forms.

use chrono::TimeDelta;
use poem::{
    Request, Response,
    http::{HeaderValue, header},
};

use crate::app::App;

#[derive(Clone, Copy)]
pub(super) enum Cookie {
    /// The access token, for its ten minutes.
    Access,
    /// The refresh token.
    Refresh,
    /// Which request to sign in this browser made.
    SignIn,
    /// Which sign-in at a provider this browser began.
    SignOn,
    /// Which invitation this browser opened.
    Invitation,
    /// What a sign-in goes on with until a second factor was shown.
    Challenge,
}

impl Cookie {
    fn name(self, app: &App) -> String {
        let name = match self {
            Self::Access => "hope_access",
            Self::Refresh => "hope_refresh",
            Self::SignIn => "hope_sign_in",
            Self::SignOn => "hope_sign_on",
            Self::Invitation => "hope_invitation",
            Self::Challenge => "hope_challenge",
        };
        if app.config.is_https() { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// What the browser sent.
    pub fn read<'a>(self, app: &App, request: &'a Request) -> Option<&'a str> {
        let name = self.name(app);
        let lines =
            request.headers().get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// Asks the browser to keep `value` for so long. Values are made of letters, digits and `.-_`.
    pub fn set(self, app: &App, response: &mut Response, value: &str, kept: TimeDelta) {
        let secure = if app.config.is_https() { "; Secure" } else { "" };
        let (name, seconds) = (self.name(app), kept.num_seconds());
        let line = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        if let Ok(mut line) = HeaderValue::from_str(&line) {
            line.set_sensitive(true);
            response.headers_mut().append(header::SET_COOKIE, line);
        }
    }

    pub fn clear(self, app: &App, response: &mut Response) {
        self.set(app, response, "", TimeDelta::zero());
    }
}
