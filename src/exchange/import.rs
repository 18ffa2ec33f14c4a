//! In: documents as they were written, with their vectors where those are of the same encoder.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use postil_contract::Passage;
use postil_storage::{Batch, DocumentWrite};
use serde_json::Value;

use super::description::Description;
use super::{DOCUMENTS, VECTORS, failed, line, npy, wrong};
use crate::ingest::{Cancel, Ingested, Skipped};
use crate::{Database, Error, Options, Progress};

/// Passages committed at once.
const COMMIT_PASSAGES: usize = 1024;
/// A byte of text takes at most six in JSON; the rest of a line is metadata and ranges.
const LINE_BYTES_PER_TEXT_BYTE: u64 = 8;
const LINE_BYTES: u64 = 64 << 20;

impl Options {
    /// A database that is yet to be made will be as the exported one was: of the same encoder, dimension and metric.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Exchange`] when `folder` holds no complete export.
    pub fn exported(mut self, folder: impl AsRef<Path>) -> Result<Self, Error> {
        self.profile = Some(Description::read(folder.as_ref())?.profile);
        Ok(self)
    }
}

impl Database {
    /// Adds the documents of an export, or replaces those of the same keys; what is there unchanged is left alone.
    /// Vectors are taken over when they are of this database's encoder, dimension and metric; otherwise passages are
    /// embedded. A document that cannot be stored is skipped and named; the others are durable when this returns.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Exchange`] when `folder` holds no complete export, [`Error::Storage`], and as
    /// [`Database::encoder`] when passages have to be embedded.
    pub fn import(
        &self,
        folder: impl AsRef<Path>,
        cancel: &Cancel,
        progress: &dyn Fn(&Progress),
    ) -> Result<Ingested, Error> {
        let folder = folder.as_ref();
        let description = Description::read(folder)?;
        let (theirs, ours) = (&description.profile, self.profile());
        let same = (theirs.dimension, theirs.metric, &theirs.fingerprint)
            == (ours.dimension, ours.metric, &ours.fingerprint);
        let vectors = match description.vectors && same {
            true => Some(npy::Reader::open(&folder.join(VECTORS), ours.dimension)?),
            false => None,
        };
        if vectors.is_none() {
            // To find out now, and not in the middle.
            self.encoder()?;
        }
        let path = folder.join(DOCUMENTS);
        let file = File::open(&path).map_err(failed(&path))?;
        let total_bytes = Some(file.metadata().map_err(failed(&path))?.len());
        let told = Progress { total_bytes, ..Progress::default() };
        let mut import = Import {
            db: self,
            path,
            vectors,
            seen: HashSet::new(),
            batch: Batch::new(),
            waiting: 0,
            told,
            progress,
            report: Ingested::default(),
        };
        import.lines(file, cancel)?;
        import.commit()?;
        Ok(import.report)
    }
}

/// An import on its way.
struct Import<'a> {
    db: &'a Database,
    path: PathBuf,
    vectors: Option<npy::Reader>,
    /// Keys that came already.
    seen: HashSet<String>,
    batch: Batch,
    /// Passages in the batch.
    waiting: usize,
    told: Progress,
    progress: &'a dyn Fn(&Progress),
    report: Ingested,
}

impl Import<'_> {
    fn lines(&mut self, file: File, cancel: &Cancel) -> Result<(), Error> {
        let limit =
            self.db.max_document_bytes().saturating_mul(LINE_BYTES_PER_TEXT_BYTE).saturating_add(LINE_BYTES);
        let mut lines = BufReader::new(file);
        let mut bytes = Vec::new();
        let mut number = 0u64;
        loop {
            if cancel.is_cancelled() {
                self.report.interrupted = true;
                return Ok(());
            }
            number += 1;
            bytes.clear();
            let read =
                lines.by_ref().take(limit).read_until(b'\n', &mut bytes).map_err(failed(&self.path))?;
            if read == 0 {
                return Ok(());
            }
            if read as u64 == limit && bytes.last() != Some(&b'\n') {
                return Err(wrong(&self.path, format!("line {number} has more than {limit} bytes")));
            }
            self.told.read_bytes += read as u64;
            self.told.documents_read += 1;
            let document = self.document(&bytes, number);
            match document {
                Ok(Some(document)) => self.add(document)?,
                Ok(None) => {
                    self.report.unchanged += 1;
                    self.told.documents_unchanged += 1;
                }
                Err(error @ Error::Storage(_)) => return Err(error),
                Err(error) => {
                    let source = format!("{}, line {number}", self.path.display());
                    self.report.skipped.push(Skipped { source, error });
                }
            }
            (self.progress)(&self.told);
        }
    }

    /// The document of a line; `None` when the database has it already.
    fn document(&mut self, bytes: &[u8], number: u64) -> Result<Option<DocumentWrite>, Error> {
        let path = self.path.clone();
        let of_line = |what: String| wrong(&path, format!("line {number}: {what}"));
        let value: Value = serde_json::from_slice(bytes).map_err(|error| of_line(error.to_string()))?;
        let (mut document, rows) = line::from_json(&value).map_err(of_line)?;
        if !self.seen.insert(document.key.clone()) {
            return Err(Error::RepeatedKey { key: document.key });
        }
        // Bare vectors have no hash: only their writer knows whether they changed.
        let has_hash = document.content_hash != [0; 32];
        let stored = self.db.store().document(&document.key)?;
        if has_hash && stored.is_some_and(|stored| stored.content_hash == document.content_hash) {
            return Ok(None);
        }
        let vectors = match (&mut self.vectors, rows.into_iter().collect::<Option<Vec<u64>>>()) {
            (Some(vectors), Some(rows)) => {
                rows.into_iter().map(|row| vectors.row(row)).collect::<Result<_, _>>()?
            }
            _ => self.embed(&document, number)?,
        };
        for (passage, vector) in document.passages.iter_mut().zip(vectors) {
            passage.vector = vector;
        }
        let path = &self.path;
        let prepared = self.db.store().prepared(document);
        prepared.map(Some).map_err(|error| wrong(path, format!("line {number}: {error}")))
    }

    fn embed(&mut self, document: &DocumentWrite, number: u64) -> Result<Vec<Vec<f32>>, Error> {
        let mut passages = Vec::with_capacity(document.passages.len());
        for passage in &document.passages {
            let range = passage.range.start as usize..passage.range.end as usize;
            let text = document.text.get(range);
            let text = text.ok_or_else(|| {
                wrong(&self.path, format!("line {number}: a passage is no range of the text"))
            })?;
            passages.push(Passage { title: &passage.title, text });
        }
        let embeddings = self.db.encoder()?.encode_passages(&passages)?;
        if embeddings.len() != passages.len() {
            return Err(Error::VectorCount { got: embeddings.len(), expected: passages.len() });
        }
        self.told.passages_embedded += passages.len() as u64;
        Ok(embeddings.rows().map(<[f32]>::to_vec).collect())
    }

    fn add(&mut self, document: DocumentWrite) -> Result<(), Error> {
        self.waiting += document.passages.len().max(1);
        self.batch.upsert(document);
        if self.waiting >= COMMIT_PASSAGES { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.waiting = 0;
        let committed = self.db.store().commit(std::mem::take(&mut self.batch))?;
        self.report.added += committed.added as u64;
        self.report.replaced += committed.replaced as u64;
        self.report.passages += committed.passages as u64;
        self.told.documents_committed += (committed.added + committed.replaced) as u64;
        self.told.passages_committed += committed.passages as u64;
        Ok(())
    }
}
