//! Output of commands.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use serde::Serialize;

use crate::plain_json;

/// Longest stretch of a passage that a result list shows, in characters.
const SNIPPET_CHARS: usize = 240;

/// One JSON value on one line.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    Ok(plain_json::line(&mut std::io::stdout().lock(), value)?)
}

/// Prints text unchanged; see [`text`] for text from documents.
pub(crate) fn raw(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Colours that tell sources apart, as SGR codes: those readable on dark and light grounds alike.
const COLOURS: [u8; 6] = [36, 35, 33, 32, 34, 31];

/// Emphasis of matched words, as an SGR code, and its end.
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// Neutralised text in which words of `query` stand out, when stdout is a terminal with styles.
pub(crate) fn matched(text: &str, query: &str) -> String {
    emphasize(&printable(text), query, has_colour())
}

fn emphasize(text: &str, query: &str, has_style: bool) -> String {
    if !has_style {
        return text.to_owned();
    }
    let split = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect()
    };
    let sought: Vec<String> = split(query).into_iter().filter(|word| word.chars().count() > 2).collect();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let of_word = rest.starts_with(char::is_alphanumeric);
        let end = rest.find(|c: char| c.is_alphanumeric() != of_word).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        match of_word && sought.contains(&piece.to_lowercase()) {
            true => out.extend([BOLD, piece, PLAIN]),
            false => out.push_str(piece),
        }
        rest = after;
    }
    out
}

/// True when stdout is a terminal with colours and `NO_COLOR` is not set.
fn has_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}

/// Styles pieces of an answer: neutralised, and coloured by source when stdout is a terminal with
/// colours and `NO_COLOR` is not set (see no-color.org).
pub(crate) fn paint() -> impl Fn(&str, Option<usize>) -> String {
    paint_with(has_colour())
}

fn paint_with(has_colour: bool) -> impl Fn(&str, Option<usize>) -> String {
    move |text, source| match source {
        Some(source) if has_colour => {
            format!("\u{1b}[{}m{}\u{1b}[0m", COLOURS[source % COLOURS.len()], printable(text))
        }
        _ => printable(text),
    }
}

/// Prints text, without control characters that could drive the terminal.
pub(crate) fn text(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{}", printable(text))?;
    Ok(())
}

/// `text` with control characters, escape sequences included, replaced by the replacement
/// character; line feeds and tabs stay.
pub(crate) fn printable(text: &str) -> String {
    let is_layout = |c: char| c == '\n' || c == '\t';
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| if is_layout(c) || !drives_terminal(c) { c } else { '\u{fffd}' })
        .collect()
}

/// As [`printable`], for text on one line, such as a key: it cannot begin another line.
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if drives_terminal(c) { '\u{fffd}' } else { c }).collect()
}

/// True for control characters (C0, DEL, C1), and those that change text direction.
pub(crate) fn drives_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of at most [`SNIPPET_CHARS`] characters.
pub(crate) fn snippet(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SNIPPET_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{emphasize, paint_with, printable, snippet};

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
    fn words_of_the_query_stand_out_whole_and_only_on_a_terminal() {
        let text = "Größe of trains; train TRAINS, of";
        assert_eq!(emphasize(text, "of trains größe?", false), text);
        let shown = emphasize(text, "of trains größe?", true);
        assert_eq!(
            shown,
            "\u{1b}[1mGröße\u{1b}[0m of \u{1b}[1mtrains\u{1b}[0m; train \u{1b}[1mTRAINS\u{1b}[0m, of"
        );
    }

    #[test]
    fn a_snippet_is_cut_between_characters() {
        assert_eq!(snippet(" a \n b "), "a b");
        assert_eq!(snippet(&"é".repeat(300)).chars().count(), 241);
    }
}
