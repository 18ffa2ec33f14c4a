//! A database as plain files that other programs read, and back.
//!
//! An export is a Parquet file, with a row for each passage (see `parquet/`), or lines that go
//! through a pipe, or a folder:
//!
//! file | content
//! ---|---
//! `documents.jsonl` | a line for each document, in the order of keys: `id`, `title`, `text`, `metadata`, `content_hash` and `source_map` (hexadecimal), `passages`: `range` (bytes of the original), `text_range` (bytes of the text), `lead` (bytes of the text that are read before these; not there without), `heading`, `vector` (a row of the array)
//! `vectors.npy` | `[passages, dimension]`, `<f4`, as stored
//! `database.json` | `format` 1, `encoder`, `fingerprint`, `dimension`, `metric`, `attributes`, `documents`, `passages`, `vectors`: whether there are any; written last, so that an export without it is one that did not end
//!
//! Lines ([`Database::export_lines`](crate::ReadOnlyDatabase::export_lines)) are those of
//! `documents.jsonl`, except that each passage has its `text`, and its `vector` is a list of
//! numbers; the first line also has `database`, which is `database.json` without the numbers of
//! documents and passages. A file of lines, `x.jsonl`, has the same lines, and its name only once
//! it is complete.
//!
//! All of them keep metadata as it was given: any JSON object, every number with its exact value.
//!
//! file or folder | responsibility
//! ---|---
//! `description.rs` | the profile of the exported database
//! `export.rs` | export, in any format
//! `import.rs` | import, from any format
//! `source.rs` | the documents of an export, in any format
//! `folder.rs` | the folder
//! `line.rs` | a document as a line
//! `lines.rs` | lines that go through a pipe
//! `invalid.rs` | reasons that a line or a row is no document
//! `staged.rs` | a file that gets its name when it is complete
//! `numbered.rs` | numbered lines of a file, of limited length
//! `npy.rs` | the array
//! `parquet/` | the Parquet file

mod description;
mod export;
mod folder;
mod import;
mod invalid;
mod line;
mod lines;
mod npy;
mod numbered;
#[cfg(feature = "parquet")]
mod parquet;
mod source;
mod staged;

pub use export::{ExportOptions, Exported};
pub(crate) use export::{export, export_lines};
pub(crate) use import::{import, import_lines};
pub use lines::Lines;

use std::io::Read;
use std::path::Path;

use crate::Error;

const DOCUMENTS: &str = "documents.jsonl";
const VECTORS: &str = "vectors.npy";
const DESCRIPTION: &str = "database.json";
const PARQUET_EXTENSION: &str = "parquet";
const LINES_EXTENSION: &str = "jsonl";
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A folder of JSON lines and an npy array.
    Folder,
    /// One Parquet file; needs the feature `parquet`.
    Parquet,
    /// One file of JSON lines, as [`Database::export_lines`](crate::ReadOnlyDatabase::export_lines) writes
    /// them.
    Lines,
}

impl Format {
    /// The format of an export to `path`: Parquet when it ends in `.parquet`, lines when it ends in
    /// `.jsonl`, in any case; otherwise a folder.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case(PARQUET_EXTENSION) => Self::Parquet,
            Some(extension) if extension.eq_ignore_ascii_case(LINES_EXTENSION) => Self::Lines,
            _ => Self::Folder,
        }
    }
}

/// Kinds of exports that can be at a path.
enum Found {
    Folder,
    Parquet,
    Lines,
}

impl Found {
    /// The kind of the export at `path`, by its content, or by its name when it cannot be read.
    fn at(path: &Path) -> Self {
        if !path.is_file() {
            return Self::Folder;
        }
        let mut magic = [0; PARQUET_MAGIC.len()];
        let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
        match Format::of(path) {
            Format::Parquet => Self::Parquet,
            _ if read.is_ok() && magic == *PARQUET_MAGIC => Self::Parquet,
            Format::Folder | Format::Lines => Self::Lines,
        }
    }
}

/// An error about a file of an export.
fn wrong(path: &Path, what: impl Into<String>) -> Error {
    Error::Exchange { path: path.to_owned(), what: what.into() }
}

/// An error of the system about a file of an export.
fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |source| Error::Read { path: path.to_owned(), source }
}
