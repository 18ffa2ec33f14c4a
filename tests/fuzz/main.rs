//! Whatever reads what someone else wrote stays calm: no panic, no long time, no large memory.
//!
//! | file | responsibility |
//! |---|---|
//! | targets/ | readers, what they read when it is valid, and what must hold of anything |
//! | repetitions | what a parser with a stack or with lookahead takes longest for |
//! | found/ | cases that once failed, by target |
//!
//! Segments and records are fuzzed where they are read, in the storage crate. `POSTIL_FUZZ_TIMES=50` is the long form.
#![allow(clippy::unwrap_used, reason = "a test says no more by expecting")]

mod repetitions;
mod targets;

use postil_hostile::Target;
use targets::{language, models, texts};

/// Mutates a target's valid inputs and those that it once failed on.
fn mutate(target: Target<'_>, cases: u64) {
    let found = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    target.found_in(found).run(cases);
}

#[test]
fn mutated_filters_parse_or_say_where_they_do_not() {
    mutate(language::filter(), 60_000);
}

#[test]
fn mutated_html_is_read() {
    mutate(texts::html(), 4_000);
}

#[test]
fn mutated_markdown_is_read_and_split() {
    mutate(texts::markdown(), 4_000);
}

#[test]
fn mutated_plain_text_is_split() {
    mutate(texts::chunker(), 4_000);
}

#[test]
fn mutated_jsonl_is_read_line_by_line() {
    mutate(texts::json_lines(), 40_000);
}

#[test]
fn mutated_offset_maps_are_refused_or_lead_nowhere_outside() {
    mutate(texts::offset_map(), 40_000);
}

#[test]
fn mutated_configurations_are_read_or_refused() {
    mutate(models::config(), 8_000);
}

#[test]
fn mutated_tokenizers_are_read_or_refused_and_read_texts() {
    mutate(models::tokenizer(), 6_000);
}

#[test]
fn mutated_safetensors_are_read_or_refused() {
    mutate(models::safetensors(), 30_000);
}

#[test]
fn mutated_gguf_files_are_read_or_refused() {
    mutate(models::gguf(), 10_000);
}
