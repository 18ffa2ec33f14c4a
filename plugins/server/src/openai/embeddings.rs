use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::models::database;
use crate::app::App;
use crate::body::JsonBody;
use crate::work::Work;
use crate::{Failure, respond};

/// Texts of one request, at most, as with OpenAI.
pub(super) const MOST_TEXTS: usize = 2048;

#[derive(Deserialize)]
pub(crate) struct EmbeddingsRequest {
    input: Value,
    model: Option<String>,
    encoding_format: Option<String>,
    dimensions: Option<usize>,
    /// `query` for questions; passages otherwise.
    input_type: Option<String>,
}

pub(super) async fn embed(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<EmbeddingsRequest>,
) -> Result<Response<Body>, Failure> {
    let texts = match request.input {
        Value::String(text) => vec![text],
        several => serde_json::from_value::<Vec<String>>(several)
            .map_err(|_| Failure::input("input is a text or a list of texts; tokens are not taken"))?,
    };
    if texts.is_empty() || texts.len() > MOST_TEXTS || texts.iter().any(|text| text.trim().is_empty()) {
        return Err(Failure::input(format!("input has 1 to {MOST_TEXTS} texts, none of them blank")));
    }
    let is_base64 = match request.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => {
            return Err(Failure::input(format!("encoding_format is {other:?}, expected float or base64")));
        }
    };
    let named = database(&app, request.model.as_deref())?;
    let about = named.served.about();
    if let Some(got) = request.dimensions.filter(|&got| got != about.dimension) {
        return Err(Failure::input(format!("dimensions is {got}, the encoder gives {}", about.dimension)));
    }
    let (served, as_questions) = (Arc::clone(&named.served), request.input_type.as_deref() == Some("query"));
    let bytes: usize = texts.iter().map(String::len).sum();
    let vectors = app.turns.run(Work::Question, move || served.embed(&texts, as_questions)).await?;
    let data: Vec<Value> = vectors
        .into_iter()
        .enumerate()
        .map(|(index, vector)| {
            let embedding = if is_base64 { json!(base64_of(&vector)) } else { json!(vector) };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let usage = json!({ "prompt_tokens": bytes / 4, "total_tokens": bytes / 4 });
    respond::json(&json!({ "object": "list", "data": data, "model": about.encoder, "usage": usage }))
}

/// The components as little-endian 32-bit floats in base64.
fn base64_of(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|component| component.to_le_bytes()).collect::<Vec<u8>>())
}
