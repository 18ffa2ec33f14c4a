use axum::body::Body;
use axum::http::Response;
use serde_json::json;

use super::Db;
use crate::{Failure, Kind, respond};

fn none(id: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("there is no job {id:?}; jobs are forgotten when the server ends"))
}

/// Lists the jobs that are remembered, newest first.
#[utoipa::path(get, path = "/jobs", responses(
    (status = 200, description = "`jobs`", body = super::schemas::Object),
))]
pub(crate) async fn list(db: Db) -> Result<Response<Body>, Failure> {
    respond::json(&json!({ "jobs": db.app.jobs(&db.named)?.all() }))
}

/// A job: its state (`waiting`, `running`, `done`, `failed`, `cancelled`), counts, and report.
#[utoipa::path(get, path = "/jobs/{id}", params(("id" = String, Path, description = "Number of the job")), responses(
    (status = 200, description = "The job", body = super::schemas::Object),
    (status = "4XX", description = "There is no such job", body = super::schemas::Problem),
))]
pub(crate) async fn get(db: Db) -> Result<Response<Body>, Failure> {
    respond::json(&db.app.jobs(&db.named)?.get(&db.key).ok_or_else(|| none(&db.key))?)
}

/// Asks a job to end; what it has committed stays.
#[utoipa::path(delete, path = "/jobs/{id}", params(("id" = String, Path, description = "Number of the job")), responses(
    (status = 200, description = "The job", body = super::schemas::Object),
    (status = "4XX", description = "There is no such job", body = super::schemas::Problem),
))]
pub(crate) async fn cancel(db: Db) -> Result<Response<Body>, Failure> {
    let jobs = db.app.jobs(&db.named)?;
    jobs.cancel(&db.key);
    respond::json(&jobs.get(&db.key).ok_or_else(|| none(&db.key))?)
}
