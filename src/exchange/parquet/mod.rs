//! A database as one Parquet file with a row for each passage, so that a data frame of it is a
//! table of texts with their vectors.
//!
//! column | type | content
//! ---|---|---
//! `id` | string | the document's key
//! `passage` | int64 | place of the passage among the document's, from 0; null in the only row of a document without any
//! `passages` | int64 | number of the document's passages
//! `heading`, `text` | string | of the passage: the path of headings that is embedded before the text, and the text
//! `embedding` | list of float | as stored; null without vectors
//! `start`, `end` | int64 | bytes of the original document
//! `text_start`, `text_end` | int64 | bytes of `document_text`
//! `lead_start`, `lead_end` | int64 | bytes of `document_text` that `text` begins with, on lines of their own before these: the header of a table; an empty range for none
//! `metadata` | string, JSON | fields of the document, in each of its rows
//! `document_title`, `document_text` | string | in the first row of a document only, null in the others
//! `content_hash`, `source_map` | binary | likewise
//!
//! The rows of a document follow each other, documents in the order of keys. What `database.json`
//! says is in the file's key-value metadata, under `postil`. (Parquet 2.12; the Apache crate writes
//! and reads pages, and its panics on damaged files are contained here.)
//!
//! file | responsibility
//! ---|---
//! `column.rs` | the columns, and their positions in a file
//! `row.rs` | a document as rows, and back
//! `write.rs` | rows to a file that is renamed when complete
//! `read.rs` | a file to documents
//! `chunk.rs` | the values of a column, some rows at a time
//! `footer.rs` | the footer, checked before the crate reads it
//! `pages.rs` | pages, refused when they state impossible sizes
//! `compact.rs` | Thrift's compact protocol, as far as the two above need it

mod chunk;
mod column;
mod compact;
mod footer;
mod pages;
mod read;
mod row;
#[cfg(test)]
mod tests;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub(super) use footer::description;
pub(super) use read::Reader;
pub(super) use write::Writer;

use postil_storage::panic_message;

use super::wrong;
use crate::Error;

/// Name of the description among the file's key-value metadata.
const DESCRIPTION_KEY: &str = "postil";

/// Runs a call of the crate and turns its error or panic into an error that names the file.
/// Unwinding out of a read is sound: the crate has no unsafe code that outlives one, and after an
/// error nothing more is read.
fn contained<T>(path: &Path, of_crate: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(of_crate)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(wrong(path, error.to_string())),
        Err(panic) => Err(wrong(path, format!("damaged: the reader panicked: {}", panic_message(&*panic)))),
    }
}
