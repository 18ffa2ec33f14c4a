//! Text to passages: windows of whole sentences that fit the encoder.
//!
//! Windows are measured with the model's own tokenizer, so that nothing is cut when they are embedded.
//! Invariant: the chunks of a text cover all of it that is not blank, in order, and none has more tokens
//! than its budget, the smaller of [`ChunkOptions::max_tokens`] and the room its title leaves.
//! Work is linear in the length of the text and no call to the tokenizer sees more than a bounded block,
//! whatever the text is.
//!
//! file | responsibility
//! ---|---
//! `abbreviation.rs` | full stops that end no sentence
//! `lead.rs` | how much of a table's header goes with its rows
//! `markdown.rs` | headings, code, tables and list items of Markdown
//! `meter.rs` | the tokenizer as the chunker sees it, and the budget it keeps to
//! `outline.rs` | what every format is turned into: sections of segments
//! `piece.rs` | segments to pieces: sentences, rows, code, each small enough for a window
//! `sentence.rs` | sentence bounds of UAX #29, corrected
//! `split.rs` | a sentence longer than the budget
//! `window.rs` | pieces packed into windows, with overlap

mod abbreviation;
mod lead;
mod markdown;
mod meter;
mod outline;
mod piece;
mod sentence;
mod split;
#[cfg(test)]
mod tests;
mod window;

use std::ops::Range;

pub use meter::{ChunkError, TokenRanges};

pub(crate) use meter::HEADING_JOINT;

use meter::Meter;
pub use outline::Outline;
pub(crate) use outline::{Bound, Heading, Kind, Lead, Mark};
use window::Packer;

/// Tokens in a chunk, when nothing else is asked for: three or four paragraphs of prose.
pub const DEFAULT_MAX_TOKENS: usize = 200;

/// Sentences that a chunk shares with the one before it, when nothing else is asked for.
pub const DEFAULT_OVERLAP_SENTENCES: usize = 1;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Paragraphs with blank lines between them.
    Plain,
    /// CommonMark with tables and front matter.
    Markdown,
    /// The text of a web page, whose [`Outline`] comes from its elements: the text alone does not show it.
    Html,
}

/// How large chunks are and how much they share.
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
    /// Bytes of the text that are to be read before those of `range`: the caption and header of the table whose
    /// rows it begins with, when these stand before it; empty otherwise. They count as its tokens.
    pub lead: Range<usize>,
}

/// The title that a Markdown text gives itself: the field `title` of its front matter, or else the heading of level 1
/// that it begins with.
pub(crate) fn markdown_title(text: &str) -> Option<String> {
    markdown::front_title(text)
        .or_else(|| Outline::of(text, Format::Markdown).opening(text).map(str::to_owned))
}

/// Cuts `text` into chunks, in order of their start; none when it is blank.
///
/// Whole sentences are packed up to the budget; a sentence longer than that is cut at a line, a clause, a
/// word, or else between two tokens. In Markdown a section starts a chunk of its own, code stays in
/// one chunk where it fits and is cut between lines where not, tables are cut between rows, which take their
/// table's header with them.
///
/// # Errors
/// [`ChunkError::NoRoom`] when some character alone has more tokens than the budget, as all have when
/// that is 0; [`ChunkError::Tokenizer`] when the tokenizer fails.
pub fn chunk<T: TokenRanges + ?Sized>(
    text: &str,
    format: Format,
    options: &ChunkOptions,
    tokenizer: &T,
) -> Result<Vec<Chunk>, ChunkError> {
    chunk_outlined(text, &Outline::of(text, format), options, tokenizer)
}

/// As [`chunk`], of a text whose structure is known. A text that `outline` is not of is cut as prose.
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
        for segment in &section.segments {
            piece::pieces(&meter, segment, &mut |piece| packer.push(piece))?;
        }
        let windows = packer.finish()?;
        let chunk = |(range, lead)| Chunk { range, title: title.clone(), lead };
        chunks.extend(windows.into_iter().map(chunk));
    }
    Ok(chunks)
}
