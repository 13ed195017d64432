//! `TestApp`: the whole service on a free port, with a clock that stands still and mail in memory.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use hope_exchange::{
    app::{App, Parts},
    blobs::Blobs,
    clock::{Clock, Timestamp},
    config::{Config, Secret, Switch},
    domain::{
        self,
        device::Origin,
        digest::next_due,
        directory::DirectoryEntry,
        email::EmailAddress,
        member::{DigestPreferences, Member, Role},
        organisation::{OdsCode, Organisation},
        session::Session,
        standing::PartnerScope,
    },
    ids::{Id, Ids},
    keys::Keys,
    limits::Limits,
    mail::{Mailer, Memory, Message},
    server,
    single_sign_on::Providers,
    store::{Batch, Store},
    tokens,
};
use serde_json::Value as Json;
use tokio::{net::TcpListener, sync::oneshot};

/// The next organisation's code. Random ones would meet: a test makes hundreds of organisations.
static CODES: AtomicU32 = AtomicU32::new(0xA_0000);

/// Monday 2 March 2026, 09:00 in London.
pub const START: &str = "2026-03-02T09:00:00.000Z";

#[derive(Clone, Copy, Debug)]
pub enum On {
    Sqlite,
    Mongo,
}

/// Declares tests that run on both stores: `on_both_stores! { async fn name(app: &TestApp) { … } }`, and
/// `on_both_stores! { with configure; async fn … }` with settings of their own.
#[macro_export]
macro_rules! on_both_stores {
    ($(#[doc = $doc:literal])* async $($rest:tt)*) => {
        $crate::on_both_stores! { with |_| {}; $(#[doc = $doc])* async $($rest)* }
    };
    (with $configure:expr; $($(#[doc = $doc:literal])* async fn $name:ident($app:ident: &TestApp) $body:block)*) => {
        $($(#[doc = $doc])* async fn $name($app: &$crate::app::TestApp) $body)*

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let test = async |app: &$crate::app::TestApp| super::$name(app).await;
                $crate::app::TestApp::run_with($crate::app::On::Sqlite, $configure, test).await;
            })*
        }

        mod mongo {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let test = async |app: &$crate::app::TestApp| super::$name(app).await;
                $crate::app::TestApp::run_with($crate::app::On::Mongo, $configure, test).await;
            })*
        }
    };
}

/// A member who is signed in.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub token: String,
    pub organisation: String,
    member: Member,
}

pub struct TestApp {
    pub app: App,
    pub url: String,
    pub http: reqwest::Client,
    /// Where mail goes; tests make it fail here.
    pub mail: Memory,
    /// The data folder; removed with the test.
    pub folder: tempfile::TempDir,
}

/// The server of the tests' MongoDB, or `None` when the MongoDB half is to be skipped.
pub fn mongodb() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how the tests are told of their MongoDB")]
    let var = |name| std::env::var(name);
    if let Ok(uri) = var("HOPE_TEST_MONGODB") {
        return Some(uri);
    }
    assert!(var("CI").is_err(), "HOPE_TEST_MONGODB is not set: in CI the MongoDB half must run");
    eprintln!("SKIPPED: HOPE_TEST_MONGODB is not set, so this test did not run on MongoDB. Use `make test`.");
    None
}

impl TestApp {
    /// Runs a test on a fresh service, and removes everything afterwards, also when it fails.
    pub async fn run(on: On, test: impl AsyncFnOnce(&TestApp)) {
        Self::run_with(on, |_| {}, test).await;
    }

    /// The same with settings of the test's own.
    pub async fn run_with(on: On, configure: impl FnOnce(&mut Config), test: impl AsyncFnOnce(&TestApp)) {
        let folder = tempfile::tempdir().unwrap();
        let uri = match on {
            On::Sqlite => format!("sqlite://{}", folder.path().join("hope.db").display()),
            On::Mongo => match mongodb() {
                None => return,
                Some(server) => {
                    let name = format!("hope_{:032x}", u128::from_be_bytes(random()));
                    server.replacen("/?", &format!("/{name}?"), 1)
                }
            },
        };
        let outcome = Self::run_at(&uri, folder, configure, test).await;
        if matches!(on, On::Mongo) {
            drop_database(&uri).await;
        }
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    }

    /// The same on a store of the test's own, which is left as it is.
    pub async fn run_at(
        uri: &str,
        folder: tempfile::TempDir,
        configure: impl FnOnce(&mut Config),
        test: impl AsyncFnOnce(&TestApp),
    ) -> std::thread::Result<()> {
        let mut config = Config::defaults();
        config.data = folder.path().to_owned();
        config.store = Secret::new(uri);
        config.limits.rate = Switch::Off;
        // On a busy machine many at once take long; that is not what their tests are about.
        config.limits.query_seconds = 60;
        configure(&mut config);

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        // The host may be another name of this machine's.
        config.public_url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let clock = Clock::manual(START.parse().unwrap());
        let ids = Ids::system(clock.clone());
        let mail = Memory::default();
        let store = Store::open(uri, &domain::collections()).await.unwrap();
        let app = App::new(Parts {
            mailer: Mailer::Memory(mail.clone()),
            blobs: Blobs::open(&config.attachments, &config.data).unwrap(),
            keys: Keys::open(&folder.path().join("keys"), &ids).unwrap(),
            limits: Limits::new(&config.limits),
            providers: Providers::new(&config).unwrap(),
            clock,
            ids,
            store,
            config,
        });
        hope_exchange::actions::topic::seed(&app).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(server::serve(app.clone(), listener, async move {
            stopped.await.ok();
        }));
        let test_app = TestApp { app: app.clone(), url, http: client(), mail, folder };

        let outcome =
            futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(test(&test_app))).await;

        drop(test_app.http);
        stop.send(()).ok();
        server.await.unwrap().unwrap();
        app.store.close().await;
        outcome
    }

    pub fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    pub fn advance(&self, by: TimeDelta) {
        self.app.clock.advance(by);
    }

    /// Where a person's mail goes.
    pub fn email(&self, person: &Person) -> String {
        person.member.email.as_str().to_owned()
    }

    /// A new member of an organisation of their own, signed in.
    pub async fn person(&self, name: &str) -> Person {
        let (app, now) = (&self.app, self.now());
        let slug = name.to_lowercase().replace(' ', "-");
        let code = OdsCode::parse(&format!("{:05X}", CODES.fetch_add(1, Ordering::Relaxed))).unwrap();
        let name_of_theirs = format!("{name} NHS Trust");
        let organisation = Organisation {
            region: Some("Y62".to_owned()),
            domains: vec![format!("{slug}.nhs.uk")],
            ..Organisation::new(app.ids.fresh(), code, &name_of_theirs, now)
        };
        let email = EmailAddress::parse(&format!("{slug}@{slug}.nhs.uk")).unwrap();
        let preferences = DigestPreferences::from(&app.config.digest);
        let mut member = Member::new(app.ids.fresh(), email, preferences, now);
        member.rename(name.to_owned());
        member.works_at(Some(&organisation));
        member.standing.accept(&app.config.rules.version, now);
        member.digest_due_at = next_due(&member.digest, now);
        let listed = DirectoryEntry::of(&organisation, now);
        let batch = Batch::new().insert(&organisation).insert(&member);
        app.store.commit(listed.iter().fold(batch, Batch::insert)).await.unwrap();
        self.sign_in(member)
    }

    /// A new member of the same organisation as `person`, signed in.
    pub async fn colleague(&self, person: &Person, name: &str) -> Person {
        let mut member = self.person(name).await.member;
        let organisation = self.app.store.one(person.member.organisation.as_ref().unwrap()).await.unwrap();
        member.works_at(organisation.as_ref());
        self.app.store.commit(Batch::new().replace(&member)).await.unwrap();
        member.version += 1;
        self.sign_in(member)
    }

    /// Changes a member as they are stored.
    pub async fn change(&self, person: &Person, change: impl FnOnce(&mut Member)) {
        let id = Id::parse(&person.id).unwrap();
        let mut member: Member = self.app.store.one(&id).await.unwrap().unwrap();
        change(&mut member);
        self.app.store.commit(Batch::new().replace(&member)).await.unwrap();
    }

    /// Makes a lived experience partner of somebody, who was invited to one topic alone.
    pub async fn invited_to(&self, person: &Person, topic: &str) {
        let scope = PartnerScope { topics: vec![Id::of(topic)], case_studies: Vec::new() };
        let standing = |member: &mut Member| {
            member.role = Role::Partner;
            member.standing.scope = Some(scope);
        };
        self.change(person, standing).await;
    }

    /// A fresh token, after the clock was moved past the old one's end.
    pub fn sign_in_again(&self, person: &Person) -> Person {
        self.sign_in(person.member.clone())
    }

    /// The same member in a session that has shown no second factor.
    pub fn weakened(&self, person: &Person) -> Person {
        let id = self.app.ids.fresh();
        let session = Session::new(id, person.member.id.clone(), Origin::default(), 30, self.now());
        let token = tokens::access::issue(&self.app, &session).unwrap();
        Person { token, ..person.clone() }
    }

    pub fn sign_in(&self, member: Member) -> Person {
        // With a second factor, which counts once they have one: see `grant`.
        let (id, now) = (self.app.ids.fresh(), self.now());
        let session = Session::new(id, member.id.clone(), Origin::default(), 30, now);
        let session = Session { factor_at: Some(now), ..session };
        let token = tokens::access::issue(&self.app, &session).unwrap();
        let organisation = member.organisation.as_ref().unwrap().to_string();
        Person { id: member.id.to_string(), token, organisation, member }
    }

    /// What a GraphQL request answers.
    pub async fn graphql(&self, token: &str, query: &str, variables: Json) -> Json {
        let body = serde_json::json!({ "query": query, "variables": variables });
        let request = self.http.post(format!("{}/graphql", self.url)).bearer_auth(token).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Creates a post of this input and returns its id.
    pub async fn create_post(&self, author: &Person, input: Json) -> String {
        let query = "mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } userErrors { message } } }";
        let answer = self.graphql(&author.token, query, serde_json::json!({ "input": input })).await;
        let id = &answer["data"]["createPost"]["post"]["id"];
        id.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Messages sent so far, taken out.
    pub fn take_mail(&self) -> Vec<Message> {
        self.mail.take()
    }

    /// POSTs JSON and returns the status and the body.
    pub async fn post(&self, path: &str, body: &Json) -> (u16, Json) {
        let response = self.http.post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Json::Null))
    }
}

/// A public address at which passkeys work: browsers know none for a number.
pub fn at_localhost(config: &mut Config) {
    config.public_url = "http://localhost".parse().unwrap();
}

pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub fn random<const N: usize>() -> [u8; N] {
    Ids::system(Clock::manual(Timestamp::from_millis(0))).bytes()
}

pub async fn drop_database(uri: &str) {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    client.default_database().unwrap().drop().await.unwrap();
}
