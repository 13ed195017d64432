//! Addresses within this service, that somebody is sent on to.

use serde::{Deserialize, Serialize};
use url::Url;

/// Longer ones are no page of ours.
const MAX: usize = 500;

/// A path, perhaps with a query, that leads nowhere else: neither to another host nor to a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalPath(String);

impl LocalPath {
    /// `None` for what is none, or may be taken for another address by one of the many who read it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        if text.len() > MAX || !plain || !text.starts_with('/') || text.starts_with("//") {
            return None;
        }
        let here = Url::parse("https://here.invalid").ok()?;
        let url = here.join(text).ok().filter(|url| url.origin() == here.origin())?;
        let path = url.path();
        // Dots may have made two slashes of it.
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        (!path.starts_with("//")).then(|| Self(format!("{path}{query}")))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LocalPath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("not a path of this service")
    }
}

impl From<LocalPath> for String {
    fn from(path: LocalPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_service_are_taken() {
        for path in ["/", "/sessions", "/posts/pst_1?a=b&c=%2F", "/a//b", "/a:b@c"] {
            assert_eq!(LocalPath::parse(path).unwrap().as_str(), path);
        }
        for elsewhere in [
            "",
            "sessions",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            " /a",
            "/a b",
            "/\t/evil.example",
            "/\r\nset-cookie: a=b",
            "/caf\u{e9}",
        ] {
            let found = LocalPath::parse(elsewhere);
            assert!(found.is_none(), "{elsewhere}: {found:?}");
        }
        assert!(LocalPath::parse(&format!("/{}", "a".repeat(MAX))).is_none());
    }
}
