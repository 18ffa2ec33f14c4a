use std::ops::Range;

use postil_checkpoint::{Tokenizer, TokenizerError, Tokens};
use postil_contract::{GenerateError, Passage, TokenId};
use postil_text::sentences;

use super::config::{NAME, ReaderConfig};
use super::shown::Shown;

/// The input `[CLS] question [SEP] title: passage [SEP]`, and the byte ranges of its pieces in
/// title and passage.
pub(super) struct Input {
    pub(super) ids: Vec<TokenId>,
    /// Index of the first piece of the second segment; all pieces from there to the last `[SEP]`
    /// can be copied.
    pub(super) body: usize,
    /// Places of those pieces.
    pub(super) places: Vec<Place>,
    pub(super) title: String,
    pub(super) passage: Shown,
    /// True when the passage was cut to fit.
    pub(super) shortened: bool,
}

/// The place of a piece in the title or the passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// True for a piece of `title:`, false for one of the passage as it is shown.
    pub(super) in_title: bool,
    /// Byte range in that text, on character boundaries.
    pub(super) range: Range<usize>,
}

impl Input {
    /// The segment of each piece.
    pub(super) fn type_ids(&self) -> Vec<u32> {
        (0..self.ids.len()).map(|index| u32::from(index >= self.body)).collect()
    }

    /// The text of a byte range, in the title or in the shown passage.
    pub(super) fn said(&self, in_title: bool, range: Range<usize>) -> &str {
        let source = if in_title { &self.title } else { &self.passage.text };
        source.get(range).unwrap_or_default()
    }
}

/// Tokenizes a text into word pieces.
fn pieces(tokenizer: &Tokenizer, text: &str) -> Result<Tokens, GenerateError> {
    let failed =
        |error: TokenizerError| GenerateError::Model { model: NAME.to_owned(), reason: error.to_string() };
    tokenizer.tokens(text).map_err(failed)
}

/// Number of pieces of `text` to keep so that at most `room` are left: up to the end of the last
/// sentence that fits, else of the last word.
fn fitting(pieces: &Tokens, text: &str, room: usize) -> usize {
    let Some(limit) = pieces.ranges.get(room).map(|range| range.start) else { return pieces.ids.len() };
    let ends = sentences(text).into_iter().map(|sentence| sentence.range.end);
    if let Some(end) = ends.take_while(|end| *end <= limit).last() {
        return pieces.ranges[..room].partition_point(|range| range.start < end);
    }
    let starts_word = |at: &usize| pieces.words[*at] != pieces.words[*at - 1];
    (1..=room).rev().find(starts_word).unwrap_or(room)
}

/// The word pieces of the question.
///
/// # Errors
/// [`GenerateError::EmptyQuestion`], [`GenerateError::QuestionTooLong`].
pub(super) fn question(
    tokenizer: &Tokenizer,
    config: &ReaderConfig,
    question: &str,
) -> Result<Vec<TokenId>, GenerateError> {
    let ids = pieces(tokenizer, question)?.ids;
    let (got_tokens, max_tokens) = (ids.len(), config.max_question_tokens);
    match got_tokens {
        0 => Err(GenerateError::EmptyQuestion),
        _ if got_tokens > max_tokens => Err(GenerateError::QuestionTooLong { got_tokens, max_tokens }),
        _ => Ok(ids),
    }
}

/// Builds the encoder's input from question and passage, in the same way as `assemble` in
/// `dataset.py`.
pub(super) fn read(
    tokenizer: &Tokenizer,
    config: &ReaderConfig,
    question: &[TokenId],
    passage: Passage<'_>,
) -> Result<Input, GenerateError> {
    let title = if passage.title.is_empty() { String::new() } else { format!("{}:", passage.title) };
    let mut titled = pieces(tokenizer, &title)?;
    if titled.ids.len() > config.max_title_tokens {
        // A long title is cut but keeps its colon.
        let cut = config.max_title_tokens - 1..titled.ids.len() - 1;
        titled.ids.drain(cut.clone());
        titled.ranges.drain(cut);
    }
    let mut ids = vec![config.start];
    ids.extend_from_slice(question);
    ids.push(config.end);
    let body = ids.len();
    let passage = Shown::of(passage.text);
    let pieces = pieces(tokenizer, &passage.text)?;
    let room = config.max_input_tokens - body - titled.ids.len() - 1;
    let kept = fitting(&pieces, &passage.text, room);
    ids.extend_from_slice(&titled.ids);
    ids.extend_from_slice(&pieces.ids[..kept]);
    ids.push(config.end);
    let place = |in_title| move |range| Place { in_title, range };
    let in_title = titled.ranges.into_iter().map(place(true));
    let shortened = kept < pieces.ids.len();
    let places = in_title.chain(pieces.ranges.into_iter().take(kept).map(place(false))).collect();
    Ok(Input { ids, body, places, title, passage, shortened })
}
