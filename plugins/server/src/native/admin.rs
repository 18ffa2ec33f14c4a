use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Db;
use super::incoming::stored;
use crate::app::App;
use crate::body::JsonBody;
use crate::served::Served;
use crate::work::Work;
use crate::{Failure, Kind, respond, root};

/// A backup.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackupRequest {
    /// Name of the copy, in the server's `--root`; nothing may be there.
    to: String,
}

/// Counts and sizes.
#[utoipa::path(get, path = "/stat", responses(
    (status = 200, description = "As `postil stat --json` prints it", body = super::schemas::Object),
))]
pub(crate) async fn stat(db: Db) -> Result<Response<Body>, Failure> {
    respond::json(&db.run(Work::Search, Served::stat).await?)
}

/// Writes everything anew without what was removed.
#[utoipa::path(post, path = "/compact", responses(
    (status = 200, description = "As `postil compact --json` prints it", body = super::schemas::Object),
    (status = "4XX", description = "Nothing may be written", body = super::schemas::Problem),
    (status = 503, description = "The server is busy", body = super::schemas::Problem),
))]
pub(crate) async fn compact(db: Db) -> Result<Response<Body>, Failure> {
    db.app.must_write(&db.named)?;
    let served = Arc::clone(&db.named.served);
    let jobs = db.app.jobs(&db.named)?;
    let id = jobs.add("compact", Box::new(move |progress| served.compact(progress)))?;
    respond::json(&stored(jobs.ended(&id).await)?)
}

/// Shows the present state to readers in other processes.
#[utoipa::path(post, path = "/publish", responses(
    (status = 200, description = "As `postil publish --json` prints it", body = super::schemas::Object),
    (status = "4XX", description = "Nothing may be written", body = super::schemas::Problem),
    (status = 503, description = "The server is busy", body = super::schemas::Problem),
))]
pub(crate) async fn publish(db: Db) -> Result<Response<Body>, Failure> {
    db.app.must_write(&db.named)?;
    let served = Arc::clone(&db.named.served);
    let jobs = db.app.jobs(&db.named)?;
    let id = jobs.add("publish", Box::new(move |_| served.publish()))?;
    respond::json(&stored(jobs.ended(&id).await)?)
}

/// Copies the database into the server's folder.
#[utoipa::path(post, path = "/backup", request_body = BackupRequest, responses(
    (status = 200, description = "As `postil backup --json` prints it", body = super::schemas::Object),
    (status = "4XX", description = "The server has no folder, or something is there", body = super::schemas::Problem),
    (status = 503, description = "The server is busy", body = super::schemas::Problem),
))]
pub(crate) async fn backup(
    db: Db,
    JsonBody(BackupRequest { to }): JsonBody<BackupRequest>,
) -> Result<Response<Body>, Failure> {
    db.app.must_write(&db.named)?;
    let place = root::under(db.app.settings.root.as_ref(), &to)?;
    if place.symlink_metadata().is_ok() {
        return Err(Failure::new(Kind::Conflict, format!("something is at {to:?} already")));
    }
    let served = Arc::clone(&db.named.served);
    let jobs = db.app.jobs(&db.named)?;
    let id = jobs.add("backup", Box::new(move |progress| served.backup(&place, progress)))?;
    respond::json(&stored(jobs.ended(&id).await)?)
}

/// Lists the databases of the server; the first one is meant where a path names none.
#[utoipa::path(get, path = "/databases", responses(
    (status = 200, description = "`databases`", body = super::schemas::Object),
))]
pub(crate) async fn databases(State(app): State<Arc<App>>) -> Result<Response<Body>, Failure> {
    let list: Vec<_> = app
        .databases()
        .iter()
        .map(|named| {
            let about = named.served.about();
            json!({
                "name": &*named.name, "encoder": about.encoder, "dimension": about.dimension,
                "generator": about.generator, "published": about.is_published,
                "writable": app.settings.may_write && about.is_writable,
            })
        })
        .collect();
    respond::json(&json!({ "databases": list }))
}

/// Answers as long as the server runs.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "The server runs", body = super::schemas::Object)))]
pub(crate) async fn health() -> Result<Response<Body>, Failure> {
    respond::json(&json!({ "status": "ok" }))
}

/// Answers 200 once questions can be answered: models are loaded, and the server is not ending.
#[utoipa::path(get, path = "/ready", responses(
    (status = 200, description = "Questions can be asked", body = super::schemas::Object),
    (status = 503, description = "Not yet, or not any more", body = super::schemas::Problem),
))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Response<Body>, Failure> {
    let is_stopping = app.is_stopping.load(Ordering::Relaxed);
    if is_stopping || !app.is_ready.load(Ordering::Relaxed) {
        let message = if is_stopping { "the server is ending" } else { "the models are being loaded" };
        return Err(Failure::new(Kind::Busy, message));
    }
    respond::json_as(StatusCode::OK, &json!({ "status": "ready" }))
}

/// Parts of what `stat` prints that metrics show.
#[derive(Deserialize)]
struct Sizes {
    documents: u64,
    passages: u64,
    bytes: u64,
}

/// Counts and times of requests, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, description = "The counts", body = String, content_type = "text/plain")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Response<Body>, Failure> {
    let mut gauges = Vec::new();
    for named in app.databases() {
        let served = Arc::clone(&named.served);
        let stat = app.turns.run(Work::Search, move || served.stat()).await?;
        let Sizes { documents, passages, bytes } = crate::body::parse(stat.get().as_bytes())?;
        let name = &named.name;
        for (what, value) in [("documents", documents), ("passages", passages), ("bytes", bytes)] {
            #[expect(clippy::cast_precision_loss, reason = "Prometheus has floating-point numbers only")]
            gauges.push((format!("postil_{what}{{database={name:?}}}"), value as f64));
        }
    }
    let mut response = Response::new(Body::from(app.metrics.text(&gauges)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"));
    Ok(response)
}
