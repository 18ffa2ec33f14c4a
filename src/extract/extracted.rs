use super::offset::OffsetMap;
use crate::chunk::{Chunk, ChunkError, ChunkOptions, Format, Outline, TokenRanges, chunk, chunk_outlined};

/// The text of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// The text to read.
    pub text: String,
    /// The format of `text`.
    pub format: Format,
    /// The structure of `text`; `None` where `text` itself shows it.
    pub outline: Option<Outline>,
    /// The title the document gives itself: HTML's `title`; in Markdown the field `title` of its
    /// front matter, or else the heading of level 1 that it begins with; `None` without one.
    pub title: Option<String>,
    /// The map from bytes of `text` to bytes of the document.
    pub map: OffsetMap,
}

impl Extracted {
    /// The text as passages; see [`chunk`].
    ///
    /// # Errors
    /// As [`chunk`].
    pub fn chunks<T: TokenRanges + ?Sized>(
        &self,
        options: &ChunkOptions,
        tokenizer: &T,
    ) -> Result<Vec<Chunk>, ChunkError> {
        match &self.outline {
            Some(outline) => chunk_outlined(&self.text, outline, options, tokenizer),
            None => chunk(&self.text, self.format, options, tokenizer),
        }
    }
}
