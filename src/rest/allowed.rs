//! Which methods an address takes, for the header `Allow` that a 405 owes (RFC 9110, 15.5.6). Read
//! from the specification, so that it is never another list to keep.

use serde_json::Value;

/// The methods of every path of the specification.
#[derive(Clone, Default)]
pub struct Allowed(Vec<(String, String)>);

impl Allowed {
    #[must_use]
    pub fn of(spec: &str) -> Self {
        let spec: Value = serde_json::from_str(spec).unwrap_or_default();
        let paths = spec["paths"].as_object().into_iter().flatten();
        let methods = |item: &Value| {
            let names = item.as_object().into_iter().flatten().map(|(name, _)| name.to_uppercase());
            names.collect::<Vec<_>>().join(", ")
        };
        Self(paths.map(|(path, item)| (path.clone(), methods(item))).collect())
    }

    /// What `path` takes, when it is in the specification.
    #[must_use]
    pub fn methods(&self, path: &str) -> Option<&str> {
        let found = self.0.iter().find(|(template, _)| fits(template, path));
        found.map(|(_, methods)| methods.as_str())
    }
}

/// Whether `path` is an instance of `template`, in which `{id}` stands for any one segment.
fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(found)) if expected == found || expected.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_by_path() {
        let spec = r#"{"paths": {"/v1/a": {"post": {}}, "/v1/a/{id}": {"get": {}, "put": {}}}}"#;
        let allowed = Allowed::of(spec);
        for (path, methods) in [
            ("/v1/a", Some("POST")),
            ("/v1/a/1", Some("GET, PUT")),
            ("/v1/a/1/2", None),
            ("/v1", None),
            ("", None),
        ] {
            assert_eq!(allowed.methods(path), methods, "{path}");
        }
    }
}
