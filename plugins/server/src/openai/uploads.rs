use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Response;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::stamp::now;
use crate::app::App;
use crate::files::{File, id_of, name_of};
use crate::native::{FormRead, form_files};
use crate::work::Work;
use crate::{Failure, Kind, respond};

/// A file as OpenAI's API gives it.
fn file(name: &str, bytes: u64) -> Value {
    json!({
        "id": id_of(name), "object": "file", "bytes": bytes, "created_at": now(), "filename": name,
        "purpose": "assistants", "status": "processed",
    })
}

/// The refusal of an id that no file has.
pub(super) fn none(id: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("there is no file {id:?}"))
}

pub(super) async fn upload(State(app): State<Arc<App>>, request: Request) -> Result<Response<Body>, Failure> {
    app.must_write(app.database(None)?)?;
    let mut held = app.hold(0)?;
    let FormRead { files, fields } =
        form_files(&app, request, app.settings.limits.upload_bytes, &mut held).await?;
    let purpose = fields.iter().find(|(name, _)| name == "purpose").map(|(_, purpose)| purpose.as_str());
    if !matches!(purpose, Some("assistants" | "user_data")) {
        return Err(Failure::input("purpose is assistants or user_data"));
    }
    let mut files = files.into_iter();
    let (Some(one), None) = (files.next(), files.next()) else {
        return Err(Failure::input("the form has one file"));
    };
    if one.name.is_empty() {
        return Err(Failure::input("the file has no name"));
    }
    let answer = file(&one.name, one.bytes.len() as u64);
    app.files.add(one.name, File { bytes: one.bytes, media: one.media, held });
    respond::json(&answer)
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Response<Body>, Failure> {
    let data: Vec<Value> = app.files.all().iter().map(|(name, bytes)| file(name, *bytes as u64)).collect();
    respond::json(&json!({ "object": "list", "data": data, "has_more": false }))
}

/// The name of a file's id, and the size of the file: one that waits, or a document.
async fn known(app: &Arc<App>, id: &str) -> Result<(String, u64), Failure> {
    let name = name_of(id).ok_or_else(|| none(id))?;
    if let Some(bytes) = app.files.size(&name) {
        return Ok((name, bytes as u64));
    }
    let (served, key) = (Arc::clone(&app.database(None)?.served), name.clone());
    let stored = app.turns.run(Work::Search, move || served.document(&key)).await?;
    Ok((name, stored.ok_or_else(|| none(id))?.text.len() as u64))
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    let (name, bytes) = known(&app, &id).await?;
    respond::json(&file(&name, bytes))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    let named = app.database(None)?;
    app.must_write(named)?;
    let name = name_of(&id).ok_or_else(|| none(&id))?;
    let waited = app.files.take(&name).is_some();
    let served = Arc::clone(&named.served);
    let removed = app.turns.run(Work::Search, move || served.remove(&[name])).await?;
    if !waited && removed.removed == 0 {
        return Err(none(&id));
    }
    respond::json(&json!({ "id": id, "object": "file", "deleted": true }))
}

pub(super) async fn content(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    let name = name_of(&id).ok_or_else(|| none(&id))?;
    let served = Arc::clone(&app.database(None)?.served);
    let stored = app.turns.run(Work::Search, move || served.document(&name)).await?;
    let mut response = Response::new(Body::from(stored.ok_or_else(|| none(&id))?.text));
    // As text, whatever it is: a browser that is led here must not run it.
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}
