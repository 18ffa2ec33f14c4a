//! What commands print.

use std::io::Write;

use anyhow::Result;
use postil::Answer;
use serde_json::{Value, json};

/// Longest stretch of a passage that a result list shows, in characters.
const SNIPPET_CHARS: usize = 240;

/// One JSON value on one line.
pub(crate) fn json(value: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Text on stdout, with what a document could use to drive the terminal taken out.
pub(crate) fn text(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{}", printable(text))?;
    Ok(())
}

/// `text` with control characters, escape sequences included, replaced by the replacement character;
/// line feeds and tabs stay.
pub(crate) fn printable(text: &str) -> String {
    let is_harmless = |c: char| c == '\n' || c == '\t' || !c.is_control();
    let is_direction = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if is_harmless(c) && !is_direction(c) { c } else { '\u{fffd}' })
        .collect()
}

/// An error and all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // A transparent error repeats its cause word for word.
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// One line of at most [`SNIPPET_CHARS`] characters.
pub(crate) fn snippet(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SNIPPET_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Metadata with the types JSON has for them.
pub(crate) fn metadata(metadata: &postil::Metadata) -> Value {
    use postil::Value as Field;
    let fields = metadata.iter().map(|(name, value)| {
        let value = match value {
            Field::String(text) => json!(text),
            Field::Integer(number) => json!(number),
            Field::Float(number) => json!(number),
            Field::Bool(truth) => json!(truth),
            Field::Strings(items) => json!(items),
        };
        (name.clone(), value)
    });
    Value::Object(fields.collect())
}

/// What a mode is called.
fn mode(mode: postil::Mode) -> &'static str {
    match mode {
        postil::Mode::Sequence => "sequence",
        postil::Mode::Token => "token",
    }
}

/// What a metric is called.
pub(crate) fn metric(metric: postil::Metric) -> &'static str {
    match metric {
        postil::Metric::Cosine => "cosine",
        postil::Metric::Dot => "dot",
        postil::Metric::L2 => "l2",
    }
}

/// The documented fields of an answer.
pub(crate) fn answer(answer: &Answer) -> Value {
    let citation = |citation: &postil::Citation| {
        json!({
            "document": citation.document,
            "title": citation.title,
            "range": [citation.range.start, citation.range.end],
            "quote": citation.quote,
            "posterior": citation.posterior,
            "prior": citation.prior,
            "score": citation.score,
            "leave_one_out": citation.leave_one_out,
        })
    };
    json!({
        "answer": answer.text,
        "mode": mode(answer.mode),
        "no_answer": answer.no_answer,
        "probability": answer.probability,
        "no_answer_probability": answer.no_answer_probability,
        "citations": answer.citations.iter().map(citation).collect::<Vec<_>>(),
        "alternatives": answer.alternatives.iter().map(|other| json!({
            "text": other.text,
            "probability": other.probability,
            "citations": other.citations.iter().map(citation).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::{printable, snippet};

    #[test]
    fn a_document_cannot_send_escape_sequences_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{7}\u{9b}c\u{202e}"), "a\u{fffd}[31mb\u{fffd}\u{fffd}c\u{fffd}");
        assert_eq!(printable("line\r\nnext\tcell"), "line\nnext\tcell");
    }

    #[test]
    fn a_snippet_is_cut_between_characters() {
        assert_eq!(snippet(" a \n b "), "a b");
        assert_eq!(snippet(&"é".repeat(300)).chars().count(), 241);
    }
}
