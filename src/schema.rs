//! What other programs hold on to, as files: `hope schema` writes them, `--check` compares.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    domain::{self, permission},
    error::Code,
    graphql,
    query::Direction,
    rest,
};

/// The generated files, by name.
#[must_use]
pub fn files() -> Vec<(&'static str, String)> {
    vec![
        ("schema.graphql", graphql::schema().sdl()),
        ("openapi.json", rest::spec()),
        ("collections.json", collections()),
        ("errors.md", errors()),
        ("permissions.md", permission::document()),
    ]
}

/// The collections and the queries that they answer quickly.
fn collections() -> String {
    let collections = domain::collections().into_iter().map(|collection| {
        let indexes = collection.indexes.iter().map(|index| {
            let keys = index.keys.iter().map(|(field, direction)| {
                let direction = if *direction == Direction::Asc { "ascending" } else { "descending" };
                json!({ "field": field.name, "direction": direction, "each": field.many })
            });
            json!({ "name": index.name, "unique": index.unique, "keys": keys.collect::<Vec<_>>() })
        });
        json!({ "name": collection.name, "indexes": indexes.collect::<Vec<_>>() })
    });
    let text = serde_json::to_string_pretty(&collections.collect::<Vec<_>>()).unwrap_or_default();
    format!("{text}\n")
}

fn errors() -> String {
    let rows = Code::ALL
        .iter()
        .map(|code| format!("| `{}` | {} | {} |\n", code.name(), code.status(), code.meaning().trim()));
    format!(
        "# Error codes\n\nStable names, on REST as `code` in problem documents, on GraphQL as `extensions.code` or the `code` of \
         `userErrors`.\n\n| code | status on REST | meaning |\n|---|---|---|\n{}",
        rows.collect::<String>()
    )
}

/// Writes the files into `folder`.
///
/// # Errors
/// A sentence with the file that could not be written.
pub fn write(folder: &Path) -> Result<(), String> {
    let failed = |path: &Path, error| format!("{} could not be written: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for (name, text) in files() {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Names of files in `folder` that are not what the program would write.
#[must_use]
pub fn stale(folder: &Path) -> Vec<&'static str> {
    let differs = |(name, text): &(&'static str, String)| {
        fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text)
    };
    files().into_iter().filter(differs).map(|(name, _)| name).collect()
}
