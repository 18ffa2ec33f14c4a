//! The tokenizer as the chunker sees it, and the budget that a section keeps to.

use std::ops::Range;

use postil_contract::{EncodeError, Encoder};
use postil_text::{Part, Room, split};

/// Separator of the headings in a path.
pub(crate) const HEADING_JOINT: &str = " > ";

/// Most bytes of a window for each token of its budget. Prose has about 5; a token has far more
/// only when a tokenizer gives up on a word (WordPiece, past 100 characters) or skips blanks, and
/// such text must not make an endless window.
const MAX_BYTES_PER_TOKEN: usize = 32;

/// Tokenizer as the chunker needs it; every [`Encoder`] is one.
pub trait TokenRanges {
    /// The byte range of each token of `text`, in order, without special tokens or a limit on
    /// length.
    ///
    /// # Errors
    /// [`EncodeError`] when the tokenizer fails.
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError>;

    /// Tokens of the model's window that a title leaves for text.
    ///
    /// # Errors
    /// [`EncodeError`] when the tokenizer fails.
    fn room(&self, title: &str) -> Result<usize, EncodeError>;
}

impl<E: Encoder + ?Sized> TokenRanges for E {
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        Encoder::tokens(self, text)
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        Encoder::room(self, title)
    }
}

/// Errors of cutting a text into chunks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// Returned when one character has more tokens than a chunk. Allow more tokens, or use an
    /// encoder with a longer window.
    #[error("the character at byte {at} has {got_tokens} tokens, a chunk may have {budget_tokens}")]
    NoRoom {
        /// Offset of the character in the text, in bytes.
        at: usize,
        /// Tokens of this character alone.
        got_tokens: usize,
        /// Most tokens of a chunk at this place.
        budget_tokens: usize,
    },
    /// The tokenizer failed.
    #[error(transparent)]
    Tokenizer(#[from] EncodeError),
}

/// A tokenizer's byte ranges of a text.
pub(super) type Tokens<'a> = dyn Fn(&str) -> Result<Vec<Range<usize>>, EncodeError> + 'a;

/// The tokenizer's measure of a text, with the budget of one section.
pub(super) struct Meter<'a> {
    pub(super) text: &'a str,
    tokens: &'a Tokens<'a>,
    /// Most tokens of a window.
    pub(super) budget: usize,
    /// Most bytes of a window.
    pub(super) max_bytes: usize,
}

impl<'a> Meter<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a Tokens<'a>, budget: usize) -> Self {
        let max_bytes = budget.saturating_mul(MAX_BYTES_PER_TOKEN).max(64);
        Self { text, tokens, budget, max_bytes }
    }

    /// The same measure with another budget.
    pub(super) fn within(&self, budget: usize) -> Self {
        Self::new(self.text, self.tokens, budget)
    }

    /// Token ranges of a part, relative to its start.
    pub(super) fn tokens(&self, part: &Range<usize>) -> Result<Vec<Range<usize>>, ChunkError> {
        Ok((self.tokens)(&self.text[part.clone()])?)
    }

    /// Number of tokens of a part.
    pub(super) fn count(&self, part: &Range<usize>) -> Result<usize, ChunkError> {
        Ok(self.tokens(part)?.len())
    }

    /// Tokens of a part that fits a window; `None` when it does not fit.
    pub(super) fn fits(&self, part: &Range<usize>) -> Result<Option<usize>, ChunkError> {
        let is_measurable = part.len() <= self.max_bytes;
        let tokens = is_measurable.then(|| self.count(part)).transpose()?;
        Ok(tokens.filter(|tokens| *tokens <= self.budget))
    }

    /// The parts of a range too long for a window, each within the budget where no character alone
    /// has more.
    pub(super) fn parts(&self, range: Range<usize>) -> impl Iterator<Item = Result<Part, ChunkError>> {
        let room = Room { tokens: self.budget, bytes: self.max_bytes };
        split(self.text, range, room, |part| Ok((self.tokens)(part)?))
    }
}

/// The title for a heading path, and the tokens of text a chunk under it may have.
///
/// Outermost headings are dropped while the title would leave less than half of what a chunk may
/// have without a title; the innermost too, when it alone is that long (its text is in the section
/// anyway).
pub(super) fn fit_title(
    path: &[String],
    max_tokens: usize,
    room: &dyn Fn(&str) -> Result<usize, EncodeError>,
) -> Result<(String, usize), ChunkError> {
    let bare = max_tokens.min(room("")?);
    for first in 0..path.len() {
        let title = path[first..].join(HEADING_JOINT);
        // A heading of many bytes is not worth a call: it would not be a title in any case.
        if title.len() > bare.saturating_mul(MAX_BYTES_PER_TOKEN) {
            continue;
        }
        let budget = max_tokens.min(room(&title)?);
        if budget >= bare.div_ceil(2) && budget > 0 {
            return Ok((title, budget));
        }
    }
    Ok((String::new(), bare))
}
