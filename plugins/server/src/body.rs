//! Bodies of requests, read within bounds of size and time.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::held::Held;
use crate::{Failure, Kind};

/// The bytes of a body, counted until they are dropped.
pub(crate) struct Read {
    pub(crate) bytes: Bytes,
    pub(crate) held: Held,
}

/// Media type of a body without parameters, in lower case; empty when none is named.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Refuses compressed bodies, so that none is larger than it was sent, and bodies that say that
/// they are too large.
pub(crate) fn check_head(headers: &HeaderMap, most_bytes: usize) -> Result<(), Failure> {
    let encoding = headers.get(CONTENT_ENCODING).map_or(&b"identity"[..], |value| value.as_bytes());
    if !encoding.eq_ignore_ascii_case(b"identity") {
        return Err(Failure::new(Kind::Form, "compressed bodies are not read; send it as it is"));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(got) if got > most_bytes as u64 => Err(too_large(most_bytes)),
        _ => Ok(()),
    }
}

fn too_large(most_bytes: usize) -> Failure {
    Failure::new(
        Kind::TooLarge,
        format!("the body has more than {most_bytes} bytes, the limit of this request"),
    )
}

/// Reads a body of at most `most_bytes`.
pub(crate) async fn read(
    app: &Arc<App>,
    headers: &HeaderMap,
    mut body: Body,
    most_bytes: usize,
) -> Result<Read, Failure> {
    check_head(headers, most_bytes)?;
    let mut held = app.hold(0)?;
    let collect = async {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::input("the body ended before its end"))?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len() + data.len() > most_bytes {
                return Err(too_large(most_bytes));
            }
            held.add(app.hold(data.len())?);
            bytes.extend_from_slice(data);
        }
        Ok(bytes.freeze())
    };
    match tokio::time::timeout(app.settings.limits.body_time, collect).await {
        Ok(bytes) => Ok(Read { bytes: bytes?, held }),
        Err(_) => Err(Failure::new(Kind::TooSlow, "the body took too long to arrive")),
    }
}

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        // A page elsewhere cannot send this type without being asked about its origin.
        let media = media_type(&parts.headers);
        if media != "application/json" {
            let message = format!("the body is {media:?}, not application/json");
            return Err(Failure::new(Kind::Form, message));
        }
        let read = read(app, &parts.headers, body, app.settings.limits.body_bytes).await?;
        Ok(Self(parse(&read.bytes)?))
    }
}

/// Parameters behind the question mark of a path.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Failure> {
        let read = Query::try_from_uri(&parts.uri);
        read.map(|Query(read)| Self(read))
            .map_err(|error| Failure::input(format!("parameters: {}", error.body_text())))
    }
}

/// Parses a JSON body.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::input(format!("the body: {error}")))
}
