//! The schema as introspection tells it, and queries that walk along all of it.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_query,
    types::{Selection, SelectionSet},
};
use hope_exchange::{
    domain::{
        adoption::Adoption, attachment::Attachment, audit::AuditEntry, case_study::CaseStudy,
        comment::Comment, invitation::Invitation, member::Member, organisation::Organisation, post::Post,
        report::Report, thread::Thread,
    },
    query::Document,
};
use serde_json::{Value as Json, json};

use super::secrets::SECRETS;
use crate::{
    app::{Person, TestApp},
    community::all,
};

/// Items of a list: enough to show each, few enough for the limit on a query's cost.
const FIRST: usize = 2;
/// Ids asked for at once.
const AT_ONCE: usize = 2;

/// The schema as introspection tells it, and the values that arguments are given.
pub struct Schema {
    types: BTreeMap<String, Json>,
    ids: BTreeMap<&'static str, Vec<String>>,
}

/// A type without its lists and nonnulls, and whether it may be left out.
pub fn named(reference: &Json) -> (String, bool) {
    let required = reference["kind"] == "NON_NULL";
    let mut inner = reference;
    while !inner["ofType"].is_null() {
        inner = &inner["ofType"];
    }
    (inner["name"].as_str().unwrap().to_owned(), required)
}

impl Schema {
    pub async fn read(app: &TestApp, by: &Person) -> Self {
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

    pub fn is_leaf(&self, name: &str) -> bool {
        matches!(self.kind(name), "SCALAR" | "ENUM")
    }

    pub fn fields(&self, name: &str) -> Vec<&Json> {
        self.types[name]["fields"].as_array().into_iter().flatten().collect()
    }

    /// A connection's items.
    pub fn items(&self, name: &str) -> Option<String> {
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
    pub fn arguments(&self, field: &Json, try_all: bool) -> Vec<String> {
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
    pub fn target(&self, field: &Json) -> String {
        let of = named(&field["type"]).0;
        self.items(&of).unwrap_or(of)
    }

    /// Everything of a type down to `levels` of objects.
    pub fn select(&self, of: &str, levels: usize) -> String {
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
    pub fn walk(&self) -> Vec<String> {
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
    pub fn select_each(&self, of: &str) -> String {
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

    /// The fields that queries ask for, each with its type.
    pub fn asked<'a>(&self, queries: impl IntoIterator<Item = &'a String>) -> BTreeSet<(String, String)> {
        let mut asked = BTreeSet::new();
        for query in queries {
            let document = parse_query(query).unwrap_or_else(|error| panic!("{error}: {query}"));
            for (_, operation) in document.operations.iter() {
                self.note(&operation.node.selection_set.node, "Query", &mut asked);
            }
        }
        asked
    }

    fn note(&self, selection: &SelectionSet, of: &str, asked: &mut BTreeSet<(String, String)>) {
        for item in &selection.items {
            match &item.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let known = self.fields(of).into_iter().find(|known| known["name"] == name);
                    if let Some(known) = known {
                        asked.insert((of.to_owned(), name.to_owned()));
                        self.note(&field.node.selection_set.node, &named(&known["type"]).0, asked);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let of = fragment.node.type_condition.as_ref().map_or(of, |on| on.node.on.node.as_str());
                    self.note(&fragment.node.selection_set.node, of, asked);
                }
                Selection::FragmentSpread(_) => panic!("the walk has no named fragments"),
            }
        }
    }

    /// Every field of every type that queries lead to, but for what pages are made of.
    pub fn all(&self) -> BTreeSet<(String, String)> {
        let (mut reached, mut next) = (BTreeSet::new(), vec!["Query".to_owned()]);
        while let Some(of) = next.pop() {
            if self.is_leaf(&of) || !reached.insert(of.clone()) {
                continue;
            }
            next.extend(self.possible(&of).into_iter().filter(|one| *one != of));
            next.extend(self.fields(&of).into_iter().map(|field| self.target(field)));
        }
        let objects = reached.iter().filter(|of| self.kind(of) == "OBJECT");
        let each = objects.flat_map(|of| self.fields(of).into_iter().map(move |field| (of, field)));
        each.map(|(of, field)| (of.clone(), field["name"].as_str().unwrap().to_owned())).collect()
    }

    fn common(&self, interface: &str) -> String {
        let leaves = self.fields(interface).into_iter().filter(|field| self.is_leaf(&self.target(field)));
        leaves.map(|field| field["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    pub fn possible(&self, name: &str) -> Vec<String> {
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
        ("Attachment", of::<Attachment>(app).await),
        ("Report", of::<Report>(app).await),
        ("AuditEntry", of::<AuditEntry>(app).await),
        ("Invitation", of::<Invitation>(app).await),
    ])
}
