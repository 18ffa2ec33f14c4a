//! The door: every request passes it before anything else looks at it.
//!
//! A page elsewhere can make a browser send requests here, under this server's own name when it
//! controls a name server (DNS rebinding). So the name that a request was sent to has to be one of
//! ours, and the page that sent it, if any, too. Secrets are compared in constant time.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::{Failure, Kind, Settings, respond};

/// Paths that need no token: they say nothing about documents.
const OPEN: [&str; 4] = ["/", "/page.js", "/health", "/ready"];

/// Content policy of everything but the page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Checks, answers, counts and logs a request.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response<Body> {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let response = match check(&app, &request) {
        Err(failure) => failure.into_response(),
        Ok(()) if is_preflight(&request) => preflight(),
        Ok(()) => next.run(request).await,
    };
    let failure = response.extensions().get::<Failure>().cloned();
    let mut response = respond::render(&path, response);
    harden(&mut response, origin.filter(|_| failure.as_ref().is_none_or(|it| it.kind != Kind::Forbidden)));
    let (status, time) = (response.status().as_u16(), begun.elapsed());
    app.metrics.count(&route, status, time);
    let time_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    // Messages may quote a question; they are logged only when they are about the server.
    let error = failure.filter(|failure| failure.kind == Kind::System).map(|failure| failure.message);
    tracing::info!(%method, route, status, time_us, error);
    response
}

fn check(app: &App, request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    let host = host_of(request)?;
    if !is_known_host(&app.settings, &host) {
        let message = format!("this server is not called {host:?}; name it with --allow-host to reach it so");
        return Err(Failure::new(Kind::Forbidden, message));
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !is_known_origin(&app.settings, origin, &host)
    {
        let message = "requests of this page's origin are not taken; name it with --allow-origin";
        return Err(Failure::new(Kind::Forbidden, message));
    }
    if OPEN.contains(&request.uri().path()) || is_preflight(request) {
        return Ok(());
    }
    match &app.settings.token {
        Some(token) if !has_token(headers, token) => Err(Failure::new(
            Kind::Unauthorized,
            "the token is missing or wrong; send Authorization: Bearer TOKEN",
        )),
        _ if app.is_stopping.load(Ordering::Relaxed) => Err(Failure::new(Kind::Busy, "the server is ending")),
        _ => Ok(()),
    }
}

/// The one host that a request names, with its port.
fn host_of(request: &Request) -> Result<String, Failure> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let host = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok().map(str::to_ascii_lowercase),
        _ => None,
    };
    let host = host.ok_or_else(|| Failure::input("the request has to name one host"))?;
    // An absolute target takes the place of the header.
    match request.uri().authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(&host) => {
            Err(Failure::input("the request names two hosts"))
        }
        _ => Ok(host),
    }
}

/// The name of a host without its port.
fn without_port(host: &str) -> &str {
    let colon = host.rfind(':').filter(|&at| !host[at..].contains(']'));
    let name = colon.map_or(host, |at| &host[..at]);
    name.trim_start_matches('[').trim_end_matches(']')
}

fn is_known_host(settings: &Settings, host: &str) -> bool {
    let name = without_port(host);
    if let Ok(address) = name.parse::<IpAddr>() {
        // A rebound name is a name: addresses are safe, but a loopback server has only its own.
        return address.is_loopback() || !settings.host.is_loopback();
    }
    name == "localhost" || settings.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_known_origin(settings: &Settings, origin: &HeaderValue, host: &str) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let origin = origin.to_ascii_lowercase();
    let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    own == Some(host)
        || settings.origins.iter().any(|known| known.trim_end_matches('/').eq_ignore_ascii_case(&origin))
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given =
        given.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")));
    given.is_some_and(|given| given.trim().as_bytes().ct_eq(token.as_bytes()).into())
}

fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let allowed = "authorization, content-type, accept, mcp-session-id, mcp-protocol-version, mcp-method, last-event-id";
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// Tells browsers to keep to what a response is, and which page may read it: `origin`, which was
/// checked.
fn harden(response: &mut Response<Body>, origin: Option<HeaderValue>) {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(header::CONTENT_SECURITY_POLICY, NOTHING);
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let exposed = HeaderValue::from_static("mcp-session-id, retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_address_or_by_a_name_that_was_given() {
        let mut settings = Settings::default();
        settings.hosts.push("desk.example".to_owned());
        for host in
            ["localhost", "localhost:8765", "127.0.0.1:1", "[::1]:8765", "desk.example", "DESK.example:80"]
        {
            assert!(is_known_host(&settings, &host.to_ascii_lowercase()), "{host}");
        }
        for host in
            ["", "evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil.example", "[::2]"]
        {
            assert!(!is_known_host(&settings, host), "{host}");
        }
        settings.host = "0.0.0.0".parse().unwrap();
        assert!(is_known_host(&settings, "10.0.0.1:80") && !is_known_host(&settings, "evil.example"));
    }

    #[test]
    fn an_origin_is_known_when_it_is_this_host_or_was_named() {
        let mut settings = Settings::default();
        settings.origins.push("https://desk.example/".to_owned());
        let known = |origin: &str| {
            is_known_origin(&settings, &HeaderValue::from_str(origin).unwrap(), "127.0.0.1:8765")
        };
        assert!(known("http://127.0.0.1:8765") && known("https://desk.example"));
        for origin in
            ["null", "http://evil.example", "http://127.0.0.1:8766", "https://desk.example.evil.example", ""]
        {
            assert!(!known(origin), "{origin}");
        }
    }

    #[test]
    fn a_token_is_compared_whole() {
        let with = |value: &str| {
            let headers =
                HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())]);
            has_token(&headers, "secret")
        };
        assert!(with("Bearer secret") && with("bearer secret"));
        assert!(!with("Bearer secre") && !with("Bearer secrets") && !with("secret") && !with("Basic secret"));
        assert!(!has_token(&HeaderMap::new(), "secret"));
    }
}
