//! Files to documents: text by `postil-extract`, and records, one on each line.
//!
//! file | responsibility
//! ---|---
//! `file.rs` | the content of a file, judged by its name
//! `jsonl_error.rs` | why a line is no record
//! `jsonl.rs` | records, one on each line

mod file;
mod jsonl;
mod jsonl_error;
#[cfg(test)]
mod tests;

pub use file::FileKind;
pub use jsonl::{DEFAULT_MAX_LINE_BYTES, Jsonl, Record, jsonl};
pub use jsonl_error::JsonlError;
pub use postil_extract::{
    ExtractError, ExtractOptions, Extracted, Kind, OffsetMap, OffsetMapError, extract, extract_with,
};
