//! Documents to text, with a map back to the bytes they came from.
//!
//! A citation is a byte range of the original document, so an [`OffsetMap`] records all that is
//! left out or decoded on the way to text. Plain text and Markdown are their own text; HTML loses
//! its markup, its headings, list items and preformatted text become Markdown, and every run of
//! text keeps its place in the source.
//!
//! file | responsibility
//! ---|---
//! `element.rs` | the effect of each HTML element on the text around it
//! `entity.rs` | character references, each with its place
//! `error.rs` | why there is no text
//! `extracted.rs` | the text of a document
//! `html.rs` | HTML to text
//! `jsonl.rs` | records, one on each line
//! `offset.rs` | text ranges to source ranges
//! `lists.rs` | the lists of a page that are open, and the numbers of their items
//! `structure.rs` | headings, tables, lists and preformatted parts of a page
//! `writer.rs` | text with its offset map, breaks and prefixes put in late

mod element;
mod entity;
mod error;
mod extracted;
mod html;
mod jsonl;
mod lists;
mod offset;
mod structure;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;

pub use error::{ExtractError, JsonlError};
pub use extracted::Extracted;
pub use jsonl::{DEFAULT_MAX_LINE_BYTES, Jsonl, Record, jsonl};
pub use offset::{OffsetMap, OffsetMapError};

use postil_text::markdown_title;

use crate::chunk::Format;

/// The byte order mark, which some editors put before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The format of a single document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Plain text.
    Plain,
    /// Markdown.
    Markdown,
    /// A web page.
    Html,
}

/// The content of a file, judged by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// One document.
    Document(Kind),
    /// JSON Lines, a document on each: see [`jsonl`].
    Records,
}

impl FileKind {
    /// The kind of a file by its extension, in any case: `txt`, `md`, `markdown`, `html`, `htm` or
    /// `jsonl`; `None` for any other.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Document(Kind::Plain)),
            "md" | "markdown" => Some(Self::Document(Kind::Markdown)),
            "html" | "htm" => Some(Self::Document(Kind::Html)),
            "jsonl" => Some(Self::Records),
            _ => None,
        }
    }
}

/// The text of `bytes`, which are UTF-8, with or without a byte order mark.
///
/// # Errors
/// [`ExtractError::NotUtf8`] with the place of the first byte that is not.
pub fn extract(bytes: &[u8], kind: Kind) -> Result<Extracted, ExtractError> {
    let source = std::str::from_utf8(bytes).map_err(|e| ExtractError::NotUtf8 { at: e.valid_up_to() })?;
    let start = if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let format = match kind {
        Kind::Html => return Ok(html::extract(source, start)),
        Kind::Plain => Format::Plain,
        Kind::Markdown => Format::Markdown,
    };
    let text = source[start..].to_owned();
    let mut map = OffsetMap::default();
    map.push_verbatim(start, text.len());
    let title = if kind == Kind::Markdown { markdown_title(&text) } else { None };
    Ok(Extracted { text, format, outline: None, title, map })
}
