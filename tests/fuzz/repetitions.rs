//! Repetitions of a format's words: each word, and each pair of words.

use crate::targets::{language, texts};
use postil::Filter;
use postil::HashEncoder;
use postil::chunk::{ChunkOptions, chunk_extracted};
use postil::extract::{Kind, extract, jsonl};
use postil_hostile::Target;

const BYTES: usize = 32 * 1024;

fn repeated(words: &[&str]) -> Vec<Vec<u8>> {
    let pairs = words.iter().flat_map(|a| words.iter().map(move |b| [*a, *b].concat()));
    let units = words.iter().map(|&word| word.to_owned()).chain(pairs);
    units.map(|unit| unit.repeat(BYTES / unit.len()).into_bytes()).collect()
}

#[test]
fn repetitions_of_what_a_format_knows_take_no_more_than_linear_time() {
    let encoder = HashEncoder::default();
    for (name, words, kind) in [
        ("html_repeated", &texts::HTML_WORDS[..], Kind::Html),
        ("markdown_repeated", &texts::MARKDOWN_WORDS[..], Kind::Markdown),
    ] {
        let read = |bytes: &[u8]| {
            let extracted = extract(bytes, kind).unwrap();
            let _ = chunk_extracted(&extracted, &ChunkOptions::default(), &encoder);
        };
        Target::new(name, repeated(words), read).run(0);
    }
    Target::new("jsonl_repeated", repeated(&texts::JSONL_WORDS), |bytes| {
        let _ = jsonl(bytes).count();
    })
    .run(0);
}

#[test]
fn repetitions_of_what_the_filter_language_knows_take_no_more_than_linear_time() {
    let words = &language::WORDS;
    let repeated = words.iter().flat_map(|a| {
        words
            .iter()
            .map(move |b| ["x = 1 ", a, b].concat().repeat(BYTES / (6 + a.len() + b.len())).into_bytes())
    });
    Target::new("filter_repeated", repeated.chain([b"x = 1 and ".repeat(3000)]), |bytes| {
        let _ = String::from_utf8_lossy(bytes).parse::<Filter>();
    })
    .run(0);
}
