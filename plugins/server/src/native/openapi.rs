use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use std::fmt::Write;
use utoipa::OpenApi;

use super::{admin, ask, documents, incoming, jobs, search};
use crate::{Failure, respond};

#[derive(OpenApi)]
#[openapi(
    info(title = "Postil", description = "Documents in, grounded answers out.", version = "0.1.0"),
    paths(
        search::search,
        ask::ask,
        documents::list,
        documents::get,
        documents::passages,
        documents::delete,
        incoming::post,
        incoming::put,
        jobs::list,
        jobs::get,
        jobs::cancel,
        admin::stat,
        admin::compact,
        admin::publish,
        admin::backup,
        admin::databases,
        admin::health,
        admin::ready,
        admin::metrics
    )
)]
struct Native;

/// The description of the native API.
pub(crate) async fn document() -> Result<Response<Body>, Failure> {
    respond::json(&Native::openapi())
}

/// A page of it for people.
pub(crate) async fn page() -> Result<Response<Body>, Failure> {
    let text = serde_json::to_value(Native::openapi()).map_err(|error| Failure::system(error.to_string()))?;
    let mut out = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Postil: the API</title>\
         <h1>The API of Postil</h1><p>For programs: <a href=/openapi.json>openapi.json</a>. For a database other \
         than the first, put <code>/db/NAME</code> before the path.</p><dl>",
    );
    for (path, methods) in text["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let summary =
                operation["summary"].as_str().or(operation["description"].as_str()).unwrap_or_default();
            // Writing to a string does not fail; all of this is our own text.
            let _ = write!(out, "<dt><code>{} {path}</code></dt><dd>{summary}</dd>", method.to_uppercase());
        }
    }
    out.push_str("</dl></html>");
    let mut response = Response::new(Body::from(out));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    Ok(response)
}
