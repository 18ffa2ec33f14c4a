//! The ingest of documents in three stages with bounded queues between them: read and chunk, embed,
//! commit.
//!
//! Invariant: a document is in the database complete, at one version, or not at all. Its content
//! hash is committed with it, so an ingest that is repeated after a crash or Ctrl-C does only what
//! is left.
//!
//! file | responsibility
//! ---|---
//! `options.rs` | inputs and options
//! `report.rs` | the report of an ingest
//! `walk.rs` | paths to files
//! `ignored.rs` | the ignore file that keeps a file out
//! `tree.rs` | a folder held open, and files in it
//! `source.rs` | files and streams to documents
//! `settle.rs` | the key of a document that was read from a file
//! `prepare.rs` | one document: hash, passages, vectors, the write
//! `pipeline.rs` | the three stages
//! `mend.rs` | changes without embedding: removals, and documents whose file has moved
//! `reconcile.rs` | documents whose file or record is missing

mod ignored;
mod mend;
mod options;
mod pipeline;
mod prepare;
mod reconcile;
mod report;
mod settle;
mod source;
mod tree;
mod walk;

use parking_lot::Mutex;
use settle::Files;

pub use options::{IngestOptions, Input};
pub use report::{Ingested, LeftOut, Merged, Skipped, Unread};

pub use crate::origin::{FILE_FIELD, PATH_FIELD};
use crate::origin::{Known, Places};
use crate::{Database, Document, Error, Watch};

/// Ingests documents that a caller made; see [`Database::ingest_all`].
pub(crate) fn all<I>(db: &Database, documents: I, watch: &Watch<'_>) -> Result<Ingested, Error>
where
    I: IntoIterator<Item = Document>,
    I::IntoIter: Send,
{
    let items = documents.into_iter().map(source::Item::document);
    let files = Files::new(db, &db.known);
    pipeline::run(db, items, &files, None, watch).map(|(report, _)| report)
}

/// Ingests the documents found; see [`Database::ingest_from`].
pub(crate) fn from(
    db: &Database,
    input: &Input,
    options: &IngestOptions,
    watch: &Watch<'_>,
) -> Result<Ingested, Error> {
    let max_bytes = db.max_document_bytes();
    match input {
        Input::Stdin { key, kind } => {
            let items = source::from_stdin(key.clone(), *kind, max_bytes, options.extraction());
            let files = Files::new(db, &db.known);
            pipeline::run(db, items, &files, None, watch).map(|(report, _)| report)
        }
        Input::Paths(paths) => {
            let walk::Found { roots, files: found, left_out, failures } = walk::walk(paths);
            let taken = found.iter().map(|file| file.place.clone()).collect();
            let total = found.iter().map(|file| file.bytes).sum();
            let failures = failures.into_iter().map(source::Item::failure);
            let items = failures.chain(source::from_files(found, max_bytes, options.extraction()));

            let known = Known::read(db.store(), &Places::of(db.path()), |place| {
                place.ancestors().any(|folder| roots.contains(folder))
            })?;
            let known = Mutex::new(Some(known));
            let files = Files::new(db, &known);
            let (mut report, read) = pipeline::run(db, items, &files, Some(total), watch)?;
            report.left_out = left_out;
            let known = known.into_inner().unwrap_or_default();
            reconcile::reconcile(db, known, &taken, &read, options, &mut report)?;
            // Rebuilt at next use.
            *db.known.lock() = None;
            Ok(report)
        }
    }
}
