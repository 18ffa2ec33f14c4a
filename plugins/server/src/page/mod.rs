//! The page to ask on: one HTML file and one module, both in the program.
//!
//! Its policy lets it load nothing but itself and speak to nobody but this server; the one style
//! sheet is allowed by its hash. Text of documents reaches it as JSON and is put in as text, never
//! as markup.

use std::sync::Arc;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::Failure;
use crate::app::App;

const HTML: &str = include_str!("index.html");
const MODULE: &str = include_str!("page.js");

/// Routes of the page.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(html)).route("/page.js", get(module))
}

/// The style sheet in the page, between its tags.
fn style() -> &'static str {
    let inner = HTML.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    inner.map_or("", |(style, _)| style)
}

fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let style = STANDARD.encode(Sha256::digest(style()));
        format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{style}'; connect-src 'self'; img-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        )
    })
}

async fn html() -> Result<Response<Body>, Failure> {
    respond(HTML, "text/html; charset=utf-8")
}

async fn module() -> Result<Response<Body>, Failure> {
    respond(MODULE, "text/javascript; charset=utf-8")
}

fn respond(text: &'static str, media: &'static str) -> Result<Response<Body>, Failure> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy()));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_nothing_from_elsewhere_and_has_no_script_of_its_own() {
        assert!(!HTML.contains("http:") && !HTML.contains("https:") && !HTML.contains("//"));
        assert!(!HTML.contains("style=") && !HTML.contains(" on"));
        assert_eq!(HTML.matches("<script").count(), 1);
        assert!(!style().is_empty() && policy().contains("'sha256-"));
    }

    #[test]
    fn the_module_never_makes_markup_of_text() {
        for way in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "http"]
        {
            assert!(!MODULE.contains(way), "{way}");
        }
    }
}
