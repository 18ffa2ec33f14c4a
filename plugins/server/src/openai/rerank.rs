use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::embeddings::MOST_TEXTS;
use super::models;
use super::stamp::fresh;
use crate::app::App;
use crate::body::JsonBody;
use crate::work::Work;
use crate::{Failure, respond};

/// The shape that Cohere and Jina share.
#[derive(Deserialize)]
pub(crate) struct RerankRequest {
    query: String,
    documents: Vec<Text>,
    model: Option<String>,
    top_n: Option<usize>,
    #[serde(default)]
    return_documents: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Field { text: String },
}

pub(super) async fn rerank(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<RerankRequest>,
) -> Result<Response<Body>, Failure> {
    let named = models::database(&app, request.model.as_deref())?;
    let texts: Vec<String> = request
        .documents
        .into_iter()
        .map(|text| match text {
            Text::Plain(text) | Text::Field { text } => text,
        })
        .collect();
    if texts.is_empty() || texts.len() > MOST_TEXTS || request.query.trim().is_empty() {
        return Err(Failure::input(format!("give a query and 1 to {MOST_TEXTS} documents")));
    }
    let served = Arc::clone(&named.served);
    let (query, passages) = (request.query, texts.clone());
    let mut scored = app
        .turns
        .run(Work::Question, move || {
            let query = served.embed(&[query], true)?.pop().unwrap_or_default();
            let passages = served.embed(&passages, false)?;
            Ok(passages.iter().map(|passage| dot(&query, passage)).enumerate().collect::<Vec<_>>())
        })
        .await?;
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored.truncate(request.top_n.unwrap_or(usize::MAX));
    let results: Vec<Value> = scored
        .into_iter()
        .map(|(index, score)| {
            let mut result = json!({ "index": index, "relevance_score": score });
            if request.return_documents {
                result["document"] = json!({ "text": texts[index] });
            }
            result
        })
        .collect();
    let encoder = named.served.about().encoder;
    respond::json(&json!({ "id": fresh("rerank-"), "model": encoder, "results": results }))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
