//! Documents into the database: read and chunk | embed | commit, three stages with bounded queues between.
//!
//! The invariant: a document is in the database whole, at one version, or not at all. Its content hash
//! is committed with it, so an ingest that is repeated after a crash or Ctrl-C does only what is left.
//!
//! file | responsibility
//! ---|---
//! `cancel.rs` | asking an ingest to stop
//! `walk.rs` | from paths to files
//! `tree.rs` | a folder held open, and files in it
//! `source.rs` | from files and streams to documents
//! `prepare.rs` | one document: hash, passages, vectors, the write
//! `pipeline.rs` | the three stages
//! `identity.rs` | one file, one document
//! `left_out.rs` | what a walk passed by, and why
//! `prune.rs` | removing documents whose file is gone

mod cancel;
mod identity;
mod left_out;
mod pipeline;
mod prepare;
mod prune;
mod source;
mod tree;
mod walk;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use cancel::Cancel;
pub use identity::Merged;
pub use left_out::LeftOut;

use postil_storage::{Metadata, Value};

use crate::extract::FileKind;
use crate::{Database, Document, Error, Progress};

/// Name of the metadata field that holds the file a document was read from; [`Input::Paths`] sets it.
pub const FILE_FIELD: &str = "_file";

/// Name of the metadata field that holds where that file is, relative to the folder that the database is in, without
/// links: how a file is known again under another spelling of its path.
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
    /// Files, and folders walked to their end. Links are not followed; `.gitignore` is honoured.
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
pub struct IngestOptions {
    /// Removes documents that were once read from the given paths and are no longer found there.
    pub prune: bool,
    /// Lets another thread end the ingest early.
    pub cancel: Cancel,
}

/// What an ingest did.
#[derive(Debug, Default)]
pub struct Ingested {
    /// New documents.
    pub added: u64,
    /// Documents whose content had changed.
    pub replaced: u64,
    /// Documents that were there already, byte for byte.
    pub unchanged: u64,
    /// Documents removed: of files that have no text any more, and of those `merged`; with
    /// [`IngestOptions::prune`] also those whose files are gone.
    pub removed: u64,
    /// Documents that were there twice, under two spellings of one file's path.
    pub merged: Vec<Merged>,
    /// What was passed by in the folders given.
    pub left_out: LeftOut,
    /// Passages embedded and committed.
    pub passages: u64,
    /// What could not be ingested, and why; everything else was.
    pub skipped: Vec<Skipped>,
    /// Metadata fields that records had and could not keep, by name, with the number of records: [`FILE_FIELD`] and
    /// [`PATH_FIELD`] say where the file is that a record is read from.
    pub fields_left_out: BTreeMap<String, u64>,
    /// Whether [`Cancel`] ended it early.
    pub interrupted: bool,
}

/// A document or file that was left out.
#[derive(Debug)]
pub struct Skipped {
    /// The file, or the document's key.
    pub source: String,
    /// Why.
    pub error: Error,
}

impl Database {
    /// Adds a document, or replaces the one with its key; does nothing when it is there unchanged.
    /// Durable when it returns.
    ///
    /// # Errors
    /// [`Error::EmptyDocument`], [`Error::NoEncoder`], and whatever the encoder or the store reports; the
    /// database is then as it was.
    pub fn ingest(&self, document: Document) -> Result<Ingested, Error> {
        let mut report = self.ingest_all([document], &IngestOptions::default(), &|_| {})?;
        match report.skipped.pop() {
            Some(skipped) => Err(skipped.error),
            None => Ok(report),
        }
    }

    /// Adds or replaces many documents, embedding and committing them in batches; `progress` is called
    /// from several threads, often, and should return at once.
    ///
    /// # Errors
    /// As [`Database::ingest`], for what stops the whole; a single document that cannot be ingested is
    /// reported in [`Ingested::skipped`].
    pub fn ingest_all<I>(
        &self,
        documents: I,
        options: &IngestOptions,
        progress: &(dyn Fn(&Progress) + Sync),
    ) -> Result<Ingested, Error>
    where
        I: IntoIterator<Item = Document>,
        I::IntoIter: Send,
    {
        let items = documents.into_iter().map(source::Item::document);
        pipeline::run(self, items, None, options, progress).map(|(report, _)| report)
    }

    /// Adds or replaces what is found in files, folders or on standard input.
    ///
    /// # Errors
    /// As [`Database::ingest_all`].
    pub fn ingest_from(
        &self,
        input: &Input,
        options: &IngestOptions,
        progress: &(dyn Fn(&Progress) + Sync),
    ) -> Result<Ingested, Error> {
        match input {
            Input::Stdin { key, kind } => {
                let items = source::from_stdin(key.clone(), *kind, self.max_document_bytes());
                pipeline::run(self, items, None, options, progress).map(|(report, _)| report)
            }
            Input::Paths(roots) => {
                let walk::Found { files, failures, left_out } = walk::walk(roots);
                let total = files.iter().map(|file| file.bytes).sum();
                let failures = failures.into_iter().map(source::Item::failure);
                let emptied = source::without_records(&files);
                let items = failures.chain(source::from_files(files, self.max_document_bytes()));
                let (mut report, seen) = pipeline::run(self, items, Some(total), options, progress)?;
                report.left_out = left_out;
                if !report.interrupted {
                    report.removed += prune::emptied(self, &emptied)?;
                    if options.prune {
                        report.removed += prune::prune(self, roots, &seen, &report.skipped)?;
                    }
                }
                Ok(report)
            }
        }
    }
}
