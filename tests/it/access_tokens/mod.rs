//! Tokens for programs: made, shown once, used everywhere, and never good for more than their owner.

mod life;
mod scopes;
mod secrets;
mod service_accounts;

use chrono::TimeDelta;
use hope_exchange::{
    domain::{
        access_token::{AccessToken, NewAccessToken},
        permission::Scope,
    },
    ids::Id,
    store::Batch,
    tokens::access_token as secret,
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    case_studies::with,
};

const FIELDS: &str = "secret accessToken { id name scopes createdAt expiresAt lastUsedAt revokedAt works member { id } owner { id } }";

/// A token is good for what it is asked for: as `person`, but by token.
pub fn holding(person: &Person, secret: &str) -> Person {
    let mut holder = person.clone();
    secret.clone_into(&mut holder.token);
    holder
}

impl TestApp {
    /// A person's token for these scopes, whether they could have made it or not.
    pub async fn token(&self, person: &Person, scopes: &[Scope]) -> Person {
        let secret = secret::fresh(&self.app, secret::Of::Member);
        let new = NewAccessToken {
            member: Id::parse(&person.id).unwrap(),
            owner: Id::parse(&person.id).unwrap(),
            name: "A program".to_owned(),
            scopes: scopes.to_vec(),
            expires_at: self.now().plus(TimeDelta::days(60)),
        };
        let hash = secret::hash(&self.app, &secret).unwrap();
        let token = AccessToken::new(self.app.ids.fresh(), hash, new, self.now());
        self.app.store.commit(Batch::new().insert(&token)).await.unwrap();
        holding(person, &secret)
    }

    /// The status and the body with which a GraphQL request is answered.
    async fn asked(&self, token: &str, query: &str) -> (u16, Json) {
        let request = self.http.post(format!("{}/graphql", self.url)).bearer_auth(token);
        let response = request.json(&json!({ "query": query })).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

fn days(app: &TestApp, days: i64) -> String {
    app.now().plus(TimeDelta::days(days)).to_string()
}

/// What making a token answers.
async fn make(app: &TestApp, by: &Person, scopes: &[&str], changes: &Json) -> Json {
    let input = json!({ "name": "Ward dashboard", "scopes": scopes, "expiresAt": days(app, 30) });
    app.mutate(by, "createAccessToken", &with(input, changes), FIELDS).await
}

/// The id and the holder of a new token.
async fn made(app: &TestApp, by: &Person, scopes: &[&str]) -> (String, Person) {
    let made = make(app, by, scopes, &json!({})).await;
    let secret = made["secret"].as_str().unwrap_or_else(|| panic!("{made}"));
    (made["accessToken"]["id"].as_str().unwrap().to_owned(), holding(by, secret))
}

async fn name(app: &TestApp, by: &Person) -> Json {
    let (status, answer) = app.asked(&by.token, "{ viewer { name } }").await;
    if status == 200 { answer["data"]["viewer"]["name"].clone() } else { json!(status) }
}

/// The message with which something is forbidden.
fn forbidden(answer: &Json) -> &str {
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    answer["errors"][0]["message"].as_str().unwrap()
}
