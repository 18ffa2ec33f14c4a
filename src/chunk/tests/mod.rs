//! Tests of the chunker with tokenizers that need no model.

mod bounds;
mod properties;
mod real;

use std::cell::Cell;
use std::ops::Range;

use postil_contract::EncodeError;

use super::{Chunk, ChunkOptions, Format, TokenRanges, chunk};

/// One token for each run of letters or digits and one for each other character that is not blank,
/// as BERT's pre-tokenizer does; it counts the calls and their bytes.
#[derive(Default)]
struct Words {
    window: Option<usize>,
    bytes: Cell<usize>,
    longest: Cell<usize>,
}

impl TokenRanges for Words {
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        self.bytes.set(self.bytes.get() + text.len());
        self.longest.set(self.longest.get().max(text.len()));
        let mut tokens: Vec<Range<usize>> = Vec::new();
        let mut in_word = false;
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            match tokens.last_mut() {
                Some(last) if in_word && c.is_alphanumeric() => last.end = end,
                _ if c.is_whitespace() => {}
                _ => tokens.push(at..end),
            }
            in_word = c.is_alphanumeric();
        }
        Ok(tokens)
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        let title_tokens = title.split_whitespace().count();
        Ok(self.window.unwrap_or(256).saturating_sub(title_tokens + 2))
    }
}

/// A token for each byte but the first of a text, blanks too, all of a character on the same range:
/// parts have other counts alone than together.
struct Bytes;

impl TokenRanges for Bytes {
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        let tokens =
            text.char_indices().flat_map(|(at, c)| (0..c.len_utf8()).map(move |_| at..at + c.len_utf8()));
        Ok(tokens.skip(1).collect())
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        Ok(64_usize.saturating_sub(title.len()))
    }
}

fn options(max_tokens: usize, overlap_sentences: usize) -> ChunkOptions {
    ChunkOptions { max_tokens, overlap_sentences }
}

fn parts(text: &str, format: Format, max_tokens: usize, overlap: usize) -> Vec<&str> {
    let chunks = chunk(text, format, &options(max_tokens, overlap), &Words::default()).unwrap();
    chunks.into_iter().map(|chunk| &text[chunk.range]).collect()
}

/// Checks the invariants of chunks, for any text and tokenizer.
fn check<T: TokenRanges>(text: &str, chunks: &[Chunk], options: &ChunkOptions, tokenizer: &T) {
    let mut covered = 0;
    let mut previous: Option<&Chunk> = None;
    for one in chunks {
        let part = text.get(one.range.clone()).expect("a range on character boundaries");
        assert!(!part.is_empty() && part.trim() == part, "blank edges: {part:?}");
        if let Some(previous) = previous {
            assert!(previous.range.start < one.range.start && previous.range.end < one.range.end);
            if options.overlap_sentences == 0 || previous.title != one.title {
                assert!(previous.range.end <= one.range.start, "{previous:?} and {one:?} overlap");
            }
        }
        assert!(covered >= one.range.start || text[covered..one.range.start].trim().is_empty(), "a gap");
        covered = one.range.end;
        let lead = text.get(one.lead.clone()).expect("a lead on character boundaries");
        assert!(lead.is_empty() || one.lead.end <= one.range.start, "a lead stands before its rows");
        let tokens = tokenizer.tokens(part).unwrap().len() + tokenizer.tokens(lead).unwrap().len();
        let budget = options.max_tokens.min(tokenizer.room(&one.title).unwrap());
        assert!(tokens <= budget, "{tokens} tokens of {budget}: {part:?}");
        previous = Some(one);
    }
    assert!(text[covered..].trim().is_empty(), "left out: {:?}", &text[covered..]);
}
