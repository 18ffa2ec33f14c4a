//! The shapes of OpenAI's API, for programs that were written for it.
//!
//! A database is a model, which answers, and a vector store, which holds files; a document is a
//! file. What these shapes have and Postil has not is refused with an error of the same form.
//! Beside OpenAI's fields stand those of a citation: its quote, byte range and posterior.
//!
//! file | responsibility
//! ---|---
//! `question.rs` | the question of a conversation
//! `answer.rs` | an answer as one text, with the places that are cited
//! `chat.rs`, `responses.rs` | chat completions, responses
//! `models.rs`, `embeddings.rs`, `rerank.rs` | models, vectors, relevance
//! `stamp.rs` | times and ids
//! `uploads.rs`, `stores.rs`, `store_files.rs`, `filters.rs` | files, vector stores, their filters

mod answer;
mod chat;
mod embeddings;
mod filters;
mod models;
mod question;
mod rerank;
mod responses;
mod stamp;
mod store_files;
mod stores;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::{Failure, Kind};

/// Routes of all shapes.
pub(crate) fn routes() -> Router<Arc<App>> {
    let unsupported = async || {
        let message = "this part of OpenAI's API is not supported; models, embeddings, chat/completions, responses, \
            files, vector_stores and rerank are";
        Failure::new(Kind::NotFound, message)
    };
    Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::get))
        .route("/v1/embeddings", post(embeddings::embed))
        .route("/v1/rerank", post(rerank::rerank))
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/responses", post(responses::respond))
        .route("/v1/files", get(uploads::list).post(uploads::upload))
        .route("/v1/files/{id}", get(uploads::get).delete(uploads::delete))
        .route("/v1/files/{id}/content", get(uploads::content))
        .route("/v1/vector_stores", get(stores::list).post(stores::create))
        .route("/v1/vector_stores/{store}", get(stores::get).delete(stores::delete))
        .route("/v1/vector_stores/{store}/search", post(stores::search))
        .route("/v1/vector_stores/{store}/files", get(store_files::list).post(store_files::attach))
        .route("/v1/vector_stores/{store}/files/{id}", get(store_files::get).delete(store_files::delete))
        .route("/v1/vector_stores/{store}/files/{id}/content", get(store_files::content))
        .route("/v1/vector_stores/{store}/file_batches", post(store_files::attach_batch))
        .route("/v1/vector_stores/{store}/file_batches/{id}", get(store_files::get_batch))
        .route("/v1/vector_stores/{store}/file_batches/{id}/files", get(store_files::batch_files))
        .route("/v1/{*rest}", axum::routing::any(unsupported))
}
