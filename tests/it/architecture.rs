//! `ls src` is the architecture: imports go down one list, and nothing above the store names an
//! engine.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The modules of the crate from the top down. Each may use only those on lines below its own.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["demo", "schema", "server"],
    &["graphql"],
    &["rest"],
    &["web"],
    &["http"],
    &["jobs"],
    &["actions"],
    &["tokens"],
    &["app"],
    &["progress", "limits", "live", "mail", "blobs", "single_sign_on"],
    &["keys"],
    &["store"],
    &["domain"],
    &["config"],
    &["query"],
    &["error"],
    &["ids"],
    &["clock"],
    &["network"],
];

const SURFACES: [&str; 3] = ["graphql", "rest", "web"];

pub fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with the module that it belongs to and its code, tests and comments left out.
fn modules() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let module_of = |path: &Path| {
        let first = path.strip_prefix(&src).unwrap().components().next().unwrap().as_os_str();
        first.to_string_lossy().trim_end_matches(".rs").to_owned()
    };
    let code = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
    };
    files.iter().map(|path| (module_of(path), path.clone(), code(path))).collect()
}

/// The modules of this crate that code names: `crate::name`, and `crate::{name::…, name}`.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with('$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(name(rest)),
            Some(list) => found.extend(top_level(list)),
        }
    }
    found
}

fn name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first names in a braced list, not those in braces within it.
fn top_level(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && c.is_alphanumeric() => {
                names.push(name(&list[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn imports_go_down() {
    for (module, path, code) in modules() {
        if module == "lib" {
            continue;
        }
        let own = layer(&module).unwrap_or_else(|| panic!("src/{module} has no place in the list of layers"));
        for used in uses(&code) {
            let Some(below) = layer(&used) else { continue };
            assert!(
                used == module || below > own,
                "{} uses {used}, which is not below {module}",
                path.display()
            );
        }
    }
}

#[test]
fn surfaces_do_not_import_the_store() {
    for (module, path, code) in modules() {
        if SURFACES.contains(&module.as_str()) {
            assert!(!uses(&code).contains(&"store".to_owned()), "{} imports the store", path.display());
            assert!(!code.contains(".store.commit("), "{} writes past the actions", path.display());
        }
    }
}

#[test]
fn engines_stay_in_the_store() {
    for (module, path, code) in modules() {
        let names_one =
            ["mongodb::", "rusqlite::", "sqlite::", "mongo::"].iter().any(|engine| code.contains(engine));
        assert!(module == "store" || !names_one, "{} names an engine", path.display());
    }
}

#[test]
fn the_domain_does_no_input_or_output() {
    for (module, path, code) in modules() {
        if module == "domain" || module == "query" {
            for io in
                ["tokio::", "std::fs", "std::net", "std::env", "reqwest", "lettre::", "poem::", "async fn"]
            {
                assert!(!code.contains(io), "{} has {io}", path.display());
            }
        }
    }
}

#[test]
fn the_test_reads_imports_as_rust_does() {
    let code = "use crate::{\n    app::App,\n    domain::{post::Post, store::X},\n    ids,\n};\ncrate::error::Code; $crate::query::Y";
    assert_eq!(uses(code), ["app", "domain", "ids", "error"]);
}
