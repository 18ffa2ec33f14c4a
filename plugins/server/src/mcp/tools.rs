//! Tools of an agent: their names, hints and schemas.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// Text that one result brings, at most, in bytes; what is cut off can be asked for.
pub(crate) const MOST_BYTES: usize = 20_000;
/// Lines that `get` brings unless another number is asked for.
pub(crate) const DEFAULT_LINES: usize = 200;
/// Hits that `search` brings unless another number is asked for.
pub(crate) const DEFAULT_HITS: usize = 8;
/// Hits that `search` brings, at most.
pub(crate) const MOST_HITS: usize = 50;

/// The tools; those that change documents only when `may_write`.
pub(crate) fn tools(may_write: bool) -> Vec<Tool> {
    let mut tools = vec![
        tool(
            "search",
            "Finds passages of the user's documents by meaning and words. Each result has the id of its document for \
             `fetch` and `get`, and the passage itself.",
            json!({ "query": text("Text to look for."), "k": number("Number of results, 8 unless given."),
                    "filter": filter(), "cursor": text("`next` of an earlier result."), "database": database() }),
            &["query"],
            json!({ "results": { "type": "array", "items": object(json!({
                        "id": text("Key of the document."), "title": text("Title."), "url": text("URI of the document."),
                        "text": text("The passage."), "range": range("Bytes of the document."),
                        "score": number("Similarity.") }), &["id", "title", "url"]) },
                    "next": nullable("Cursor of further results; null at the end.") }),
            &["results"],
        ),
        tool(
            "fetch",
            "Brings a document by the id that `search` gave. A long one is cut; `metadata.next_line` says where to go \
             on with `get`.",
            json!({ "id": text("Key of the document."), "database": database() }),
            &["id"],
            json!({ "id": text("Key."), "title": text("Title."), "text": text("Text."), "url": text("URI."),
                    "metadata": { "type": "object" } }),
            &["id", "title", "text", "url"],
        ),
        tool(
            "ask",
            "Answers a question from the user's documents, with citations: the words of the document, their byte \
             range, and the exact probability that the answer came from there. Says so when there is no answer.",
            json!({ "question": text("One question or several."), "k": number("Passages to read, 5 unless given."),
                    "filter": filter(), "database": database() }),
            &["question"],
            json!({ "answers": { "type": "array", "items": object(json!({
                        "question": text("The question."), "answer": text("The answer; empty when there is none."),
                        "no_answer": { "type": "boolean" }, "reason": nullable("Reason that no answer is given."),
                        "citations": { "type": "array", "items": object(json!({
                            "id": text("Key of the document."), "title": text("Title."), "url": text("URI."),
                            "quote": text("Words of the document, verbatim."),
                            "range": range("Bytes of the document."),
                            "posterior": number("Probability that the answer came from there.") }),
                            &["id", "quote", "range", "posterior"]) } }), &["question", "answer", "no_answer", "citations"]) } }),
            &["answers"],
        ),
        tool(
            "get",
            "Brings lines of a document. `next_line` says where to go on; null at the end.",
            json!({ "id": text("Key of the document."), "line": number("First line, from 1."),
                    "lines": number("Number of lines, 200 unless given."), "database": database() }),
            &["id"],
            json!({ "id": text("Key."), "text": text("The lines."), "line": number("First line."),
                    "lines": number("Lines of the whole document."),
                    "next_line": { "type": ["integer", "null"] } }),
            &["id", "text", "line", "lines"],
        ),
        tool(
            "status",
            "Counts of the databases, and whether they can be written.",
            json!({}),
            &[],
            json!({ "databases": { "type": "array", "items": { "type": "object" } } }),
            &["databases"],
        ),
    ];
    for tool in &mut tools {
        tool.annotations = Some(ToolAnnotations::new().read_only(true).idempotent(true).open_world(false));
    }
    if may_write {
        tools.extend(writing());
    }
    tools
}

fn writing() -> [Tool; 2] {
    let mut ingest = tool(
        "ingest",
        "Adds a document, or replaces the one of the same id. It is durable when the result comes.",
        json!({ "id": text("Key of the document."), "text": text("Its text."), "title": text("Its title."),
                "format": { "type": "string", "enum": ["txt", "md", "html"], "description": "Format of the text." },
                "database": database() }),
        &["id", "text"],
        json!({ "report": { "type": "object" } }),
        &["report"],
    );
    ingest.annotations = Some(ToolAnnotations::new().destructive(true).idempotent(true).open_world(false));
    let mut remove = tool(
        "remove",
        "Removes documents by their ids.",
        json!({ "ids": { "type": "array", "items": { "type": "string" }, "description": "Keys of the documents." },
                "database": database() }),
        &["ids"],
        json!({ "removed": number("Number of documents removed."),
                "absent": { "type": "array", "items": { "type": "string" } } }),
        &["removed", "absent"],
    );
    remove.annotations = Some(ToolAnnotations::new().destructive(true).idempotent(true).open_world(false));
    [ingest, remove]
}

fn tool(
    name: &'static str,
    about: &'static str,
    takes: Value,
    needs: &[&str],
    gives: Value,
    always: &[&str],
) -> Tool {
    let mut input = map(object(takes, needs));
    input.insert("additionalProperties".to_owned(), Value::Bool(false));
    Tool::new(name, about, Arc::new(input)).with_raw_output_schema(Arc::new(map(object(gives, always))))
}

#[expect(clippy::needless_pass_by_value, reason = "each caller writes the properties in place")]
fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required })
}

fn map(value: Value) -> JsonObject {
    match value {
        Value::Object(map) => map,
        _ => JsonObject::new(),
    }
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn nullable(about: &str) -> Value {
    json!({ "type": ["string", "null"], "description": about })
}

fn number(about: &str) -> Value {
    json!({ "type": "number", "description": about })
}

fn range(about: &str) -> Value {
    json!({ "type": "array", "items": { "type": "integer" }, "description": about })
}

fn filter() -> Value {
    text("Only documents whose metadata passes, such as: year >= 2020 and lang in [\"en\"].")
}

fn database() -> Value {
    text("Name of the database; the first one unless given. `status` lists them.")
}
