//! Responses: JSON, and errors in the form of the protocol that was asked in.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::json;

use crate::{Failure, Kind};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A response of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Response<Body>, Failure> {
    json_as(StatusCode::OK, value)
}

/// A response of JSON with a status.
pub(crate) fn json_as(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Failure> {
    let bytes = serde_json::to_vec(value).map_err(|error| Failure::system(error.to_string()))?;
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(response)
}

/// Carries the failure to `render`, which knows the path that was asked for.
impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a failed response in the form of the protocol of `path`.
pub(crate) fn render(path: &str, mut response: Response<Body>) -> Response<Body> {
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    let body = if path.starts_with("/v1/") { openai_form(&failure) } else { native_form(&failure) };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(seconds) = failure.retry_after_s() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if failure.kind == Kind::Unauthorized {
        headers.insert("www-authenticate", HeaderValue::from_static("Bearer"));
    }
    *response.body_mut() = Body::from(body.to_string());
    response
}

/// An error as the native API gives it.
pub(crate) fn native_form(failure: &Failure) -> serde_json::Value {
    json!({ "error": { "kind": failure.name(), "message": failure.message } })
}

/// An error as OpenAI's API gives it.
pub(crate) fn openai_form(failure: &Failure) -> serde_json::Value {
    let kind = match failure.kind {
        Kind::Unauthorized => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::NotFound => "not_found_error",
        Kind::Busy | Kind::Late => "overloaded_error",
        Kind::System => "server_error",
        _ => "invalid_request_error",
    };
    json!({ "error": { "message": failure.message, "type": kind, "param": null, "code": failure.name() } })
}
