//! Only what the viewer may see, whichever way they ask: a community with secrets of every kind is
//! walked along every field of the schema, by everybody.

use std::collections::{BTreeMap, BTreeSet};

use hope_exchange::{
    domain::{
        adoption::Adoption, audit::AuditEntry, case_study::CaseStudy, comment::Comment, member::Member,
        member::Role, organisation::Organisation, post::Post, report::Report, thread::Thread,
    },
    query::Document,
};
use serde_json::{Value as Json, json};

use crate::{
    app::{Person, TestApp},
    case_studies::with,
    community::all,
    moderation::{comment, post},
    on_both_stores,
};

/// Items of a list: enough to show each, few enough for the limit on a query's cost.
const FIRST: usize = 2;
/// Ids asked for at once.
const AT_ONCE: usize = 2;

/// A word that stands in one secret alone, and who may read it.
struct Secret {
    word: &'static str,
    readers: &'static [&'static str],
}

const SECRETS: &[Secret] = &[
    Secret { word: "zqdraftpost", readers: &["author"] },
    Secret { word: "zqhiddenpost", readers: &["author", "moderator"] },
    Secret { word: "zqoldwords", readers: &["author", "moderator"] },
    Secret { word: "zqdeletedpost", readers: &[] },
    Secret { word: "zqhiddentag", readers: &["author", "moderator"] },
    Secret { word: "zqhiddenplace", readers: &["author", "moderator"] },
    Secret { word: "zqdrafttag", readers: &["author"] },
    Secret { word: "zqdraftstudy", readers: &["author"] },
    Secret { word: "zqhiddenstudy", readers: &["author", "moderator"] },
    Secret { word: "zqarchivedstudy", readers: &["author", "moderator"] },
    Secret { word: "zqdeletedstudy", readers: &[] },
    Secret { word: "zqadoption", readers: &["author", "moderator"] },
    Secret { word: "zqhiddencomment", readers: &["author", "moderator"] },
    Secret { word: "zqdeletedcomment", readers: &[] },
    Secret { word: "zqreason", readers: &["author", "moderator"] },
    Secret { word: "zqnote", readers: &["reporter", "moderator"] },
    Secret { word: "zqsuspended", readers: &["moderator"] },
];

/// The schema as introspection tells it, and the values that arguments are given.
struct Schema {
    types: BTreeMap<String, Json>,
    ids: BTreeMap<&'static str, Vec<String>>,
}

/// A type without its lists and nonnulls, and whether it may be left out.
fn named(reference: &Json) -> (String, bool) {
    let required = reference["kind"] == "NON_NULL";
    let mut inner = reference;
    while !inner["ofType"].is_null() {
        inner = &inner["ofType"];
    }
    (inner["name"].as_str().unwrap().to_owned(), required)
}

impl Schema {
    async fn read(app: &TestApp, by: &Person) -> Self {
        let query = "fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
            { __schema { types { kind name fields { name args { name type { ...T } defaultValue } type { ...T } }
              inputFields { name type { ...T } defaultValue } enumValues { name } possibleTypes { name } } } }";
        let answer = app.graphql(&by.token, query, json!({})).await;
        let types = answer["data"]["__schema"]["types"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let types = types.iter().map(|each| (each["name"].as_str().unwrap().to_owned(), each.clone()));
        Self { types: types.collect(), ids: ids(app).await }
    }

    fn kind(&self, name: &str) -> &str {
        self.types[name]["kind"].as_str().unwrap()
    }

    fn is_leaf(&self, name: &str) -> bool {
        matches!(self.kind(name), "SCALAR" | "ENUM")
    }

    fn fields(&self, name: &str) -> Vec<&Json> {
        self.types[name]["fields"].as_array().into_iter().flatten().collect()
    }

    /// A connection's items.
    fn items(&self, name: &str) -> Option<String> {
        let nodes = self.fields(name).into_iter().find(|field| field["name"] == "nodes")?;
        name.ends_with("Connection").then(|| named(&nodes["type"]).0)
    }

    /// Fields that hold nothing but values, like a text in its three forms.
    fn is_value(&self, name: &str) -> bool {
        let fields = self.fields(name);
        self.kind(name) == "OBJECT"
            && self.items(name).is_none()
            && fields.iter().all(|field| field["name"] != "id" && self.is_leaf(&named(&field["type"]).0))
    }

    /// Values for an argument; none when it can be left out and there is nothing to try.
    fn values(&self, name: &str, argument: &str) -> Vec<String> {
        match (name, self.kind(name)) {
            ("ID", _) => self.ids.values().flatten().map(|id| format!("{id:?}")).collect(),
            ("String", _) => SECRETS.iter().map(|secret| format!("{:?}", secret.word)).collect(),
            ("Boolean", _) => vec!["true".to_owned(), "false".to_owned()],
            ("Int", _) if argument == "first" => vec![FIRST.to_string()],
            ("DateTime", _) => vec!["\"2026-03-02T00:00:00Z\"".to_owned()],
            (_, "ENUM") => {
                let values = self.types[name]["enumValues"].as_array().unwrap();
                values.iter().map(|value| value["name"].as_str().unwrap().to_owned()).collect()
            }
            (_, "INPUT_OBJECT") => {
                let fields = self.types[name]["inputFields"].as_array().unwrap();
                let of = |field: &Json| {
                    let key = field["name"].as_str().unwrap().to_owned();
                    let values = self.values(&named(&field["type"]).0, &key);
                    values.into_iter().map(move |value| format!("{{ {key}: {value} }}"))
                };
                fields.iter().flat_map(of).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The arguments that a field is asked with: those that it needs, and each other one in turn.
    fn arguments(&self, field: &Json, try_all: bool) -> Vec<String> {
        let mut needed = Vec::new();
        let mut others = Vec::new();
        for argument in field["args"].as_array().unwrap() {
            let name = argument["name"].as_str().unwrap();
            let (of, required) = named(&argument["type"]);
            let values = self.values(&of, name);
            let pair = |value: &String| format!("{name}: {value}");
            if name == "first" || (required && argument["defaultValue"].is_null()) {
                needed.push(values.iter().map(pair).collect::<Vec<_>>());
            } else if !matches!(name, "after" | "last" | "before") {
                others.extend(values.iter().map(pair));
            }
        }
        let always: Vec<String> =
            needed.iter().map(|values| values.first().cloned().unwrap_or_default()).collect();
        let mut all = vec![always.join(", ")];
        if try_all {
            for (at, values) in needed.iter().enumerate() {
                for value in values.iter().skip(1) {
                    let mut other = always.clone();
                    other[at].clone_from(value);
                    all.push(other.join(", "));
                }
            }
            all.extend(others.into_iter().map(|other| [always.clone(), vec![other]].concat().join(", ")));
        }
        all
    }

    /// A field with what it selects.
    fn field(&self, field: &Json, arguments: &str, selection: &str) -> String {
        let name = field["name"].as_str().unwrap();
        let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
        let of = named(&field["type"]).0;
        match (self.is_leaf(&of), self.items(&of)) {
            (true, _) => format!("{name}{arguments}"),
            (_, Some(_)) => format!("{name}{arguments} {{ totalCount nodes {{ {selection} }} }}"),
            (_, None) => format!("{name}{arguments} {{ {selection} }}"),
        }
    }

    /// What a field gives: a connection's items.
    fn target(&self, field: &Json) -> String {
        let of = named(&field["type"]).0;
        self.items(&of).unwrap_or(of)
    }

    /// Everything of a type down to `levels` of objects.
    fn select(&self, of: &str, levels: usize) -> String {
        let mut parts = vec!["__typename".to_owned()];
        if matches!(self.kind(of), "INTERFACE" | "UNION") {
            let possible = self.types[of]["possibleTypes"].as_array().unwrap();
            let names = possible.iter().map(|each| each["name"].as_str().unwrap());
            parts.extend(names.map(|name| format!("... on {name} {{ {} }}", self.select(name, levels))));
            return parts.join(" ");
        }
        for field in self.fields(of) {
            let target = self.target(field);
            let arguments = &self.arguments(field, false)[0];
            let inner = if self.is_leaf(&target) {
                String::new()
            } else if self.is_value(&target) {
                self.select(&target, 0)
            } else if levels > 0 {
                self.select(&target, levels - 1)
            } else {
                continue;
            };
            parts.push(self.field(field, arguments, &inner));
        }
        parts.join(" ")
    }

    /// Queries that together ask for every field of every type: each thing by its id, with each of its
    /// fields one by one and everything two steps from there; each root with each argument.
    fn walk(&self) -> Vec<String> {
        let mut queries = Vec::new();
        for (of, ids) in &self.ids {
            for ids in ids.chunks(AT_ONCE) {
                let ids = format!("{ids:?}");
                let asks =
                    |selection: &str| format!("{{ nodes(ids: {ids}) {{ ... on {of} {{ {selection} }} }} }}");
                queries.push(asks(&self.select(of, 0)));
                for field in self.fields(of) {
                    queries.extend(self.steps(field).iter().map(|step| asks(step)));
                }
            }
        }
        for field in self.fields("Query") {
            let target = self.target(field);
            let by_id = matches!(field["name"].as_str().unwrap(), "node" | "nodes");
            for arguments in self.arguments(field, true) {
                let selection = if self.is_leaf(&target) { String::new() } else { self.select(&target, 0) };
                queries.push(format!("{{ {} }}", self.field(field, &arguments, &selection)));
            }
            if by_id || self.is_leaf(&target) {
                continue;
            }
            let arguments = &self.arguments(field, false)[0];
            for (fragment, inner) in self.possible(&target).iter().flat_map(|possible| {
                self.fields(possible).into_iter().map(move |inner| (possible.clone(), inner))
            }) {
                for step in self.steps(inner) {
                    let selection = format!("... on {fragment} {{ {step} }}");
                    queries.push(format!("{{ {} }}", self.field(field, arguments, &selection)));
                }
            }
        }
        queries
    }

    /// A field with everything of what it gives, and one step on.
    fn steps(&self, field: &Json) -> Vec<String> {
        let target = self.target(field);
        if self.is_leaf(&target) || self.is_value(&target) {
            return Vec::new();
        }
        let arguments = &self.arguments(field, false)[0];
        // One possible type at a time: what they have in common may differ in being nullable.
        let possible = self.possible(&target);
        let of = |name: &String| {
            let selection = format!("... on {name} {{ {} }}", self.select_each(name));
            self.field(field, arguments, &selection)
        };
        possible.iter().map(of).collect()
    }

    /// The same as two levels of [`select`], but of abstract types only what they have in common.
    fn select_each(&self, of: &str) -> String {
        let mut parts = vec![self.select(of, 0)];
        for field in self.fields(of) {
            let target = self.target(field);
            if self.is_leaf(&target) || self.is_value(&target) {
                continue;
            }
            let inner = match self.kind(&target) {
                "UNION" => "__typename".to_owned(),
                "INTERFACE" => self.common(&target),
                _ => self.select(&target, 0),
            };
            parts.push(self.field(field, &self.arguments(field, false)[0], &inner));
        }
        parts.join(" ")
    }

    fn common(&self, interface: &str) -> String {
        let leaves = self.fields(interface).into_iter().filter(|field| self.is_leaf(&self.target(field)));
        leaves.map(|field| field["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    fn possible(&self, name: &str) -> Vec<String> {
        match self.types[name]["possibleTypes"].as_array() {
            Some(types) => types.iter().map(|each| each["name"].as_str().unwrap().to_owned()).collect(),
            None => vec![name.to_owned()],
        }
    }
}

/// The ids of everything, by the name of its type.
async fn ids(app: &TestApp) -> BTreeMap<&'static str, Vec<String>> {
    async fn of<D: Document>(app: &TestApp) -> Vec<String> {
        let all = all::<D>(&app.app.store).await;
        all.iter().map(|document| document.id().as_str().to_owned()).collect()
    }
    BTreeMap::from([
        ("Post", of::<Post>(app).await),
        ("CaseStudy", of::<CaseStudy>(app).await),
        ("Comment", of::<Comment>(app).await),
        ("Thread", of::<Thread>(app).await),
        ("Adoption", of::<Adoption>(app).await),
        ("Member", of::<Member>(app).await),
        ("Organisation", of::<Organisation>(app).await),
        ("Topic", vec!["top_volunteering".to_owned(), "top_mental-health".to_owned()]),
        ("Report", of::<Report>(app).await),
        ("AuditEntry", of::<AuditEntry>(app).await),
    ])
}

/// What a member is to the secrets, and the member.
type Cast = Vec<(&'static str, Person)>;

async fn cast(app: &TestApp) -> Cast {
    let people = [
        ("author", "Ada Moore", None),
        ("reporter", "Grace Hill", None),
        ("other", "Joan Clarke", None),
        ("partner", "Pat Green", Some(Role::Partner)),
        ("moderator", "Mary Ward", Some(Role::Moderator)),
    ];
    let mut cast = Vec::new();
    for (part, name, role) in people {
        let person = app.person(name).await;
        if let Some(role) = role {
            app.grant(&person, role).await;
        }
        cast.push((part, person));
    }
    cast
}

fn of<'a>(cast: &'a Cast, part: &str) -> &'a Person {
    &cast.iter().find(|(other, _)| *other == part).unwrap().1
}

async fn done(app: &TestApp, by: &Person, mutation: &str, input: Json) {
    let done = app.mutate(by, mutation, &input, "").await;
    assert_eq!(done["userErrors"], json!([]), "{mutation}: {done}");
}

/// What everybody sees.
async fn public(app: &TestApp, cast: &Cast) -> (String, String) {
    let (author, reporter) = (of(cast, "author"), of(cast, "reporter"));
    let question = post(app, author, "An open question").await;
    comment(app, reporter, &question, "An open answer").await;
    let study = app.case_study(author, &json!({ "title": "An open study" })).await;
    done(
        app,
        reporter,
        "recordAdoption",
        json!({ "caseStudyId": study, "status": "TESTING", "whatChanged": "Little." }),
    )
    .await;
    done(
        app,
        of(cast, "moderator"),
        "pinContribution",
        json!({ "contributionId": study, "reason": "Worth it." }),
    )
    .await;
    (question, study)
}

/// A secret of every kind, beside what everybody sees.
async fn secrets(app: &TestApp, cast: &Cast, question: &str) {
    let (author, reporter, moderator) = (of(cast, "author"), of(cast, "reporter"), of(cast, "moderator"));
    let hide = async |id: &str| {
        done(app, moderator, "hideContent", json!({ "subjectId": id, "reason": "For zqreason." })).await;
    };
    app.create_post(
        author,
        json!({ "kind": "IDEA", "title": "zqdraftpost", "body": "zqdraftpost", "tags": ["zqdrafttag"] }),
    )
    .await;
    let hidden = post(app, author, "zqhiddenpost, once zqoldwords").await;
    done(
        app,
        author,
        "updatePost",
        json!({ "id": hidden, "expectedVersion": 1, "title": "zqhiddenpost", "body": "zqhiddenpost", "tags": ["zqhiddentag"] }),
    )
    .await;
    let event = json!({ "startsAt": "2026-06-01T10:00:00.000Z", "location": "zqhiddenplace" });
    let input = json!({ "kind": "EVENT", "title": "Come", "body": "All of you.", "topicIds": ["top_volunteering"], "tags": ["zqhiddentag"], "event": event, "publish": true });
    hide(&app.create_post(author, input).await).await;
    comment(app, reporter, &hidden, "Under what is hidden").await;
    done(app, reporter, "react", json!({ "subjectId": hidden, "kind": "THANKS" })).await;
    let input = json!({ "subjectId": hidden, "reason": "PATIENT_IDENTIFIABLE", "note": "Look at zqnote." });
    done(app, reporter, "reportContent", input).await;
    hide(&hidden).await;
    let deleted = post(app, author, "zqdeletedpost").await;
    done(
        app,
        author,
        "updatePost",
        json!({ "id": deleted, "expectedVersion": 1, "body": "zqdeletedpost again" }),
    )
    .await;
    comment(app, reporter, &deleted, "Under what is deleted").await;
    done(app, author, "deletePost", json!({ "id": deleted })).await;

    let study = |word: &str| json!({ "title": word, "summary": word, "aim": word, "advice": word, "quotes": [{ "text": word, "attribution": word, "consent": true }] });
    app.draft(author, &study("zqdraftstudy")).await;
    for word in ["zqhiddenstudy", "zqarchivedstudy", "zqdeletedstudy"] {
        let id = app.case_study(author, &study(word)).await;
        done(app, author, "updateCaseStudy", json!({ "id": id, "expectedVersion": 2, "problem": word }))
            .await;
        let adoption = if word == "zqhiddenstudy" { "zqadoption" } else { "Little" };
        done(
            app,
            reporter,
            "recordAdoption",
            json!({ "caseStudyId": id, "status": "ADAPTED", "whatChanged": adoption, "result": adoption }),
        )
        .await;
        match word {
            "zqhiddenstudy" => {
                done(
                    app,
                    moderator,
                    "pinContribution",
                    json!({ "contributionId": id, "reason": "Worth it." }),
                )
                .await;
                hide(&id).await;
            }
            "zqarchivedstudy" => done(app, author, "archiveCaseStudy", json!({ "id": id })).await,
            _ => done(app, author, "deleteCaseStudy", json!({ "id": id })).await,
        }
    }
    for word in ["zqhiddencomment", "zqdeletedcomment"] {
        let id = comment(app, author, question, &format!("First {word}")).await;
        done(
            app,
            author,
            "updateComment",
            json!({ "id": id, "expectedVersion": 1, "body": format!("{word} now") }),
        )
        .await;
        done(app, author, "acceptAnswer", json!({ "commentId": id })).await;
        let quoting = json!({ "threadId": question.replacen("pst", "thr", 1), "parentId": id, "body": "Really?", "quote": { "commentId": id, "text": word } });
        // The author's own reply: others must not have the words from it either.
        done(app, author, "addComment", quoting).await;
        if word == "zqhiddencomment" {
            hide(&id).await;
        } else {
            done(app, author, "deleteComment", json!({ "id": id })).await;
        }
    }
    let outcast = app.person("Nora Black").await;
    done(app, moderator, "suspendMember", json!({ "memberId": outcast.id, "reason": "For zqsuspended." }))
        .await;
}

/// The secrets that a member gets by the walk, and what they should not have got: a secret of others, or
/// an error but for what they may not ask.
async fn walked(
    app: &TestApp,
    schema: &Schema,
    part: &str,
    person: &Person,
) -> (BTreeSet<&'static str>, Vec<String>) {
    let (mut read, mut wrong) = (BTreeSet::new(), Vec::new());
    for query in schema.walk() {
        let answer = app.graphql(&person.token, &query, json!({})).await;
        for error in answer["errors"].as_array().into_iter().flatten() {
            let no_such_order = query.contains("feed(") && query.contains("SOONEST");
            let expected = if no_such_order { "BAD_REQUEST" } else { "FORBIDDEN" };
            if (part == "moderator" && !no_such_order) || error["extensions"]["code"] != expected {
                wrong.push(format!("{part}: {query}: {error}"));
            }
        }
        let text = answer.to_string();
        for secret in SECRETS.iter().filter(|secret| text.contains(secret.word)) {
            if !secret.readers.contains(&part) {
                wrong.push(format!("{part} reads {}: {query}: {answer}", secret.word));
            }
            read.insert(secret.word);
        }
    }
    (read, wrong)
}

/// How long every list is for a member, whatever it is asked with.
async fn counts(app: &TestApp, schema: &Schema, person: &Person) -> BTreeMap<String, Json> {
    let mut counts = BTreeMap::new();
    for root in ["Query", "Viewer"] {
        for field in schema.fields(root) {
            if schema.items(&named(&field["type"]).0).is_none() {
                continue;
            }
            for arguments in schema.arguments(field, true) {
                let list = format!(
                    "{}({arguments}) {{ totalCount nodes {{ __typename }} }}",
                    field["name"].as_str().unwrap()
                );
                let query = if root == "Viewer" {
                    format!("{{ viewer {{ {list} }} }}")
                } else {
                    format!("{{ {list} }}")
                };
                let answer = app.graphql(&person.token, &query, json!({})).await;
                counts.insert(query, with(answer, &json!({ "extensions": null })));
            }
        }
    }
    counts
}

on_both_stores! {
    async fn nobody_reads_what_is_not_for_them_whichever_way_they_ask(app: &TestApp) {
        let cast = cast(app).await;
        let (question, _) = public(app, &cast).await;
        let early = Schema::read(app, of(&cast, "moderator")).await;
        let outsiders = ["other", "partner"];
        let mut before = Vec::new();
        for part in outsiders {
            before.push(counts(app, &early, of(&cast, part)).await);
        }
        let thread = "query($id: ID!) { node(id: $id) { ... on Post { thread { commentCount } acceptedAnswer { id } reactions { count } } } }";
        let about = async || app.graphql(&of(&cast, "other").token, thread, json!({ "id": question })).await["data"]["node"].clone();
        let thread_before = about().await;
        secrets(app, &cast, &question).await;

        // Two replies to what was taken away are there to read; nothing else is counted.
        let thread_now = about().await;
        assert_eq!(thread_now["thread"]["commentCount"], thread_before["thread"]["commentCount"].as_i64().unwrap() + 2);
        assert_eq!((&thread_now["acceptedAnswer"], &thread_now["reactions"]), (&Json::Null, &thread_before["reactions"]));
        for (part, before) in outsiders.iter().zip(before) {
            let now = counts(app, &early, of(&cast, part)).await;
            for (query, count) in before {
                assert_eq!(now[&query], count, "{part}: {query}");
            }
        }

        let schema = Schema::read(app, of(&cast, "moderator")).await;
        let all = cast.iter().map(async |(part, person)| (*part, walked(app, &schema, part, person).await));
        for (part, (read, wrong)) in futures_util::future::join_all(all).await {
            assert!(wrong.is_empty(), "{} problems:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
            let may: BTreeSet<&str> = SECRETS.iter().filter(|secret| secret.readers.contains(&part)).map(|secret| secret.word).collect();
            assert_eq!(read, may, "the walk of the {part} shows all that is for them");
        }
    }
}
