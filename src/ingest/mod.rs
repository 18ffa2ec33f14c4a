//! Documents into the database: read and chunk | embed | commit, three stages with bounded queues between.
//!
//! The invariant: a document is in the database whole, at one version, or not at all. Its content hash
//! is committed with it, so an ingest that is repeated after a crash or Ctrl-C does only what is left.
//!
//! file | responsibility
//! ---|---
//! `report.rs` | what an ingest did and left out
//! `walk.rs` | from paths to files
//! `ignored.rs` | the ignore file that keeps a file out
//! `tree.rs` | a folder held open, and files in it
//! `place.rs` | a file's identity, and how it is written down
//! `source.rs` | from files and streams to documents
//! `known.rs` | which documents were read from which file
//! `prepare.rs` | one document: hash, passages, vectors, the write
//! `pipeline.rs` | the three stages
//! `mend.rs` | what is changed without embedding: removals, and documents whose file has moved
//! `reconcile.rs` | documents whose file or record is gone

mod ignored;
mod known;
mod mend;
mod pipeline;
pub(crate) mod place;
mod prepare;
mod reconcile;
mod report;
mod source;
mod tree;
mod walk;

use std::path::PathBuf;

use known::Files;
pub(crate) use known::Known;
use parking_lot::Mutex;
use place::Places;
use postil_storage::{Metadata, Value};
pub use report::{Ingested, LeftOut, Merged, Skipped};

use crate::extract::FileKind;
use crate::setters::setters;
use crate::{Database, Document, Error, Watch};

/// Name of the metadata field that holds the file a document was read from, as its path was given
/// when it was first ingested; [`Input::Paths`] and [`Document::from_path`] set it.
pub const FILE_FIELD: &str = "_file";

/// Name of the metadata field that holds where that file is, without links: the way from the folder
/// that the database is in, or its absolute path where they have no folder in common. By it a file
/// is known again under another spelling.
pub const PATH_FIELD: &str = "_path";

/// The name to show a reader for a document: its file, or else its key.
pub(crate) fn source_of(key: &str, metadata: &Metadata) -> String {
    match metadata.get(FILE_FIELD) {
        Some(Value::String(file)) => file.clone(),
        _ => key.to_owned(),
    }
}

/// Where documents come from.
#[derive(Debug)]
pub enum Input {
    /// Files, and folders walked to their end. A file is taken whatever its name and ending, a file
    /// of a folder when its ending is known ([`FileKind::of`]), its name does not begin with a dot
    /// and no `.gitignore` or `.ignore` excludes it; links in folders are not followed.
    /// [`Ingested::left_out`] counts the others.
    Paths(Vec<PathBuf>),
    /// One document, or many if `kind` is JSONL, from standard input.
    Stdin {
        /// Key of the document.
        key: String,
        /// What the bytes are.
        kind: FileKind,
    },
}

/// How an ingest is done.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IngestOptions {
    /// Removes documents that were once read from the given paths and whose file is no longer taken
    /// there: it is gone, or left out now.
    pub prune: bool,
}

impl IngestOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        prune: bool, "Sets [`prune`](#structfield.prune).";
    }
}

/// Ingests what a caller made; see [`Database::ingest_all`].
pub(crate) fn all<I>(db: &Database, documents: I, watch: &Watch<'_>) -> Result<Ingested, Error>
where
    I: IntoIterator<Item = Document>,
    I::IntoIter: Send,
{
    let items = documents.into_iter().map(source::Item::document);
    let files = Files::new(db, &db.known);
    pipeline::run(db, items, &files, None, watch).map(|(report, _)| report)
}

/// Ingests what is found; see [`Database::ingest_from`].
pub(crate) fn from(
    db: &Database,
    input: &Input,
    options: &IngestOptions,
    watch: &Watch<'_>,
) -> Result<Ingested, Error> {
    let max_bytes = db.max_document_bytes();
    match input {
        Input::Stdin { key, kind } => {
            let items = source::from_stdin(key.clone(), *kind, max_bytes);
            let files = Files::new(db, &db.known);
            pipeline::run(db, items, &files, None, watch).map(|(report, _)| report)
        }
        Input::Paths(paths) => {
            let walk::Found { roots, files: found, left_out, failures } = walk::walk(paths);
            let taken = found.iter().map(|file| file.place.clone()).collect();
            let total = found.iter().map(|file| file.bytes).sum();
            let failures = failures.into_iter().map(source::Item::failure);
            let items = failures.chain(source::from_files(found, max_bytes));

            let known = Known::read(db, &Places::of(db.path()), |place| {
                place.ancestors().any(|folder| roots.contains(folder))
            })?;
            let known = Mutex::new(Some(known));
            let files = Files::new(db, &known);
            let (mut report, read) = pipeline::run(db, items, &files, Some(total), watch)?;
            report.left_out = left_out;
            let known = known.into_inner().unwrap_or_default();
            reconcile::reconcile(db, known, &taken, &read, options, &mut report)?;
            // Built anew when it is needed.
            *db.known.lock() = None;
            Ok(report)
        }
    }
}
