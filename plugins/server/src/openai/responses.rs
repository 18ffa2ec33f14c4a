use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Place, Said, ask, pieces};
use super::chat::send_all;
use super::question::{self, Message, refuse};
use super::stamp::{fresh, now};
use super::{filters, models, stores};
use crate::app::App;
use crate::body::JsonBody;
use crate::events::event;
use crate::served::Ask;
use crate::{Failure, respond};

#[derive(Deserialize)]
pub(crate) struct ResponsesRequest {
    input: Input,
    model: Option<String>,
    #[serde(default)]
    stream: bool,
    max_output_tokens: Option<usize>,
    #[serde(default)]
    tools: Vec<Tool>,
    background: Option<Value>,
    previous_response_id: Option<Value>,
    conversation: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Messages(Vec<Message>),
}

#[derive(Deserialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    vector_store_ids: Vec<String>,
    filters: Option<filters::Filter>,
    max_num_results: Option<usize>,
}

pub(super) async fn respond(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<ResponsesRequest>,
) -> Result<Response<Body>, Failure> {
    refuse(&[
        ("background", &request.background, &[json!(false)]),
        ("previous_response_id", &request.previous_response_id, &[]),
        ("conversation", &request.conversation, &[]),
    ])?;
    let question = match &request.input {
        Input::Text(text) => text.clone(),
        Input::Messages(messages) => question::of(messages)?,
    };
    let mut named = models::database(&app, request.model.as_deref())?;
    let (mut filter, mut k) = (None, None);
    for tool in &request.tools {
        if tool.kind != "file_search" {
            return Err(Failure::input(format!(
                "tools of type {:?} are not supported; file_search is",
                tool.kind
            )));
        }
        match tool.vector_store_ids.as_slice() {
            [] => {}
            [one] => named = stores::database(&app, one)?,
            _ => return Err(Failure::input("one vector store is searched at a time")),
        }
        filter = tool.filters.as_ref().map(filters::text_of).transpose()?;
        k = tool.max_num_results;
    }
    let prompt_tokens = question.len() / 4;
    let model = request.model.clone().unwrap_or_else(|| models::name_of(named));
    let asked = Ask { question, filter, k, max_tokens: request.max_output_tokens, ..Ask::default() };
    let said = ask(&app, named, asked).await?;
    let (id, message_id, created) = (fresh("resp_"), fresh("msg_"), now());
    let frame = |status: &str, output: Value, usage: Value| {
        json!({
            "id": id, "object": "response", "created_at": created, "status": status, "model": model, "output": output,
            "usage": usage, "error": null, "incomplete_details": null, "instructions": null, "metadata": {},
            "parallel_tool_calls": false, "temperature": null, "top_p": null, "tool_choice": "auto", "tools": [],
        })
    };
    let part = part(&said);
    let item = json!({
        "id": message_id, "type": "message", "role": "assistant", "status": "completed", "content": [part],
    });
    let usage = json!({
        "input_tokens": prompt_tokens, "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": said.tokens, "output_tokens_details": { "reasoning_tokens": 0 },
        "total_tokens": prompt_tokens + said.tokens,
    });
    let mut whole = frame("completed", json!([item]), usage);
    whole["postil"] = json!(said.json);
    if !request.stream {
        return respond::json(&whole);
    }
    Ok(stream(&said, &frame("in_progress", json!([]), Value::Null), &message_id, &part, &item, &whole))
}

fn part(said: &Said) -> Value {
    let annotations: Vec<Value> = said.places.iter().map(Place::file_citation).collect();
    json!({ "type": "output_text", "text": said.text, "annotations": annotations, "logprobs": [] })
}

/// All events of a response, in OpenAI's order.
fn stream(said: &Said, begun: &Value, id: &str, part: &Value, item: &Value, whole: &Value) -> Response<Body> {
    let mut events = Vec::new();
    let mut tell = |kind: &str, mut data: Value| {
        data["type"] = json!(kind);
        data["sequence_number"] = json!(events.len());
        events.push(event(Some(kind), &data));
    };
    let at = |extra: Value| {
        let mut data = json!({ "item_id": id, "output_index": 0, "content_index": 0 });
        if let (Some(data), Value::Object(extra)) = (data.as_object_mut(), extra) {
            data.extend(extra);
        }
        data
    };
    let empty = json!({ "type": "output_text", "text": "", "annotations": [], "logprobs": [] });
    let open =
        json!({ "id": id, "type": "message", "role": "assistant", "status": "in_progress", "content": [] });
    tell("response.created", json!({ "response": begun }));
    tell("response.in_progress", json!({ "response": begun }));
    tell("response.output_item.added", json!({ "output_index": 0, "item": open }));
    tell("response.content_part.added", at(json!({ "part": empty })));
    for piece in pieces(&said.text) {
        tell("response.output_text.delta", at(json!({ "delta": piece, "logprobs": [] })));
    }
    for (number, place) in said.places.iter().enumerate() {
        let annotation = json!({ "annotation_index": number, "annotation": place.file_citation() });
        tell("response.output_text.annotation.added", at(annotation));
    }
    tell("response.output_text.done", at(json!({ "text": said.text, "logprobs": [] })));
    tell("response.content_part.done", at(json!({ "part": part })));
    tell("response.output_item.done", json!({ "output_index": 0, "item": item }));
    tell("response.completed", json!({ "response": whole }));
    send_all(events)
}
