use axum::body::Body;
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Db;
use crate::body::Params;
use crate::served::{Json, Listing};
use crate::work::Work;
use crate::{Failure, Kind, respond};

/// Documents on a page unless another number is asked for.
const DEFAULT_LIMIT: usize = 100;
/// Documents on a page, at most.
const MOST_LIMIT: usize = 1000;

/// A page of documents that is asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListRequest {
    /// Beginning of the keys.
    #[serde(default)]
    prefix: String,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Documents on the page, at most 1,000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Entry {
    document: String,
    title: String,
    bytes: u64,
    metadata: Json,
}

#[derive(Serialize)]
struct Page {
    documents: Vec<Entry>,
    next: Option<String>,
}

/// Lists documents in the order of their keys, page by page.
#[utoipa::path(get, path = "/documents", params(ListRequest), responses(
    (status = 200, description = "`documents`, and `next`, the cursor of the next page, or null", body = super::schemas::Object),
    (status = "4XX", description = "The request is wrong", body = super::schemas::Problem),
))]
pub(crate) async fn list(db: Db, Params(request): Params<ListRequest>) -> Result<Response<Body>, Failure> {
    let ListRequest { prefix, cursor, limit } = request;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST_LIMIT).contains(&limit) {
        return Err(Failure::input(format!("limit is {limit}, expected 1 to {MOST_LIMIT}")));
    }
    let bad = || Failure::input("this cursor was not given by this server");
    let after = cursor.map(|cursor| {
        let key = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
        String::from_utf8(key).map_err(|_| bad())
    });
    // One more tells whether there is another page.
    let listing = Listing { prefix, after: after.transpose()?, limit: limit + 1 };
    let mut listed = db.run(Work::Search, move |served| served.documents(&listing)).await?;
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let next = listed.last().filter(|_| has_more).map(|last| URL_SAFE_NO_PAD.encode(&last.key));
    let documents = listed
        .into_iter()
        .map(|it| Entry { document: it.key, title: it.title, bytes: it.text_bytes, metadata: it.metadata })
        .collect();
    respond::json(&Page { documents, next })
}

/// The text, title and metadata of a document.
#[utoipa::path(get, path = "/documents/{key}", params(("key" = String, Path, description = "Key of the document")), responses(
    (status = 200, description = "The document", body = super::schemas::Object),
    (status = "4XX", description = "There is no such document", body = super::schemas::Problem),
))]
pub(crate) async fn get(db: Db) -> Result<Response<Body>, Failure> {
    let key = db.key.clone();
    let found = db.run(Work::Search, move |served| served.document(&key)).await?;
    respond::json(&found.ok_or_else(|| Failure::no_document(&db.key))?.json)
}

/// The passages of a document.
#[utoipa::path(get, path = "/passages/{key}", params(("key" = String, Path, description = "Key of the document")), responses(
    (status = 200, description = "The passages", body = super::schemas::Object),
    (status = "4XX", description = "There is no such document", body = super::schemas::Problem),
))]
pub(crate) async fn passages(db: Db) -> Result<Response<Body>, Failure> {
    let key = db.key.clone();
    let found = db.run(Work::Search, move |served| served.passages(&key)).await?;
    respond::json(&found.ok_or_else(|| Failure::no_document(&db.key))?)
}

/// Removes a document; durable when the answer comes.
#[utoipa::path(delete, path = "/documents/{key}", params(("key" = String, Path, description = "Key of the document")), responses(
    (status = 200, description = "Removed", body = super::schemas::Object),
    (status = "4XX", description = "There is no such document, or nothing may be written", body = super::schemas::Problem),
))]
pub(crate) async fn delete(db: Db) -> Result<Response<Body>, Failure> {
    db.app.must_write(&db.named)?;
    let keys = [db.key.clone()];
    let removed = db.run(Work::Search, move |served| served.remove(&keys)).await?;
    if removed.removed == 0 {
        return Err(Failure::new(Kind::NotFound, format!("there is no document {:?}", db.key)));
    }
    respond::json(&json!({ "removed": removed.removed, "absent": removed.absent }))
}
