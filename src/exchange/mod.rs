//! A database as plain files that other programs read, and back.
//!
//! An export is a folder:
//!
//! file | content
//! ---|---
//! `documents.jsonl` | a line for each document, in the order of keys: `id`, `title`, `text`, `metadata`, `content_hash` and `source_map` (hexadecimal), `passages`: `range` (bytes of the original), `text_range` (bytes of the text), `title`, `vector` (a row of the array)
//! `vectors.npy` | `[passages, dimension]`, `<f4`, as stored
//! `database.json` | `format` 1, `encoder`, `fingerprint`, `dimension`, `metric`, `attributes`, `documents`, `passages`, `vectors`: whether there are any; written last, so that an export without it is one that did not end
//!
//! file | responsibility
//! ---|---
//! `description.rs` | `database.json`
//! `line.rs` | a document as a line
//! `npy.rs` | the array
//! `export.rs` | out
//! `import.rs` | in

mod description;
mod export;
mod import;
mod line;
mod npy;

pub use export::{ExportOptions, Exported};
pub(crate) use line::field;
pub use line::metadata_to_json;

use std::path::Path;

use crate::Error;

const DOCUMENTS: &str = "documents.jsonl";
const VECTORS: &str = "vectors.npy";
const DESCRIPTION: &str = "database.json";

/// An error about a file of an export.
fn wrong(path: &Path, what: impl Into<String>) -> Error {
    Error::Exchange { path: path.to_owned(), what: what.into() }
}

/// An error of the system about a file of an export.
fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |source| Error::Read { path: path.to_owned(), source }
}
