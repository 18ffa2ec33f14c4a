//! What commands print.

use std::io::{IsTerminal, Write};
use std::ops::Range;

use anyhow::Result;
use postil::{Answer, Place};
use serde_json::{Value, json};

use crate::plain_json;

/// Longest stretch of a passage that a result list shows, in characters.
const SNIPPET_CHARS: usize = 240;

/// One JSON value on one line.
pub(crate) fn json(value: &Value) -> Result<()> {
    exact_json(&plain_json::value(value))
}

/// As [`json`], where metadata of documents is in it.
pub(crate) fn exact_json(value: &postil::Value) -> Result<()> {
    Ok(plain_json::line(&mut std::io::stdout().lock(), value)?)
}

/// Text on stdout as it is: see [`text`] for what comes from documents.
pub(crate) fn raw(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Colours that tell sources apart, as SGR codes: those readable on dark and light grounds alike.
const COLOURS: [u8; 6] = [36, 35, 33, 32, 34, 31];

/// How pieces of an answer are shown: neutralised, and coloured by source where stdout is a terminal that
/// shows colours and nobody objects (`NO_COLOR`, see no-color.org).
pub(crate) fn paint() -> impl Fn(&str, Option<usize>) -> String {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    paint_with(std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb)
}

fn paint_with(has_colour: bool) -> impl Fn(&str, Option<usize>) -> String {
    move |text, source| match source {
        Some(source) if has_colour => {
            format!("\u{1b}[{}m{}\u{1b}[0m", COLOURS[source % COLOURS.len()], printable(text))
        }
        _ => printable(text),
    }
}

/// Text on stdout, with what a document could use to drive the terminal taken out.
pub(crate) fn text(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{}", printable(text))?;
    Ok(())
}

/// `text` with control characters, escape sequences included, replaced by the replacement character;
/// line feeds and tabs stay.
pub(crate) fn printable(text: &str) -> String {
    let is_layout = |c: char| c == '\n' || c == '\t';
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if is_layout(c) || !drives_terminal(c) { c } else { '\u{fffd}' })
        .collect()
}

/// As [`printable`], for what stands in a line of its own kind, such as a key: it cannot begin another line.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if drives_terminal(c) { '\u{fffd}' } else { c }).collect()
}

/// Control characters (C0, DEL, C1), and those that change the direction of what follows.
pub(crate) fn drives_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An error and all its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // A transparent error repeats its cause word for word, others have it in the middle of what they say.
        if !text.contains(&said) {
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

/// What a mode is called.
pub(crate) fn mode(mode: postil::Mode) -> &'static str {
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

/// What the probability of "no answer" rests on is called.
fn basis(basis: postil::Basis) -> &'static str {
    match basis {
        postil::Basis::NoAnswerToken => "no_answer_token",
        postil::Basis::NullPassage => "null_passage",
    }
}

pub(crate) fn range(range: &Range<u64>) -> Value {
    json!([range.start, range.end])
}

/// Other places of a passage.
pub(crate) fn copies(places: &[Place]) -> Value {
    let place = |Place { document, title, range: at, .. }: &Place| json!({ "document": document, "title": title, "range": range(at) });
    places.iter().map(place).collect()
}

/// Answers to several questions, each as [`answer`] has it.
pub(crate) fn answers(answers: &[(String, Answer)]) -> Value {
    let of = |(question, given): &(String, Answer)| {
        let mut fields = answer(given);
        fields["question"] = json!(question);
        fields
    };
    json!({ "answers": answers.iter().map(of).collect::<Vec<_>>() })
}

/// The documented fields of an answer. An infinite number is null: JSON has none.
pub(crate) fn answer(answer: &Answer) -> Value {
    let citation = |citation: &postil::Citation| {
        json!({
            "document": citation.document,
            "title": citation.title,
            "heading": citation.heading,
            "range": range(&citation.range),
            "line": citation.line,
            "quote": citation.quote,
            "copied": citation.copied.as_ref().map(range),
            "posterior": citation.posterior,
            "prior": citation.prior,
            "score": citation.score,
            "relevance": citation.relevance,
            "leave_one_out": citation.leave_one_out,
            "passage": citation.passage,
            "copies": copies(&citation.copies),
        })
    };
    let span = |span: &postil::Span| {
        json!({
            "text": answer.text[span.range.clone()],
            "range": [span.range.start, span.range.end],
            "tokens": [span.tokens.start, span.tokens.end],
            "posterior": span.posterior,
            "log_ratio": span.log_ratio,
            "sources": span.sources,
        })
    };
    json!({
        "answer": answer.text,
        "mode": mode(answer.mode),
        "no_answer": answer.no_answer,
        "probability": answer.probability,
        "confidence": answer.confidence,
        "no_answer_probability": answer.no_answer_probability,
        "abstention_score": answer.abstention_score,
        "citations": answer.citations.iter().map(citation).collect::<Vec<_>>(),
        "alternatives": answer.alternatives.iter().map(|other| json!({
            "text": other.text,
            "probability": other.probability,
            "confidence": other.confidence,
            "citations": other.citations.iter().map(citation).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "finished": answer.finished,
        "tokens": answer.tokens.iter().map(|token| json!({
            "text": token.text,
            "log_prob": token.log_prob,
            "posterior": token.posterior,
        })).collect::<Vec<_>>(),
        "words": answer.words.iter().map(span).collect::<Vec<_>>(),
        "spans": answer.spans.iter().map(span).collect::<Vec<_>>(),
        "passages": answer.passages.iter().map(|passage| json!({
            "document": passage.document,
            "title": passage.title,
            "heading": passage.heading,
            "range": range(&passage.range),
            "score": passage.score,
            "words": passage.words,
            "relevance": passage.relevance,
            "prior": passage.prior,
            "posterior": passage.posterior,
            "shortened": passage.shortened,
            "copies": copies(&passage.copies),
        })).collect::<Vec<_>>(),
        "evidence": answer.evidence.map(|evidence| json!({
            "basis": basis(evidence.basis),
            "null_log_probability": evidence.null_log_probability,
            "log_ratio": evidence.log_ratio,
            "log_ratio_per_token": evidence.log_ratio_per_token,
            "grounded_probability": evidence.grounded_probability,
            "unsure": evidence.disagreement.unsure,
            "disagree": evidence.disagreement.disagree,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::{paint_with, printable, snippet};

    #[test]
    fn a_document_cannot_send_escape_sequences_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\u{7}\u{9b}c\u{202e}"), "a\u{fffd}[31mb\u{fffd}\u{fffd}c\u{fffd}");
        assert_eq!(printable("line\r\nnext\tcell"), "line\nnext\tcell");
    }

    #[test]
    fn colours_are_ours_and_never_a_document_s() {
        assert_eq!(paint_with(true)("a\u{1b}[31m", Some(1)), "\u{1b}[35ma\u{fffd}[31m\u{1b}[0m");
        assert_eq!(paint_with(true)("a\u{1b}", None), "a\u{fffd}");
        assert_eq!(paint_with(false)("a", Some(1)), "a");
    }

    #[test]
    fn a_snippet_is_cut_between_characters() {
        assert_eq!(snippet(" a \n b "), "a b");
        assert_eq!(snippet(&"é".repeat(300)).chars().count(), 241);
    }
}
