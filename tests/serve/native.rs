use postil::serve::{Access, open};
use serde_json::json;

use crate::client::{make, start, writing};
use crate::program;

#[test]
fn a_search_gives_what_the_command_prints() {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    let printed = program::json(home.path(), &["search", "d.postil", "parental leave", "-k", "2", "--json"]);
    let server = start(|_, _| {});
    let over_http = server.post("/search", &json!({ "query": "parental leave", "k": 2 })).ok();
    assert_eq!(over_http, printed);
    assert_eq!(server.post("/db/d/search", &json!({ "query": "parental leave", "k": 2 })).ok(), printed);
    server.post("/db/other/search", &json!({ "query": "x" })).refused(404);
}

#[test]
fn searches_filter_and_take_vectors_in_each_form() {
    let server = start(|_, _| {});
    let only = server.post("/search", &json!({ "query": "leave", "filter": "year < 2020" })).ok();
    assert_eq!(only["hits"].as_array().unwrap().len(), 1);
    assert_eq!(only["hits"][0]["metadata"]["year"], 2019);
    let made = server.post("/v1/embeddings", &json!({ "input": "trains", "model": "hash-256" })).ok();
    let vector = made["data"][0]["embedding"].clone();
    let one = server.post("/search", &json!({ "vector": vector, "k": 1 })).ok();
    assert_eq!(one["hits"][0]["document"], "travel.txt");
    let several = server.post("/search", &json!({ "vectors": [vector, vector], "k": 1 })).ok();
    assert_eq!(several["results"], json!([one, one]));
    let in_base64 = json!({ "input": "trains", "model": "hash-256", "encoding_format": "base64" });
    let base64 = server.post("/v1/embeddings", &in_base64).ok()["data"][0]["embedding"].clone();
    assert_eq!(server.post("/search", &json!({ "vector_base64": base64, "k": 1 })).ok(), one);
}

#[test]
fn an_answer_comes_whole_or_token_by_token_and_is_the_same() {
    let server = start(|_, _| {});
    let question = json!({ "query": "How many days of parental leave?", "k": 2, "decode": "greedy" });
    let whole = server.post("/ask", &question).ok();
    assert_eq!(whole["citations"][0]["document"], "leave.md");
    let headers = "Content-Type: application/json\r\nAccept: text/event-stream\r\n";
    let streamed = server.with("POST", "/ask", headers, question.to_string().as_bytes());
    assert!(streamed.head.contains("text/event-stream"), "{streamed:?}");
    assert!(streamed.body.starts_with("event: token\ndata: {"), "{streamed:?}");
    let last = streamed.body.split("event: answer\ndata: ").nth(1).unwrap();
    let last: serde_json::Value = serde_json::from_str(last.trim()).unwrap();
    assert_eq!(last["answer"], whole["answer"]);
    let several = server.post("/ask", &json!({ "query": "Who books trains? How many days of leave?" })).ok();
    assert_eq!(several["answers"][0]["question"], "Who books trains?");
}

#[test]
fn documents_are_put_listed_read_and_removed() {
    let server = writing();
    let document = json!({ "text": "Kettles are in room 4.", "title": "Kettles", "metadata": { "huge": 12345678901234567890_u64 } });
    let put = |key: &str| {
        server.with("PUT", key, "Content-Type: application/json\r\n", document.to_string().as_bytes())
    };
    assert_eq!(put("/documents/a%20b/ke%3Fttle").ok()["added"], 1);
    let read = server.get("/documents/a%20b/ke%3Fttle").ok();
    assert_eq!((read["document"].as_str(), read["title"].as_str()), (Some("a b/ke?ttle"), Some("Kettles")));
    assert!(server.get("/documents/a%20b/ke%3Fttle").body.contains("12345678901234567890"));
    let first = server.get("/documents?limit=2").ok();
    assert_eq!(first["documents"][0]["document"], "a b/ke?ttle");
    let rest = server.get(&format!("/documents?cursor={}", first["next"].as_str().unwrap())).ok();
    assert_eq!((rest["documents"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)));
    assert_eq!(server.get("/documents?prefix=tr").ok()["documents"][0]["document"], "travel.txt");
    assert_eq!(server.get("/passages/travel.txt").ok()["passages"][0]["range"], json!([0, 36]));
    assert_eq!(server.with("DELETE", "/documents/travel.txt", "", b"").ok()["removed"], 1);
    server.with("DELETE", "/documents/travel.txt", "", b"").refused(404);
    assert_eq!(server.get("/stat").ok()["documents"], 2);
}

#[test]
fn an_upload_is_a_job_that_names_what_it_refused() {
    let server = writing();
    let lines = "{\"id\":\"r1\",\"text\":\"One.\"}\nnot a record\n{\"id\":\"r2\",\"text\":\"Two.\"}\n";
    let headers = "Content-Type: application/x-ndjson\r\n";
    let job = server.with("POST", "/documents?wait=true&key=rows.jsonl", headers, lines.as_bytes()).ok();
    assert_eq!((&job["state"], &job["report"]["added"]), (&json!("done"), &json!(2)));
    assert_eq!(job["report"]["skipped"][0]["source"], "rows.jsonl");
    assert_eq!(server.get(&format!("/jobs/{}", job["id"].as_str().unwrap())).ok(), job);
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"page.html\"\r\n\r\n<p>Hats are blue.</p>\r\n--x--\r\n";
    let headers = "Content-Type: multipart/form-data; boundary=x\r\n";
    let job = server.with("POST", "/documents?wait=true", headers, form.as_bytes()).ok();
    assert_eq!(job["report"]["added"], 1);
    assert_eq!(server.get("/documents/page.html").ok()["text"].as_str().unwrap().trim(), "Hats are blue.");
    server.get("/jobs/none").refused(404);
}

#[test]
fn what_runs_tells_of_itself() {
    let server = writing();
    assert_eq!(server.get("/health").ok()["status"], "ok");
    assert_eq!(server.get("/databases").ok()["databases"][0]["writable"], true);
    assert!(server.post("/publish", &json!({})).ok()["generation"].is_u64());
    assert!(server.post("/compact", &json!({})).ok()["bytes"].as_u64().unwrap() > 0);
    let paths = server.get("/openapi.json").ok()["paths"].as_object().unwrap().len();
    assert!(paths >= 14, "{paths}");
    assert!(server.get("/docs").body.contains("/search"));
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains("postil_documents{database=\"d\"} 2"), "{metrics}");
    assert!(metrics.contains("route=\"/health\",status=\"200\""), "{metrics}");
}

#[test]
fn a_database_beside_its_writer_is_read_as_published() {
    let server = writing();
    let path = server.home.path().join("d.postil");
    let refused = open(&path, "quote", Access::Read).unwrap_err().to_string();
    assert!(refused.contains("in use"), "{refused}");
    server.post("/publish", &json!({})).ok();
    assert!(open(&path, "quote", Access::Read).unwrap().is_published());
    let told = program::fail(server.home.path(), &["stat", "d.postil"]);
    assert!(told.contains("in use"), "{told}");
}
