//! Text to passages: windows of whole sentences that fit the encoder.
//!
//! Windows are measured with the model's own tokenizer, so that nothing is cut when they are
//! embedded. Invariant: the chunks of a text cover all of it that is not blank, in order, and none
//! has more tokens than its budget, the smaller of [`ChunkOptions::max_tokens`] and the room its
//! title leaves. Work is linear in the length of the text and no call to the tokenizer sees more
//! than a bounded block, whatever the text is.
//!
//! file | responsibility
//! ---|---
//! `lead.rs` | the part of a table's header that goes with its rows
//! `meter.rs` | the tokenizer as the chunker sees it, and the budget it keeps to
//! `piece.rs` | segments to pieces: sentences, rows, code, each small enough for a window
//! `window.rs` | pieces packed into windows, with overlap

mod lead;
mod meter;
mod piece;
#[cfg(test)]
mod tests;
mod window;

use std::ops::Range;

pub use meter::{ChunkError, TokenRanges};
pub use postil_text::{Format, Outline};

pub(crate) use meter::HEADING_JOINT;

use meter::Meter;
use piece::Cutter;
use postil_extract::Extracted;
use window::Packer;

/// Default tokens in a chunk: three or four paragraphs of prose.
pub const DEFAULT_MAX_TOKENS: usize = 200;

/// Default number of sentences that a chunk shares with the one before it.
pub const DEFAULT_OVERLAP_SENTENCES: usize = 1;

/// The size and the overlap of chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkOptions {
    /// Most tokens in a chunk, title and special tokens not counted; from 1, default
    /// [`DEFAULT_MAX_TOKENS`]. A chunk gets less when the model's window leaves less.
    pub max_tokens: usize,
    /// Sentences at the end of one window that the next repeats, where they fit; default
    /// [`DEFAULT_OVERLAP_SENTENCES`].
    pub overlap_sentences: usize,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        Self { max_tokens: DEFAULT_MAX_TOKENS, overlap_sentences: DEFAULT_OVERLAP_SENTENCES }
    }
}

/// A part of a text that is embedded as one passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes of the text, on character boundaries, without blank edges.
    pub range: Range<usize>,
    /// The headings it stands under, outermost first: `Guide > Install > Linux`. Empty without any.
    /// Outer headings are left out where the path would take more than half of the window.
    pub title: String,
    /// Bytes of the text that are to be read before those of `range`: the caption and header of the
    /// table whose rows it begins with, when these stand before it; empty otherwise. They count as
    /// its tokens.
    pub lead: Range<usize>,
}

/// Cuts `text` into chunks, in order of their start; none when it is blank.
///
/// Whole sentences are packed up to the budget; a sentence longer than that is cut at a line, a
/// clause, a word, or else between two tokens. In Markdown a section starts a chunk of its own,
/// code stays in one chunk where it fits and is cut between lines where not, tables are cut between
/// rows, which take their table's header with them.
///
/// # Errors
/// [`ChunkError::NoRoom`] when some character alone has more tokens than the budget, as all have
/// when that is 0; [`ChunkError::Tokenizer`] when the tokenizer fails.
pub fn chunk<T: TokenRanges + ?Sized>(
    text: &str,
    format: Format,
    options: &ChunkOptions,
    tokenizer: &T,
) -> Result<Vec<Chunk>, ChunkError> {
    chunk_outlined(text, &postil_text::outline(text, format), options, tokenizer)
}

/// As [`chunk`], for a text that was extracted.
///
/// # Errors
/// As [`chunk`].
pub fn chunk_extracted<T: TokenRanges + ?Sized>(
    extracted: &Extracted,
    options: &ChunkOptions,
    tokenizer: &T,
) -> Result<Vec<Chunk>, ChunkError> {
    match &extracted.outline {
        Some(outline) => chunk_outlined(&extracted.text, outline, options, tokenizer),
        None => chunk(&extracted.text, extracted.format, options, tokenizer),
    }
}

/// As [`chunk`], for a text whose structure is known. A text that does not fit `outline` is cut as
/// prose.
///
/// # Errors
/// As [`chunk`].
pub fn chunk_outlined<T: TokenRanges + ?Sized>(
    text: &str,
    outline: &Outline,
    options: &ChunkOptions,
    tokenizer: &T,
) -> Result<Vec<Chunk>, ChunkError> {
    let tokens = |part: &str| tokenizer.tokens(part);
    let room = |title: &str| tokenizer.room(title);
    let mut chunks = Vec::new();
    for section in outline.sections(text) {
        let (title, budget) = meter::fit_title(&section.path, options.max_tokens, &room)?;
        let meter = Meter::new(text, &tokens, budget);
        let mut packer = Packer::new(&meter, options.overlap_sentences);
        let mut cutter = Cutter::new(&meter);
        for segment in &section.segments {
            cutter.cut(segment, &mut |piece| packer.push(piece))?;
        }
        let windows = packer.finish()?;
        let chunk = |(range, lead)| Chunk { range, title: title.clone(), lead };
        chunks.extend(windows.into_iter().map(chunk));
    }
    Ok(chunks)
}
