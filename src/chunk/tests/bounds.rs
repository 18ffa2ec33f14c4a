use super::{Words, chunk, options, parts};
use crate::chunk::{ChunkError, Format};

use Format::{Markdown, Plain};

#[test]
fn a_blank_text_has_no_chunks() {
    for text in ["", " ", "\n\n\t\u{3000}\n"] {
        assert!(parts(text, Plain, 10, 1).is_empty());
        assert!(parts(text, Markdown, 10, 1).is_empty());
    }
}

#[test]
fn windows_hold_whole_sentences_and_repeat_one() {
    let text = "One two three. Four five six. Seven eight nine. Ten eleven twelve.";
    assert_eq!(
        parts(text, Plain, 8, 1),
        [
            "One two three. Four five six.",
            "Four five six. Seven eight nine.",
            "Seven eight nine. Ten eleven twelve."
        ]
    );
    assert_eq!(
        parts(text, Plain, 8, 0),
        ["One two three. Four five six.", "Seven eight nine. Ten eleven twelve."]
    );
}

#[test]
fn a_wrapped_line_ends_no_sentence() {
    assert_eq!(parts("One two\nthree. Four\nfive.", Plain, 4, 0), ["One two\nthree.", "Four\nfive."]);
}

#[test]
fn a_window_at_least_half_full_ends_at_a_paragraph() {
    let text = "One two. Three four. Five six.\n\nSeven eight. Nine ten.";
    assert_eq!(parts(text, Plain, 13, 0), ["One two. Three four. Five six.", "Seven eight. Nine ten."]);
}

#[test]
fn a_long_sentence_is_cut_at_a_clause_then_at_a_word() {
    let text = "one two three four, five six seven eight nine ten eleven";
    assert_eq!(parts(text, Plain, 6, 1), ["one two three four,", "five six seven eight nine ten", "eleven"]);
}

#[test]
fn a_section_starts_a_window_and_carries_its_heading_path() {
    let text = "Intro.\n\n# Guide\n\nHello.\n\n## Install\n\n### *Linux* `deb`\n\nRun it.\n\n## Use\nGo.\n";
    let chunks = chunk(text, Markdown, &options(50, 1), &Words::default()).unwrap();
    let got: Vec<_> = chunks.iter().map(|c| (c.title.as_str(), &text[c.range.clone()])).collect();
    assert_eq!(
        got,
        [
            ("", "Intro."),
            ("Guide", "# Guide\n\nHello."),
            ("Guide > Install > Linux deb", "## Install\n\n### *Linux* `deb`\n\nRun it."),
            ("Guide > Use", "## Use\nGo."),
        ]
    );
}

#[test]
fn the_outermost_heading_is_dropped_first_where_a_path_is_long() {
    let text = "# one two three four five six\n\n## seven eight\n\nText.\n";
    let tokenizer = Words { window: Some(16), ..Words::default() };
    let chunks = chunk(text, Markdown, &options(200, 1), &tokenizer).unwrap();
    assert!(chunks.iter().all(|chunk| chunk.title == "seven eight"), "{chunks:?}");
}

#[test]
fn code_stays_whole_where_it_fits_and_is_cut_between_lines_where_not() {
    let text = "Before it. Before it too.\n\n```rust\nlet a = 1;\n\nlet b = 2;\n```\n\nAfter.";
    let code = "```rust\nlet a = 1;\n\nlet b = 2;\n```";
    assert!(parts(text, Markdown, 18, 0).contains(&code), "{:?}", parts(text, Markdown, 18, 0));
    for part in parts(text, Markdown, 9, 0) {
        assert!(!part.contains("let a") || part.contains("let a = 1;"), "{part}");
    }
}

#[test]
fn tables_are_cut_between_rows_and_lists_between_items() {
    let table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |\n";
    for part in parts(table, Markdown, 20, 0) {
        assert!(part.starts_with('|') && part.ends_with('|'), "{part}");
    }
    let list = "- One two. Three.\n- Four five. Six.\n- Seven. Eight.\n";
    for part in parts(list, Markdown, 14, 0) {
        assert!(part.starts_with("- "), "{part}");
    }
}

#[test]
fn front_matter_is_text_and_no_heading() {
    let text = "---\ntitle: A\n---\n\nBody.";
    let chunks = chunk(text, Markdown, &options(50, 1), &Words::default()).unwrap();
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0].title, "");
    assert_eq!(chunks[0].range, 0..text.len());
}

#[test]
fn no_room_is_an_error_that_says_where() {
    let error = chunk("  word", Plain, &options(0, 1), &Words::default()).unwrap_err();
    assert!(matches!(error, ChunkError::NoRoom { at: 2, got_tokens: 1, budget_tokens: 0 }), "{error}");
}

#[test]
fn rows_of_a_long_table_take_its_header_with_them() {
    let row = |at: usize| format!("| X-{at:03} | {} | Quill |\n", 11 + at);
    let rows: String = (1..=40).map(row).collect();
    let text = format!(
        "# Bolts\n\nData.\n\n| Part | Torque | Maker |\n|---|---|---|\n{rows}\nAfter. | No | row |\n"
    );
    let chunks = chunk(&text, Markdown, &options(60, 1), &Words::default()).unwrap();
    super::check(&text, &chunks, &options(60, 1), &Words::default());
    let leads: Vec<&str> = chunks.iter().map(|chunk| &text[chunk.lead.clone()]).collect();
    assert!(leads.len() > 3 && leads[0].is_empty() && text[chunks[0].range.clone()].contains("Torque"));
    let (last, between) = leads[1..].split_last().unwrap();
    assert!(between.iter().all(|lead| *lead == "| Part | Torque | Maker |\n|---|---|---|"), "{leads:?}");
    let begins_with_row = text[chunks.last().unwrap().range.clone()].starts_with("| X-");
    assert_eq!(last.is_empty(), !begins_with_row);
}
