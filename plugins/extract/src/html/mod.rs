//! HTML to text.
//!
//! file | responsibility
//! ---|---
//! `page.rs` | tags and text to the text of the page
//! `element.rs` | the effect of each element on the text around it
//! `entity.rs` | character references, each with its place
//! `lists.rs` | the lists of a page that are open, and the numbers of their items
//! `structure.rs` | headings, tables, lists and preformatted parts of a page
//! `writer.rs` | text with its offset map, breaks and prefixes put in late

mod element;
mod entity;
mod lists;
mod page;
mod structure;
mod writer;

use crate::plain::utf8;
use crate::reader::Reader;

/// Bytes at the beginning in which a page shows what it is.
const HEAD_BYTES: usize = 256;

pub(crate) const READER: Reader = Reader {
    endings: &["html", "htm", "xhtml"],
    is: |bytes| {
        let head = bytes[..bytes.len().min(HEAD_BYTES)].to_ascii_lowercase();
        let head = head.trim_ascii_start();
        head.starts_with(b"<!doctype html") || head.starts_with(b"<html")
    },
    read: |input| utf8(input.bytes).map(|(source, start)| page::extract(source, start)),
};

/// The text of a page that is a part of another document.
#[cfg(feature = "packages")]
pub(crate) fn text(source: &str) -> crate::extracted::Extracted {
    page::extract(source, 0)
}
