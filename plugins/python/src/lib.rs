//! The extension module of the Python package `postil`.
//!
//! Python's side, in `python/postil/`, names the exceptions, awaits, and adapts frameworks; all else is
//! here. Library calls run without the interpreter's lock, and their panics become exceptions.
//!
//! file | responsibility
//! ---|---
//! `call.rs` | library calls: without the lock, watched for Ctrl-C, counted until the interpreter ends
//! `errors.rs` | errors of the library as exceptions
//! `texts.rs` | texts from Python
//! `arguments.rs` | counts, paths, keys and metadata from Python
//! `filters.rs` | filters: expressions, and dictionaries of operators
//! `values.rs` | metadata from and to Python
//! `buffers.rs`, `rows.rs` | vectors in: buffers, lists, tables
//! `numbers.rs` | numbers out: numpy arrays, or lists where there is no numpy
//! `open.rs` | options of opening
//! `opened.rs` | an open database, closed and forked processes refused
//! `shared.rs` | methods that all databases have
//! `documents.rs` | stored documents
//! `database.rs`, `ingest.rs`, `ask.rs` | the database of documents
//! `sources.rs` | documents to ingest, from Python
//! `vectors.rs`, `found.rs` | the database of vectors, and its results
//! `hits.rs`, `answers.rs`, `citations.rs`, `stat.rs`, `reports.rs` | results as frozen objects
//! `html.rs` | an answer for notebooks
//! `json.rs` | results as dictionaries
//! `progress.rs` | progress of long work
//! `encoder.rs`, `generator.rs` | encoders and generators that are Python functions
//! `arrow/` | results as Arrow streams
//! `command.rs` | the `postil` command
#![deny(unsafe_code)]

mod answers;
mod arguments;
mod arrow;
mod ask;
mod buffers;
mod call;
mod citations;
mod command;
mod database;
mod documents;
mod encoder;
mod errors;
mod filters;
mod found;
mod generator;
mod hits;
mod html;
mod ingest;
mod json;
mod numbers;
mod open;
mod opened;
mod progress;
mod reports;
mod rows;
mod shared;
mod sources;
mod stat;
mod texts;
mod values;
mod vectors;

/// The extension module.
#[pyo3::pymodule(gil_used = false)]
mod _postil {
    #[pymodule_export]
    use crate::answers::{Alternative, Answer, PassagePosterior};
    #[pymodule_export]
    use crate::call::{end, fail};
    #[pymodule_export]
    use crate::citations::{Citation, Place};
    #[pymodule_export]
    use crate::command::run;
    #[pymodule_export]
    use crate::database::Database;
    #[pymodule_export]
    use crate::documents::{Document, Documents};
    #[pymodule_export]
    use crate::encoder::Encoder;
    #[pymodule_export]
    use crate::found::Found;
    #[pymodule_export]
    use crate::generator::Generator;
    #[pymodule_export]
    use crate::hits::{Hit, Hits};
    #[pymodule_export]
    use crate::open::{open, open_vectors};
    #[pymodule_export]
    use crate::progress::Progress;
    #[pymodule_export]
    use crate::reports::{Committed, Copied, Ingested, Skipped};
    #[pymodule_export]
    use crate::shared::Opened;
    #[pymodule_export]
    use crate::stat::Stat;
    #[pymodule_export]
    use crate::vectors::VectorDatabase;
}
