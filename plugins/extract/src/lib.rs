//! Documents to text, with a map back to the bytes or the places they came from.
//!
//! A citation is a byte range of a document, so an [`OffsetMap`] records all that is left out or
//! decoded on the way to text. Plain text and Markdown are their own text; HTML loses its markup,
//! its headings, list items and preformatted text become Markdown, and every run of text keeps its
//! place in the source. Of all other formats the extracted text is what ranges count in, and
//! [`Places`](postil_contract::Places) has the page, slide, cells or paragraph of every stretch.
//!
//! A format is a file here with its `Reader`, and a line in `kind.rs`.
//!
//! file | responsibility
//! ---|---
//! `kind.rs` | the formats, told apart by content and by name
//! `reader.rs` | the interface of a format, with its limits
//! `error.rs` | why there is no text
//! `extracted.rs` | the text of a document
//! `offset.rs` | text ranges to source ranges
//! `builder.rs` | text with headings, tables, lists and places, written in order
//! `plain.rs` | text and Markdown
//! `csv.rs` | tables of values
//! `html/` | HTML to text
//! `pdf/` | PDF: glyphs to lines, lines in reading order, tables, running heads
//! `package.rs`, `xml.rs` | zip archives of XML, within limits
//! `docx.rs`, `xlsx.rs`, `numbers.rs`, `pptx.rs`, `odf.rs`, `epub.rs` | office documents and books

mod builder;
mod csv;
#[cfg(feature = "packages")]
mod docx;
#[cfg(feature = "packages")]
mod epub;
mod error;
mod extracted;
mod html;
mod kind;
#[cfg(feature = "packages")]
mod numbers;
#[cfg(feature = "packages")]
mod odf;
mod offset;
#[cfg(feature = "packages")]
mod package;
#[cfg(feature = "pdf")]
mod pdf;
mod plain;
#[cfg(feature = "packages")]
mod pptx;
mod reader;
#[cfg(test)]
mod tests;
#[cfg(feature = "packages")]
mod xlsx;
#[cfg(feature = "packages")]
mod xml;

pub use error::ExtractError;
pub use extracted::Extracted;
pub use kind::{Kind, extract, extract_with};
pub use offset::{OffsetMap, OffsetMapError};
pub use reader::{DEFAULT_MAX_SECONDS, DEFAULT_MAX_TEXT_BYTES, ExtractOptions};
