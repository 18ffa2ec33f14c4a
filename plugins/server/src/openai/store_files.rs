use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::stamp::now;
use super::stores;
use super::uploads::none;
use crate::app::{App, Named};
use crate::body::{JsonBody, Params};
use crate::files::{File, id_of, name_of};
use crate::native::{form_of, stored};
use crate::served::{Incoming, Json, Listing};
use crate::work::Work;
use crate::{Failure, Kind, respond};

/// Files on a page unless another number is asked for.
const DEFAULT_LIMIT: usize = 20;
/// Files on a page, at most.
const MOST_LIMIT: usize = 100;
/// Beginning of the id of a batch.
const BATCH: &str = "vsfb_";

#[derive(Deserialize)]
pub(crate) struct AttachRequest {
    file_id: String,
    attributes: Option<Json>,
}

#[derive(Deserialize)]
pub(crate) struct BatchRequest {
    #[serde(default)]
    file_ids: Vec<String>,
    attributes: Option<Json>,
}

#[derive(Deserialize)]
pub(crate) struct ListRequest {
    after: Option<String>,
    limit: Option<usize>,
}

fn attached(named: &Named, name: &str, bytes: u64, attributes: Option<&Json>) -> Value {
    json!({
        "id": id_of(name), "object": "vector_store.file", "created_at": now(), "vector_store_id": stores::id(named),
        "usage_bytes": bytes, "status": "completed", "last_error": null, "attributes": attributes,
        "chunking_strategy": { "type": "other" },
    })
}

/// Stores files that waited; all are durable when it returns.
async fn store(
    app: &Arc<App>,
    named: &Named,
    ids: &[String],
    attributes: Option<&Json>,
) -> Result<String, Failure> {
    app.must_write(named)?;
    let (mut documents, mut held) = (Vec::new(), app.hold(0)?);
    for id in ids {
        let name = name_of(id).ok_or_else(|| none(id))?;
        let Some(File { bytes, media, held: part }) = app.files.take(&name) else {
            let served = Arc::clone(&named.served);
            match app.turns.run(Work::Search, move || served.document(&name)).await? {
                // Attached before: nothing is left to do.
                Some(_) => continue,
                None => return Err(none(id)),
            }
        };
        held.add(part);
        let form = form_of(&media).filter(|_| !name.contains('.'));
        documents.push(Incoming { key: name, bytes, form, title: None, metadata: attributes.cloned() });
    }
    let served = Arc::clone(&named.served);
    let jobs = app.jobs(named)?;
    let number = jobs.add(
        "ingest",
        Box::new(move |progress| {
            let _held = held;
            served.ingest(documents, progress)
        }),
    )?;
    stored(jobs.ended(&number).await)?;
    Ok(number)
}

pub(super) async fn attach(
    State(app): State<Arc<App>>,
    Path(store_id): Path<String>,
    JsonBody(request): JsonBody<AttachRequest>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    let name = name_of(&request.file_id).ok_or_else(|| none(&request.file_id))?;
    let bytes = app.files.size(&name).unwrap_or_default() as u64;
    store(&app, named, &[request.file_id], request.attributes.as_ref()).await?;
    respond::json(&attached(named, &name, bytes, request.attributes.as_ref()))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(store_id): Path<String>,
    Params(ListRequest { after, limit }): Params<ListRequest>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST_LIMIT).contains(&limit) {
        return Err(Failure::input(format!("limit is {limit}, expected 1 to {MOST_LIMIT}")));
    }
    let after = after.map(|id| name_of(&id).ok_or_else(|| none(&id))).transpose()?;
    let listing = Listing { prefix: String::new(), after, limit: limit + 1 };
    let served = Arc::clone(&named.served);
    let mut listed = app.turns.run(Work::Search, move || served.documents(&listing)).await?;
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let data: Vec<Value> =
        listed.iter().map(|it| attached(named, &it.key, it.text_bytes, Some(&it.metadata))).collect();
    let end = |file: Option<&Value>| file.map(|file| file["id"].clone());
    let (first, last) = (end(data.first()), end(data.last()));
    respond::json(
        &json!({ "object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more }),
    )
}

/// A document of a store, and its name.
async fn document(app: &Arc<App>, named: &Named, id: &str) -> Result<(String, crate::Stored), Failure> {
    let name = name_of(id).ok_or_else(|| none(id))?;
    let (served, key) = (Arc::clone(&named.served), name.clone());
    let found = app.turns.run(Work::Search, move || served.document(&key)).await?;
    Ok((name, found.ok_or_else(|| none(id))?))
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path((store_id, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    let (name, found) = document(&app, named, &id).await?;
    respond::json(&attached(named, &name, found.text.len() as u64, Some(&found.metadata)))
}

pub(super) async fn content(
    State(app): State<Arc<App>>,
    Path((store_id, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    let (_, found) = document(&app, named, &id).await?;
    respond::json(&json!({
        "object": "vector_store.file_content.page", "data": [{ "type": "text", "text": found.text }],
        "has_more": false, "next_page": null,
    }))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path((store_id, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    app.must_write(named)?;
    let name = name_of(&id).ok_or_else(|| none(&id))?;
    let served = Arc::clone(&named.served);
    if app.turns.run(Work::Search, move || served.remove(&[name])).await?.removed == 0 {
        return Err(none(&id));
    }
    respond::json(&json!({ "id": id, "object": "vector_store.file.deleted", "deleted": true }))
}

fn batch(named: &Named, number: &str, files: usize) -> Value {
    json!({
        "id": format!("{BATCH}{number}"), "object": "vector_store.files_batch", "created_at": now(),
        "vector_store_id": stores::id(named), "status": "completed",
        "file_counts": { "in_progress": 0, "completed": files, "failed": 0, "cancelled": 0, "total": files },
    })
}

pub(super) async fn attach_batch(
    State(app): State<Arc<App>>,
    Path(store_id): Path<String>,
    JsonBody(request): JsonBody<BatchRequest>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    if request.file_ids.is_empty() {
        return Err(Failure::input("file_ids is a list of files"));
    }
    let number = store(&app, named, &request.file_ids, request.attributes.as_ref()).await?;
    let answer = batch(named, &number, request.file_ids.len());
    app.files.add_batch(number, request.file_ids);
    respond::json(&answer)
}

fn no_batch(id: &str) -> Failure {
    Failure::new(
        Kind::NotFound,
        format!("there is no batch {id:?}; batches are forgotten when the server ends"),
    )
}

pub(super) async fn get_batch(
    State(app): State<Arc<App>>,
    Path((store_id, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    let number = id.strip_prefix(BATCH).ok_or_else(|| no_batch(&id))?;
    let files = app.files.batch(number).ok_or_else(|| no_batch(&id))?;
    respond::json(&batch(named, number, files.len()))
}

pub(super) async fn batch_files(
    State(app): State<Arc<App>>,
    Path((store_id, id)): Path<(String, String)>,
) -> Result<Response<Body>, Failure> {
    let named = stores::database(&app, &store_id)?;
    let files =
        id.strip_prefix(BATCH).and_then(|number| app.files.batch(number)).ok_or_else(|| no_batch(&id))?;
    let mut data = Vec::new();
    for file in &files {
        let (name, found) = document(&app, named, file).await?;
        data.push(attached(named, &name, found.text.len() as u64, Some(&found.metadata)));
    }
    respond::json(&json!({
        "object": "list", "data": data, "first_id": files.first(), "last_id": files.last(), "has_more": false,
    }))
}
