use serde_json::{Value, json};

use crate::client::{start, writing};

/// Data of the events of a stream.
fn events(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn chat(stream: bool) -> Value {
    json!({
        "model": "postil", "stream": stream,
        "messages": [{ "role": "system", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": "How many days of parental leave?" }] }],
    })
}

#[test]
fn a_chat_is_answered_with_citations_that_point_at_its_words() {
    let server = start(|_, _| {});
    let whole = server.post("/v1/chat/completions", &chat(false)).ok();
    let message = &whole["choices"][0]["message"];
    let (text, annotation) = (message["content"].as_str().unwrap(), &message["annotations"][0]);
    assert_eq!(annotation["url_citation"]["url"], "postil://doc/leave.md");
    let end = annotation["url_citation"]["end_index"].as_u64().unwrap();
    assert!(end > 0 && end <= text.chars().count() as u64);
    assert!(annotation["posterior"].as_f64().unwrap() > 0.5 && annotation["range"].is_array());
    let streamed = server.post("/v1/chat/completions", &chat(true));
    assert!(streamed.body.ends_with("data: [DONE]\n\n"));
    let joined: String = events(&streamed.body)
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(joined, text);
}

#[test]
fn a_response_streams_its_events_in_order() {
    let server = start(|_, _| {});
    let request = json!({ "model": "gpt-x", "input": "How many days of parental leave?",
        "tools": [{ "type": "file_search", "vector_store_ids": ["vs_d"] }] });
    let whole = server.post("/v1/responses", &request).ok();
    let part = &whole["output"][0]["content"][0];
    assert_eq!(part["annotations"][0]["filename"], "leave.md");
    let mut request = request;
    request["stream"] = json!(true);
    let told = events(&server.post("/v1/responses", &request).body);
    let kinds: Vec<_> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], *kinds.last().unwrap()), ("response.created", "response.completed"));
    assert!(told.iter().enumerate().all(|(number, event)| event["sequence_number"] == number));
    let joined: String = told.iter().filter_map(|event| event["delta"].as_str().map(str::to_owned)).collect();
    assert_eq!(joined, part["text"].as_str().unwrap());
}

#[test]
fn what_is_not_supported_is_an_error_of_openai_s_form() {
    let server = start(|_, _| {});
    let mut asked = chat(false);
    asked["tools"] = json!([{ "type": "function" }]);
    let refused = server.post("/v1/chat/completions", &asked);
    assert!(refused.refused(400).contains("tools"));
    assert_eq!(refused.json()["error"]["type"], "invalid_request_error");
    server.post("/v1/images/generations", &json!({})).refused(404);
    server.post("/v1/embeddings", &json!({ "input": [1, 2], "model": "m" })).refused(400);
    server.post("/v1/embeddings", &json!({ "input": "x", "dimensions": 7 })).refused(400);
    server.with("DELETE", "/v1/vector_stores/vs_d", "", b"").refused(403);
    server.post("/v1/vector_stores", &json!({ "name": "new" })).refused(400);
    server.get("/v1/models/none").refused(404);
}

#[test]
fn a_file_is_uploaded_attached_found_by_its_attributes_and_deleted() {
    let server = writing();
    let form = "--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nassistants\r\n--x\r\nContent-Disposition: \
        form-data; name=\"file\"; filename=\"hats.txt\"\r\nContent-Type: text/plain\r\n\r\nHats are blue.\r\n--x--\r\n";
    let headers = "Content-Type: multipart/form-data; boundary=x\r\n";
    let file = server.with("POST", "/v1/files", headers, form.as_bytes()).ok();
    let id = file["id"].as_str().unwrap();
    let attach = json!({ "file_ids": [id], "attributes": { "colour": "blue", "size": 7 } });
    let batch = server.post("/v1/vector_stores/vs_d/file_batches", &attach).ok();
    assert_eq!(batch["status"], "completed");
    let path = format!("/v1/vector_stores/vs_d/file_batches/{}/files", batch["id"].as_str().unwrap());
    assert_eq!(server.get(&path).ok()["data"][0]["id"], id);
    let filters = json!({ "type": "and", "filters": [{ "type": "eq", "key": "colour", "value": "blue" },
        { "type": "gte", "key": "size", "value": 7 }] });
    let search = json!({ "query": "hats", "filters": filters });
    let found = server.post("/v1/vector_stores/vs_d/search", &search).ok();
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&found["data"][0]["file_id"], &found["data"][0]["attributes"]["size"]),
        (&json!(id), &json!(7))
    );
    let files = server.get("/v1/vector_stores/vs_d/files?limit=1").ok();
    assert_eq!((&files["data"][0]["id"], &files["has_more"]), (&json!(id), &json!(true)));
    server.with("DELETE", &format!("/v1/vector_stores/vs_d/files/{id}"), "", b"").ok();
    server.get(&format!("/v1/vector_stores/vs_d/files/{id}")).refused(404);
}

#[test]
fn texts_are_reranked_by_the_query() {
    let server = start(|_, _| {});
    let request = json!({ "query": "front desk trains", "documents": ["hats are blue", { "text": "trains front desk" }],
        "top_n": 1, "return_documents": true });
    let best = server.post("/v1/rerank", &request).ok();
    assert_eq!((&best["results"][0]["index"], best["results"].as_array().unwrap().len()), (&json!(1), 1));
    assert_eq!(best["results"][0]["document"]["text"], "trains front desk");
}
