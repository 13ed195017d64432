//! What an edit of a published case study changed, for its readers.

use serde_json::Value as Json;

use super::content::Content;
use crate::domain::revision::{FieldChange, difference};

/// Numbers of people under 5 are shown to nobody but its authors, so a change of measures is told
/// without its figures.
const WITHOUT_FIGURES: [&str; 1] = ["measures"];
/// What is known here by its id alone, which says nothing to readers.
const BY_ID: [&str; 1] = ["topics"];

/// The fields that differ, each with its difference, named as clients name them. All but topics, whose
/// names are in the store.
#[must_use]
pub fn changes(before: &Content, after: &Content) -> Vec<FieldChange> {
    let (before, after) = (json(before), json(after));
    let (Json::Object(before), Json::Object(after)) = (before, after) else { return Vec::new() };
    let known = after.iter().filter(|(field, _)| !BY_ID.contains(&field.as_str()));
    let each = known.filter_map(|(field, after)| {
        let before = before.get(field).unwrap_or(&Json::Null);
        if WITHOUT_FIGURES.contains(&field.as_str()) {
            return (before != after).then(|| FieldChange { field: field.clone(), parts: Vec::new() });
        }
        difference(field, &readable(before), &readable(after))
    });
    each.collect()
}

fn json(content: &Content) -> Json {
    serde_json::to_value(content).unwrap_or_default()
}

/// The name of a tag, which is all that its readers know of it.
fn tag(parts: &serde_json::Map<String, Json>) -> Option<&Json> {
    parts.get("id").and_then(|_| parts.get("name"))
}

/// A field as text: a list has a line for each entry, a group one for each part.
fn readable(json: &Json) -> String {
    let lines = |lines: Vec<String>| lines.join("\n");
    match json {
        Json::Null => String::new(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Array(items) => lines(items.iter().map(readable).collect()),
        Json::Object(parts) => match parts.get("markdown").or_else(|| tag(parts)) {
            Some(text) => readable(text),
            None => {
                let named = parts.iter().map(|(name, part)| (name, readable(part)));
                let said = named.filter(|(_, text)| !text.is_empty());
                lines(said.map(|(name, text)| format!("{name}: {text}")).collect())
            }
        },
    }
}
