//! The native API: the commands over HTTP, with the JSON that they print.
//!
//! file | responsibility
//! ---|---
//! `place.rs` | the database that a path names
//! `search.rs`, `ask.rs` | searches and questions
//! `documents.rs`, `incoming.rs` | documents, and those that come in
//! `jobs.rs` | long work
//! `admin.rs` | counts, compaction, copies, health, metrics
//! `openapi.rs`, `schemas.rs` | the description of it all, and the schemas that it names

mod admin;
mod ask;
mod documents;
mod incoming;
mod jobs;
mod openapi;
mod place;
mod schemas;
mod search;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

pub(crate) use incoming::{FormRead, form_files, form_of, stored};
pub(crate) use place::Db;

/// Routes of a database.
fn database() -> Router<Arc<App>> {
    Router::new()
        .route("/search", post(search::search))
        .route("/ask", post(ask::ask))
        .route("/documents", get(documents::list).post(incoming::post))
        .route("/documents/{*key}", get(documents::get).put(incoming::put).delete(documents::delete))
        .route("/passages/{*key}", get(documents::passages))
        .route("/jobs", get(jobs::list))
        .route("/jobs/{id}", get(jobs::get).delete(jobs::cancel))
        .route("/stat", get(admin::stat))
        .route("/compact", post(admin::compact))
        .route("/publish", post(admin::publish))
        .route("/backup", post(admin::backup))
}

/// All routes of the native API.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .merge(database())
        .nest("/db/{db}", database())
        .route("/databases", get(admin::databases))
        .route("/health", get(admin::health))
        .route("/ready", get(admin::ready))
        .route("/metrics", get(admin::metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/docs", get(openapi::page))
}
