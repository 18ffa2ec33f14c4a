use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::filters;
use crate::app::{App, Named};
use crate::body::{JsonBody, parse};
use crate::files::id_of;
use crate::served::{Found, Query, Search};
use crate::work::Work;
use crate::{Failure, Kind, respond};

/// Beginning of the id of a vector store.
const PREFIX: &str = "vs_";
/// Results of one search, at most, as with OpenAI.
const MOST_RESULTS: usize = 50;

#[derive(Deserialize)]
pub(crate) struct CreateRequest {
    name: Option<String>,
    #[serde(default)]
    file_ids: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct SearchRequest {
    query: Texts,
    max_num_results: Option<usize>,
    filters: Option<filters::Filter>,
    ranking_options: Option<Ranking>,
}

#[derive(Deserialize)]
struct Ranking {
    score_threshold: Option<f32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Sizes {
    documents: u64,
    bytes: u64,
}

/// The id of a database as a vector store.
pub(super) fn id(named: &Named) -> String {
    format!("{PREFIX}{}", named.name)
}

/// The database of a vector store's id.
pub(super) fn database<'a>(app: &'a App, id: &str) -> Result<&'a Named, Failure> {
    let none = || Failure::new(Kind::NotFound, format!("there is no vector store {id:?}"));
    let name = id.strip_prefix(PREFIX).ok_or_else(none)?;
    app.database(Some(name)).map_err(|_| none())
}

async fn store(app: &Arc<App>, named: &Named) -> Result<Value, Failure> {
    let served = Arc::clone(&named.served);
    let stat = app.turns.run(Work::Search, move || served.stat()).await?;
    let Sizes { documents, bytes } = parse(stat.get().as_bytes())?;
    Ok(json!({
        "id": id(named), "object": "vector_store", "created_at": 0, "name": &*named.name, "usage_bytes": bytes,
        "status": "completed", "last_active_at": super::stamp::now(), "metadata": {}, "expires_after": null, "expires_at": null,
        "file_counts": { "in_progress": 0, "completed": documents, "failed": 0, "cancelled": 0, "total": documents },
    }))
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Response<Body>, Failure> {
    let mut data = Vec::new();
    for named in app.databases() {
        data.push(store(&app, named).await?);
    }
    let end = |store: Option<&Value>| store.map(|store| store["id"].clone());
    let (first, last) = (end(data.first()), end(data.last()));
    respond::json(
        &json!({ "object": "list", "data": data, "first_id": first, "last_id": last, "has_more": false }),
    )
}

/// Gives the database of a name: databases are made by the command, never by a request.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<CreateRequest>,
) -> Result<Response<Body>, Failure> {
    let named = match &request.name {
        Some(name) => app.database(Some(name)).map_err(|failure| {
            let message =
                format!("vector stores are not made by requests: {failure}; serve another one by name");
            Failure::input(message)
        })?,
        None => return Err(Failure::input("name one of the databases that are served")),
    };
    if !request.file_ids.is_empty() {
        return Err(Failure::input("attach files to the vector store one by one or as a batch"));
    }
    respond::json(&store(&app, named).await?)
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    respond::json(&store(&app, database(&app, &id)?).await?)
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    database(&app, &id)?;
    Err(Failure::new(Kind::Forbidden, "a database is not deleted by a request; delete its files"))
}

pub(super) async fn search(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    JsonBody(request): JsonBody<SearchRequest>,
) -> Result<Response<Body>, Failure> {
    let named = database(&app, &id)?;
    let most = request.max_num_results.unwrap_or(10);
    if !(1..=MOST_RESULTS).contains(&most) {
        return Err(Failure::input(format!("max_num_results is {most}, expected 1 to {MOST_RESULTS}")));
    }
    let queries = match request.query {
        Texts::One(text) => vec![text],
        Texts::Several(texts) => texts,
    };
    let query = queries.join("\n");
    let filter = request.filters.as_ref().map(filters::text_of).transpose()?;
    let served = Arc::clone(&named.served);
    let search = Search { k: Some(most), filter, ..Search::new(Query::Text(query)) };
    let found = app.turns.run(Work::Question, move || served.search(&search)).await?;
    let least =
        request.ranking_options.and_then(|ranking| ranking.score_threshold).unwrap_or(f32::NEG_INFINITY);
    let data: Vec<Value> = found
        .into_iter()
        .filter(|found| found.score >= least)
        .map(|Found { document, text, score, range, metadata, .. }| {
            json!({
                "file_id": id_of(&document), "filename": document, "score": score, "attributes": metadata,
                "content": [{ "type": "text", "text": text }], "range": [range.start, range.end],
            })
        })
        .collect();
    respond::json(&json!({
        "object": "vector_store.search_results.page", "search_query": queries, "data": data, "has_more": false,
        "next_page": null,
    }))
}
