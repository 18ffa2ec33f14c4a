use std::ops::Range;

use postil_checkpoint::TokenizerError;
use postil_contract::{GenerateError, Passage, TokenId};
use postil_text::{Room, sentences, split};

use super::layout::Layout;
use super::vocabulary::Vocabulary;
use crate::model::Prompt;

/// Number of bytes read per token of room before a text counts as too long; ordinary text has three
/// to five bytes per token. This avoids tokenizing a book of which one page fits.
const BYTES_PER_TOKEN: usize = 32;

/// The prompts of one question.
pub(crate) struct Fitted {
    pub(crate) prompts: Vec<Prompt>,
    /// Positions of the passages that were cut, ascending.
    pub(crate) shortened: Vec<usize>,
}

/// The prompts of `question` under each passage, of at most `max_tokens` tokens. A passage that is
/// too long is cut after the last sentence that fits; a sentence longer than the window, at a
/// clause. The question is never cut.
pub(crate) fn fit(
    layout: &Layout,
    vocabulary: &Vocabulary,
    question: &str,
    passages: &[Passage<'_>],
    max_tokens: usize,
) -> Result<Fitted, GenerateError> {
    let mut fitter = Fitter { layout, vocabulary, question, max_tokens, prefix: 0 };
    let [one, other] =
        OTHERS.map(|text| fitter.tokens(Passage { title: "", text })).map(Result::unwrap_or_default);
    fitter.prefix = common(&one, &other);
    let mut fitted = Fitted { prompts: Vec::with_capacity(passages.len()), shortened: Vec::new() };
    for (z, passage) in passages.iter().enumerate() {
        let (prompt, whole) = fitter.prompt(z, *passage)?;
        fitted.prompts.push(prompt);
        if !whole {
            fitted.shortened.push(z);
        }
    }
    Ok(fitted)
}

struct Fitter<'a> {
    layout: &'a Layout,
    vocabulary: &'a Vocabulary,
    question: &'a str,
    max_tokens: usize,
    /// Number of tokens before the passage.
    prefix: usize,
}

/// Texts without a common beginning, in place of a question or a passage.
const OTHERS: [&str; 2] = ["A", "1"];

/// Number of tokens with which both begin.
fn common(one: &[TokenId], other: &[TokenId]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

impl Fitter<'_> {
    /// The prompt of one passage; `true` when the passage was not cut.
    fn prompt(&self, z: usize, passage: Passage<'_>) -> Result<(Prompt, bool), GenerateError> {
        let Passage { title, text } = passage;
        let horizon = text.floor_char_boundary(self.max_tokens.saturating_mul(BYTES_PER_TOKEN));
        let is_long = self.tokens(Passage { title, text: &text[..horizon] })?.len() > self.max_tokens;
        if !is_long {
            let whole = self.tokens(passage)?;
            if whole.len() <= self.max_tokens {
                return Ok((self.marked(whole, passage)?, true));
            }
        }
        let seen = if is_long { &text[..horizon] } else { text };
        let mut title = title;
        let mut empty = self.tokens(Passage { title, text: "" })?;
        if empty.len() > self.max_tokens {
            title = "";
            empty = self.tokens(Passage { title, text: "" })?;
        }
        if empty.len() > self.max_tokens {
            let (got_tokens, max_tokens) = (empty.len(), self.max_tokens);
            return Err(GenerateError::TooLong { passage: z, got_tokens, max_tokens });
        }
        let mut ends: Vec<usize> = sentences(seen).into_iter().map(|sentence| sentence.range.end).collect();
        if seen.len() < text.len() && ends.last() == Some(&seen.len()) {
            ends.pop(); // cut by the horizon, not by its author
        }
        // The count is not quite monotone, since a merge may span a bound, so it is checked again
        // while counting down.
        let mut count = ends.partition_point(|end| {
            self.tokens(Passage { title, text: &text[..*end] }).is_ok_and(|t| t.len() <= self.max_tokens)
        });
        while count > 0 {
            let cut = Passage { title, text: &text[..ends[count - 1]] };
            let prompt = self.tokens(cut)?;
            if prompt.len() <= self.max_tokens {
                return Ok((self.marked(prompt, cut)?, false));
            }
            count -= 1;
        }
        let first = &seen[..ends.first().copied().unwrap_or(seen.len())];
        match self.begun(title, first, self.max_tokens - empty.len())? {
            Some(prompt) => Ok((prompt, false)),
            None => Ok((self.marked(empty, Passage { title, text: "" })?, false)),
        }
    }

    /// The prompt, with the number of its tokens that are the same for every question.
    fn marked(&self, tokens: Vec<TokenId>, passage: Passage<'_>) -> Result<Prompt, GenerateError> {
        let mut shared = tokens.len();
        for question in OTHERS {
            let other = Fitter { question, ..*self }.tokens(passage)?;
            shared = shared.min(common(&tokens, &other));
        }
        Ok(Prompt { tokens, prefix: self.prefix.min(shared), shared })
    }

    /// The prompt with the beginning of a sentence that does not fit; `None` when not even one
    /// clause fits.
    fn begun(&self, title: &str, sentence: &str, room: usize) -> Result<Option<Prompt>, GenerateError> {
        let mut room = room;
        while room > 0 {
            let limits = Room { tokens: room, bytes: usize::MAX };
            let mut parts = split(sentence, 0..sentence.len(), limits, |text| self.ranges(text));
            let Some(part) = parts.next().transpose()? else { return Ok(None) };
            let begun = Passage { title, text: &sentence[part.range] };
            let prompt = self.tokens(begun)?;
            if prompt.len() <= self.max_tokens {
                return self.marked(prompt, begun).map(Some);
            }
            room = room * 3 / 4;
        }
        Ok(None)
    }

    fn tokens(&self, passage: Passage<'_>) -> Result<Vec<TokenId>, GenerateError> {
        self.layout.tokens(self.vocabulary, self.question, passage).map_err(|error| self.failed(&error))
    }

    fn ranges(&self, text: &str) -> Result<Vec<Range<usize>>, GenerateError> {
        self.vocabulary.ranges(text).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &TokenizerError) -> GenerateError {
        GenerateError::Model { model: "tokenizer".to_owned(), reason: error.to_string() }
    }
}
