//! The specification, and a page to read and try it.

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_STANDARD};
use poem::{Endpoint, IntoResponse, Request, Response, web::Html};

/// The OpenAPI specification.
pub(super) struct Spec(pub String);

impl Endpoint for Spec {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        Ok(self.0.clone().with_content_type("application/json").into_response())
    }
}

/// Swagger UI, in one page that carries its script and style inline. The policy allows exactly those,
/// by their digests, so that `unsafe-inline` is not needed.
pub(super) struct Page {
    html: String,
    policy: String,
}

impl Page {
    pub fn of(html: &str) -> Self {
        // Browsers read line ends so, also before they compute the digests.
        let html = html.replace("\r\n", "\n").replacen(
            "<html charset=\"UTF-8\">",
            "<!doctype html>\n<html lang=\"en-GB\">",
            1,
        );
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            digests(&html, "script"),
            digests(&html, "style")
        );
        Self { html, policy }
    }
}

impl Endpoint for Page {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        let page = Html(self.html.clone()).with_header("content-security-policy", &self.policy);
        Ok(page.with_header("cache-control", "public, max-age=300").into_response())
    }
}

/// The digests of the page's elements of this name, as a policy names them.
fn digests(html: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    let mut sources = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once(&open) {
        let Some((content, next)) = after.split_once('>').and_then(|(_, content)| content.split_once(&close))
        else {
            break;
        };
        let digest = digest::digest(&digest::SHA256, content.as_bytes());
        sources.push(format!("'sha256-{}'", BASE64_STANDARD.encode(digest)));
        rest = next;
    }
    sources.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inline_is_named_by_its_digest() {
        let page = Page::of("<style a>x</style><script>\r\n</script><script>y</script>");
        let digest = |text: &str| BASE64_STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
        for content in ["x", "\n", "y"] {
            assert!(page.policy.contains(&digest(content)), "{}", page.policy);
        }
        assert!(!page.policy.contains("unsafe"));
    }
}
