use std::ops::Range;

use proptest::prelude::*;

use super::{Bytes, Words, check, chunk, options};
use crate::chunk::meter::{self, Meter};
use crate::chunk::piece::Cutter;
use crate::chunk::{ChunkError, ChunkOptions, Format, TokenRanges};

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Plain), Just(Format::Markdown)]
}

/// Pieces of Markdown, whole and broken, one after the other.
fn markdownish() -> impl Strategy<Value = String> {
    let block = prop_oneof![
        "#{1,4} [a-zA-Z ]{0,30}\n",
        "([A-Z][a-z]{0,8} [a-z ,;]{0,60}[.!?。] ){1,8}\n\n",
        "(- [a-z ]{0,20}[.]?\n( {2}- [a-z]{0,9}\n)?){1,5}",
        "```[a-z]{0,4}\n([a-z(){};=. ]{0,30}\n){0,8}(```)?\n",
        "(\\|[a-z ]{0,6}\\|[a-z ]{0,6}\\|\n)\\|---\\|---\\|\n(\\|[a-z ]{0,6}\\|[0-9]{0,6}\\|\n){0,6}",
        "> [a-z .]{0,40}\n",
        "---\n[a-z]{1,5}: [a-z]{0,9}\n---\n",
        "\\[[a-z]{1,5}\\]: [a-z]{1,9}\n",
        "[ \\t\\r\\n]{0,6}",
        "\\PC{0,40}",
        "    [a-z ]{0,20}\n",
        "[A-Z][a-z]{0,5}\n(===|---)\n",
    ];
    prop::collection::vec(block, 0..12).prop_map(|blocks| blocks.concat())
}

fn holds(text: &str, format: Format, options: &ChunkOptions) {
    let words = Words::default();
    let chunks = chunk(text, format, options, &words).unwrap();
    check(text, &chunks, options, &words);
    assert_eq!(chunks, chunk(text, format, options, &words).unwrap());
    match chunk(text, format, options, &Bytes) {
        Ok(chunks) => check(text, &chunks, options, &Bytes),
        Err(error) => assert!(matches!(
            error,
            ChunkError::NoRoom { got_tokens, budget_tokens, .. } if got_tokens > budget_tokens
        )),
    }
}

/// The sentences that windows of `text` are packed from. Segmenting an overlap by itself would not
/// find them: where a sentence ends depends on what stands before and after it.
fn sentences(text: &str, format: Format, options: &ChunkOptions) -> Vec<Range<usize>> {
    let words = Words::default();
    let (tokens, room) = (|part: &str| words.tokens(part), |title: &str| words.room(title));
    let sections = postil_text::outline(text, format).sections(text);
    let mut found = Vec::new();
    for section in sections {
        let (_, budget) = meter::fit_title(&section.path, options.max_tokens, &room).unwrap();
        let meter = Meter::new(text, &tokens, budget);
        let mut cutter = Cutter::new(&meter);
        for segment in &section.segments {
            cutter
                .cut(segment, &mut |piece| {
                    found.extend(piece.is_sentence.then_some(piece.range));
                    Ok(())
                })
                .unwrap();
        }
    }
    found
}

fn shares_one_sentence_at_most(text: &str, format: Format, max: usize) {
    let options = options(max, 1);
    let chunks = chunk(text, format, &options, &Words::default()).unwrap();
    let sentences = sentences(text, format, &options);
    for pair in chunks.windows(2).filter(|pair| pair[1].range.start < pair[0].range.end) {
        let shared = pair[1].range.start..pair[0].range.end;
        assert!(sentences.contains(&shared), "{shared:?} is no sentence of {sentences:?}");
    }
}

#[test]
fn a_sentence_after_a_run_of_punctuation_is_shared_whole() {
    let text = "---\na: \n---\n---\na: \n---\n> a.a.a a..a.\nA ;;,a,,;;,a,a;a,;;,,;,a;a;;;a. \n\n# a\n```a\n\
         .a(;}(a;.\n(.\n=...;(===}.=.=a.};\na=\n=a.\n}a;}.=}}.a=.a.(}\n\n";
    shares_one_sentence_at_most(text, Format::Plain, 46);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_covered_within_the_budget(
        text in ".*|(?s).{0,300}",
        format in format(),
        max in 1..40_usize,
        overlap in 0..3_usize,
    ) {
        holds(&text, format, &options(max, overlap));
    }

    #[test]
    fn any_markdown_is_covered_within_the_budget(
        text in markdownish(),
        format in format(),
        max in 1..60_usize,
        overlap in 0..2_usize,
    ) {
        holds(&text, format, &options(max, overlap));
    }

    #[test]
    fn two_windows_share_one_sentence_at_most(text in markdownish(), format in format(), max in 4..60_usize) {
        shares_one_sentence_at_most(&text, format, max);
    }
}

#[test]
fn work_is_linear_and_calls_are_bounded_on_one_endless_line() {
    let spaced = "lorem ipsum dolor sit amet ".repeat(200_000);
    let solid = "x".repeat(5_000_000);
    let stops = "a. ".repeat(1_700_000);
    let closes = format!("a.{}", ")".repeat(300_000));
    let gap = format!("a.{}b", " ".repeat(5_000_000));
    let ideographs = "漢字".repeat(800_000);
    for text in [spaced, solid, stops, closes, gap, ideographs] {
        for format in [Format::Plain, Format::Markdown] {
            let words = Words::default();
            let options = ChunkOptions::default();
            let chunks = chunk(&text, format, &options, &words).unwrap();
            assert!(words.bytes.get() <= 4 * text.len(), "{} for {}", words.bytes.get(), text.len());
            assert!(words.longest.get() <= 16 << 10, "{}", words.longest.get());
            check(&text, &chunks, &options, &words);
        }
    }
}

#[test]
fn work_is_linear_on_endless_markup() {
    let long_heading = format!("# {}\n", "word ".repeat(100_000)) + &"## a\n\nb\n\n".repeat(20_000);
    let table = format!("|a|b|\n|---|---|\n{}", "|c d|e|\n".repeat(60_000));
    let code = format!("```\n{}", "let a = 1;\n\n".repeat(50_000));
    let mut texts = vec![long_heading, table, code];
    for part in [
        "# a\n", "- a\n", "> ", "- ", "[", "*a _b ", "```\n", "![a](", "<!--", "---\n", "[a]: b\n", "a\n\n",
        "|",
    ] {
        texts.push(part.repeat(300_000 / part.len()));
    }
    for text in texts {
        let words = Words::default();
        let options = ChunkOptions::default();
        let chunks = chunk(&text, Format::Markdown, &options, &words).unwrap();
        assert!(
            words.bytes.get() <= 4 * text.len(),
            "{} for {}: {:?}",
            words.bytes.get(),
            text.len(),
            &text[..9]
        );
        check(&text, &chunks, &options, &words);
    }
}
