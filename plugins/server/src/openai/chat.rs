use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::answer::{Place, Said, ask, pieces};
use super::models;
use super::question::{self, Message, refuse};
use super::stamp::{fresh, now};
use crate::app::App;
use crate::body::JsonBody;
use crate::events::{Events, event};
use crate::served::Ask;
use crate::{Failure, respond};

#[derive(Deserialize)]
pub(crate) struct ChatRequest {
    messages: Vec<Message>,
    model: Option<String>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    n: Option<Value>,
    tools: Option<Value>,
    functions: Option<Value>,
    response_format: Option<Value>,
    logprobs: Option<Value>,
    audio: Option<Value>,
    /// Filter over metadata, an addition of Postil's.
    filter: Option<String>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

pub(super) async fn complete(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<ChatRequest>,
) -> Result<Response<Body>, Failure> {
    refuse(&[
        ("n", &request.n, &[json!(1)]),
        ("tools", &request.tools, &[]),
        ("functions", &request.functions, &[]),
        ("response_format", &request.response_format, &[json!({ "type": "text" })]),
        ("logprobs", &request.logprobs, &[json!(false)]),
        ("audio", &request.audio, &[]),
    ])?;
    let question = question::of(&request.messages)?;
    let named = models::database(&app, request.model.as_deref())?;
    let prompt_tokens = question.len() / 4;
    let max_tokens = request.max_completion_tokens.or(request.max_tokens);
    let asked = Ask { question, max_tokens, filter: request.filter, ..Ask::default() };
    let model = request.model.unwrap_or_else(|| models::name_of(named));
    let said = ask(&app, named, asked).await?;
    let usage = json!({
        "prompt_tokens": prompt_tokens, "completion_tokens": said.tokens, "total_tokens": prompt_tokens + said.tokens,
    });
    let (id, created) = (fresh("chatcmpl-"), now());
    if request.stream {
        let has_usage = request.stream_options.is_some_and(|options| options.include_usage);
        let frame =
            json!({ "id": id, "object": "chat.completion.chunk", "created": created, "model": model });
        return Ok(stream(&said, &frame, has_usage.then_some(usage)));
    }
    let annotations: Vec<Value> = said.places.iter().map(Place::url_citation).collect();
    respond::json(&json!({
        "id": id, "object": "chat.completion", "created": created, "model": model, "usage": usage,
        "choices": [{
            "index": 0, "finish_reason": "stop", "logprobs": null,
            "message": { "role": "assistant", "content": said.text, "refusal": null, "annotations": annotations },
        }],
        "postil": said.json,
    }))
}

/// All chunks of an answer; they are small, and a slow reader is waited for.
fn stream(said: &Said, frame: &Value, usage: Option<Value>) -> Response<Body> {
    let chunk = |delta: Value, finish: Option<&str>| {
        let mut chunk = frame.clone();
        chunk["choices"] = json!([{ "index": 0, "delta": delta, "finish_reason": finish, "logprobs": null }]);
        chunk
    };
    let mut chunks = vec![chunk(json!({ "role": "assistant", "content": "" }), None)];
    chunks.extend(pieces(&said.text).into_iter().map(|piece| chunk(json!({ "content": piece }), None)));
    let annotations: Vec<Value> = said.places.iter().map(Place::url_citation).collect();
    chunks.push(chunk(json!({ "annotations": annotations }), None));
    chunks.push(chunk(json!({}), Some("stop")));
    if let Some(usage) = usage {
        let mut chunk = frame.clone();
        chunk["choices"] = json!([]);
        chunk["usage"] = usage;
        chunks.push(chunk);
    }
    let mut events: Vec<Bytes> = chunks.iter().map(|chunk| event(None, chunk)).collect();
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    send_all(events)
}

/// A response of events that are all there.
pub(super) fn send_all(events: Vec<Bytes>) -> Response<Body> {
    let (send, receive) = mpsc::channel(events.len().max(1));
    for event in events {
        // There is room for each, and the receiver is below.
        let _ = send.try_send(event);
    }
    Events::response(receive)
}
