//! From MJML to the HTML that mail programs understand.

use mrml::prelude::render::RenderOptions;

/// Renders MJML, as an askama template filled it in (and escaped what members wrote).
///
/// # Errors
/// What is wrong with the markup: a mistake in a template, which a test of its sample finds.
pub fn html(mjml: &str) -> Result<String, String> {
    // No web fonts: they would tell another server who reads what, and when.
    let options = RenderOptions { fonts: std::collections::HashMap::new(), ..RenderOptions::default() };
    let parsed = mrml::parse(mjml).map_err(|error| error.to_string())?;
    parsed.element.render(&options).map_err(|error| error.to_string())
}
