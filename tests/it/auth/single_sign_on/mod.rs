//! Single sign-on, with a provider that is not ours: `oidc-provider`, in a process of its own.

mod linking;
mod members;
mod outages;
mod provider;
mod refusals;

use chrono::TimeDelta;
use hope_exchange::{
    domain::{email::EmailAddress, identity::Identity, single_sign_on::SignOn},
    ids::Id,
};
use reqwest::Response;

use self::provider::Provider;
pub use self::provider::configured;
use super::{pages::Browser, *};

const BEGIN: &str = "/sign-in/with/nhsmail";

/// What the provider says of somebody whose address it has verified.
fn person(subject: &str, email: &str) -> Json {
    json!({ "sub": subject, "email": email, "email_verified": true })
}

impl Browser<'_> {
    /// Signs in at the provider, and returns where that sends the browser back to.
    async fn goes(&self, provider: &Provider, person: &Json) -> String {
        self.goes_from(provider, BEGIN, person).await
    }

    async fn goes_from(&self, provider: &Provider, begin: &str, person: &Json) -> String {
        provider.in_time().await;
        provider.person(person).await;
        let mut next = location(&self.at(begin).await);
        // Nobody is signed in there from before.
        let there = Browser::new(self.app);
        for _ in 0..5 {
            if next.starts_with(&self.url("/")) {
                break;
            }
            next = location(&there.at(&next).await);
            if next.starts_with('/') {
                next = format!("{}{next}", provider.issuer);
            }
        }
        assert!(next.contains("/callback?"), "{next}");
        provider.in_time().await;
        next
    }

    async fn at(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    /// The same, and comes back.
    async fn signs_in(&self, provider: &Provider, person: &Json) -> (u16, String) {
        let back = self.goes(provider, person).await;
        self.get(&back).await
    }

    /// Brings back over REST what the provider sent, and returns the status and what that brings.
    async fn brings(&self, back: &str) -> (u16, Json) {
        let url = url::Url::parse(back).unwrap();
        let body: Json = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), Json::String(value.into_owned())))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let url = self.url("/api/v1/auth/single-sign-on/nhsmail");
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Signs in over REST, and returns the tokens.
    async fn gets_tokens(&self, provider: &Provider, person: &Json) -> Json {
        let back = self.goes(provider, person).await;
        let (status, tokens) = self.brings(&back).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

fn location(response: &Response) -> String {
    let to = response.headers().get("location").unwrap_or_else(|| panic!("{response:?}"));
    to.to_str().unwrap().to_owned()
}

/// An account at a provider that is linked with somebody, which nobody has stored yet.
pub fn linked(app: &TestApp, of: &crate::app::Person) -> Identity {
    Identity {
        id: app.app.ids.fresh(),
        version: 1,
        member: Id::parse(&of.id).unwrap(),
        provider: "nhsmail".to_owned(),
        issuer: "https://login.example.nhs.uk".to_owned(),
        subject: format!("subject of {}", of.id),
        email: EmailAddress::parse(&app.email(of)).unwrap(),
        created_at: app.now(),
        last_used_at: app.now(),
    }
}

async fn identities(app: &TestApp) -> Vec<Identity> {
    all::<Identity>(app).await
}

/// Subjects of the mails that are due.
async fn subjects(app: &TestApp) -> Vec<String> {
    mails(app).await.into_iter().map(|mail| mail.subject).collect()
}
