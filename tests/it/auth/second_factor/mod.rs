//! Second factors: registered, shown, lost; and what nobody may do without one.

pub mod authenticator;
mod browser;
mod codes;
mod pages;
mod passkeys;
mod resetting;
mod weak;

use hope_exchange::{
    domain::{
        member::Role,
        second_factor::{Proof, SecondFactors},
    },
    tokens::second_factor,
};
use totp_rs::{Builder, Secret};

use super::*;

/// Somebody signed in over REST, with what they have.
struct Holder {
    email: String,
    access: String,
    /// What their authenticator app was told, in base 32.
    secret: String,
    recovery: Vec<String>,
}

impl Holder {
    /// A member who has signed in and has no factor.
    async fn without(app: &TestApp, email: &str) -> Self {
        mails(app).await;
        let tokens = signed_in(app, email).await;
        joining::accepts(app, &tokens).await;
        let access = text(&tokens, "accessToken").to_owned();
        Self { email: email.to_owned(), access, secret: String::new(), recovery: Vec::new() }
    }

    /// The same with an authenticator app.
    async fn with_app(app: &TestApp, email: &str) -> Self {
        let mut holder = Self::without(app, email).await;
        holder.add_app(app).await;
        mails(app).await;
        holder
    }

    /// The same with a role.
    async fn with_role(app: &TestApp, email: &str, role: Role) -> Self {
        hope_exchange::actions::member::grant(&app.app, email, role).await.unwrap();
        Self::with_app(app, email).await
    }

    async fn add_app(&mut self, app: &TestApp) {
        let started = mutate(app, &self.access, "startTotp", &json!({}), "challengeId secret uri").await;
        self.secret = text(&started, "secret").replace(' ', "");
        let input =
            json!({ "challengeId": started["challengeId"], "code": self.code(app), "name": "Work phone" });
        let added = mutate(app, &self.access, "addTotp", &input, "recoveryCodes accessToken").await;
        assert_eq!(added["userErrors"], json!([]), "{added}");
        self.access = text(&added, "accessToken").to_owned();
        if let Some(codes) = added["recoveryCodes"].as_array() {
            self.recovery = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        }
    }

    /// What the app shows now.
    fn code(&self, app: &TestApp) -> String {
        self.code_at(app, 0)
    }

    /// What it shows so many steps later.
    fn code_at(&self, app: &TestApp, steps: i64) -> String {
        code(&self.secret, app.now(), steps)
    }

    /// Comes with the code from the e-mail, and is asked for the factor.
    async fn asked(&self, app: &TestApp) -> Json {
        // What they were told before is not the code.
        mails(app).await;
        let code = code_in(&asked(app, &self.email).await);
        let (status, needed) = verify(app, &self.email, &code).await;
        assert_eq!(status, 202, "{needed}");
        assert!(needed.get("accessToken").is_none() && needed.get("refreshToken").is_none(), "{needed}");
        needed
    }

    /// Signs in with the app.
    async fn signs_in(&self, app: &TestApp) -> Json {
        let needed = self.asked(app).await;
        next_step(app);
        let (status, tokens) = show(app, &needed["challenge"], &self.code(app)).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

/// What an app that was told this secret shows, so many steps after a moment.
pub fn code(secret: &str, at: hope_exchange::clock::Timestamp, steps: i64) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(at.millis() / 1000 + steps * 30).unwrap()).to_string()
}

/// To a code that was not used yet.
fn next_step(app: &TestApp) {
    app.advance(chrono::TimeDelta::seconds(60));
}

/// Finishes signing in with a code.
async fn show(app: &TestApp, challenge: &Json, code: &str) -> (u16, Json) {
    app.post("/api/v1/auth/second-factor", &json!({ "challenge": challenge, "code": code })).await
}

/// A mutation's payload, or the code of the error.
async fn mutate(app: &TestApp, token: &str, name: &str, input: &Json, fields: &str) -> Json {
    let upper = name[..1].to_uppercase() + &name[1..];
    let query = format!(
        "mutation($input: {upper}Input!) {{ {name}(input: $input) {{ {fields} userErrors {{ field code message }} }} }}"
    );
    let answer = app.graphql(token, &query, json!({ "input": input })).await;
    if answer["errors"].is_array() {
        return answer["errors"][0]["extensions"]["code"].clone();
    }
    answer["data"][name].clone()
}

/// The code of a payload's first error.
fn error(payload: &Json) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_else(|| panic!("{payload}"))
}

/// What `viewer.secondFactors` says.
async fn factors(app: &TestApp, token: &str) -> Json {
    let query = "{ viewer { secondFactors { factors { id kind name lastUsedAt } recoveryCodesLeft shownAt actsAsRole passkeysWork } } }";
    let answer = app.graphql(token, query, json!({})).await;
    assert_eq!(answer["errors"], Json::Null, "{answer}");
    answer["data"]["viewer"]["secondFactors"].clone()
}

async fn stored(app: &TestApp) -> Vec<SecondFactors> {
    all::<SecondFactors>(app).await
}

async fn audit_log(app: &TestApp) -> Vec<String> {
    let mut entries = all::<hope_exchange::domain::audit::AuditEntry>(app).await;
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    entries.iter().map(|entry| format!("{:?}", entry.action)).collect()
}
